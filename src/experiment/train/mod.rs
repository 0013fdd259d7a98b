//! Training a policy on the cells of an experiment: its cases and seeds are drawn from, its schedulers are the ones to
//! pass.
//!
//! ```toml
//! # An experiment, and
//! [training]
//! policy = "relmas"
//! algorithm = "ddpg"        # one that can train it (learners.rs)
//! validation_seeds = 2      # of every case, from `validation_first_seed` on
//! [training.ddpg]           # the parameters of the algorithm
//! iterations = 300
//! ```
//! The fitness of a run is the share of misses that it avoids: its SLA rate less that of the reference on the same trace,
//! over what the reference misses and `headroom`. In SLA rates alone, overloaded cells would count most, and where nearly
//! all is met a policy could lose what it gains there. The reference is the scheduler of the experiment that is best on the
//! validation seeds.
//!
//! Every generation, or iteration, is logged to log.csv; the weights with the best mean fitness on the validation seeds are
//! kept.

mod checkpoint;
mod ddpg;
mod evolution;
mod learners;
mod origin;
mod training;
mod validation;

use serde::{Deserialize, Serialize};

pub use checkpoint::Checkpoint;
pub use learners::{LEARNERS, LearnerEntry};
pub use origin::Origin;
pub use training::{Named, Registered, Training};
pub use validation::Baseline;

use self::learners::{Learner, learner};
use self::validation::Validation;
use super::plan::Plan;
use super::{Error, Experiment, Progress};
use crate::hw::SystemSpec;
use crate::rl::policy::{Manifest, Policy, system_sha256};
use crate::rl::weights::Tensors;

/// The log of a training, below its folder.
pub const LOG: &str = "log.csv";

/// What is known after a generation or an iteration, as far as its learner tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LogRow {
    /// Generations or iterations done.
    pub step: u64,
    /// Decisions taken in it.
    pub decisions: u64,
    /// Mean SLA rate of the candidates on the traces of a generation.
    pub mean_rate: Option<f64>,
    /// Their mean fitness there.
    pub mean_fitness: Option<f64>,
    /// That of the best of them.
    pub best_candidate_fitness: Option<f64>,
    /// Mean reward of the runs of an iteration.
    pub reward: Option<f64>,
    /// Mean squared error of the critic.
    pub critic_loss: Option<f64>,
    /// Mean value that the critic gives the actor's answers, below zero; while it imitates, the mean squared error.
    pub actor_loss: Option<f64>,
    /// Mean SLA rate on the validation seeds, where it was looked at.
    pub validation_rate: Option<f64>,
    /// Mean fitness there.
    pub validation_fitness: Option<f64>,
}

/// A training in progress.
pub struct Trainer<'a> {
    training: Training,
    origin: Origin,
    validation: Validation<'a>,
    accelerators: usize,
    learner: Box<dyn Learner + 'a>,
    best: Best,
    log: Vec<LogRow>,
}

/// The weights that were best on the validation seeds.
#[derive(Clone, Debug, PartialEq)]
struct Best {
    weights: Tensors,
    standing: Standing,
}

/// How well they did, and when.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Standing {
    fitness: f64,
    rate: f64,
    step: u64,
}

impl Experiment {
    /// Whether training sees what it is validated on.
    ///
    /// # Errors
    /// Both ranges of seeds, and the keys that say them.
    pub fn check_training_seeds(&self) -> Result<(), Error> {
        let Some(training) = &self.training else { return Ok(()) };
        let [(first, last), (validation_first, validation_last)] =
            [(self.first_seed, self.seeds), (training.validation_first_seed, training.validation_seeds)]
                .map(|(first, seeds)| (first, first + seeds - 1));
        if last < validation_first || validation_last < first {
            return Ok(());
        }
        Err(self
            .source
            .error_at_top(format!(
                "training draws from seeds {first} to {last} (`first_seed`, `seeds`), and validation takes \
                 {validation_first} to {validation_last} (`training.validation_first_seed`, \
                 `training.validation_seeds`): expected two ranges without a common seed"
            ))
            .into())
    }
}

impl<'a> Trainer<'a> {
    /// From the beginning, or from a checkpoint of the same training.
    ///
    /// # Errors
    /// A scheduler cannot be built for the system; the checkpoint is of weights of another size; or this program was built
    /// without what is needed.
    pub fn new(
        plan: &'a Plan,
        training: Training,
        origin: Origin,
        checkpoint: Option<Checkpoint>,
        progress: &dyn Progress,
    ) -> Result<Self, Error> {
        let state = checkpoint.as_ref().map(|checkpoint| &checkpoint.state);
        let learner = learner(plan, &training, state)?;
        let (best, log) = match checkpoint {
            Some(checkpoint) => (checkpoint.best, checkpoint.log),
            None => {
                // JSON has no infinity.
                let standing = Standing { fitness: f64::MIN, rate: 0.0, step: 0 };
                (Best { weights: learner.weights(), standing }, Vec::new())
            }
        };
        let accelerators = plan.cases[0].site.world.platform.accelerators.len();
        let validation = Validation::new(plan, &training, progress)?;
        Ok(Self { training, origin, validation, accelerators, learner, best, log })
    }

    /// What there is to pass.
    pub fn baselines(&self) -> &[Baseline] {
        &self.validation.baselines
    }

    /// Whether all steps are done.
    pub fn is_done(&self) -> bool {
        self.learner.done() >= self.training.steps()
    }

    /// One step, and a validation if it is due.
    pub fn step(&mut self) -> LogRow {
        let mut row = self.learner.step(&self.validation);
        if row.step.is_multiple_of(self.training.validate_every) || self.is_done() {
            self.validate(&mut row);
        }
        self.log.push(row);
        row
    }

    /// Looks at the policy as it is now, and keeps it if it is the best so far.
    fn validate(&mut self, row: &mut LogRow) {
        let (kind, weights) = (self.training.policy(), self.learner.weights());
        let build = || (kind.build)(&weights, self.accelerators, &[]).expect("the learner's own weights");
        let score = self.validation.score(&build);
        (row.validation_rate, row.validation_fitness) = (Some(score.rate), Some(score.fitness));
        if score.fitness > self.best.standing.fitness {
            let standing = Standing { fitness: score.fitness, rate: score.rate, step: row.step };
            self.best = Best { weights, standing };
        }
    }

    /// The fitness of the best policy so far.
    pub fn best_fitness(&self) -> f64 {
        self.best.standing.fitness
    }

    /// All steps so far.
    pub fn log(&self) -> &[LogRow] {
        &self.log
    }

    /// Where it stands.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            origin: self.origin.clone(),
            state: self.learner.state(),
            best: self.best.clone(),
            log: self.log.clone(),
        }
    }

    /// The best policy so far, for the only system of the plan.
    pub fn policy(&self, system: &SystemSpec, training: String) -> Policy {
        let (kind, standing) = (self.training.policy(), self.best.standing);
        let manifest = Manifest {
            kind: kind.name.into(),
            features: kind.features.into(),
            system: system.name.clone(),
            system_sha256: system_sha256(system),
            weights_sha256: String::new(),
            version: env!("CARGO_PKG_VERSION").into(),
            commit: option_env!("MASCOT_GIT_COMMIT")
                .filter(|_| option_env!("MASCOT_GIT_DIRTY") != Some("true"))
                .map(String::from),
            generations: standing.step,
            validation_seeds: [self.training.validation_first_seed, self.training.validation_seeds],
            validation_sla_rate: standing.rate,
            tensors: self.best.weights.shapes(),
            baselines: self.validation.baselines.iter().cloned().collect(),
            training,
        };
        Policy { manifest, weights: self.best.weights.clone() }
    }
}
