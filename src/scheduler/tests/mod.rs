//! The contract that every registered scheduler keeps, and decision sequences worked out by hand: here those of rules
//! that order by a key, in `adaptive.rs` those of the others.

mod adaptive;
mod estimates;

use std::sync::Arc;

use super::*;
use crate::check::testing::*;
use crate::sim::*;
use crate::units::Time;

fn build(name: &str) -> Box<dyn Scheduler> {
    (find(name).expect("a registered name").build)(&toml::Table::new(), 1).expect("no parameter is mandatory")
}

/// Request, layer, accelerator, time in ns.
type Start = (u32, u32, usize, f64);

/// The starts, and the requests that were dropped.
fn run_tiny(name: &str, world: &World, requests: &[Request]) -> (Vec<Start>, Vec<u32>) {
    run_with(build(name).as_mut(), world, requests)
}

/// The starts under a scheduler with parameters.
fn starts_with(name: &str, parameters: &str, world: &World, requests: &[Request]) -> Vec<Start> {
    let parameters = parameters.parse().expect("valid TOML");
    let mut rule = (find(name).expect("registered").build)(&parameters, 1).expect("valid parameters");
    run_with(rule.as_mut(), world, requests).0
}

fn run_with(scheduler: &mut dyn Scheduler, world: &World, requests: &[Request]) -> (Vec<Start>, Vec<u32>) {
    let mut records = Vec::new();
    let engine = Engine::new(Arc::new(world.clone()), Arc::new(trace(requests)), plain_rules());
    run(engine, scheduler, &mut records).expect("registered schedulers are legal");
    let start = |r: &Record| match *r {
        Record::Start { time, sub_job, accelerator, .. } => {
            Some((sub_job.job.0, sub_job.layer, accelerator, time.as_ps() / 1e3))
        }
        _ => None,
    };
    let dropped = |r: &Record| if let Record::Drop { request, .. } = *r { Some(request.0) } else { None };
    (records.iter().filter_map(start).collect(), records.iter().filter_map(dropped).collect())
}

/// The order in which requests start on one accelerator. Networks of one layer: 30, 20 and 10 ns, no DRAM traffic.
/// Request 0 (30 ns) runs from 0; the others wait for 30.
fn order_after_first(name: &str, requests: &[Request]) -> Vec<u32> {
    let networks = [30.0, 20.0, 10.0].map(|c| [layer(&[], &[(c, 0.0)])]);
    let networks: Vec<&[LayerModel]> = networks.iter().map(|n| &n[..]).collect();
    let (starts, dropped) = run_tiny(name, &world(platform(1, 10.0), &networks), requests);
    assert!(dropped.is_empty(), "{dropped:?}");
    starts.iter().map(|&(request, ..)| request).collect()
}

fn with_deadline(mut request: Request, deadline_ns: f64) -> Request {
    request.deadline = Time::from_ps_ceil(deadline_ns * 1e3);
    request
}

#[test]
fn fcfs_sjf_and_edf_order_by_arrival_work_and_deadline() {
    let requests = [
        request(0, 0.0),
        with_deadline(request(1, 1.0), 900.0),
        with_deadline(request(0, 2.0), 500.0),
        with_deadline(request(2, 3.0), 700.0),
    ];
    assert_eq!(order_after_first("fcfs", &requests), [0, 1, 2, 3]);
    assert_eq!(order_after_first("eft", &requests), [0, 1, 2, 3]);
    assert_eq!(order_after_first("sjf", &requests), [0, 3, 1, 2]);
    assert_eq!(order_after_first("edf", &requests), [0, 2, 3, 1]);
    assert_eq!(order_after_first("edf_drop", &requests), [0, 2, 3, 1]);
}

#[test]
fn edf_serves_late_requests_last() {
    // At 30, request 1 (deadline 5) is late; 2 is not.
    let requests =
        [request(0, 0.0), with_deadline(request(1, 1.0), 5.0), with_deadline(request(2, 2.0), 800.0)];
    assert_eq!(order_after_first("edf", &requests), [0, 2, 1]);
}

/// Decisions every 10 ns; request 0 runs from 0 to 30 on the only accelerator. Request 1 comes at 1 and has 20 ns of work.
/// Timely, it is assigned at 10 and again at 20, for when the accelerator is free. Late since 5, it could not start before
/// the next decision at 10, and is held; so it is at 20, where that changes nothing; at 30 it starts.
#[test]
fn a_late_sub_job_is_left_to_the_decision_that_can_start_it() {
    let decided = |name: &str, deadline_ns: f64| {
        let networks = [30.0, 20.0].map(|c| [layer(&[], &[(c, 0.0)])]);
        let world = world(platform(1, 10.0), &[&networks[0], &networks[1]]);
        let requests = [request(0, 0.0), with_deadline(request(1, 1.0), deadline_ns)];
        let rules = Rules { trigger: Trigger::Periodic(Time(10_000)), ..plain_rules() };
        let (mut scheduler, mut decided) = (build(name), Vec::new());
        records(&world, &requests, rules, |view, out| {
            scheduler.decide(view, out);
            let of_second = |action: &&Action| match action {
                Action::Assign { sub_job, .. } => sub_job.job.0 == 1,
                Action::Hold { job } => job.0 == 1,
                _ => false,
            };
            decided.extend(out.actions.iter().filter(of_second).map(|action| {
                (
                    view.now().as_ps() / 1e3,
                    if matches!(action, Action::Hold { .. }) { "hold" } else { "assign" },
                )
            }));
        });
        decided
    };
    for name in ["fcfs", "edf", "eft", "relief", "etf", "met"] {
        assert_eq!(decided(name, 900.0), [(10.0, "assign"), (20.0, "assign"), (30.0, "assign")], "{name}");
        assert_eq!(decided(name, 5.0), [(10.0, "hold"), (30.0, "assign")], "{name}");
    }
}

/// Known trap: slack that is negative once the deadline has passed turns the sign of a score, and the late come first.
#[test]
fn no_rule_that_orders_requests_serves_the_late_before_the_timely() {
    // At 30, request 1 is late although it is older, more urgent, of higher priority and not longer.
    let mut late = with_deadline(request(2, 1.0), 5.0);
    late.priority = 9;
    let requests = [request(0, 0.0), late, with_deadline(request(1, 2.0), 800.0)];
    for name in [
        "fcfs", "sjf", "edf", "llf", "rr", "met", "eft", "etf", "max_min", "heft", "prema", "planaria",
        "herald", "dysta", "terastal",
    ] {
        assert_eq!(order_after_first(name, &requests), [0, 2, 1], "{name}");
    }
}

/// Known trap: priorities that cancel out of the rule.
#[test]
fn swapping_priorities_swaps_the_order() {
    for name in ["prema", "planaria", "moca"] {
        let waiting = |first, second| {
            let mut requests = [request(0, 0.0), request(1, 1.0), request(1, 1.0)];
            (requests[1].priority, requests[2].priority) = (first, second);
            order_after_first(name, &requests)
        };
        assert_eq!(waiting(9, 1), [0, 1, 2], "{name}");
        assert_eq!(waiting(1, 9), [0, 2, 1], "{name}");
    }
}

#[test]
fn llf_prefers_the_least_laxity_to_the_first_deadline() {
    // At 30, with 30, 20 and 10 ns of work: laxities 200 - 30 - 30 = 140, 185 - 30 - 20 = 135, 180 - 30 - 10 = 140
    // (the older of the two first).
    let requests = [
        request(0, 0.0),
        with_deadline(request(0, 1.0), 200.0),
        with_deadline(request(1, 2.0), 185.0),
        with_deadline(request(2, 3.0), 180.0),
    ];
    assert_eq!(order_after_first("llf", &requests), [0, 2, 1, 3]);
    assert_eq!(order_after_first("edf", &requests), [0, 3, 2, 1]);
}

#[test]
fn planaria_divides_priority_by_slack() {
    // Slacks are at least a microsecond: deadlines in microseconds. At 30 ns the scores are about 1 / 4, 9 / 20, 3 / 10;
    // at 60 and 90 ns hardly less.
    let of = |network, at, deadline_us: f64, priority| {
        let mut request = with_deadline(request(network, at), deadline_us * 1e3);
        request.priority = priority;
        request
    };
    let requests = [request(0, 0.0), of(2, 1.0, 4.0, 1), of(0, 2.0, 20.0, 9), of(1, 3.0, 10.0, 3)];
    assert_eq!(order_after_first("planaria", &requests), [0, 2, 3, 1]);
}

#[test]
fn edf_drop_gives_up_what_cannot_make_it() {
    let networks = [[layer(&[], &[(30.0, 0.0)])]];
    let networks: Vec<&[LayerModel]> = networks.iter().map(|n| &n[..]).collect();
    // Request 1 needs 30 of the 29 ns from its arrival to its deadline; 2 could just make it if it started at once,
    // and is given up at 30, when 0 ends.
    let requests =
        [request(0, 0.0), with_deadline(request(0, 1.0), 30.0), with_deadline(request(0, 2.0), 32.0)];
    let (starts, dropped) = run_tiny("edf_drop", &world(platform(1, 10.0), &networks), &requests);
    assert_eq!(starts, [(0, 0, 0, 0.0)]);
    assert_eq!(dropped, [1, 2]);
}

#[test]
fn edf_drop_keeps_parallel_branches_that_can_make_it_together() {
    // Two independent layers of 10 ns: 20 ns of work, but 10 ns on two accelerators, by a deadline of 15.
    let fork = [layer(&[], &[(10.0, 0.0), (10.0, 0.0)]), layer(&[], &[(10.0, 0.0), (10.0, 0.0)])];
    let (starts, dropped) =
        run_tiny("edf_drop", &world(platform(2, 10.0), &[&fork]), &[with_deadline(request(0, 0.0), 15.0)]);
    assert_eq!((starts.len(), dropped.len()), (2, 0));
}

#[test]
fn fcfs_differs_from_eft_when_layers_become_ready_out_of_order() {
    // Chain of 10 and 10 ns on one accelerator. 0 starts; 1 arrives at 1 and is ready before 0's second layer, which
    // is ready at 10. fcfs serves the older request, eft the sub-job that was ready first.
    let chain = [layer(&[], &[(10.0, 0.0)]), layer(&[0], &[(10.0, 0.0)])];
    let world = world(platform(1, 10.0), &[&chain]);
    let requests = [request(0, 0.0), request(0, 1.0)];
    let order = |name| run_tiny(name, &world, &requests).0.iter().map(|s| (s.0, s.1)).collect::<Vec<_>>();
    assert_eq!(order("fcfs"), [(0, 0), (0, 1), (1, 0), (1, 1)]);
    assert_eq!(order("eft"), [(0, 0), (1, 0), (0, 1), (1, 1)]);
}

#[test]
fn earliest_finish_weighs_a_busy_fast_accelerator_against_a_free_slow_one() {
    // c = 10 on m0, 25 on m1. At 0: the first goes to m0 (ends 10), the second to m0 (20 < 25), the third to m1
    // (25 < 30), the fourth to m0 (30 < 50).
    let world = world(platform(2, 10.0), &[&[layer(&[], &[(10.0, 0.0), (25.0, 0.0)])]]);
    let requests = [request(0, 0.0); 4];
    let (mut starts, _) = run_tiny("fcfs", &world, &requests);
    starts.sort_by_key(|s| s.0);
    assert_eq!(starts, [(0, 0, 0, 0.0), (1, 0, 0, 10.0), (2, 0, 1, 0.0), (3, 0, 0, 20.0)]);
}

/// Where the requests of three one-layer networks, all at 0, start on two accelerators. c1 of 10, 12 and 40 ns on
/// accelerator 0, of 25, 15 and 50 ns on accelerator 1.
fn three_on_two(name: &str) -> Vec<Start> {
    let networks =
        [(10.0, 25.0), (12.0, 15.0), (40.0, 50.0)].map(|(a, b)| [layer(&[], &[(a, 0.0), (b, 0.0)])]);
    let networks: Vec<&[LayerModel]> = networks.iter().map(|n| &n[..]).collect();
    let requests = [request(0, 0.0), request(1, 0.0), request(2, 0.0)];
    let (mut starts, _) = run_tiny(name, &world(platform(2, 10.0), &networks), &requests);
    starts.sort_by_key(|s| s.0);
    starts
}

#[test]
fn rr_takes_turns_and_met_ignores_the_load() {
    assert_eq!(three_on_two("rr"), [(0, 0, 0, 0.0), (1, 0, 1, 0.0), (2, 0, 0, 10.0)]);
    assert_eq!(three_on_two("met"), [(0, 0, 0, 0.0), (1, 0, 0, 10.0), (2, 0, 0, 22.0)]);
}

#[test]
fn rr_passes_over_an_accelerator_that_cannot_run_the_layer() {
    let mut picky = layer(&[], &[(1.0, 0.0), (10.0, 0.0), (10.0, 0.0)]);
    picky.costs[0] = None;
    let (starts, _) = run_tiny("rr", &world(platform(3, 10.0), &[&[picky]]), &[request(0, 0.0)]);
    assert_eq!(starts, [(0, 0, 1, 0.0)]);
}

#[test]
fn etf_places_the_first_finish_and_max_min_the_last() {
    // etf: finishes 10, 12, 40 at best, all on m0: request 0 goes to m0. Then 22 or 15: request 1 to m1. Then 10 + 40
    // or 15 + 50: request 2 to m0 at 10.
    assert_eq!(three_on_two("etf"), [(0, 0, 0, 0.0), (1, 0, 1, 0.0), (2, 0, 0, 10.0)]);
    // max_min: request 2 to m0 until 40. Then best finishes 25 and 15, both on m1: request 0 to m1 until 25. Then 52
    // or 40: request 1 to m1 at 25.
    assert_eq!(three_on_two("max_min"), [(0, 0, 1, 0.0), (1, 0, 1, 25.0), (2, 0, 0, 0.0)]);
}

#[test]
fn heft_places_by_upward_rank() {
    // Mean c1 of 17.5, 13.5 and 45: requests 2, 0, 1. 2 to m0 until 40, 0 to m1 until 25 (not 50), 1 to m1 until 40.
    assert_eq!(three_on_two("heft"), [(0, 0, 1, 0.0), (1, 0, 1, 25.0), (2, 0, 0, 0.0)]);
}

#[test]
fn herald_follows_its_static_map() {
    // Network 0: m0 with 10 (least loaded by number). 1: m1 is free, 15 < 2 x 12. 2: m0 has 10, m1 15; 40 < 2 x 40.
    assert_eq!(three_on_two("herald"), [(0, 0, 0, 0.0), (1, 0, 1, 0.0), (2, 0, 0, 10.0)]);
}

#[test]
fn prema_prefers_candidates_above_the_threshold_over_shorter_jobs() {
    let urgent = |mut r: Request| {
        r.priority = 9;
        r
    };
    // At 30: request 1 (20 ns, priority 1) has 1 + 29/20 = 2.45 tokens, 2 (30 ns, priority 9) has 9 + 9 x 28/30 =
    // 17.4, 3 (10 ns, priority 1) has 1 + 27/10 = 3.7. The threshold is 9: 2 goes first although it is the longest.
    // At 60: 1 has 1 + 59/20 = 3.95, 3 has 1 + 57/10 = 6.7; threshold 3: both are candidates, the shorter first.
    let requests = [request(0, 0.0), request(1, 1.0), urgent(request(0, 2.0)), request(2, 3.0)];
    assert_eq!(order_after_first("prema", &requests), [0, 2, 3, 1]);
}

#[test]
fn every_scheduler_finishes_everything_legally_and_deterministically() {
    let diamond = [
        layer(&[], &[(10.0, 3.0), (25.0, 1.0), (5.0, 9.0)]),
        layer(&[0], &[(20.0, 2.0), (9.0, 6.0), (7.0, 9.0)]),
        layer(&[0], &[(5.0, 8.0), (5.0, 8.0), (9.0, 1.0)]),
        layer(&[1, 2], &[(1.0, 0.0), (2.0, 0.0), (3.0, 0.0)]),
    ];
    // The second network runs on accelerator 1 only.
    let mut picky = layer(&[], &[(1.0, 0.0), (15.0, 4.0), (1.0, 0.0)]);
    picky.costs[0] = None;
    picky.costs[2] = None;
    let world = world(platform(3, 10.0), &[&diamond, &[picky]]);
    let requests: Vec<Request> = (0..40).map(|i| request(i % 2, f64::from(i) * 9.0)).collect();
    for entry in SCHEDULERS {
        let first = run_tiny(entry.name, &world, &requests);
        assert_eq!(first.0.len(), 20 * 4 + 20, "{} runs every layer once", entry.name);
        assert_eq!(first, run_tiny(entry.name, &world, &requests), "{} is deterministic", entry.name);
        let mut reseeded = (entry.build)(&toml::Table::new(), 2).expect("no parameter is mandatory");
        let other = run_with(reseeded.as_mut(), &world, &requests);
        assert_eq!(first != other, entry.draws, "{} says whether its seed counts", entry.name);
    }
}

#[test]
fn unknown_parameters_are_rejected_and_documented_ones_accepted() {
    for entry in SCHEDULERS {
        let mut table = toml::Table::new();
        for parameter in entry.parameters {
            let text = format!("{} = {}", parameter.name, parameter.default);
            table.extend(text.parse::<toml::Table>().expect("defaults are TOML"));
        }
        assert!((entry.build)(&table, 1).is_ok(), "{} takes its documented defaults", entry.name);
        table.insert("no_such_key".into(), toml::Value::Boolean(true));
        let error = (entry.build)(&table, 1).err().expect("an unknown key is an error");
        assert!(error.contains("no_such_key"), "{}: {error}", entry.name);
    }
}
