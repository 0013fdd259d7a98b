//! Random runs with every invariant checked: the case of a seed ([`super::cases`]) under a random scheduler, followed
//! by an audit ([`super::audit`]), with all metrics on and compared with what the audit counted.
//!
//! A seed means the same run on every machine and for any number of threads, as long as neither the generator nor the
//! registry of schedulers changes.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rand::RngExt;
use rayon::prelude::*;

use super::audit::{self, Audit, Totals};
use super::cases::{Case, Chaos, Size};
use crate::experiment::{Error, Progress, reason};
use crate::metrics::{
    ACCELERATOR_COLUMNS, Accelerators, Context, EnergyLog, GroupBy, Groups, Metrics, RequestLog, RequestRow,
    layer_energy_by_tenant,
};
use crate::rng;
use crate::scheduler::{SCHEDULERS, SchedulerEntry};
use crate::sim::{Origin, Record, Recorder, Scheduler, Trace, World};

/// The results of a range of seeds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Runs that passed, by scheduler.
    pub passed: BTreeMap<&'static str, Passed>,
    /// Runs that failed, by ascending seed.
    pub failures: Vec<Failure>,
}

/// Sums over runs that passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// The number of runs.
    pub runs: u64,
    /// Requests that arrived.
    pub requests: u64,
    /// Requests that met their deadline.
    pub met: u64,
    /// Requests that were dropped.
    pub dropped: u64,
    /// Layer runs that ended.
    pub layers: u64,
    /// Decisions.
    pub decisions: u64,
    /// Actions that events had overtaken.
    pub skipped: u64,
}

/// A run that violated an invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The seed of the run.
    pub seed: u64,
    /// The system, networks, requests, rules and scheduler in one line.
    pub run: String,
    /// The violated invariant, with numbers.
    pub what: String,
    /// The command that makes such runs.
    pub command: &'static str,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { seed, run, what, command } = self;
        write!(f, "seed {seed}: {what}\n  the run: {run}\n")?;
        write!(f, "  reproduce it with: {command} --first-seed {seed} --seeds 1")
    }
}

/// The number of seeds whose outcomes are kept before they are added up. Our choice, because this many keep the cores
/// busy.
const CHUNK: usize = 4096;

/// The number of failures that are printed in full. Our choice, because more add nothing new.
const SHOWN: usize = 10;

impl Report {
    /// Checks that all seeds passed.
    ///
    /// # Errors
    /// The first failures, each with the command that reproduces it.
    pub fn verdict(&self) -> Result<(), Error> {
        verdict(self.passed.values().map(|passed| passed.runs).sum(), &self.failures)
    }
}

/// Checks that nothing failed.
pub(super) fn verdict(passed: u64, failures: &[Failure]) -> Result<(), Error> {
    let failed = failures.len();
    if failed == 0 {
        return Ok(());
    }
    let shown: Vec<String> = failures.iter().take(SHOWN).map(ToString::to_string).collect();
    Err(Error::Fuzz(format!(
        "{failed} of {} seeds violate an invariant; please report the first\n{}",
        failed as u64 + passed,
        shown.join("\n")
    )))
}

/// Runs all seeds on the current rayon pool, and gives their outcomes to `take` in the order of the seeds.
pub(super) fn each<T: Send>(
    seeds: Range<u64>,
    progress: &dyn Progress,
    run: impl Fn(u64) -> T + Sync,
    mut take: impl FnMut(T),
) {
    progress.begin("running seeds", (seeds.end - seeds.start) as usize);
    let done = AtomicUsize::new(0);
    let one = |seed| {
        let outcome = run(seed);
        progress.advance(done.fetch_add(1, Ordering::Relaxed) + 1);
        outcome
    };
    for first in seeds.clone().step_by(CHUNK) {
        let chunk = first..seeds.end.min(first + CHUNK as u64);
        let outcomes: Vec<_> = chunk.into_par_iter().map(one).collect();
        outcomes.into_iter().for_each(&mut take);
    }
}

impl Passed {
    fn add(&mut self, totals: &Totals) {
        self.runs += 1;
        self.requests += totals.arrived;
        self.met += totals.met;
        self.dropped += totals.dropped;
        self.layers += totals.layers;
        self.decisions += totals.decisions;
        self.skipped += totals.skipped;
    }
}

/// Runs all seeds on the current rayon pool.
pub fn fuzz(seeds: Range<u64>, progress: &dyn Progress) -> Report {
    let mut report = Report::default();
    each(seeds, progress, run_seed, |outcome| match outcome {
        Ok((scheduler, totals)) => report.passed.entry(scheduler).or_default().add(&totals),
        Err(failure) => report.failures.push(failure),
    });
    report
}

/// The run of a seed in one line.
pub fn describe(seed: u64) -> String {
    format!("{}, scheduler {}", Case::with_drift(seed, Size::of(seed)), scheduler(seed).0)
}

/// Runs a seed; returns the scheduler and the totals.
fn run_seed(seed: u64) -> Result<(&'static str, Totals), Failure> {
    let case = Case::with_drift(seed, Size::of(seed));
    let (name, mut scheduler) = scheduler(seed);
    let run = AssertUnwindSafe(|| audited(&case, scheduler.as_mut()));
    let outcome = catch_unwind(run).unwrap_or_else(|panic| Err(reason(&*panic)));
    let failure = |what| Failure { seed, run: describe(seed), what, command: "mascot fuzz" };
    outcome.map(|totals| (name, totals)).map_err(failure)
}

/// The scheduler of a seed: in half of the seeds the one of random legal actions, else one of the registry.
fn scheduler(seed: u64) -> (&'static str, Box<dyn Scheduler>) {
    let rng = &mut rng::stream(seed, "fuzz", "scheduler");
    if rng.random_bool(0.5) {
        return ("chaos", Box::new(Chaos::new(seed)));
    }
    let entry = &SCHEDULERS[rng.random_range(0..SCHEDULERS.len())];
    let scheduler = (entry.build)(&switches(entry, |_| rng.random_bool(0.5)), seed);
    (entry.name, scheduler.expect("parameters that are on or off take both"))
}

/// Parameters: those that are on or off at random, the others at their defaults.
fn switches(entry: &SchedulerEntry, mut toss: impl FnMut(&str) -> bool) -> toml::Table {
    let switches = entry.parameters.iter().filter(|parameter| parameter.default.parse::<bool>().is_ok());
    switches.map(|parameter| (parameter.name.to_string(), toss(parameter.name).into())).collect()
}

fn audited(case: &Case, scheduler: &mut dyn Scheduler) -> Result<Totals, String> {
    let world = Arc::new(case.world());
    let mut folds = Folds::new(&world);
    let audit = Audit::new(&world, &case.trace, &case.rules);
    let totals = match audit::run(audit, case.engine(), scheduler, &mut folds) {
        (Ok(()), verdict) => verdict.map_err(|violation| violation.to_string())?,
        (Err(error), Ok(_)) => return Err(error.to_string()),
        (Err(error), Err(violation)) => return Err(format!("{error}; the audit says: {violation}")),
    };
    folds.compare(&totals, &world, &case.trace)?;
    Ok(totals)
}

struct Folds {
    metrics: Metrics,
    groups: Groups,
    accelerators: Accelerators,
    requests: RequestLog,
    energy: EnergyLog,
}

impl Recorder for Folds {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.metrics.record(record, origin);
        self.groups.record(record, origin);
        self.accelerators.record(record, origin);
        self.requests.record(record, origin);
        self.energy.record(record, origin);
    }
}

impl Folds {
    fn new(world: &Arc<World>) -> Self {
        let context = Context::of_run(world);
        Self {
            metrics: Metrics::new(&context),
            groups: Groups::new(world, Vec::new()),
            accelerators: Accelerators::new(&context),
            requests: RequestLog::default(),
            energy: EnergyLog::new(context.clone()),
        }
    }

    fn compare(&self, totals: &Totals, world: &World, trace: &Trace) -> Result<(), String> {
        self.compare_columns(totals, world, trace)?;
        self.compare_parts(totals)?;
        self.compare_requests(totals)
    }

    /// Checks that the columns agree with the audit.
    fn compare_columns(&self, totals: &Totals, world: &World, trace: &Trace) -> Result<(), String> {
        let columns: BTreeMap<&str, f64> = Metrics::columns()
            .map(|column| column.name)
            .zip(self.metrics.values().into_iter().map(|value| value.as_f64()))
            .collect();
        let platform = &world.platform;
        let window_ps = totals.window.as_ps();
        let layers_pj: f64 = totals.layer_energy_by_tenant.iter().map(|energy| energy.0).sum();
        let parts_pj: f64 = self.energy.rows().iter().map(|row| row.energy.0).sum();
        let total_pj = layers_pj + totals.static_energy.0 + totals.policy_energy.0;
        let measured = totals.measured_arrived as f64;
        for (column, expected) in [
            ("requests", measured),
            ("met", totals.measured_met as f64),
            ("finished", totals.measured_done as f64),
            ("dropped", totals.measured_dropped as f64),
            ("decisions", totals.window_decisions as f64),
            ("skipped_actions", totals.window_skipped as f64),
            ("energy_layers_uj", layers_pj / 1e6),
            ("energy_static_uj", totals.static_energy.0 / 1e6),
            ("energy_policy_uj", totals.policy_energy.0 / 1e6),
            ("energy_per_request_uj", total_pj / 1e6 / measured),
            ("accel_utilization", totals.busy.as_ps() / window_ps / platform.accelerators.len() as f64),
            ("dram_utilization", totals.dram_bytes / window_ps / platform.bandwidth_bytes_per_ps),
        ] {
            same(column, columns[column], expected)?;
        }
        same("energy in pJ, summed by part,", parts_pj, total_pj)?;
        if !trace.has_end() {
            same("finished + dropped", columns["finished"] + columns["dropped"], measured)?;
        }
        Ok(())
    }

    /// Checks that the groups of every kind and the accelerators add up to the counts of the audit.
    fn compare_parts(&self, totals: &Totals) -> Result<(), String> {
        let groups = self.groups.rows();
        for (column, expected) in [
            ("requests", totals.measured_arrived),
            ("met", totals.measured_met),
            ("finished", totals.measured_done),
            ("dropped", totals.measured_dropped),
        ] {
            let place = Groups::columns().iter().position(|known| known.name == column).expect("it is one");
            for by in GroupBy::ALL {
                let own = groups.iter().filter(|row| row.by == by);
                let sum: f64 = own.map(|row| row.values[place].as_f64()).sum();
                same(&format!("{column}, summed by {},", by.name()), sum, expected as f64)?;
            }
        }
        // The first column of an accelerator is its utilization.
        let lanes = self.accelerators.lanes().iter();
        let utilization: f64 = lanes.map(|lane| (ACCELERATOR_COLUMNS[0].value)(lane).as_f64()).sum();
        same("utilization, summed,", utilization, totals.busy.as_ps() / totals.window.as_ps())
    }

    /// Checks that sums over tenants are the totals, and that every request is met, missed or in flight.
    fn compare_requests(&self, totals: &Totals) -> Result<(), String> {
        for (tenant, energy) in layer_energy_by_tenant(self.requests.rows()).into_iter().enumerate() {
            let expected = totals.layer_energy_by_tenant[tenant].0;
            same(&format!("layer energy of tenant {tenant} in pJ"), energy.0, expected)?;
        }
        let rows = self.requests.rows();
        let count = |is: fn(&RequestRow) -> bool| rows.iter().filter(|row| is(row)).count() as u64;
        let in_flight = count(|row| row.finish.is_none() && row.dropped.is_none());
        let expected = (totals.arrived, totals.met, totals.arrived - totals.met - in_flight, in_flight);
        let missed = count(|row| row.dropped.is_some() || row.finish.is_some() && !row.is_met());
        let actual = (rows.len() as u64, count(|row| row.is_met()), missed, in_flight);
        if actual != expected {
            return Err(format!("(arrived, met, missed, in flight) are {actual:?}, not {expected:?}"));
        }
        Ok(())
    }
}

/// Checks that two values are equal up to rounding, or both NaN.
fn same(what: &str, actual: f64, expected: f64) -> Result<(), String> {
    let close = (actual - expected).abs() <= 1e-9 * expected.abs() || actual.is_nan() && expected.is_nan();
    close.then_some(()).ok_or_else(|| format!("metrics say {what} is {actual}, the audit {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{Decision, View};

    /// A scheduler that assigns to an accelerator that does not exist.
    struct Wrong;

    impl Scheduler for Wrong {
        fn decide(&mut self, view: &View, out: &mut Decision) {
            out.assign(view.sub_jobs()[0].id, 99, 0.0);
        }
    }

    /// The audit checks that nothing is assigned to a lost accelerator and nothing waits for one.
    #[test]
    fn every_scheduler_copes_with_lost_accelerators() {
        for entry in SCHEDULERS {
            let cases = (0..).map(|seed| Case::with_drift(seed, Size { accelerators: 4, ..Size::of(seed) }));
            let loses = |case: &Case| case.rules.drift.iter().any(|change| change.loss.is_some());
            for case in cases.filter(loses).take(10) {
                let mut scheduler = (entry.build)(&toml::Table::new(), case.seed).expect("all have defaults");
                audited(&case, scheduler.as_mut())
                    .unwrap_or_else(|what| panic!("{}, seed {}: {what}\n{case}", entry.name, case.seed));
            }
        }
    }

    #[test]
    fn a_failure_says_what_where_and_how_to_see_it_again() {
        let case = Case::new(7, Size::of(7));
        let what = audited(&case, &mut Wrong).expect_err("there is no accelerator 99");
        assert!(what.contains("there is no such accelerator"), "{what}");
        let failure = Failure { seed: 7, run: case.to_string(), what, command: "mascot fuzz" };
        let report = Report { failures: vec![failure; 12], ..Report::default() };
        let error = report.verdict().expect_err("twelve seeds failed");
        let text = error.to_string();
        assert!(text.starts_with("12 of 12 seeds violate an invariant"), "{text}");
        assert_eq!(text.matches("\n  reproduce it with: mascot fuzz --first-seed 7 --seeds 1").count(), 10);
        assert_eq!(error.exit_code(), 3);
    }

    #[test]
    fn metrics_that_differ_from_the_audit_are_found() {
        let case = Case::new(7, Size::of(7));
        let world = Arc::new(case.world());
        let totals = audited(&case, &mut Chaos::new(7)).expect("seed 7 passes");
        let mut folds = Folds::new(&world);
        crate::sim::run(case.engine(), &mut Chaos::new(7), &mut folds).expect("seed 7 passes");
        assert_eq!(folds.compare(&totals, &world, &case.trace), Ok(()));
        type Tamper = fn(&mut Totals);
        let wrong: [(&str, Tamper); 5] = [
            ("met", |totals| totals.measured_met += 1),
            ("accel_utilization", |totals| totals.busy += totals.busy),
            ("energy_static_uj", |totals| totals.static_energy.0 *= 2.0),
            ("energy_policy_uj", |totals| totals.policy_energy.0 += 1.0),
            ("in flight", |totals| totals.arrived += 1),
        ];
        for (what, tamper) in wrong {
            let mut totals = totals.clone();
            tamper(&mut totals);
            let message = folds.compare(&totals, &world, &case.trace).expect_err(what);
            assert!(message.contains(what), "{message}");
        }
        // Folds that have seen no record.
        let Folds { groups, accelerators, .. } = Folds::new(&world);
        folds.accelerators = accelerators;
        let message = folds.compare_parts(&totals).expect_err("accelerators did something");
        assert!(message.contains("utilization, summed, is NaN"), "{message}");
        folds.groups = groups;
        let message = folds.compare_parts(&totals).expect_err("there were requests");
        assert!(message.contains("requests, summed by tenant,"), "{message}");
    }
}
