//! The breakdown of one layer's cost: its mapping, what limits it, and where its energy goes.

use super::LayerCost;
use super::access::Flat;
use super::evaluate::Evaluator;
use super::layer_cost::{Stream, nest_cost, stream_of};
use super::mapper::{self, Found, Goal};
use super::mapping::Mapping;
use super::passes::{Pass, passes};
use super::timing::{port_cycles, time};
use crate::hw::AccelSpec;
use crate::units::Cycles;
use crate::workload::Work;

/// The cost of a layer with all the numbers behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Breakdown {
    /// The cost, as [`layer_cost`](fn@super::layer_cost) gives it.
    pub cost: LayerCost,
    /// The latency in cycles.
    pub cycles: Cycles,
    /// What limits the layer: the part that takes longest.
    pub bound: Bound,
    /// Energy without leakage of each level, outermost first, and of the MACs or element operations last.
    pub energy_pj: Vec<f64>,
    /// The mapping; layers without MACs have none.
    pub mapping: Option<Mapping>,
    /// How far from the best the mapping may be, and the level to restrict, as [`Found`] says.
    pub gap: f64,
    /// See [`Found::widest`].
    pub widest: usize,
}

/// The resource that limits a layer. At equal times compute counts, then the inner level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The steps of the MACs, or the element operations.
    Compute,
    /// The bandwidth of the level of this index; 0 is DRAM, at its own port or at the goal's bandwidth.
    Level(usize),
}

impl Bound {
    fn of(compute_cycles: f64, level_cycles: &[f64]) -> Self {
        let mut longest = (Self::Compute, compute_cycles);
        for (level, &cycles) in level_cycles.iter().enumerate().rev() {
            if cycles > longest.1 {
                longest = (Self::Level(level), cycles);
            }
        }
        longest.0
    }

    /// `compute` or the name of the level.
    pub fn name(self, accel: &AccelSpec) -> &str {
        match self {
            Self::Compute => "compute",
            Self::Level(level) => accel.levels[level].name(),
        }
    }
}

/// The breakdown of a layer under the best mapping for `goal`, or `None` if `accel` cannot run it. Of a layer in several
/// passes (`cost::passes`), what limits the longest counts, and the mapping is that of the first.
pub fn breakdown(accel: &AccelSpec, work: &Work, goal: Goal) -> Option<Breakdown> {
    let found = passes(accel, work)?.into_iter().map(|pass| of_pass(accel, &pass, goal));
    let found: Vec<Breakdown> = found.collect::<Option<_>>()?;
    let longest = found.iter().rev().max_by_key(|pass| pass.cycles).map(|pass| pass.bound)?;
    let all = found.into_iter().reduce(|before, next| Breakdown {
        cost: before.cost.followed_by(next.cost, time(accel, Cycles(before.cycles.0 + next.cycles.0))),
        cycles: Cycles(before.cycles.0 + next.cycles.0),
        energy_pj: before.energy_pj.iter().zip(&next.energy_pj).map(|(a, b)| a + b).collect(),
        gap: before.gap.max(next.gap),
        widest: if next.gap > before.gap { next.widest } else { before.widest },
        ..before
    })?;
    Some(Breakdown { bound: longest, ..all })
}

fn of_pass(accel: &AccelSpec, pass: &Pass, goal: Goal) -> Option<Breakdown> {
    match stream_of(accel, pass) {
        Some(stream) => Some(of_stream(accel, stream, goal)),
        None => mapper::search_pass(accel, pass, goal).map(|found| of_nest(accel, pass, goal, found)),
    }
}

fn of_nest(accel: &AccelSpec, pass: &Pass, goal: Goal, found: Found) -> Breakdown {
    let evaluator = Evaluator::of_pass(accel, pass).expect("the mapper has run the layer");
    let evaluation = evaluator.detail(&Flat::of(&found.mapping));
    let cost = nest_cost(accel, pass.op.kind(), &found, &evaluation.dynamic_pj);
    let compute = (evaluation.steps as f64 / accel.array_efficiency).max(pass.tail.cycles(accel) as f64);
    let mut level_cycles: Vec<f64> =
        evaluation.bandwidth_cycles.iter().map(|&cycles| cycles as f64).collect();
    level_cycles[0] = level_cycles[0].max(shared_cycles(accel, &cost, goal));
    Breakdown {
        cost,
        cycles: found.cycles,
        bound: Bound::of(compute, &level_cycles),
        energy_pj: evaluation.dynamic_pj,
        mapping: Some(found.mapping),
        gap: found.gap,
        widest: found.widest,
    }
}

fn of_stream(accel: &AccelSpec, stream: Stream, goal: Goal) -> Breakdown {
    let cost = stream.cost(accel);
    let port = port_cycles(accel, stream.reads, stream.writes);
    let mut energy_pj = vec![0.0; accel.levels.len() + 1];
    energy_pj[0] = stream.dram_pj(accel);
    energy_pj[accel.levels.len()] = stream.ops_pj(accel);
    Breakdown {
        cost,
        cycles: stream.cycles(accel),
        bound: Bound::of(stream.compute_cycles(accel), &[port.max(shared_cycles(accel, &cost, goal))]),
        energy_pj,
        mapping: None,
        gap: 0.0,
        widest: 0,
    }
}

/// Cycles that the layer's DRAM traffic takes at the goal's bandwidth.
fn shared_cycles(accel: &AccelSpec, cost: &LayerCost, goal: Goal) -> f64 {
    cost.dram_bytes.0 as f64 / (goal.bandwidth_gbps * 1e9) * accel.clock_hz
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_time_binds_and_compute_wins_a_tie() {
        assert_eq!(Bound::of(5.0, &[1.0, 4.0]), Bound::Compute);
        assert_eq!(Bound::of(5.0, &[5.0, 5.0]), Bound::Compute);
        assert_eq!(Bound::of(5.0, &[6.0, 6.0]), Bound::Level(1));
        assert_eq!(Bound::of(5.0, &[7.0, 6.0]), Bound::Level(0));
    }
}
