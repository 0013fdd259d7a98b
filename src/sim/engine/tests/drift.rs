//! Conditions that change during a run: exact ends, and what happens to work on lost accelerators.

use std::sync::Arc;

use super::super::super::*;
use crate::check::testing::ends_ns;
use crate::check::{layer, network_to_accelerator, plain_rules, platform, records, request, world};
use crate::units::Time;

fn change(at_ns: f64) -> Change {
    let at = Time((at_ns * 1e3) as u64);
    Change { at, speed: None, bandwidth_bytes_per_ps: None, loss: None }
}

fn speed(at_ns: f64, speed: f64) -> Change {
    Change { speed: Some(speed), ..change(at_ns) }
}

/// Bytes per nanosecond.
fn bandwidth(at_ns: f64, bandwidth: f64) -> Change {
    Change { bandwidth_bytes_per_ps: Some(bandwidth / 1e3), ..change(at_ns) }
}

fn loss(at_ns: f64, accelerators: &[usize], world: &World) -> Change {
    let without = world.without(accelerators).expect("others can run everything");
    let losing = Losing { accelerators: accelerators.to_vec(), world: Arc::new(without) };
    Change { loss: Some(losing), ..change(at_ns) }
}

fn rules(changes: Vec<Change>) -> Rules {
    Rules { drift: Drift::new(changes), ..plain_rules() }
}

/// The end in nanoseconds of a layer of (c, b) alone, that starts at 0 behind 10 bytes/ns.
fn alone((c, b): (f64, f64), changes: Vec<Change>) -> f64 {
    let world = world(platform(1, 10.0), &[&[layer(&[], &[(c, b)])]]);
    ends_ns(&records(&world, &[request(0, 0.0)], rules(changes), network_to_accelerator))[0]
}

#[test]
fn a_layer_alone_takes_its_latency_divided_by_the_speed() {
    assert_eq!(alone((30.0, 4.0), vec![]), 30.0);
    assert_eq!(alone((30.0, 4.0), vec![speed(0.0, 0.5)]), 60.0);
    assert_eq!(alone((30.0, 0.0), vec![speed(0.0, 0.5)]), 60.0);
    // 30,000 ps / 0.667 = 44,977.5 ps, rounded up.
    assert_eq!(alone((30.0, 4.0), vec![speed(0.0, 0.667)]), 44.978);
    assert_eq!(alone((30.0, 4.0), vec![speed(0.0, 2.0)]), 15.0);
    // 120 bytes in 10 ns would be 12 bytes/ns: the DRAM is the limit.
    assert_eq!(alone((30.0, 4.0), vec![speed(0.0, 3.0)]), 12.0);
    // A layer of 20 bytes/ns is bound by the DRAM at half speed as at the whole; at a quarter it is not.
    assert_eq!(alone((30.0, 20.0), vec![speed(0.0, 0.5)]), 60.0);
    assert_eq!(alone((30.0, 20.0), vec![speed(0.0, 0.25)]), 120.0);
}

#[test]
fn a_change_inside_a_layer_slows_what_is_left() {
    // 10 of 30 ns are done; 20 take 40.
    assert_eq!(alone((30.0, 4.0), vec![speed(10.0, 0.5)]), 50.0);
    // There and back: 10 at 1, 10 ns at 0.5 do 5, then 15 at 1.
    assert_eq!(alone((30.0, 4.0), vec![speed(10.0, 0.5), speed(20.0, 1.0)]), 35.0);
    // 10 of 30 ns are done; the other 20 ns hold 80 bytes, which take 40 ns at 2 bytes/ns.
    assert_eq!(alone((30.0, 4.0), vec![bandwidth(10.0, 2.0)]), 50.0);
    // More bandwidth than the layer asks for changes nothing.
    assert_eq!(alone((30.0, 4.0), vec![bandwidth(10.0, 20.0)]), 30.0);
    assert_eq!(alone((30.0, 20.0), vec![bandwidth(0.0, 20.0)]), 30.0);
    // A change when the layer ends, or later, changes nothing.
    assert_eq!(alone((30.0, 4.0), vec![speed(30.0, 0.5)]), 30.0);
}

#[test]
fn slower_accelerators_contend_less() {
    let both = |changes: Vec<Change>| {
        let layers = [[layer(&[], &[(30.0, 8.0); 2])], [layer(&[], &[(30.0, 8.0); 2])]];
        let world = world(platform(2, 10.0), &[&layers[0], &layers[1]]);
        let requests = [request(0, 0.0), request(1, 0.0)];
        ends_ns(&records(&world, &requests, rules(changes), network_to_accelerator))
    };
    // 16 bytes/ns are asked for, 10 are there: each layer moves its 240 bytes at 5 bytes/ns.
    assert_eq!(both(vec![]), [48.0; 2]);
    // At half speed both ask for 4: no contention.
    assert_eq!(both(vec![speed(0.0, 0.5)]), [60.0; 2]);
    // By 16 ns each has moved 80 bytes; 160 are left at 4 bytes/ns.
    assert_eq!(both(vec![speed(16.0, 0.5)]), [56.0; 2]);
    // From 16 ns on 160 bytes each at 2.5 bytes/ns.
    assert_eq!(both(vec![bandwidth(16.0, 5.0)]), [80.0; 2]);
}

#[test]
fn what_waits_for_a_lost_accelerator_is_assigned_anew() {
    // Two accelerators; the scheduler prefers the first as long as it can run anything.
    let world = world(platform(2, 10.0), &[&[layer(&[], &[(10.0, 0.0), (20.0, 0.0)])]]);
    let requests = [request(0, 0.0), request(0, 0.0), request(0, 0.0)];
    let prefers = |view: &View, out: &mut Decision| {
        for sub in view.sub_jobs() {
            let able = |m: &usize| view.alone(sub, *m).is_some();
            out.assign(sub.id, (0..2).find(able).expect("one is left"), 0.0);
        }
    };
    let run = |changes| ends_ns(&records(&world, &requests, rules(changes), prefers));
    assert_eq!(run(vec![]), [10.0, 20.0, 30.0]);
    // At 12 ns the second request runs there and ends at 20; the third goes to the other accelerator at once.
    assert_eq!(run(vec![loss(12.0, &[0], &world)]), [10.0, 20.0, 32.0]);
    let made = records(&world, &requests, rules(vec![loss(12.0, &[0], &world)]), prefers);
    let told = made.iter().find(|record| matches!(record, Record::Drift { .. }));
    let bandwidth_bytes_per_ps = world.platform.bandwidth_bytes_per_ps;
    let expected = Record::Drift { time: Time(12_000), speed: 1.0, bandwidth_bytes_per_ps, lost: 1 };
    assert_eq!(told, Some(&expected));
}

#[test]
fn the_only_accelerator_of_a_layer_cannot_be_lost() {
    let mut only = layer(&[], &[(10.0, 0.0), (20.0, 0.0)]);
    only.costs[1] = None;
    let world = world(platform(2, 10.0), &[&[only]]);
    let unable = world.without(&[0]).expect_err("nothing else runs it");
    assert_eq!(unable.to_string(), "nothing else can run layer `layer` of `network`");
    assert!(world.without(&[1]).is_ok());
}

/// What a scheduler sees before a change is what it sees without one; afterwards a roll-out goes on by the tables.
#[test]
fn nobody_sees_a_change_beforehand_and_roll_outs_never() {
    let world = world(platform(1, 10.0), &[&[layer(&[], &[(30.0, 4.0)]), layer(&[0], &[(30.0, 4.0)])]]);
    let requests = [request(0, 0.0), request(0, 5.0), request(0, 20.0)];
    let views = |changes| {
        let mut views = Vec::new();
        records(&world, &requests, rules(changes), |view, out| {
            views.push((view.now(), format!("{view:?}")));
            let mut fork = view.fork();
            let mut decision = Decision::default();
            network_to_accelerator(&fork.view(), &mut decision);
            fork.apply(&decision, &mut ()).expect("it is legal");
            fork.run_to_decision(&mut ());
            views.push((view.now(), format!("{:?}", fork.now())));
            network_to_accelerator(view, out);
        });
        views
    };
    let (plain, drifted) = (views(vec![]), views(vec![speed(10.0, 0.5)]));
    let before = |views: &[(Time, String)]| -> Vec<(Time, String)> {
        views.iter().filter(|(time, _)| *time < Time(10_000)).cloned().collect()
    };
    assert_eq!(before(&plain), before(&drifted));
    assert_eq!(before(&plain).len(), 4);
    // At 20 ns 15 of 30 ns are done; the roll-out sees the layer end after 15 more, though it takes 30.
    let at_20: Vec<&String> =
        drifted.iter().filter(|(time, _)| *time == Time(20_000)).map(|of| &of.1).collect();
    assert_eq!(at_20[1], "Time(35000)");
}
