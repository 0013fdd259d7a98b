//! The request trace: the tenants' arrival streams, merged in time order.
//!
//! A tenant's arrivals, networks and priorities come from three random streams of its own, so that each is the same
//! whoever else is there and whatever the scheduler does. Times are rounded to picoseconds; a stream ends where the
//! clock does.

use rand_chacha::ChaCha8Rng;
use rand_distr::Distribution;
use rand_distr::weighted::WeightedIndex;

use super::process::Arrivals;
use super::scenario::Scenario;
use super::tenant::Weighted;
use crate::rng;
use crate::units::Time;

/// One request as it arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When.
    pub time: Time,
    /// Index into [`Scenario::tenants`].
    pub tenant: u32,
    /// Index into [`Scenario::networks`].
    pub network: u32,
    /// Higher is more important.
    pub priority: u32,
}

/// The endless trace of a scenario in order of (time, tenant), generated as it is read.
#[derive(Clone, Debug)]
pub struct ArrivalStream {
    tenants: Vec<TenantStream>,
}

impl ArrivalStream {
    /// The trace in which tenant i sends `rates_per_s[i]` requests per second in the mean; a tenant with rate 0 is
    /// idle.
    pub fn new(scenario: &Scenario, rates_per_s: &[f64], seed: u64) -> Self {
        assert_eq!(scenario.tenants.len(), rates_per_s.len(), "one rate per tenant");
        let tenants = scenario.tenants.iter().zip(rates_per_s).map(|(tenant, &rate_per_s)| {
            assert!(rate_per_s.is_finite() && rate_per_s >= 0.0, "{} requests/s: {rate_per_s}", tenant.name);
            let mut stream = TenantStream {
                next: None,
                rate_per_s,
                process: tenant.arrivals.clone(),
                gaps: rng::stream(seed, "arrival", &tenant.name),
                networks: Draw::new(&tenant.networks, rng::stream(seed, "network", &tenant.name)),
                priorities: Draw::new(&tenant.priorities, rng::stream(seed, "priority", &tenant.name)),
            };
            if rate_per_s > 0.0 {
                stream.advance(Time::ZERO);
            }
            stream
        });
        Self { tenants: tenants.collect() }
    }
}

impl Iterator for ArrivalStream {
    type Item = Arrival;

    /// A scan over the tenants: a scenario has tens of them, too few for a heap to pay.
    fn next(&mut self) -> Option<Arrival> {
        let times = self.tenants.iter().enumerate();
        let (time, tenant) = times.filter_map(|(i, tenant)| Some((tenant.next?, i))).min()?;
        let stream = &mut self.tenants[tenant];
        stream.advance(time);
        Some(Arrival {
            time,
            tenant: tenant as u32,
            network: stream.networks.next(),
            priority: stream.priorities.next(),
        })
    }
}

/// The first `count` requests of a scenario; fewer only where all streams end before.
pub fn trace(scenario: &Scenario, rates_per_s: &[f64], seed: u64, count: usize) -> Vec<Arrival> {
    ArrivalStream::new(scenario, rates_per_s, seed).take(count).collect()
}

/// What is still to come from one tenant.
#[derive(Clone, Debug)]
struct TenantStream {
    /// `None` where nothing comes any more.
    next: Option<Time>,
    rate_per_s: f64,
    process: Arrivals,
    gaps: ChaCha8Rng,
    networks: Draw,
    priorities: Draw,
}

impl TenantStream {
    fn advance(&mut self, from: Time) {
        let gap = Time::from_s(self.process.next_gap_s(self.rate_per_s, &mut self.gaps));
        self.next = from.0.checked_add(gap.0).map(Time).filter(|&time| time < Time::MAX);
    }
}

/// Independent draws among weighted values.
#[derive(Clone, Debug)]
struct Draw {
    values: Vec<u32>,
    index: WeightedIndex<f64>,
    rng: ChaCha8Rng,
}

impl Draw {
    fn new(choices: &[Weighted], rng: ChaCha8Rng) -> Self {
        let index = WeightedIndex::new(choices.iter().map(|choice| choice.weight));
        let index = index.expect("a scenario has at least one choice, and weights from 1e-6 to 1e6");
        Self { values: choices.iter().map(|choice| choice.value).collect(), index, rng }
    }

    fn next(&mut self) -> u32 {
        self.values[self.index.sample(&mut self.rng)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{SlaTerms, Tenant};

    const SEED: u64 = 3;

    fn choices(pairs: &[(u32, f64)]) -> Vec<Weighted> {
        pairs.iter().map(|&(value, weight)| Weighted { value, weight }).collect()
    }

    /// A tenant that asks for networks 0 (one in four) and 1, with PREMA's priorities.
    fn tenant(name: &str, weight: f64) -> Tenant {
        Tenant {
            name: name.into(),
            networks: choices(&[(0, 1.0), (1, 3.0)]),
            weight,
            arrivals: Arrivals::default(),
            priorities: choices(&[(1, 1.0), (3, 1.0), (9, 1.0)]),
            sla: SlaTerms::default(),
        }
    }

    fn scenario(tenants: &[(&str, f64)]) -> Scenario {
        Scenario {
            name: "test".into(),
            source: String::new(),
            networks: vec!["small".into(), "large".into()],
            tenants: tenants.iter().map(|&(name, weight)| tenant(name, weight)).collect(),
        }
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
        let first = trace(&pair, &[100.0, 200.0], SEED, 1_000);
        assert_eq!(first.len(), 1_000);
        assert!(first.is_sorted_by_key(|arrival| (arrival.time, arrival.tenant)));
        assert_eq!(first, trace(&pair, &[100.0, 200.0], SEED, 1_000));
        assert_ne!(first, trace(&pair, &[100.0, 200.0], SEED + 1, 1_000));
    }

    #[test]
    fn a_copy_of_a_half_read_stream_goes_on_alike() {
        let mut stream = ArrivalStream::new(&scenario(&[("a", 1.0), ("b", 2.0)]), &[100.0, 200.0], SEED);
        stream.nth(99);
        assert!(stream.clone().take(100).eq(stream.take(100)));
    }

    #[test]
    fn another_tenant_leaves_the_arrivals_of_the_others_alone() {
        let alone = trace(&scenario(&[("a", 1.0)]), &[100.0], SEED, 200);
        let idle = trace(&scenario(&[("idle", 1.0), ("a", 1.0)]), &[0.0, 100.0], SEED, 200);
        assert_eq!(of(&alone, 0), of(&idle, 1));
        let busy = trace(&scenario(&[("busy", 1.0), ("a", 1.0)]), &[300.0, 100.0], SEED, 400);
        let own = of(&busy, 1);
        assert!(own.len() > 50);
        assert_eq!(of(&alone, 0)[..own.len()], own);
    }

    #[test]
    fn permuting_the_tenants_permutes_their_ids() {
        let forth = trace(&scenario(&[("a", 1.0), ("b", 1.0)]), &[100.0, 300.0], SEED, 500);
        let back = trace(&scenario(&[("b", 1.0), ("a", 1.0)]), &[300.0, 100.0], SEED, 500);
        let renamed = |arrival: &Arrival| Arrival { tenant: 1 - arrival.tenant, ..*arrival };
        assert_eq!(forth, back.iter().map(renamed).collect::<Vec<_>>());
    }

    #[test]
    fn tenants_networks_and_priorities_come_in_their_shares() {
        // The weights of MoCA's mixed set.
        let weights = [12.0, 18.0, 16.0, 30.0, 21.0, 18.0, 25.0];
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        let mixed = scenario(&names.into_iter().zip(weights).collect::<Vec<_>>());
        let trace = trace(&mixed, &mixed.rates_per_s(1_000.0), SEED, 20_000);
        let count = |key: fn(&Arrival) -> u32, value: u32| trace.iter().filter(|a| key(a) == value).count();
        let tenants: Vec<usize> = (0..7).map(|tenant| count(|a| a.tenant, tenant)).collect();
        let networks = [0, 1].map(|network| count(|a| a.network, network));
        let priorities = [1, 3, 9].map(|priority| count(|a| a.priority, priority));
        // The 0.1 % critical values at 6, 1 and 2 degrees of freedom.
        assert!(chi_square(&tenants, &mixed.tenant_shares()) < 22.46, "{tenants:?}");
        assert!(chi_square(&networks, &mixed.network_shares()) < 10.83, "{networks:?}");
        assert!(chi_square(&priorities, &[1.0 / 3.0; 3]) < 13.82, "{priorities:?}");
    }

    #[test]
    fn a_stream_ends_with_the_clock() {
        let pair = scenario(&[("rare", 1.0)]);
        assert_eq!(trace(&pair, &[1e-12], SEED, 10), []);
    }
}
