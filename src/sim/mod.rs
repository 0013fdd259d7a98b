//! The engine and what it exchanges with schedulers and metrics.
//!
//! [`World`] (platform, networks with costs) + [`Trace`] (requests) + [`Rules`] -> [`Engine`], which hands a [`View`]
//! to a [`Scheduler`] at every trigger, applies its [`Decision`], and emits [`Record`]s. The engine knows nothing of
//! metrics, files, wall-clock time or learning.
//!
//! Contention is a fluid model: a running layer progresses at the rate granted / demanded bandwidth. Grants change only
//! when a layer starts or ends, or, with phases enabled, when one of its phases does (`phases.rs`). The model leaves
//! out DRAM banks and row buffers (`dram_efficiency` stands for their mean effect), and contention in on-chip networks
//! between accelerators.

/// Implements `Clone` for a struct whose buffers are worth keeping: `clone_from` reuses them, which the derived one
/// does not.
macro_rules! clone_by_field {
    ($type:ident { $($field:ident),* }) => {
        impl Clone for $type {
            fn clone(&self) -> Self {
                Self { $($field: self.$field.clone()),* }
            }
            fn clone_from(&mut self, source: &Self) {
                $(self.$field.clone_from(&source.$field);)*
            }
        }
    };
}

mod arrivals;
mod bandwidth;
mod drift;
mod driver;
mod engine;
mod forwarding;
mod least;
mod memory;
mod model;
mod phases;
mod power;
mod preemption;
mod record;
mod residency;
mod rules;
mod scheduler;
mod switch;
mod trace;
mod variation;
mod view;

pub use crate::workload::{After, Firm, Late};
pub(crate) use arrivals::{Arrivals, Arriving, Ended};
pub use bandwidth::{MAX_SHARERS, Paths, fill_paths, share, water_fill, weight};
pub use drift::{Change, Drift, Losing, Unable};
pub(crate) use driver::{Pilot, drive};
pub use driver::{RunError, resume, run};
pub use engine::{Engine, Step};
pub use forwarding::{Buffer, Forwarding};
pub use memory::{Link, Memories, Way};
pub use model::{AcceleratorModel, LayerModel, NetworkModel, PairCost, Platform, World};
pub use phases::{Phase, Phases};
pub use power::{DramPower, Gating};
pub use preemption::{Interrupted, Interruption, Preemption};
pub use record::{DropReason, Origin, Record, Recorder};
pub use residency::{Found, Memory, Residency, Tensors};
pub use rules::{DecisionCost, Host, LateRules, Rules, Trigger, Unassigned};
pub use scheduler::{Action, Decision, IllegalAction, Operations, Scheduler};
pub use switch::Switch;
pub use trace::{Follower, Request, Span, Trace};
pub use variation::{Distribution, Draws, Estimates, Spread, Variation};
pub use view::{AcceleratorView, JobView, Snapshot, SubJobView, View};

/// A request, numbered in the order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u32);

/// A job, one execution of a network, numbered in the order of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub u32);

/// A sub-job: one layer of one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubJobId {
    /// The job that the layer belongs to.
    pub job: JobId,
    /// Index into the network's layers.
    pub layer: u32,
}
