//! Estimates that learn: the ratios by hand, and what views make of them.

use super::super::super::*;
use super::variation::end_in_a_roll_out;
use super::{Arc, Time, layer, plain_rules, platform, records, request, trace, world};
use crate::check::testing::Script;

/// Rules under which layers take so many times as long as the tables say, by network and accelerator, and estimates learn.
fn learning(factors: &[&[f64]]) -> Rules {
    let paces = factors.iter().map(|factors| factors.iter().map(|factor| 1.0 / factor).collect()).collect();
    Rules { variation: Variation::constant(paces).estimated_by(Estimates::Ewma), ..plain_rules() }
}

/// (network, accelerator, ratio) of each correction.
fn corrections(records: &[Record]) -> Vec<(u32, usize, f64)> {
    let of = |record: &Record| match *record {
        Record::Corrected { network, accelerator, ratio, .. } => Some((network, accelerator, ratio)),
        _ => None,
    };
    records.iter().filter_map(of).collect()
}

#[test]
fn a_bias_of_two_is_learnt_geometrically() {
    let world = world(platform(1, 10.0), &[&[layer(&[], &[(8.0, 2.0)])]]);
    let requests = [0.0, 100.0, 200.0, 300.0].map(|at| request(0, at));
    let mut seen = Vec::new();
    let records = records(&world, &requests, learning(&[&[2.0]]), |view, out| {
        for sub in view.sub_jobs() {
            let job = view.job_of(sub);
            let isolated = view.network_of(job).isolated;
            seen.push([
                view.alone(sub, 0),
                Some(job.remaining_best),
                Some(job.shortest_left),
                Some(isolated),
            ]);
            out.assign(sub.id, 0, 0.0);
        }
    });
    // r = 2 - (7/8)^n after n layers, and c is 8 ns.
    let ratios = [1.125, 1.234375, 1.330078125, 1.413818359375];
    assert_eq!(corrections(&records), ratios.map(|ratio| (0, 0, ratio)));
    assert_eq!(seen, [8_000, 9_000, 9_875, 10_641].map(|ps| [Some(Time(ps)); 4]));
    // What really happens costs what it did.
    let facts = |record: &Record| match *record {
        Record::Start { alone, .. } => Some(alone),
        Record::Finish { time, start, .. } => Some(time - start),
        _ => None,
    };
    let facts: Vec<Time> = records.iter().filter_map(facts).collect();
    assert_eq!(facts, [[Time(8_000), Time(16_000)]; 4].concat());
}

#[test]
fn accelerators_of_a_model_learn_together_and_bytes_stay() {
    // m0 and m1 are of one model. Layers of network 0 take twice c there; on m2, 120 bytes take 12 ns at any rate.
    let mut platform = platform(3, 10.0);
    platform.accelerators[1].model = 0;
    let costs = [(8.0, 1.0), (8.0, 1.0), (4.0, 30.0)];
    let world = world(platform, &[&[layer(&[], &costs)], &[layer(&[], &costs)]]);
    let rules = learning(&[&[2.0, 2.0, 2.0], &[1.0, 1.0, 1.0]]);
    let mut seen = Vec::new();
    let requests = [0.0, 100.0, 200.0, 300.0].map(|at| request(0, at));
    let made = records(&world, &requests, rules, |view, out| {
        for sub in view.sub_jobs() {
            let bytes = view.world().networks.iter().map(|network| network.total_bytes);
            seen.push((view.alone_on_each(sub).to_vec(), view.corrections(), bytes.collect::<Vec<_>>()));
            assert_eq!(view.world().networks[1].total_best, Time(8_000));
            out.assign(sub.id, [0, 2, 1, 0][sub.id.job.0 as usize], 0.0);
        }
    });
    assert_eq!(corrections(&made), [(0, 0, 1.125), (0, 2, 1.125), (0, 1, 1.234375), (0, 0, 1.330078125)]);
    let at = |alone: [u64; 3], times: u32| (alone.map(Time).to_vec(), times, vec![8, 8]);
    let expected = [
        at([8_000, 8_000, 12_000], 0),
        at([9_000, 9_000, 12_000], 1),
        at([9_000, 9_000, 12_000], 2),
        at([9_875, 9_875, 12_000], 3),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_running_layer_is_expected_to_take_what_was_known_at_its_start() {
    let world = world(platform(2, 10.0), &[&[layer(&[], &[(8.0, 2.0); 2])], &[layer(&[], &[(1.0, 0.0); 2])]]);
    // At 0 and 100 ns a layer that takes 16 ns starts on m0. At 108 ns the second one is due to take until 109.
    let requests = [(0, 0.0), (0, 100.0), (1, 108.0), (1, 112.0)].map(|(n, at)| request(n, at));
    let engine = Engine::new(Arc::new(world), Arc::new(trace(&requests)), learning(&[&[2.0; 2], &[1.0; 2]]));
    let mut seen = Vec::new();
    let decide = |view: &View, out: &mut Decision| {
        if view.accelerators()[0].running.is_some() && view.jobs().len() == 2 {
            let end = end_in_a_roll_out(view);
            let lane = view.accelerators()[0];
            let demand = lane.demand_bytes_per_ps * 1e3;
            seen.push((lane.free_at.0, view.jobs()[0].remaining_best.0, demand, end));
        }
        for sub in view.sub_jobs() {
            out.assign(sub.id, view.job_of(sub).network as usize, 0.0);
        }
    };
    run(engine, &mut Script(decide), &mut ()).expect("the script is legal");
    let demand = 2.0 / 1.125;
    let expected = [(109_000, 1_000, demand, Some(109_000)), (112_000, 0, demand, Some(112_001))];
    assert_eq!(seen.len(), 2);
    for (seen, expected) in seen.iter().zip(expected) {
        assert_eq!((seen.0, seen.1, seen.3), (expected.0, expected.1, expected.3));
        assert!((seen.2 - expected.2).abs() < 1e-12);
    }
}
