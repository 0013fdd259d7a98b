//! The stream of records of a fleet.

use super::static_model::Hop;
use crate::sim::{self, JobId, Operations, Origin, Request, RequestId};
use crate::units::{Picojoules, Time};

/// Why a request was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Its deadline passed under `late = abort`.
    Late,
    /// The dispatcher rejected it.
    Dispatcher,
    /// The scheduler of its site gave its order up.
    Scheduler,
}

/// One event of a fleet. Records come in the order of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Record {
    /// A request arrived at its node.
    Arrived {
        /// The request's id.
        request: RequestId,
        /// What it asks for: the network is the most accurate variant at batch 1.
        asked: Request,
        /// The request whose end it has waited for.
        after: Option<RequestId>,
    },
    /// The dispatcher decided on the view at `time`.
    Decided {
        /// When the view was taken.
        time: Time,
        /// Charged latency; the actions take effect that much later.
        latency: Time,
        /// Charged energy.
        energy: Picojoules,
        /// The operations that are charged.
        operations: Operations,
    },
    /// A request left its node for a site.
    Sent {
        /// The time of the event.
        time: Time,
        /// The request's id.
        request: RequestId,
        /// The site, by number.
        site: usize,
    },
    /// The weights of a variant are there from now on, or no longer, at a site with a memory for them.
    Weights {
        /// The time of the event.
        time: Time,
        /// The site, by number.
        site: usize,
        /// The model, by number.
        model: usize,
        /// The variant, by number.
        variant: usize,
        /// Whether they are there now; else they have made room.
        there: bool,
    },
    /// A request was delivered to its site and queued.
    Queued {
        /// The time of the event.
        time: Time,
        /// The request's id.
        request: RequestId,
        /// The site, by number.
        site: usize,
    },
    /// An order was launched. The records [`Record::Member`] of its requests follow.
    Launched {
        /// The time of the event.
        time: Time,
        /// The site, by number.
        site: usize,
        /// The order's number at its site.
        order: JobId,
        /// The model, by number.
        model: usize,
        /// The variant, by number.
        variant: usize,
        /// The size of the batch that runs, with padding.
        batch: u32,
        /// The number of requests in it.
        requests: u32,
        /// Whether the dispatcher picked them; else they are those that were delivered first.
        picked: bool,
    },
    /// A request is in the order that was launched last.
    Member {
        /// The time of the event.
        time: Time,
        /// The request's id.
        request: RequestId,
        /// The site, by number.
        site: usize,
        /// The order's number at its site.
        order: JobId,
    },
    /// Something happened inside a site, to orders.
    Site {
        /// The site, by number.
        site: usize,
        /// What happened.
        record: sim::Record,
    },
    /// The order of a request is done, and its answer leaves the site.
    Served {
        /// The time of the event.
        time: Time,
        /// The request's id.
        request: RequestId,
        /// The site, by number.
        site: usize,
    },
    /// The answer arrived at the node.
    Answered {
        /// The time of the event.
        time: Time,
        /// The request's id.
        request: RequestId,
        /// What it asked for.
        asked: Request,
        /// The site that served it, by number.
        site: usize,
        /// The variant, by number.
        variant: usize,
        /// The size of the batch that ran.
        batch: u32,
        /// The accuracy of the variant.
        accuracy: f64,
    },
    /// A request was given up.
    Lost {
        /// The time of the event.
        time: Time,
        /// The request's id.
        request: RequestId,
        /// What it asked for.
        asked: Request,
        /// Why.
        reason: Loss,
        /// Whether it was in service, and a layer of its order had started.
        begun: bool,
    },
    /// One direction of a link changed, unseen by dispatchers. What changes at a site is a record of that site.
    Drift {
        /// The time of the event.
        time: Time,
        /// The wire, by number.
        wire: Hop,
        /// Its rate from now on.
        bytes_per_ps: f64,
        /// Its delay from now on.
        delay: Time,
    },
    /// A request or an answer began to cross a link.
    Hop {
        /// The time of the event.
        time: Time,
        /// The request's id.
        request: RequestId,
        /// The direction of a link, by number.
        wire: Hop,
        /// Its size.
        bytes: f64,
    },
    /// Every measured request has ended, or the time of the run is over.
    End {
        /// The time of the event.
        time: Time,
    },
}

impl Record {
    /// The time of the event.
    pub fn time(&self) -> Time {
        match *self {
            Self::Arrived { asked, .. } => asked.arrival,
            Self::Site { record, .. } => record.time(),
            Self::Decided { time, .. }
            | Self::Sent { time, .. }
            | Self::Hop { time, .. }
            | Self::Queued { time, .. }
            | Self::Weights { time, .. }
            | Self::Launched { time, .. }
            | Self::Member { time, .. }
            | Self::Served { time, .. }
            | Self::Answered { time, .. }
            | Self::Lost { time, .. }
            | Self::Drift { time, .. }
            | Self::End { time } => time,
        }
    }
}

/// A receiver of the records of a fleet.
pub trait Recorder {
    /// Called once per record, in order. `origin` is that of the request that the record is about. In records of sites it
    /// names the request to which the layers of an order are booked by its id; so do those of launches.
    fn record(&mut self, record: &Record, origin: Origin);
}

/// A recorder that keeps nothing.
impl Recorder for () {
    fn record(&mut self, _: &Record, _: Origin) {}
}

/// A recorder that keeps every record with its origin.
impl Recorder for Vec<(Record, Origin)> {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.push((*record, origin));
    }
}
