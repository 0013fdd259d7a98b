//! The exact micro-cases G1 to G6, and hand-computed sequences for every action and rule.

mod corrections;
mod drift;
mod followers;
mod variation;

use std::ops::Range;
use std::sync::Arc;

use super::super::*;
use super::MAX_IDLE_DECISIONS;
use crate::check::testing::*;
use crate::hw::Sharing;
use crate::units::{Picojoules, Time};

/// One layer per network, network i alone on accelerator i, c and b per network, requests at the given times.
fn co_run(sharing: Sharing, layers: &[(f64, f64)], arrivals_ns: &[f64], bandwidth: f64) -> Vec<f64> {
    let mut platform = platform(layers.len(), bandwidth);
    platform.sharing = sharing;
    let networks: Vec<[LayerModel; 1]> =
        layers.iter().map(|&cost| [layer(&[], &vec![cost; layers.len()])]).collect();
    let networks: Vec<&[LayerModel]> = networks.iter().map(|network| &network[..]).collect();
    let requests: Vec<Request> =
        arrivals_ns.iter().enumerate().map(|(i, &at)| request(i as u32, at)).collect();
    ends_ns(&records(&world(platform, &networks), &requests, plain_rules(), network_to_accelerator))
}

const BOTH: [Sharing; 2] = [Sharing::MaxMin, Sharing::Proportional];
/// Agree where layers are equal and memory-bound alone, or alone.
const ALL: [Sharing; 5] =
    [Sharing::MaxMin, Sharing::Proportional, Sharing::Fifo, Sharing::Score, Sharing::Knee];

#[test]
fn g1_two_equal_layers_share_alike_in_all_models() {
    for sharing in ALL {
        assert_eq!(co_run(sharing, &[(10.0, 10.0), (10.0, 10.0)], &[0.0, 0.0], 10.0), [20.0, 20.0]);
    }
}

#[test]
fn g2_tells_the_models_apart() {
    let layers = [(10.0, 10.0), (10.0, 5.0)];
    assert_eq!(co_run(Sharing::Proportional, &layers, &[0.0, 0.0], 10.0), [15.0, 15.0]);
    // Max-min: B gets its 5 and ends at 10 with 50 of A's 100 bytes moved; A then has all 10 and ends at 15.
    assert_eq!(co_run(Sharing::MaxMin, &layers, &[0.0, 0.0], 10.0), [15.0, 10.0]);
}

#[test]
fn g3_a_staggered_start() {
    // A alone moves 50 bytes until 5; both at 5 bytes/ns until A ends at 15; B has 50 left and ends at 20.
    for sharing in ALL {
        assert_eq!(co_run(sharing, &[(10.0, 10.0), (10.0, 10.0)], &[0.0, 5.0], 10.0), [15.0, 20.0]);
    }
}

#[test]
fn g4_three_layers_just_above_the_bandwidth() {
    for sharing in BOTH {
        assert_eq!(co_run(sharing, &[(10.0, 4.0); 3], &[0.0; 3], 10.0), [12.0; 3]);
    }
}

#[test]
fn g5_a_layer_without_traffic_is_never_slowed() {
    for sharing in ALL {
        let ends = co_run(sharing, &[(10.0, 10.0), (10.0, 10.0), (10.0, 0.0)], &[0.0; 3], 10.0);
        assert_eq!(ends, [20.0, 20.0, 10.0]);
    }
}

#[test]
fn g6_a_layer_alone_that_demands_more_than_there_is() {
    for sharing in ALL {
        assert_eq!(co_run(sharing, &[(10.0, 20.0)], &[0.0], 10.0), [20.0]);
    }
}

/// c 10 and 40 bytes in four tiles behind a port of 10: 10 bytes in 1 ns, 30 bytes in 6.75 ns, 2.25 ns of nothing.
#[test]
fn phases_load_first_and_compute_last() {
    let mut model = layer(&[], &[(10.0, 4.0); 2]);
    model.costs.iter_mut().flatten().for_each(|cost| cost.tiles = 4);
    let platform = platform(2, 10.0);
    let network = NetworkModel::new("network", &[model], &platform, None);
    let network = network.in_phases(&[0.01; 2]);
    let world = World { platform, networks: vec![network.clone(), network] };
    let run = |arrivals: &[f64]| {
        let requests: Vec<Request> =
            arrivals.iter().enumerate().map(|(i, &at)| request(i as u32, at)).collect();
        records(&world, &requests, plain_rules(), network_to_accelerator)
    };
    assert_eq!(ends_ns(&run(&[0.0])), [10.0]);
    // Both fill at half the speed until 2; from then on 2 x 4.44 fit: one more nanosecond in all.
    assert_eq!(ends_ns(&run(&[0.0, 0.0])), [11.0, 11.0]);
    // The second fills while the first is steady, which takes 4.44 of the 10: 10 bytes at 5.56 until 6.8, when the first
    // has 5.8 of 6.75 ns of steady work done; max-min grants the first its 4.44.
    assert_eq!(ends_ns(&run(&[0.0, 5.0])), [10.0, 15.8]);
    let changes: Vec<(f64, usize)> = run(&[0.0])
        .iter()
        .filter_map(|record| match record {
            Record::Phase { time, phase, .. } => Some((time.as_ps() / 1e3, *phase)),
            _ => None,
        })
        .collect();
    assert_eq!(changes, [(1.0, 1), (7.75, 2)]);
}

#[test]
fn infinite_bandwidth_never_slows() {
    assert_eq!(
        co_run(Sharing::MaxMin, &[(10.0, 10.0), (7.0, 90.0)], &[0.0, 0.0], f64::INFINITY),
        [10.0, 7.0]
    );
}

/// A chain of three layers of 10 ns on two equal accelerators.
fn chain() -> World {
    let cost = [(10.0, 1.0), (10.0, 1.0)];
    world(platform(2, 100.0), &[&[layer(&[], &cost), layer(&[0], &cost), layer(&[1], &cost)]])
}

#[test]
fn ntt_is_one_for_a_chain_on_its_best_accelerators_also_above_the_bandwidth() {
    // c1 = 12 on m0 and 6 on m1 for the first layer (b = 15 > B = 10 slows 4 to 6), 20 and 30 for the second.
    let layers = [layer(&[], &[(12.0, 1.0), (4.0, 15.0)]), layer(&[0], &[(10.0, 20.0), (30.0, 1.0)])];
    let world = world(platform(2, 10.0), &[&layers]);
    let best = |view: &View, out: &mut Decision| {
        for sub in view.sub_jobs() {
            let best = (0..2).min_by_key(|&m| view.alone(sub, m)).unwrap();
            out.assign(sub.id, best, 0.0);
        }
    };
    let ends = ends_ns(&records(&world, &[request(0, 3.0)], plain_rules(), best));
    assert_eq!(world.networks[0].isolated, Time(26_000));
    assert_eq!(ends, [29.0]);
}

#[test]
fn a_sticky_layer_follows_its_predecessor_and_a_held_one_waits() {
    let first_only = |view: &View, out: &mut Decision| {
        view.sub_jobs().iter().filter(|s| s.id.layer == 0).for_each(|s| out.assign(s.id, 1, 0.0));
    };
    let mut rules = Rules { unassigned: Unassigned::Sticky, ..plain_rules() };
    assert_eq!(ends_ns(&records(&chain(), &[request(0, 0.0)], rules.clone(), first_only)), [30.0]);

    rules.unassigned = Unassigned::Hold;
    let engine = Engine::new(Arc::new(chain()), Arc::new(trace(&[request(0, 0.0)])), rules);
    let stalled = run(engine, &mut Script(first_only), &mut ());
    assert!(matches!(stalled, Err(RunError::Stalled { .. })), "{stalled:?}");
}

/// One accelerator is idle at every decision of its backlog, however long that is: nothing is stuck as long as something
/// starts in between.
#[test]
fn a_long_backlog_on_one_accelerator_is_no_stall() {
    let world = world(platform(1, 10.0), &[&[layer(&[], &[(1.0, 0.0)])]]);
    let requests: Vec<Request> = (0..10).map(|_| request(0, 0.0)).collect();
    let mut engine = Engine::new(Arc::new(world), Arc::new(trace(&requests)), plain_rules());
    engine.idle_decisions = MAX_IDLE_DECISIONS - 5;
    let first = |view: &View, out: &mut Decision| out.assign(view.sub_jobs()[0].id, 0, 0.0);
    run(engine, &mut Script(first), &mut ()).expect("every decision starts something");
}

/// The successor of a running layer may be assigned elsewhere, or held, before it is ready.
#[test]
fn the_next_layer_of_a_running_job_can_be_moved_and_held() {
    let periodic =
        Rules { trigger: Trigger::Periodic(Time(4_000)), unassigned: Unassigned::Sticky, ..plain_rules() };
    // Ticks at 0, 4, 8 ...: layer 0 starts at 0 on m0. At 4 it runs and layer 1 is next: move it to m1.
    let moving = |view: &View, out: &mut Decision| {
        for sub in view.sub_jobs() {
            out.assign(sub.id, sub.id.layer as usize % 2, 0.0);
        }
    };
    let moved = records(&chain(), &[request(0, 0.0)], periodic.clone(), moving);
    assert_eq!(starts(&moved), [(0, 0.0, 0), (1, 10.0, 1), (2, 20.0, 0)]);

    // Hold at 4; the sticky successor must not start at 10; assign again at 16.
    let holding = |view: &View, out: &mut Decision| match view.now().0 {
        4_000 => out.hold(view.jobs()[0].id),
        0 | 16_000 => out.assign(view.sub_jobs()[0].id, 0, 0.0),
        _ => {}
    };
    let held = records(&chain(), &[request(0, 0.0)], periodic, holding);
    assert_eq!(starts(&held), [(0, 0.0, 0), (1, 16.0, 0), (2, 26.0, 0)]);
}

/// (layer, start in ns, accelerator) of every start.
fn starts(records: &[Record]) -> Vec<(u32, f64, usize)> {
    let start = |record: &Record| match *record {
        Record::Start { time, sub_job, accelerator, .. } => {
            Some((sub_job.layer, time.as_ps() / 1e3, accelerator))
        }
        _ => None,
    };
    records.iter().filter_map(start).collect()
}

#[test]
fn an_idle_accelerator_starts_the_highest_priority_then_the_earlier_arrival() {
    let world = world(platform(1, 10.0), &[&[layer(&[], &[(10.0, 0.0)])]]);
    let requests: Vec<Request> = (0..4).map(|i| request(0, f64::from(i))).collect();
    // Request 0 starts at 0; then 3 has the highest priority, 1 and 2 tie and 1 arrived earlier.
    let urgent_last = |view: &View, out: &mut Decision| {
        for sub in view.sub_jobs() {
            out.assign(sub.id, 0, if sub.id.job.0 == 3 { 1.0 } else { 0.0 });
        }
    };
    assert_eq!(ends_ns(&records(&world, &requests, plain_rules(), urgent_last)), [10.0, 30.0, 40.0, 20.0]);
}

#[test]
fn a_decision_takes_effect_after_its_latency_and_overtaken_actions_are_counted() {
    let world = world(platform(2, 10.0), &[&[layer(&[], &[(10.0, 0.0), (10.0, 0.0)])]]);
    let host = Host { base: Time(3_000), ..Host::default() };
    let rules =
        Rules { decision_cost: DecisionCost::Host(host), late: LateRules::all(Late::Abort), ..plain_rules() };
    let mut requests = [request(0, 0.0), request(0, 1.0)];
    // The second arrives while the first decision is computed: its trigger waits until 3 and is decided by 6; its
    // deadline at 5 comes first, and the assignment is overtaken.
    requests[1].deadline = Time(5_000);
    let records = records(&world, &requests, rules, network_to_accelerator);
    let ends = ends_ns(&records);
    assert_eq!(ends[0], 13.0);
    assert!(ends[1].is_nan());
    let skipped = |r: &Record| if let Record::Applied { skipped, .. } = *r { Some(skipped) } else { None };
    assert_eq!(records.iter().filter_map(skipped).collect::<Vec<_>>(), [0, 1]);
    let decided = |r: &Record| if let Record::Decision { time, .. } = *r { Some(time.0) } else { None };
    assert_eq!(records.iter().filter_map(decided).collect::<Vec<_>>(), [0, 3_000]);
}

#[test]
fn late_requests_finish_or_abort_and_the_running_layer_is_charged() {
    let mut late = request(0, 0.0);
    late.deadline = Time(15_000);
    let rules = |late| Rules { late: LateRules::all(late), unassigned: Unassigned::Sticky, ..plain_rules() };
    let assign =
        |view: &View, out: &mut Decision| view.sub_jobs().iter().for_each(|s| out.assign(s.id, 0, 0.0));
    assert_eq!(ends_ns(&records(&chain(), &[late], rules(Late::Finish), assign)), [30.0]);

    let next = request(0, 16.0);
    let aborted = records(&chain(), &[late, next], rules(Late::Abort), assign);
    let drops = |r: &Record| matches!(r, Record::Drop { time: Time(15_000), reason: DropReason::Late, .. });
    assert_eq!(aborted.iter().filter(|r| drops(r)).count(), 1);
    // Layer 1 of the aborted job runs from 10 to 20; the next request waits for it, then takes 30.
    assert_eq!(ends_ns(&aborted)[1], 50.0);
    let energy: Picojoules = aborted
        .iter()
        .filter_map(|r| if let Record::Finish { energy, .. } = *r { Some(energy) } else { None })
        .sum();
    assert_eq!(energy, Picojoules(5.0));
}

#[test]
fn a_request_that_ends_at_its_deadline_is_not_aborted() {
    let mut exact = request(0, 0.0);
    exact.deadline = Time(30_000);
    let rules = Rules { late: LateRules::all(Late::Abort), ..plain_rules() };
    assert_eq!(ends_ns(&records(&chain(), &[exact], rules, network_to_accelerator)), [30.0]);
}

#[test]
fn on_idle_fires_when_the_idle_or_ready_set_grows_while_both_are_non_empty() {
    let world = world(platform(1, 10.0), &[&[layer(&[], &[(10.0, 0.0)])]]);
    let rules = Rules { trigger: Trigger::OnIdle, ..plain_rules() };
    let mut times = Vec::new();
    let requests = [request(0, 0.0), request(0, 1.0), request(0, 2.0)];
    records(&world, &requests, rules, |view, out| {
        times.push(view.now().0);
        network_to_accelerator(view, out);
    });
    // Not at 1 and 2 (nothing is idle), and not at 30 (nothing is ready).
    assert_eq!(times, [0, 10_000, 20_000]);
}

#[test]
fn ticks_inside_a_decisions_latency_merge_into_one_at_its_end() {
    let world = world(platform(1, 10.0), &[&[layer(&[], &[(10.0, 0.0)])]]);
    let host = Host { base: Time(2_500), ..Host::default() };
    let rules = Rules {
        trigger: Trigger::Periodic(Time(1_000)),
        decision_cost: DecisionCost::Host(host),
        ..plain_rules()
    };
    let mut times = Vec::new();
    // Request 0 starts at 2.5 and ends at 12.5; request 1, here since 0.5, waits for it and starts then.
    records(&world, &[request(0, 0.0), request(0, 0.5)], rules, |view, out| {
        times.push(view.now().0);
        network_to_accelerator(view, out);
    });
    assert_eq!(times, [0, 2_500, 5_000, 7_500, 10_000]);
}

#[test]
fn events_of_one_instant_come_as_completion_arrival_deadline_decision_start() {
    let world = world(platform(1, 10.0), &[&[layer(&[], &[(10.0, 0.0)])]]);
    // At 10: request 0 ends at its deadline, 2 arrives, and 1, still waiting, reaches its deadline.
    let mut requests = [request(0, 0.0), request(0, 1.0), request(0, 10.0)];
    requests[0].deadline = Time(10_000);
    requests[1].deadline = Time(10_000);
    let rules = Rules { late: LateRules::all(Late::Abort), ..plain_rules() };
    let at_10 = |record: &&Record| record.time() == Time(10_000);
    let kind = |record: &Record| format!("{record:?}").split(' ').next().unwrap_or_default().to_string();
    let all = records(&world, &requests, rules, network_to_accelerator);
    let kinds: Vec<String> = all.iter().filter(at_10).map(kind).collect();
    assert_eq!(kinds, ["Finish", "Done", "Arrival", "Drop", "Decision", "Applied", "Start"]);
}

#[test]
fn illegal_actions_are_errors() {
    let engine = || {
        let mut engine = Engine::new(Arc::new(chain()), Arc::new(trace(&[request(0, 0.0)])), plain_rules());
        assert_eq!(engine.run_to_decision(&mut ()), Step::Decide);
        engine
    };
    let weighted = |job, layer, accelerator, priority, weight| Action::Assign {
        sub_job: SubJobId { job: JobId(job), layer },
        accelerator,
        priority,
        weight,
    };
    let assign = |job, layer, accelerator, priority| weighted(job, layer, accelerator, priority, 1.0);
    let illegal = [
        assign(0, 1, 0, 0.0),
        assign(0, 9, 0, 0.0),
        assign(7, 0, 0, 0.0),
        assign(0, 0, 2, 0.0),
        assign(0, 0, 0, f64::NAN),
        weighted(0, 0, 0, 0.0, 0.0),
        weighted(0, 0, 0, 0.0, f64::INFINITY),
        Action::Hold { job: JobId(1) },
        Action::Drop { request: RequestId(7) },
    ];
    for action in illegal {
        let decision = Decision { actions: vec![action], ..Decision::default() };
        assert!(engine().apply(&decision, &mut ()).is_err(), "{action:?}");
    }
}

#[test]
fn a_join_is_next_once_every_unfinished_predecessor_runs() {
    let cost = [(10.0, 0.0), (20.0, 0.0)];
    // 0 and 1 are sources, 2 joins them.
    let world = world(platform(2, 10.0), &[&[layer(&[], &cost), layer(&[], &cost), layer(&[0, 1], &cost)]]);
    let mut seen = Vec::new();
    let rules = Rules { trigger: Trigger::Periodic(Time(4_000)), ..plain_rules() };
    records(&world, &[request(0, 0.0)], rules, |view, out| {
        seen.push(view.sub_jobs().iter().map(|s| (s.id.layer, s.ready, s.release.0)).collect::<Vec<_>>());
        for sub in view.sub_jobs() {
            out.assign(sub.id, sub.id.layer as usize % 2, 0.0);
        }
    });
    assert_eq!(seen[0], [(0, true, 0), (1, true, 0)]);
    // Layer 0 ends at 10 on m0, layer 1 at 20 on m1: the join is expected at 20.
    assert_eq!(seen[1], [(2, false, 20_000)]);
}

#[test]
fn the_view_knows_what_is_left_of_running_layers_at_their_present_rate() {
    // Two jobs share 10 bytes/ns with demand 10 each: at 4 each has 8 of 10 left, at half rate 16 more.
    let cost = [(10.0, 10.0), (10.0, 10.0)];
    let world = world(platform(2, 10.0), &[&[layer(&[], &cost), layer(&[0], &cost)]]);
    let rules = Rules { trigger: Trigger::Periodic(Time(4_000)), ..plain_rules() };
    let mut remaining = Vec::new();
    records(&world, &[request(0, 0.0), request(0, 0.0)], rules, |view, out| {
        remaining.push(view.jobs().iter().map(|j| j.remaining_best.0).collect::<Vec<_>>());
        view.sub_jobs().iter().for_each(|s| out.assign(s.id, s.id.job.0 as usize, 0.0));
    });
    assert_eq!(remaining[0], [20_000, 20_000]);
    assert_eq!(remaining[1], [26_000, 26_000]);
}

/// What the scheduler sees up to t does not depend on what arrives later.
#[test]
fn the_future_of_the_trace_changes_nothing_in_the_view() {
    let seen = |requests: &[Request]| {
        let mut seen = Vec::new();
        let rules = Rules { trigger: Trigger::Periodic(Time(4_000)), ..plain_rules() };
        records(&chain(), requests, rules, |view, out| {
            if view.now() < Time(20_000) {
                seen.push(format!("{view:?}"));
            }
            view.sub_jobs().iter().for_each(|s| out.assign(s.id, s.id.job.0 as usize % 2, 0.0));
        });
        seen
    };
    let known = [request(0, 0.0), request(0, 5.0)];
    let longer = [known[0], known[1], request(0, 21.0), request(0, 22.0)];
    assert_eq!(seen(&known), seen(&longer));
}

/// Nor on which requests are measured: neither what it sees, nor what a fork tells it, also of a request that was given up
/// while its layer runs on.
#[test]
fn the_window_of_the_count_changes_nothing_in_the_view_and_its_fork() {
    let seen = |measured: Range<usize>| {
        let requests = [0.0, 1.0, 2.0, 3.0].map(|at| request(0, at));
        let rules = Rules { trigger: Trigger::Periodic(Time(4_000)), ..plain_rules() };
        let mut seen = Vec::new();
        let mut script = Script(|view: &View, out: &mut Decision| {
            let mut records: Vec<(Record, Origin)> = Vec::new();
            let to_first = |view: &View, out: &mut Decision| {
                view.sub_jobs().iter().for_each(|sub| out.assign(sub.id, 0, 0.0));
            };
            run(view.fork(), &mut Script(to_first), &mut records).expect("the script is legal");
            seen.push((format!("{view:?}"), records));
            view.sub_jobs().iter().for_each(|sub| out.assign(sub.id, sub.id.job.0 as usize % 2, 0.0));
            let running = view.jobs().iter().filter(|job| job.running && job.request.0 == 0);
            running.for_each(|job| out.drop_request(job.request));
        });
        let trace = Trace { measured, ..trace(&requests) };
        let engine = Engine::new(Arc::new(chain()), Arc::new(trace), rules);
        run(engine, &mut script, &mut ()).expect("the script is legal");
        seen
    };
    let all = seen(0..4);
    assert!(all.len() > 5 && all == seen(2..4));
}

/// A clone in mid-run continues to the same records.
#[test]
fn a_cloned_engine_continues_to_the_same_end() {
    let requests: Vec<Request> = (0..6).map(|i| request(0, f64::from(i) * 7.0)).collect();
    let mut engine = Engine::new(Arc::new(chain()), Arc::new(trace(&requests)), plain_rules());
    let mut decision = Decision::default();
    for _ in 0..4 {
        assert_eq!(engine.run_to_decision(&mut ()), Step::Decide);
        decision.clear();
        engine.view().sub_jobs().iter().for_each(|s| decision.assign(s.id, s.id.job.0 as usize % 2, 0.0));
        engine.apply(&decision, &mut ()).unwrap();
    }
    let finish = |engine: Engine| {
        let mut records: Vec<Record> = Vec::new();
        let assign =
            |view: &View, out: &mut Decision| view.sub_jobs().iter().for_each(|s| out.assign(s.id, 0, 0.0));
        run(engine, &mut Script(assign), &mut records).unwrap();
        records
    };
    assert_eq!(finish(engine.clone()), finish(engine));
}
