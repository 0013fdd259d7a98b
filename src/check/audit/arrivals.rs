//! Checks arrivals: requests at the times of the trace, followers when the events that they wait for have happened.

use std::collections::{BTreeMap, BTreeSet};

use super::{Audit, Check, Fate, ensure};
use crate::sim::{Origin, Request, RequestId, Trace};
use crate::units::Time;
use crate::workload::After;

/// The requests that have yet to arrive.
pub(super) struct Expected {
    /// Requests that follow no others: their time and their place in the trace.
    own: BTreeSet<(Time, u32)>,
    /// Followers whose event has happened: their time, their place among the followers, and the request that they
    /// follow.
    released: BTreeSet<(Time, usize, RequestId)>,
    /// The followers that wait for each event, in order.
    waiting: BTreeMap<After, Vec<usize>>,
}

impl Expected {
    pub(super) fn new(trace: &Trace) -> Self {
        let own = trace.requests.iter().zip(0..).map(|(request, place)| (request.arrival, place));
        let mut waiting: BTreeMap<After, Vec<usize>> = BTreeMap::new();
        for (number, follower) in trace.followers.iter().enumerate() {
            waiting.entry(follower.after).or_default().push(number);
        }
        let own = own.filter(|&(arrival, _)| arrival < Time::MAX).collect();
        Self { own, released: BTreeSet::new(), waiting }
    }

    /// The time of the next arrival.
    pub(super) fn next(&self) -> Time {
        let own = self.own.first().map_or(Time::MAX, |next| next.0);
        self.released.first().map_or(own, |next| own.min(next.0))
    }

    /// Removes the request that arrives now and returns its place, its deadline, and the request that it follows.
    fn take(&mut self, trace: &Trace, now: Time) -> Result<(u32, Time, Option<RequestId>), String> {
        if let Some(&next) = self.own.first()
            && next.0 == now
        {
            self.own.remove(&next);
            return Ok((next.1, trace.requests[next.1 as usize].deadline, None));
        }
        let next = *self.released.first().ok_or("a request arrives that nobody expects")?;
        ensure!(next.0 == now, "a request arrives, but the next one comes at {} ps", self.next().0);
        self.released.remove(&next);
        let follower = &trace.followers[next.1];
        let known = &trace.requests[follower.request as usize];
        let late = now > known.deadline;
        let allowed = if late { Time::ZERO } else { follower.within.min(known.deadline - now) };
        Ok((follower.request, now + allowed, Some(next.2)))
    }

    /// Releases the followers of a request that has ended.
    fn release(&mut self, trace: &Trace, leader: RequestId, place: u32, tenant: u32, now: Time, fate: Fate) {
        let done = fate == Fate::Done;
        let mut coming = Vec::new();
        if done {
            coming.extend(self.waiting.remove(&After::Done(place)).unwrap_or_default());
        }
        if let Some(next) = self.waiting.get_mut(&After::Ended(tenant)).filter(|next| !next.is_empty()) {
            coming.push(next.remove(0));
        }
        for number in coming {
            let delay = trace.followers[number].delay;
            let delay = if done { delay } else { delay.max(Time(1)) };
            // Nothing arrives after the clock overflows.
            if let Some(time) = now.0.checked_add(delay.0).filter(|&time| time < u64::MAX) {
                self.released.insert((Time(time), number, leader));
            }
        }
    }
}

impl Audit<'_> {
    /// Checks a request that arrives now, and returns it.
    pub(super) fn expect(
        &mut self,
        id: RequestId,
        origin: Origin,
        asked: Request,
        after: Option<RequestId>,
    ) -> Result<Request, String> {
        let (place, due, leader) = self.expected.take(self.trace, self.now)?;
        ensure!(origin.place == place, "request {} is from place {}, not {place}", id.0, origin.place);
        let told = asked.deadline;
        ensure!(told == due, "request {} is due at {} ps, not {} ps", id.0, told.0, due.0);
        ensure!(after == leader, "request {} follows {after:?}, not {leader:?}", id.0);
        let in_window = self.trace.measured.contains(&(id.0 as usize)) && self.now >= self.trace.span.warmup;
        ensure!(origin.measured == in_window, "request {}: measured is {}", id.0, origin.measured);
        let known = Request { arrival: self.now, deadline: due, ..self.trace.requests[place as usize] };
        ensure!(asked == known, "request {} asks for {asked:?}, not {known:?}", id.0);
        Ok(known)
    }

    pub(super) fn release_followers(&mut self, id: RequestId, fate: Fate) {
        let job = &self.jobs[id.0 as usize];
        let (place, tenant) = (job.origin.place, job.request.tenant);
        self.expected.release(self.trace, id, place, tenant, self.now, fate);
    }

    pub(super) fn check_nobody_missing_before(&self, next: Time) -> Check {
        let missing = self.expected.next();
        ensure!(missing >= next, "no request arrives at {} ps, but one is expected", missing.0);
        Ok(())
    }
}
