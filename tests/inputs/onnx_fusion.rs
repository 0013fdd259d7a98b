//! Does the same network cost the same whatever exporter wrote it, with one operator or node by node; and do nodes that
//! are no pattern stay apart? (`tests/data/onnx_fusion/README.md`)
#![allow(clippy::unwrap_used, reason = "these helpers are tests, too")]

use std::fs;
use std::path::{Path, PathBuf};

use mascot::cost::{Goal, layer_cost};
use mascot::hw::{AccelSpec, Objective};
use mascot::workload::{Imported, OnnxOptions as Options, Op, import};

const FORMS: &str = "tests/data/onnx_fusion";

fn sorted(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn import_as(path: &Path, no_fuse: bool) -> Imported {
    import(path, &Options { no_fuse, ..Default::default() }).unwrap()
}

/// What the cost of a network follows from.
fn work(imported: &Imported) -> Vec<(Op, Vec<usize>)> {
    imported.network.layers.iter().map(|layer| (layer.op, layer.after.clone())).collect()
}

#[test]
fn every_form_of_a_pattern_becomes_its_operator() {
    let folders = sorted(FORMS).into_iter().filter(|folder| folder.join("op.onnx").is_file());
    let mut forms = 0;
    for folder in folders {
        let operator = import_as(&folder.join("op.onnx"), false);
        assert!(operator.notes.is_empty(), "{}: {:?}", folder.display(), operator.notes);
        for path in sorted(&folder).into_iter().filter(|path| !path.ends_with("op.onnx")) {
            let form = import_as(&path, false);
            assert_eq!(work(&form), work(&operator), "{}", path.display());
            assert_eq!(form.network.totals, operator.network.totals, "{}", path.display());
            assert_eq!(form.summary.macs, operator.summary.macs, "{}", path.display());
            assert!(form.notes[0].starts_with("fused "), "{}: {:?}", path.display(), form.notes);
            let apart = import_as(&path, true);
            assert_ne!(apart.network.layers, form.network.layers, "{}", path.display());
            assert!(apart.notes.is_empty() && apart.command.ends_with(" --no-fuse"), "{}", apart.command);
            forms += 1;
        }
    }
    assert!(forms > 70, "{forms}");
}

#[test]
fn nodes_that_only_look_like_a_pattern_stay_apart() {
    let paths = sorted(format!("{FORMS}/apart"));
    assert!(paths.len() > 8);
    for path in paths {
        let imported = import_as(&path, false);
        assert!(imported.notes.is_empty(), "{}: {:?}", path.display(), imported.notes);
        assert_eq!(imported.network.layers, import_as(&path, true).network.layers, "{}", path.display());
    }
}

/// DRAM bytes and latency of a network on `simba_1024`, layer after layer.
fn bytes_and_latency(imported: &Imported) -> (u64, u64) {
    let accelerator = AccelSpec::read(Path::new("accel-models/simba_1024.toml")).unwrap();
    let goal = Goal { objective: Objective::Latency, bandwidth_gbps: 32.0 };
    let costs =
        imported.network.layers.iter().map(|layer| layer_cost(&accelerator, &layer.work(1), goal).unwrap());
    costs.fold((0, 0), |(bytes, latency), cost| (bytes + cost.dram_bytes.0, latency + cost.latency.0))
}

/// A convolution of 16 channels at 80 x 80: input 102,400 and output 102,400 bytes, 2,304 weights; some input rows are
/// fetched twice. Sigmoid and product as passes of their own would add 512,000 bytes.
#[test]
fn a_decomposed_silu_moves_no_more_bytes_than_the_operator() {
    let [operator, nodes] = ["silu_op", "silu_decomposed"].map(|name| {
        bytes_and_latency(&import_as(&Path::new("tests/data/onnx_field").join(format!("{name}.onnx")), false))
    });
    assert_eq!(nodes, operator);
    assert_eq!(nodes.0, 212_288);
    let apart = import_as(Path::new("tests/data/onnx_field/silu_decomposed.onnx"), true);
    assert_eq!(bytes_and_latency(&apart).0, 724_288);
}
