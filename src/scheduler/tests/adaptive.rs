//! Decision sequences of the rules that look at bandwidth, chips, streams or the future.

use rand::RngExt;

use super::*;
use crate::units::Picojoules;

/// Requests for networks of one layer on two equal accelerators, with (c, b) each, all at 0; where and when they start.
fn on_two(name: &str, layers: &[(f64, f64)]) -> Vec<Start> {
    let networks: Vec<_> = layers.iter().map(|&cost| [layer(&[], &[cost, cost])]).collect();
    let networks: Vec<&[LayerModel]> = networks.iter().map(|network| &network[..]).collect();
    let requests: Vec<Request> = (0..layers.len() as u32).map(|network| request(network, 0.0)).collect();
    let (mut starts, _) = run_tiny(name, &world(platform(2, 10.0), &networks), &requests);
    starts.sort_by_key(|start| start.0);
    starts
}

#[test]
fn moca_pairs_memory_heavy_layers_with_others() {
    // The scores differ by R / slack alone: 30, 20 and 10 ns. Requests 0 and 1 demand 8 of 10 bytes/ns, 2 demands 1.
    // 0 goes to m0; after this heavy one comes the best light one, 2 to m1; 1 waits until 10.
    assert_eq!(
        on_two("moca", &[(30.0, 8.0), (20.0, 8.0), (10.0, 1.0)]),
        [(0, 0, 0, 0.0), (1, 0, 1, 10.0), (2, 0, 1, 0.0)]
    );
    // All light: by score.
    assert_eq!(
        on_two("moca", &[(30.0, 2.0), (20.0, 2.0), (10.0, 1.0)]),
        [(0, 0, 0, 0.0), (1, 0, 1, 0.0), (2, 0, 1, 20.0)]
    );
}

#[test]
fn moca_gives_its_score_or_the_demand_as_the_weight() {
    let world = world(platform(1, 10.0), &[&[layer(&[], &[(10.0, 4.0)])]]);
    let mut important = with_deadline(request(0, 0.0), 2_000.0);
    important.priority = 7;
    let weight = |parameters: &str| {
        let parameters = parameters.parse().expect("valid TOML");
        let mut moca = (find("moca").expect("registered").build)(&parameters, 1).expect("valid parameters");
        let engine = Engine::new(Arc::new(world.clone()), Arc::new(trace(&[important])), plain_rules());
        let mut records = Vec::new();
        run(engine, moca.as_mut(), &mut records).expect("legal");
        records.iter().find_map(|record| match *record {
            Record::Start { weight, .. } => Some(weight),
            _ => None,
        })
    };
    // (1 + 7) / 4 + 10 / 2000.
    assert_eq!(weight(""), Some(2.005));
    assert_eq!(weight("weights = 'code'"), Some(0.004));
}

#[test]
fn dream_lets_each_accelerator_choose() {
    // Urgency is R_best / 1 s, so R_best x latency preference decides; energies are equal. On m0: 10 x 35 / 10 = 35,
    // 12 x 27 / 12 = 27, 40 x 90 / 40 = 90: request 2. On m1, free next: 10 x 35 / 25 = 14, 12 x 27 / 15 = 21.6:
    // request 1 until 15. Then m1 is free before m0, and takes request 0.
    assert_eq!(three_on_two("dream"), [(0, 0, 1, 15.0), (1, 0, 1, 0.0), (2, 0, 0, 0.0)]);
}

#[test]
fn dream_serves_what_has_starved() {
    // One accelerator, c of 10 ns each. Request 0 runs from 0; 1 arrives at 1, 2 at 9 with the nearer deadline. At 10:
    // 1 has starved for 9 / 10 = 0.9, 2 for 0.1; urgencies are 10 / 990 and 10 / 190.
    let world = world(platform(1, 10.0), &[&[layer(&[], &[(10.0, 0.0)])]]);
    let requests =
        [request(0, 0.0), with_deadline(request(0, 1.0), 1_000.0), with_deadline(request(0, 9.0), 200.0)];
    let order = |name| run_tiny(name, &world, &requests).0.iter().map(|start| start.0).collect::<Vec<_>>();
    assert_eq!(order("dream"), [0, 1, 2]);
    assert_eq!(order("edf"), [0, 2, 1]);
}

#[test]
fn dysta_adds_weighted_slack_and_waiting_to_the_work() {
    // The mean isolated latency is 20 ns, so a penalty of 1 counts as 200. At 30, three wait:
    // 1: 20 + 0.01 x (1030 - 30 - 20 + 200 x 29 / 20 / 3) = 30.8;
    // 2: 30 + 0.01 x (330 - 30 - 30 + 200 x 28 / 30 / 3) = 33.3;
    // 3: 10 + 0.01 x (3030 - 30 - 10 + 200 x 27 / 10 / 3) = 41.7.
    // At 50: 2 with 30 + 0.01 x (250 + 160) = 34.1 before 3 with 10 + 0.01 x (2970 + 470) = 44.4.
    let requests = [
        request(0, 0.0),
        with_deadline(request(1, 1.0), 1_030.0),
        with_deadline(request(0, 2.0), 330.0),
        with_deadline(request(2, 3.0), 3_030.0),
    ];
    assert_eq!(order_after_first("dysta", &requests), [0, 1, 2, 3]);
    assert_eq!(order_after_first("sjf", &requests), [0, 3, 1, 2]);
    assert_eq!(order_after_first("edf", &requests), [0, 2, 1, 3]);
}

#[test]
fn dysta_penalizes_what_has_waited() {
    // A chain of 10 and 10 ns starts at 0; another request with 10 ns of work arrives at 1. The mean isolated latency is
    // 15 ns. At 10, both have 10 ns left, and the slacks are 980 and 880. With a penalty of 150 x 9 / 10 / 2 = 67.5 the
    // other one is still before the chain; with one of 135 it is not.
    let chain = [layer(&[], &[(10.0, 0.0)]), layer(&[0], &[(10.0, 0.0)])];
    let world = world(platform(1, 10.0), &[&chain, &[layer(&[], &[(10.0, 0.0)])]]);
    let requests = [with_deadline(request(0, 0.0), 1_000.0), with_deadline(request(1, 1.0), 900.0)];
    let order = |parameters: &str| {
        let starts = starts_with("dysta", parameters, &world, &requests);
        starts.iter().map(|start| (start.0, start.1)).collect::<Vec<_>>()
    };
    assert_eq!(order(""), [(0, 0), (1, 0), (0, 1)]);
    assert_eq!(order("unit = 20.0"), [(0, 0), (0, 1), (1, 0)]);
    // In the hardware design the penalty is not halved, and the slacks are 990 and 890.
    assert_eq!(order("score = 'hardware'"), [(0, 0), (0, 1), (1, 0)]);
}

#[test]
fn dysta_keeps_the_static_score_until_a_layer_has_ended() {
    // Three requests at 0 on one accelerator, 30 ns due at 100, 20 at 150 and 10 at 200. With beta 1 the static score is
    // the deadline; with eta 0 the dynamic score is the work.
    let networks = [30.0, 20.0, 10.0].map(|c| [layer(&[], &[(c, 0.0)])]);
    let networks: Vec<&[LayerModel]> = networks.iter().map(|network| &network[..]).collect();
    let requests = [(0, 100.0), (1, 150.0), (2, 200.0)];
    let requests = requests.map(|(network, deadline)| with_deadline(request(network, 0.0), deadline));
    let world = world(platform(1, 10.0), &networks);
    let order = |parameters: &str| {
        let starts = starts_with("dysta", parameters, &world, &requests);
        starts.iter().map(|start| start.0).collect::<Vec<_>>()
    };
    assert_eq!(order("beta = 1.0\neta = 0.0"), [0, 2, 1]);
    assert_eq!(order("beta = 1.0\neta = 1.0\nunit = 0.0"), [0, 1, 2]);
    assert_eq!(order("beta = 0.0\neta = 0.0"), [2, 1, 0]);
    let error =
        (find("dysta").expect("registered").build)(&"eta = -1.0".parse().expect("valid TOML"), 1).err();
    assert_eq!(error.as_deref(), Some("`eta` is -1; it has to be a number from 0 to 1e9"));
}

#[test]
fn relief_promotes_a_child_unless_somebody_misses_for_it() {
    // A chain of 10 and 10 ns starts at 0; another request with 20 ns of work arrives at 1. At 10 the chain's second
    // layer finds its input on chip.
    let chain = [layer(&[], &[(10.0, 0.0)]), layer(&[0], &[(10.0, 0.0)])];
    let world = world(platform(1, 10.0), &[&chain, &[layer(&[], &[(20.0, 0.0)])]]);
    let order = |name: &str, deadline_ns: f64| {
        let requests = [request(0, 0.0), with_deadline(request(1, 1.0), deadline_ns)];
        run_tiny(name, &world, &requests).0.iter().map(|start| (start.0, start.1)).collect::<Vec<_>>()
    };
    // A laxity of 100 - 10 - 20 = 70 at 10 bears the child's 10.
    assert_eq!(order("relief", 100.0), [(0, 0), (0, 1), (1, 0)]);
    // One of 35 - 10 - 20 = 5 does not.
    assert_eq!(order("relief", 35.0), [(0, 0), (1, 0), (0, 1)]);
    assert_eq!(order("llf", 100.0), [(0, 0), (1, 0), (0, 1)]);
}

#[test]
fn terastal_waits_for_the_fastest_accelerator_while_the_virtual_deadline_allows_it() {
    // c = 10 on m0, 25 on m1; networks of one layer, whose virtual deadline is the deadline.
    let world = world(platform(2, 10.0), &[&[layer(&[], &[(10.0, 0.0), (25.0, 0.0)])]]);
    let third = |name: &str, deadline_ns: f64| {
        let requests = [11.0, 21.0, deadline_ns].map(|deadline| with_deadline(request(0, 0.0), deadline));
        let (mut starts, _) = run_tiny(name, &world, &requests);
        starts.sort_by_key(|start| start.0);
        assert_eq!(starts[..2], [(0, 0, 0, 0.0), (1, 0, 0, 10.0)]);
        (starts[2].2, starts[2].3)
    };
    // It ends at 30 on m0 and at 25 on m1.
    assert_eq!(third("terastal", 30.0), (0, 20.0));
    assert_eq!(third("edf", 30.0), (1, 0.0));
    assert_eq!(third("terastal", 29.0), (1, 0.0));
    // Nowhere in time: the earliest finish.
    assert_eq!(third("terastal", 22.0), (1, 0.0));
}

#[test]
fn terastal_serves_what_can_be_in_time_first() {
    // One accelerator; request 0 (30 ns) runs from 0. Request 1 is a chain of 10 and 10 ns; request 2 (30 ns) is due at 90.
    let chain = [layer(&[], &[(10.0, 0.0)]), layer(&[0], &[(10.0, 0.0)])];
    let world = world(platform(1, 10.0), &[&[layer(&[], &[(30.0, 0.0)])], &chain]);
    let order = |name: &str, parameters: &str, requests: &[Request]| {
        let starts = starts_with(name, parameters, &world, requests);
        starts.iter().map(|start| (start.0, start.1)).collect::<Vec<_>>()
    };
    let due = |deadline_ns: f64| {
        [request(0, 0.0), with_deadline(request(1, 1.0), deadline_ns), with_deadline(request(0, 2.0), 90.0)]
    };
    let (by_deadline, chain_last) = ([(0, 0), (1, 0), (1, 1), (2, 0)], [(0, 0), (2, 0), (1, 0), (1, 1)]);
    // At 30, the chain cannot be done by 49.
    assert_eq!(order("terastal", "", &due(49.0)), chain_last);
    assert_eq!(order("edf", "", &due(49.0)), by_deadline);
    // It can by 61, but its first layer is due at 31.
    assert_eq!(order("terastal", "", &due(61.0)), by_deadline);
    assert_eq!(order("terastal", "order = 'virtual'", &due(61.0)), chain_last);
    // Both in time from 0: 30 ns due at 80; the chain due at 140, its first layer at 70.
    let requests = [with_deadline(request(0, 0.0), 80.0), with_deadline(request(1, 0.0), 140.0)];
    assert_eq!(order("terastal", "", &requests), [(0, 0), (1, 0), (1, 1)]);
    assert_eq!(order("terastal", "order = 'virtual'", &requests), [(1, 0), (0, 0), (1, 1)]);
}

/// Two networks of one layer of 10 ns and 100 bytes, of which 60 are reads of 40 bytes of weights; two accelerators behind
/// 100 bytes/ns, each with room for the weights of one network.
#[test]
fn affinity_goes_where_the_weights_are_unless_waiting_costs_more() {
    let one = [layer(&[], &[(10.0, 10.0); 2])];
    let mut world = world(platform(2, 100.0), &[&one, &one]);
    for network in &mut world.networks {
        network.residency = Some(Residency {
            tensors: ndarray::Array2::from_elem(
                (1, 2),
                Tensors { weights: 40, weight_reads: 60, ..Tensors::default() },
            ),
            outputs: vec![100],
            pinned: false,
            memories: Arc::new([Memory { bytes: 40, dram_pj_per_byte: 1.0 }; 2]),
        });
    }
    let requests = [(0, 0.0), (1, 1.0), (1, 30.0), (0, 31.0), (1, 32.0), (1, 60.0), (1, 61.0)];
    let requests = requests.map(|(network, at)| request(network, at));
    let starts = |name: &str, parameters: &str| {
        let parameters = parameters.parse().expect("valid TOML");
        let mut rule = (find(name).expect("registered").build)(&parameters, 1).expect("valid parameters");
        let (mut starts, _) = run_with(rule.as_mut(), &world, &requests);
        starts.sort_by_key(|start| start.0);
        starts.into_iter().map(|(_, _, accelerator, at)| (accelerator, at)).collect::<Vec<_>>()
    };
    let first = [(0, 0.0), (1, 1.0)];
    // At 30 network 1 is on m1 and 0 on m0. At 32 the next of network 1 waits for m1 until 40 rather than for m0 until
    // 41. At 61 m1 would end it at 80 and m0 at 71. It would move 40 bytes there and 100 here, which count 32 x 0.4 and
    // 32 ns: it waits.
    let rest = [(1, 30.0), (0, 31.0), (1, 40.0), (1, 60.0), (1, 70.0)];
    assert_eq!(starts("affinity", ""), [&first[..], &rest].concat());
    // Counted once, they do not make up for 9 ns.
    assert_eq!(starts("affinity", "beta = 1.0"), [&first[..], &rest[..4], &[(0, 61.0)]].concat());
    // edf takes the first that is free.
    assert_eq!(
        starts("edf", ""),
        [&first[..], &[(0, 30.0), (1, 31.0), (0, 40.0), (0, 60.0), (1, 61.0)]].concat()
    );
}

#[test]
fn dbp_serves_the_stream_closest_to_failure() {
    // Tenants 0 and 1 with (1, 2)-firm terms, 10 ns each on one accelerator. Tenant 0's first request misses its
    // deadline of 5: one more miss and it fails (distance 1); tenant 1 may still miss two. Both wait at 10, 1 with the
    // nearer deadline.
    let one = [layer(&[], &[(10.0, 0.0)])];
    let world = world(platform(1, 10.0), &[&one, &one]);
    let requests = [
        with_deadline(request(0, 0.0), 5.0),
        with_deadline(request(0, 1.0), 900.0),
        with_deadline(request(1, 1.0), 500.0),
    ];
    let firm = vec![Some(Firm { m: 1, k: 2 }); 2];
    let engine = Engine::new(Arc::new(world), Arc::new(trace(&requests)), Rules { firm, ..plain_rules() });
    let mut records = Vec::new();
    run(engine, build("dbp").as_mut(), &mut records).expect("legal");
    let start = |record: &Record| match *record {
        Record::Start { sub_job, .. } => Some(sub_job.job.0),
        _ => None,
    };
    assert_eq!(records.iter().filter_map(start).collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn gated_holds_what_would_slow_an_urgent_request_too_far() {
    // Three requests of 10 ns demand 10 of 10 bytes/ns each. Request 0 is due at 26 and bears a slowdown of 2.6: a second
    // one slows it 2-fold, a third would 3-fold and is held until the two are done.
    let starts = |deadline_ns: f64| {
        let one = [layer(&[], &[(10.0, 10.0); 3])];
        let mut requests = [with_deadline(request(0, 0.0), 900.0); 3];
        requests[0] = with_deadline(requests[0], deadline_ns);
        let (starts, _) = run_tiny("gated", &world(platform(3, 10.0), &[&one]), &requests);
        starts.iter().map(|start| start.3).collect::<Vec<_>>()
    };
    assert_eq!(starts(26.0), [0.0, 0.0, 20.0]);
    // Due at 35, it bears 3.5.
    assert_eq!(starts(35.0), [0.0, 0.0, 0.0]);
}

/// A layer that takes 10 ns and 9 pJ on accelerator 0, and 18 ns and 1 pJ on accelerator 1.
fn fast_or_thrifty() -> LayerModel {
    let mut layer = layer(&[], &[(10.0, 0.0), (18.0, 0.0)]);
    layer.costs[0].as_mut().expect("it runs").energy = Picojoules(9.0);
    layer
}

#[test]
fn gated_avoids_accelerators_that_are_slow_or_take_much_energy_as_far_as_it_is_told() {
    let world = world(platform(2, 10.0), &[&[fast_or_thrifty()]]);
    let requests = [0.0, 1.0].map(|at| with_deadline(request(0, at), 1_000.0));
    let starts = |parameters: &str| starts_with("gated", parameters, &world, &requests);
    // The second ends 18 ns from now on accelerator 1, and 19 ns behind the first.
    assert_eq!(starts(""), [(0, 0, 0, 0.0), (1, 0, 1, 1.0)]);
    // Now 18 x 1.8^2 = 58.
    assert_eq!(starts("speed = 2"), [(0, 0, 0, 0.0), (1, 0, 0, 10.0)]);
    // The first: 10 x (10 / 2) = 50 against 18; and the second 19 x 5 against 17 + 18, with one picojoule more each.
    assert_eq!(starts("energy = 1"), [(0, 0, 1, 0.0), (1, 0, 1, 18.0)]);
    // Both: 10 x 5 against 18 x 1.8^2, and then accelerator 1 is free.
    assert_eq!(starts("energy = 1\nspeed = 2"), [(0, 0, 0, 0.0), (1, 0, 1, 1.0)]);
}

#[test]
fn gated_demotes_the_largest_when_not_all_can_be_met() {
    // One accelerator, 30 ns of work due at 60, 10 due at 70, 10 due at 75, and alpha 0.4: 30 > 0.4 x 60, so the first is
    // demoted; 10 <= 0.4 x 70; 20 <= 0.4 x 75. edf would start with it.
    let requests = [
        with_deadline(request(0, 0.0), 60.0),
        with_deadline(request(2, 0.0), 70.0),
        with_deadline(request(2, 0.0), 75.0),
    ];
    assert_eq!(order_after_first("gated", &requests), [1, 2, 0]);
    assert_eq!(order_after_first("edf", &requests), [0, 1, 2]);
}

#[test]
fn lookahead_takes_the_rule_that_meets_most() {
    // One accelerator, 30 ns due at 31, 20 due at 32, 10 due at 33. edf meets the first alone, sjf the other two.
    let requests = [
        with_deadline(request(0, 0.0), 31.0),
        with_deadline(request(1, 0.0), 32.0),
        with_deadline(request(2, 0.0), 33.0),
    ];
    let parameters = "rules = ['edf', 'sjf']".parse().expect("valid TOML");
    let mut lookahead = (find("lookahead").expect("registered").build)(&parameters, 1).expect("valid rules");
    let networks = [30.0, 20.0, 10.0].map(|c| [layer(&[], &[(c, 0.0)])]);
    let networks: Vec<&[LayerModel]> = networks.iter().map(|network| &network[..]).collect();
    let world = Arc::new(world(platform(1, 10.0), &networks));
    let mut records = Vec::new();
    let engine = Engine::new(world, Arc::new(trace(&requests)), plain_rules());
    run(engine, lookahead.as_mut(), &mut records).expect("legal");
    let order = |record: &Record| match *record {
        Record::Start { sub_job, .. } => Some(sub_job.job.0),
        _ => None,
    };
    // 10 until 10, 20 until 30.
    assert_eq!(records.iter().filter_map(order).collect::<Vec<_>>(), [2, 1, 0]);
}

/// MAGMA's own case: 100 independent jobs at once on 4 accelerators.
#[test]
fn magma_is_at_least_as_good_as_greedy_on_a_batch() {
    let mut rng = crate::rng::stream(1, "test", "batch");
    let networks: Vec<[LayerModel; 1]> = (0..20)
        .map(|_| {
            let costs: Vec<(f64, f64)> =
                (0..4).map(|_| (rng.random_range(10.0..100.0), rng.random_range(0.0..6.0))).collect();
            [layer(&[], &costs)]
        })
        .collect();
    let networks: Vec<&[LayerModel]> = networks.iter().map(|network| &network[..]).collect();
    let world = world(platform(4, 10.0), &networks);
    let requests: Vec<Request> = (0..100).map(|i| request(i % 20, 0.0)).collect();
    // One decision for the whole batch, as in the paper.
    let rules = || Rules { trigger: Trigger::Periodic(Time::from_s(0.5)), ..plain_rules() };
    let makespan = |name: &str, parameters: &str| {
        let parameters = parameters.parse().expect("valid TOML");
        let mut scheduler =
            (find(name).expect("registered").build)(&parameters, 1).expect("valid parameters");
        let engine = Engine::new(Arc::new(world.clone()), Arc::new(trace(&requests)), rules());
        let mut records = Vec::new();
        run(engine, scheduler.as_mut(), &mut records).expect("legal");
        match records.last() {
            Some(Record::End { time }) => *time,
            last => panic!("a run ends with its end, not {last:?}"),
        }
    };
    let magma = makespan("magma", "samples = 3000\npopulation = 100\nobjective = 'makespan'");
    let greedy = makespan("eft", "").min(makespan("heft", ""));
    assert!(magma < greedy, "magma {magma:?}, the better of eft and heft {greedy:?}");
}
