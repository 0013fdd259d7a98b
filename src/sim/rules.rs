//! The rules of a run: when decisions are taken, what they cost, and what happens to what is late or unassigned.

use super::{Operations, RequestId};
use crate::units::{Picojoules, Time};

pub use crate::workload::Late;

/// When the scheduler is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// At every multiple of T_s at which some sub-job may be assigned.
    Periodic(Time),
    /// Once per instant at which the idle set or the ready set grew while both are non-empty.
    OnIdle,
    /// At every arrival and completion after which some sub-job may be assigned.
    OnChange,
    /// Not at all: a roll-out of what is assigned already.
    Never,
}

/// What happens to a layer that becomes ready without an assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unassigned {
    /// It waits for the scheduler.
    Hold,
    /// It takes the accelerator and the priority of the predecessor that ended last, if that can run it.
    Sticky,
}

/// What a decision is charged, by the same rule for every scheduler.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DecisionCost {
    /// Nothing.
    Ideal,
    /// The host that runs the scheduler: latency = base + operations / rate, energy = operations x energy.
    Host(Host),
}

/// The processor that runs the scheduler.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Host {
    /// Latency of every decision.
    pub base: Time,
    /// Multiply-accumulates per second.
    pub macs_per_s: f64,
    /// Comparisons per second.
    pub comparisons_per_s: f64,
    /// Energy of any operation in pJ.
    pub pj_per_operation: f64,
}

impl Default for Host {
    /// DESIGN.md section 4, chosen there: one core of an embedded host.
    fn default() -> Self {
        Self { base: Time::from_us(2.0), macs_per_s: 8e9, comparisons_per_s: 1e9, pj_per_operation: 5.0 }
    }
}

impl DecisionCost {
    /// Latency and energy of a decision.
    pub fn charge(&self, operations: Operations) -> (Time, Picojoules) {
        match self {
            Self::Ideal => (Time::ZERO, Picojoules(0.0)),
            Self::Host(host) => {
                let (comparisons, macs) = (operations.comparisons as f64, operations.macs as f64);
                let computing_s = macs / host.macs_per_s + comparisons / host.comparisons_per_s;
                (
                    host.base + Time::from_s(computing_s),
                    Picojoules((comparisons + macs) * host.pj_per_operation),
                )
            }
        }
    }
}

/// All rules of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// When the scheduler is asked.
    pub trigger: Trigger,
    /// What a decision costs.
    pub decision_cost: DecisionCost,
    /// What happens to late requests.
    pub late: Late,
    /// What happens to unassigned layers.
    pub unassigned: Unassigned,
}

/// A request of the trace; its id is its index there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who sent it.
    pub tenant: u32,
    /// Index into [`super::World::networks`].
    pub network: u32,
    /// Larger is more important.
    pub priority: u32,
    /// a.
    pub arrival: Time,
    /// d.
    pub deadline: Time,
}

/// The requests of a run in order of arrival, and which of them are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// Sorted by arrival.
    pub requests: Vec<Request>,
    /// Indices of the measurement window: those before warm the system up, those after keep it loaded.
    pub counted: std::ops::Range<usize>,
}

impl Trace {
    /// Whether the request belongs to the measurement window.
    pub fn counts(&self, request: RequestId) -> bool {
        self.counted.contains(&(request.0 as usize))
    }

    /// The request itself.
    pub fn request(&self, id: RequestId) -> &Request {
        &self.requests[id.0 as usize]
    }
}
