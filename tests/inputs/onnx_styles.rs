//! ONNX files as different exporters write them, none with the shapes of its tensors: does the importer read them, and
//! are the counts those made by hand or by another tool (`tests/data/onnx/README.md`)?
#![allow(clippy::unwrap_used, reason = "these helpers are tests, too")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mascot::workload::{Imported, OnnxOptions as Options, Summary, import, import_from};
use rten_onnx::onnx::ModelProto;

const STYLES: &str = "tests/data/onnx";

fn import_style(name: &str, bindings: &[(&str, u64)]) -> Imported {
    let path = PathBuf::from(format!("{STYLES}/{name}.onnx"));
    let bindings: BTreeMap<String, u64> = bindings.iter().map(|&(name, size)| (name.into(), size)).collect();
    import(&path, &Options { bindings, ..Default::default() }).unwrap()
}

/// Stem, depthwise, projection, QKV, two products of two heads, classifier.
const SMALL_MACS: u64 =
    16 * 16 * 8 * 27 + 8 * 8 * 8 * 9 + 7 * 7 * 16 * 8 * 4 + 49 * 16 * 48 + 2 * (2 * 49 * 49 * 8) + 16 * 10;

/// Weights of the same with batch norm, biases, one divisor and the four scales of the resize.
const SMALL_WEIGHTS: u64 = 8 * 27 + 4 * 8 + 8 * 9 + 16 * 8 * 4 + (16 + 1) * 48 + (16 + 1) * 10 + 1 + 4;

#[test]
fn every_operator_set_gives_the_same_layers() {
    let newest = import_style("opset_20", &[("batch", 1)]);
    assert_eq!((newest.summary.mac_layers, newest.summary.macs), (7, SMALL_MACS));
    for opset in 9..=20 {
        let model = import_style(&format!("opset_{opset:02}"), &[("batch", 1)]);
        assert!(model.network.source.contains(&format!("opset {opset},")));
        // Clip got its two bounds as inputs in operator set 11.
        let bounds = if opset < 11 { 0 } else { 2 };
        let Summary { macs, mac_layers, edges, weight_elems, .. } = model.summary;
        assert_eq!((macs, mac_layers, edges), (SMALL_MACS, 7, newest.summary.edges), "opset {opset}");
        assert_eq!(weight_elems, SMALL_WEIGHTS + bounds, "opset {opset}");
        let work = |imported: &Imported| -> Vec<_> {
            imported.network.layers.iter().map(|l| (l.op, l.after.clone(), l.fused.clone())).collect()
        };
        assert_eq!(work(&model), work(&newest), "opset {opset}");
    }
}

#[test]
fn weights_may_be_initializers_inputs_or_constants_of_a_shape() {
    let initializers = import_style("opset_13", &[("batch", 1)]);
    for style in ["weights_by_input", "weights_by_constant_of_shape"] {
        let other = import_style(style, &[("batch", 1)]);
        assert_eq!(other.network.totals, initializers.network.totals, "{style}");
        let ops = |imported: &Imported| imported.network.layers.iter().map(|l| l.op).collect::<Vec<_>>();
        assert_eq!(ops(&other), ops(&initializers), "{style}");
    }
}

#[test]
fn a_batch_multiplies_the_macs() {
    let batch = import_style("opset_17", &[("batch", 3)]);
    assert_eq!(batch.summary.macs, 3 * SMALL_MACS);
}

#[test]
fn sizes_that_the_graph_computes_are_evaluated() {
    // 32 x 32 doubled is 64 x 64; padded by 1 + 2 columns and 3 + 4 rows; a 3 x 3 window takes 2 off.
    let model = import_style("sizes_computed", &[]);
    assert_eq!(model.summary.macs, 32 * 32 * 4 * 3 + (64 + 7 - 2) * (64 + 3 - 2) * 4 * 9);
}

#[test]
fn a_tied_head_is_a_look_up_and_a_product_with_the_same_table() {
    let model = import_style("tied_head", &[("batch", 1), ("length", 7)]);
    assert_eq!((model.summary.mac_layers, model.summary.macs), (2, 7 * 32 * 32 + 7 * 32 * 1000));
    assert_eq!(model.summary.weight_elems, 32 * 32 + 32 * 1000);
}

#[test]
fn an_open_dimension_is_an_error_that_says_what_to_type() {
    let path = PathBuf::from(format!("{STYLES}/tied_head.onnx"));
    let message = import(&path, &Options::default()).unwrap_err().to_string();
    let expected = "these dimensions of the inputs have no size: `batch` of `ids`, `length` of `ids`; give each one: \
                    --bind batch=NUMBER --bind length=NUMBER";
    assert!(message.ends_with(expected), "{message}");
}

#[test]
fn light_models_agree_with_another_count() {
    for (name, mac_layers, macs, weight_elems) in [
        ("bvlc_alexnet", 8, 654_560_384, 60_965_224),
        ("inception_v1", 58, 1_431_556_352, 6_998_552),
        ("shufflenet", 50, 124_664_528, 1_420_152),
        ("squeezenet", 26, 349_151_936, 1_235_496),
        ("vgg19", 19, 19_632_062_464, 143_667_240),
        ("zfnet512", 8, 1_481_727_008, 87_250_536),
    ] {
        let summary = import_style(&format!("light_{name}"), &[]).summary;
        let found = (summary.mac_layers, summary.macs, summary.weight_elems);
        assert_eq!(found, (mac_layers, macs, weight_elems), "{name}");
    }
}

/// The reference networks carry the shape of every tensor, as PyTorch computed it. Without it the importer finds the
/// same.
#[test]
fn the_reference_networks_import_without_their_shapes() {
    let files = std::fs::read_dir("tests/data/networks").unwrap().map(|entry| entry.unwrap().path());
    let models: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|e| e == "onnx")).collect();
    assert_eq!(models.len(), 24);
    for path in models {
        let given = import(&path, &Options::default()).unwrap();
        let inferred = import_from(&without_shapes(&path)[..], &path, &Options::default()).unwrap();
        assert_eq!(inferred.summary, given.summary);
        assert!(inferred.network.layers == given.network.layers, "{}", path.display());
    }
}

fn without_shapes(path: &Path) -> Vec<u8> {
    let mut model = ModelProto::parse_buf(&std::fs::read(path).unwrap()).unwrap();
    model.graph.as_mut().unwrap().value_info.clear();
    model.write_buf().unwrap()
}
