//! The requests of a run: those that come at a time of their own, and those that follow others.
//!
//! A request has a place in its trace, whatever happens. Its [`RequestId`] is its number in the order in which requests
//! really arrive: its place where no request follows another. So a scheduler cannot tell from ids what is to come.
//!
//! A follower arrives a delay after an event that the trace names ([`After`]): a stage of a cascade when the stage before
//! it is done for the same input, the next request of a closed loop when one of its tenant ends. A stage whose leader is
//! dropped never comes. Everything random about followers is drawn when the trace is made.

use std::ops::Range;

use super::RequestId;
use crate::units::Time;
use crate::workload::{After, Qos};

/// What is asked: a request of the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who sent it.
    pub tenant: u32,
    /// Index into [`super::World::networks`].
    pub network: u32,
    /// Larger is more important.
    pub priority: u32,
    /// How strict its deadline is.
    pub qos: Qos,
    /// a; [`Time::MAX`] in the trace where it follows another.
    pub arrival: Time,
    /// d.
    pub deadline: Time,
}

impl Request {
    /// Whether it meets its deadline if it is done at this time: at its deadline it does. A request that is dropped, or
    /// never done, misses it.
    pub fn is_met_at(&self, done: Time) -> bool {
        done <= self.deadline
    }
}

/// How a request follows others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Follower {
    /// What it waits for.
    pub after: After,
    /// Its own place.
    pub request: u32,
    /// From that event to its arrival.
    pub delay: Time,
    /// It is due so long after its arrival, or at the deadline in the trace if that is earlier.
    pub within: Time,
}

impl Follower {
    /// The request, arriving now. What arrives after its deadline is due at once.
    pub(super) fn arriving(&self, request: &Request, now: Time) -> Request {
        let due = Time(now.0.saturating_add(self.within.0)).min(request.deadline);
        Request { arrival: now, deadline: due.max(now), ..*request }
    }
}

/// From when on requests are measured and when the run ends, where time decides that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Requests that arrive before are not measured.
    pub warmup: Time,
    /// The run ends then, whatever is unfinished; [`Time::MAX`] where it ends with its last measured request.
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
    /// Sorted by arrival, so that followers are last.
    pub requests: Vec<Request>,
    /// The ids of the measurement window: requests before warm the system up, those after keep it loaded.
    pub measured: Range<usize>,
    /// Sorted by what they wait for.
    pub followers: Vec<Follower>,
    /// The end of the run, if it has a time.
    pub span: Span,
}

impl Trace {
    /// Whether a request that arrives as this one at this time belongs to the measurement window.
    pub fn is_measured(&self, request: RequestId, arrival: Time) -> bool {
        self.measured.contains(&(request.0 as usize)) && arrival >= self.span.warmup
    }

    /// The requests of the measurement window; all that there are where none follows another.
    pub fn measured_requests(&self) -> impl Iterator<Item = &Request> {
        let measured = self.requests[self.measured.clone()].iter();
        measured.filter(|request| request.arrival >= self.span.warmup)
    }

    /// Whether the run ends at a time of its own.
    pub fn has_end(&self) -> bool {
        self.span.end < Time::MAX
    }

    /// Where the followers of an event are.
    pub(crate) fn after(&self, event: After) -> Range<usize> {
        let from = self.followers.partition_point(|follower| follower.after < event);
        let count = self.followers[from..].partition_point(|follower| follower.after == event);
        from..from + count
    }

    /// By tenant: the followers that its ends bring; empty without any.
    pub(super) fn loops(&self) -> Vec<Range<usize>> {
        let tenant = |follower: &Follower| match follower.after {
            After::Ended(tenant) => Some(tenant),
            After::Done(_) => None,
        };
        let tenants = self.followers.iter().filter_map(tenant).max().map_or(0, |last| last + 1);
        (0..tenants).map(|tenant| self.after(After::Ended(tenant))).collect()
    }

    /// Panics on what no trace may be.
    pub(crate) fn check(&self) {
        assert!(self.requests.is_sorted_by_key(|request| request.arrival), "a trace is sorted by arrival");
        assert!(self.followers.is_sorted_by_key(|follower| follower.after), "followers are sorted by event");
        let comes_by_itself = |place: u32| self.requests[place as usize].arrival < Time::MAX;
        let stray = self.followers.iter().find(|follower| comes_by_itself(follower.request));
        assert!(stray.is_none(), "{stray:?} has an arrival of its own");
    }
}
