//! Execution times that vary: exact ends, and that nothing which schedulers may see shows a draw.

use std::sync::Arc;

use super::super::super::*;
use crate::check::testing::{Script, ends_ns, trace};
use crate::check::{
    Case, Size, layer, network_to_accelerator, plain_rules, platform, records, request, world,
};
use crate::units::Time;

const WILD: Spread =
    Spread { distribution: Distribution::Lognormal, cv: 0.5, correlation: 0.3, bias_cv: 0.3 };

/// Draws a factor of exactly 1 for every layer.
const TAME: Spread =
    Spread { distribution: Distribution::Lognormal, cv: 1e-200, correlation: 0.0, bias_cv: 0.0 };

fn rules(spread: Spread, seed: u64, world: &World) -> Rules {
    Rules { variation: Variation::new(spread, seed, world), ..plain_rules() }
}

fn pace(rules: &Rules, place: u32, network: u32) -> f64 {
    rules.variation.as_ref().expect("it varies").pace(place, 0, network, network as usize)
}

/// Networks of one layer of (c, b), network i alone on accelerator i, behind 10 bytes/ns.
fn one_each(costs: &[(f64, f64)]) -> World {
    let networks: Vec<[LayerModel; 1]> =
        costs.iter().map(|&cost| [layer(&[], &vec![cost; costs.len()])]).collect();
    let networks: Vec<&[LayerModel]> = networks.iter().map(|network| &network[..]).collect();
    world(platform(costs.len(), 10.0), &networks)
}

#[test]
fn a_layer_alone_takes_its_factor_or_as_long_as_its_bytes() {
    let mut factors = 0.0;
    for seed in 0..50 {
        let world = one_each(&[(30.0, 4.0)]);
        let rules = rules(WILD, seed, &world);
        let factor = 1.0 / pace(&rules, 0, 0);
        let ends = ends_ns(&records(&world, &[request(0, 0.0)], rules, network_to_accelerator));
        // 120 bytes take 12 ns.
        let expected = (30_000.0 * factor).max(12_000.0);
        assert!((ends[0] * 1e3 - expected).abs() <= 1.001, "seed {seed}: {ends:?}, not {expected} ps");
        factors += factor / 50.0;
    }
    assert!((0.8..1.2).contains(&factors), "{factors}");
}

#[test]
fn a_slower_layer_asks_for_less_bandwidth() {
    let world = one_each(&[(30.0, 8.0), (30.0, 8.0)]);
    for seed in 0..50 {
        let rules = rules(WILD, seed, &world);
        let demands = [0, 1].map(|place| 8.0 * pace(&rules, place, place));
        let ends =
            ends_ns(&records(&world, &[request(0, 0.0), request(1, 0.0)], rules, network_to_accelerator));
        // Max-min: the lesser demand is met, at most half of 10; the other layer has the rest, and all of 10 afterwards.
        let less = usize::from(demands[1] < demands[0]);
        let (low, high) = (demands[less], demands[1 - less]);
        let granted =
            if low + high <= 10.0 { [low, high] } else { [low.min(5.0), high.min(10.0 - low.min(5.0))] };
        let ends = [ends[less], ends[1 - less]];
        let first = usize::from(granted[1] > granted[0]);
        let end = 240.0 / granted[first];
        assert!((ends[first] - end).abs() < 0.002, "seed {seed}: {ends:?}, the first at {end}");
        let rest = 240.0 - end * granted[1 - first];
        let last = end + rest / demands[if first == 0 { 1 - less } else { less }].min(10.0);
        assert!((ends[1 - first] - last).abs() < 0.003, "seed {seed}: {ends:?}, the last at {last}");
    }
}

/// Everything that a scheduler is shown, fork and all, until the first layer ends.
fn shown(case: &Case, spread: Spread, seed: u64, estimates: Estimates) -> Vec<String> {
    let world = case.world();
    let variation = Variation::new(spread, seed, &world).estimated_by(estimates);
    let rules = Rules { variation, ..case.rules.clone() };
    let mut engine = Engine::new(Arc::new(world), Arc::new(case.trace.clone()), rules);
    let (mut chaos, mut decision, mut views) = (case.chaos(), Decision::default(), Vec::new());
    let mut seen: Vec<Record> = Vec::new();
    while engine.run_to_decision(&mut seen) == Step::Decide {
        if seen.iter().any(|record| matches!(record, Record::Finish { .. } | Record::Phase { .. })) {
            break;
        }
        views.push(format!("{:?}", engine.view()));
        decision.clear();
        chaos.decide(&engine.view(), &mut decision);
        engine.apply(&decision, &mut seen).expect("chaos is legal");
    }
    views.extend(seen.iter().filter(|record| record.is_seen()).map(|record| format!("{record:?}")));
    views
}

#[test]
fn views_and_forks_show_no_draw() {
    let (mut compared, mut differing) = (0, 0);
    for seed in 0..300 {
        let mut case =
            Case::with_everything(seed, Size { accelerators: 4, networks: 3, layers: 8, requests: 40 });
        case.rules.trigger = Trigger::OnChange;
        let learns = seed % 2 == 0 && case.ports.is_none();
        let estimates = if learns { Estimates::Ewma } else { Estimates::Model };
        let views = [1, 2].map(|draws| shown(&case, WILD, draws, estimates));
        // Until the earlier of both first ends.
        let both = views[0].iter().zip(&views[1]).take_while(|(one, _)| one.starts_with("View"));
        for (one, other) in both.filter(|(_, other)| other.starts_with("View")) {
            assert!(one == other, "seed {seed}");
            compared += 1;
        }
        differing += usize::from(views[0] != views[1]);
    }
    assert!(compared > 300 && differing > 100, "{compared} views compared, {differing} runs differ");
}

#[test]
fn factors_of_one_change_nothing() {
    let mut paces = 0;
    for seed in 0..300 {
        let mut case = Case::with_drift(seed, Size { accelerators: 4, networks: 3, layers: 8, requests: 40 });
        let tame = Variation::new(TAME, 1, &case.world());
        let learnt = if case.ports.is_none() { Estimates::Ewma } else { Estimates::Model };
        let all = [Variation::NONE, tame.clone(), tame.estimated_by(learnt)];
        let runs = all.map(|variation| {
            case.rules.variation = variation;
            let (mut engine, mut chaos) = (case.engine(), case.chaos());
            let (mut decision, mut views) = (Decision::default(), Vec::new());
            let mut records: Vec<Record> = Vec::new();
            while engine.run_to_decision(&mut records) == Step::Decide {
                let view = engine.view();
                views.push(format!("{:?} {:?} {:?}", view.jobs(), view.sub_jobs(), view.accelerators()));
                decision.clear();
                chaos.decide(&view, &mut decision);
                engine.apply(&decision, &mut records).expect("chaos is legal");
            }
            paces += records.iter().filter(|record| matches!(record, Record::Pace { .. })).count();
            records.retain(|record| !matches!(record, Record::Pace { .. }));
            (views, records)
        });
        assert!(runs[0] == runs[1] && runs[0] == runs[2], "seed {seed}");
    }
    assert!(paces > 10_000, "{paces}");
}

/// When the running layer of accelerator 0 ends in a roll-out, in ps.
pub(super) fn end_in_a_roll_out(view: &View) -> Option<u64> {
    let mut fork = view.fork();
    fork.set_trigger(Trigger::Never);
    let mut ends: Vec<Record> = Vec::new();
    let _ = fork.run_to_decision(&mut ends);
    let end = ends.iter().find(|record| matches!(record, Record::Finish { accelerator: 0, .. }));
    end.map(|end| end.time().0)
}

#[test]
fn a_layer_that_outlives_its_estimate_is_expected_to_end_at_once() {
    let world = one_each(&[(30.0, 4.0), (1.0, 0.0)]);
    let seed = (0..).find(|&seed| pace(&rules(WILD, seed, &world), 0, 0) < 0.5).expect("some are slow");
    // A short request every 10 ns shows the long one at 0, 10, 20, 40 and 50 ns: 30 ns is its estimate.
    let requests = [(0, 0.0), (1, 10.0), (1, 20.0), (1, 40.0), (1, 50.0)].map(|(n, at)| request(n, at));
    let engine = Engine::new(Arc::new(world.clone()), Arc::new(trace(&requests)), rules(WILD, seed, &world));
    let mut seen = Vec::new();
    let decide = |view: &View, out: &mut Decision| {
        if view.accelerators()[0].running.is_some() && view.jobs().len() == 2 {
            let end = end_in_a_roll_out(view);
            seen.push((view.now().0, view.accelerators()[0].free_at.0, view.jobs()[0].remaining_best.0, end));
        }
        network_to_accelerator(view, out);
    };
    run(engine, &mut Script(decide), &mut ()).expect("the script is legal");
    let expected = [
        (10_000, 30_000, 20_000, Some(30_000)),
        (20_000, 30_000, 10_000, Some(30_000)),
        (40_000, 40_000, 0, Some(40_001)),
        (50_000, 50_000, 0, Some(50_001)),
    ];
    assert_eq!(seen, expected);
    assert_eq!(Time(30_000), world.networks[0].isolated);
}
