//! Does the search end on any hierarchy that a file can hold, and what do the keys that a level may have change?

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use mascot::cost::{Evaluation, Goal, advice, evaluate, mapper};
use mascot::dims::{Dim, DimSet, Tensor};
use mascot::experiment::DataRoot;
use mascot::hw::{AccelSpec, Level, Objective, Residuals};
use mascot::workload::LoopNest;

const GOAL: Goal = Goal { objective: Objective::Edp, bandwidth_gbps: 32.0 };

fn accelerator(name: &str) -> AccelSpec {
    DataRoot::find(None).unwrap().accelerator(name).unwrap()
}

fn nest(bounds: [u64; 8]) -> LoopNest {
    LoopNest { bounds, stride: [1; 2], dilation: [1; 2], padding: [0; 2] }
}

/// Six storage levels that may all loop over everything, and fan-outs that may unroll everything if `in_space`.
fn open(in_space: bool) -> AccelSpec {
    let all = DimSet::of(&Dim::ALL);
    let mut accel = accelerator("simba_1024");
    for level in &mut accel.levels {
        match level {
            Level::Storage(storage) => storage.temporal = all,
            Level::Fanout(fanout) if in_space => fanout.spatial = fanout.spatial.map(|_| all),
            Level::Fanout(_) => {}
        }
    }
    accel
}

/// 5.5 GB and 32 s before the search knew what the buffers make necessary.
#[test]
fn every_loop_at_every_level_still_has_a_proven_optimum() {
    let (accel, nest) = (open(false), nest([1, 1, 96, 384, 14, 14, 1, 1]));
    let found = mapper::search(&accel, &nest, GOAL).unwrap();
    found.mapping.check_legal(&accel, &nest).unwrap();
    assert_eq!((found.cycles.0, found.dram_bytes.0, found.gap), (7056, 130_944, 0.0));
    assert!((found.dynamic_energy.0 - 13_544_025.489_072).abs() < 1e-3);
    assert_eq!(advice(&accel, found.gap, found.widest), None);
}

#[test]
fn too_many_choices_end_with_a_gap_and_advice() {
    let (accel, nest) = (open(true), nest([1, 1, 96, 384, 14, 14, 3, 3]));
    let found = mapper::search(&accel, &nest, GOAL).unwrap();
    found.mapping.check_legal(&accel, &nest).unwrap();
    assert!(found.gap > 0.0 && found.gap < 0.55, "{}", found.gap);
    let advice = advice(&accel, found.gap, found.widest).unwrap();
    let named = accel.levels.iter().any(|level| advice.contains(&format!("`{}`", level.name())));
    assert!(named && advice.contains(" %"), "{advice}");
}

/// The same mapping of 10 channels in tiles of 4, under both conventions.
fn tiled(residuals: Residuals, drain_reads: bool) -> Evaluation {
    let mut accel = AccelSpec { residuals, ..accelerator("eyeriss_chip") };
    if let Level::Storage(buffer) = &mut accel.levels[1] {
        buffer.drain_reads = drain_reads;
    }
    let nest = nest([1, 1, 5, 10, 1, 1, 1, 1]);
    let found = mapper::search(&accel, &nest, GOAL).unwrap();
    let mut mapping = found.mapping;
    for level in &mut mapping.levels {
        level.temporal.clear();
        level.spatial.iter_mut().for_each(Vec::clear);
    }
    let each = |dim, bound| mascot::cost::Loop { dim, bound };
    mapping.levels[0].temporal = vec![each(Dim::K, 5), each(Dim::C, 3)];
    let weights = accel.levels.iter().position(|level| level.name() == "weights_spad").unwrap();
    mapping.levels[weights].temporal = vec![each(Dim::C, 4)];
    evaluate(&accel, &nest, &mapping).unwrap()
}

#[test]
fn the_last_step_counts_as_long_as_it_is() {
    let (padded, exact) = (tiled(Residuals::Padded, false), tiled(Residuals::Exact, false));
    assert_eq!((padded.steps, exact.steps), (60, 50));
    let words =
        |evaluation: &Evaluation, level: usize, tensor: Tensor| evaluation.accesses[level][tensor as usize];
    // Inputs pass the buffer once for each of 5 output channels; DRAM moves real words under both conventions.
    assert_eq!(words(&padded, 0, Tensor::Inputs).reads, words(&exact, 0, Tensor::Inputs).reads);
    assert_eq!(words(&padded, 1, Tensor::Inputs).fills, 5 * 12);
    assert_eq!(words(&exact, 1, Tensor::Inputs).fills, 5 * 10);
    assert_eq!(exact.accesses[0][Tensor::Weights as usize].reads, 50);
}

#[test]
fn drained_sums_are_read_if_the_level_says_so() {
    let (silent, read) = (tiled(Residuals::Exact, false), tiled(Residuals::Exact, true));
    let outputs =
        |evaluation: &Evaluation, level: usize| evaluation.accesses[level][Tensor::Outputs as usize];
    assert_eq!(outputs(&read, 1).reads, outputs(&silent, 1).reads + outputs(&silent, 0).updates);
    assert!(read.dynamic_pj[1] > silent.dynamic_pj[1]);
    assert_eq!(read.dynamic_pj[2..], silent.dynamic_pj[2..]);
}
