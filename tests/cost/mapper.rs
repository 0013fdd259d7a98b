//! Is the search's optimum the optimum? A brute force over every factor and every loop order, on accelerators and layers
//! small enough for it, with the public evaluation as the only shared code.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use mascot::cost::{Goal, LevelLoops, Loop, Mapping, evaluate, mapper};
use mascot::dims::Dim;
use mascot::experiment::DataRoot;
use mascot::hw::{AccelSpec, Level, Objective};
use mascot::workload::{LoopNest, Work};

/// One place where a dimension may be looped: (level, axis), no axis for time.
type Slot = (usize, Option<usize>);

/// A dimension, its slots and all their factors.
type Choice = (Dim, Vec<Slot>, Vec<Vec<u64>>);

/// The best objective value over all mappings, for latency, energy and energy x delay.
fn brute_force(accel: &AccelSpec, nest: &LoopNest) -> Option<[f64; 3]> {
    let mut choices: Vec<Choice> = Vec::new();
    for dim in Dim::ALL.into_iter().filter(|&dim| nest.bound(dim) > 1) {
        let slots = slots(accel, dim);
        let factors = all_factors(nest.bound(dim), slots.len());
        choices.push((dim, slots, factors));
    }
    let mut best = None;
    let empty = Mapping { levels: vec![LevelLoops::default(); accel.levels.len()] };
    choose(accel, nest, &choices, &empty, &mut best);
    best
}

/// Outermost first.
fn slots(accel: &AccelSpec, dim: Dim) -> Vec<Slot> {
    let mut slots = Vec::new();
    for (index, level) in accel.levels.iter().enumerate() {
        match level {
            Level::Storage(storage) if storage.temporal.has(dim) => slots.push((index, None)),
            Level::Storage(_) => {}
            Level::Fanout(fanout) => {
                let axes = (0..2).filter(|&axis| fanout.spatial[axis].has(dim));
                slots.extend(axes.map(|axis| (index, Some(axis))));
            }
        }
    }
    slots
}

/// All factors of all slots but the outermost, which takes what is left.
fn all_factors(bound: u64, slots: usize) -> Vec<Vec<u64>> {
    let mut inner = vec![vec![]];
    for _ in 1..slots {
        inner = inner
            .iter()
            .flat_map(|chosen: &Vec<u64>| {
                (1..=bound).map(move |factor| chosen.iter().copied().chain([factor]).collect())
            })
            .collect();
    }
    for chosen in &mut inner {
        let covered: u64 = chosen.iter().product();
        chosen.insert(0, bound.div_ceil(covered));
    }
    inner
}

fn choose(
    accel: &AccelSpec,
    nest: &LoopNest,
    choices: &[Choice],
    mapping: &Mapping,
    best: &mut Option<[f64; 3]>,
) {
    let Some(((dim, slots, factors), others)) = choices.split_first() else {
        if mapping.check_legal(accel, nest).is_ok() {
            permute(accel, nest, 0, &mut mapping.clone(), best);
        }
        return;
    };
    for chosen in factors {
        let mut mapping = mapping.clone();
        for (&(level, axis), &bound) in slots.iter().zip(chosen).filter(|&(_, &bound)| bound > 1) {
            let each = Loop { dim: *dim, bound };
            match axis {
                Some(axis) => mapping.levels[level].spatial[axis].push(each),
                None => mapping.levels[level].temporal.push(each),
            }
        }
        choose(accel, nest, others, &mapping, best);
    }
}

/// Every order of the temporal loops of every level from `level` on.
fn permute(
    accel: &AccelSpec,
    nest: &LoopNest,
    level: usize,
    mapping: &mut Mapping,
    best: &mut Option<[f64; 3]>,
) {
    if level == mapping.levels.len() {
        let found = evaluate(accel, nest, mapping).unwrap();
        let (cycles, energy) = (found.cycles.0 as f64, found.energy_pj());
        let values = [cycles, energy, cycles * energy];
        let best = best.get_or_insert(values);
        *best = std::array::from_fn(|i| best[i].min(values[i]));
        return;
    }
    let loops = mapping.levels[level].temporal.clone();
    for order in permutations(&loops) {
        mapping.levels[level].temporal = order;
        permute(accel, nest, level + 1, mapping, best);
    }
    mapping.levels[level].temporal = loops;
}

fn permutations(loops: &[Loop]) -> Vec<Vec<Loop>> {
    if loops.is_empty() {
        return vec![vec![]];
    }
    let mut all = Vec::new();
    for first in 0..loops.len() {
        let mut others = loops.to_vec();
        let each = others.remove(first);
        all.extend(permutations(&others).into_iter().map(|mut order| {
            order.insert(0, each);
            order
        }));
    }
    all
}

fn accelerator(levels: &str) -> AccelSpec {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.toml");
    let head = "name = 'tiny'\nsource = 'test'\nclock_mhz = 1\nkinds = ['conv']\n";
    std::fs::write(&path, format!("{head}{levels}\n[mac]\nname = 'mac'\nenergy_pj = 0.3\n")).unwrap();
    AccelSpec::read(&path).unwrap()
}

/// A `[[level]]` table of a buffer; `more` holds further keys.
fn buffer(name: &str, keeps: &str, temporal: &str, pj: f64, more: &str) -> String {
    format!(
        "[[level]]\nname = '{name}'\ntype = 'storage'\nword_bits = 8\nentry_bits = 8\nkeeps = [{keeps}]\n\
         read_pj_per_access = {pj}\nwrite_pj_per_access = {}\nupdate_pj_per_access = {pj}\n\
         temporal = [{temporal}]\n{more}\n",
        pj * 1.25
    )
}

fn fanout(name: &str, keys: &str) -> String {
    format!("[[level]]\nname = '{name}'\ntype = 'fanout'\n{keys}\n")
}

const ALL: &str = "'Weights', 'Inputs', 'Outputs'";

fn weight_stationary(glb_words: u64) -> AccelSpec {
    let glb =
        format!("capacity_words = {glb_words}\nread_bandwidth_words_per_cycle = 2\nleak_pj_per_cycle = 0.5");
    accelerator(
        &[
            buffer("dram", ALL, "'N','K','C','P'", 50.0, "shared_bandwidth_words_per_cycle = 1.5"),
            buffer("glb", "'Inputs', 'Outputs'", "'K','C','P'", 4.0, &glb),
            fanout("pes", "x = 3\nspatial_x = ['K','C']"),
            buffer("weights", "'Weights'", "'C','R'", 1.1, "capacity_words = 8"),
            buffer("sums", "'Outputs'", "'K'", 0.7, "capacity_words = 4"),
            fanout("lanes", "y = 2\nspatial_y = ['C']\nmax_factor = { C = 2 }"),
            buffer("registers", "'Weights'", "'P'", 0.2, "capacity_words = 1"),
        ]
        .concat(),
    )
}

fn row_stationary() -> AccelSpec {
    accelerator(
        &[
            buffer("dram", ALL, "'K','C','Q','G'", 50.0, ""),
            buffer("glb", "'Inputs', 'Outputs'", "'K','C','P'", 4.0, "capacity_words = 60"),
            fanout(
                "array",
                "x = 2\ny = 3\nspatial_x = ['K','Q']\nspatial_y = ['C','S']\nspatial_whole = ['S']",
            ),
            buffer("inputs", "'Inputs'", "", 0.5, "capacity_words = 6"),
            buffer("weights", "'Weights'", "'C','R'", 0.6, "capacity_words = 8\ntemporal_whole = ['R']"),
            buffer("sums", "'Outputs'", "'K'", 0.7, "capacity_words = 3"),
        ]
        .concat(),
    )
}

fn output_stationary() -> AccelSpec {
    accelerator(
        &[
            buffer("dram", ALL, "'K','C','P','Q','N'", 50.0, ""),
            buffer("inputs", "'Inputs'", "", 3.0, "capacity_words = 40"),
            buffer("weights", "'Weights'", "'K','C','P'", 2.0, "capacity_words = 24"),
            fanout("array", "x = 2\ny = 2\nspatial_x = ['Q']\nspatial_y = ['P']"),
            buffer("sums", "'Outputs'", "'C','R','S'", 0.5, "capacity_words = 1"),
        ]
        .concat(),
    )
}

/// Two clusters, each with a buffer of its own; words of two to an access, and registers that share one entry.
fn clustered() -> AccelSpec {
    let pairs = |name: &str, keeps: &str, temporal: &str, pj: f64, more: &str| {
        buffer(name, keeps, temporal, pj, more).replace("entry_bits = 8", "entry_bits = 16")
    };
    accelerator(
        &[
            pairs(
                "dram",
                ALL,
                "'K','C','P'",
                50.0,
                "read_bandwidth_words_per_cycle = 2\nwrite_bandwidth_words_per_cycle = 1",
            ),
            fanout("clusters", "x = 2\nspatial_x = ['K','P']"),
            pairs(
                "local",
                "'Inputs', 'Outputs'",
                "'K','C','P'",
                5.0,
                "capacity_words = 24\nleak_pj_per_cycle = 1.5",
            ),
            buffer("weights", "'Weights'", "'C','R'", 1.0, "capacity_words = 6"),
            fanout("lanes", "x = 2\nspatial_x = ['K']"),
            buffer("registers", "'Weights'", "'P'", 0.3, "capacity_words = 2\ncluster_size = 2")
                .replace("entry_bits = 8", "entry_bits = 16"),
        ]
        .concat(),
    )
}

/// Registers only: every loop in time is at DRAM.
fn bare() -> AccelSpec {
    accelerator(
        &[
            buffer("dram", ALL, "'N','K','C','P','Q','R'", 50.0, "shared_bandwidth_words_per_cycle = 3"),
            fanout("array", "x = 2\ny = 2\nspatial_x = ['K','P']\nspatial_y = ['C','R']"),
            buffer("registers", "'Weights', 'Outputs'", "", 0.3, "capacity_words = 2"),
        ]
        .concat(),
    )
}

/// N G K C P Q R S, stride, dilation.
const LAYERS: [([u64; 8], u64, u64); 8] = [
    ([1, 1, 4, 3, 4, 1, 2, 1], 1, 1),
    ([1, 1, 5, 3, 3, 1, 1, 1], 1, 1),
    ([1, 1, 2, 4, 5, 1, 3, 1], 1, 1),
    ([1, 1, 3, 4, 4, 1, 1, 1], 3, 1),
    ([1, 1, 3, 2, 5, 1, 2, 1], 2, 1),
    ([1, 1, 2, 3, 5, 1, 2, 1], 1, 3),
    ([1, 1, 7, 5, 1, 1, 1, 1], 1, 1),
    ([2, 1, 4, 4, 3, 1, 1, 1], 1, 1),
];

fn check(accel: &AccelSpec, bounds: [u64; 8], stride: u64, dilation: u64) {
    let nest = LoopNest { bounds, stride: [stride; 2], dilation: [dilation; 2], padding: [0; 2] };
    let best = brute_force(accel, &nest);
    for (i, objective) in [Objective::Latency, Objective::Energy, Objective::Edp].into_iter().enumerate() {
        let found = mapper::search(accel, &nest, Goal { objective, bandwidth_gbps: f64::INFINITY });
        let place = format!("{objective:?} of {bounds:?} stride {stride} dilation {dilation}");
        assert_eq!(found.is_some(), best.is_some(), "{place}");
        let (Some(found), Some(best)) = (found, best) else { continue };
        found.mapping.check_legal(accel, &nest).unwrap();
        let ours = evaluate(accel, &nest, &found.mapping).unwrap();
        let (cycles, energy) = (ours.cycles.0 as f64, ours.energy_pj());
        let ours = [cycles, energy, cycles * energy][i];
        assert!((ours - best[i]).abs() <= 1e-9 * best[i], "{place}: {ours}, the best is {}", best[i]);
    }
}

#[test]
fn weight_stationary_optima_equal_brute_force() {
    for (bounds, stride, dilation) in LAYERS {
        for glb_words in [14, 30, 200] {
            check(&weight_stationary(glb_words), bounds, stride, dilation);
        }
    }
}

#[test]
fn row_stationary_optima_equal_brute_force() {
    for (bounds, stride, dilation) in [
        ([1, 1, 4, 3, 3, 3, 2, 2], 1, 1),
        ([1, 1, 3, 4, 4, 3, 1, 1], 2, 1),
        ([1, 2, 2, 3, 3, 4, 3, 3], 1, 1),
        ([1, 1, 5, 2, 2, 3, 2, 3], 2, 1),
        ([1, 1, 2, 2, 2, 2, 2, 4], 1, 1),
    ] {
        check(&row_stationary(), bounds, stride, dilation);
    }
}

#[test]
fn output_stationary_optima_equal_brute_force() {
    for (bounds, stride, dilation) in
        [([1, 1, 3, 3, 4, 2, 2, 2], 1, 1), ([1, 1, 4, 4, 4, 3, 1, 1], 2, 1), ([2, 1, 3, 2, 3, 2, 2, 1], 1, 2)]
    {
        check(&output_stationary(), bounds, stride, dilation);
    }
}

#[test]
fn clustered_and_bare_optima_equal_brute_force() {
    for (bounds, stride, dilation) in LAYERS {
        if bounds[0] == 1 {
            check(&clustered(), bounds, stride, dilation);
        }
        check(&bare(), bounds, stride, dilation);
    }
}

#[test]
fn a_third_dataflow_needs_a_file_only() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("accel-models/shidiannao_like.toml");
    let accel = AccelSpec::read(&path).unwrap();
    let nest =
        LoopNest { bounds: [1, 1, 16, 6, 10, 10, 5, 5], stride: [1; 2], dilation: [1; 2], padding: [0; 2] };
    let goal = Goal { objective: Objective::Edp, bandwidth_gbps: 32.0 };
    let found = mapper::search(&accel, &nest, goal).unwrap();
    let unrolled = found.mapping.levels.iter().flat_map(|level| level.spatial.iter().flatten());
    assert!(unrolled.clone().all(|each| matches!(each.dim, Dim::P | Dim::Q)) && unrolled.count() == 2);
}

/// Without a shared bandwidth, so that latency is in cycles; energy is with the leakage of the instances that are used.
#[test]
fn each_objective_is_the_best_in_its_own_terms_on_real_layers() {
    let data = DataRoot::find(None).unwrap();
    let accel = data.accelerator("simba_256").unwrap();
    let network = data.network("mobilenet_v2").unwrap();
    let works: Vec<Work> = network.layers.iter().map(|layer| layer.work(1)).collect();
    let nests = works.iter().filter_map(|work| work.op.nest());
    let (mut layers, mut traded) = (0, 0);
    for nest in nests {
        let of = |objective| {
            let goal = Goal { objective, bandwidth_gbps: f64::INFINITY };
            let found = mapper::search(&accel, nest, goal).unwrap();
            [found.cycles.0 as f64, evaluate(&accel, nest, &found.mapping).unwrap().energy_pj()]
        };
        let [latency, energy, edp] = [Objective::Latency, Objective::Energy, Objective::Edp].map(of);
        let told = format!("{nest:?}: {latency:?} {energy:?} {edp:?}");
        let at_most = |one: f64, other: f64| assert!(one <= other * (1.0 + 1e-6), "{told}");
        let product = |[cycles, pj]: [f64; 2]| cycles * pj;
        for other in [latency, energy, edp] {
            at_most(latency[0], other[0]);
            at_most(energy[1], other[1]);
            at_most(product(edp), product(other));
        }
        layers += 1;
        traded += usize::from(energy[1] < latency[1] && energy[0] > latency[0]);
    }
    assert!(layers > 50 && traded > 0, "{traded} of {layers} layers trade time for energy");
}
