//! The networks in `workloads/networks`: they load, agree with an independent count, and are what the importer makes
//! of the ONNX files in `tests/data/networks`; and damaged files are errors, never panics.
#![allow(clippy::unwrap_used, reason = "these helpers are tests, too")]

use std::fs;
use std::path::{Path, PathBuf};

use mascot::files::InputError;
use mascot::workload::{Imported, Network, OnnxOptions as Options, import};
use proptest::prelude::*;
use serde::Deserialize;

const NETWORKS: &str = "workloads/networks";
const DATA: &str = "tests/data/networks";

#[derive(Debug, PartialEq, Deserialize)]
struct Row {
    model: String,
    mac_layers: u64,
    edges: u64,
    macs: u64,
    weight_elems: u64,
}

fn rows() -> Vec<Row> {
    let mut reader = csv::Reader::from_path(format!("{DATA}/totals.csv")).unwrap();
    reader.deserialize().collect::<Result<_, _>>().unwrap()
}

fn import_unbound(path: &Path) -> Result<Imported, InputError> {
    import(path, &Options::default())
}

#[test]
fn every_network_file_loads() {
    for entry in fs::read_dir(NETWORKS).unwrap() {
        let path = entry.unwrap().path();
        let network = Network::read(&path).unwrap();
        assert_eq!(path.file_stem().unwrap().to_str(), Some(network.name.as_str()));
        let roots = network.layers.iter().filter(|layer| layer.after.is_empty()).count();
        assert!(roots > 0 && network.mac_layers() > 0, "{}", path.display());
    }
}

#[test]
fn network_files_have_the_reference_totals() {
    assert_eq!(rows().len(), 24);
    for row in rows() {
        let network = Network::read(&Path::new(NETWORKS).join(format!("{}.toml", row.model))).unwrap();
        let totals = network.totals.expect("imported networks have totals");
        let found = Row {
            mac_layers: totals.mac_layers.unwrap_or(network.mac_layers() as u64),
            macs: network.macs().0,
            edges: totals.edges,
            weight_elems: totals.weight_elems,
            model: network.name,
        };
        assert_eq!(found, row);
    }
}

/// The networks of `workloads/make_networks.py` against what their papers say of them, as `source` quotes it.
#[test]
fn networks_from_papers_have_their_published_sizes() {
    let network = |name: &str| Network::read(&Path::new(NETWORKS).join(format!("{name}.toml"))).unwrap();
    let near = |found: u64, published: f64, tolerance: f64| {
        assert!((found as f64 / published - 1.0).abs() < tolerance, "{found} and {published}");
    };
    let deeplab = network("deeplabv3_mobilenet_v2");
    near(deeplab.macs().0, 2.75e9, 0.01);
    near(deeplab.parameters(), 2.11e6, 0.02);
    let mobilebert = network("mobilebert_s128");
    near(2 * mobilebert.macs().0, 5.7e9, 0.06);
    let tables = 30522 * 128 + (512 + 2) * 512;
    near(mobilebert.parameters() + tables, 25.3e6, 0.04);
    // Five batch norms of 32 channels, with a scale and a shift.
    assert_eq!(network("ritnet").parameters() + 5 * 2 * 32, 248_900);
    near(network("fbnet_c").parameters(), 5.5e6, 0.01);
    near(network("kws_res8_narrow").parameters(), 19.9e3, 0.01);
    // Two convolutions that inference does not run.
    near(network("midas_v21_small").parameters() + 2 * (512 * 512 * 9 + 512), 21e6, 0.02);
}

#[test]
fn importing_gives_the_reference_totals_and_the_bytes_of_the_network_files() {
    for row in rows() {
        let imported = import_unbound(&Path::new(DATA).join(format!("{}.onnx", row.model))).unwrap();
        let summary = &imported.summary;
        let found = Row {
            model: summary.model.clone(),
            mac_layers: summary.mac_layers,
            edges: summary.edges,
            macs: summary.macs,
            weight_elems: summary.weight_elems,
        };
        assert_eq!(found, row);
        let committed = fs::read_to_string(format!("{NETWORKS}/{}.toml", row.model)).unwrap();
        assert!(imported.to_toml() == committed, "{}: import it again and review the diff", row.model);
    }
}

#[test]
fn reading_a_written_network_gives_it_back() {
    let folder = tempfile::tempdir().unwrap();
    for row in rows() {
        let imported = import_unbound(&Path::new(DATA).join(format!("{}.onnx", row.model))).unwrap();
        let path = folder.path().join("network.toml");
        fs::write(&path, imported.to_toml()).unwrap();
        assert_eq!(Network::read(&path).unwrap(), imported.network);
    }
}

/// Every layer that nothing reads is an output of the model: fusing leaves no orphans.
#[test]
fn only_the_outputs_of_a_network_are_read_by_nobody() {
    for (model, outputs) in
        [("resnet50", 1), ("bert_base_s128", 1), ("googlenet", 1), ("ssd_mobilenet_v1", 12)]
    {
        let network = Network::read(&Path::new(NETWORKS).join(format!("{model}.toml"))).unwrap();
        let mut is_read = vec![false; network.layers.len()];
        network.layers.iter().flat_map(|layer| &layer.after).for_each(|&i| is_read[i] = true);
        assert_eq!(is_read.iter().filter(|&&read| !read).count(), outputs, "{model}");
    }
}

/// A file with this content; the folder goes when the first value is dropped.
fn file(name: &str, content: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    (folder, path)
}

/// The message of an import that must fail; it must begin with the path.
fn import_error(content: &[u8]) -> String {
    let (_folder, path) = file("model.onnx", content);
    let message = import_unbound(&path).expect_err("a damaged file").to_string();
    message.strip_prefix(&format!("{}: ", path.display())).expect("the path comes first").to_owned()
}

#[test]
fn a_truncated_model_is_an_error_wherever_it_is_cut() {
    let whole = fs::read(format!("{DATA}/yolo_lite.onnx")).unwrap();
    for length in (0..whole.len()).step_by(7).chain(whole.len() - 16..whole.len()) {
        let message = import_error(&whole[..length]);
        assert!(message.contains("cut off"), "cut at {length}: {message}");
    }
}

#[test]
fn what_is_not_a_model_is_an_error() {
    for content in [&b"not a model"[..], &[0xff; 64], &[0x3a, 0x00], b"\x08\x0a"] {
        assert!(!import_error(content).contains('\n'));
    }
    let folder = import_unbound(Path::new(DATA)).unwrap_err().to_string();
    assert!(folder.starts_with("tests/data/networks: "), "{folder}");
    let missing = import_unbound(Path::new("nowhere.onnx")).unwrap_err().to_string();
    assert!(missing.starts_with("nowhere.onnx: No such file"), "{missing}");
}

/// The line and the message of a network file that must not load.
fn network_error(layers: &str) -> (Option<usize>, String) {
    let text = format!("name = \"n\"\nsource = \"a test\"\nlayers = [\n{layers}\n]\n");
    let (_folder, path) = file("network.toml", text.as_bytes());
    let error = Network::read(&path).expect_err("an invalid network");
    assert!(error.to_string().starts_with(&path.display().to_string()));
    (error.line, error.message)
}

#[test]
fn network_files_with_mistakes_are_errors_at_their_line() {
    let conv = r#"{ name = "a", kind = "conv", k = 2 },"#;
    let case = |second: &str, expected: &str| {
        let (line, message) = network_error(&format!("{conv}\n{second}"));
        assert_eq!(line, Some(5), "{message}");
        assert!(message.contains(expected), "{message}");
    };
    case(conv, "two layers are named `a`");
    case(r#"{ name = "b", kind = "gemm", after = ["c"] },"#, "no layer is named `c`");
    case(r#"{ name = "b", kind = "gemm", after = ["b"] },"#, "layer `b` depends on itself");
    case(
        r#"{ name = "b", kind = "gemm", k = 0 },"#,
        "`k` is 0: expected a whole number from 1 to 4294967295",
    );
    case(r#"{ name = "b", kind = "conv", p = 2, r = 9, stride = 0 },"#, "layer `b`: every dimension");
    case(r#"{ name = "b", kind = "gemm", k = 4000000000, c = 4000000000 },"#, "more than 2^50 MACs");
    case(r#"{ name = "b", kind = "gemm", reads = 5 },"#, "a gemm layer has dimensions");
    case(r#"{ name = "b", kind = "vector", k = 5 },"#, "a vector layer has reads");
    case(r#"{ name = "b", kind = "lookup", reads = 5, ops = 1 },"#, "a lookup layer has no ops");
    case(r#"{ name = "b", kind = "vector" },"#, "reads or writes something");
    case(r#"{ name = "b", kind = "gemm", kk = 5 },"#, "unknown field `kk`");
    case(r#"{ name = "b", kind = "dense" },"#, "unknown variant `dense`");
}

#[test]
fn a_cycle_is_an_error_at_one_of_its_layers() {
    let (line, message) = network_error(
        r#"{ name = "a", kind = "conv" },
           { name = "b", kind = "conv", after = ["a", "c"] },
           { name = "c", kind = "conv", after = ["b"] },
           { name = "d", kind = "conv", after = ["c"] },"#,
    );
    assert!(matches!(line, Some(5 | 6)) && message.contains("depends on itself"), "{line:?}: {message}");
}

#[test]
fn a_network_without_layers_is_an_error() {
    assert!(network_error("").1.contains("`layers` is empty"));
}

proptest! {
    #[test]
    fn random_bytes_never_panic(content in prop::collection::vec(any::<u8>(), 0..200)) {
        let (_folder, path) = file("model.onnx", &content);
        let _ = import_unbound(&path);
    }

    #[test]
    fn mutations_of_a_model_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        removed in any::<prop::sample::Index>(),
        removes in any::<bool>(),
    ) {
        let mut content = fs::read(format!("{DATA}/kws_dscnn_s.onnx")).unwrap();
        for (index, byte) in changes {
            let at = index.index(content.len());
            content[at] = byte;
        }
        if removes {
            content.remove(removed.index(content.len()));
        }
        let (_folder, path) = file("model.onnx", &content);
        if let Ok(imported) = import_unbound(&path) {
            let written = path.with_extension("toml");
            fs::write(&written, imported.to_toml()).unwrap();
            prop_assert_eq!(Network::read(&written).unwrap(), imported.network);
        }
    }
}
