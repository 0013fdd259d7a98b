//! Layer lists of MAESTRO and SCALE-Sim: does every kind of layer become the loop nest it stands for, and is a mistake
//! an error at its line?
#![allow(clippy::unwrap_used, reason = "these helpers are tests, too")]

use std::path::{Path, PathBuf};

use mascot::files::InputError;
use mascot::workload::{
    Imported, ListOptions as Options, LoopNest, Network, Op, Padding, import_maestro, import_scale_sim,
};
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
    LoopNest { bounds, stride: [stride; 2], dilation: [1, 1], padding: [0; 2] }
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
fn a_batch_is_no_stride() {
    for (file, macs) in [("scalesim_batch_conv.csv", 62_208), ("scalesim_batch_gemm.csv", 32_768)] {
        let imported = import_scale_sim(&path(file), &Options::default()).unwrap();
        assert_eq!(imported.summary.macs, macs, "{file}");
        assert_eq!(imported.network.macs().0, macs, "{file}");
    }
}

/// The same layer under the headers of versions and hands.
#[test]
fn scale_sim_columns_are_found_by_their_names() {
    let expected = Op::Conv(nest([1, 1, 6, 3, 5, 5, 3, 3], 1));
    let strided = Op::Conv(LoopNest {
        bounds: [2, 1, 6, 3, 5, 3, 3, 3],
        stride: [1, 2],
        dilation: [1, 1],
        padding: [0; 2],
    });
    let head = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter";
    for (text, expected) in [
        (format!("{head}, Strides,\na,7,7,3,3,3,6,1,"), expected),
        (format!("{head}, Strides\na,7,7,3,3,3,6,1"), expected),
        (format!("{head}, Strides, Sparsity,\na,7,7,3,3,3,6,1,2:4,"), expected),
        (format!("{head}, Strides,\na,7,7,3,3,3,6,1,1:1,"), expected),
        ("LAYER_NAME,Strides,Num_Filter,channels,filter_width,filter_height,ifmap_width,ifmap height (px)\n\
          a,1,6,3,3,3,7,7"
            .into(), expected),
        (format!("{head}, Stride Height, Stride Width, Batch Size\na,7,7,3,3,3,6,1,2,2"), strided),
        (format!("{head}, Batch, Strides,,\na,7,7,3,3,3,6,2,1,2,"), strided),
        (format!("{head}, Strides, Strides, N\na,7.0,7,3e0,3,3,6,1,2,2"), strided),
        (format!("\u{feff}{head}, Strides, Batch Size\r\n\r\na,7,7,3,3,3,6,1,\r\n"), expected),
    ] {
        let imported = import_text("a.csv", &text).unwrap();
        assert_eq!(imported.network.layers[0].op, expected, "{text}");
    }
    let products =
        import_text("a.csv", "Batch Size,K,Layer,N,M,Sparsity\n2,8,g,32,16,2:4\n,8,h,32,16,\n").unwrap();
    let ops: Vec<Op> = products.network.layers.iter().map(|layer| layer.op).collect();
    assert_eq!(ops, [2, 1].map(|n| Op::Gemm(nest([n, 1, 32, 8, 16, 1, 1, 1], 1))));
    let depthwise =
        import_text("a.csv", &format!("{head}, Strides, Batch Size\nDP1,7,7,3,3,4,1,1,2")).unwrap();
    assert_eq!(depthwise.network.layers[0].op, Op::Conv(nest([2, 4, 1, 1, 5, 5, 3, 3], 1)));
}

#[test]
fn maestros_groups_and_repeated_dimensions() {
    let macs = |file: &str| import_maestro(&path(file), &Options::default()).unwrap().summary.macs;
    assert_eq!((macs("ngconv.m"), macs("twice.m")), (147_456, 36_864));
    let import = |dimensions: &str| {
        let text = format!("Network n {{ Layer a {{ Type: NGCONV Type: NGCONV {dimensions} }} }}");
        import_text("a.m", &text).unwrap().network.layers[0].op
    };
    let expected = Op::Conv(nest([2, 4, 8, 6, 5, 5, 3, 3], 1));
    assert_eq!(import("Dimensions { N 2 G 4 K 8 C 6 R 3 S 3 Y 7 X 7 }"), expected);
    assert_eq!(
        import("Dimensions { N: 2, G: 4, K: 8, C: 6 } Dimensions { C: 6, R: 3, S: 3, Y: 7, X: 7 }"),
        expected
    );
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
        ("a.csv", "Layer,M,K\na,1,1".into(), Some(1), "not a SCALE-Sim topology: no column `N`"),
        ("a.csv", "Layer\na,1".into(), Some(1), "not a SCALE-Sim topology: no column `IFMAP Height`"),
        (
            "a.csv",
            format!("{conv}\na,5,5,3,3,2,6,1\nb,5,5,3,3,two,6,1"),
            Some(3),
            "column `Channels`: `two`: expected a whole number",
        ),
        (
            "a.csv",
            format!("{conv}\na,2,2,3,3,2,6,1"),
            Some(2),
            "the kernel (3) is larger than the feature map (2)",
        ),
        ("a.csv", format!("{conv}\na,5,5,3,3,2,6,0"), Some(2), "column `Strides`: 0 is not allowed"),
        ("a.csv", format!("{conv}\n"), None, "network `a` has no layers"),
        ("a.csv", "Layer,M,N,K\na,4000000000,4000000000,1".into(), Some(2), "more than 2^50 MACs"),
        ("a.m", format!("{network} Type: POOL }} }}"), Some(2), "type `POOL`: expected one of CONV"),
        (
            "a.m",
            format!("{network} Type: CONV\nDimensions {{ K: 8 }} }} }}"),
            Some(2),
            "layer `a`: `C` is missing",
        ),
        ("a.m", format!("{network}\nDimensions {{ K: x }} }} }}"), Some(3), "`x`: expected a whole number"),
        (
            "a.m",
            format!("{network}\nDimensions {{ K: 1, K: 2 }} }} }}"),
            Some(3),
            "`K` is 2 here and 1 in line 3",
        ),
        ("a.m", format!("{network}\nDimensions {{ Q: 1 }} }} }}"), Some(3), "`Q`: expected one of N, G, K"),
        (
            "a.m",
            format!("{network}\nDimensions {{ C: 3\nC: 4 }} }} }}"),
            Some(4),
            "`C` is 4 here and 3 in line 3",
        ),
        (
            "a.m",
            format!("{network} Type: CONV\nType: FC }} }}"),
            Some(3),
            "`Type` is FC here and CONV in line 2",
        ),
        (
            "a.m",
            format!("{network} Type: GEMM Dimensions {{ B: 4, M: 1, N: 1, K: 1 }} }} }}"),
            Some(2),
            "`B` is 4, but",
        ),
        (
            "a.m",
            format!("{network} Type: CONV Dimensions {{ G: 4, C: 1, K: 1 }} }} }}"),
            Some(2),
            "`G` is 4, but",
        ),
        (
            "a.m",
            format!("{network} Type: NGCONV Dimensions {{ C: 1, K: 1 }} }} }}"),
            Some(2),
            "`G` is missing",
        ),
        (
            "a.m",
            format!("{network}\nStrid {{ X: 2 }} }} }}"),
            Some(3),
            "`Strid` (did you mean `Stride`?) is not read",
        ),
        ("a.m", format!("{network}\nPadding: 1 }} }}"), Some(3), "`Padding` is not read"),
        ("a.csv", "Layer,M,N,K,Foo\na,1,1,1,1".into(), Some(1), "unknown column `Foo`"),
        ("a.csv", "Layer,M,N,M,K\na,1,1,1,1".into(), Some(1), "column `M` occurs twice"),
        ("a.csv", "a,5,5,3,3,2,6,1\nb,5,5,3,3,2,6,1".into(), Some(1), "`5` is not the name of a column"),
        ("a.csv", conv.replace(", Channels", "") + "\na,5,5,3,3,6,1", Some(1), "no column `Channels`"),
        ("a.csv", format!("{conv}, Padding\na,5,5,3,3,2,6,1,1"), Some(1), "unknown column `Padding`"),
        ("a.csv", format!("{conv}\na,5,5,3,3,2.5,6,1"), Some(2), "column `Channels`: `2.5`"),
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
