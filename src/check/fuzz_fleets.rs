//! Random fleets with every invariant checked: the [`FleetCase`] of a seed under a dispatcher and schedulers that take random
//! legal actions, followed by two accounts: [`Serving`] of the requests, and an [`Audit`] of what each site did with its
//! orders.
//!
//! The audit of a site gets the orders as its requests, and the records and decisions, but no views: those of fleets are
//! made by the same code as those of single systems. Where late requests are given up, only the fleet knows when an order
//! has lost its last one, so that there the sites are not audited.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use super::audit::Audit;
use super::cases::{Chaos, FleetCase, FleetChaos};
use super::fuzz::{Failure, each, verdict};
use super::serving::{Counts, Serving};
use crate::experiment::{Error, Progress, reason};
use crate::serve::{self, Record, Recorder, ServeError, Site};
use crate::sim::{self, Decision, Late, Origin, Request, Scheduler, Trace, View};
use crate::units::Time;

/// The results of a range of seeds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FleetReport {
    /// Sums over the runs that passed.
    pub passed: FleetsPassed,
    /// Runs that failed, by ascending seed.
    pub failures: Vec<Failure>,
}

/// Sums over runs that passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FleetsPassed {
    /// The number of runs.
    pub runs: u64,
    /// Runs in which requests that the dispatcher has forgotten waited forever.
    pub stalled: u64,
    /// Requests that arrived.
    pub requests: u64,
    /// Requests that were answered.
    pub answered: u64,
    /// Requests that were lost.
    pub lost: u64,
    /// Orders.
    pub orders: u64,
    /// Sites whose layers were audited.
    pub sites: u64,
    /// Layer runs that ended there.
    pub layers: u64,
}

impl FleetReport {
    /// Checks that all seeds passed.
    ///
    /// # Errors
    /// The first failures, each with the command that reproduces it.
    pub fn verdict(&self) -> Result<(), Error> {
        verdict(self.passed.runs, &self.failures)
    }
}

impl FleetsPassed {
    fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.stalled += other.stalled;
        self.requests += other.requests;
        self.answered += other.answered;
        self.lost += other.lost;
        self.orders += other.orders;
        self.sites += other.sites;
        self.layers += other.layers;
    }
}

/// Runs all seeds on the current rayon pool.
pub fn fuzz_fleets(seeds: Range<u64>, progress: &dyn Progress) -> FleetReport {
    let mut report = FleetReport::default();
    each(seeds, progress, run_seed, |outcome| match outcome {
        Ok(passed) => report.passed.add(passed),
        Err(failure) => report.failures.push(failure),
    });
    report
}

/// Runs a seed; returns what happened.
fn run_seed(seed: u64) -> Result<FleetsPassed, Failure> {
    let run = AssertUnwindSafe(|| audited(&FleetCase::new(seed)));
    let outcome = catch_unwind(run).unwrap_or_else(|panic| Err(reason(&*panic)));
    let command = "mascot fuzz --fleet";
    outcome.map_err(|what| Failure { seed, run: FleetCase::new(seed).to_string(), what, command })
}

/// Runs a case; returns both accounts, and how it ended.
fn play<'a>(case: &'a FleetCase, logs: &'a [SiteLog]) -> (Accounts<'a>, Result<(), ServeError>) {
    let noting = |(site, log): (u64, &SiteLog)| {
        Box::new(Noting { inner: case.scheduler(site), log: Arc::clone(log) }) as Box<dyn Scheduler>
    };
    let schedulers = (0..).zip(logs).map(noting).collect();
    let mut out = Accounts { serving: Serving::new(&case.model), logs, now: Time::ZERO };
    let (model, trace) = (Arc::new(case.model.clone()), Arc::new(case.trace.clone()));
    let ended = serve::run(model, trace, schedulers, &mut FleetChaos::new(case), &mut out);
    (out, ended)
}

fn logs(case: &FleetCase) -> Vec<SiteLog> {
    case.model.sites.iter().map(|_| SiteLog::default()).collect()
}

fn audited(case: &FleetCase) -> Result<FleetsPassed, String> {
    let logs = logs(case);
    let (Accounts { serving, now, .. }, ended) = play(case, &logs);
    let Counts { arrived, answered, lost, orders } = serving.verdict()?;
    let stalled = match ended {
        Ok(()) => 0,
        Err(ServeError::Stalled { .. }) => 1,
        Err(error) => return Err(error.to_string()),
    };
    let mut passed = FleetsPassed {
        runs: 1,
        stalled,
        requests: arrived as u64,
        answered: answered as u64,
        lost: lost as u64,
        orders: orders as u64,
        sites: 0,
        layers: 0,
    };
    if case.model.late.rule == Late::Finish {
        for (site, log) in case.model.sites.iter().zip(&logs) {
            let log = log.lock().unwrap_or_else(PoisonError::into_inner);
            let layers = audit_site(site, &log, now);
            passed.layers += layers.map_err(|violation| format!("{}: {violation}", site.name))?;
            passed.sites += 1;
        }
    }
    Ok(passed)
}

/// What happened at a site.
enum Noted {
    Record(sim::Record),
    Decision(Decision),
}

type SiteLog = Arc<Mutex<Vec<Noted>>>;

/// A scheduler whose decisions are noted.
struct Noting {
    inner: Chaos,
    log: SiteLog,
}

impl Scheduler for Noting {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        self.inner.decide(view, out);
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.push(Noted::Decision(out.clone()));
    }
}

/// Both accounts of a fleet.
struct Accounts<'a> {
    serving: Serving<'a>,
    logs: &'a [SiteLog],
    /// The time of the last record.
    now: Time,
}

impl Recorder for Accounts<'_> {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.serving.record(record, origin);
        if let Record::Site { site, record } = record {
            self.now = self.now.max(record.time());
            let mut log = self.logs[*site].lock().unwrap_or_else(PoisonError::into_inner);
            log.push(Noted::Record(*record));
        } else if let Record::End { time } = record {
            self.now = self.now.max(*time);
        }
    }
}

/// Audits a site until a time, in a run whose requests are its orders; returns the number of layers that ended.
fn audit_site(site: &Site, log: &[Noted], end: Time) -> Result<u64, String> {
    let orders = log.iter().filter_map(|noted| match noted {
        Noted::Record(sim::Record::Arrival { asked, .. }) => Some(*asked),
        _ => None,
    });
    let requests: Vec<Request> = orders.collect();
    let mut trace = Trace { measured: 0..requests.len(), requests, ..Trace::default() };
    trace.span.end = end;
    let mut audit = Audit::new(&site.world, &trace, &site.rules);
    for noted in log {
        match noted {
            Noted::Decision(decision) => audit.decision(decision),
            Noted::Record(record) => {
                let place = order_of(record);
                sim::Recorder::record(&mut audit, record, Origin { place, measured: true });
            }
        }
    }
    sim::Recorder::record(&mut audit, &sim::Record::End { time: end }, Origin::NONE);
    audit.close().map(|totals| totals.layers).map_err(|violation| violation.to_string())
}

/// The number of the order that a record is about.
fn order_of(record: &sim::Record) -> u32 {
    match *record {
        sim::Record::Arrival { job, .. } | sim::Record::Done { job, .. } => job.0,
        sim::Record::Drop { request, .. } => request.0,
        sim::Record::Start { sub_job, .. }
        | sim::Record::Phase { sub_job, .. }
        | sim::Record::Finish { sub_job, .. } => sub_job.job.0,
        _ => Origin::NONE.place,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_whose_records_are_doctored_is_found() {
        let case =
            (0..).map(FleetCase::new).find(|case| case.model.late.rule == Late::Finish).expect("half are");
        let logs = logs(&case);
        let (Accounts { now: end, .. }, _) = play(&case, &logs);
        let mut log = logs[0].lock().unwrap_or_else(PoisonError::into_inner);
        assert!(audit_site(&case.model.sites[0], &log, end).is_ok_and(|layers| layers > 0));
        let ends = |noted: &Noted| matches!(noted, Noted::Record(sim::Record::Finish { .. }));
        let place = log.iter().position(ends).expect("a layer has ended");
        log.remove(place);
        audit_site(&case.model.sites[0], &log, end).expect_err("a layer never ends");
    }
}
