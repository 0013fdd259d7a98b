//! The requests of a scenario: the tenants' arrival processes, merged in time order.
//!
//! A tenant's arrivals, networks, priorities and QoS levels come from random streams of its own, so that each is the same
//! whoever else is there and whatever the scheduler does.

use super::arrivals::{Point, Process, Rate, Setting};
use super::draw::{Draw, Draws};
use super::rates::RateChanges;
use super::scenario::Scenario;
use super::sla::Qos;
use super::tenant::Tenant;
use crate::rng;
use crate::units::Time;

/// The most requests of a run. Our choice, because it is ten times the longest run in sight and takes a gigabyte.
pub const MAX_REQUESTS: usize = 10_000_000;

/// One request as it arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The arrival time.
    pub time: Time,
    /// Index into [`Scenario::tenants`].
    pub tenant: u32,
    /// Index into [`Scenario::networks`].
    pub network: u32,
    /// Higher is more important.
    pub priority: u32,
    /// The QoS level, if the scenario gives it.
    pub qos: Option<Qos>,
    /// When the tenant's next frame is due, if its requests come in frames.
    pub next_frame: Option<Time>,
    /// The time from arrival to deadline at QoS level M, if a recording gives it.
    pub within: Option<Time>,
}

/// The requests of a scenario that follow no others, in order of (time, tenant), generated as they are read.
pub struct ArrivalStream {
    tenants: Vec<TenantStream>,
}

impl ArrivalStream {
    /// Tenant i sends `rates_per_s[i]` requests per second in the mean, and none if that is 0; tenants with fixed times
    /// keep to them. All times follow `changes`. `isolated` are the isolated latencies of the scenario's networks on the system at hand.
    pub fn new(
        scenario: &Scenario,
        rates_per_s: &[f64],
        changes: &RateChanges,
        isolated: &[Time],
        seed: u64,
    ) -> Self {
        assert_eq!(scenario.tenants.len(), rates_per_s.len(), "one rate per tenant");
        let tenants = scenario.tenants.iter().zip(rates_per_s).enumerate();
        let tenants = tenants.map(|(place, (tenant, &rate_per_s))| {
            assert!(rate_per_s.is_finite() && rate_per_s >= 0.0, "{} requests/s: {rate_per_s}", tenant.name);
            let idle = tenant.arrivals.kind().rate == Rate::Given && rate_per_s == 0.0;
            let process = (!idle).then(|| tenant.arrivals.start(&Setting { rate_per_s, isolated }));
            let warp = (!changes.is_empty()).then(|| (place, changes.clone()));
            let mut stream = TenantStream { next: None, process, warp, traits: Traits::new(tenant, seed) };
            stream.advance();
            stream
        });
        Self { tenants: tenants.collect() }
    }

    /// Draws a further request of a tenant, at a given time.
    pub(super) fn request(&mut self, tenant: u32, time: Time, next_frame: Option<Time>) -> Arrival {
        self.tenants[tenant as usize].traits.arrival(tenant, Point { next_frame, ..Point::at(time) })
    }

    /// The random numbers of a tenant's arrivals.
    pub(super) fn draws(&mut self, tenant: u32) -> &mut Draws {
        &mut self.tenants[tenant as usize].traits.draws
    }
}

impl Iterator for ArrivalStream {
    type Item = Arrival;

    /// A scan over the tenants: a scenario has tens of them, too few for a heap to pay.
    fn next(&mut self) -> Option<Arrival> {
        let points = self.tenants.iter().enumerate();
        let (_, tenant) = points.filter_map(|(i, tenant)| Some((tenant.next?.time, i))).min()?;
        let stream = &mut self.tenants[tenant];
        let point = stream.advance()?;
        Some(stream.traits.arrival(tenant as u32, point))
    }
}

/// The remaining requests of one tenant.
struct TenantStream {
    /// The next request; `None` after the last one.
    next: Option<Point>,
    process: Option<Box<dyn Process>>,
    /// Its number and the changes of rates, if there are any.
    warp: Option<(usize, RateChanges)>,
    traits: Traits,
}

impl TenantStream {
    /// Takes the next request and looks for the one after it.
    fn advance(&mut self) -> Option<Point> {
        let mut following = self.process.as_mut().and_then(|process| process.next(&mut self.traits.draws));
        if let (Some(point), Some((tenant, changes))) = (&mut following, &self.warp) {
            point.time = changes.of(*tenant, point.time);
            point.next_frame = point.next_frame.map(|frame| changes.of(*tenant, frame));
        }
        std::mem::replace(&mut self.next, following)
    }
}

/// The draws for the requests of one tenant.
pub(super) struct Traits {
    draws: Draws,
    priorities: Draw,
    qos: Option<Draw>,
}

impl Traits {
    pub(super) fn new(tenant: &Tenant, seed: u64) -> Self {
        let stream = |purpose| rng::stream(seed, purpose, &tenant.name);
        Self {
            draws: Draws { rng: stream("arrival"), networks: Draw::new(&tenant.networks, stream("network")) },
            priorities: Draw::new(&tenant.priorities, stream("priority")),
            qos: (!tenant.qos.is_empty()).then(|| Draw::new(&tenant.qos, stream("qos"))),
        }
    }

    /// The tenant's next request; what is not given is drawn. A priority is drawn even if it is not needed, so that those of
    /// the other requests are the same.
    pub(super) fn arrival(&mut self, tenant: u32, point: Point) -> Arrival {
        let Point { time, network, next_frame, priority, within } = point;
        let drawn = self.priorities.next();
        Arrival {
            time,
            tenant,
            network: network.unwrap_or_else(|| self.draws.networks.next()),
            priority: priority.unwrap_or(drawn),
            qos: self.qos.as_mut().map(|qos| Qos::ALL[qos.next() as usize]),
            next_frame,
            within,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{Arrivals, SlaTerms, Tenant, Utility, Variant, Weighted};

    const SEED: u64 = 3;

    fn choices(pairs: &[(u32, f64)]) -> Vec<Weighted> {
        pairs.iter().map(|&(value, weight)| Weighted { value, weight }).collect()
    }

    /// A tenant that asks for networks 0 (one in four) and 1, with PREMA's priorities.
    fn tenant(name: &str, weight: f64) -> Tenant {
        Tenant {
            name: name.into(),
            networks: choices(&[(0, 1.0), (1, 3.0)]),
            targets: Vec::new(),
            weight,
            arrivals: Arrivals::default(),
            priorities: choices(&[(1, 1.0), (3, 1.0), (9, 1.0)]),
            qos: Vec::new(),
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

    fn scenario(tenants: &[(&str, f64)]) -> Scenario {
        Scenario {
            name: "test".into(),
            source: String::new(),
            networks: ["small", "large"].map(|name| Variant { network: name.into(), batch: 1 }).to_vec(),
            models: Vec::new(),
            tenants: tenants.iter().map(|&(name, weight)| tenant(name, weight)).collect(),
            stages: Vec::new(),
        }
    }

    /// The first requests of networks of 1 and 2 ms.
    fn first(scenario: &Scenario, rates_per_s: &[f64], seed: u64, count: usize) -> Vec<Arrival> {
        let isolated = [1_000.0, 2_000.0].map(Time::from_us);
        ArrivalStream::new(scenario, rates_per_s, &RateChanges::default(), &isolated, seed)
            .take(count)
            .collect()
    }

    /// The part of a trace that belongs to one tenant, without its id.
    fn of(trace: &[Arrival], tenant: u32) -> Vec<(Time, u32, u32)> {
        let own = trace.iter().filter(|arrival| arrival.tenant == tenant);
        own.map(|arrival| (arrival.time, arrival.network, arrival.priority)).collect()
    }

    fn chi_square(counts: &[usize], shares: &[f64]) -> f64 {
        let total: usize = counts.iter().sum();
        let term = |(&count, share): (&usize, &f64)| {
            let expected = share * total as f64;
            (count as f64 - expected).powi(2) / expected
        };
        counts.iter().zip(shares).map(term).sum()
    }

    #[test]
    fn a_trace_is_sorted_and_belongs_to_its_seed() {
        let pair = scenario(&[("a", 1.0), ("b", 2.0)]);
        let once = first(&pair, &[100.0, 200.0], SEED, 1_000);
        assert_eq!(once.len(), 1_000);
        assert!(once.is_sorted_by_key(|arrival| (arrival.time, arrival.tenant)));
        assert_eq!(once, first(&pair, &[100.0, 200.0], SEED, 1_000));
        assert_ne!(once, first(&pair, &[100.0, 200.0], SEED + 1, 1_000));
    }

    #[test]
    fn another_tenant_leaves_the_arrivals_of_the_others_alone() {
        let alone = first(&scenario(&[("a", 1.0)]), &[100.0], SEED, 200);
        let idle = first(&scenario(&[("idle", 1.0), ("a", 1.0)]), &[0.0, 100.0], SEED, 200);
        assert_eq!(of(&alone, 0), of(&idle, 1));
        let busy = first(&scenario(&[("busy", 1.0), ("a", 1.0)]), &[300.0, 100.0], SEED, 400);
        let own = of(&busy, 1);
        assert!(own.len() > 50);
        assert_eq!(of(&alone, 0)[..own.len()], own);
    }

    #[test]
    fn permuting_the_tenants_permutes_their_ids() {
        let forth = first(&scenario(&[("a", 1.0), ("b", 1.0)]), &[100.0, 300.0], SEED, 500);
        let back = first(&scenario(&[("b", 1.0), ("a", 1.0)]), &[300.0, 100.0], SEED, 500);
        let renamed = |arrival: &Arrival| Arrival { tenant: 1 - arrival.tenant, ..*arrival };
        assert_eq!(forth, back.iter().map(renamed).collect::<Vec<_>>());
    }

    #[test]
    fn tenants_networks_and_priorities_come_in_their_shares() {
        // The weights of MoCA's mixed set.
        let weights = [12.0, 18.0, 16.0, 30.0, 21.0, 18.0, 25.0];
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        let mixed = scenario(&names.into_iter().zip(weights).collect::<Vec<_>>());
        let trace = first(&mixed, &mixed.rates_per_s(1_000.0), SEED, 20_000);
        let count = |key: fn(&Arrival) -> u32, value: u32| trace.iter().filter(|a| key(a) == value).count();
        let tenants: Vec<usize> = (0..7).map(|tenant| count(|a| a.tenant, tenant)).collect();
        let networks = [0, 1].map(|network| count(|a| a.network, network));
        let priorities = [1, 3, 9].map(|priority| count(|a| a.priority, priority));
        // The 0.1 % critical values at 6, 1 and 2 degrees of freedom.
        assert!(chi_square(&tenants, &mixed.tenant_shares()) < 22.46, "{tenants:?}");
        assert!(chi_square(&networks, &mixed.network_shares()) < 10.83, "{networks:?}");
        assert!(chi_square(&priorities, &[1.0 / 3.0; 3]) < 13.82, "{priorities:?}");
    }
}
