//! What onnxruntime makes of a model when it optimises or quantizes it is the same network: `tests/data/onnx_runtime`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use mascot::workload::{Imported, OnnxOptions as Options, Op, UnknownOperators, import};

const VARIANTS: [&str; 8] =
    ["basic", "extended", "all", "dynamic", "dynamic_extended", "qdq", "qdq_extended", "qoperator"];

fn imported(name: &str) -> Imported {
    import(&PathBuf::from(format!("tests/data/onnx_runtime/{name}.onnx")), &Options::default()).unwrap()
}

/// How often each layer occurs: onnxruntime changes names and order.
fn layers(model: &Imported) -> BTreeMap<Op, usize> {
    let mut layers = BTreeMap::new();
    model.network.layers.iter().for_each(|layer| *layers.entry(layer.op).or_default() += 1);
    layers
}

#[test]
fn an_optimised_or_quantized_model_has_the_layers_of_the_original() {
    for (name, macs) in [("cnn", 53_664), ("recurrent", 11_088), ("transformer", 24_832)] {
        let original = imported(name);
        assert_eq!(original.summary.macs, macs);
        for variant in VARIANTS {
            let other = imported(&format!("{name}.{variant}"));
            assert_eq!(layers(&other), layers(&original), "{name}.{variant}");
            let is_blocked = other.notes.iter().any(|note| note.contains("rounded up to whole blocks"));
            assert_eq!(is_blocked, variant == "all" && name == "cnn", "{variant}: {:?}", other.notes);
        }
    }
}

/// Scales and zero points are no parameters. Quantizing takes away the bounds of a Clip, and optimising puts batch norms
/// and scalars into weights; nothing else may differ.
#[test]
fn a_quantized_model_has_the_parameters_of_the_original() {
    for (name, original) in [("cnn", 1_372), ("transformer", 3_185), ("recurrent", 1_028)] {
        assert_eq!(imported(name).summary.weight_elems, original);
        assert_eq!(imported(&format!("{name}.dynamic")).summary.weight_elems, original, "{name}");
        let bounds = if name == "cnn" { 2 } else { 0 };
        for variant in ["qdq", "qdq_extended", "qoperator"] {
            let found = imported(&format!("{name}.{variant}")).summary.weight_elems;
            assert_eq!(found, original - bounds, "{name}.{variant}");
        }
    }
}

/// The rows of the field on weights: those of a QDQ model are those of its float twin, a packed 4-bit weight is one, and
/// an unknown operator reads all its inputs, integers too.
#[test]
fn weights_of_models_from_the_field() {
    let elements = |name: &str, options: &Options| {
        let path = PathBuf::from(format!("tests/data/onnx_field/{name}.onnx"));
        let imported = import(&path, options).unwrap();
        (imported.summary.weight_elems, imported.network.layers[0].op)
    };
    assert_eq!(elements("qdq_weights", &Options::default()), elements("qdq_float_twin", &Options::default()));
    assert_eq!(elements("qdq_weights", &Options::default()).0, 1_168);
    assert_eq!(elements("ms_matmulnbits", &Options::default()).0, 64 * 128);
    let bytes = Options { unknown: UnknownOperators::Bytes, ..Default::default() };
    let all_inputs = Op::Vector { reads: 1_024 + 4_096 + 256, writes: 2_048, ops: 0 };
    assert_eq!(elements("unknown_nbits", &bytes), (4_096 + 256, all_inputs));
}
