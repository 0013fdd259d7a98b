//! Hand-computed bounds, and a slow twin: the same program written out and solved exactly by the simplex method.

use microlp::{ComparisonOp, OptimizationDirection, Problem, Variable};

use super::*;
use crate::check::{Case, Size, layer, platform, request, trace, world};
use crate::sim::{Buffer, Follower, Forwarding, LayerModel, Span};
use crate::workload::After;

/// Requests of (network, arrival, deadline) in ns on accelerators that are all of the model of their place.
fn met(networks: &[&[LayerModel]], accelerators: usize, requests: &[(u32, f64, f64)]) -> usize {
    relaxation(networks, accelerators, 10.0, requests).most_met()
}

fn relaxation(
    networks: &[&[LayerModel]],
    accelerators: usize,
    bandwidth: f64,
    requests: &[(u32, f64, f64)],
) -> Relaxation {
    let ns = |ns: f64| Time((ns * 1e3).round() as u64);
    let request = |&(network, arrival_ns, deadline_ns): &(u32, f64, f64)| Request {
        deadline: ns(deadline_ns),
        ..request(network, arrival_ns)
    };
    let requests: Vec<Request> = requests.iter().map(request).collect();
    Relaxation::new(&world(platform(accelerators, bandwidth), networks), &trace(&requests))
        .expect("none follows another")
}

#[test]
fn an_accelerator_meets_what_fits_one_after_the_other() {
    let ten = [layer(&[], &[(10.0, 0.0)])];
    let same = |count: usize, deadline: f64| vec![(0, 0.0, deadline); count];
    assert_eq!(met(&[&ten], 1, &same(3, 30.0)), 3);
    assert_eq!(met(&[&ten], 1, &same(4, 30.0)), 3);
    // 2.9 of them, rounded down.
    assert_eq!(met(&[&ten], 1, &same(4, 29.0)), 2);
    // Alone it takes longer than it has.
    assert_eq!(met(&[&ten], 1, &same(1, 9.999)), 0);
    // Two at once in [0, 10] and one in [5, 25]: 25 ns for 30, but the first 10 are for one only.
    assert_eq!(met(&[&ten], 1, &[(0, 0.0, 10.0), (0, 0.0, 10.0), (0, 5.0, 25.0)]), 2);
    assert_eq!(met(&[&ten], 1, &[]), 0);
    // Four in 30 ns, and one that has a second.
    assert_eq!(met(&[&ten], 1, &[&same(4, 30.0)[..], &[(0, 0.0, 1e9)]].concat()), 4);
}

#[test]
fn models_share_by_comparative_advantage() {
    // A takes 10 or 40 ns, B 20 or 30. B moves to the second until both are busy alike: 10 + 20 (1 - f) = 30 f, 18 ns for
    // one of each. Ten of each are met in 180 ns, and one less in 179.
    let [a, b] = [[(10.0, 0.0), (40.0, 0.0)], [(20.0, 0.0), (30.0, 0.0)]].map(|costs| [layer(&[], &costs)]);
    let ten_each = |deadline: f64| (0..20).map(|i| (i % 2, 0.0, deadline)).collect::<Vec<_>>();
    assert_eq!(met(&[&a, &b], 2, &ten_each(180.0)), 20);
    assert_eq!(met(&[&a, &b], 2, &ten_each(179.0)), 19);
}

#[test]
fn dram_binds_where_accelerators_do_not() {
    // 80 bytes in 10 ns at 10 bytes/ns: two of them take 16 ns of DRAM.
    let heavy = [layer(&[], &[(10.0, 8.0), (10.0, 8.0)])];
    assert_eq!(met(&[&heavy], 2, &[(0, 0.0, 16.0), (0, 0.0, 16.0)]), 2);
    assert_eq!(met(&[&heavy], 2, &[(0, 0.0, 15.0), (0, 0.0, 15.0)]), 1);
    let free = relaxation(&[&heavy], 2, f64::INFINITY, &[(0, 0.0, 10.0), (0, 0.0, 10.0)]);
    assert_eq!(free.most_met(), 2);
    // 200 bytes take 20 ns, also of the accelerator that could compute them in 10.
    let stalled = [layer(&[], &[(10.0, 20.0)])];
    assert_eq!(met(&[&stalled], 1, &[(0, 0.0, 19.0)]), 0);
    assert_eq!(met(&[&stalled], 1, &[(0, 0.0, 20.0)]), 1);
}

#[test]
fn a_path_that_does_not_fit_is_not_taken() {
    // Two layers of 5 ns, or the first of 12 on the second model; each model could do half of the work in 9 ns.
    let chain = [layer(&[], &[(5.0, 0.0), (12.0, 0.0)]), layer(&[0], &[(5.0, 0.0), (5.0, 0.0)])];
    assert_eq!(met(&[&chain], 2, &[(0, 0.0, 9.0)]), 0);
    let tight = relaxation(&[&chain], 2, 10.0, &[(0, 0.0, 16.0)]);
    let choices: Vec<usize> = tight.kinds[0].layers.iter().map(Vec::len).collect();
    assert_eq!(choices.iter().sum::<usize>(), 3, "12 + 5 ns do not fit into 16: {choices:?}");
}

/// Two layers of 10 ns and 100 bytes, and one that reads both, behind 5 bytes/ns; outputs of 40, 60 and 0 bytes, and a buffer
/// of so many bytes. Only accelerator 0 can run the second one.
fn forwarding(buffer: u64) -> World {
    let both = [(10.0, 10.0); 2];
    let mut second = layer(&[], &both);
    second.costs[1] = None;
    let layers = [layer(&[], &both), second, layer(&[0, 1], &both)];
    let mut world = world(platform(2, 5.0), &[&layers]);
    world.networks[0].forwarding = Some(Forwarding {
        outputs: ndarray::array![[40, 40], [60, 60], [0, 0]],
        buffers: vec![Buffer { words: buffer, word_bytes: 1.0, dram_pj: 0.0 }; 2],
    });
    world
}

#[test]
fn a_layer_counts_as_if_the_largest_output_that_fits_were_forwarded() {
    let met = |world: &World, count: u32, ns: u64| {
        let one = Request { deadline: Time(1_000 * ns), ..request(0, 0.0) };
        Relaxation::new(world, &trace(&vec![one; count as usize])).expect("none follows another").most_met()
    };
    // 100 and 100 bytes, and 40 that are left without 60, 60 without 40, or all 100.
    for (buffer, ns) in [(100, 48), (50, 52), (39, 60)] {
        let world = forwarding(buffer);
        assert_eq!((met(&world, 1, ns), met(&world, 1, ns - 1)), (1, 0), "{buffer}");
        assert_eq!((met(&world, 3, 3 * ns), met(&world, 3, 3 * ns - 1)), (3, 2), "{buffer}");
    }
}

#[test]
fn equal_layers_and_equal_requests_are_one() {
    let chain = [
        layer(&[], &[(5.0, 1.0)]),
        layer(&[0], &[(5.0, 1.0)]),
        layer(&[1], &[(5.0, 2.0)]),
        layer(&[2], &[(5.0, 1.0)]),
    ];
    let merged = relaxation(&[&chain], 1, 10.0, &[(0, 0.0, 20.0), (0, 3.0, 40.0)]);
    assert_eq!((merged.kinds.len(), merged.kinds[0].layers.len()), (1, 2));
    let busy: Vec<f64> = merged.kinds[0].layers.iter().map(|choices| choices[0].busy_ps.round()).collect();
    assert_eq!(busy.iter().sum::<f64>(), 20_000.0);
    assert!(busy.contains(&15_000.0), "{busy:?}");
}

#[test]
fn the_window_and_the_end_of_a_run_count() {
    let world = world(platform(1, 10.0), &[&[layer(&[], &[(10.0, 0.0)])]]);
    let at = |arrival_ns: f64| Request { deadline: Time(40_000), ..request(0, arrival_ns) };
    let mut trace = trace(&[at(0.0), at(5.0), at(10.0), at(20.0)]);
    let most_met = |trace: &Trace| Relaxation::new(&world, trace).map(|relaxation| relaxation.most_met());
    assert_eq!(most_met(&trace), Some(4));
    trace.measured = 1..3;
    assert_eq!(most_met(&trace), Some(2));
    trace.measured = 0..4;
    trace.span = Span { warmup: Time(5_000), end: Time(25_000) };
    assert_eq!(most_met(&trace), Some(2), "that of 20 ns ends at 30, after the run");
    let stage = Follower { after: After::Done(0), request: 4, delay: Time(0), within: Time(40_000) };
    trace.requests.push(Request { arrival: Time::MAX, ..at(0.0) });
    trace.followers.push(stage);
    assert_eq!(most_met(&trace), None);
}

/// The relaxation of a small random case, with deadlines around what can just be met.
fn random(seed: u64, requests: usize) -> Relaxation {
    let mut case = Case::new(seed, Size { accelerators: 3, networks: 2, layers: 4, requests });
    let world = case.world();
    for (i, request) in case.trace.requests.iter_mut().enumerate() {
        let isolated = world.networks[request.network as usize].isolated;
        request.deadline = request.arrival + isolated.scale(1.0 + (i % 5) as f64 / 2.0);
    }
    case.trace.measured = 0..requests;
    Relaxation::new(&world, &case.trace).expect("none follows another")
}

/// The optimum of the program in mod.rs, between consecutive arrivals and deadlines.
fn simplex(relaxation: &Relaxation) -> f64 {
    let Relaxation { kinds, wishes, .. } = relaxation;
    let mut borders: Vec<Time> = wishes.iter().flat_map(|wish| [wish.arrival, wish.deadline]).collect();
    borders.sort();
    borders.dedup();
    let mut program = Problem::new(OptimizationDirection::Maximize);
    let unit_ps = (borders[borders.len() - 1] - borders[0]).as_ps();
    let mut used: Vec<Vec<Vec<(Variable, f64)>>> =
        vec![vec![vec![]; relaxation.resources()]; borders.len() - 1];
    for wish in wishes {
        let accepted = program.add_var(1.0, (0.0, 1.0));
        let mut work: Vec<Vec<(Variable, f64)>> = vec![vec![]; relaxation.resources()];
        for choices in &kinds[wish.kind].layers {
            let mut split = vec![(accepted, -1.0)];
            for choice in choices {
                let fraction = program.add_var(0.0, (0.0, f64::INFINITY));
                split.push((fraction, 1.0));
                work[choice.model].push((fraction, choice.busy_ps / unit_ps));
                work[relaxation.instances.len()].push((fraction, choice.dram_ps / unit_ps));
            }
            program.add_constraint(split, ComparisonOp::Eq, 0.0);
        }
        for (resource, work) in work.into_iter().enumerate() {
            let mut balance = work;
            for interval in 0..borders.len() - 1 {
                if wish.arrival <= borders[interval] && borders[interval + 1] <= wish.deadline {
                    let busy = program.add_var(0.0, (0.0, f64::INFINITY));
                    balance.push((busy, -1.0));
                    used[interval][resource].push((busy, 1.0));
                }
            }
            program.add_constraint(balance, ComparisonOp::Eq, 0.0);
        }
    }
    for (interval, used) in used.into_iter().enumerate() {
        let length = (borders[interval + 1] - borders[interval]).as_ps() / unit_ps;
        for (resource, used) in used.into_iter().enumerate().filter(|(_, used)| !used.is_empty()) {
            let capacity = length * relaxation.instances.get(resource).unwrap_or(&1.0);
            program.add_constraint(used, ComparisonOp::Le, capacity);
        }
    }
    let solution = program.solve().expect("nothing accepted is a solution");
    solution.into_solution().expect("no limit").objective()
}

#[test]
fn the_prices_reach_the_optimum_of_the_program() {
    let mut binding = 0;
    for seed in 0..60 {
        let relaxation = random(seed, 12);
        if relaxation.wishes.is_empty() {
            continue;
        }
        let (bound, optimum) = (relaxation.prices(STRETCH, MARGIN).bound(&relaxation), simplex(&relaxation));
        assert!(bound >= optimum - 1e-6, "seed {seed}: {bound} is below the optimum {optimum}");
        assert!(bound <= optimum + 1e-3, "seed {seed}: {bound} is loose, the optimum is {optimum}");
        binding += usize::from(optimum < relaxation.wishes.len() as f64 - 1e-3);
    }
    assert!(binding > 20, "only {binding} cases are about more than what each request can do alone");
}

#[test]
fn any_prices_bound_and_stretches_lose_little() {
    let (mut whole, mut parts) = (0.0, 0.0);
    for seed in 100..120 {
        let relaxation = random(seed, 60);
        let of = |stretch, margin| relaxation.prices(stretch, margin).bound(&relaxation);
        let (one, apart, overlapping) = (of(STRETCH, MARGIN), of(10, 0), of(10, 15));
        assert!(apart >= one - 1e-3 && overlapping >= one - 1e-3, "seed {seed}: {one} {apart} {overlapping}");
        whole += one;
        parts += overlapping;
        let nothing = Prices::zero(Cells::of(&relaxation.wishes), relaxation.resources());
        assert_eq!(nothing.bound(&relaxation), relaxation.wishes.len() as f64);
    }
    assert!(parts < 1.05 * whole, "stretches: {parts}, all at once: {whole}");
}

#[test]
fn merged_cells_cover_every_window() {
    // 200 requests within each other: each spans as many intervals as there are inside it, 200 in the mean.
    let nested = |i: u64| Wish { kind: 0, arrival: Time(i * 10), deadline: Time(10_000 - i * 10) };
    let wishes: Vec<Wish> = (0..200).map(nested).collect();
    let cells = Cells::of(&wishes);
    let spanned: usize = wishes.iter().map(|wish| cells.touched(wish).len()).sum();
    assert!((6_000..=12_800).contains(&spanned), "{spanned}");
    let length: f64 = (0..cells.len()).map(|cell| cells.length_ps(cell)).sum();
    assert_eq!(length, 10_000.0);
    for wish in &wishes {
        let touched: f64 = cells.touched(wish).map(|cell| cells.length_ps(cell)).sum();
        assert!(touched >= (wish.deadline - wish.arrival).as_ps());
    }
}
