//! Who comes when: requests at the times of the trace, followers when the events that they wait for have happened.

use std::collections::{BTreeMap, BTreeSet};

use super::{Audit, Check, Fate, ensure};
use crate::sim::{Origin, Request, RequestId, Trace};
use crate::units::Time;
use crate::workload::After;

/// Requests that are to come.
pub(super) struct Expected {
    /// When and where in the trace; what comes by itself.
    own: BTreeSet<(Time, u32)>,
    /// When, where among the followers, and after which request.
    released: BTreeSet<(Time, usize, RequestId)>,
    /// Followers that wait for an event, in their order.
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

    /// When the next one has to come.
    pub(super) fn next(&self) -> Time {
        let own = self.own.first().map_or(Time::MAX, |next| next.0);
        self.released.first().map_or(own, |next| own.min(next.0))
    }

    /// Takes the one that comes now: its place, deadline and leader.
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

    /// A request has ended.
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
            // Beyond the clock nobody comes.
            if let Some(time) = now.0.checked_add(delay.0).filter(|&time| time < u64::MAX) {
                self.released.insert((Time(time), number, leader));
            }
        }
    }
}

impl Audit<'_> {
    /// The request as it arrives now.
    pub(super) fn expect(
        &mut self,
        id: RequestId,
        origin: Origin,
        asked: Request,
        after: Option<RequestId>,
    ) -> Result<Request, String> {
        let (place, due, leader) = self.expected.take(self.trace, self.now)?;
        ensure!(origin.place == place, "request {} is of place {}, not {place}", id.0, origin.place);
        let told = asked.deadline;
        ensure!(told == due, "request {} is due at {} ps, not {} ps", id.0, told.0, due.0);
        ensure!(after == leader, "request {} comes after {after:?}, not {leader:?}", id.0);
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
        ensure!(missing >= next, "nobody arrives at {} ps, when a request comes", missing.0);
        Ok(())
    }
}
