//! Checks the invariants of a run from outside: an independent and deliberately simple account of what the engine does.
//!
//! An [`Audit`] gets the views and the decisions of the scheduler, and every record with its origin. From these alone
//! it tracks which layers run where, which are ready, which orders are open and how much work each layer has done, and
//! checks:
//!
//! | file | what must hold |
//! |---|---|
//! | `lanes.rs` | one layer at a time per accelerator, only where it can run; grants follow the sharing rule and sum to min(B, demand) (`knee`: at most); bytes and work done = owed; durations within their bounds; energy |
//! | `arrivals.rs` | requests arrive at the times of the trace, followers when their event has happened, and all arrive |
//! | `jobs.rs` | every layer of a finished request runs once, after its predecessors; a request ends no earlier than alone; it is dropped or ends, once |
//! | `residents.rs` | what layers find on chip, and what views say that they would find |
//! | `orders.rs` | decisions have the right cost and take effect at the right time; the layer that starts is the first in line of the orders; no layer that may start waits; no layer of a held or dropped job starts |
//! | `triggers.rs` | decisions are taken exactly when the trigger fires |
//! | `standby.rs` | nothing; it adds up energy for the metrics to agree with |
//! | `drift.rs` | conditions change at their times, and as announced |
//! | `paths.rs` | of several memories and links, none carries more than it can, and a layer that gets less than it demands takes a full one |
//! | `paces.rs` | layers take the factors of their execution times that are drawn for them, and no others |
//! | `corrections.rs` | where estimates learn, each layer that ends corrects them by what it took, and views show the corrected costs |
//! | `interruptions.rs` | nothing; it says what layers write, read and do again that interrupt others or were interrupted |
//! | `views.rs` | a view agrees with this account and shows nothing of the future; where execution times vary, no end is checked that it expects |
//! | here | time never goes back, and the run ends with its last measured request or at its given end; its makespan is at least work / capacity and bytes / B |
//!
//! The grants themselves come from [`crate::sim::share`], which is tested against an exact second implementation. Every
//! check is exact up to rounding: an end is rounded up to a picosecond, work is conserved to 1e-9.
//!
//! The audit keeps the first violation and stops.

mod arrivals;
mod corrections;
mod drift;
mod interruptions;
mod jobs;
mod lanes;
mod orders;
mod paces;
mod paths;
mod residents;
mod standby;
#[cfg(test)]
mod tests;
mod totals;
mod triggers;
mod views;

use std::fmt;

use self::arrivals::Expected;
use self::corrections::Corrections;
use self::drift::Conditions;
use self::jobs::{Fate, Job};
use self::lanes::Lanes;
use self::orders::Orders;
use self::residents::Residents;
pub use self::totals::Totals;
use self::triggers::Triggers;
use crate::sim::{
    Decision, Engine, Origin, Pilot, Record, Recorder, Rules, RunError, Scheduler, Trace, View, World, drive,
};
use crate::units::Time;

/// The relative tolerance of checks. Our choice, because it is far above the rounding of a sum over a run and far below
/// any layer.
const TOLERANCE: f64 = 1e-9;

/// A violated invariant, with numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The time of the violation.
    pub time: Time,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "at {} ps: {}", self.time.0, self.what)
    }
}

/// `Err` says what is wrong.
type Check = Result<(), String>;

/// Returns what is wrong unless the condition holds.
macro_rules! ensure {
    ($holds:expr, $($what:tt)+) => {
        match $holds {
            true => {}
            // Also catches a comparison with NaN.
            false => return Err(format!($($what)+)),
        }
    };
}
use ensure;

fn ensure_close(what: &str, actual: f64, expected: f64) -> Check {
    let close = actual == expected || (actual - expected).abs() <= TOLERANCE * expected.abs();
    ensure!(close, "{what}: {actual}, not {expected}");
    Ok(())
}

/// An independent account of a run.
pub struct Audit<'a> {
    world: &'a World,
    trace: &'a Trace,
    rules: &'a Rules,
    now: Time,
    conditions: Conditions<'a>,
    corrections: Corrections,
    lanes: Lanes,
    residents: Residents,
    expected: Expected,
    /// The jobs, one per request that has arrived.
    jobs: Vec<Job<'a>>,
    orders: Orders,
    triggers: Triggers,
    totals: Totals,
    /// The number of measured requests that have not ended, arrived or not; too large if the run ends at a given time.
    measured_open: usize,
    ended: bool,
    violation: Option<Violation>,
}

impl<'a> Audit<'a> {
    /// An audit of a run from time zero.
    pub fn new(world: &'a World, trace: &'a Trace, rules: &'a Rules) -> Self {
        Self {
            world,
            trace,
            rules,
            now: Time::ZERO,
            conditions: Conditions::new(world),
            corrections: Corrections::new(world, rules),
            lanes: Lanes::new(&world.platform),
            residents: Residents::new(world),
            expected: Expected::new(trace),
            jobs: Vec::new(),
            orders: Orders::default(),
            triggers: Triggers::default(),
            totals: Totals::new(trace),
            measured_open: if trace.has_end() { usize::MAX } else { trace.measured.len() },
            ended: false,
            violation: None,
        }
    }

    /// Takes the view on which a scheduler is asked.
    pub fn view(&mut self, view: &View) {
        self.step(|audit| audit.check_view(view));
    }

    /// Takes the answer of the scheduler.
    pub fn decision(&mut self, decision: &Decision) {
        self.step(|audit| audit.announce(decision));
    }

    /// Ends the audit after the last record and returns the totals of the run.
    ///
    /// # Errors
    /// The first violation, if there was one.
    pub fn close(mut self) -> Result<Totals, Violation> {
        self.step(|audit| {
            ensure!(audit.ended, "the records stop before the end of the run");
            Ok(())
        });
        self.violation.map_or(Ok(self.totals), Err)
    }

    fn step(&mut self, step: impl FnOnce(&mut Self) -> Check) {
        if self.violation.is_none()
            && let Err(what) = step(self)
        {
            self.violation = Some(Violation { time: self.now, what });
        }
    }

    fn follow(&mut self, record: &Record, origin: Origin) -> Check {
        let time = record.time();
        ensure!(time <= self.trace.span.end, "{record:?} after the time of the run");
        ensure!(!self.ended, "{record:?} after the end of the run");
        ensure!(time >= self.now, "{record:?} lies in the past");
        if !matches!(record, Record::Corrected { .. }) {
            self.check_corrected()?;
        }
        self.advance(time)?;
        match *record {
            Record::Arrival { request, job, asked, after } => self.arrive(request, job, origin, asked, after),
            Record::Decision { .. } => self.decide(record),
            Record::Applied { skipped, .. } => self.applied(skipped),
            Record::Start { sub_job, network, .. } => {
                self.start(record)?;
                self.check_network(sub_job, network)
            }
            Record::Finish { .. } => self.finish(record, origin),
            Record::Pace { sub_job, accelerator, pace, .. } => self.change_pace(sub_job, accelerator, pace),
            Record::Corrected { network, accelerator, ratio, .. } => {
                self.correct(network, accelerator, ratio)
            }
            Record::Phase { sub_job, accelerator, phase, .. } => {
                self.enter_phase(sub_job, accelerator, phase)
            }
            Record::Bandwidth { granted_bytes_per_ps, .. } => self.lanes.granted(granted_bytes_per_ps),
            Record::Drift { speed, bandwidth_bytes_per_ps, lost, .. } => {
                self.change_conditions(speed, bandwidth_bytes_per_ps, lost)
            }
            Record::Done { request, job, asked, .. } => self.done(request, job, origin, asked),
            Record::Drop { request, asked, reason, begun, .. } => {
                self.check_begun(request, begun)?;
                self.dropped(request, origin, asked, reason)
            }
            Record::End { .. } => self.end(),
        }
    }

    /// Moves on to `next`, before which nothing happens; unless `next` is now, nothing more happens at this instant.
    fn advance(&mut self, next: Time) -> Check {
        if next == self.now {
            return Ok(());
        }
        self.judge_trigger(false)?;
        self.check_nothing_waits()?;
        self.check_no_tick_before(next)?;
        self.check_nobody_missing_before(next)?;
        self.check_no_change_before(next)?;
        self.check_paces()?;
        let sharing = self.world.platform.sharing;
        self.lanes.advance(sharing, self.conditions.present, next - self.now, &mut self.totals)?;
        self.stand_by(next);
        self.totals.advance(self.now, next);
        self.triggers.next_instant();
        self.now = next;
        Ok(())
    }

    fn end(&mut self) -> Check {
        if self.trace.has_end() {
            // At the end of the run, everything due except completions is left undone.
            let end = self.trace.span.end;
            ensure!(self.now == end, "the run ends, but its time is {} ps", end.0);
        } else {
            self.judge_trigger(false)?;
            self.check_nothing_waits()?;
            if let Some(open) = self.open_jobs().find(|job| job.origin.measured) {
                return Err(format!("the run ends, but the measured request {} is open", open.id.0));
            }
            let over = self.measured_open == 0 || self.expected.next() == Time::MAX;
            ensure!(over, "the run ends, but {} measured requests are to come", self.measured_open);
        }
        self.check_makespan()?;
        self.ended = true;
        Ok(())
    }

    /// Checks that the finished requests took at least their work divided by the capacity of all accelerators, and
    /// their bytes divided by B.
    fn check_makespan(&self) -> Check {
        let done: Vec<&Job> = self.jobs.iter().filter(|job| job.fate == Fate::Done).collect();
        let Some(first) = done.first() else { return Ok(()) };
        let last_end = done.iter().filter_map(|job| job.last_end()).max().unwrap_or_default();
        let makespan_ps = (last_end - first.request.arrival).as_ps();
        let layers: usize = done.iter().map(|job| job.layers.len()).sum();
        let fastest = self.conditions.fastest;
        let work_ps: f64 = done.iter().map(|job| job.least_work().as_ps() / fastest).sum();
        // Each c1 is rounded up by less than a picosecond.
        let least_ps = (work_ps - layers as f64) / self.world.platform.accelerators.len() as f64;
        ensure!(makespan_ps >= least_ps, "makespan {makespan_ps} ps, but work / capacity is {least_ps} ps");
        let bytes: f64 = done.iter().map(|job| job.least_bytes()).sum();
        let least_ps = bytes / self.world.platform.bandwidth_bytes_per_ps / fastest * (1.0 - TOLERANCE);
        ensure!(makespan_ps >= least_ps, "makespan {makespan_ps} ps, but bytes / B is {least_ps} ps");
        Ok(())
    }
}

impl Recorder for Audit<'_> {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.step(|audit| audit.follow(record, origin));
    }
}

/// [`crate::sim::run`] with an audit of the views, the decisions and all records. Returns how the run ended, and the
/// verdict: the totals, or the first violation.
pub fn run(
    audit: Audit,
    mut engine: Engine,
    scheduler: &mut dyn Scheduler,
    out: &mut dyn Recorder,
) -> (Result<(), RunError>, Result<Totals, Violation>) {
    let mut audited = Audited { audit, scheduler, out };
    let end = drive(&mut engine, &mut Decision::default(), &mut audited);
    (end, audited.audit.close())
}

struct Audited<'a, 's> {
    audit: Audit<'a>,
    scheduler: &'s mut dyn Scheduler,
    out: &'s mut dyn Recorder,
}

impl Pilot for Audited<'_, '_> {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        self.audit.view(view);
        self.scheduler.decide(view, out);
        self.audit.decision(out);
    }
}

impl Recorder for Audited<'_, '_> {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.audit.record(record, origin);
        if record.is_seen() {
            self.scheduler.observe(record);
        }
        self.out.record(record, origin);
    }
}
