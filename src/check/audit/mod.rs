//! The invariants of a run, checked from outside: a second account of what the engine does, kept as plainly as can be.
//!
//! An [`Audit`] sees what a scheduler sees and says, and every record with its origin. From these alone it follows what runs where, what
//! is ready, what is asked for and how much work each layer has done, and compares:
//!
//! | file | what must hold |
//! |---|---|
//! | `lanes.rs` | one layer at a time, only where it can run; grants are what the sharing rule gives, in sum min(B, demand) (`knee`: at most); bytes and work done = owed; durations within their bounds; energy |
//! | `arrivals.rs` | requests come when the trace says so, followers when what they wait for has happened, and all come |
//! | `jobs.rs` | every layer of a finished request once, after its predecessors; ends no earlier than alone; a drop or an end, once |
//! | `orders.rs` | decisions cost what they must and take effect when they must; what starts is the first in line of what was asked for; nothing that may start waits; nothing held or dropped starts |
//! | `triggers.rs` | decisions are taken when the trigger says so, and then only |
//! | `views.rs` | a view shows this account and nothing of the future |
//! | here | time goes forward, and the run ends with its last measured request or at its time; its makespan is at least work / capacity and bytes / B |
//!
//! The grants themselves come from [`crate::sim::share`], which has exact twins of its own. Every check is exact
//! but for rounding: an end is rounded up to a picosecond, work is conserved to 1e-9.
//!
//! The first violation is kept, and the audit is over.

mod arrivals;
mod jobs;
mod lanes;
mod orders;
#[cfg(test)]
mod tests;
mod totals;
mod triggers;
mod views;

use std::fmt;

use self::arrivals::Expected;
use self::jobs::{Fate, Job};
use self::lanes::Lanes;
use self::orders::Orders;
pub use self::totals::Totals;
use self::triggers::Triggers;
use crate::sim::{
    Decision, Engine, Origin, Pilot, Record, Recorder, Rules, RunError, Scheduler, Trace, View, World, drive,
};
use crate::units::Time;

/// Relative: our choice, because it is far above the rounding of a sum over a run and far below any layer.
const TOLERANCE: f64 = 1e-9;

/// Something that cannot be, with numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When.
    pub time: Time,
    /// What.
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
            // Also a comparison with what is not a number.
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

/// The second account of a run.
pub struct Audit<'a> {
    world: &'a World,
    trace: &'a Trace,
    rules: &'a Rules,
    now: Time,
    lanes: Lanes,
    expected: Expected,
    /// One per request that has arrived.
    jobs: Vec<Job<'a>>,
    orders: Orders,
    triggers: Triggers,
    totals: Totals,
    /// Measured requests that have not ended, arrived or not; more than there are where the run ends at its time.
    measured_open: usize,
    ended: bool,
    violation: Option<Violation>,
}

impl<'a> Audit<'a> {
    /// Of a run from time zero.
    pub fn new(world: &'a World, trace: &'a Trace, rules: &'a Rules) -> Self {
        Self {
            world,
            trace,
            rules,
            now: Time::ZERO,
            lanes: Lanes::new(&world.platform),
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

    /// A scheduler is asked, on this view.
    pub fn view(&mut self, view: &View) {
        self.step(|audit| audit.check_view(view));
    }

    /// What it answered.
    pub fn decision(&mut self, decision: &Decision) {
        self.step(|audit| audit.announce(decision));
    }

    /// After the last record: what the run came to.
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
        self.advance(time)?;
        match *record {
            Record::Arrival { request, job, asked, after } => self.arrive(request, job, origin, asked, after),
            Record::Decision { .. } => self.decide(record),
            Record::Applied { skipped, .. } => self.applied(skipped),
            Record::Start { sub_job, network, accelerator, weight, .. } => {
                self.start(sub_job, accelerator, weight)?;
                self.check_network(sub_job, network)
            }
            Record::Finish { .. } => self.finish(record, origin),
            Record::Phase { sub_job, accelerator, phase, .. } => {
                self.enter_phase(sub_job, accelerator, phase)
            }
            Record::Bandwidth { granted_bytes_per_ps, .. } => self.lanes.granted(granted_bytes_per_ps),
            Record::Done { request, job, asked, .. } => self.done(request, job, origin, asked),
            Record::Drop { request, asked, reason, .. } => self.dropped(request, origin, asked, reason),
            Record::End { .. } => self.end(),
        }
    }

    /// Nothing more happens at this instant, and nothing before `next`, unless they are the same.
    fn advance(&mut self, next: Time) -> Check {
        if next == self.now {
            return Ok(());
        }
        self.judge_trigger(false)?;
        self.check_nothing_waits()?;
        self.check_no_tick_before(next)?;
        self.check_nobody_missing_before(next)?;
        self.lanes.advance(&self.world.platform, next - self.now, &mut self.totals)?;
        self.totals.advance(self.now, next);
        self.triggers.next_instant();
        self.now = next;
        Ok(())
    }

    fn end(&mut self) -> Check {
        if self.trace.has_end() {
            // What is due at this instant, but for completions, is left undone.
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

    /// The requests that were done took at least their work over all accelerators and their bytes over B, unless some of
    /// these were forwarded on chip.
    fn check_makespan(&self) -> Check {
        if self.world.networks.iter().any(|network| network.forwarding.is_some()) {
            return Ok(());
        }
        let done: Vec<&Job> = self.jobs.iter().filter(|job| job.fate == Fate::Done).collect();
        let Some(first) = done.first() else { return Ok(()) };
        let last_end = done.iter().filter_map(|job| job.last_end()).max().unwrap_or_default();
        let makespan_ps = (last_end - first.request.arrival).as_ps();
        let layers: usize = done.iter().map(|job| job.layers.len()).sum();
        let work_ps: f64 = done.iter().map(|job| job.network.total_best.as_ps()).sum();
        // Each c1 is rounded up by less than a picosecond.
        let least_ps = (work_ps - layers as f64) / self.world.platform.accelerators.len() as f64;
        ensure!(makespan_ps >= least_ps, "makespan {makespan_ps} ps, but work / capacity is {least_ps} ps");
        let bytes: f64 = done.iter().map(|job| job.least_bytes()).sum();
        let least_ps = bytes / self.world.platform.bandwidth_bytes_per_ps * (1.0 - TOLERANCE);
        ensure!(makespan_ps >= least_ps, "makespan {makespan_ps} ps, but bytes / B is {least_ps} ps");
        Ok(())
    }
}

impl Recorder for Audit<'_> {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.step(|audit| audit.follow(record, origin));
    }
}

/// [`crate::sim::run`] with an audit of what the scheduler sees and does, and of all records: how the run ended, and the
/// verdict, which is the first violation if there was one.
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
        self.scheduler.observe(record);
        self.out.record(record, origin);
    }
}
