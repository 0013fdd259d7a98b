//! The decisions of each route, computed by hand. A service takes 10 everywhere; times are in picoseconds.

use mascot::serve::{Dispatcher, Wire, WireSharing};

use super::common::{CLIENT, ClientPlan, ModelPlan, NO_LINK, Plan, SitePlan, composed, delay, requests};

fn model() -> ModelPlan {
    ModelPlan::new(&[1], &[("only", 0.5, &[10])])
}

/// Sites with so long ways, each direction.
fn sites(delays: &[u64]) -> Plan {
    Plan::new(delays.iter().map(|&ps| SitePlan::behind(delay(ps))).collect(), model())
}

/// The sites of requests that arrive at some time, with a time until the deadline.
fn route(plan: &Plan, route: &str, within: u64, arrivals: impl Iterator<Item = u64>) -> Vec<usize> {
    let trace = requests(arrivals.map(|arrival| (0, arrival, arrival + within)));
    plan.run(trace, &mut composed(route, "best", "single", 7)).sites(0)
}

/// So many, each alone in the fleet.
fn apart(count: u64) -> impl Iterator<Item = u64> {
    (0..count).map(|i| i * 1000)
}

/// So many at once.
fn at_once(count: u64) -> impl Iterator<Item = u64> {
    (0..count).map(|_| 0)
}

fn share(sites: &[usize], site: usize) -> f64 {
    sites.iter().filter(|&&of| of == site).count() as f64 / sites.len() as f64
}

#[test]
fn closest_and_farthest() {
    let plan = sites(&[2, 1, 3]);
    assert_eq!(route(&plan, "closest", 99, apart(2)), [1, 1]);
    // Answers after 14, 12 and 16.
    let farthest = |within| route(&plan, "farthest", within, apart(1))[0];
    assert_eq!([farthest(16), farthest(15), farthest(13), farthest(5)], [2, 0, 1, 1]);
}

#[test]
fn round_robin_takes_turns_at_each_node() {
    let mut plan = sites(&[1, 1, 1]);
    assert_eq!(route(&plan, "round_robin", 99, at_once(5)), [0, 1, 2, 0, 1]);
    plan.clients = vec![CLIENT, ClientPlan { node: 1, ..CLIENT }];
    let trace = requests([(0, 0, 99), (1, 1, 99), (0, 2, 99), (1, 3, 99)]);
    let log = plan.run(trace, &mut composed("round_robin", "best", "single", 7));
    assert_eq!([log.sites(0), log.sites(1)], [[0, 1], [0, 1]]);
}

#[test]
fn random_routes_have_their_shares() {
    let plan = sites(&[1, 2, 3]);
    let near = |sites: &[usize], shares: [f64; 3]| {
        for (site, expected) in shares.into_iter().enumerate() {
            assert!((share(sites, site) - expected).abs() < 0.03, "site {site}: {}", share(sites, site));
        }
    };
    near(&route(&plan, "random", 99, apart(3000)), [1.0 / 3.0; 3]);
    let inverse = [1.0 / 12.0, 1.0 / 14.0, 1.0 / 16.0];
    let sum: f64 = inverse.iter().sum();
    let rule = "random_proportional_latency";
    near(&route(&plan, rule, 99, apart(3000)), inverse.map(|weight| weight / sum));
    // Only the first two fit; or none does, and all are drawn.
    near(&route(&plan, rule, 14, apart(3000)), [14.0 / 26.0, 12.0 / 26.0, 0.0]);
    near(&route(&plan, rule, 5, apart(3000)), inverse.map(|weight| weight / sum));
    let rule = "split weights = [1, 2, 1]; order = \"random\"";
    near(&route(&plan, rule, 99, apart(3000)), [0.25, 0.5, 0.25]);
}

#[test]
fn random_proportional_load_avoids_the_loaded_site() {
    let mut plan = sites(&[0, 0]);
    plan.clients = vec![CLIENT, ClientPlan { sites: vec![0], ..CLIENT }];
    // Nine requests load site 0, then one chooses: 1 / (1 + 9) against 1.
    let round = |i: u64| (0..10).map(move |k| (usize::from(k < 9), i * 1000, u64::MAX));
    let trace = requests((0..2000).flat_map(round));
    let log = plan.run(trace, &mut composed("random_proportional_load", "best", "single", 7));
    let share = share(&log.sites(0), 0);
    assert!((share - 1.0 / 11.0).abs() < 0.02, "{share}");
}

#[test]
fn load_balancing_fills_accelerators_evenly() {
    let mut plan = sites(&[0, 0]);
    plan.sites[1].accelerators = 2;
    // Backlog per accelerator before each: 0 0, 10 0, 10 5, 10 10, 20 10, 20 15, 20 20.
    assert_eq!(route(&plan, "load_balancing", 99, at_once(7)), [0, 1, 1, 0, 1, 1, 0]);
    // A site that is half as fast has twice the backlog of a request: 0 0, 20 0, 20 10, 20 20.
    let mut plan = sites(&[0, 0]);
    plan.sites[0].slowness = 2;
    assert_eq!(route(&plan, "load_balancing", 99, at_once(4)), [0, 1, 1, 0]);
}

#[test]
fn shortest_queue_counts_requests() {
    let mut plan = sites(&[0, 0, 0]);
    plan.sites[1].slowness = 5;
    assert_eq!(route(&plan, "shortest_queue", 99, at_once(4)), [0, 1, 2, 0]);
    // An order in service counts as well.
    assert_eq!(route(&plan, "shortest_queue", 99, [0, 5, 6, 11].into_iter()), [0, 1, 2, 0]);
}

#[test]
fn least_impedance_learns_from_answers() {
    let mut plan = sites(&[1, 2, 3]);
    // All are tried; then the delays are 12, 14, 16.
    assert_eq!(route(&plan, "least_impedance", 99, apart(5)), [0, 1, 2, 0, 0]);
    plan.sites[0].slowness = 2;
    assert_eq!(route(&plan, "least_impedance", 99, apart(5)), [0, 1, 2, 1, 1]);
    // Two at once: the second one takes 24. Its whole weight makes site 1 slower than the 16 of site 2, a tenth does not.
    let arrivals = || [0, 1000, 2000, 3000, 3000, 4000].into_iter();
    assert_eq!(route(&plan, "least_impedance weight = 1.0", 99, arrivals())[3..], [1, 1, 2]);
    assert_eq!(route(&plan, "least_impedance", 99, arrivals())[3..], [1, 1, 1]);
}

#[test]
fn pod_takes_the_best_of_those_drawn() {
    let plan = sites(&[0, 0, 0]);
    let all = route(&plan, "pod d = 3; by = \"number\"", 99, at_once(30));
    for round in all.chunks(3) {
        let mut round = round.to_vec();
        round.sort_unstable();
        assert_eq!(round, [0, 1, 2]);
    }
    // The first of equals is the one drawn first.
    assert!(share(&all.iter().copied().step_by(3).collect::<Vec<_>>(), 0) < 0.9);
    // Two of three by the way: the farthest is never taken, the closest in two thirds.
    let plan = sites(&[1, 2, 3]);
    let two = route(&plan, "pod", 99, apart(3000));
    assert_eq!(share(&two, 2), 0.0);
    assert!((share(&two, 0) - 2.0 / 3.0).abs() < 0.03, "{}", share(&two, 0));
    let one = route(&plan, "pod d = 1", 99, apart(3000));
    assert!((share(&one, 2) - 1.0 / 3.0).abs() < 0.03);
}

#[test]
fn eft_site_weighs_ways_against_queues() {
    // Answers at 10 or 20; 20 or 20; 30 or 20; and nothing has reached site 1 yet.
    assert_eq!(route(&sites(&[0, 5]), "eft_site", 99, at_once(4)), [0, 0, 1, 1]);
    let mut plan = sites(&[0, 0]);
    plan.sites[0].slowness = 2;
    // 20 or 10, 20 or 20, 40 or 20.
    assert_eq!(route(&plan, "eft_site", 99, at_once(3)), [1, 0, 1]);
    plan.sites[0] = SitePlan::behind(NO_LINK);
    plan.sites[0].accelerators = 2;
    // 10 or 10, 15 or 10, 15 or 20, 20 or 20.
    assert_eq!(route(&plan, "eft_site", 99, at_once(4)), [0, 1, 0, 0]);
}

#[test]
fn split_keeps_its_shares() {
    let plan = sites(&[0, 0, 0]);
    let rule = "split weights = [1, 2, 1]";
    assert_eq!(route(&plan, rule, 99, at_once(8)), [1, 0, 1, 2, 1, 0, 1, 2]);
    assert_eq!(route(&plan, "split weights = [0, 1]", 99, at_once(3)), [1, 1, 1]);
}

#[test]
fn cheaper_compares_what_answers_cost() {
    let mut plan = sites(&[2, 1, 3]);
    // All energies are zero here: the first that fits; answers after 14, 12 and 16.
    let cheaper = |plan: &Plan, within| route(plan, "cheaper", within, apart(1))[0];
    assert_eq!([cheaper(&plan, 99), cheaper(&plan, 13)], [0, 1]);
    let cost = |plan: &mut Plan, costs: [Option<f64>; 3]| {
        plan.sites.iter_mut().zip(costs).for_each(|(site, cost)| site.cost_per_s = cost);
    };
    cost(&mut plan, [Some(3.0), Some(2.0), Some(1.0)]);
    assert_eq!([99, 15, 13, 5].map(|within| cheaper(&plan, within)), [2, 1, 1, 2]);
    // A service of 40 at 1 costs more than one of 10 at 2.
    plan.sites[2].slowness = 4;
    assert_eq!(cheaper(&plan, 99), 1);
    cost(&mut plan, [Some(3.0), None, None]);
    let error = composed("cheaper", "best", "single", 1).check(&plan.model()).unwrap_err();
    assert!(error.ends_with("without: site1, site2"), "{error}");
}

/// Two sites of the edge, and a cloud far away.
fn edge_and_cloud() -> Plan {
    sites(&[0, 0, 9])
}

#[test]
fn utilization_based_leaves_a_full_edge() {
    // Nothing works; one of two; both, twice; one again.
    let arrivals = || [0, 1, 2, 3, 10].into_iter();
    let plan = edge_and_cloud();
    assert_eq!(route(&plan, "utilization_based", 99, arrivals()), [0, 1, 2, 2, 0]);
    assert_eq!(route(&plan, "utilization_based above = 0.4", 99, arrivals()), [0, 2, 2, 2, 0]);
    // A request without a size is fast enough.
    assert_eq!(route(&plan, "hybrid", 99, arrivals()), [0, 1, 2, 2, 0]);
    // 800 bits in 9 ps are 8.9e7 Mb/s. The edge has a backlog of 8 and 9, and of 17 and 8.
    let mut plan = edge_and_cloud();
    plan.clients[0].bytes[0] = 100.0;
    assert_eq!(route(&plan, "hybrid above_mbps = 8e7", 99, arrivals()), [0, 1, 2, 2, 0]);
    assert_eq!(route(&plan, "hybrid above_mbps = 1e8", 99, arrivals())[..4], [0, 1, 0, 1]);
}

#[test]
fn network_based_leaves_a_slow_cloud() {
    // 100 bytes take 100 us alone, 8 Mb/s; the second of two at once takes 200 us, 4 Mb/s, which counts for a second.
    let mut plan = sites(&[0, 0]);
    plan.clients[0].bytes[0] = 100.0;
    let link = Wire { bytes_per_ps: 1e-6, sharing: WireSharing::Fifo, ..NO_LINK };
    plan.sites[1].links[0] = vec![link];
    let arrivals = || [0, 0, 300_000_000, 2_000_000_000_000].into_iter();
    let long = 1_000_000_000_000_000;
    assert_eq!(route(&plan, "network_based", long, arrivals()), [1, 1, 0, 1]);
    assert_eq!(route(&plan, "network_based above_mbps = 3", long, arrivals()), [1, 1, 1, 1]);
    assert_eq!(route(&plan, "network_based above_mbps = 9", long, arrivals()), [0, 0, 0, 0]);
}
