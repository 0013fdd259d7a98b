//! Runs on several memories: worked out by hand. `check::properties::memories` has the laws.

use std::sync::Arc;

use super::*;
use crate::check::{ends_ns, layer, network_to_accelerator, plain_rules, platform, records, request, world};
use crate::sim::{Decision, LayerModel, Platform, View};
use crate::units::Time;

/// Two memories that share so many bytes/ns in these parts, with an accelerator each, and a link of so many bytes/ns
/// between them, on which a byte costs 2 pJ.
fn two(bandwidth: f64, parts: [f64; 2], link: f64, placement: Placement) -> Platform {
    let mut platform = platform(2, bandwidth);
    platform.memories = Arc::new(Memories {
        names: vec!["west".into(), "east".into()],
        shares: parts.to_vec(),
        of: vec![0, 1],
        links: vec![Link { between: [0, 1], bytes_per_ps: link / 1e3, pj_per_byte: 2.0 }],
        placement,
    });
    platform
}

/// A network of one layer of c 10 ns and so many bytes/ns.
fn one(demand: f64) -> Vec<LayerModel> {
    vec![layer(&[], &[(10.0, demand); 2])]
}

/// When two such networks end that start together, each on the accelerator of its number.
fn ends(platform: Platform, demands: [f64; 2]) -> Vec<f64> {
    let world = world(platform, &[&one(demands[0]), &one(demands[1])]);
    ends_ns(&records(&world, &[request(0, 0.0), request(1, 0.0)], plain_rules(), network_to_accelerator))
}

#[test]
fn local_data_share_nothing_across_memories() {
    // 20 bytes/ns for each: 200 bytes take 10 ns beside whatever there is; 400 take 20.
    assert_eq!(ends(two(40.0, [0.5, 0.5], 1.0, Placement::Local), [20.0, 40.0]), [10.0, 20.0]);
    // On one memory they would take an equal share each until the first ends.
    assert_eq!(ends(platform(2, 40.0), [20.0, 40.0]), [10.0, 15.0]);
    // 30 and 10 bytes/ns.
    assert_eq!(ends(two(40.0, [0.75, 0.25], 1.0, Placement::Local), [20.0, 40.0]), [10.0, 40.0]);
}

#[test]
fn rules_see_the_domain_in_which_layers_compete() {
    let local = two(40.0, [0.75, 0.25], 1.0, Placement::Local);
    assert_eq!((local.domains(), [0, 1].map(|m| local.memory_of(m))), (2, [0, 1]));
    assert_eq!([0, 1].map(|m| local.bandwidth(m)), [0.03, 0.01]);
    for placement in [Placement::Home, Placement::Interleaved] {
        let any = two(40.0, [0.75, 0.25], 1.0, placement);
        assert_eq!((any.domains(), [0, 1].map(|m| any.memory_of(m))), (1, [0, 0]));
        assert_eq!([0, 1].map(|m| any.bandwidth(m)), [0.04, 0.04]);
    }
}

/// Every network runs where it does not live.
fn away(view: &View, out: &mut Decision) {
    for sub in view.sub_jobs() {
        out.assign(sub.id, 1 - view.job_of(sub).network as usize, 0.0);
    }
}

#[test]
fn a_link_that_is_the_bottleneck_gives_each_half() {
    let run = |link, decide: fn(&View, &mut Decision)| {
        let world = world(two(40.0, [0.5, 0.5], link, Placement::Home), &[&one(20.0), &one(20.0)]);
        ends_ns(&records(&world, &[request(0, 0.0), request(1, 0.0)], plain_rules(), decide))
    };
    // At home, 200 bytes of each take 10 ns. Away, 400 bytes cross the link: 400 / link, and no less than 10 ns.
    assert_eq!(run(5.0, network_to_accelerator), [10.0, 10.0]);
    for (link, expected) in [(5.0, 80.0), (10.0, 40.0), (32.0, 12.5), (40.0, 10.0), (f64::INFINITY, 10.0)] {
        assert_eq!(run(link, away), [expected; 2], "{link}");
    }
}

#[test]
fn alone_a_layer_takes_what_its_slowest_resource_does() {
    let alone = |platform: Platform| {
        let world = world(platform, &[&one(20.0), &one(20.0)]);
        world.networks.iter().map(|network| network.alone(0).to_vec()).collect::<Vec<_>>()
    };
    let ns = |times: [[u64; 2]; 2]| times.map(|row| row.map(|ns| Time(ns * 1_000)).to_vec()).to_vec();
    // Memories of 10 and 30 bytes/ns behind a link of 8: 200 bytes.
    let platform = |placement| two(40.0, [0.25, 0.75], 8.0, placement);
    assert_eq!(alone(platform(Placement::Local)), ns([[20, 10], [20, 10]]));
    assert_eq!(alone(platform(Placement::Home)), ns([[20, 25], [25, 10]]));
    // From the west 150 bytes cross, from the east 50; no memory is slower than 10 ns, as all 40 bytes/ns are there.
    let expected = [[Time(18_750), Time(10_000)]; 2].map(|row| row.to_vec()).to_vec();
    assert_eq!(alone(platform(Placement::Interleaved)), expected);
}

#[test]
fn bytes_that_cross_cost_energy() {
    let energy = |placement| {
        let world = world(two(40.0, [0.25, 0.75], 8.0, placement), &[&one(20.0), &one(20.0)]);
        let of =
            |network: usize, m| world.networks[network].cost(0, m).map_or(f64::NAN, |cost| cost.energy.0);
        [of(0, 0), of(0, 1), of(1, 0), of(1, 1)]
    };
    // 1 pJ, and 2 pJ for each of 200 bytes that cross.
    assert_eq!(energy(Placement::Local), [1.0; 4]);
    assert_eq!(energy(Placement::Home), [1.0, 401.0, 401.0, 1.0]);
    assert_eq!(energy(Placement::Interleaved), [301.0, 101.0, 301.0, 101.0]);
}

#[test]
fn a_way_over_several_links_takes_them_all() {
    let mut platform = platform(3, 30.0);
    let link = |between, bytes_per_ps, pj_per_byte| Link { between, bytes_per_ps, pj_per_byte };
    platform.memories = Arc::new(Memories {
        names: ["a", "b", "c"].map(String::from).to_vec(),
        shares: vec![1.0 / 3.0; 3],
        of: vec![0, 1, 2],
        links: vec![link([0, 1], 0.004, 1.0), link([2, 1], 0.002, 3.0)],
        placement: Placement::Home,
    });
    // Network 2 lives in c: from a over both links.
    let way = platform.memories.way(2, 0, platform.bandwidth_bytes_per_ps);
    let uses = vec![0.0, 0.0, 1.0, 1.0, 1.0];
    let expected = Way { bandwidth_bytes_per_ps: 0.002, crossing: 1.0, link_pj_per_byte: 4.0, uses };
    assert_eq!(way, expected);
    assert_eq!(platform.memories.resources(), ["a", "b", "c", "a-b", "c-b"]);
}
