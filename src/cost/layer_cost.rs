//! The cost of one layer on one accelerator: the mapper for layers with MACs, a roofline for the others.
//!
//! | layer | costed as |
//! |---|---|
//! | conv: strided, dilated, grouped, pointwise | its nest under the best mapping ([`super::mapper`]) |
//! | depthwise conv | the same nest with G groups of K = C = 1; no rule of its own |
//! | transposed conv | a 1 x 1 conv with K x R x S outputs per input pixel; where the stride is below the kernel, overlapping outputs count once per contribution |
//! | gemm | a nest with tokens along P |
//! | RNN, GRU, LSTM cell | one gemm of all gates with [input, state] per time step, each after the one before; weights come from DRAM in every step |
//! | matmul | a nest with heads along G; the second operand is streamed like an input, and a batch has its own |
//! | vector | max(operations / vector lanes, words / DRAM port) cycles; energy of its DRAM words and operations |
//! | lookup | a vector layer without operations |
//!
//! **Depthwise** layers run as the constraints let them. Row-stationary Eyeriss spreads G over columns and rows of PEs
//! beside S; what it loses is the reuse of an input across K. Weight-stationary Simba binds the lanes of a PE to
//! K (8) and C (8) and spreads G over PEs only: at most one MAC in 64 of a PE works.
//!
//! A **batch** grows N, so that static weights are read for all its inputs at once; vector and lookup layers grow in
//! proportion.
//!
//! **Unsupported** layers cost `None`: the accelerator's `kinds` do not list them, or no mapping is legal, such as a
//! kernel wider than the rows that must hold it whole. The scheduler never sees such a pair, a layer that no accelerator
//! of a system runs is an error before the run, and `mascot cost table` shows dashes.
//!
//! What is **fused** into a layer runs at its output where the accelerator can do that, and as a vector layer of its own
//! where it cannot (`cost::passes`).
//!
//! Left out: on-chip buffers of vector layers.

use super::access::Flat;
use super::evaluate::Evaluator;
use super::lowering::Lowered;
use super::mapper::{self, Found, Goal};
use super::passes::{Pass, passes};
use super::timing::{layer_cycles, port_cycles, time};
use super::{LayerCost, OnChip};
use crate::dims::{LayerKind, Tensor};
use crate::hw::AccelSpec;
use crate::units::{Bytes, Cycles, Picojoules, Time};
use crate::workload::{Op, Work};

/// The cost of a layer under the best mapping for `goal`, or `None` if `accel` cannot run it.
pub fn layer_cost(accel: &AccelSpec, work: &Work, goal: Goal) -> Option<LayerCost> {
    let costs = passes(accel, work)?.into_iter().map(|pass| pass_cost(accel, &pass, goal));
    let costs: Vec<(Cycles, LayerCost)> = costs.collect::<Option<_>>()?;
    let all = costs.into_iter().reduce(|(before, cost), (cycles, next)| {
        let cycles = Cycles(before.0 + cycles.0);
        (cycles, cost.followed_by(next, time(accel, cycles)))
    });
    all.map(|(_, cost)| cost)
}

fn pass_cost(accel: &AccelSpec, pass: &Pass, goal: Goal) -> Option<(Cycles, LayerCost)> {
    match stream_of(accel, pass) {
        Some(stream) => Some((stream.cycles(accel), stream.cost(accel))),
        None => {
            let found = mapper::search_pass(accel, pass, goal)?;
            let evaluator = Evaluator::of_pass(accel, pass).expect("the mapper has run the layer");
            let energy_pj = evaluator.detail(&Flat::of(&found.mapping)).dynamic_pj;
            Some((found.cycles, nest_cost(accel, pass.op.kind(), &found, &energy_pj)))
        }
    }
}

/// The cost under a mapping; `energy_pj` is that of each level, outermost first, and of the computation last.
pub(super) fn nest_cost(accel: &AccelSpec, kind: LayerKind, found: &Found, energy_pj: &[f64]) -> LayerCost {
    let [weights, inputs] =
        [Tensor::Weights, Tensor::Inputs].map(|tensor| found.tensor_bytes[tensor as usize]);
    // The second operand of a product of activations is an input.
    let (weight_bytes, input_bytes) = match kind {
        LayerKind::Matmul => (Bytes(0), Bytes(weights.0 + inputs.0)),
        _ => (weights, inputs),
    };
    LayerCost {
        latency: time(accel, found.cycles),
        dram_bytes: found.dram_bytes,
        weight_bytes,
        input_bytes,
        energy: found.dynamic_energy,
        utilization: found.multiplications as f64 / (found.cycles.0 as f64 * accel.macs_per_cycle() as f64),
        tiles: found.mapping.levels[0].temporal.iter().map(|each| each.bound).product(),
        on_chip: Some(OnChip::of(accel, energy_pj)),
    }
}

impl LayerCost {
    /// The cost of a pass and the next one, as one layer of a latency. It is split like the first.
    pub(super) fn followed_by(self, next: Self, latency: Time) -> Self {
        let share = |cost: &Self| cost.utilization * cost.latency.as_ps();
        Self {
            latency,
            dram_bytes: Bytes(self.dram_bytes.0 + next.dram_bytes.0),
            weight_bytes: Bytes(self.weight_bytes.0 + next.weight_bytes.0),
            input_bytes: Bytes(self.input_bytes.0 + next.input_bytes.0),
            energy: Picojoules(self.energy.0 + next.energy.0),
            utilization: (share(&self) + share(&next)) / latency.as_ps(),
            tiles: self.tiles,
            on_chip: self.on_chip.zip(next.on_chip).map(|(one, other)| one + other),
        }
    }
}

/// A layer that only streams from and to DRAM. It can be split at any element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stream {
    pub(super) reads: u64,
    pub(super) writes: u64,
    pub(super) ops: u64,
}

/// The stream of a layer without MACs, with what runs at its output.
pub(super) fn stream_of(accel: &AccelSpec, &Pass { op, tail, precision }: &Pass) -> Option<Stream> {
    let (reads, writes, ops, read) = match op {
        Op::Vector { reads, writes, ops } => (reads, writes, ops, precision.inputs),
        // What a look-up reads are parameters.
        Op::Lookup { reads, writes } => (reads, writes, 0, precision.weights),
        Op::Conv(_) | Op::Gemm(_) | Op::Matmul(_) => return None,
    };
    let words = |elements, bits| accel.dram().words(elements, bits);
    Some(Stream {
        reads: words(reads, read) + words(tail.reads, precision.outputs),
        writes: words(writes - tail.inside + tail.writes, precision.outputs),
        ops: ops + tail.ops,
    })
}

impl Stream {
    pub(super) fn cost(self, accel: &AccelSpec) -> LayerCost {
        LayerCost {
            latency: time(accel, self.cycles(accel)),
            dram_bytes: accel.dram().bytes(self.reads + self.writes),
            weight_bytes: Bytes(0),
            input_bytes: accel.dram().bytes(self.reads),
            energy: Picojoules(self.dram_pj(accel) + self.ops_pj(accel)),
            utilization: 0.0,
            tiles: self.reads.max(self.writes).max(1),
            on_chip: Some(OnChip { compute_pj: self.ops_pj(accel), ..OnChip::default() }),
        }
    }

    pub(super) fn cycles(self, accel: &AccelSpec) -> Cycles {
        let port = port_cycles(accel, self.reads, self.writes);
        Cycles((layer_cycles(accel, 0.0, self.compute_cycles(accel), port).ceil() as u64).max(1))
    }

    /// Cycles of the vector lanes.
    pub(super) fn compute_cycles(self, accel: &AccelSpec) -> f64 {
        if self.ops == 0 { 0.0 } else { self.ops.div_ceil(accel.vector_lanes) as f64 }
    }

    pub(super) fn dram_pj(self, accel: &AccelSpec) -> f64 {
        let dram = accel.dram();
        (self.reads as f64 * dram.read_pj_per_access + self.writes as f64 * dram.update_pj_per_access)
            / dram.words_per_access()
    }

    pub(super) fn ops_pj(self, accel: &AccelSpec) -> f64 {
        self.ops as f64 * accel.vector_pj_per_op
    }
}

/// The least that DRAM can move for a layer: every element once that some operation needs, as
/// the accelerator stores it.
pub fn compulsory_bytes(accel: &AccelSpec, op: &Op) -> Bytes {
    let words = match op {
        Op::Conv(nest) | Op::Gemm(nest) | Op::Matmul(nest) => {
            Lowered::new(accel, nest).map_or(0, |lowered| lowered.compulsory_words())
        }
        Op::Vector { reads, writes, .. } | Op::Lookup { reads, writes } => reads + writes,
    };
    accel.dram().bytes(words)
}
