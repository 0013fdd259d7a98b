//! The contract between the engine and a scheduler.

use super::{JobId, Record, RequestId, SubJobId, View};

/// Maps sub-jobs to accelerators, online.
///
/// The engine calls `decide` at every trigger with what may be known at that time, checks the actions, charges the
/// counted operations, and applies the actions once the decision latency has passed. An assignment stays until it is
/// revised, held, started or dropped, so a decision need only say what changes.
pub trait Scheduler: Send {
    /// Fills `out`, which is empty, with actions and the operations spent on finding them.
    fn decide(&mut self, view: &View, out: &mut Decision);

    /// Sees every record as it happens, for schedulers that keep state; not its origin, which tells which requests are
    /// measured.
    fn observe(&mut self, _: &Record) {}
}

/// One thing a scheduler asks of the engine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// Run a sub-job on an accelerator when it is ready and the accelerator gets to it.
    Assign {
        /// A ready sub-job, or the next one of a job whose layer is running.
        sub_job: SubJobId,
        /// Where.
        accelerator: usize,
        /// An idle accelerator starts its highest priority first; ties go to the earlier arrival, then the lower id.
        priority: f64,
        /// Weight of its share of the bandwidth while it runs, where the system shares by `score`.
        weight: f64,
    },
    /// Nothing more of this job starts until it is assigned again.
    Hold {
        /// The job.
        job: JobId,
    },
    /// Give the request up: its waiting layers go at once; a running layer ends and is charged.
    Drop {
        /// The request.
        request: RequestId,
    },
}

/// What a scheduler decided and what it cost to decide it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// The actions, applied in order.
    pub actions: Vec<Action>,
    /// Counted operations.
    pub operations: Operations,
}

impl Decision {
    /// Adds an assignment with a bandwidth weight of 1.
    pub fn assign(&mut self, sub_job: SubJobId, accelerator: usize, priority: f64) {
        self.assign_weighted(sub_job, accelerator, priority, 1.0);
    }

    /// Adds an assignment with a bandwidth weight, for `score` sharing.
    pub fn assign_weighted(&mut self, sub_job: SubJobId, accelerator: usize, priority: f64, weight: f64) {
        self.actions.push(Action::Assign { sub_job, accelerator, priority, weight });
    }

    /// Adds a hold.
    pub fn hold(&mut self, job: JobId) {
        self.actions.push(Action::Hold { job });
    }

    /// Adds a drop.
    pub fn drop_request(&mut self, request: RequestId) {
        self.actions.push(Action::Drop { request });
    }

    /// Empties it for reuse.
    pub fn clear(&mut self) {
        self.actions.clear();
        self.operations = Operations::default();
    }
}

/// Operations that a decision is charged for under `decision_cost = host`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operations {
    /// Comparisons, and the additions that go with them, of a rule.
    pub comparisons: u64,
    /// Multiply-accumulates of a network.
    pub macs: u64,
}

/// An action that no state of the run could make legal: a bug of the scheduler.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("illegal action {action:?} at {time_ps} ps: {reason}")]
pub struct IllegalAction {
    /// What was asked.
    pub action: Action,
    /// When.
    pub time_ps: u64,
    /// Why it is illegal.
    pub reason: &'static str,
}
