//! Operators that are read as others: the layers are those of the nodes that they put together.

use super::*;

/// Inputs, weights, the operator with what writes `y`, the same in ONNX's own operators, and the shape of `y`.
type Twin = (&'static str, &'static str, &'static str, &'static str, &'static str);

const IMAGE: &str = "x: 1 4 8 8";
const TOKENS: &str = "x: 1 6 8";
const QKV: &str = "q: 1 6 8\nk: 1 5 8\nv: 1 5 12";

#[rustfmt::skip]
const TWINS: &[Twin] = &[
    (IMAGE, "w: 16 4 3 3\nb: 16", "y = com.microsoft:FusedConv x w b | strides 2 2 | activation Relu",
        "a = Conv x w b | strides 2 2\ny = Relu a", "y: 1 16 3 3"),
    ("x: 1 4 8 8\nz: 1 16 6 6", "w: 16 4 3 3", "y = com.microsoft:FusedConv x w - z | activation LeakyRelu",
        "a = Conv x w\nb = Add a z\ny = LeakyRelu b", "y: 1 16 6 6"),
    ("x: 1 8 8 4", "w: 16 4 3 3", "y = com.microsoft:NhwcFusedConv x w | activation Relu",
        "t = Transpose x | perm 0 3 1 2\na = Conv t w\nb = Transpose a | perm 0 2 3 1\ny = Relu b", "y: 1 6 6 16"),
    ("x: 1 8 8 4", "", "y = com.microsoft:NhwcMaxPool x | kernel_shape 2 2",
        "t = Transpose x | perm 0 3 1 2\na = MaxPool t | kernel_shape 2 2\ny = Transpose a | perm 0 2 3 1", "y: 1 7 7 4"),
    ("x: 5 7", "w: 3 5\nb: 3", "y = com.microsoft:FusedGemm x w b | transA 1 | transB 1 | activation Tanh",
        "a = Gemm x w b | transA 1 | transB 1\ny = Tanh a", "y: 7 3"),
    ("x: 2 3 6 5\nz: 2 3 6 4", "", "y = com.microsoft:FusedMatMul x z | transA 1",
        "t = Transpose x | perm 0 1 3 2\ny = MatMul t z", "y: 2 3 5 4"),
    ("x: 6 2 3 5\nz: 2 3 4 5", "", "y = com.microsoft:FusedMatMul x z | transB 1 | transBatchA 1",
        "t = Transpose x | perm 1 2 0 3\nu = Transpose z | perm 0 1 3 2\ny = MatMul t u", "y: 2 3 6 4"),
    (TOKENS, "w: 8 3", "y = com.microsoft:TransposeMatMul x w", "y = MatMul x w", "y: 1 6 3"),
    (TOKENS, "w: 8 3\nb: 3", "y = com.microsoft:GemmFastGelu x w b",
        "a = MatMul x w\nb1 = Add a b\ny = Gelu b1", "y: 1 6 3"),
    (TOKENS, "b: 8", "y = com.microsoft:BiasGelu x b", "a = Add x b\ny = Gelu a", "y: 1 6 8"),
    (TOKENS, "", "y = com.microsoft:QuickGelu x", "y = Swish x", "y: 1 6 8"),
    (TOKENS, "", "y = com.microsoft:FastGelu x", "y = Gelu x", "y: 1 6 8"),
    ("x: 1 6 8\nz: 1 6 8", "", "y = com.microsoft:BiasSoftmax x z", "a = Add x z\ny = Softmax a", "y: 1 6 8"),
    (TOKENS, "b: 8", "y = com.microsoft:BiasSplitGelu x b",
        "a = Add x b\nl r = Split a | axis -1\ng = Gelu r\ny = Mul l g", "y: 1 6 4"),
    ("x: 1 6 8\nz: 1 6 8", "g: 8\nb: 8\nc: 8", "y - - s = com.microsoft:SkipLayerNormalization x z g b c\nu = Relu s",
        "a = Add x c\ns = Add a z\ny = LayerNormalization s g b\nu = Relu s", "u: 1 6 8\ny: 1 6 8"),
    ("x: 1 6 8\nz: 1 6 8", "g: 8", "y = com.microsoft:SkipSimplifiedLayerNormalization x z g",
        "a = Add x z\ny = RMSNormalization a g", "y: 1 6 8"),
    (TOKENS, "g: 8", "y = SimplifiedLayerNormalization x g", "y = RMSNormalization x g", "y: 1 6 8"),
    (TOKENS, "w: 8 36\nb: 36", "y = com.microsoft:Attention x w b | num_heads 2",
        "p = MatMul x w\na = Add p b\nq k v = Split a | axis -1
         h = Reshape q | shape 0 0 2 -1\ni = Transpose h | perm 0 2 1 3
         l = Reshape k | shape 0 0 2 -1\nm = Transpose l | perm 0 2 3 1
         n = Reshape v | shape 0 0 2 -1\no = Transpose n | perm 0 2 1 3
         s = MatMul i m\nr = Softmax s\nc = MatMul r o\nd = Transpose c | perm 0 2 1 3\ny = Reshape d | shape 0 0 -1",
        "y: 1 6 12"),
    (QKV, "", "y = com.microsoft:MultiHeadAttention q k v | num_heads 2",
        "h = Reshape q | shape 0 0 2 -1\ni = Transpose h | perm 0 2 1 3
         l = Reshape k | shape 0 0 2 -1\nm = Transpose l | perm 0 2 3 1
         n = Reshape v | shape 0 0 2 -1\no = Transpose n | perm 0 2 1 3
         s = MatMul i m\nr = Softmax s\nc = MatMul r o\nd = Transpose c | perm 0 2 1 3\ny = Reshape d | shape 0 0 -1",
        "y: 1 6 12"),
];

fn layers_of(case: &Twin, nodes: &str) -> Vec<(Op, Vec<usize>, Vec<String>)> {
    let (inputs, weights, _, _, shape) = case;
    let model = imported(graph(inputs, weights, nodes, shape));
    model.network.layers.into_iter().map(|layer| (layer.op, layer.after, layer.fused)).collect()
}

#[test]
fn an_operator_of_onnxruntime_is_what_it_puts_together() {
    for case in TWINS {
        assert_eq!(layers_of(case, case.2), layers_of(case, case.3), "{}", case.2);
    }
}

/// The kinds of the layers, and the MACs of each.
fn work(model: &Imported) -> Vec<(crate::dims::LayerKind, u64)> {
    model.network.layers.iter().map(|layer| (layer.op.kind(), layer.op.macs().0)).collect()
}

#[test]
fn fewer_heads_of_keys_share_a_product_and_past_keys_are_put_in_front() {
    use crate::dims::LayerKind::{Lookup, Matmul, Vector};
    // Four heads of queries and two of keys, 8 features each, 3 new tokens after 5.
    let inputs = "q: 1 3 32\nk: 1 3 16\nv: 1 3 16\npk: 1 2 5 8\npv: 1 2 5 8";
    let shapes = "a: 1 2 8 8\nb: 1 2 8 8\ny: 1 3 32";
    let grouped =
        "y a b = com.microsoft:GroupQueryAttention q k v pk pv - - c s | num_heads 4 | kv_num_heads 2";
    let model = imported(graph(inputs, "c: 64 4\ns: 64 4", grouped, shapes));
    let scores = 4 * 3 * 8 * 8;
    assert_eq!(work(&model), [(Vector, 0), (Vector, 0), (Matmul, scores), (Vector, 0), (Matmul, scores)]);
    assert_eq!(model.network.layers[2].op, Op::Matmul(nest([1, 2, 8, 8, 6, 1, 1, 1], 1)));
    let onnx = "y a b = Attention q k v - pk pv | q_num_heads 4 | kv_num_heads 2";
    let twin = imported(graph(inputs, "", onnx, shapes));
    assert_eq!(work(&twin), work(&model));
    let rotated = imported(graph(inputs, "c: 64 4\ns: 64 4", &format!("{grouped} | do_rotary 1"), shapes));
    assert_eq!(rotated.summary.macs, 2 * scores);
    assert!(work(&rotated).iter().all(|&(kind, _)| kind != Lookup));
    assert_eq!(rotated.summary.weight_elems, 0);
}

#[test]
fn heads_in_a_dimension_of_their_own_need_no_number() {
    let model =
        imported(graph("q: 2 6 3 8\nk: 2 2 7 8\nv: 2 2 7 4", "", "y = Attention q k v", "y: 2 6 3 4"));
    let ops: Vec<Op> = model.network.layers.iter().map(|layer| layer.op).collect();
    assert_eq!(ops[0], Op::Matmul(nest([1, 4, 7, 8, 9, 1, 1, 1], 1)));
    assert_eq!(ops[2], Op::Matmul(nest([1, 4, 4, 7, 9, 1, 1, 1], 1)));
}

#[test]
fn keys_of_another_sequence_may_come_by_heads() {
    let node = "y = com.microsoft:MultiHeadAttention q k v | num_heads 2";
    let split = imported(graph("q: 1 6 8\nk: 1 2 5 4\nv: 1 2 5 4", "", node, "y: 1 6 8"));
    let beside = imported(graph("q: 1 6 8\nk: 1 5 8\nv: 1 5 8", "", node, "y: 1 6 8"));
    assert_eq!((work(&split), split.summary.macs), (work(&beside), 2 * 6 * 5 * 8));
}

#[test]
fn embeddings_are_look_ups_sums_and_a_norm() {
    let nodes = "y m = com.microsoft:EmbedLayerNormalization ids seg words places segs g b";
    let mut model = graph("", "words: 100 8\nplaces: 64 8\nsegs: 2 8\ng: 8\nb: 8", nodes, "m: 1\ny: 1 6 8");
    for name in ["ids", "seg"] {
        model.input.push(value_of(name, DataType::INT64, &["1", "6"]));
    }
    let model = imported(model);
    let kinds: Vec<String> = model.network.layers.iter().map(|l| format!("{:?}", l.op.kind())).collect();
    assert_eq!(kinds, ["Lookup", "Lookup", "Vector", "Vector", "Vector"]);
    assert_eq!(model.summary.weight_elems, 16);
}

#[test]
fn rotations_read_the_rows_of_their_positions() {
    let nodes = "y = com.microsoft:RotaryEmbedding x at c s";
    let mut model = graph("x: 1 2 6 8", "c: 1000 4\ns: 1000 4", nodes, "y: 1 2 6 8");
    model.input.push(value_of("at", DataType::INT64, &["1", "6"]));
    let model = imported(model);
    assert_eq!(model.network.layers[0].op, Op::Lookup { reads: 24, writes: 24 });
    assert_eq!(model.network.layers[2].op, Op::Vector { reads: 96 + 48, writes: 96, ops: 3 * 96 });
    assert_eq!(model.summary.weight_elems, 0);
}

#[test]
fn three_operands_of_an_einsum_are_two_products() {
    let model =
        graph("x: 1 2 3", "w: 3 4\nv: 4 5", "y = Einsum x w v | equation ...ij,jk,kl->...il", "y: 1 2 5");
    let model = imported(model);
    assert_eq!((model.summary.mac_layers, model.summary.macs), (2, 2 * 3 * 4 + 2 * 4 * 5));
    assert_eq!(model.summary.weight_elems, 12 + 20);
}

#[test]
fn an_einsum_of_one_operand_is_a_view_or_a_sum() {
    let model =
        imported(graph("x: 3 4", "w: 3 5", "t = Einsum x | equation ij->ji\ny = MatMul t w", "y: 4 5"));
    assert_eq!((model.network.layers.len(), model.summary.macs), (1, 60));
    let sum = imported(graph("x: 3 4", "", "y = Einsum x | equation ij->i", "y: 3"));
    assert_eq!(sum.network.layers[0].op, Op::Vector { reads: 12, writes: 3, ops: 12 });
    let scaled = imported(graph("x: 3 4\nz: 3", "", "y = Einsum x z | equation ij,i->ij", "y: 3 4"));
    assert_eq!(scaled.network.layers[0].op, Op::Vector { reads: 15, writes: 12, ops: 12 });
    let message = error(graph("x: 3 4", "w: 5 6", "y = Einsum x w | equation ij,jk->ik", "y: 3 6"));
    assert!(
        message.contains("Einsum that writes `y`: an index of `equation` is both 4 and 5 long"),
        "{message}"
    );
}

#[test]
fn a_convolution_in_three_dimensions_has_its_planes_along_n_and_c() {
    let model =
        imported(graph("x: 1 3 8 16 16", "w: 8 3 3 3 3", "y = Conv x w | strides 1 2 2", "y: 1 8 6 7 7"));
    assert_eq!(model.network.layers[0].op, Op::Conv(nest([6, 1, 8, 9, 7, 7, 3, 3], 2)));
    assert_eq!(model.summary.macs, 6 * 7 * 7 * 8 * 3 * 27);
    let back = imported(graph(
        "x: 1 8 4 7 7",
        "w: 8 3 2 2 2",
        "y = ConvTranspose x w | strides 2 2 2",
        "y: 1 3 8 14 14",
    ));
    assert_eq!(back.summary.macs, 4 * 7 * 7 * 8 * 3 * 8);
}

#[test]
fn a_deformable_convolution_is_a_convolution_with_offsets() {
    let model =
        imported(graph("x: 1 4 8 8\no: 1 18 6 6", "w: 8 4 3 3", "y = DeformConv x w o", "y: 1 8 6 6"));
    assert_eq!((model.summary.macs, fused(&model)), (6 * 6 * 8 * 36, vec!["deformconv".into()]));
}

#[test]
fn what_the_host_does_is_refused_with_its_reason_and_has_a_shape() {
    let nodes = "b = Gemm x w\nv i = TopK b k\ny = Relu v";
    let mut model = graph("x: 1 8", "w: 8 10", nodes, "y: 1 3");
    let k = TensorProto { data_type: Some(DataType::INT64), int64_data: vec![3], ..weight("k: 1") };
    model.initializer.push(k);
    let message = error(model.clone());
    assert!(
        message.contains(
            "operator `TopK` is not supported: it sorts, so that accelerators leave it to the host"
        )
    );
    let bytes = Options { unknown: UnknownOperators::Bytes, ..Default::default() };
    let model = import_with(model, &bytes).unwrap();
    assert_eq!(model.network.layers[1].op, Op::Vector { reads: 10 + 1, writes: 6, ops: 0 });
    assert_eq!(
        model.notes,
        ["became layers that move their inputs and outputs, without element operations: 1 x TopK"]
    );
}

#[test]
fn boxes_are_as_many_as_may_be_left() {
    let mut model = graph("b: 1 50 4\ns: 1 3 50", "", "y = NonMaxSuppression b s m", "");
    let most = TensorProto { data_type: Some(DataType::INT64), int64_data: vec![20], ..weight("m: 1") };
    model.initializer.push(most);
    assert!(error(model.clone()).contains("its work depends on data"));
    let bytes = Options { unknown: UnknownOperators::Bytes, ..Default::default() };
    let model = import_with(model, &bytes).unwrap();
    assert_eq!(model.network.layers[0].op, Op::Vector { reads: 200 + 150 + 1, writes: 60 * 3, ops: 0 });
    assert!(model.notes[1].starts_with("warning: no layer with MACs is left"));
}

#[test]
fn integer_weights_of_an_unknown_operator_count_and_are_named() {
    let mut model =
        graph("x: 1 16 64", "s: 256", "y = acme:Frobnicate x q s\nz = acme:Frobnicate y q s", "z: 1 16 64");
    model.value_info.push(value("y: 1 16 64"));
    model.initializer.push(TensorProto { data_type: Some(DataType::UINT8), ..weight("q: 128 2 16") });
    let bytes = Options { unknown: UnknownOperators::Bytes, ..Default::default() };
    let model = import_with(model, &bytes).unwrap();
    let both = [&model.network.layers[0].op, &model.network.layers[1].op];
    assert!(both.iter().all(|op| **op == Op::Vector { reads: 5376, writes: 1024, ops: 0 }));
    assert_eq!(model.summary.weight_elems, 2 * (4096 + 256));
    assert!(model.notes[0].ends_with(": 2 x acme.Frobnicate"), "{:?}", model.notes);
    assert!(model.notes[1].starts_with("warning"));
}

#[test]
fn the_shape_of_an_unknown_operator_follows_from_its_readers() {
    let nodes = "a = acme:Frobnicate x\nb = Relu a\nc = Sigmoid b\ny = MatMul c w";
    let mut model = graph("x: 1 8", "w: 4 5", nodes, "c: 2 4\ny: 2 5");
    let bytes = Options { unknown: UnknownOperators::Bytes, ..Default::default() };
    assert_eq!(import_with(model.clone(), &bytes).unwrap().summary.macs, 40);
    model.value_info.clear();
    let message = import_with(model, &bytes).unwrap_err();
    let expected =
        "depends on node Frobnicate that writes `a`: no tool can infer what `acme.Frobnicate` writes";
    assert!(message.contains(expected), "{message}");
}

#[test]
fn a_window_that_does_not_fit_is_named() {
    let message = error(graph("x: 1 4 2 2", "", "a = MaxPool x | kernel_shape 3 3\ny = Relu a", ""));
    assert!(
        message.contains("MaxPool that writes `a`: its window is larger than its input of 1 x 4 x 2 x 2"),
        "{message}"
    );
}
