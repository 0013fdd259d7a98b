//! The stream of records: everything that happens in a run. Metrics, CSV files and timelines are folds over it.
//!
//! A record about a request carries what was asked ([`Request`]), with its actual arrival and deadline. A record about
//! a layer carries what ran: the job, its network and the layer. So no fold has to look anything up in the trace. At
//! present every job serves one request and has the same number.

use super::{JobId, Operations, Request, RequestId, SubJobId};
use crate::units::{Picojoules, Time};

/// Why a request was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DropReason {
    /// The deadline passed under `late = abort`.
    Late,
    /// The scheduler gave it up.
    Scheduler,
}

/// The request of the trace that a record is about. Folds receive it beside the record; schedulers do not, because it
/// reveals which requests are measured and where followers are in the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Index into [`super::Trace::requests`].
    pub place: u32,
    /// Whether the request belongs to the measurement window.
    pub measured: bool,
}

impl Origin {
    /// The origin of a record that is about no request: it is never measured, and its place is in no trace.
    pub const NONE: Self = Self { place: u32::MAX, measured: false };
}

/// One event of a run. Records come in the order of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Record {
    /// A request arrived, and its job is in flight.
    Arrival {
        /// The request's id.
        request: RequestId,
        /// The job that serves it.
        job: JobId,
        /// What the request asks for; it arrives now.
        asked: Request,
        /// The request whose end brought this one, if it follows another.
        after: Option<RequestId>,
    },
    /// A scheduler decided on the view at `time`.
    Decision {
        /// When the view was taken.
        time: Time,
        /// Charged latency of the decision; the actions take effect that much later.
        latency: Time,
        /// Charged energy of the decision.
        energy: Picojoules,
        /// The operations that are charged.
        operations: Operations,
        /// Number of sub-jobs in the view that were ready.
        ready: u32,
        /// Number of all sub-jobs in the view.
        open: u32,
    },
    /// A decision took effect.
    Applied {
        /// The time of the event.
        time: Time,
        /// Number of actions that events had overtaken in the meantime.
        skipped: u32,
    },
    /// A sub-job started.
    Start {
        /// The time of the event.
        time: Time,
        /// The sub-job's id.
        sub_job: SubJobId,
        /// The sub-job's network: an index into [`super::World::networks`].
        network: u32,
        /// The accelerator, by number.
        accelerator: usize,
        /// The weight that the scheduler gave to the sub-job's share of the bandwidth.
        weight: f64,
        /// When the sub-job became ready: when its last predecessor ended or, without one, when its request arrived.
        ready: Time,
        /// When the decision took effect that put the sub-job on this accelerator. Under [`super::Unassigned::Sticky`]
        /// that may be the decision on a predecessor, earlier than `ready`; a new priority or weight on the same
        /// accelerator does not count.
        assigned: Time,
        /// c1: how long the sub-job takes alone on this platform, with what it found on chip.
        alone: Time,
    },
    /// The sub-job that has just started there runs at another pace than the cost tables say, unseen by schedulers
    /// (`sim::variation`).
    Pace {
        /// The time of the event.
        time: Time,
        /// The sub-job's id.
        sub_job: SubJobId,
        /// The accelerator, by number.
        accelerator: usize,
        /// Work done per time, relative to the cost tables: 1 / factor of the execution time.
        pace: f64,
    },
    /// The layer that has just ended corrected what is expected of its network on accelerators of this one's model
    /// (`estimates = "ewma"`).
    Corrected {
        /// The time of the event.
        time: Time,
        /// An index into [`super::World::networks`].
        network: u32,
        /// The accelerator, by number.
        accelerator: usize,
        /// How long layers are expected to take from now on, relative to the cost tables.
        ratio: f64,
    },
    /// A running sub-job entered another phase (`sim::phases`).
    Phase {
        /// The time of the event.
        time: Time,
        /// The sub-job's id.
        sub_job: SubJobId,
        /// The accelerator, by number.
        accelerator: usize,
        /// The phase that it entered: an index into [`super::Phases`].
        phase: usize,
    },
    /// A sub-job ended.
    Finish {
        /// The time of the event.
        time: Time,
        /// When the sub-job started.
        start: Time,
        /// The sub-job's id.
        sub_job: SubJobId,
        /// The sub-job's network: an index into [`super::World::networks`].
        network: u32,
        /// The accelerator, by number.
        accelerator: usize,
        /// DRAM bytes that the sub-job moved.
        dram_bytes: f64,
        /// Bytes of its input that the sub-job found on chip and did not read from DRAM (`sim::forwarding`,
        /// `sim::residency`).
        forwarded_bytes: f64,
        /// Bytes of its weights that the sub-job found on chip and did not read from DRAM (`sim::residency`).
        resident_weight_bytes: f64,
        /// Dynamic energy of the sub-job.
        energy: Picojoules,
        /// Uncontended latency c in picoseconds, times the factor by which it varies; the slowdown is (time - start) / c.
        uncontended_ps: f64,
        /// How many parts of its layer it did again, because the layer was killed (`sim::preemption`).
        repeated: u32,
    },
    /// The granted DRAM bandwidth changed.
    Bandwidth {
        /// The time of the event.
        time: Time,
        /// Sum of all grants from now on, in bytes per picosecond.
        granted_bytes_per_ps: f64,
    },
    /// Conditions changed, unseen by schedulers (`sim::drift`).
    Drift {
        /// The time of the event.
        time: Time,
        /// Speed of the accelerators from now on, relative to their cost tables.
        speed: f64,
        /// Bandwidth that the DRAM delivers from now on, in bytes per picosecond.
        bandwidth_bytes_per_ps: f64,
        /// How many accelerators are lost by now.
        lost: u32,
    },
    /// All layers of a request's job are done.
    Done {
        /// The time of the event.
        time: Time,
        /// The request's id.
        request: RequestId,
        /// The job that served the request.
        job: JobId,
        /// What the request asked for.
        asked: Request,
    },
    /// A request was given up.
    Drop {
        /// The time of the event.
        time: Time,
        /// The request's id.
        request: RequestId,
        /// What the request asked for.
        asked: Request,
        /// Why the request was given up.
        reason: DropReason,
        /// Whether any of its layers had started.
        begun: bool,
    },
    /// Every measured request has ended, or the time of the run is over ([`super::Trace::span`]).
    End {
        /// The time of the event.
        time: Time,
    },
}

impl Record {
    /// The time of the event.
    pub fn time(&self) -> Time {
        match *self {
            Self::Arrival { asked, .. } => asked.arrival,
            Self::Decision { time, .. }
            | Self::Applied { time, .. }
            | Self::Start { time, .. }
            | Self::Finish { time, .. }
            | Self::Phase { time, .. }
            | Self::Pace { time, .. }
            | Self::Corrected { time, .. }
            | Self::Bandwidth { time, .. }
            | Self::Drift { time, .. }
            | Self::Done { time, .. }
            | Self::Drop { time, .. }
            | Self::End { time } => time,
        }
    }

    /// The request that the record is about, directly or through a layer. At present a job has the number of its
    /// request.
    pub fn request(&self) -> Option<RequestId> {
        match *self {
            Self::Arrival { request, .. } | Self::Done { request, .. } | Self::Drop { request, .. } => {
                Some(request)
            }
            Self::Start { sub_job, .. }
            | Self::Pace { sub_job, .. }
            | Self::Phase { sub_job, .. }
            | Self::Finish { sub_job, .. } => Some(RequestId(sub_job.job.0)),
            Self::Decision { .. }
            | Self::Applied { .. }
            | Self::Bandwidth { .. }
            | Self::Corrected { .. }
            | Self::Drift { .. }
            | Self::End { .. } => None,
        }
    }

    /// Whether schedulers may see it.
    pub fn is_seen(&self) -> bool {
        !matches!(self, Self::Drift { .. } | Self::Pace { .. })
    }

    /// Whether the request that ends with this record has met its deadline; `None` where none ends.
    pub fn met(&self) -> Option<bool> {
        match self {
            Self::Done { time, asked, .. } => Some(asked.is_met_at(*time)),
            Self::Drop { .. } => Some(false),
            _ => None,
        }
    }
}

/// A receiver of the records of a run.
pub trait Recorder {
    /// Called once per record, in order. `origin` is the origin of the request that the record is about, directly or
    /// through a layer.
    fn record(&mut self, record: &Record, origin: Origin);
}

/// A recorder that keeps nothing.
impl Recorder for () {
    fn record(&mut self, _: &Record, _: Origin) {}
}

/// A recorder that keeps what schedulers may see: every record without its origin.
impl Recorder for Vec<Record> {
    fn record(&mut self, record: &Record, _: Origin) {
        self.push(*record);
    }
}

/// A recorder that keeps every record with its origin.
impl Recorder for Vec<(Record, Origin)> {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.push((*record, origin));
    }
}
