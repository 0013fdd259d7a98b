//! Do the bits of elements count, byte for byte, and only where they should?

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use mascot::cost::{Goal, LayerCost, as_run, breakdown, layer_cost};
use mascot::experiment::DataRoot;
use mascot::hw::{AccelSpec, Fusion, Objective};
use mascot::precision::Precision;
use mascot::workload::{LoopNest, Op, Work};

const GOAL: Goal = Goal { objective: Objective::Edp, bandwidth_gbps: 32.0 };

fn accelerator(name: &str) -> AccelSpec {
    DataRoot::find(None).unwrap().accelerator(name).unwrap()
}

fn precision(text: &str) -> Precision {
    text.parse().unwrap()
}

fn cost(accel: &AccelSpec, op: Op, bits: &str) -> LayerCost {
    layer_cost(accel, &Work { precision: precision(bits), ..op.into() }, GOAL).unwrap()
}

/// 1 x 1 convolution of 32 to 64 channels on 16 x 16 pixels: 2,048 weights, 8,192 inputs, 16,384 outputs. Every tensor fits,
/// so that each moves once.
fn small() -> Op {
    let bounds = [1, 1, 64, 32, 16, 16, 1, 1];
    Op::Conv(LoopNest { bounds, stride: [1; 2], dilation: [1; 2], padding: [0; 2] })
}

#[test]
fn bytes_by_hand() {
    for name in ["simba_1024", "eyeriss_1024"] {
        let accel = accelerator(name);
        let bytes = |op, bits| {
            let LayerCost { dram_bytes, weight_bytes, input_bytes, .. } = cost(&accel, op, bits);
            [dram_bytes.0, weight_bytes.0, input_bytes.0]
        };
        assert_eq!(bytes(small(), "native"), [26_624, 2_048, 8_192], "{name}");
        assert_eq!(bytes(small(), "w8a8"), [26_624, 2_048, 8_192], "{name}");
        assert_eq!(bytes(small(), "w4a8p32"), [25_600, 1_024, 8_192], "{name}");
        assert_eq!(bytes(small(), "w16i8o4"), [4_096 + 8_192 + 8_192, 4_096, 8_192], "{name}");
        // Rows of a table are parameters; what else has no MACs reads inputs.
        let table = Op::Lookup { reads: 1_000, writes: 1_000 };
        assert_eq!(bytes(table, "w4a16"), [500 + 2_000, 0, 500], "{name}");
        let add = Op::Vector { reads: 2_000, writes: 1_001, ops: 1_001 };
        assert_eq!(bytes(add, "w16i16o4"), [4_000 + 501, 0, 4_000], "{name}");
    }
}

#[test]
fn the_second_of_two_activations_is_as_wide_as_the_first() {
    let accel = accelerator("simba_1024");
    let Op::Conv(nest) = small() else { unreachable!() };
    let read = |bits| cost(&accel, Op::Matmul(nest), bits).input_bytes.0;
    assert_eq!(read("native"), 2_048 + 8_192);
    assert_eq!(read("w2a16"), 2 * (2_048 + 8_192));
}

/// Where only what is in DRAM changes, energies change by what DRAM and the MACs take.
#[test]
fn energy_by_hand() {
    let accel = accelerator("simba_1024");
    let levels =
        |bits| breakdown(&accel, &Work { precision: precision(bits), ..small().into() }, GOAL).unwrap();
    let (native, wide) = (levels("native"), levels("o16"));
    assert_eq!(native.mapping, wide.mapping);
    let macs = small().macs().0 as f64;
    let dram = 8.0 * 8.0;
    assert!((wide.energy_pj[0] - native.energy_pj[0] - 16_384.0 * dram).abs() < 1e-3);
    assert_eq!(native.energy_pj[1..], wide.energy_pj[1..]);
    // 4 x 8 bits halve the multiplier's 0.2 pJ; the adder's 0.03 pJ stay.
    let (all, narrow) = (native.energy_pj.last().unwrap(), levels("w4"));
    assert!((all - 0.23 * macs).abs() < 1e-3);
    assert!((narrow.energy_pj.last().unwrap() - 0.13 * macs).abs() < 1e-3);
}

/// A whole network, fused: native words change nothing, wider elements never take less time, and its own precision counts
/// first.
#[test]
fn a_network_in_other_precisions() {
    let data = DataRoot::find(None).unwrap();
    let network = data.network("squeezenet1_0").unwrap();
    let accel = accelerator("eyeriss_256");
    let form = |bits: &str| as_run(&network, precision(bits), Fusion::Post, std::slice::from_ref(&accel));
    let goal = Goal { objective: Objective::Latency, ..GOAL };
    let costs = |bits: &str| -> Vec<LayerCost> {
        form(bits).layers.iter().map(|layer| layer_cost(&accel, &layer.work(1), goal).unwrap()).collect()
    };
    let time = |cost: &LayerCost| cost.latency.as_s().max(cost.dram_bytes.0 as f64 / 32e9);
    let total = |costs: &[LayerCost]| costs.iter().map(time).sum::<f64>();
    let native = costs("native");
    assert_eq!(native, costs("w8a8"), "DRAM has 8-bit words, and sums stay as wide as buffers have them");
    let order = [costs("w4a4"), native, costs("w8a16p32"), costs("w16a16p32")];
    for pair in order.windows(2) {
        for (less, more) in pair[0].iter().zip(&pair[1]) {
            assert!(time(less) <= time(more), "{less:?} {more:?}");
        }
        assert!(total(&pair[0]) < total(&pair[1]));
    }
    let mut own = network.clone();
    own.layers.iter_mut().for_each(|layer| layer.precision = precision("w4"));
    let own = as_run(&own, precision("w16a16"), Fusion::Post, std::slice::from_ref(&accel));
    assert!(own.layers.iter().all(|layer| layer.precision == precision("w4a16")));
}
