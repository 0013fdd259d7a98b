//! Arrivals: requests at the times of the trace, and followers that the end of another request has released.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use super::super::{JobId, Origin, Record, Recorder, Request, RequestId, Trace};
use super::Engine;
use crate::units::Time;
use crate::workload::{After, Late};

#[derive(Debug)]
pub(super) struct Arrivals {
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

impl Arrivals {
    pub(super) fn new(trace: &Trace) -> Self {
        let released = BinaryHeap::new();
        let mut arrivals = Self { next_time: Time::MAX, next: 0, arrived: 0, released, loops: trace.loops() };
        arrivals.look_ahead(trace);
        arrivals
    }

    /// The next arrival; [`Time::MAX`] if no request is known to arrive.
    pub(super) fn next_time(&self) -> Time {
        self.next_time
    }

    fn look_ahead(&mut self, trace: &Trace) {
        let own = trace.requests.get(self.next).map_or(Time::MAX, |request| request.arrival);
        self.next_time = self.released.peek().map_or(own, |Reverse((time, ..))| own.min(*time));
    }

    /// The id of the request that arrives now.
    pub(super) fn next_id(&mut self) -> u32 {
        self.arrived += 1;
        self.arrived - 1
    }

    /// Cancels all arrivals to come.
    pub(super) fn forget(&mut self) {
        self.next_time = Time::MAX;
        self.released.clear();
        self.loops.clear();
    }
}

impl Engine {
    pub(super) fn admit_arrivals(&mut self, out: &mut dyn Recorder) {
        if self.now < self.arrivals.next_time {
            return;
        }
        while let Some(&request) =
            self.trace.requests.get(self.arrivals.next).filter(|r| r.arrival == self.now)
        {
            let place = self.arrivals.next as u32;
            self.arrivals.next += 1;
            self.admit(place, request, None, out);
        }
        while let Some(&Reverse((time, follower, leader))) = self.arrivals.released.peek() {
            if time > self.now {
                break;
            }
            self.arrivals.released.pop();
            let follower = self.trace.followers[follower];
            let request = follower.arriving(&self.trace.requests[follower.request as usize], self.now);
            self.admit(follower.request, request, Some(leader), out);
        }
        self.arrivals.look_ahead(&self.trace);
    }

    fn admit(&mut self, place: u32, request: Request, after: Option<RequestId>, out: &mut dyn Recorder) {
        let id = self.arrivals.next_id();
        let origin = Origin { place, measured: self.trace.is_measured(RequestId(id), self.now) };
        self.insert(id, origin, request, after, out);
    }

    pub(super) fn insert(
        &mut self,
        id: u32,
        origin: Origin,
        request: Request,
        after: Option<RequestId>,
        out: &mut dyn Recorder,
    ) {
        let network = &self.world.networks[request.network as usize];
        self.jobs.insert(JobId(id), origin, request, network);
        if self.rules.late.of(request.tenant) == Late::Abort {
            self.deadlines.push(Reverse((request.deadline, RequestId(id))));
        }
        self.changes.ready_grew = true;
        self.changes.arrival_or_completion = true;
        let arrival = Record::Arrival { request: RequestId(id), job: JobId(id), asked: request, after };
        out.record(&arrival, origin);
    }

    /// Releases the followers of a request that has ended; they can arrive at once if it is done. Most traces have no
    /// followers, and pay nothing for this.
    #[cold]
    pub(super) fn release_followers(&mut self, leader: RequestId, place: u32, tenant: u32, done: bool) {
        // Requests are dropped only after the arrivals of the same instant.
        let earliest = if done { self.now } else { self.now + Time(1) };
        let stages = if done { self.trace.after(After::Done(place)) } else { 0..0 };
        let next = self.arrivals.loops.get_mut(tenant as usize).and_then(Iterator::next);
        for follower in stages.chain(next) {
            let delay = self.trace.followers[follower].delay;
            let time = Time(self.now.0.saturating_add(delay.0)).max(earliest);
            self.arrivals.released.push(Reverse((time, follower, leader)));
        }
        self.arrivals.look_ahead(&self.trace);
    }
}
