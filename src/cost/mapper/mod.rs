//! The mapper: the best mapping of a layer under an accelerator's constraints.
//!
//! **The space** is every mapping that the constraints allow: any integer factor in any slot (a factor that does not
//! divide pads its dimension), any order of the loops of a level. The search is exhaustive over it, up to a relative
//! difference of 1e-9, by three reductions that lose no optimum and by bounds:
//!
//! - of the factors that leave the same number of outer steps only the smallest is tried (`space`);
//! - of the loop orders only those that can matter are tried (`orders`);
//! - factors that could move further in are not left outside (`dominance`);
//! - a partial mapping goes no further if no completion can beat the best mapping so far (`floor`, `rates`).
//!
//! `tests/cost/mapper.rs` compares the result with a brute force over all factors and all orders, on five small
//! hierarchies.
//!
//! **The way** is from the inside out, best bound first: loops in space (`spatial`), loops in time at the inner levels
//! (`inner`), then the outermost on-chip level with loops together with DRAM (`outer`). It is one thread and
//! deterministic: of equal mappings the one found first stays, and equal objectives are decided by energy (for latency) or
//! by latency (for energy and the product).
//!
//! **The time** is milliseconds for two-level on-chip hierarchies such as Eyeriss and Simba when latency counts (latency
//! or the product); energy alone prunes less and takes up to seconds for the largest layers. More levels that loop over
//! the same dimensions multiply the inner choices.

#[cfg(test)]
mod brute;
mod dominance;
mod floor;
mod goal;
mod inner;
mod orders;
mod outer;
mod rates;
mod space;
mod spatial;

pub use goal::Goal;

use self::floor::Floor;
use self::goal::Judge;
use self::inner::InnerChoices;
use self::orders::Orders;
use self::outer::{Best, Outer};
use self::space::Space;
use self::spatial::Spatial;
use super::evaluate::Evaluator;
use super::lowering::Lowered;
use super::mapping::{LevelLoops, Loop, Mapping};
use super::passes::Tail;
use crate::hw::AccelSpec;
use crate::units::{Bytes, Cycles, Picojoules};
use crate::workload::LoopNest;

/// Raised whenever a change makes the mapper find other mappings or cost them differently: part of the cache's key.
pub const VERSION: u32 = 3;

/// The result of the search.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The mapping; loops of bound 1 are left out.
    pub mapping: Mapping,
    /// Latency c in cycles.
    pub cycles: Cycles,
    /// Bytes from and to DRAM.
    pub dram_bytes: Bytes,
    /// Of these, bytes of each [`Tensor`](crate::dims::Tensor), rounded up one by one.
    pub tensor_bytes: [Bytes; 3],
    /// Energy without leakage.
    pub dynamic_energy: Picojoules,
    /// Multiplications of the layer as the accelerator runs it.
    pub multiplications: u64,
    /// Number of complete mappings that were evaluated.
    pub evaluated: u64,
}

/// The best mapping of `nest`, or `None` if the constraints allow none.
pub fn search(accel: &AccelSpec, nest: &LoopNest, goal: Goal) -> Option<Found> {
    search_with_tail(accel, nest, Tail::NONE, goal)
}

/// The best mapping of `nest` with post-processing at its output, whose traffic and time count with the rest.
pub fn search_with_tail(accel: &AccelSpec, nest: &LoopNest, tail: Tail, goal: Goal) -> Option<Found> {
    let lowered = Lowered::new(accel, nest).ok()?;
    let space = Space::new(accel, &lowered)?;
    let judge = Judge::new(accel, goal, lowered.tail(tail));
    let orders = Orders::new(&space);
    let evaluator = Evaluator::of(accel, lowered, tail);
    let mut outer = Outer::new(&space, &judge, &orders, &evaluator);
    let mut chosen = None;
    for spatial in spatial::choices(&space, &judge) {
        let known = outer.known();
        if !spatial.floor.beats(known) {
            continue;
        }
        let unrolled = spatial.unrolled(&space);
        let floor = Floor::new(&space, &unrolled);
        let choices = InnerChoices::new(&space, &judge, &orders, &floor, &spatial, known);
        for inner in &choices.found {
            if inner.floor.beats(outer.known()) {
                outer.search(choices.flat(&space, &unrolled, inner), &unrolled, &floor, inner);
            }
        }
        if outer.known() != known {
            chosen = Some(spatial);
        }
    }
    let evaluated = outer.evaluated;
    outer.best.zip(chosen).map(|(best, spatial)| {
        let dram = evaluator.detail(&best.flat).accesses[0];
        let tensor_bytes = dram.map(|words| accel.dram().bytes(words.reads + words.updates));
        found(&space, &judge, &spatial, &best, tensor_bytes, evaluated)
    })
}

fn found(
    space: &Space,
    judge: &Judge,
    spatial: &Spatial,
    best: &Best,
    tensor_bytes: [Bytes; 3],
    evaluated: u64,
) -> Found {
    let mut levels = vec![LevelLoops::default(); space.accel.levels.len()];
    for (slot, &bound) in space.spatial.iter().zip(&spatial.bounds) {
        if bound > 1 {
            levels[slot.level].spatial[slot.axis].push(Loop { dim: slot.dim, bound });
        }
    }
    for (index, level) in levels.iter_mut().enumerate() {
        level.temporal = best.flat.temporal(index).collect();
    }
    let cycles = judge.cycles(&goal::Ingredients::of(&best.summary)).ceil() as u64;
    Found {
        mapping: Mapping { levels },
        cycles: Cycles(cycles),
        dram_bytes: space.accel.dram().bytes(best.summary.dram_words),
        tensor_bytes,
        dynamic_energy: Picojoules(best.summary.dynamic_pj),
        multiplications: space.lowered.multiplications(),
        evaluated,
    }
}
