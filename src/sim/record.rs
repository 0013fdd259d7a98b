//! What happened: a closed stream of records. Metrics, CSV and traces are folds over it.
//!
//! A record of a request carries what was asked ([`Request`]), with arrival and deadline as they came to be; a record of a
//! layer carries what ran: the job, its network and the layer. So no fold looks anything up in the trace. Today one job
//! serves one request and has its number.

use super::{JobId, Operations, Request, RequestId, SubJobId};
use crate::units::{Picojoules, Time};

/// Why a request was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DropReason {
    /// Its deadline passed and the rule is `late = abort`.
    Late,
    /// The scheduler gave it up.
    Scheduler,
}

/// Which request of the trace a record is about. Folds are told it beside the record, and schedulers are not: which
/// requests are measured, and where followers are in the trace, is known to none of them before the run is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Index into [`super::Trace::requests`].
    pub place: u32,
    /// Whether it belongs to the measurement window.
    pub measured: bool,
}

impl Origin {
    /// That of a record which is about no request: it is never measured, and no trace has its place.
    pub const NONE: Self = Self { place: u32::MAX, measured: false };
}

/// One event of a run, in the order of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Record {
    /// A request arrived; its job is in flight.
    Arrival {
        /// The request.
        request: RequestId,
        /// The job that serves it.
        job: JobId,
        /// What it asks for; it arrives now.
        asked: Request,
        /// The request whose end brought it, where it follows another.
        after: Option<RequestId>,
    },
    /// A scheduler decided on the view at `time`.
    Decision {
        /// When the view was taken.
        time: Time,
        /// Charged latency; the actions take effect that much later.
        latency: Time,
        /// Charged energy.
        energy: Picojoules,
        /// What it is charged for.
        operations: Operations,
        /// Sub-jobs in the view that were ready.
        ready: u32,
        /// Sub-jobs in the view in all.
        open: u32,
    },
    /// A decision took effect.
    Applied {
        /// When.
        time: Time,
        /// Actions that events had overtaken meanwhile.
        skipped: u32,
    },
    /// A sub-job started.
    Start {
        /// When.
        time: Time,
        /// The sub-job.
        sub_job: SubJobId,
        /// The network that it is a layer of: an index into [`super::World::networks`].
        network: u32,
        /// The accelerator.
        accelerator: usize,
        /// The weight that the scheduler gave its share of the bandwidth.
        weight: f64,
    },
    /// A running sub-job went on to another phase (`sim::phases`).
    Phase {
        /// When.
        time: Time,
        /// The sub-job.
        sub_job: SubJobId,
        /// The accelerator.
        accelerator: usize,
        /// Index into [`super::Phases`].
        phase: usize,
    },
    /// A sub-job ended.
    Finish {
        /// When.
        time: Time,
        /// When it had started.
        start: Time,
        /// The sub-job.
        sub_job: SubJobId,
        /// The network that it is a layer of: an index into [`super::World::networks`].
        network: u32,
        /// The accelerator.
        accelerator: usize,
        /// DRAM bytes it moved.
        dram_bytes: f64,
        /// Bytes that it found on chip and did not read from DRAM (`sim::forwarding`).
        forwarded_bytes: f64,
        /// Its energy.
        energy: Picojoules,
        /// c in picoseconds; the slowdown is (time - start) / c.
        uncontended_ps: f64,
    },
    /// From `time` on, the DRAM moves this much.
    Bandwidth {
        /// When.
        time: Time,
        /// Sum of the grants in bytes per picosecond.
        granted_bytes_per_ps: f64,
    },
    /// All layers of a request's job are done.
    Done {
        /// When.
        time: Time,
        /// The request.
        request: RequestId,
        /// Its job.
        job: JobId,
        /// What it asked for.
        asked: Request,
    },
    /// A request was given up.
    Drop {
        /// When.
        time: Time,
        /// The request.
        request: RequestId,
        /// What it asked for.
        asked: Request,
        /// Why.
        reason: DropReason,
    },
    /// Every measured request has ended, or the time of the run is over ([`super::Trace::span`]).
    End {
        /// When.
        time: Time,
    },
}

impl Record {
    /// When it happened.
    pub fn time(&self) -> Time {
        match *self {
            Self::Arrival { asked, .. } => asked.arrival,
            Self::Decision { time, .. }
            | Self::Applied { time, .. }
            | Self::Start { time, .. }
            | Self::Finish { time, .. }
            | Self::Phase { time, .. }
            | Self::Bandwidth { time, .. }
            | Self::Done { time, .. }
            | Self::Drop { time, .. }
            | Self::End { time } => time,
        }
    }

    /// The request that it, or its layer, is of; today a job has the number of its request.
    pub fn request(&self) -> Option<RequestId> {
        match *self {
            Self::Arrival { request, .. } | Self::Done { request, .. } | Self::Drop { request, .. } => {
                Some(request)
            }
            Self::Start { sub_job, .. } | Self::Phase { sub_job, .. } | Self::Finish { sub_job, .. } => {
                Some(RequestId(sub_job.job.0))
            }
            Self::Decision { .. } | Self::Applied { .. } | Self::Bandwidth { .. } | Self::End { .. } => None,
        }
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

/// Receives the records of a run.
pub trait Recorder {
    /// Called once per record, in order. `origin` is that of the request which the record, or its layer, is of.
    fn record(&mut self, record: &Record, origin: Origin);
}

/// Forgets everything.
impl Recorder for () {
    fn record(&mut self, _: &Record, _: Origin) {}
}

/// Keeps what schedulers see, too.
impl Recorder for Vec<Record> {
    fn record(&mut self, record: &Record, _: Origin) {
        self.push(*record);
    }
}

/// Keeps everything.
impl Recorder for Vec<(Record, Origin)> {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.push((*record, origin));
    }
}
