//! Small accelerators for the tests of this module: four dataflows as data, with sizes and rates that the tests vary.

use proptest::prelude::*;

use crate::dims::{Dim, DimSet, LayerKind, Tensor};
use crate::hw::{AccelSpec, Fanout, Level, Lowering, Mac, Residuals, Storage};
use crate::workload::LoopNest;

use Dim::{C, G, K, N, P, Q, R, S};
use Tensor::{Inputs, Outputs, Weights};

const ALL: [Tensor; 3] = Tensor::ALL;

/// A buffer without limits; every access moves one word.
pub(super) fn storage(name: &str, keeps: &[Tensor], temporal: &[Dim]) -> Storage {
    Storage {
        name: name.into(),
        word_bits: 8,
        entry_bits: 8,
        cluster_size: 1,
        capacity_words: None,
        keeps: ALL.map(|tensor| keeps.contains(&tensor)),
        read_bandwidth_words_per_cycle: None,
        write_bandwidth_words_per_cycle: None,
        shared_bandwidth_words_per_cycle: None,
        read_pj_per_access: 1.0,
        write_pj_per_access: 1.25,
        update_pj_per_access: 1.5,
        leak_pj_per_cycle: 0.0,
        drain_reads: false,
        temporal: DimSet::of(temporal),
        temporal_whole: DimSet::EMPTY,
    }
}

/// A fan-out of x by y.
pub(super) fn fanout(name: &str, extent: [u64; 2], x: &[Dim], y: &[Dim]) -> Fanout {
    Fanout {
        name: name.into(),
        extent,
        spatial: [DimSet::of(x), DimSet::of(y)],
        spatial_whole: DimSet::EMPTY,
        max_factor: [None; 8],
    }
}

/// An accelerator of these levels.
pub(super) fn accel(name: &str, levels: Vec<Level>) -> AccelSpec {
    AccelSpec {
        name: name.into(),
        source: "by hand".into(),
        technology: None,
        clock_hz: 1e9,
        kinds: LayerKind::ALL.to_vec(),
        post_ops: Vec::new(),
        vector_lanes: 1,
        vector_pj_per_op: 1.0,
        array_efficiency: 1.0,
        dram_overlap: 1.0,
        fill_drain_cycles: 0,
        residuals: Residuals::Padded,
        dispatch_cycles: 0,
        lowering: Lowering::NEUTRAL,
        resident_kib: None,
        clock_mw: 0.0,
        gating: None,
        levels,
        mac: Mac { name: "mac".into(), energy_pj: 0.5 },
    }
}

/// Kernel rows stay in a PE, kernel columns and output columns spread over the array (as Eyeriss).
fn row_stationary() -> AccelSpec {
    let weights = Storage {
        capacity_words: Some(8),
        temporal_whole: DimSet::of(&[R]),
        ..storage("weights", &[Weights], &[C, R])
    };
    let array = Fanout { spatial_whole: DimSet::of(&[S]), ..fanout("array", [3, 4], &[G, K, Q], &[C, S]) };
    accel(
        "row_stationary",
        vec![
            Level::Storage(dram(&[N, G, K, C, Q])),
            Level::Storage(storage("buffer", &[Inputs, Outputs], &[N, G, K, C, P])),
            Level::Fanout(array),
            Level::Storage(storage("inputs", &[Inputs], &[])),
            Level::Storage(weights),
            Level::Storage(Storage { capacity_words: Some(4), ..storage("sums", &[Outputs], &[K]) }),
        ],
    )
}

/// Weights stay in registers while outputs pass (as Simba).
fn weight_stationary() -> AccelSpec {
    let mut lanes = fanout("lanes", [1, 4], &[], &[K, C]);
    lanes.max_factor[K as usize] = Some(2);
    let registers = Storage {
        capacity_words: Some(2),
        entry_bits: 16,
        cluster_size: 2,
        ..storage("registers", &[Weights], &[P, Q])
    };
    accel(
        "weight_stationary",
        vec![
            Level::Storage(dram(&[N, G, K, C, P, Q])),
            Level::Storage(storage("buffer", &[Inputs, Outputs], &[N, G, K, C, P, Q])),
            Level::Fanout(fanout("pes", [3, 1], &[G, K, C], &[])),
            Level::Storage(Storage { capacity_words: Some(24), ..storage("inputs", &[Inputs], &[]) }),
            Level::Storage(Storage {
                capacity_words: Some(24),
                ..storage("weights", &[Weights], &[C, R, S])
            }),
            Level::Fanout(lanes),
            Level::Storage(Storage { capacity_words: Some(6), ..storage("sums", &[Outputs], &[K]) }),
            Level::Storage(registers),
        ],
    )
}

/// Each PE keeps one output until it is complete (as ShiDianNao).
fn output_stationary() -> AccelSpec {
    accel(
        "output_stationary",
        vec![
            Level::Storage(dram(&[N, G, K, C, P, Q])),
            Level::Storage(storage("buffer", &ALL, &[N, G, K, P, Q])),
            Level::Fanout(fanout("array", [2, 3], &[Q, K], &[P])),
            Level::Storage(Storage { capacity_words: Some(1), ..storage("sums", &[Outputs], &[C, R, S]) }),
        ],
    )
}

/// A buffer for each tensor, of which the innermost loops over all dimensions (as ShiDianNao).
fn split_buffers() -> AccelSpec {
    let limited = |name: &str, keeps: &[Tensor], words: u64, pj: f64, temporal: &[Dim]| {
        let (read_pj_per_access, write_pj_per_access) = (pj, pj);
        Storage {
            capacity_words: Some(words),
            read_pj_per_access,
            write_pj_per_access,
            ..storage(name, keeps, temporal)
        }
    };
    accel(
        "split_buffers",
        vec![
            Level::Storage(dram(&[N, G, K, C, P, Q])),
            Level::Storage(limited("inputs", &[Inputs], 30, 4.0, &[])),
            Level::Storage(limited("outputs", &[Outputs], 16, 4.0, &[])),
            Level::Storage(limited("weights", &[Weights], 12, 9.0, &[N, G, K, C, P, Q])),
            Level::Fanout(fanout("array", [2, 2], &[Q], &[P])),
            Level::Storage(Storage { capacity_words: Some(1), ..storage("sums", &[Outputs], &[C, R, S]) }),
        ],
    )
}

fn dram(temporal: &[Dim]) -> Storage {
    let [read_pj_per_access, write_pj_per_access, update_pj_per_access] = [64.0, 64.0, 72.0];
    Storage {
        read_pj_per_access,
        write_pj_per_access,
        update_pj_per_access,
        ..storage("dram", &ALL, temporal)
    }
}

/// One of the four dataflows, with a drawn buffer capacity, bandwidths, leakage and what DRAM hides.
pub(super) fn accelerators() -> impl Strategy<Value = AccelSpec> {
    let dataflow = prop::sample::select(vec![
        row_stationary(),
        weight_stationary(),
        output_stationary(),
        split_buffers(),
    ]);
    let capacity = prop::sample::select(vec![Some(12), Some(30), Some(80), None]);
    let bandwidths = prop::array::uniform2(prop::sample::select(vec![None, Some(0.5), Some(2.0)]));
    let leakage = prop::sample::select(vec![0.0, 3.0]);
    let overlap = prop::sample::select(vec![0.0, 0.5, 1.0]);
    (dataflow, capacity, bandwidths, leakage, overlap).prop_map(
        |(mut accel, capacity, [port, buffer], leak, overlap)| {
            accel.dram_overlap = overlap;
            accel.array_efficiency = 1.0 - 0.2 * overlap;
            if let Level::Storage(dram) = &mut accel.levels[0] {
                dram.read_bandwidth_words_per_cycle = port;
                dram.write_bandwidth_words_per_cycle = port;
            }
            if let Level::Storage(middle) = &mut accel.levels[1] {
                middle.capacity_words = capacity;
                middle.shared_bandwidth_words_per_cycle = buffer;
                middle.leak_pj_per_cycle = leak;
            }
            accel
        },
    )
}

/// The most multiply-accumulates of a drawn layer, so that all its mappings can be tried.
const MAX_MACS: u64 = 144;

/// Layers with up to four dimensions above 1, strided and dilated.
pub(super) fn small_layers() -> impl Strategy<Value = LoopNest> {
    let dims = prop::sample::subsequence(Dim::ALL.to_vec(), 2..=4);
    let bounds = prop::array::uniform4(2..=7u64);
    let steps = prop::array::uniform2(1..=3u64);
    let nests = (dims, bounds, steps.clone(), steps).prop_map(|(dims, drawn, stride, dilation)| {
        let mut bounds = [1; 8];
        for (dim, bound) in dims.into_iter().zip(drawn) {
            let room = MAX_MACS / bounds.iter().product::<u64>();
            bounds[dim as usize] = bound.min(room.max(1));
        }
        LoopNest { bounds, stride, dilation, padding: [0; 2] }
    });
    nests.boxed()
}

/// What an accelerator may make of a convolution.
pub(super) fn lowerings() -> impl Strategy<Value = Lowering> {
    let flags = prop::array::uniform3(prop::bool::ANY);
    (flags, prop::sample::select(vec![1, 2, 3])).prop_map(
        |([fold_stride, winograd, reads_padding], channel_multiple)| Lowering {
            fold_stride,
            winograd,
            channel_multiple,
            reads_padding,
        },
    )
}

/// Padded convolutions, 3 x 3 or strided, that stay small when they are lowered.
pub(super) fn small_convolutions() -> impl Strategy<Value = LoopNest> {
    let kernels =
        prop::sample::select(vec![([3, 3], [1, 1]), ([2, 3], [2, 1]), ([1, 3], [2, 3]), ([1, 1], [2, 2])]);
    let outputs = prop::sample::select(vec![[1, 1], [2, 1], [2, 3], [3, 1]]);
    let channels = prop::sample::select(vec![[1, 1], [2, 1], [1, 2]]);
    (kernels, outputs, channels, prop::array::uniform2(0..=1u64)).prop_map(
        |(([r, s], stride), [p, q], [k, c], padding)| {
            let nest = LoopNest { bounds: [1, 1, k, c, p, q, r, s], stride, dilation: [1; 2], padding };
            match nest.check() {
                Ok(()) => nest,
                Err(_) => LoopNest { padding: [0; 2], ..nest },
            }
        },
    )
}
