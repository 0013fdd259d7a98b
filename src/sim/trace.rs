//! The requests of a run: those that arrive at a fixed time, and those that follow others.
//!
//! Every request has a fixed place in its trace. Its [`RequestId`] is its number in the order in which requests
//! actually arrive, which equals the place if no request follows another. So a scheduler cannot infer from ids what is
//! to come.
//!
//! A follower arrives with a delay after an event that the trace names ([`After`]). A stage of a cascade follows the
//! stage before it, once that is done for the same input. The next request of a closed loop follows the end of a
//! request of the same tenant. A stage whose leader is dropped never arrives. Everything random about followers is
//! drawn when the trace is made.

use std::ops::Range;

use super::RequestId;
use crate::units::Time;
use crate::workload::{After, Qos};

/// A request of the trace: what a tenant asks for, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The tenant that sends the request, by number.
    pub tenant: u32,
    /// Index into [`super::World::networks`].
    pub network: u32,
    /// Priority; a larger one is more important.
    pub priority: u32,
    /// The QoS level: how strict the deadline is.
    pub qos: Qos,
    /// Arrival time a; [`Time::MAX`] in the trace if the request follows another.
    pub arrival: Time,
    /// Deadline d.
    pub deadline: Time,
}

impl Request {
    /// Whether the request meets its deadline if it is done at this time. Being done exactly at the deadline meets it;
    /// a request that is dropped, or never done, misses it.
    pub fn is_met_at(&self, done: Time) -> bool {
        done <= self.deadline
    }
}

/// How one request follows another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Follower {
    /// The event that the follower waits for.
    pub after: After,
    /// The follower's own place in the trace.
    pub request: u32,
    /// The delay from that event to the follower's arrival.
    pub delay: Time,
    /// Relative deadline: the follower is due so long after its arrival, or at its deadline in the trace if that is
    /// earlier.
    pub within: Time,
}

impl Follower {
    /// The follower as a request that arrives now. One that arrives after its deadline is due at once.
    pub(super) fn arriving(&self, request: &Request, now: Time) -> Request {
        let due = Time(now.0.saturating_add(self.within.0)).min(request.deadline);
        Request { arrival: now, deadline: due.max(now), ..*request }
    }
}

/// The measurement window and the end of a run that is limited by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Requests that arrive before this time are not measured.
    pub warmup: Time,
    /// The run ends at this time, whatever is unfinished; [`Time::MAX`] if it ends with its last measured request.
    pub end: Time,
}

impl Default for Span {
    fn default() -> Self {
        Self { warmup: Time::ZERO, end: Time::MAX }
    }
}

/// The requests of a run, and which of them are measured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// All requests, sorted by arrival, so that followers come last.
    pub requests: Vec<Request>,
    /// Ids of the measured requests: those before warm the system up, those after keep it loaded.
    pub measured: Range<usize>,
    /// The followers, sorted by the event that they wait for.
    pub followers: Vec<Follower>,
    /// The measurement window and the end of the run, where time decides them.
    pub span: Span,
}

impl Trace {
    /// Whether the request that arrives with this id at this time belongs to the measurement window.
    pub fn is_measured(&self, request: RequestId, arrival: Time) -> bool {
        self.measured.contains(&(request.0 as usize)) && arrival >= self.span.warmup
    }

    /// The requests of the measurement window; complete only if no request follows another.
    pub fn measured_requests(&self) -> impl Iterator<Item = &Request> {
        let measured = self.requests[self.measured.clone()].iter();
        measured.filter(|request| request.arrival >= self.span.warmup)
    }

    /// Whether the run ends at a fixed time.
    pub fn has_end(&self) -> bool {
        self.span.end < Time::MAX
    }

    /// The range of the followers of an event.
    pub(crate) fn after(&self, event: After) -> Range<usize> {
        let from = self.followers.partition_point(|follower| follower.after < event);
        let count = self.followers[from..].partition_point(|follower| follower.after == event);
        from..from + count
    }

    /// For each tenant, the range of the followers that the ends of its requests bring; empty if there are none.
    pub(super) fn loops(&self) -> Vec<Range<usize>> {
        let tenant = |follower: &Follower| match follower.after {
            After::Ended(tenant) => Some(tenant),
            After::Done(_) => None,
        };
        let tenants = self.followers.iter().filter_map(tenant).max().map_or(0, |last| last + 1);
        (0..tenants).map(|tenant| self.after(After::Ended(tenant))).collect()
    }

    /// Panics if the trace breaks one of its invariants.
    pub(crate) fn check(&self) {
        assert!(self.requests.is_sorted_by_key(|request| request.arrival), "a trace is sorted by arrival");
        assert!(self.followers.is_sorted_by_key(|follower| follower.after), "followers are sorted by event");
        let comes_by_itself = |place: u32| self.requests[place as usize].arrival < Time::MAX;
        let stray = self.followers.iter().find(|follower| comes_by_itself(follower.request));
        assert!(stray.is_none(), "{stray:?} has an arrival of its own");
    }
}
