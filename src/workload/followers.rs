//! All requests of a run: those of the arrival processes, and those that follow others (`closed_loop`, `cascade`).
//!
//! A follower has no time before the run. Everything else about it, whether there is one included, is drawn here from the
//! streams of its tenant, so that it is the same whatever the scheduler does. Requests have places: those that come by
//! themselves in the order of arrival, then the followers.

use super::arrivals::{Cascade, ClosedLoop};
use super::scenario::{Scenario, Stage};
use super::stream::{Arrival, ArrivalStream};
use crate::units::Time;

/// What a follower waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum After {
    /// The request at this place is done.
    Done(u32),
    /// A request of this tenant ends, done or dropped. Each such event brings one follower, in their order.
    Ended(u32),
}

/// A request that follows others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Follower {
    /// What it waits for.
    pub after: After,
    /// From that event to its arrival.
    pub delay: Time,
    /// What it is. Its time and its next frame are those of the request at the source of a cascade.
    pub arrival: Arrival,
}

/// How far the requests of a run reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// So many requests come by themselves, and a closed loop has as many to send.
    Requests(usize),
    /// The requests of so long a time from the start.
    Until(Time),
}

/// A closed loop has this many times the requests that it could send on a system of its own: those that are dropped end
/// sooner than any that are served. Chosen here.
const SPARE_REQUESTS: f64 = 2.0;

/// The requests of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// Those that come by themselves, in order of arrival.
    pub own: Vec<Arrival>,
    /// Those that follow others; their places come after the last of `own`.
    pub followers: Vec<Follower>,
}

impl Offer {
    /// As [`ArrivalStream::new`], to some extent.
    pub fn new(
        scenario: &Scenario,
        rates_per_s: &[f64],
        isolated: &[Time],
        seed: u64,
        extent: Extent,
    ) -> Self {
        let mut stream = ArrivalStream::new(scenario, rates_per_s, isolated, seed);
        let loops = scenario.tenants.iter().filter_map(|tenant| tenant.arrivals.closed_loop());
        let first: usize = loops.map(|law| law.in_flight as usize).sum();
        let own = match extent {
            Extent::Requests(requests) => stream.by_ref().take(requests + first).collect(),
            Extent::Until(end) => stream.by_ref().take_while(|arrival| arrival.time < end).collect(),
        };
        let mut offer = Self { own, followers: Vec::new() };
        for (place, tenant) in (0..).zip(&scenario.tenants) {
            if let Some(law) = tenant.arrivals.closed_loop() {
                offer.add_loop(&mut stream, place, law, isolated, extent);
            }
        }
        for stage in &scenario.stages {
            let law = scenario.tenants[stage.tenant as usize].arrivals.cascade();
            offer.add_stage(&mut stream, stage, law.expect("stages are the tenants with cascades"));
        }
        offer
    }

    /// All requests in the order of their places.
    pub fn requests(&self) -> impl Iterator<Item = &Arrival> {
        self.own.iter().chain(self.followers.iter().map(|follower| &follower.arrival))
    }

    fn add_loop(
        &mut self,
        stream: &mut ArrivalStream,
        tenant: u32,
        law: &ClosedLoop,
        isolated: &[Time],
        extent: Extent,
    ) {
        let (mut sent, mut user_time_ps) = (0, 0.0);
        while match extent {
            Extent::Requests(requests) => sent < requests,
            Extent::Until(end) => user_time_ps < SPARE_REQUESTS * f64::from(law.in_flight) * end.as_ps(),
        } {
            let delay = law.think(stream.draws(tenant));
            let arrival = stream.request(tenant, Time::ZERO, None);
            sent += 1;
            user_time_ps += (isolated[arrival.network as usize] + delay).as_ps();
            self.followers.push(Follower { after: After::Ended(tenant), delay, arrival });
        }
    }

    fn add_stage(&mut self, stream: &mut ArrivalStream, stage: &Stage, law: &Cascade) {
        let leaders = (0..).zip(self.requests()).filter(|(_, leader)| leader.tenant == stage.after);
        let leaders: Vec<(u32, Arrival)> = leaders.map(|(place, leader)| (place, *leader)).collect();
        for (place, leader) in leaders {
            if law.comes(stream.draws(stage.tenant)) {
                let arrival = stream.request(stage.tenant, leader.time, leader.next_frame);
                self.followers.push(Follower { after: After::Done(place), delay: Time::ZERO, arrival });
            }
        }
    }
}
