//! All requests of a run: those of the arrival processes, and those that follow others (`closed_loop`, `cascade`).
//!
//! A follower has no arrival time before the run. Everything else about it, including whether it exists, is drawn here
//! from the streams of its tenant, so that it is the same for every scheduler. The requests that follow no others have
//! the first places, in the order of arrival; then come the followers.

use super::arrivals::{Cascade, ClosedLoop};
use super::rates::RateChanges;
use super::scenario::{Scenario, Stage};
use super::stream::{Arrival, ArrivalStream};
use crate::units::Time;

/// The event that a follower waits for.
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
    /// The event that the follower waits for.
    pub after: After,
    /// The delay from that event to the follower's arrival.
    pub delay: Time,
    /// The request itself. Its time and its next frame are those of the request at the source of the cascade.
    pub arrival: Arrival,
}

/// The extent of the requests of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// This many requests that follow no others; a closed loop has as many to send.
    Requests(usize),
    /// The requests up to this time, with spare ones in closed loops.
    Until(Time),
    /// The requests up to this time without spare ones: each tenant at the rate that it would have on a system of its
    /// own.
    Sample(Time),
}

/// A closed loop has this many times the requests that it could send on a system of its own. Our choice, because
/// dropped requests end sooner than served ones.
const SPARE_REQUESTS: f64 = 2.0;

/// The requests of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// The requests that follow no others, in order of arrival.
    pub own: Vec<Arrival>,
    /// The followers; their places come after the last of `own`.
    pub followers: Vec<Follower>,
}

impl Offer {
    /// Draws the requests as [`ArrivalStream::new`], to the given extent.
    pub fn new(
        scenario: &Scenario,
        rates_per_s: &[f64],
        changes: &RateChanges,
        isolated: &[Time],
        seed: u64,
        extent: Extent,
    ) -> Self {
        let mut stream = ArrivalStream::new(scenario, rates_per_s, changes, isolated, seed);
        let loops = scenario.tenants.iter().filter_map(|tenant| tenant.arrivals.closed_loop());
        let first: usize = loops.map(|law| law.in_flight as usize).sum();
        let own = match extent {
            Extent::Requests(requests) => stream.by_ref().take(requests + first).collect(),
            Extent::Until(end) | Extent::Sample(end) => {
                stream.by_ref().take_while(|arrival| arrival.time < end).collect()
            }
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
        let users = f64::from(law.in_flight);
        let (mut sent, mut user_time_ps) = (0, 0.0);
        while match extent {
            Extent::Requests(requests) => sent < requests,
            Extent::Until(end) => user_time_ps < SPARE_REQUESTS * users * end.as_ps(),
            Extent::Sample(end) => user_time_ps < users * end.as_ps(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{Arrivals, SlaTerms, Tenant, Utility, Variant, Weighted};

    fn tenant(name: &str, arrivals: &str) -> Tenant {
        Tenant {
            name: name.into(),
            networks: [0, 1].map(|value| Weighted { value, weight: 1.0 }).to_vec(),
            weight: 1.0,
            arrivals: Arrivals::read(&arrivals.parse().expect("valid TOML")).expect("valid keys"),
            priorities: vec![Weighted { value: 1, weight: 1.0 }],
            qos: Vec::new(),
            targets: Vec::new(),
            sla: SlaTerms::default(),
            late: None,
            pin_weights: false,
            target_hit_rate: None,
            firm: None,
            model: None,
            node: None,
            input_bytes: 0.0,
            output_bytes: 0.0,
            utility: Utility::default(),
            min_accuracy: None,
        }
    }

    const CAMERA: &str = "kind = 'periodic'\nfps = 100\njitter_us = 500";

    /// A camera, and a tenant after it.
    fn camera_and(probability: f64) -> Scenario {
        let cascade = format!("kind = 'cascade'\nafter = 'camera'\nprobability = {probability}");
        Scenario {
            name: "test".into(),
            source: String::new(),
            networks: ["small", "large"].map(|name| Variant { network: name.into(), batch: 1 }).to_vec(),
            models: Vec::new(),
            tenants: vec![tenant("camera", CAMERA), tenant("faces", &cascade)],
            stages: vec![Stage { tenant: 1, after: 0, probability }],
        }
    }

    fn looping(keys: &str) -> Scenario {
        let tenants = vec![tenant("users", &format!("kind = 'closed_loop'\nin_flight = 3\n{keys}"))];
        Scenario { tenants, stages: Vec::new(), ..camera_and(0.0) }
    }

    /// Networks of 1 and 3 ms.
    fn offer(scenario: &Scenario, seed: u64, extent: Extent) -> Offer {
        let isolated = [1_000.0, 3_000.0].map(Time::from_us);
        Offer::new(scenario, &scenario.rates_per_s(0.0), &RateChanges::default(), &isolated, seed, extent)
    }

    #[test]
    fn stages_come_with_their_probability_and_leave_the_frames_alone() {
        let offers = [0.0, 0.2, 1.0].map(|p| offer(&camera_and(p), 1, Extent::Requests(20_000)));
        assert_eq!((offers[0].followers.len(), offers[2].followers.len()), (0, 20_000));
        // Four standard deviations of the binomial distribution: 1 in 16,000.
        let some = offers[1].followers.len() as f64;
        assert!((some - 4_000.0).abs() < 4.0 * (20_000.0 * 0.2 * 0.8f64).sqrt(), "{some}");
        assert!(offers.iter().all(|offer| offer.own == offers[0].own && offer.own.len() == 20_000));
        for follower in &offers[1].followers {
            let After::Done(place) = follower.after else { panic!("{follower:?}") };
            let frame = &offers[1].own[place as usize];
            assert_eq!((follower.arrival.tenant, follower.delay), (1, Time::ZERO));
            assert_eq!((follower.arrival.time, follower.arrival.next_frame), (frame.time, frame.next_frame));
        }
        assert_ne!(offers[1], offer(&camera_and(0.2), 2, Extent::Requests(20_000)));
    }

    #[test]
    fn a_stage_after_a_stage_follows_the_followers() {
        let mut scenario = camera_and(1.0);
        scenario.tenants.push(tenant("names", "kind = 'cascade'\nafter = 'faces'"));
        scenario.stages.push(Stage { tenant: 2, after: 1, probability: 1.0 });
        let offer = offer(&scenario, 1, Extent::Until(Time::from_s(0.045)));
        // Places 0 to 4 are frames, 5 to 9 faces, 10 to 14 names.
        let after: Vec<After> = offer.followers.iter().map(|follower| follower.after).collect();
        assert_eq!(after, (0..10).map(After::Done).collect::<Vec<_>>());
        assert_eq!((scenario.source_of(2), scenario.has_frames(2)), (0, true));
        assert_eq!(scenario.rates_per_s(0.0).len(), 3);
    }

    #[test]
    fn a_loop_has_as_many_requests_as_are_asked_for_or_twice_what_it_could_send() {
        let fixed = offer(&looping("think_us = 1000"), 1, Extent::Requests(50));
        assert_eq!((fixed.own.len(), fixed.followers.len()), (3, 50));
        let alike = |follower: &Follower| {
            (follower.after, follower.delay) == (After::Ended(0), Time::from_us(1_000.0))
        };
        assert!(fixed.followers.iter().all(alike));
        // 3 users x 2 x 1 s / (2 + 1 ms) in the mean, with a standard deviation of 1 ms each.
        let sent = offer(&looping("think_us = 1000"), 1, Extent::Until(Time::from_s(1.0))).followers.len();
        assert!((sent as f64 - 2_000.0).abs() < 4.0 * 2_000f64.sqrt() / 3.0, "{sent}");
    }

    #[test]
    fn a_sample_has_no_spare_requests() {
        let of = |extent| offer(&looping("think_us = 1000"), 1, extent).followers.len() as f64;
        let ratio = of(Extent::Until(Time::from_s(1.0))) / of(Extent::Sample(Time::from_s(1.0)));
        assert!((ratio - 2.0).abs() < 0.1, "{ratio}");
    }

    #[test]
    fn shares_and_rates_of_stages_are_those_before_them_times_the_probability() {
        let mut scenario = camera_and(0.5);
        assert_eq!(scenario.tenant_shares(), [2.0 / 3.0, 1.0 / 3.0]);
        // A camera has its own rate, whatever the load.
        assert_eq!(scenario.rates_per_s(90.0), [100.0, 50.0]);
        scenario.tenants[0] = tenant("users", "kind = 'poisson'");
        assert_eq!(scenario.rates_per_s(90.0), [60.0, 30.0]);
    }
}
