//! The validation of a training: the same traces for every policy, and the baselines on them.

use std::sync::Arc;

use rayon::prelude::*;

use super::env::Setup;
use super::traces::{draw_price, setup};
use crate::experiment::{Error, Progress, SchedulerChoice, Training};
use crate::files::Price;
use crate::plan::{Case, Plan};
use crate::rng::stream;
use crate::sim::{Engine, Origin, Record, Recorder, Scheduler, run};

/// Mean SLA rate of a scheduler of the experiment on the validation seeds.
pub type Baseline = (String, f64);

/// The validation traces and the baselines on them.
pub(super) struct Validation<'a> {
    plan: &'a Plan,
    headroom: f64,
    /// What a deadline met is worth.
    sla: f64,
    traces: Vec<Setup>,
    pub(super) baselines: Vec<Baseline>,
    reference: &'a SchedulerChoice,
    /// What the reference achieves on the traces.
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
        let objective = training.objective();
        let mut random = stream(training.validation_first_seed, "validation", "prices");
        let drawn: Vec<(&Case, u64, Price)> =
            drawn.map(|(case, seed)| (case, seed, draw_price(objective.prices(), &mut random))).collect();
        let traces: Vec<_> =
            drawn.into_par_iter().map(|(case, seed, price)| setup(case, seed, price)).collect();
        let schedulers = &plan.experiment.schedulers;
        progress.begin("baselines", schedulers.len());
        let mut runs: Vec<Vec<Run>> = Vec::new();
        for choice in schedulers {
            let build = || build(plan, choice);
            build().map_err(Error::Usage)?;
            let built = |_| build().expect("it was built before");
            runs.push(runs_of(&traces, objective.sla, &built));
            progress.advance(runs.len());
        }
        let value = |i: usize| mean(&runs[i].iter().map(|run| run.value).collect::<Vec<_>>());
        let best = (0..runs.len()).max_by(|&a, &b| value(a).total_cmp(&value(b)));
        let best = best.expect("an experiment names a scheduler");
        let named = schedulers.iter().zip(&runs);
        Ok(Self {
            plan,
            headroom: training.headroom,
            sla: objective.sla,
            traces,
            baselines: named.map(|(choice, runs)| (choice.label.clone(), mean_rate(runs))).collect(),
            reference: &schedulers[best],
            to_pass: runs[best].iter().map(|run| run.value).collect(),
        })
    }

    /// Runs a policy, which may know the price of energy, on the traces and returns its score.
    pub(super) fn score(&self, build: &Builds) -> Score {
        let runs = runs_of(&self.traces, self.sla, build);
        let values: Vec<f64> = runs.iter().map(|run| run.value).collect();
        Score { rate: mean_rate(&runs), fitness: self.fitness(&values, &self.to_pass) }
    }

    /// The SLA rates of the reference on other traces.
    pub(super) fn to_pass_on(&self, traces: &[Setup]) -> Vec<f64> {
        let build = |_| build(self.plan, self.reference).expect("it was built before");
        runs_of(traces, self.sla, &build).iter().map(|run| run.rate).collect()
    }

    /// The mean over traces of the share of the reference's misses that are avoided; with a price of energy, of what the
    /// reference is short of meeting everything without energy.
    pub(super) fn fitness(&self, values: &[f64], to_pass: &[f64]) -> f64 {
        fitness(self.headroom, values, to_pass)
    }
}

fn fitness(headroom: f64, values: &[f64], to_pass: &[f64]) -> f64 {
    let share = |(value, to_pass): (&f64, &f64)| (value - to_pass) / (1.0 - to_pass + headroom);
    mean(&values.iter().zip(to_pass).map(share).collect::<Vec<_>>())
}

/// A scheduler of the plan. Policies are those of its first system: of several systems, only such are trained as serve
/// every one.
fn build(plan: &Plan, choice: &SchedulerChoice) -> Result<Box<dyn Scheduler>, String> {
    choice.build(plan.policies.of(choice, &plan.cases[0].system), 1)
}

pub(super) fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

/// Makes a scheduler for a price of energy.
pub(super) type Builds<'a> = dyn Fn(Price) -> Box<dyn Scheduler> + Sync + 'a;

/// A run on a trace.
struct Run {
    rate: f64,
    /// The objective: the SLA rate, less what energy costs.
    value: f64,
}

fn mean_rate(runs: &[Run]) -> f64 {
    mean(&runs.iter().map(|run| run.rate).collect::<Vec<_>>())
}

/// The runs on every trace.
fn runs_of(traces: &[Setup], sla: f64, build: &Builds) -> Vec<Run> {
    let run = |setup: &Setup| {
        let met = play(setup, build(Price(setup.price)).as_mut());
        let energy = met.energy_pj / setup.world.least_energy_pj() / met.requests.max(1) as f64;
        Run { rate: met.rate(), value: sla * met.rate() - setup.price * energy }
    };
    traces.par_iter().map(run).collect()
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
    /// The dynamic energy of the layers of measured requests.
    energy_pj: f64,
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
            Record::Finish { energy, .. } if origin.measured => self.energy_pj += energy.0,
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
