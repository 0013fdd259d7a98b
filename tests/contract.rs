//! What every registered scheduler promises, on the systems and mixes of the paper: it is deterministic, it knows nothing
//! of the future, and the work of a decision is bounded by what is in flight. That it is legal and ends is in `presets.rs`,
//! over every scenario.

use std::path::Path;
use std::sync::Arc;

use mascot::cost::Cache;
use mascot::experiment::plan::Case;
use mascot::experiment::sweep::{rules, trace};
use mascot::experiment::{DataRoot, Experiment, Plan, Silent};
use mascot::scheduler::{SCHEDULERS, SchedulerEntry};
use mascot::sim::{Decision, Engine, Record, Scheduler, Trace, View, run};
use mascot::units::Time;

const REQUESTS: usize = 40;

fn cases() -> Vec<Case> {
    let data = DataRoot::find(None).expect("the data is in the source tree");
    let keys = "systems = ['relmas-4', 'relmas-6', 'relmas-8']\nloads = [1.2]\nlate = ['abort', 'finish']";
    let keys: Vec<_> = keys.parse::<toml::Table>().expect("valid TOML").into_iter().collect();
    let experiment = Experiment::read(Path::new("experiments/quickstart.toml"), &keys, &data);
    let plan = Plan::prepare(experiment.expect("valid keys"), &data, &Cache::from_env(), &Silent);
    plan.expect("the shipped data is complete").cases
}

/// A scheduler whose decisions are weighed.
struct Weighed {
    scheduler: Box<dyn Scheduler>,
    allowed: fn(&View) -> f64,
    /// Largest share of what a decision may take.
    most: f64,
}

impl Scheduler for Weighed {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        self.scheduler.decide(view, out);
        let taken = (out.operations.comparisons + out.operations.macs) as f64;
        self.most = self.most.max(taken / (self.allowed)(view));
    }

    fn observe(&mut self, record: &Record) {
        self.scheduler.observe(record);
    }
}

/// A rule: a few comparisons per pair of open sub-jobs and accelerator.
fn rule(view: &View) -> f64 {
    let open = view.sub_jobs().len().max(view.jobs().len()) as f64 + 1.0;
    4.0 * open * open * view.accelerators().len() as f64
}

/// Twenty roll-outs: each has a decision every period until the last deadline, and three records a layer, which are
/// charged like 60 comparisons.
fn roll_outs(view: &View) -> f64 {
    let layers: f64 = view.jobs().iter().map(|job| f64::from(job.layers_left) + 2.0).sum();
    let last =
        view.jobs().iter().map(|job| job.deadline.saturating_sub(view.now())).max().unwrap_or_default();
    let decisions = last.as_us() / 100.0 + 2.0;
    20.0 * (rule(view) * decisions + 60.0 * (3.0 * layers + 2.0 * decisions))
}

fn records(case: &Case, trace: &Arc<Trace>, entry: &SchedulerEntry) -> (Vec<Record>, f64) {
    let build = (entry.build)(&toml::Table::new(), 1).expect("no parameter is mandatory");
    let allowed = if ["magma", "lookahead"].contains(&entry.name) { roll_outs } else { rule };
    let mut scheduler = Weighed { scheduler: build, allowed, most: 0.0 };
    let engine = Engine::new(Arc::clone(&case.site.world), Arc::clone(trace), rules(case));
    let mut records = Vec::new();
    run(engine, &mut scheduler, &mut records).unwrap_or_else(|error| panic!("{}: {error}", entry.name));
    (records, scheduler.most)
}

#[test]
fn every_scheduler_is_deterministic_and_bounded() {
    for case in cases() {
        let trace = Arc::new(trace(&case, REQUESTS, 1));
        for entry in SCHEDULERS {
            let (first, most) = records(&case, &trace, entry);
            assert_eq!(first, records(&case, &trace, entry).0, "{}", entry.name);
            assert!(most > 0.0 && most < 1.0, "{} takes {most} of what it may", entry.name);
        }
    }
}

/// What happens before an arrival does not depend on what arrives then and later.
#[test]
fn no_scheduler_is_clairvoyant() {
    for case in cases().iter().step_by(2) {
        let trace = trace(case, REQUESTS, 1);
        let change = trace.requests.len() / 2;
        let from = trace.requests[change].arrival;
        let mut other = trace.clone();
        for request in &mut other.requests[change..] {
            request.arrival += Time::from_us(500.0);
            request.deadline += Time::from_us(900.0);
            request.priority += 1;
            request.network = (request.network + 1) % case.site.world.networks.len() as u32;
        }
        let (trace, other) = (Arc::new(trace), Arc::new(other));
        for entry in SCHEDULERS {
            let before = |trace| {
                let mut records = records(case, trace, entry).0;
                records.retain(|record| record.time() < from);
                records
            };
            let (one, two) = (before(&trace), before(&other));
            assert!(one.len() > 10 * change, "{} has {} records", entry.name, one.len());
            assert_eq!(one, two, "{} knows the future", entry.name);
        }
    }
}
