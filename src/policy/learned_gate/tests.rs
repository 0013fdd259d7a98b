//! Tests that the policy before training is `gated`, and that its net has an effect.

use std::sync::Arc;

use rand::RngExt;

use super::*;
use crate::check::{Case, Size};
use crate::rng;
use crate::scheduler;
use crate::sim::{Engine, run};

fn records(case: &Case, scheduler: &mut dyn Scheduler) -> Vec<Record> {
    let engine = Engine::new(Arc::new(case.world()), Arc::new(case.trace.clone()), case.rules.clone());
    let mut records = Vec::new();
    // Schedulers that hold requests may leave some waiting for ever in random systems.
    let _ = run(engine, scheduler, &mut records);
    records
}

/// The starts of layers and the drops as text, without the decisions and their costs.
fn starts(records: &[Record]) -> Vec<String> {
    let start = |record: &&Record| matches!(record, Record::Start { .. } | Record::Drop { .. });
    records.iter().filter(start).map(|record| format!("{record:?}")).collect()
}

/// The accelerator on which the first layer started.
fn first_start(records: &[Record]) -> usize {
    let start = |record: &Record| match record {
        Record::Start { accelerator, .. } => Some(*accelerator),
        _ => None,
    };
    records.iter().find_map(start).expect("it ran")
}

/// Random weights, which have an effect.
fn random_weights(seed: u64) -> Vec<f32> {
    let mut rng = rng::stream(seed, "test", "weights");
    untrained(seed).into_iter().map(|weight| weight + rng.random_range(-0.5..0.5)).collect()
}

/// A case with free decisions, because the costs of the two schedulers differ.
fn ideal_case(seed: u64) -> Case {
    let mut case =
        Case::with_everything(seed, Size { accelerators: 5, networks: 3, layers: 12, requests: 40 });
    case.rules.decision_cost = crate::sim::DecisionCost::Ideal;
    case
}

#[test]
fn untrained_it_is_gated_and_trained_it_is_not() {
    let (mut compared, mut different) = (0, 0);
    for seed in 0..60 {
        let case = ideal_case(seed);
        let mut gated = (scheduler::find("gated").unwrap().build)(&toml::Table::new(), 1).unwrap();
        let expected = starts(&records(&case, gated.as_mut()));
        let of = |weights: &[f32]| starts(&records(&case, &mut LearnedGate::new(weights)));
        assert_eq!(of(&untrained(seed)), expected, "seed {seed}: {case}");
        compared += expected.len();
        different += usize::from(of(&random_weights(seed)) != expected);
    }
    assert!(compared > 1_000 && different > 20, "{compared} {different}");
}

#[test]
fn every_part_is_missed_and_without_the_learned_ones_it_is_gated() {
    let mut missed = vec![0; PARTS.len()];
    for seed in 0..40 {
        let (case, weights) = (ideal_case(seed), random_weights(seed));
        let starts_without = |parts: &[&str]| {
            let parts: Vec<String> = parts.iter().map(|part| part.to_string()).collect();
            starts(&records(&case, &mut LearnedGate::without(&parts, &weights)))
        };
        let whole = starts_without(&[]);
        for (missed, part) in missed.iter_mut().zip(PARTS) {
            *missed += usize::from(starts_without(&[part.name]) != whole);
        }
        let learned: Vec<&str> =
            PARTS.iter().map(|part| part.name).filter(|n| n.starts_with("learned_")).collect();
        let mut gated = (scheduler::find("gated").unwrap().build)(&toml::Table::new(), 1).unwrap();
        assert_eq!(starts_without(&learned), starts(&records(&case, gated.as_mut())), "seed {seed}");
    }
    assert!(missed.iter().all(|&missed| missed > 3), "{missed:?}");
}

#[test]
fn without_drop_it_drops_nothing_and_without_hold_it_holds_nothing() {
    let (mut dropped, mut held) = ([0, 0], [0, 0]);
    for seed in 0..40 {
        for (way, parts) in [vec![], vec!["drop".to_string(), "hold".to_string()]].into_iter().enumerate() {
            let mut policy = LearnedGate::without(&parts, &random_weights(seed));
            let mut decide = crate::check::Script(|view: &View, out: &mut Decision| {
                policy.decide(view, out);
                for action in &out.actions {
                    dropped[way] += u32::from(matches!(action, crate::sim::Action::Drop { .. }));
                    held[way] += u32::from(matches!(action, crate::sim::Action::Hold { .. }));
                }
            });
            records(&ideal_case(seed), &mut decide);
        }
    }
    assert!(dropped[0] > 0 && held[0] > 0, "{dropped:?} {held:?}");
    assert_eq!([dropped[1], held[1]], [0, 0]);
}

/// The weights of earlier versions, by their layout: what nets say of features is what they said, and new outputs are zero.
#[test]
fn weights_of_earlier_versions_say_the_same() {
    // New in version 3 were the last five of a job's own features, in version 4 the last one of the queue.
    let of_queue = 26..27;
    same::<21, 12, 4, 27, 16, 8>("weights", of_version_2, &[10..15, of_queue.clone()]);
    let of_queue = &[of_queue];
    same::<26, 16, 8, 27, 16, 8>("weights", of_version_3, of_queue);
    same::<30, 16, 9, 31, 16, 9>("price", thrift::of_version_1, of_queue);
    same::<29, 4, 2, 30, 4, 2>("cuts", cuts::of_version_1, of_queue);
}

/// Draws weights of the net before, all nets of that time, and compares.
fn same<
    const SEEN: usize,
    const BEFORE: usize,
    const SAID: usize,
    const SEES: usize,
    const HAS: usize,
    const SAYS: usize,
>(
    name: &str,
    carry: fn(&Tensors) -> Result<Tensors, WeightsError>,
    new: &[Range<usize>],
) {
    let mut random = rng::stream(1, "test", "before");
    let mut tensors = Tensors::default();
    for (name, size) in [("weights", Net::<26, 16, 8>::WEIGHTS), (name, Net::<SEEN, BEFORE, SAID>::WEIGHTS)] {
        tensors.insert(name, &[size], (0..size).map(|_| random.random_range(-0.5..0.5)).collect());
    }
    let weights_of = |tensors: &Tensors| tensors.get(name).expect("the net").values().to_vec();
    let seen: [f32; SEEN] = array::from_fn(|_| random.random_range(-2.0..2.0));
    let mut sees = seen.to_vec();
    // They count nothing.
    new.iter().flat_map(Range::clone).for_each(|feature| sees.insert(feature, 3.0));
    let (mut x, mut old) = ([[0.0; LANES]; SEES], [[0.0; LANES]; SEEN]);
    put(&mut x, 0, sees);
    put(&mut old, 0, seen);
    let now = carry(&tensors).expect("all weights");
    let says = Net::<SEES, HAS, SAYS>::new(&weights_of(&now)).forward(&x).map(|row| row[0]);
    let said = Net::<SEEN, BEFORE, SAID>::new(&weights_of(&tensors)).forward(&old).map(|row| row[0]);
    for (says, said) in says.iter().zip(said) {
        assert!((says - said).abs() < 1e-6, "{name}: {says} {said}");
    }
    assert!(says[SAID..].iter().all(|&says| says == 0.0));
    tensors.insert(name, &[3], vec![0.0; 3]);
    assert!(carry(&tensors).is_err());
}

fn thrifty(weights: &Tensors, price: f64) -> LearnedGate {
    thrift::policy(weights, price).expect("all weights")
}

/// Both nets with random weights, which have an effect.
fn random_nets(untrained: fn(u64) -> Tensors, seed: u64) -> Tensors {
    let untrained = untrained(seed);
    let mut random = rng::stream(seed, "test", "nets");
    let moved: Vec<f32> = untrained.flat().iter().map(|w| w + random.random_range(-0.5..0.5)).collect();
    untrained.with_flat(&moved)
}

#[test]
fn without_a_price_a_thrifty_gate_is_a_learned_gate_at_its_cost() {
    let mut different = 0;
    for seed in 0..40 {
        let (case, nets) = (ideal_case(seed), random_nets(thrift::untrained, seed));
        let first = weights(&nets).expect("they are among them");
        let expected = records(&case, &mut LearnedGate::new(first));
        assert_eq!(records(&case, &mut thrifty(&nets, 0.0)), expected, "seed {seed}: {case}");
        different += usize::from(starts(&records(&case, &mut thrifty(&nets, 0.3))) != starts(&expected));
    }
    assert!(different > 20, "{different}");
}

#[test]
fn before_training_no_price_changes_anything() {
    for seed in 0..20 {
        let case = ideal_case(seed);
        let first = tensors(random_weights(seed));
        let nets = thrift::of_learned_gate(&first).expect("all weights");
        let expected = starts(&records(&case, &mut LearnedGate::new(weights(&first).expect("all weights"))));
        for price in [0.05, 5.0] {
            assert_eq!(starts(&records(&case, &mut thrifty(&nets, price))), expected, "seed {seed}, {price}");
        }
    }
}

/// With a second net that says 2 of energy and nothing else, whatever it sees, a layer goes where it takes the least energy.
#[test]
fn what_is_said_of_energy_decides_the_accelerator() {
    let mut layer = crate::check::layer(&[], &[(10.0, 0.0), (40.0, 0.0)]);
    layer.costs[0].as_mut().expect("it runs").energy = crate::units::Picojoules(9.0);
    let world = Arc::new(crate::check::world(crate::check::platform(2, 10.0), &[&[layer]]));
    let trace = Arc::new(crate::check::trace(&[crate::check::request(0, 0.0)]));
    let place = |says: f32, price: f64| {
        let mut nets = thrift::untrained(1);
        let mut all = nets.values("price", &[nets.get("price").unwrap().values().len()]).unwrap().to_vec();
        *all.last_mut().expect("the bias of the last output") = says;
        let shape = [all.len()];
        nets.insert("price", &shape, all);
        let engine = Engine::new(Arc::clone(&world), Arc::clone(&trace), crate::check::plain_rules());
        let mut records = Vec::new();
        run(engine, &mut thrifty(&nets, price), &mut records).expect("it is legal");
        first_start(&records)
    };
    // 10 ns x (10 / 2)^(2 x 1) is more than 40 ns.
    assert_eq!([place(1.0, 0.1), place(0.0, 0.1), place(1.0, 0.0), place(-1.0, 0.1)], [1, 0, 0, 0]);
}

/// With a net that says 0.4 times the scarcity of bytes and nothing else, a layer of 10 ns and 50 bytes goes where it takes 18 ns and
/// 18 bytes if the DRAM is short.
#[test]
fn where_the_dram_is_short_a_layer_may_go_elsewhere() {
    let place = |bandwidth: f64| {
        let mut costs = [(18.0, 1.0); 6];
        costs[0] = (10.0, 5.0);
        let world =
            crate::check::world(crate::check::platform(6, bandwidth), &[&[crate::check::layer(&[], &costs)]]);
        let mut weights = untrained(1);
        // The skips of the last feature come before the biases.
        let of_scarcity = weights.len() - 2 * OUTPUTS;
        weights[of_scarcity + 5] = 0.4;
        let trace = crate::check::trace(&[crate::check::request(0, 0.0)]);
        let engine = Engine::new(Arc::new(world), Arc::new(trace), crate::check::plain_rules());
        let mut records = Vec::new();
        run(engine, &mut LearnedGate::new(&weights), &mut records).expect("it is legal");
        first_start(&records)
    };
    // All accelerators would ask for 5 + 5 x 1 bytes/ns: 2 and 1.25 times what there is. (50 / 18)^(1.5 x 0.4 x 4 ln(2 / 1.5)) is more
    // than 18 / 10; below 1.5 times the scarcity is 0.
    assert_eq!([5.0, 8.0].map(place), [1, 0]);
}

fn cutting(weights: &Tensors) -> LearnedGate {
    cuts::policy(weights).expect("all weights")
}

#[test]
fn where_layers_are_whole_a_split_gate_is_a_learned_gate_at_its_cost() {
    let (mut whole, mut different) = (0, 0);
    for seed in 0..120 {
        let (case, nets) = (ideal_case(seed), random_nets(cuts::untrained, seed));
        let first = weights(&nets).expect("they are among them");
        let learned = records(&case, &mut LearnedGate::new(first));
        let split = records(&case, &mut cutting(&nets));
        match case.max_sub_job {
            None => {
                assert_eq!(split, learned, "seed {seed}: {case}");
                whole += 1;
            }
            Some(_) => different += usize::from(starts(&split) != starts(&learned)),
        }
    }
    assert!(whole > 10 && different > 10, "{whole} {different}");
}

#[test]
fn before_training_it_cuts_as_a_learned_gate() {
    for case in (0..60).map(ideal_case).filter(|case| case.max_sub_job.is_some()) {
        let first = tensors(random_weights(1));
        let nets = cuts::of_learned_gate(&first).expect("all weights");
        let expected = starts(&records(&case, &mut LearnedGate::new(weights(&first).expect("all weights"))));
        assert_eq!(starts(&records(&case, &mut cutting(&nets))), expected, "{case}");
    }
}

/// The starts of layers, job, accelerator and time in ns, of two networks in parts of 10 ns on two accelerators, under a policy
/// that says nothing but this of cuts. A network is a layer that takes so many nanoseconds on each, 0 where it does not run;
/// a request comes at, and is due at, so many.
fn starts_of_parts(
    networks: [[f64; 2]; 2],
    requests: [[f64; 2]; 2],
    says: [f32; 2],
) -> Vec<(u32, usize, f64)> {
    let platform = crate::check::platform(2, 10.0);
    let network = |(number, costs): (usize, [f64; 2])| {
        let mut layers = [crate::check::layer(&[], &costs.map(|ns| (ns, 0.0)))];
        let of_each = layers[0].costs.iter_mut().zip(costs);
        of_each.filter(|(_, ns)| *ns == 0.0).for_each(|(cost, _)| *cost = None);
        crate::sim::NetworkModel::numbered(number, "network", &layers, &platform, Some(Time(10_000)))
    };
    let networks = networks.into_iter().enumerate().map(network).collect();
    let world = Arc::new(crate::sim::World { platform, networks });
    let request = |(network, [at, due]): (u32, [f64; 2])| crate::sim::Request {
        deadline: Time((due * 1e3) as u64),
        ..crate::check::request(network, at)
    };
    let requests: Vec<_> = (0..).zip(requests).map(request).collect();
    let mut nets = cuts::untrained(1);
    let mut all = nets.values("cuts", &[nets.get("cuts").unwrap().values().len()]).unwrap().to_vec();
    let biases = all.len() - says.len();
    all[biases..].copy_from_slice(&says);
    let shape = [all.len()];
    nets.insert("cuts", &shape, all);
    let engine = Engine::new(world, Arc::new(crate::check::trace(&requests)), crate::check::plain_rules());
    let mut records = Vec::new();
    run(engine, &mut cutting(&nets), &mut records).expect("it is legal");
    let start = |record: &Record| match *record {
        Record::Start { time, sub_job, accelerator, .. } => {
            Some((sub_job.job.0, accelerator, time.as_ps() / 1e3))
        }
        _ => None,
    };
    records.iter().filter_map(start).collect()
}

#[test]
fn what_is_said_of_cuts_decides_whether_and_where_a_layer_goes_on() {
    // One accelerator: while a layer of 40 ns runs, due at 150, one of 5 ns comes.
    let order = |due: f64, says: f32| {
        let starts = starts_of_parts([[40.0, 0.0], [5.0, 0.0]], [[0.0, 150.0], [12.0, due]], [says, 0.0]);
        starts.into_iter().map(|(job, _, at)| (job, at)).collect::<Vec<_>>()
    };
    let cut = [(0, 0.0), (0, 10.0), (1, 20.0), (0, 25.0), (0, 35.0)];
    let whole = [(0, 0.0), (0, 10.0), (0, 20.0), (0, 30.0), (1, 40.0)];
    assert_eq!([order(100.0, 0.0), order(100.0, 2.0)], [cut, whole]);
    assert_eq!([order(200.0, 0.0), order(200.0, -2.0)], [whole, cut]);
    // A layer begins on the slower accelerator, because the other one is busy until 22 ns.
    let places = |says: f32| {
        let starts = starts_of_parts([[40.0, 20.0], [0.0, 22.0]], [[0.0, 150.0], [0.0, 100.0]], [0.0, says]);
        starts.into_iter().filter(|(job, ..)| *job == 0).map(|(_, at, _)| at).collect::<Vec<_>>()
    };
    assert_eq!([places(0.0), places(2.0)], [[0, 0, 1, 1], [0, 0, 0, 0]]);
}

#[test]
fn judgements_have_an_effect_in_their_ranges_and_no_more_beyond() {
    let of_cuts = OF_CUTS.zip(cuts::RANGES[OUTPUTS..].iter().copied());
    for (judgement, [least, largest]) in RANGES.into_iter().enumerate().chain(of_cuts) {
        let verdict = |said: f32| {
            let mut all = [0.5; JUDGEMENTS];
            all[judgement] = said;
            Verdict::of(all)
        };
        assert_eq!(verdict(least - 1.0), verdict(least), "{judgement}");
        assert_eq!(verdict(largest + 1.0), verdict(largest), "{judgement}");
        assert_ne!(verdict(least), verdict(least + 0.1), "{judgement}");
        assert_ne!(verdict(largest), verdict(largest - 0.1), "{judgement}");
    }
}
