//! The model in the terms of published chip measurements: active PEs, processing and total time, traffic, energy on
//! chip.
//!
//! - **Active PEs** = product over dimensions of min(loops in space, the dimension): lanes beyond a dimension's extent,
//!   where a fold does not divide it, never have work.
//! - **Processing** is the time on chip, max(steps / array efficiency, on-chip bandwidths); **total** adds what of the DRAM
//!   time does not hide behind it ([`AccelSpec::dram_overlap`]).
//! - **Global buffer**: the outermost storage level on chip; its bytes are reads, fills and updates. Weights that the
//!   level does not keep are not in it, though the chip may pass them through its buffer.
//! - **DRAM bytes** count the halo of padded inputs, as everywhere in this model; [`compressed_bytes`] are those after the
//!   chip's run-length code.
//!
//! Left out: configuration and clock gating, and every effect of sparsity on time. Published figures are data
//! ([`Measurements`] by layer, [`Throughput`] of a network); a megabyte is 10^6 bytes.

mod measurements;
mod sheet;
mod throughput;

pub use measurements::{Layer, Measurements, Published, Zeros};
pub use sheet::{Configuration, Sheet, SheetBound, SheetFigures, SheetLayer, SheetSpeed, SheetTime};
pub use throughput::{Rate, Speed, Throughput};

use super::access::Accesses;
use super::evaluate::evaluate;
use super::mapping::Mapping;
use super::timing::layer_cycles;
use crate::dims::{Dim, Tensor};
use crate::hw::AccelSpec;
use crate::units::{Bytes, Cycles, Picojoules};
use crate::workload::LoopNest;

/// The model's figures for one layer under one mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Modelled {
    /// MAC units that have work in some step.
    pub active_pes: u64,
    /// Cycles on chip.
    pub processing_cycles: Cycles,
    /// Cycles with the DRAM time that is not hidden: c.
    pub total_cycles: Cycles,
    /// DRAM bytes, not compressed, by [`Tensor`].
    pub dram_bytes: [Bytes; 3],
    /// Bytes read from and written to the global buffer.
    pub glb_bytes: Bytes,
    /// Dynamic energy without that of DRAM.
    pub on_chip_energy: Picojoules,
}

/// Evaluates a mapping; an error says why it has the wrong shape for the accelerator or the layer.
pub fn model(accel: &AccelSpec, nest: &LoopNest, mapping: &Mapping) -> Result<Modelled, String> {
    let evaluation = evaluate(accel, nest, mapping)?;
    let (port, on_chip) = evaluation.bandwidth_cycles.split_first().expect("the outermost level is DRAM");
    let on_chip = on_chip.iter().copied().max().unwrap_or(0);
    let cycles = |port: u64| {
        let cycles = layer_cycles(accel, evaluation.steps as f64, on_chip as f64, port as f64);
        Cycles(cycles.ceil() as u64)
    };
    let moved = |words: &Accesses| words.reads + words.fills + words.updates;
    let glb = accel.storages().nth(1);
    Ok(Modelled {
        active_pes: active_pes(nest, mapping),
        processing_cycles: cycles(0),
        total_cycles: cycles(*port),
        dram_bytes: evaluation.accesses[0].map(|words| accel.dram().bytes(moved(&words))),
        glb_bytes: glb.map_or(Bytes(0), |(level, storage)| {
            storage.bytes(evaluation.accesses[level].iter().map(moved).sum())
        }),
        on_chip_energy: Picojoules(evaluation.dynamic_pj[1..].iter().sum()),
    })
}

fn active_pes(nest: &LoopNest, mapping: &Mapping) -> u64 {
    let in_space = |dim: Dim| -> u64 {
        let loops = mapping.levels.iter().flat_map(|level| level.spatial.iter().flatten());
        loops.filter(|each| each.dim == dim).map(|each| each.bound).product()
    };
    Dim::ALL.into_iter().map(|dim| in_space(dim).min(nest.bound(dim))).product()
}

/// Bits that a word and the run of zeros before it take: 64 bits carry three pairs of a 5-bit run and a 16-bit level
/// (Chen et al., JSSC 2017, section V). Runs above 31, which cost a pair of their own, are left out.
const RUN_LENGTH_PAIR_BITS: f64 = 64.0 / 3.0;

/// DRAM bytes when inputs and outputs are run-length coded with the given shares of zeros, where that saves any.
pub fn compressed_bytes(modelled: &Modelled, word_bits: u64, zeros: Zeros) -> f64 {
    let coded = |zeros: f64| ((1.0 - zeros) * RUN_LENGTH_PAIR_BITS / word_bits as f64).min(1.0);
    let bytes = |tensor: Tensor| modelled.dram_bytes[tensor as usize].0 as f64;
    bytes(Tensor::Weights)
        + bytes(Tensor::Inputs) * coded(zeros.inputs.0)
        + bytes(Tensor::Outputs) * coded(zeros.outputs.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::{LevelLoops, Loop};
    use crate::files::Share;

    fn loops(dim: Dim, bound: u64) -> Vec<Loop> {
        vec![Loop { dim, bound }]
    }

    #[test]
    fn lanes_beyond_a_dimension_do_not_count() {
        let nest =
            LoopNest { bounds: [1, 1, 8, 1, 1, 27, 1, 5], stride: [1; 2], dilation: [1; 2], padding: [0; 2] };
        let columns = LevelLoops { spatial: [loops(Dim::Q, 14), vec![]], ..LevelLoops::default() };
        let rows = [loops(Dim::Q, 2), loops(Dim::S, 5)].concat();
        let rows = LevelLoops { spatial: [vec![], rows], ..LevelLoops::default() };
        let mapping = Mapping { levels: vec![columns, rows] };
        assert_eq!(active_pes(&nest, &mapping), 27 * 5, "27 columns in two strips of 14");
    }

    /// 100 bytes of each tensor: weights as they are; inputs, half zero, x 1/2 x (64 / 3) / 16; outputs without zeros
    /// would grow and stay as they are.
    #[test]
    fn the_code_shrinks_activations_and_never_grows_them() {
        let modelled = Modelled {
            active_pes: 1,
            processing_cycles: Cycles(1),
            total_cycles: Cycles(1),
            dram_bytes: [Bytes(100); 3],
            glb_bytes: Bytes(0),
            on_chip_energy: Picojoules(0.0),
        };
        let coded = compressed_bytes(&modelled, 16, Zeros { inputs: Share(0.5), outputs: Share(0.0) });
        assert!((coded - (100.0 + 200.0 / 3.0 + 100.0)).abs() < 1e-9, "{coded}");
    }
}
