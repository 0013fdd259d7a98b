//! Layer lists of MAESTRO and SCALE-Sim: does every kind of layer become the loop nest it stands for, and is a mistake
//! an error at its line?
#![allow(clippy::unwrap_used, reason = "these helpers are tests, too")]

use std::path::{Path, PathBuf};

use mascot::files::InputError;
use mascot::workload::layer_list::{Options, Padding, import_maestro, import_scale_sim};
use mascot::workload::{Imported, LoopNest, Network, Op};
use proptest::prelude::*;

const LISTS: &str = "tests/data/layer_lists";

fn path(name: &str) -> PathBuf {
    Path::new(LISTS).join(name)
}

fn maestro(network: &str) -> Imported {
    let options = Options { network: Some(network.into()), ..Default::default() };
    import_maestro(&path("unet_head.m"), &options).unwrap()
}

fn nest(bounds: [u64; 8], stride: u64) -> LoopNest {
    LoopNest { bounds, stride: [stride; 2], dilation: [1, 1] }
}

#[test]
fn a_maestro_list_is_a_chain_of_valid_convolutions() {
    let imported = maestro("head");
    assert_eq!(imported.summary.macs, 570 * 570 * 64 * 9 + 568 * 568 * 64 * 64 * 9);
    assert_eq!((imported.summary.mac_layers, imported.summary.edges), (2, 1));
    assert_eq!(imported.summary.weight_elems, 64 * 9 + 64 * 64 * 9);
    assert_eq!(imported.network.layers[1].after, [0]);
    assert_eq!(imported.command, "mascot import unet_head.m --network head");
}

#[test]
fn every_type_of_maestro_becomes_its_loop_nest() {
    let imported = maestro("all_types");
    let found: Vec<(&str, Op)> = imported.network.layers.iter().map(|l| (l.name.as_str(), l.op)).collect();
    let expected = [
        ("strided", Op::Conv(nest([1, 1, 32, 3, 112, 112, 3, 3], 2))),
        ("strided_2", Op::Conv(nest([1, 32, 1, 1, 112, 112, 3, 3], 1))),
        ("up", Op::Conv(nest([1, 1, 64, 32, 112, 112, 1, 1], 1))),
        ("fc", Op::Conv(nest([1, 1, 10, 64, 1, 1, 1, 1], 1))),
        ("tokens", Op::Gemm(nest([1, 1, 512, 64, 128, 1, 1, 1], 1))),
        ("scores", Op::Matmul(nest([1, 8, 128, 64, 128, 1, 1, 1], 1))),
    ];
    assert_eq!(found, expected);
}

#[test]
fn sizes_without_padding_count_one_window_per_stride() {
    let options = Options { network: Some("all_types".into()), padding: Padding::Same };
    let imported = import_maestro(&path("unet_head.m"), &options).unwrap();
    assert_eq!(imported.network.layers[0].op, Op::Conv(nest([1, 1, 32, 3, 113, 113, 3, 3], 2)));
    assert_eq!(imported.command, "mascot import unet_head.m --network all_types --padding same");
    // One window, however large: a fully connected layer is never padded.
    let list = "Network n {\nLayer fc { Type: FC Dimensions { K: 10, C: 64, Y: 7, X: 7, R: 7, S: 7 } } }";
    let same = Options { network: None, padding: Padding::Same };
    let imported = import_text_with("a.m", list, &same).unwrap();
    assert_eq!(imported.network.layers[0].op, Op::Conv(nest([1, 1, 10, 64, 1, 1, 7, 7], 1)));
}

#[test]
fn a_scale_sim_topology_of_convolutions() {
    let imported = import_scale_sim(&path("conv.csv"), &Options::default()).unwrap();
    let ops: Vec<Op> = imported.network.layers.iter().map(|layer| layer.op).collect();
    // The last stride is rounded up: 16 - 3 = 13 is six and a half strides of 2, so eight windows.
    let expected = [
        Op::Conv(nest([1, 1, 96, 3, 55, 55, 11, 11], 4)),
        Op::Conv(nest([1, 96, 1, 1, 8, 8, 3, 3], 2)),
        Op::Conv(nest([1, 1, 10, 96, 1, 1, 1, 1], 1)),
    ];
    assert_eq!(ops, expected);
}

#[test]
fn a_scale_sim_topology_of_products() {
    let imported = import_scale_sim(&path("gemm.csv"), &Options::default()).unwrap();
    assert_eq!(imported.network.name, "gemm");
    assert_eq!(imported.network.layers[1].op, Op::Gemm(nest([1, 1, 4800, 1600, 1024, 1, 1, 1], 1)));
    assert_eq!(imported.summary.macs, 1024 * 1024 * 64 + 1024 * 4800 * 1600);
}

#[test]
fn an_imported_list_can_be_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("network.toml");
    let imported = maestro("all_types");
    std::fs::write(&file, imported.to_toml()).unwrap();
    assert_eq!(Network::read(&file).unwrap(), imported.network);
}

fn import_text(name: &str, text: &str) -> Result<Imported, InputError> {
    import_text_with(name, text, &Options::default())
}

fn import_text_with(name: &str, text: &str, options: &Options) -> Result<Imported, InputError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, text).unwrap();
    match name.ends_with(".m") {
        true => import_maestro(&file, options),
        false => import_scale_sim(&file, options),
    }
}

#[test]
fn mistakes_are_errors_at_their_line() {
    let conv = "Layer, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides";
    let network = "Network n {\nLayer a {";
    for (name, text, line, expected) in [
        ("a.csv", "Layer,M\na,1".into(), Some(1), "not a SCALE-Sim topology"),
        ("a.csv", format!("{conv}\na,5,5,3,3,2,6,1\nb,5,5,3,3,two,6,1"), Some(3), "Channels is `two`"),
        (
            "a.csv",
            format!("{conv}\na,2,2,3,3,2,6,1"),
            Some(2),
            "the kernel (3) is larger than the feature map (2)",
        ),
        ("a.csv", format!("{conv}\na,5,5,3,3,2,6,0"), Some(2), "the stride is `0`"),
        ("a.csv", format!("{conv}\n"), None, "network `a` has no layers"),
        ("a.csv", "Layer,M,N,K\na,4000000000,4000000000,1".into(), Some(2), "more than 2^50 MACs"),
        ("a.m", format!("{network} Type: POOL }} }}"), Some(2), "type `POOL`: expected CONV"),
        (
            "a.m",
            format!("{network} Type: CONV\nDimensions {{ K: 8 }} }} }}"),
            Some(2),
            "layer `a`: `C` is missing",
        ),
        ("a.m", format!("{network}\nDimensions {{ K: x }} }} }}"), Some(3), "`x`: expected a whole number"),
        ("a.m", format!("{network}\nDimensions {{ K: 1, K: 2 }} }} }}"), Some(3), "`K` is given twice"),
        ("a.m", format!("{network}\nDimensions {{ Q: 1 }} }} }}"), Some(3), "`Q`: expected one of N, K"),
        ("a.m", format!("{network} Type: CONV"), Some(2), "the file ends where `}` is expected"),
        ("a.m", "Network n { }".into(), None, "network `n` has no layers"),
        ("a.m", "nothing".into(), None, "no `Network NAME"),
    ] {
        let error = import_text(name, &text).expect_err(expected);
        assert!(error.line == line && error.message.contains(expected), "{error}");
    }
    let several = import_maestro(&path("unet_head.m"), &Options::default()).unwrap_err();
    assert!(several.message.ends_with("the file has head, all_types; choose with --network"), "{several}");
}

proptest! {
    #[test]
    fn random_lists_never_panic(
        words in prop::collection::vec(prop::sample::select(vec![
            "Network", "Layer", "Type", "Dimensions", "Stride", "Constant", "{", "}", ":", ",", "CONV", "GEMM",
            "TRCONV", "K", "C", "Y", "R", "M", "B", "0", "1", "7", "18446744073709551615", "//", "/*", "*/", "\n", "é",
        ]), 0..60),
    ) {
        let _ = import_text("a.m", &words.join(" "));
        let _ = import_text("a.csv", &format!("Layer,M,N,K\n{}", words.join(",")));
    }
}
