//! The contract between the engine and a scheduler.

use super::{JobId, Record, RequestId, SubJobId, View};

/// An online scheduler, which maps sub-jobs to accelerators.
///
/// At every trigger the engine calls `decide` with what may be known at that time. It checks the actions, charges the
/// counted operations, and applies the actions once the decision latency has passed. An assignment stays until the
/// sub-job is reassigned, held, started or dropped, so a decision need only state changes.
pub trait Scheduler: Send {
    /// Decides: fills `out`, which is empty, with actions and with the operations spent on finding them.
    fn decide(&mut self, view: &View, out: &mut Decision);

    /// Receives every record as it happens, for schedulers that keep state. The record's origin, which would reveal
    /// which requests are measured, is not passed on.
    fn observe(&mut self, _: &Record) {}
}

/// One action that a scheduler asks the engine to take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// Run a sub-job on an accelerator when it is ready and the accelerator gets to it.
    Assign {
        /// A ready sub-job, or the next one of a job whose layer is running.
        sub_job: SubJobId,
        /// The accelerator, by number.
        accelerator: usize,
        /// Priority in the accelerator's queue: an idle accelerator starts the highest first; ties go to the earlier
        /// arrival, then to the lower id.
        priority: f64,
        /// Weight of the sub-job's share of the bandwidth while it runs, for systems with `score` sharing.
        weight: f64,
    },
    /// Nothing more of this job starts until it is assigned again.
    Hold {
        /// The job to hold.
        job: JobId,
    },
    /// Give the request up: its waiting layers are removed at once; a running layer still ends and is charged.
    Drop {
        /// The request to drop.
        request: RequestId,
    },
}

/// A scheduler's actions, and the operations spent on finding them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// The actions, applied in order.
    pub actions: Vec<Action>,
    /// The operations that the scheduler counted.
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

    /// Adds an action that holds a job.
    pub fn hold(&mut self, job: JobId) {
        self.actions.push(Action::Hold { job });
    }

    /// Adds an action that drops a request.
    pub fn drop_request(&mut self, request: RequestId) {
        self.actions.push(Action::Drop { request });
    }

    /// Empties the decision for reuse.
    pub fn clear(&mut self) {
        self.actions.clear();
        self.operations = Operations::default();
    }
}

/// Operations that a decision is charged for under `decision_cost = host`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operations {
    /// Comparisons of a rule, with the additions that go with them.
    pub comparisons: u64,
    /// Multiply-accumulates of a neural network.
    pub macs: u64,
}

/// An action that no state of the run could make legal: a bug of the scheduler.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("illegal action {action:?} at {time_ps} ps: {reason}")]
pub struct IllegalAction {
    /// The action that the scheduler asked for.
    pub action: Action,
    /// The time of the decision in picoseconds.
    pub time_ps: u64,
    /// Why the action is illegal.
    pub reason: &'static str,
}
