//! Links: the formulas of one link, exact laws of several, and the laws of fleets that they allow.

use mascot::serve::{Record, Wire, WireSharing};
use mascot::units::Time;

use super::common::{CLIENT, ClientPlan, Log, ModelPlan, NO_LINK, Plan, SitePlan, composed, delay, requests};
use super::stations::{Delays, UNIT, exponential, poisson};

/// A link on which a unit of bytes takes a unit of time.
fn link(sharing: WireSharing) -> Wire {
    Wire { bytes_per_ps: 1.0, delay: Time::ZERO, sharing }
}

/// A site that answers at once behind these links, for messages of these sizes.
fn behind(there: &[Wire], sizes: &[f64]) -> Plan {
    let site = SitePlan {
        accelerators: 1,
        slots: u32::MAX,
        slowness: 1,
        cost_per_s: None,
        memory: None,
        links: [there.to_vec(), vec![NO_LINK]],
    };
    let client = |&size: &f64| ClientPlan { bytes: [size * UNIT, 0.0], ..CLIENT };
    let model = ModelPlan::new(&[1], &[("only", 1.0, &[1])]);
    Plan { clients: sizes.iter().map(client).collect(), ..Plan::new(vec![site], model) }
}

fn delays(plan: &Plan, rate: f64) -> Delays {
    Delays::of(plan, poisson(rate, plan.clients.len(), None), &mut composed("closest", "best", "single", 1))
}

#[test]
fn one_link_is_a_queue_or_a_shared_processor() {
    for rho in [0.5, 0.7] {
        // M/D/1 (Pollaczek and Khinchine); processor sharing for any law of sizes.
        let fifo = delays(&behind(&[link(WireSharing::Fifo)], &[1.0]), rho);
        fifo.mean().check(&format!("fifo at {rho}"), 1.0 + rho / (2.0 * (1.0 - rho)), 0.05);
        for sizes in [vec![1.0], exponential(256)] {
            let ps = delays(&behind(&[link(WireSharing::Ps)], &sizes), rho);
            let case = format!("ps at {rho}, {} sizes", sizes.len());
            ps.mean().check(&case, 1.0 / (1.0 - rho), 0.1);
        }
        let none = delays(&behind(&[link(WireSharing::None)], &[1.0]), rho);
        assert!(none.mean().half_width < 1e-3 && (none.mean().mean - 1.0).abs() < 1e-3);
    }
}

#[test]
fn nobody_waits_at_the_second_of_two_equal_links() {
    let fifo = link(WireSharing::Fifo);
    let (one, two) = (delays(&behind(&[fifo], &[1.0]), 0.7), delays(&behind(&[fifo, fifo], &[1.0]), 0.7));
    for (one, two) in one.delays.iter().zip(&two.delays).filter_map(|(one, two)| Some((*one, (*two)?))) {
        // The service of one picosecond may make them meet at the site.
        assert!((two - one.expect("it is not later") - 1.0).abs() < 1e-5, "{one:?}, {two}");
    }
}

#[test]
fn a_link_in_two_parts_is_one_link() {
    for sharing in [WireSharing::Ps, WireSharing::Fifo, WireSharing::None] {
        let whole = Wire { delay: Time(3_000_000), ..link(sharing) };
        let parts = [Wire { delay: Time(1_500_000), ..whole }, delay(1_500_000)];
        let sizes = [0.3, 1.0, 1.7];
        let (whole, parts) = (behind(&[whole], &sizes), behind(&parts, &sizes));
        assert!(delays(&whole, 0.6).delays == delays(&parts, 0.6).delays, "{sharing:?}");
    }
}

#[test]
fn a_round_trip_without_load_is_the_sum_of_its_parts() {
    for sharing in [WireSharing::Ps, WireSharing::Fifo, WireSharing::None] {
        let wire = |delay, bytes_per_ps| Wire { delay: Time(delay), bytes_per_ps, sharing };
        let site = SitePlan {
            links: [vec![wire(1_000, 0.125), wire(20_000, 0.5)], vec![wire(300_000, 0.25)]],
            ..SitePlan::behind(NO_LINK)
        };
        let client = ClientPlan { bytes: [4_096.0, 512.0], ..CLIENT };
        let model = ModelPlan::new(&[1], &[("only", 1.0, &[7])]);
        let plan = Plan { clients: vec![client], ..Plan::new(vec![site], model) };
        let run =
            Delays::of(&plan, requests([(0, 5, u64::MAX)]), &mut composed("closest", "best", "single", 1));
        // 4,096 bytes at 0.125 and 0.5, 512 bytes at 0.25.
        let sum = 1_000 + 32_768 + 20_000 + 8_192 + 7 + 300_000 + 2_048;
        assert_eq!(run.delays, [Some(f64::from(sum) / UNIT)], "{sharing:?}");
    }
}

/// Three sites of different speed behind different ways, loaded.
fn three() -> Plan {
    let site = |delay_ps, slowness| SitePlan { slowness, ..SitePlan::behind(delay(delay_ps)) };
    let model = ModelPlan::new(&[1, 2], &[("only", 1.0, &[50, 70])]);
    Plan::new(vec![site(11, 3), site(23, 2), site(37, 1)], model)
}

fn play(plan: &Plan, route: &str) -> Log {
    let trace = requests((0..500).map(|i| (0, i * 29 + i * i % 17, u64::MAX)));
    plan.run(trace, &mut composed(route, "best", "greedy", 1))
}

/// What happened to requests, whatever the order within an instant and the number of comparisons.
fn story(log: &Log) -> Vec<String> {
    let of_request = |record: &Record| {
        !matches!(record, Record::Site { .. } | Record::Decided { .. } | Record::Hop { .. })
    };
    let records = log.0.iter().filter(|(record, _)| of_request(record));
    let mut story: Vec<String> = records.map(|record| format!("{record:?}")).collect();
    story.sort_unstable();
    story
}

#[test]
fn permuted_sites_change_numbers_only() {
    let places = [2, 0, 1];
    let (plan, mut permuted) = (three(), three());
    permuted.sites = places.iter().map(|&place| plan.sites[place].clone()).collect();
    // Ways and speeds differ, so that no ties are broken by numbers.
    for route in ["closest", "eft_site"] {
        let (one, other) = (play(&plan, route), play(&permuted, route));
        assert_eq!(one.sites(0), other.sites(0).iter().map(|&site| places[site]).collect::<Vec<_>>());
        let [mut one, mut other] = [one.orders(), other.orders()];
        one.sort_unstable();
        other.sort_unstable();
        assert!(one == other, "{route}");
    }
}

#[test]
fn an_idle_site_far_away_changes_nothing() {
    let (plan, mut larger) = (three(), three());
    larger.sites.push(SitePlan::behind(delay(1_000_000)));
    assert!(story(&play(&plan, "closest")) == story(&play(&larger, "closest")));
}

#[test]
fn links_without_limits_are_no_links() {
    let plan = Plan::new(vec![SitePlan::behind(NO_LINK)], three().models[0].clone());
    let mut without = plan.clone();
    without.sites[0].links = [Vec::new(), Vec::new()];
    assert!(story(&play(&plan, "closest")) == story(&play(&without, "closest")));
}
