//! Trying a rule in a fork of the engine: the requests in flight and no other, decisions free.

use crate::sim::{Decision, Engine, Record, Recorder, Step, Trigger, View};
use crate::units::Time;

/// What an event of a roll-out is charged, in comparisons of a nanosecond (`Host::default`). Chosen here, because a
/// roll-out of 100 layers takes 17 us beyond its clone (bench `rollout`), with three records a layer.
const COMPARISONS_PER_RECORD: u64 = 60;

/// What a roll-out is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// The last deadline of those that are still to come; late requests are left out, as they come after all others.
    Deadlines,
    /// The end of all requests.
    End,
}

/// A fork and the buffers of its decisions, kept between roll-outs.
#[derive(Default)]
pub(super) struct RollOut {
    fork: Option<Engine>,
    decision: Decision,
}

impl RollOut {
    /// Runs the fork under a rule, which is asked for the decision of this view first; `trigger` replaces that of the run
    /// afterwards. Charges the roll-out and the operations of its decisions to `out`.
    pub(super) fn run(
        &mut self,
        view: &View,
        until: Until,
        trigger: Option<Trigger>,
        out: &mut Decision,
        mut rule: impl FnMut(&View, &mut Decision),
    ) -> Outcome {
        let Self { fork, decision } = self;
        let fork = fork.get_or_insert_with(|| view.fork());
        view.fork_into(fork);
        if let Some(trigger) = trigger {
            fork.set_trigger(trigger);
        }
        decision.clear();
        rule(view, decision);
        let mut horizon = Time::MAX;
        if until == Until::Deadlines {
            horizon = Time::ZERO;
            for job in view.jobs() {
                horizon = horizon.max(job.deadline);
                if job.deadline < view.now() {
                    decision.drop_request(job.request);
                }
            }
        }
        let mut outcome = Outcome::default();
        loop {
            out.operations.comparisons += decision.operations.comparisons;
            out.operations.macs += decision.operations.macs;
            fork.apply(decision, &mut outcome).expect("rules that are rolled out are legal");
            let step = fork.run_to_decision(&mut outcome);
            if step != Step::Decide || fork.now() > horizon {
                outcome.stalled = step == Step::Stalled;
                break;
            }
            decision.clear();
            rule(&fork.view(), decision);
        }
        out.operations.comparisons += COMPARISONS_PER_RECORD * outcome.records;
        outcome
    }
}

/// What a roll-out came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outcome {
    /// Requests that met their deadlines.
    pub(super) met: u32,
    /// Sum of the times at which they were done, in ps.
    met_at_ps: f64,
    /// When the last layer ended, in ps.
    pub(super) makespan_ps: f64,
    /// Records of the fork.
    records: u64,
    /// Whether requests wait for ever.
    pub(super) stalled: bool,
}

impl Outcome {
    /// Larger is better: more deadlines met, then an earlier mean.
    pub(super) fn rank(&self) -> (u32, f64) {
        (self.met, -self.met_at_ps)
    }
}

impl Recorder for Outcome {
    fn record(&mut self, record: &Record) {
        self.records += 1;
        match *record {
            Record::Done { time, deadline, .. } if time <= deadline => {
                self.met += 1;
                self.met_at_ps += time.as_ps();
            }
            Record::Finish { time, .. } => self.makespan_ps = time.as_ps(),
            _ => {}
        }
    }
}
