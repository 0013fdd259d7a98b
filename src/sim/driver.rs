//! The plain driver: runs a scheduler on an engine from the first arrival to the end.

use super::{Decision, Engine, IllegalAction, Origin, Record, Recorder, Scheduler, Step, View};

/// Why a run has no result.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The scheduler asked for an illegal action.
    #[error(transparent)]
    Illegal(#[from] IllegalAction),
    /// The scheduler never assigned the waiting sub-jobs.
    #[error(
        "the scheduler leaves requests waiting forever: at {time_ps} ps nothing runs and nothing will arrive"
    )]
    Stalled {
        /// When the engine gave up.
        time_ps: u64,
    },
}

/// Runs a scheduler to the end. Every record goes first to the scheduler, then, with its origin, to `out`.
pub fn run(
    mut engine: Engine,
    scheduler: &mut dyn Scheduler,
    out: &mut dyn Recorder,
) -> Result<(), RunError> {
    resume(&mut engine, &mut Decision::default(), scheduler, out)
}

/// Runs an engine from its present state to the end, even if it waits for a decision: the driver of roll-outs.
/// `decision` is a buffer.
pub fn resume(
    engine: &mut Engine,
    decision: &mut Decision,
    scheduler: &mut dyn Scheduler,
    out: &mut dyn Recorder,
) -> Result<(), RunError> {
    drive(engine, decision, &mut Plain { scheduler, out })
}

/// The other side of an engine: takes every decision, and receives every record.
pub(crate) trait Pilot: Recorder {
    /// As [`Scheduler::decide`].
    fn decide(&mut self, view: &View, out: &mut Decision);
}

/// Like [`resume`], for any pilot.
pub(crate) fn drive(
    engine: &mut Engine,
    decision: &mut Decision,
    pilot: &mut impl Pilot,
) -> Result<(), RunError> {
    loop {
        if engine.awaits_decision() {
            decision.clear();
            pilot.decide(&engine.view(), decision);
            engine.apply(decision, pilot)?;
        }
        match engine.run_to_decision(pilot) {
            Step::Finished => return Ok(()),
            Step::Stalled => return Err(RunError::Stalled { time_ps: engine.now().0 }),
            Step::Decide => {}
        }
    }
}

struct Plain<'a> {
    scheduler: &'a mut dyn Scheduler,
    out: &'a mut dyn Recorder,
}

impl Pilot for Plain<'_> {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        self.scheduler.decide(view, out);
    }
}

impl Recorder for Plain<'_> {
    fn record(&mut self, record: &Record, origin: Origin) {
        if record.is_seen() {
            self.scheduler.observe(record);
        }
        self.out.record(record, origin);
    }
}
