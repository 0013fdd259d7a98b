//! The validation of a training: the same traces for every policy, and the baselines on them.

use std::sync::Arc;

use rayon::prelude::*;

use super::env::Setup;
use super::traces::setup;
use crate::experiment::{Error, Progress, SchedulerChoice, Training};
use crate::plan::{Case, Plan};
use crate::sim::{Engine, Origin, Record, Recorder, Scheduler, run};

/// Mean SLA rate of a scheduler of the experiment on the validation seeds.
pub type Baseline = (String, f64);

/// The validation traces and the baselines on them.
pub(super) struct Validation<'a> {
    plan: &'a Plan,
    headroom: f64,
    traces: Vec<Setup>,
    pub(super) baselines: Vec<Baseline>,
    reference: &'a SchedulerChoice,
    /// The SLA rates of the reference on the traces.
    to_pass: Vec<f64>,
}

/// The score of a policy: means over the traces.
#[derive(Clone, Copy, Debug)]
pub(super) struct Score {
    pub(super) rate: f64,
    pub(super) fitness: f64,
}

impl<'a> Validation<'a> {
    pub(super) fn new(plan: &'a Plan, training: &Training, progress: &dyn Progress) -> Result<Self, Error> {
        let seeds = || (0..training.validation_seeds).map(|i| training.validation_first_seed + i);
        let drawn = plan.cases.iter().flat_map(|case| seeds().map(move |seed| (case, seed)));
        let drawn: Vec<(&Case, u64)> = drawn.collect();
        let traces: Vec<_> = drawn.into_par_iter().map(|(case, seed)| setup(case, seed)).collect();
        let schedulers = &plan.experiment.schedulers;
        progress.begin("baselines", schedulers.len());
        let mut rates = Vec::new();
        for choice in schedulers {
            let build = || build(plan, choice);
            build().map_err(Error::Usage)?;
            rates.push(rates_of(&traces, &|| build().expect("it was built before")));
            progress.advance(rates.len());
        }
        let best = (0..rates.len()).max_by(|&a, &b| mean(&rates[a]).total_cmp(&mean(&rates[b])));
        let best = best.expect("an experiment names a scheduler");
        let named = schedulers.iter().zip(&rates);
        Ok(Self {
            plan,
            headroom: training.headroom,
            traces,
            baselines: named.map(|(choice, rates)| (choice.label.clone(), mean(rates))).collect(),
            reference: &schedulers[best],
            to_pass: rates.swap_remove(best),
        })
    }

    /// Runs a policy on the traces and returns its score.
    pub(super) fn score(&self, build: &(dyn Fn() -> Box<dyn Scheduler> + Sync)) -> Score {
        let rates = rates_of(&self.traces, build);
        Score { rate: mean(&rates), fitness: self.fitness(&rates, &self.to_pass) }
    }

    /// The SLA rates of the reference on other traces.
    pub(super) fn to_pass_on(&self, traces: &[Setup]) -> Vec<f64> {
        rates_of(traces, &|| build(self.plan, self.reference).expect("it was built before"))
    }

    /// The mean over traces of the share of the reference's misses that are avoided.
    pub(super) fn fitness(&self, rates: &[f64], to_pass: &[f64]) -> f64 {
        fitness(self.headroom, rates, to_pass)
    }
}

fn fitness(headroom: f64, rates: &[f64], to_pass: &[f64]) -> f64 {
    let share = |(rate, to_pass): (&f64, &f64)| (rate - to_pass) / (1.0 - to_pass + headroom);
    mean(&rates.iter().zip(to_pass).map(share).collect::<Vec<_>>())
}

/// A scheduler of the plan. Policies are those of its first system: of several systems, only such are trained as serve
/// every one.
fn build(plan: &Plan, choice: &SchedulerChoice) -> Result<Box<dyn Scheduler>, String> {
    choice.build(plan.policies.of(choice, &plan.cases[0].system), 1)
}

pub(super) fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

/// The SLA rate on every trace.
fn rates_of(traces: &[Setup], build: &(dyn Fn() -> Box<dyn Scheduler> + Sync)) -> Vec<f64> {
    traces.par_iter().map(|setup| play(setup, build().as_mut()).rate()).collect()
}

/// Runs a scheduler on a trace and returns what counts of the run.
pub(super) fn play(setup: &Setup, scheduler: &mut dyn Scheduler) -> Met {
    let engine = Engine::new(Arc::clone(&setup.world), Arc::clone(&setup.trace), setup.rules.clone());
    let mut met = Met::default();
    // If a policy leaves requests waiting for ever, those that it met before still count.
    let _ = run(engine, scheduler, &mut met);
    met
}

/// The outcome of a run that validation needs.
#[derive(Default)]
pub(super) struct Met {
    requests: u64,
    met: u64,
    pub(super) decisions: u64,
}

impl Met {
    pub(super) fn rate(&self) -> f64 {
        self.met as f64 / self.requests.max(1) as f64
    }
}

impl Recorder for Met {
    fn record(&mut self, record: &Record, origin: Origin) {
        match *record {
            Record::Arrival { .. } => self.requests += u64::from(origin.measured),
            Record::Done { time, asked, .. } => {
                self.met += u64::from(origin.measured && asked.is_met_at(time));
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
        // 0.1 of 0.2 misses and 0.05 headroom is avoided: 0.4. 0.11 of 0.5 and 0.05 is lost: -0.2.
        let fitness = fitness(0.05, &[0.9, 0.39], &[0.8, 0.5]);
        assert!((fitness - 0.1).abs() < 1e-12, "{fitness}");
    }
}
