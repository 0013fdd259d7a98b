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
//! by latency (for energy and the product). `traffic` knows what the capacities of the buffers make necessary before any
//! loop in time is chosen; it decides what is looked at, not in which order.
//!
//! **The time** is milliseconds for two-level on-chip hierarchies such as Eyeriss and Simba when latency counts (latency
//! or the product), and up to two seconds for the largest layers when energy alone counts. Choices are made as they are
//! needed, so that memory stays small. The steps are limited, whatever the hierarchy: a first pass takes
//! whatever it finds; if it does not come to an end, further passes look only for mappings below a limit, which grows from
//! the lower bound until there is one. If the steps do not suffice for that, the best mapping found is returned with its
//! **gap** to the last limit below which there is none, and [`advice`] says which constraint would help.

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
mod traffic;

pub use goal::Goal;

use self::floor::Floor;
use self::goal::{Judge, Score};
use self::inner::Settled;
use self::orders::Orders;
use self::outer::{Best, Outer};
use self::space::Space;
use self::spatial::Spatial;
use self::traffic::Traffic;
use super::evaluate::Evaluator;
use super::lowering::Lowered;
use super::mapping::{LevelLoops, Loop, Mapping};
use super::passes::{Pass, Tail};
use crate::hw::{AccelSpec, Level};
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
    /// How far below its objective that of a better mapping may lie, as a share of it: 0 if this is the best.
    pub gap: f64,
    /// The level whose loops leave the most choices: fewer dimensions there make the search shorter.
    pub widest: usize,
}

/// How far the search goes: the steps that it may take, each the bound or the evaluation of one choice.
#[derive(Clone, Copy, Debug)]
struct Budget {
    /// In the first pass.
    first: u64,
    /// In the passes under a limit, all together.
    limited: u64,
}

/// Our choice: three million in the first pass missed the optimum of two layers of the shipped networks on one of twelve
/// accelerators (energy), and this many miss none.
const BUDGET: Budget = Budget { first: 20_000_000, limited: 4_000_000 };

/// How far above the lower bound the first limit lies, as a share of it, and how fast that distance grows. Our choice.
const FIRST_LIMIT: f64 = 0.02;
const NEXT_LIMIT: f64 = 1.5;

/// The best mapping of `nest`, or `None` if the constraints allow none.
pub fn search(accel: &AccelSpec, nest: &LoopNest, goal: Goal) -> Option<Found> {
    search_within(accel, Lowered::new(accel, nest).ok()?, Tail::NONE, goal, BUDGET)
}

/// The best mapping of a pass with a nest, whose post-processing counts with the rest.
pub(super) fn search_pass(accel: &AccelSpec, pass: &Pass, goal: Goal) -> Option<Found> {
    search_within(accel, pass.lowered(accel).ok()?, pass.tail, goal, BUDGET)
}

fn search_within(
    accel: &AccelSpec,
    lowered: Lowered,
    tail: Tail,
    goal: Goal,
    budget: Budget,
) -> Option<Found> {
    let space = Space::new(accel, &lowered)?;
    let judge = Judge::new(accel, goal, lowered.tail(accel.dram(), tail));
    let orders = Orders::new(&space);
    let evaluator = Evaluator::of(accel, lowered, tail);
    let (spatials, all_spatial) = spatial::choices(&space, &judge);
    let mut passes = Passes { space: &space, judge: &judge, orders: &orders, spatials };
    let mut outer = Outer::new(&space, &judge, &orders, &evaluator);
    let lower = passes.run(&mut outer, budget);
    let best = outer.best.as_ref()?;
    let lower = if all_spatial { lower } else { spatial::lower_bound(&space, &judge).min(lower) };
    let gap = match best.score.first() {
        best if best > lower => 1.0 - lower / best,
        _ => 0.0,
    };
    let dram = evaluator.detail(&best.flat).accesses[0];
    let tensor_bytes = dram.map(|words| accel.dram().bytes(words.reads + words.updates));
    Some(found(&space, &judge, best, tensor_bytes, outer.evaluated, gap))
}

/// A sentence on how to find the best mapping where the search ended before its proof.
pub fn advice(accel: &AccelSpec, gap: f64, widest: usize) -> Option<String> {
    let level = accel.levels.get(widest).filter(|_| gap > 0.0)?;
    let key = match level {
        Level::Storage(_) => "temporal",
        Level::Fanout(_) => "spatial_x` and `spatial_y",
    };
    Some(format!(
        "the best of too many mappings was not found for certain: a better one may gain up to {:.1} %; fewer \
         dimensions in `{key}` of level `{}` of `{}` would help most",
        (gap * 1000.0).ceil() / 10.0,
        level.name(),
        accel.name
    ))
}

/// The passes of the search over all loops in space.
struct Passes<'a> {
    space: &'a Space<'a>,
    judge: &'a Judge<'a>,
    orders: &'a Orders,
    spatials: Vec<Spatial>,
}

impl Passes<'_> {
    /// Searches, and returns the objective that no mapping undercuts.
    ///
    /// The first pass takes whatever it finds. If it does not come to an end, the next ones look only for mappings below
    /// a limit, which grows until one is found: with so much to beat most choices need no second look.
    fn run(&mut self, outer: &mut Outer, budget: Budget) -> f64 {
        let best = |outer: &Outer| outer.best.as_ref().map_or(f64::INFINITY, |best| best.score.first());
        outer.restart(Score::WORST, budget.first);
        if self.pass(outer) {
            return best(outer);
        }
        let start = self.lower_bound();
        let (mut lower, mut above, mut left) = (start, FIRST_LIMIT, budget.limited);
        while lower > 0.0 {
            let limit = start * (1.0 + above);
            outer.restart(Score::limit(limit), left);
            if !self.pass(outer) {
                break;
            }
            if best(outer) <= limit {
                return best(outer);
            }
            (lower, above, left) = (limit, above * NEXT_LIMIT, outer.effort.left);
        }
        if outer.best.is_none() {
            outer.restart(Score::WORST, u64::MAX);
            outer.any = true;
            self.pass(outer);
        }
        lower
    }

    /// The objective that no mapping undercuts, before any loop in time.
    fn lower_bound(&self) -> f64 {
        self.spatials.first().map_or(0.0, |spatial| spatial.floor.first())
    }

    /// Tries everything that may beat what is known; false if the steps do not suffice.
    fn pass(&mut self, outer: &mut Outer) -> bool {
        let Self { space, judge, orders, spatials } = self;
        for spatial in spatials {
            if !spatial.floor.beats(outer.known)
                || spatial.bound.is_some_and(|bound| !bound.beats(outer.known))
            {
                continue;
            }
            if outer.effort.spent || !outer.effort.take(TRAFFIC_STEPS) {
                return false;
            }
            let unrolled = spatial.unrolled(space);
            let floor = Floor::new(space, &unrolled);
            let traffic = Traffic::least(space, judge, &floor, &unrolled, &spatial.left);
            let bound = judge.floor(traffic.raise_all(floor.before_time(&spatial.left)));
            spatial.bound = Some(bound);
            if bound.beats(outer.known) {
                let (floor, traffic, unrolled) = (&floor, &traffic, &unrolled);
                inner::search(Settled { space, judge, orders, spatial, unrolled, floor, traffic }, outer);
            }
        }
        !outer.effort.spent
    }
}

/// The steps that the bound of one choice of loops in space takes about as long as.
const TRAFFIC_STEPS: u64 = 32;

fn found(
    space: &Space,
    judge: &Judge,
    best: &Best,
    tensor_bytes: [Bytes; 3],
    evaluated: u64,
    gap: f64,
) -> Found {
    let mut levels = vec![LevelLoops::default(); space.accel.levels.len()];
    for (slot, &bound) in space.spatial.iter().zip(&best.spatial) {
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
        gap,
        widest: space.widest(),
    }
}
