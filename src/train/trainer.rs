//! The trainer: it steps a learner, validates the policy, and keeps the best weights.

use super::checkpoint::{Best, Checkpoint, Standing};
use super::learner::{From, Learner, LogRow, learner};
use super::origin::Origin;
use super::validation::{Baseline, Validation};
use crate::experiment::{Error, Experiment, Progress, Training};
use crate::hw::SystemSpec;
use crate::plan::Plan;
use crate::policy::{Manifest, Parameters, Policy, systems_sha256, trained_for};

/// The name of the log in the folder of a training.
pub const LOG: &str = "log.csv";

/// A training in progress.
pub struct Trainer<'a> {
    training: Training,
    origin: Origin,
    /// SHA-256 of the weights that it started from, if they were those of another policy.
    initial: Option<String>,
    validation: Validation<'a>,
    accelerators: usize,
    learner: Box<dyn Learner + 'a>,
    best: Best,
    log: Vec<LogRow>,
}

impl Experiment {
    /// Checks that training and validation have no seed in common.
    ///
    /// # Errors
    /// The ranges overlap: the error names both, and the keys that set them.
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
    /// A training at its beginning, from the weights of another policy if there is one, or resumed from a checkpoint of the same training.
    ///
    /// # Errors
    /// A scheduler cannot be built for the system, the checkpoint is of weights of another size, or this program was
    /// built without the algorithm's library.
    pub fn new(
        plan: &'a Plan,
        training: Training,
        origin: Origin,
        initial: Option<Policy>,
        checkpoint: Option<Checkpoint>,
        progress: &dyn Progress,
    ) -> Result<Self, Error> {
        let from = From {
            initial: initial.as_ref().map(|policy| &policy.weights),
            state: checkpoint.as_ref().map(|checkpoint| &checkpoint.state),
        };
        let learner = learner(plan, &training, from)?;
        let (best, log) = match checkpoint {
            Some(checkpoint) => (checkpoint.best, checkpoint.log),
            None => {
                // JSON has no infinity, so the lowest finite number stands for it.
                let standing = Standing { fitness: f64::MIN, rate: 0.0, step: 0 };
                (Best { weights: learner.weights(), standing }, Vec::new())
            }
        };
        let accelerators = plan.cases[0].site.world.platform.accelerators.len();
        let validation = Validation::new(plan, &training, progress)?;
        let initial = initial.map(|policy| policy.manifest.weights_sha256);
        Ok(Self { training, origin, initial, validation, accelerators, learner, best, log })
    }

    /// The baselines that the policy should beat.
    pub fn baselines(&self) -> &[Baseline] {
        &self.validation.baselines
    }

    /// Whether all steps are done.
    pub fn is_done(&self) -> bool {
        self.learner.done() >= self.training.steps()
    }

    /// Takes one step, and validates the policy if it is due.
    pub fn step(&mut self) -> LogRow {
        let mut row = self.learner.step(&self.validation);
        if row.step.is_multiple_of(self.training.validate_every) || self.is_done() {
            self.validate(&mut row);
        }
        self.log.push(row);
        row
    }

    /// Validates the current policy, and keeps it if it is the best so far.
    fn validate(&mut self, row: &mut LogRow) {
        let (kind, weights) = (self.training.policy(), self.learner.weights());
        let build = |energy| {
            let with = Parameters { energy, without: self.training.without(), ..Parameters::default() };
            (kind.build)(&weights, self.accelerators, &with).expect("the learner's own weights")
        };
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

    /// The log rows of all steps so far.
    pub fn log(&self) -> &[LogRow] {
        &self.log
    }

    /// A checkpoint of the current state.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            origin: self.origin.clone(),
            state: self.learner.state(),
            best: self.best.clone(),
            log: self.log.clone(),
        }
    }

    /// The best policy so far, for the systems of the plan.
    pub fn policy(&self, systems: &[SystemSpec], training: String) -> Policy {
        let (kind, standing) = (self.training.policy(), self.best.standing);
        let manifest = Manifest {
            kind: kind.name.into(),
            features: kind.features.into(),
            system: systems.iter().map(|system| &system.name[..]).collect::<Vec<_>>().join(", "),
            system_sha256: systems_sha256(systems),
            trained_for: if let [system] = systems { trained_for(system) } else { Vec::new() },
            weights_sha256: String::new(),
            initial_sha256: self.initial.clone(),
            without: self.training.without(),
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
