//! Training a policy on the cells of an experiment: its cases and seeds are drawn from, its schedulers are the ones to
//! pass.
//!
//! ```toml
//! # An experiment, and
//! [training]
//! traces = 8                # of a generation, drawn over all cases; the same for all candidates
//! validation_seeds = 2      # of every case, from `validation_first_seed` on
//! [training.evolution]      # rl::evolve
//! generations = 300
//! ```
//! Every generation is logged to log.csv; the weights with the best mean SLA rate on the validation seeds are kept.

use std::sync::Arc;

use rand::RngExt;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::plan::{Case, Plan};
use super::requests::requests;
use super::sweep::rules;
use super::{Error, Progress, registry};
use crate::hw::SystemSpec;
use crate::rl::evolve::{Evolution, State};
use crate::rl::mascot::{self, Mascot};
use crate::rl::policy::{Manifest, Policy, system_sha256};
use crate::rng;
use crate::sim::{Engine, Record, Recorder, Scheduler, Trace, run};

/// How to train, as an experiment says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Training {
    /// Traces of a generation.
    pub traces: usize,
    /// Seeds of every case that validate.
    pub validation_seeds: u64,
    /// The first of them.
    pub validation_first_seed: u64,
    /// Generations between validations.
    pub validate_every: u64,
    /// The search.
    pub evolution: Evolution,
}

impl Default for Training {
    /// Chosen here: two traces a core and pair, and validation for a tenth of the time.
    fn default() -> Self {
        Self {
            traces: 8,
            validation_seeds: 1,
            validation_first_seed: 20_001,
            validate_every: 10,
            evolution: Evolution::default(),
        }
    }
}

impl Training {
    /// The error names the key and what is allowed.
    pub fn check(&self) -> Result<(), String> {
        let least = [
            ("traces", self.traces as u64),
            ("validation_seeds", self.validation_seeds),
            ("validate_every", self.validate_every),
        ];
        match least.into_iter().find(|(_, value)| *value == 0) {
            Some((key, _)) => Err(format!("`{key}` is 0; it has to be at least 1")),
            None => self.evolution.check(),
        }
    }
}

/// Where a training stands; written as a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// SHA-256 of the experiment file; another training does not go on from here.
    #[serde(default)]
    pub experiment_sha256: String,
    /// The search.
    pub state: State,
    /// The weights that were best on the validation seeds.
    pub best: Vec<f32>,
    /// Their mean SLA rate there.
    pub best_rate: f64,
    /// The generation that they come from.
    #[serde(default)]
    pub best_generation: u64,
    /// One row per generation so far.
    pub log: Vec<LogRow>,
}

/// What is known after a generation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogRow {
    /// Generations done.
    pub generation: u64,
    /// Mean SLA rate of the candidates on the traces of the generation.
    pub mean_rate: f64,
    /// That of the best of them.
    pub best_candidate_rate: f64,
    /// Mean SLA rate of the mean on the validation seeds, where it was looked at.
    pub validation_rate: Option<f64>,
    /// Decisions of the generation.
    pub decisions: u64,
}

/// Mean SLA rate of a scheduler of the experiment on the validation seeds.
pub type Baseline = (String, f64);

/// A training in progress.
pub struct Trainer<'a> {
    plan: &'a Plan,
    training: Training,
    validation: Vec<(&'a Case, Arc<Trace>)>,
    /// Where it stands.
    pub checkpoint: Checkpoint,
}

impl<'a> Trainer<'a> {
    /// From the beginning, or from a checkpoint.
    ///
    /// # Errors
    /// The checkpoint is of another training.
    pub fn new(
        plan: &'a Plan,
        training: Training,
        experiment_sha256: String,
        checkpoint: Option<Checkpoint>,
    ) -> Result<Self, String> {
        if checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.experiment_sha256 != experiment_sha256) {
            return Err("the checkpoint is of another training: the experiment file has changed".into());
        }
        let seeds = || (0..training.validation_seeds).map(|i| training.validation_first_seed + i);
        let drawn = plan.cases.iter().flat_map(|case| seeds().map(move |seed| (case, seed)));
        let validation: Vec<(&Case, u64)> = drawn.collect();
        let validation = validation.into_par_iter().map(|(case, seed)| (case, draw(case, seed))).collect();
        let weights = mascot::untrained(training.evolution.seed);
        let start = || Checkpoint {
            experiment_sha256,
            best_generation: 0,
            best: weights.clone(),
            best_rate: f64::NEG_INFINITY,
            log: Vec::new(),
            state: State::new(weights.clone()),
        };
        Ok(Self { plan, training, validation, checkpoint: checkpoint.unwrap_or_else(start) })
    }

    /// What there is to pass.
    pub fn baselines(&self, progress: &dyn Progress) -> Result<Vec<Baseline>, Error> {
        let schedulers = &self.plan.experiment.schedulers;
        progress.begin("baselines", schedulers.len());
        let rate = |(i, choice): (usize, _)| {
            let policy = self.plan.policies.of(choice, &self.plan.cases[0].system);
            let build = || registry::build(choice, policy, 1).map_err(Error::Usage);
            build()?;
            let rate = self.validate(&|| build().expect("it was built before"));
            progress.advance(i + 1);
            Ok((choice.label.clone(), rate))
        };
        schedulers.iter().enumerate().map(rate).collect()
    }

    /// Mean SLA rate on the validation seeds.
    fn validate(&self, build: &(dyn Fn() -> Box<dyn Scheduler> + Sync)) -> f64 {
        let outcomes: Vec<Met> =
            self.validation.par_iter().map(|(case, trace)| play(case, trace, build().as_mut())).collect();
        outcomes.iter().map(Met::rate).sum::<f64>() / outcomes.len() as f64
    }

    /// The best policy so far, for the only system of the plan.
    pub fn policy(&self, system: &SystemSpec, baselines: &[Baseline], training: String) -> Policy {
        let Checkpoint { best, best_rate, best_generation, .. } = &self.checkpoint;
        let manifest = Manifest {
            kind: "mascot".into(),
            features: mascot::FEATURES.into(),
            system: system.name.clone(),
            system_sha256: system_sha256(system),
            weights_sha256: String::new(),
            version: env!("CARGO_PKG_VERSION").into(),
            generations: *best_generation,
            validation_sla_rate: *best_rate,
            baselines: baselines.iter().cloned().collect(),
            training,
        };
        Policy::new(manifest, best.clone())
    }

    /// Whether all generations are done.
    pub fn is_done(&self) -> bool {
        self.checkpoint.state.generation >= self.training.evolution.generations
    }

    /// One generation.
    pub fn step(&mut self) -> LogRow {
        let Training { evolution, traces, validate_every, .. } = self.training;
        let state = &self.checkpoint.state;
        let traces = self.draw_traces(state.generation, traces);
        let candidates: Vec<Vec<f32>> =
            (0..evolution.population).into_par_iter().map(|i| state.candidate(&evolution, i)).collect();
        let plays: Vec<(usize, usize)> =
            (0..candidates.len()).flat_map(|i| (0..traces.len()).map(move |j| (i, j))).collect();
        let outcomes: Vec<Met> = plays
            .into_par_iter()
            .map(|(i, j)| play(traces[j].0, &traces[j].1, &mut Mascot::new(&candidates[i])))
            .collect();
        let rate = |of: &[Met]| of.iter().map(Met::rate).sum::<f64>() / of.len() as f64;
        let fitness: Vec<f64> = outcomes.chunks(traces.len()).map(rate).collect();
        self.checkpoint.state.advance(&evolution, &fitness);
        let generation = self.checkpoint.state.generation;
        let mut row = LogRow {
            generation,
            mean_rate: rate(&outcomes),
            best_candidate_rate: fitness.iter().copied().fold(0.0, f64::max),
            validation_rate: None,
            decisions: outcomes.iter().map(|met| met.decisions).sum(),
        };
        if generation.is_multiple_of(validate_every) || generation == evolution.generations {
            let mean = &self.checkpoint.state.mean;
            let rate = self.validate(&|| Box::new(Mascot::new(mean)));
            row.validation_rate = Some(rate);
            if rate > self.checkpoint.best_rate {
                self.checkpoint.best = mean.clone();
                self.checkpoint.best_rate = rate;
                self.checkpoint.best_generation = generation;
            }
        }
        self.checkpoint.log.push(row);
        row
    }

    /// Cases in turn, so that a generation sees most of them, each with a seed of its own.
    fn draw_traces(&self, generation: u64, number: usize) -> Vec<(&'a Case, Arc<Trace>)> {
        let experiment = &self.plan.experiment;
        let mut rng = rng::stream(self.training.evolution.seed, "traces", &generation.to_string());
        let cases = &self.plan.cases;
        let drawn: Vec<(&Case, u64)> = (0..number)
            .map(|i| {
                // One of each stretch of the list, which is in the order of the keys.
                let place = (i as f64 + rng.random::<f64>()) / number as f64 * cases.len() as f64;
                let seed = experiment.first_seed + rng.random_range(0..experiment.seeds);
                (&cases[(place as usize).min(cases.len() - 1)], seed)
            })
            .collect();
        drawn.into_par_iter().map(|(case, seed)| (case, draw(case, seed))).collect()
    }
}

fn draw(case: &Case, seed: u64) -> Arc<Trace> {
    Arc::new(requests(case, &case.window, seed).trace)
}

fn play(case: &Case, trace: &Arc<Trace>, scheduler: &mut dyn Scheduler) -> Met {
    let engine = Engine::new(Arc::clone(&case.site.world), Arc::clone(trace), rules(case));
    let mut met = Met::default();
    // A policy that leaves requests waiting for ever has met what it has met.
    let _ = run(engine, scheduler, &mut met);
    met
}

/// All that counts of a run here.
#[derive(Default)]
struct Met {
    requests: u64,
    met: u64,
    decisions: u64,
}

impl Met {
    fn rate(&self) -> f64 {
        self.met as f64 / self.requests.max(1) as f64
    }
}

impl Recorder for Met {
    fn record(&mut self, record: &Record) {
        match *record {
            Record::Arrival { origin, .. } => self.requests += u64::from(origin.counted),
            Record::Done { time, origin, deadline, .. } => {
                self.met += u64::from(origin.counted && time <= deadline);
            }
            Record::Decision { .. } => self.decisions += 1,
            _ => {}
        }
    }
}
