//! Draws the parts that only some cases have: requests that follow others, tenants with a late rule of their own, and
//! an end at a time.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use super::draw::Draw;
use crate::sim::{Follower, LateRules, Request, Span, Trace};
use crate::units::Time;
use crate::workload::{After, Late};

/// How often each request of a case follows another, and which tenant is a closed loop of how many.
struct Habits {
    stages: f64,
    tenant: Option<u32>,
    in_flight: usize,
}

impl Habits {
    fn any(rng: &mut ChaCha8Rng) -> Self {
        Self {
            stages: [0.0, 0.2, 0.7][rng.random_range(0..3)],
            tenant: rng.random_bool(0.5).then(|| rng.random_range(0..4)),
            in_flight: rng.random_range(1..=4),
        }
    }
}

impl Draw {
    /// The same requests, some of which now follow others.
    pub(super) fn with_followers(&self, trace: Trace) -> Trace {
        let rng = &mut self.stream("followers");
        if rng.random_bool(0.5) {
            return trace;
        }
        let habits = Habits::any(rng);
        let mut looping = 0;
        let after: Vec<Option<After>> = (0..)
            .zip(&trace.requests)
            .map(|(place, request): (u32, &Request)| {
                if Some(request.tenant) == habits.tenant {
                    looping += 1;
                    return (looping > habits.in_flight).then_some(After::Ended(request.tenant));
                }
                (place > 0 && rng.random_bool(habits.stages)).then(|| After::Done(rng.random_range(0..place)))
            })
            .collect();
        self.reorder(rng, &trace, &after)
    }

    /// Puts followers last; `after` refers to the places before the reordering.
    fn reorder(&self, rng: &mut ChaCha8Rng, trace: &Trace, after: &[Option<After>]) -> Trace {
        let (followers, own): (Vec<usize>, Vec<usize>) =
            (0..after.len()).partition(|&place| after[place].is_some());
        let order: Vec<usize> = own.iter().chain(&followers).copied().collect();
        let mut requests: Vec<Request> = order.iter().map(|&place| trace.requests[place]).collect();
        let place_of =
            |before: u32| order.iter().position(|&place| place == before as usize).unwrap_or(0) as u32;
        let mut follow = Vec::with_capacity(followers.len());
        for (place, &before) in (own.len()..).zip(&followers) {
            let request = &mut requests[place];
            let within = request.deadline - request.arrival;
            let (late, relative) = (rng.random_bool(0.5), rng.random_bool(0.7));
            request.arrival = Time::MAX;
            request.deadline = if relative { Time::MAX } else { request.deadline };
            let wait = self.time(rng, 0.5);
            follow.push(Follower {
                after: match after[before] {
                    Some(After::Done(leader)) => After::Done(place_of(leader)),
                    Some(ended) => ended,
                    None => continue,
                },
                request: place as u32,
                delay: if late { wait } else { Time::ZERO },
                within: if relative { within } else { Time::MAX },
            });
        }
        follow.sort_by_key(|follower| follower.after);
        Trace { requests, followers: follow, measured: trace.measured.clone(), span: trace.span }
    }

    /// The span of the run, which in some cases ends at a time.
    pub(super) fn span(&self, trace: &Trace) -> Span {
        let rng = &mut self.stream("span");
        if rng.random_bool(0.75) {
            return Span::default();
        }
        let times = trace.requests.iter().map(|request| request.arrival).filter(|&time| time < Time::MAX);
        let last = times.max().unwrap_or_default();
        let end = last.scale(rng.random_range(0.0..1.2)) + self.time(rng, 1.0).max(Time(1));
        Span { warmup: end.scale(rng.random_range(0.0..0.6)), end }
    }

    /// The late rules, with a rule of their own for some tenants.
    pub(super) fn late_rules(&self, rules: LateRules) -> LateRules {
        let rng = &mut self.stream("late");
        if rng.random_bool(0.6) {
            return rules;
        }
        let own = |_| [None, Some(Late::Finish), Some(Late::Abort)][rng.random_range(0..3)];
        LateRules { own: (0..4).map(own).collect(), ..rules }
    }
}
