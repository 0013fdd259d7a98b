//! What a fold knows of its run beforehand, and the questions that several folds ask of a record.

use crate::sim::{JobId, Record, Request, RequestId, Trace, World};
use crate::units::Time;
use crate::workload::Qos;

/// The run that the records are of.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Platform and networks.
    pub world: &'a World,
    /// The requests, and which of them are counted.
    pub trace: &'a Trace,
    /// The QoS level of each request.
    pub qos: &'a [Qos],
}

/// A counted request whose job is done.
pub(super) struct Finished<'a> {
    pub(super) request: &'a Request,
    pub(super) time: Time,
}

impl<'a> Context<'a> {
    /// The request that a job serves: today one job per request, with the same number.
    pub(super) fn request_of(&self, job: JobId) -> RequestId {
        RequestId(job.0)
    }

    /// The counted request that arrives with this record.
    pub(super) fn arrived(&self, record: &Record) -> Option<&'a Request> {
        match *record {
            Record::Arrival { request, .. } if self.trace.counts(request) => {
                Some(self.trace.request(request))
            }
            _ => None,
        }
    }

    /// The counted request that is done with this record.
    pub(super) fn finished(&self, record: &Record) -> Option<Finished<'a>> {
        match *record {
            Record::Done { time, request, .. } if self.trace.counts(request) => {
                Some(Finished { request: self.trace.request(request), time })
            }
            _ => None,
        }
    }

    /// The smallest vector index space that holds every tenant of the trace.
    pub(super) fn tenants(&self) -> usize {
        self.trace.requests.iter().map(|request| request.tenant as usize + 1).max().unwrap_or(0)
    }

    /// The measurement window, open until [`Window::close`].
    pub(super) fn window(&self) -> Window {
        let first = self.trace.requests.get(self.trace.counted.clone()).and_then(<[_]>::first);
        Window { start: first.map_or(Time::MAX, |request| request.arrival), end: Time::MAX }
    }
}

impl Finished<'_> {
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
    start: Time,
    end: Time,
}

impl Window {
    /// Ends it with the run; other records leave it alone.
    pub(super) fn close(&mut self, record: &Record) {
        if let Record::End { time } = *record {
            self.end = time;
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
