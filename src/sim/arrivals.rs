//! Arrivals: requests at the times of the trace, and followers that the end of another request has released.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use super::{Request, RequestId, Trace};
use crate::units::Time;
use crate::workload::After;

/// The arrivals of a run that are still to come.
#[derive(Debug)]
pub(crate) struct Arrivals {
    /// When the next request arrives, as far as that is known; [`Time::MAX`] if none does. For most events a comparison
    /// with it is enough, without a look into the trace.
    next_time: Time,
    /// The place in the trace of the next request that follows no other.
    next: usize,
    /// Number of requests that have arrived, which is the id of the next one.
    arrived: u32,
    /// Released followers: the arrival, the place among the followers, and the request whose end released it.
    released: BinaryHeap<Reverse<(Time, usize, RequestId)>>,
    /// For each tenant, the followers that the ends of its requests have yet to bring.
    loops: Vec<Range<usize>>,
}

clone_by_field!(Arrivals { next_time, next, arrived, released, loops });

/// A request that arrives.
pub(crate) struct Arriving {
    /// Its place in the trace.
    pub(crate) place: u32,
    /// What it asks for.
    pub(crate) request: Request,
    /// The request whose end it has waited for.
    pub(crate) after: Option<RequestId>,
}

/// The end of a request.
pub(crate) struct Ended {
    /// The request.
    pub(crate) id: RequestId,
    /// Its place in the trace.
    pub(crate) place: u32,
    /// Its tenant.
    pub(crate) tenant: u32,
    /// Whether it is done; else it was dropped.
    pub(crate) done: bool,
}

impl Arrivals {
    pub(crate) fn new(trace: &Trace) -> Self {
        let released = BinaryHeap::new();
        let mut arrivals = Self { next_time: Time::MAX, next: 0, arrived: 0, released, loops: trace.loops() };
        arrivals.look_ahead(trace);
        arrivals
    }

    /// The next arrival; [`Time::MAX`] if no request is known to arrive.
    pub(crate) fn next_time(&self) -> Time {
        self.next_time
    }

    fn look_ahead(&mut self, trace: &Trace) {
        let own = trace.requests.get(self.next).map_or(Time::MAX, |request| request.arrival);
        self.next_time = self.released.peek().map_or(own, |Reverse((time, ..))| own.min(*time));
    }

    /// The id of the request that arrives now.
    pub(crate) fn next_id(&mut self) -> u32 {
        self.arrived += 1;
        self.arrived - 1
    }

    /// Cancels all arrivals to come.
    pub(super) fn forget(&mut self) {
        self.next_time = Time::MAX;
        self.released.clear();
        self.loops.clear();
    }

    /// The next of the requests that arrive now, followers last.
    pub(crate) fn take(&mut self, trace: &Trace, now: Time) -> Option<Arriving> {
        if now < self.next_time {
            return None;
        }
        let arriving = match trace.requests.get(self.next).filter(|request| request.arrival == now) {
            Some(&request) => {
                self.next += 1;
                Arriving { place: self.next as u32 - 1, request, after: None }
            }
            None => {
                let Reverse((_, follower, leader)) = self.released.pop()?;
                let follower = trace.followers[follower];
                let request = follower.arriving(&trace.requests[follower.request as usize], now);
                Arriving { place: follower.request, request, after: Some(leader) }
            }
        };
        self.look_ahead(trace);
        Some(arriving)
    }

    /// Releases the followers of a request that has ended; they can arrive at once if it is done. Most traces have no
    /// followers, and need not call this.
    #[cold]
    pub(crate) fn release(&mut self, trace: &Trace, ended: &Ended, now: Time) {
        // Requests are dropped only after the arrivals of the same instant.
        let earliest = if ended.done { now } else { now + Time(1) };
        let stages = if ended.done { trace.after(After::Done(ended.place)) } else { 0..0 };
        let next = self.loops.get_mut(ended.tenant as usize).and_then(Iterator::next);
        for follower in stages.chain(next) {
            let delay = trace.followers[follower].delay;
            let time = Time(now.0.saturating_add(delay.0)).max(earliest);
            self.released.push(Reverse((time, follower, ended.id)));
        }
        self.look_ahead(trace);
    }
}
