//! The cost of one layer on one accelerator: the mapper for layers with MACs, a roofline for the others.
//!
//! - A loop nest costs what its best mapping costs ([`super::mapper`]).
//! - A vector layer takes max(operations / vector lanes, words / DRAM port) cycles; its energy is that of its DRAM
//!   words and operations. A look-up is the same without operations. Both stream: on-chip buffers are left out, and so
//!   is what a fused operation would save (networks fuse explicitly).
//! - `None` says that the accelerator cannot run the layer: its `kinds` do not list it, or no mapping is legal, such as
//!   a kernel wider than the rows that must hold it whole.
//!
//! Depthwise layers need no rule of their own: G groups of K = C = 1 run as the constraints let them. Where lanes are
//! bound to K and to C and G may only be spread over PEs, one MAC of each PE works.

use super::LayerCost;
use super::mapper::{self, Goal};
use super::timing::{layer_cycles, port_cycles, time};
use crate::hw::AccelSpec;
use crate::units::{Bytes, Cycles, Picojoules};
use crate::workload::{LoopNest, Op};

/// The cost of a layer under the best mapping for `goal`, or `None` if `accel` cannot run it.
pub fn layer_cost(accel: &AccelSpec, op: &Op, goal: Goal) -> Option<LayerCost> {
    if !accel.kinds.contains(&op.kind()) {
        return None;
    }
    match op {
        Op::Conv(nest) | Op::Gemm(nest) | Op::Matmul(nest) => nest_cost(accel, nest, goal),
        Op::Vector { reads, writes, ops } => Some(stream_cost(accel, *reads, *writes, *ops)),
        Op::Lookup { reads, writes } => Some(stream_cost(accel, *reads, *writes, 0)),
    }
}

fn nest_cost(accel: &AccelSpec, nest: &LoopNest, goal: Goal) -> Option<LayerCost> {
    let found = mapper::search(accel, nest, goal)?;
    Some(LayerCost {
        latency: time(accel, found.cycles),
        dram_bytes: found.dram_bytes,
        energy: found.dynamic_energy,
        utilization: nest.macs().0 as f64 / (found.cycles.0 as f64 * accel.macs_per_cycle() as f64),
        tiles: found.mapping.levels[0].temporal.iter().map(|each| each.bound).product(),
    })
}

/// A layer that only streams from and to DRAM. It can be split at any element.
fn stream_cost(accel: &AccelSpec, reads: u64, writes: u64, ops: u64) -> LayerCost {
    let dram = accel.dram();
    let compute = if ops == 0 { 0 } else { ops.div_ceil(accel.vector_lanes) };
    let cycles = layer_cycles(accel, 0.0, compute as f64, port_cycles(accel, reads, writes));
    let pj = (reads as f64 * dram.read_pj_per_access + writes as f64 * dram.update_pj_per_access)
        / dram.words_per_access()
        + ops as f64 * accel.vector_pj_per_op;
    LayerCost {
        latency: time(accel, Cycles((cycles.ceil() as u64).max(1))),
        dram_bytes: dram.bytes(reads + writes),
        energy: Picojoules(pj),
        utilization: 0.0,
        tiles: reads.max(writes).max(1),
    }
}

/// The least that DRAM can move for a layer: every element once that some operation needs.
pub fn compulsory_bytes(accel: &AccelSpec, op: &Op) -> Bytes {
    let words = match op {
        Op::Conv(nest) | Op::Gemm(nest) | Op::Matmul(nest) => super::access::compulsory_elements(nest),
        Op::Vector { reads, writes, .. } | Op::Lookup { reads, writes } => reads + writes,
    };
    accel.dram().bytes(words)
}
