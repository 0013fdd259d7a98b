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
//! The fitness of a run is the share of misses that it avoids: its SLA rate less that of the reference on the same trace,
//! over what the reference misses and `headroom`. In SLA rates alone, overloaded cells would count most, and where nearly
//! all is met a policy could lose what it gains there. The reference is the scheduler of the experiment that is best on the
//! validation seeds.
//!
//! Every generation is logged to log.csv; the weights with the best mean fitness on the validation seeds are kept.

use std::sync::Arc;

use rand::RngExt;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::config::SchedulerChoice;
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
    /// What is added to the misses of the reference.
    pub headroom: f64,
    /// The search.
    pub evolution: Evolution,
}

impl Default for Training {
    /// Chosen here: two traces a core and pair, validation for a tenth of the time, and a headroom of the noise of a trace.
    fn default() -> Self {
        Self {
            traces: 8,
            validation_seeds: 1,
            validation_first_seed: 20_001,
            validate_every: 10,
            headroom: 0.05,
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
            None if !(self.headroom > 0.0 && self.headroom.is_finite()) => {
                Err(format!("`headroom` is {}; it has to be a positive number", self.headroom))
            }
            None => self.evolution.check(),
        }
    }
}

impl Training {
    /// Mean share of the reference's misses that are avoided, by trace.
    fn fitness(&self, rates: &[f64], to_pass: &[f64]) -> f64 {
        let share = |(rate, to_pass): (&f64, &f64)| (rate - to_pass) / (1.0 - to_pass + self.headroom);
        mean(&rates.iter().zip(to_pass).map(share).collect::<Vec<_>>())
    }
}

/// Where a training stands; written as a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// SHA-256 of the experiment file; another training does not go on from here.
    pub experiment_sha256: String,
    /// The search.
    pub state: State,
    /// The weights that were best on the validation seeds.
    pub best: Vec<f32>,
    /// Their mean fitness there.
    pub best_fitness: f64,
    /// Their mean SLA rate there.
    pub best_rate: f64,
    /// The generation that they come from.
    pub best_generation: u64,
    /// One row per generation so far.
    pub log: Vec<LogRow>,
}

impl Checkpoint {
    fn new(experiment_sha256: String, weights: Vec<f32>) -> Self {
        Self {
            experiment_sha256,
            best: weights.clone(),
            // JSON has no infinity.
            best_fitness: f64::MIN,
            best_rate: 0.0,
            best_generation: 0,
            log: Vec::new(),
            state: State::new(weights),
        }
    }

    /// Whether a training with this experiment file can go on from here; the error says why not.
    pub fn check(&self, experiment_sha256: &str) -> Result<(), String> {
        if self.experiment_sha256 != experiment_sha256 {
            return Err("it is of another training: the experiment file has changed".into());
        }
        match self.state.is_for(mascot::WEIGHTS) && self.best.len() == mascot::WEIGHTS {
            true => Ok(()),
            false => Err(format!("it has not the {} weights of this version's policy", mascot::WEIGHTS)),
        }
    }
}

/// What is known after a generation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogRow {
    /// Generations done.
    pub generation: u64,
    /// Mean SLA rate of the candidates on the traces of the generation.
    pub mean_rate: f64,
    /// Their mean fitness there.
    pub mean_fitness: f64,
    /// That of the best of them.
    pub best_candidate_fitness: f64,
    /// Mean SLA rate of the mean on the validation seeds, where it was looked at.
    pub validation_rate: Option<f64>,
    /// Its mean fitness there.
    pub validation_fitness: Option<f64>,
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
    /// What there is to pass.
    pub baselines: Vec<Baseline>,
    reference: &'a SchedulerChoice,
    /// Its SLA rates on the validation traces.
    to_pass: Vec<f64>,
    /// Where it stands.
    pub checkpoint: Checkpoint,
}

impl<'a> Trainer<'a> {
    /// From the beginning, or from a checkpoint of the same training ([`Checkpoint::check`]).
    ///
    /// # Errors
    /// A scheduler cannot be built for the system.
    pub fn new(
        plan: &'a Plan,
        training: Training,
        experiment_sha256: String,
        checkpoint: Option<Checkpoint>,
        progress: &dyn Progress,
    ) -> Result<Self, Error> {
        let seeds = || (0..training.validation_seeds).map(|i| training.validation_first_seed + i);
        let drawn = plan.cases.iter().flat_map(|case| seeds().map(move |seed| (case, seed)));
        let validation: Vec<(&Case, u64)> = drawn.collect();
        let validation: Vec<_> =
            validation.into_par_iter().map(|(case, seed)| (case, draw(case, seed))).collect();
        let schedulers = &plan.experiment.schedulers;
        progress.begin("baselines", schedulers.len());
        let mut rates = Vec::new();
        for choice in schedulers {
            let build = || build(plan, choice);
            build().map_err(Error::Usage)?;
            rates.push(rates_of(&validation, &|| build().expect("it was built before")));
            progress.advance(rates.len());
        }
        let best = (0..rates.len()).max_by(|&a, &b| mean(&rates[a]).total_cmp(&mean(&rates[b])));
        let best = best.expect("an experiment names a scheduler");
        let start = || Checkpoint::new(experiment_sha256, mascot::untrained(training.evolution.seed));
        let named = schedulers.iter().zip(&rates);
        Ok(Self {
            plan,
            training,
            validation,
            baselines: named.map(|(choice, rates)| (choice.label.clone(), mean(rates))).collect(),
            reference: &schedulers[best],
            to_pass: rates.swap_remove(best),
            checkpoint: checkpoint.unwrap_or_else(start),
        })
    }

    /// The best policy so far, for the only system of the plan.
    pub fn policy(&self, system: &SystemSpec, training: String) -> Policy {
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
            baselines: self.baselines.iter().cloned().collect(),
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
        let reference = || build(self.plan, self.reference).expect("it was built before");
        let to_pass = rates_of(&traces, &reference);
        let plays: Vec<(usize, usize)> =
            (0..candidates.len()).flat_map(|i| (0..traces.len()).map(move |j| (i, j))).collect();
        let outcomes: Vec<Met> = plays
            .into_par_iter()
            .map(|(i, j)| play(traces[j].0, &traces[j].1, &mut Mascot::new(&candidates[i])))
            .collect();
        let rates: Vec<f64> = outcomes.iter().map(Met::rate).collect();
        let fitness: Vec<f64> =
            rates.chunks(to_pass.len()).map(|rates| self.training.fitness(rates, &to_pass)).collect();
        self.checkpoint.state.advance(&evolution, &fitness);
        let generation = self.checkpoint.state.generation;
        let mut row = LogRow {
            generation,
            mean_rate: mean(&rates),
            mean_fitness: mean(&fitness),
            best_candidate_fitness: fitness.iter().copied().fold(f64::MIN, f64::max),
            validation_rate: None,
            validation_fitness: None,
            decisions: outcomes.iter().map(|met| met.decisions).sum(),
        };
        if generation.is_multiple_of(validate_every) || generation == evolution.generations {
            self.validate(&mut row);
        }
        self.checkpoint.log.push(row);
        row
    }

    /// Looks at the mean of the search, and keeps it if it is the best so far.
    fn validate(&mut self, row: &mut LogRow) {
        let weights = &self.checkpoint.state.mean;
        let rates = rates_of(&self.validation, &|| Box::new(Mascot::new(weights)));
        let (rate, fitness) = (mean(&rates), self.training.fitness(&rates, &self.to_pass));
        (row.validation_rate, row.validation_fitness) = (Some(rate), Some(fitness));
        if fitness > self.checkpoint.best_fitness {
            self.checkpoint.best = weights.clone();
            self.checkpoint.best_generation = row.generation;
            (self.checkpoint.best_rate, self.checkpoint.best_fitness) = (rate, fitness);
        }
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

/// A scheduler of the plan, which has one system.
fn build(plan: &Plan, choice: &SchedulerChoice) -> Result<Box<dyn Scheduler>, String> {
    registry::build(choice, plan.policies.of(choice, &plan.cases[0].system), 1)
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

/// The SLA rate on every trace.
fn rates_of(traces: &[(&Case, Arc<Trace>)], build: &(dyn Fn() -> Box<dyn Scheduler> + Sync)) -> Vec<f64> {
    traces.par_iter().map(|(case, trace)| play(case, trace, build().as_mut()).rate()).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fitness_is_the_share_of_misses_that_are_avoided() {
        // Of 0.2 and 0.05 headroom 0.1 is avoided, 0.4; of 0.5 and 0.05, 0.11 is lost, -0.2.
        let fitness = Training::default().fitness(&[0.9, 0.39], &[0.8, 0.5]);
        assert!((fitness - 0.1).abs() < 1e-12, "{fitness}");
    }
}
