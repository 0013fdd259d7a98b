//! What a fold knows of its run beforehand, and the questions that several folds ask of a record.

use crate::sim::{Origin, Record, Request, Trace, World};
use crate::units::Time;
use crate::workload::Qos;

/// The run that the records are of.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Platform and networks.
    pub world: &'a World,
    /// The requests, and which of them are counted.
    pub trace: &'a Trace,
    /// The QoS level of each request, by its place in the trace.
    pub qos: &'a [Qos],
}

/// A counted request whose job is done.
pub(super) struct Finished {
    /// With arrival and deadline as they came to be.
    pub(super) request: Request,
    pub(super) time: Time,
}

impl<'a> Context<'a> {
    /// The counted request that arrives with this record.
    pub(super) fn arrived(&self, record: &Record, origin: Origin) -> Option<Request> {
        match *record {
            Record::Arrival { time, deadline, .. } if origin.counted => {
                Some(Request { arrival: time, deadline, ..self.trace.requests[origin.place as usize] })
            }
            _ => None,
        }
    }

    /// The counted request that is done with this record.
    pub(super) fn finished(&self, record: &Record, origin: Origin) -> Option<Finished> {
        match *record {
            Record::Done { time, arrival, deadline, .. } if origin.counted => {
                let request = Request { arrival, deadline, ..self.trace.requests[origin.place as usize] };
                Some(Finished { request, time })
            }
            _ => None,
        }
    }

    /// The smallest vector index space that holds every tenant of the trace.
    pub(super) fn tenants(&self) -> usize {
        self.trace.requests.iter().map(|request| request.tenant as usize + 1).max().unwrap_or(0)
    }
}

impl Finished {
    pub(super) fn latency(&self) -> Time {
        self.time - self.request.arrival
    }

    /// Normalised turnaround time: latency / isolated latency.
    pub(super) fn ntt(&self, context: &Context) -> f64 {
        let isolated = context.world.networks[self.request.network as usize].isolated;
        self.latency().as_ps() / isolated.as_ps()
    }

    pub(super) fn is_met(&self) -> bool {
        self.time <= self.request.deadline
    }
}

/// The measurement window: from the arrival of the first counted request to the end of the run; empty without one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// [`Time::MAX`] before it begins.
    start: Time,
    /// [`Time::MAX`] before it ends.
    end: Time,
}

impl Window {
    /// One that has not begun.
    pub(super) fn new() -> Self {
        Self { start: Time::MAX, end: Time::MAX }
    }

    /// Begins it with the first counted request, and ends it with the run.
    pub(super) fn follow(&mut self, record: &Record, origin: Origin) {
        match *record {
            Record::Arrival { time, .. } if origin.counted => self.start = self.start.min(time),
            Record::End { time } => self.end = time,
            _ => {}
        }
    }

    pub(super) fn has_begun_by(&self, time: Time) -> bool {
        self.start <= time
    }

    /// How much of an interval that has passed lies inside.
    pub(super) fn share_of(&self, from: Time, to: Time) -> Time {
        to.saturating_sub(from.max(self.start))
    }

    /// Its length; zero as long as it is open.
    pub(super) fn length(&self) -> Time {
        if self.end == Time::MAX { Time::ZERO } else { self.end.saturating_sub(self.start) }
    }
}
