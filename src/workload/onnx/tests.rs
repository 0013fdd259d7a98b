//! Hand-computed cases on models of a few nodes, written with `rten-onnx`'s encoder.

mod constants;
mod operators;
mod post;
mod quantized;

use rten_onnx::onnx::{
    AttributeProto, DataType, Dimension, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TypeProto, TypeProtoTensor, ValueInfoProto,
};

use super::{Options, UnknownOperators, import};
use crate::workload::imported::Imported;
use crate::workload::layer::{LoopNest, Op};

fn value_of(name: &str, elements: DataType, dims: &[&str]) -> ValueInfoProto {
    let dim = |text: &&str| match text.parse() {
        Ok(size) => Dimension { dim_value: Some(size), dim_param: None },
        Err(_) => Dimension { dim_value: None, dim_param: Some((*text).into()) },
    };
    let shape = Some(TensorShapeProto { dim: dims.iter().map(dim).collect() });
    let tensor_type = Some(TypeProtoTensor { elem_type: Some(elements), shape });
    ValueInfoProto { name: Some(name.into()), r#type: Some(TypeProto { tensor_type, sequence: None }) }
}

/// `"x: 1 3 batch"`
pub(super) fn value(text: &str) -> ValueInfoProto {
    let (name, dims) = text.split_once(':').unwrap();
    value_of(name, DataType::FLOAT, &dims.split_whitespace().collect::<Vec<_>>())
}

/// `"w: 64 3 7 7"`
pub(super) fn weight(text: &str) -> TensorProto {
    let (name, dims) = text.split_once(':').unwrap();
    let dims = dims.split_whitespace().map(|size| size.parse().unwrap()).collect();
    TensorProto { name: Some(name.into()), dims, data_type: Some(DataType::FLOAT), ..Default::default() }
}

/// Integers in a list.
fn numbers(name: &str, list: &[i64]) -> TensorProto {
    let (name, dims, int64_data) = (Some(name.into()), vec![list.len() as i64], list.to_vec());
    TensorProto { name, dims, data_type: Some(DataType::INT64), int64_data, ..Default::default() }
}

/// `"y = Conv x w | strides 2 2 | group 1 | mode linear"`; an operator of another domain is `com.microsoft:Gelu`.
fn node(text: &str) -> NodeProto {
    let mut parts = text.split('|');
    let (output, call) = parts.next().unwrap().split_once('=').unwrap();
    let mut words = call.split_whitespace();
    let attribute = |text: &str| {
        let mut words = text.split_whitespace();
        let name = words.next().unwrap().to_owned();
        let values: Vec<&str> = words.collect();
        let ints: Vec<i64> = values.iter().filter_map(|word| word.parse().ok()).collect();
        let s = ints.is_empty().then(|| values.join(" "));
        let is_list = matches!(name.as_str(), "strides" | "dilations" | "kernel_shape" | "pads" | "perm");
        let i = ints.first().copied().filter(|_| !is_list);
        AttributeProto { name: Some(name), i, ints, s, ..Default::default() }
    };
    let called = words.next().unwrap();
    let (domain, op) = called.split_once(':').map_or((None, called), |(domain, op)| (Some(domain), op));
    NodeProto {
        domain: domain.map(Into::into),
        op_type: Some(op.into()),
        input: words.map(|word| word.replace('-', "")).collect(),
        output: output.split_whitespace().map(Into::into).collect(),
        attribute: parts.map(attribute).collect(),
        ..Default::default()
    }
}

fn lines<T>(text: &str, parse: fn(&str) -> T) -> Vec<T> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(parse).collect()
}

/// A model from its inputs, weights, nodes and the shapes of what the nodes write; the last of these is the output.
pub(super) fn graph(inputs: &str, weights: &str, nodes: &str, shapes: &str) -> GraphProto {
    let mut value_info = lines(shapes, value);
    let output = value_info.pop().into_iter().collect();
    let (input, initializer) = (lines(inputs, value), lines(weights, weight));
    GraphProto { node: lines(nodes, node), initializer, input, output, value_info }
}

fn import_bound(graph: GraphProto, bindings: &[(&str, u64)]) -> Result<Imported, String> {
    let bindings = bindings.iter().map(|&(name, size)| (name.into(), size)).collect();
    import_with(graph, &Options { bindings, ..Default::default() })
}

pub(super) fn import_with(graph: GraphProto, options: &Options) -> Result<Imported, String> {
    let opset = OperatorSetIdProto { domain: None, version: Some(20) };
    let model = ModelProto { graph: Some(graph), opset_import: vec![opset], ..Default::default() };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    std::fs::write(&path, model.write_buf().unwrap()).unwrap();
    import(&path, options).map_err(|error| error.to_string())
}

pub(super) fn imported(graph: GraphProto) -> Imported {
    import_bound(graph, &[]).unwrap()
}

pub(super) fn error(graph: GraphProto) -> String {
    import_bound(graph, &[]).unwrap_err()
}

fn nest(bounds: [u64; 8], stride: u64) -> LoopNest {
    LoopNest { bounds, stride: [stride; 2], dilation: [1, 1], padding: [0; 2] }
}

/// Name and fused operations of every layer.
pub(super) fn fused(imported: &Imported) -> Vec<String> {
    let layers = imported.network.layers.iter();
    layers.map(|layer| [std::slice::from_ref(&layer.name), &layer.fused].concat().join(" ")).collect()
}

#[test]
fn a_depthwise_convolution_has_one_channel_per_group() {
    let model = imported(graph(
        "x: 1 32 112 112",
        "dw.weight: 32 1 3 3",
        "y = Conv x dw.weight | group 32 | strides 2 2 | pads 1 1 1 1",
        "y: 1 32 56 56",
    ));
    let layer = &model.network.layers[0];
    assert_eq!(layer.name, "dw");
    let expected = LoopNest { padding: [1; 2], ..nest([1, 32, 1, 1, 56, 56, 3, 3], 2) };
    assert_eq!(layer.op, Op::Conv(expected), "windows cover 113 rows of 112");
    assert_eq!((model.summary.macs, model.summary.weight_elems), (32 * 56 * 56 * 9, 32 * 9));
}

#[test]
fn a_convolution_in_one_dimension_runs_along_p_and_r() {
    let model = imported(graph("x: 1 4 100", "w: 8 4 5", "y = Conv x w | strides 1", "y: 1 8 96"));
    assert_eq!(model.network.layers[0].op, Op::Conv(nest([1, 1, 8, 4, 96, 1, 5, 1], 1)));
}

#[test]
fn a_transposed_convolution_multiplies_every_input_pixel_by_every_weight() {
    let model = imported(graph(
        "x: 1 64 28 28",
        "w: 64 32 2 2",
        "y = ConvTranspose x w | strides 2 2",
        "y: 1 32 56 56",
    ));
    assert_eq!(model.summary.macs, 28 * 28 * 64 * 32 * 4);
}

#[test]
fn gemm_takes_tokens_along_p_and_respects_trans_b() {
    let model = imported(graph("x: 7 512", "w: 1000 512\nb: 1000", "y = Gemm x w b | transB 1", "y: 7 1000"));
    assert_eq!(model.network.layers[0].op, Op::Gemm(nest([1, 1, 1000, 512, 7, 1, 1, 1], 1)));
    assert_eq!(model.network.layers[0].fused, ["Bias"]);
    assert_eq!(model.summary.weight_elems, 1000 * 512 + 1000);
}

#[test]
fn weights_on_the_left_give_output_features_too() {
    let model = imported(graph("x: 2 16 9", "w: 5 16", "y = MatMul w x", "y: 2 5 9"));
    assert_eq!(model.network.layers[0].op, Op::Gemm(nest([1, 1, 5, 16, 18, 1, 1, 1], 1)));
}

#[test]
fn a_product_of_activations_has_its_heads_along_g() {
    let model = imported(graph("q: 2 12 128 64\nk: 2 12 64 100", "", "y = MatMul q k", "y: 2 12 128 100"));
    assert_eq!(model.network.layers[0].op, Op::Matmul(nest([1, 24, 100, 64, 128, 1, 1, 1], 1)));
}

#[test]
fn an_einsum_is_a_product_with_weights_or_of_activations() {
    let mut model =
        graph("x: 1 9 16", "w: 16 4 8", "q = Einsum x w\ns = Einsum q q", "q: 1 9 4 8\ns: 1 4 9 9");
    for (node, equation) in model.node.iter_mut().zip(["bsd,dhk->bshk", "bihd,bjhd->bhij"]) {
        let (name, s) = (Some("equation".into()), Some(equation.into()));
        node.attribute.push(AttributeProto { name, s, ..Default::default() });
    }
    let model = imported(model);
    assert_eq!(model.network.layers[0].op, Op::Gemm(nest([1, 1, 32, 16, 9, 1, 1, 1], 1)));
    assert_eq!(model.network.layers[1].op, Op::Matmul(nest([1, 4, 9, 8, 9, 1, 1, 1], 1)));
}

#[test]
fn an_lstm_is_one_operation_and_a_chain_of_steps_per_direction() {
    let model = imported(graph(
        "x: 3 1 10",
        "w: 2 16 10\nr: 2 16 4",
        "y = LSTM x w r | direction bidirectional\nz = Relu y",
        "y: 3 2 1 4\nz: 3 2 1 4",
    ));
    assert_eq!((model.summary.mac_layers, model.summary.macs), (1, 3 * 2 * 16 * 14));
    assert_eq!(model.network.layers.len(), 7);
    assert_eq!(model.network.layers[3].name, "lstm.backward.0");
    assert_eq!((&model.network.layers[3].after[..], &model.network.layers[5].after[..]), (&[][..], &[4][..]));
    assert_eq!(model.network.layers[6].after, [2, 5]);
}

#[test]
fn a_pool_rounds_up_where_it_says_so() {
    let model = imported(graph(
        "x: 1 2 6 6",
        "",
        "y = MaxPool x | kernel_shape 3 3 | strides 2 2 | ceil_mode 1",
        "y: 1 2 3 3",
    ));
    assert_eq!(model.network.layers[0].op, Op::Vector { reads: 72, writes: 18, ops: 18 * 9 });
}

#[test]
fn activations_and_norms_fuse_into_the_layer_before_them() {
    let model = imported(graph(
        "x: 1 4 8 8",
        "w: 4 4 1 1\nv: 4 4 1 1\ng: 4",
        "a = Conv x w\nb = BatchNormalization a g g g g\nc = Relu b\nd = Conv c v\ne = Add d c\nf = Relu e",
        "a: 1 4 8 8\nb: 1 4 8 8\nc: 1 4 8 8\nd: 1 4 8 8\ne: 1 4 8 8\nf: 1 4 8 8",
    ));
    assert_eq!(fused(&model), ["conv BatchNormalization Relu", "conv_2", "add Relu"]);
    assert_eq!(model.network.layers[2].after, [0, 1]);
    assert_eq!((model.summary.edges, model.summary.weight_elems), (6, 16 + 16 + 16));
}

#[test]
fn an_activation_whose_input_is_needed_elsewhere_is_a_layer() {
    let shapes = "a: 1 4\nb: 1 4\nc: 1 4";
    let two_readers = graph("x: 1 4", "w: 4 4", "a = Gemm x w\nb = Sigmoid a\nc = Add a b", shapes);
    assert_eq!(fused(&imported(two_readers)), ["gemm", "sigmoid", "add"]);
    let mut also_output = graph("x: 1 4", "w: 4 4", "a = Gemm x w\nb = Relu a", "a: 1 4\nb: 1 4");
    also_output.output.push(value("a: 1 4"));
    assert_eq!(fused(&imported(also_output)), ["gemm", "relu"]);
}

#[test]
fn a_full_size_constant_is_a_stream_and_a_bias_is_not() {
    let model = imported(graph(
        "x: 1 9 4",
        "w: 4 4\nbias: 4\nposition: 1 9 4",
        "a = MatMul x w\nb = Add a bias\nc = Add b position",
        "a: 1 9 4\nb: 1 9 4\nc: 1 9 4",
    ));
    assert_eq!(fused(&model), ["matmul Add", "add"]);
    assert_eq!(model.network.layers[1].op, Op::Vector { reads: 72, writes: 36, ops: 36 });
}

#[test]
fn views_are_edges_and_parallel_edges_are_one() {
    let model = imported(graph(
        "x: 1 8",
        "w: 8 8\nshape: 2",
        "a = Gemm x w\nb = Reshape a shape\nc = Transpose b\nd = Relu a\ne = MatMul d c\nf = Add e e",
        "a: 1 8\nb: 1 8\nc: 8 1\nd: 1 8\ne: 1 1\nf: 1 1",
    ));
    // Gemm -> Relu, Gemm -> MatMul, Relu -> MatMul, MatMul -> Add.
    assert_eq!(model.summary.edges, 4);
    assert_eq!(fused(&model), ["gemm", "relu", "matmul Add"]);
}

#[test]
fn weights_may_be_inputs_constants_and_views_of_these() {
    let mut model = graph(
        "x: 1 8\nw: 8 8",
        "size: 2",
        "a = Gemm x w\nv = ConstantOfShape size\nt = Transpose v\nb = MatMul a t",
        "v: 5 8\nt: 8 5\na: 1 8\nb: 1 5",
    );
    model.initializer[0].data_type = Some(DataType::INT64);
    let model = imported(model);
    assert_eq!((model.summary.mac_layers, model.summary.weight_elems), (2, 64 + 40));
    assert!(model.network.layers.iter().all(|layer| matches!(layer.op, Op::Gemm(_))));
}

#[test]
fn an_embedding_reads_its_rows_and_no_parameters() {
    let mut model = graph("", "table: 30000 16", "y = Gather table ids", "y: 1 5 16");
    model.input.push(value_of("ids", DataType::INT64, &["1", "5"]));
    let model = imported(model);
    assert_eq!(model.network.layers[0].op, Op::Lookup { reads: 80, writes: 80 });
    assert_eq!(model.summary.weight_elems, 0);
}

#[test]
fn the_split_of_a_fused_product_is_no_layer_but_counts_in_the_edges() {
    let mut model = graph(
        "x: 4 8",
        "w: 8 24",
        "a = MatMul x w\nq = Gather a i\nk = Gather a i\ny = Add q k",
        "a: 3 4 8\nq: 4 8\nk: 4 8\ny: 4 8",
    );
    model.initializer.push(TensorProto { data_type: Some(DataType::INT64), ..weight("i:") });
    model.value_info[0] = value("a: 4 24");
    let model = imported(model);
    assert_eq!((fused(&model), model.summary.edges), (vec!["matmul".into(), "add".into()], 4));
}

#[test]
fn symbolic_dimensions_need_a_binding() {
    let model = || graph("x: batch 8", "w: 8 8", "a = Gemm x w", "a: batch 8");
    let message = error(model());
    assert!(
        message.contains("model.onnx: these dimensions of the inputs have no size: `batch` of `x`"),
        "{message}"
    );
    assert!(message.ends_with("--bind batch=NUMBER"), "{message}");
    assert_eq!(import_bound(model(), &[("batch", 2)]).unwrap().summary.macs, 128);
    let command = import_bound(model(), &[("batch", 2)]).unwrap().command;
    assert_eq!(command, "mascot import model.onnx --bind batch=2");
    let text = import_bound(model(), &[("batch", 2)]).unwrap().to_toml();
    let head = "# Written by `mascot import model.onnx --bind batch=2`: change the importer, not this file.\n\
                # Bound in model.onnx: batch = 2.\n# Sizes are elements at what was bound; `fused`";
    assert!(text.starts_with(head), "{text}");
    let message = import_bound(model(), &[("bach", 2)]).unwrap_err();
    assert!(message.contains("--bind bach") && message.contains("it has batch"), "{message}");
}

#[test]
fn errors_name_the_node_and_what_is_wrong_with_it() {
    let case = |nodes, shapes| {
        let mut model = graph("x: 1 8\nq: 1 8", "w: 8 8", nodes, shapes);
        model.initializer.extend([numbers("none", &[0, 0]), numbers("many", &[1 << 31, 1 << 28])]);
        error(model)
    };
    for (nodes, shapes, expected) in [
        ("a = Frobnicate x", "a: 1 8", "operator `Frobnicate` is not supported"),
        ("a = Loop w", "a: 1 8", "operator `Loop` is not supported: it repeats a graph"),
        ("a = If q", "a: 1 8", "its condition `q` is not (it depends on the data in `q`)"),
        ("a = Relu b", "a: 1 8", "reads tensor `b`, which no input"),
        ("a = Relu x\na = Relu x", "a: 1 8", "writes tensor `a`, which is defined already"),
        ("a = NonZero x", "a: 1 8", "operator `NonZero` is not supported"),
        ("a = Conv x w", "a: 1 8", "only convolutions in one, two and three dimensions"),
        ("a = MatMul x q", "a: 1 8", "the inner dimensions differ"),
        ("a = Slice x none none\nb = Relu a", "b: 1 0", "Relu that writes `b`: the output has no elements"),
        ("a = Tile x many", "a: 1 8", "more than 2^50 elements"),
        ("a = MaxPool x", "a: 1 8", "`kernel_shape` is missing"),
        ("a = Transpose x", "a: 8 1", "no layers: its graph only moves or selects elements"),
        ("a = SequenceConstruct x", "a: 8 1", "sequences and optional values have no shape"),
    ] {
        let message = case(nodes, shapes);
        assert!(message.contains(expected), "{nodes}: {message}");
    }
}

/// What follows from the inputs goes before what the file says.
#[test]
fn a_shape_that_contradicts_the_inputs_is_dropped_and_told() {
    let nodes = "a = Conv x w | strides 2 2\nb = Relu a\nc = Conv b v";
    let model = |shapes| imported(graph("x: 1 3 9 9", "w: 8 3 3 3\nv: 4 8 1 1", nodes, shapes));
    let macs = 4 * 4 * 8 * (27 + 4);
    for fitting in ["c: 1 4 4 4", "a: batch 8 ? 0\nc: 1 4 -1 4"] {
        let model = model(fitting);
        assert_eq!((model.summary.macs, &model.notes[..]), (macs, &[][..]), "{fitting}");
    }
    for (stale, given) in [
        ("a: 1 8 5 5\nc: 1 4 4 4", "tensor `a`: the file gives it 1 x 8 x 5 x 5 "),
        ("c: 2 4 4 4", "tensor `c`: the file gives it 2 x 4 x 4 x 4 "),
        ("b: batch 8 16\nc: 1 4 4 4", "tensor `b`: the file gives it batch x 8 x 16 "),
        ("w: 8 3 5 5\nc: 1 4 4 4", "tensor `w`: the file gives it 8 x 3 x 5 x 5 "),
    ] {
        let model = model(stale);
        assert_eq!(model.summary.macs, macs, "{stale}");
        assert!(matches!(&model.notes[..], [note] if note.starts_with(given)), "{:?}", model.notes);
    }
    let mut half = graph("x: 1 3 9 9", "w: 8 3 3 3\nv: 4 8 1 1", nodes, "c: 1 4 4 4");
    half.value_info.push(value_of("a", DataType::FLOAT16, &["1", "8", "4", "4"]));
    let half = imported(half);
    assert!(half.notes[0].contains("1 x 8 x 4 x 4 of FLOAT16, which the inputs make 1 x 8 x 4 x 4 of FLOAT"));
}

#[test]
fn a_size_of_a_batch_that_is_bound_to_another_is_dropped() {
    let model = graph("x: n 8", "w: 8 8\nv: 8 8", "a = Gemm x w\nb = Gemm a v", "a: 4 8\nb: n 8");
    let model = import_bound(model, &[("n", 1)]).unwrap();
    assert_eq!((model.summary.macs, model.notes.len()), (128, 1));
    assert!(model.notes[0].contains("`a`") && model.notes[0].contains("4 x 8"), "{:?}", model.notes);
}

#[test]
fn two_types_of_one_tensor_are_an_error_where_nobody_knows_better() {
    let model = graph("x: 1 8\nw: 8 9", "w: 8 8", "a = Gemm x w", "a: 1 8");
    let message = error(model);
    assert!(message.contains("tensor `w`: the file gives it 8 x 9 of FLOAT, its initializer makes it 8 x 8"));
    // 7 times 1.5 is 10 or 11.
    let resized = |given| {
        let mut model = graph("x: 1 1 7 7", "w: 1 1 1 1", "a = Resize x scales\nb = Conv a w", given);
        let float_data = vec![1.0, 1.0, 1.5, 1.5];
        model.initializer.push(TensorProto { float_data, ..weight("scales: 4") });
        model
    };
    let message = error(resized("a: 1 1 11 11\nb: 1 1 11 11"));
    assert!(message.contains("`a`: the file gives it 1 x 1 x 11 x 11 of FLOAT, node Resize"), "{message}");
    assert!(message.contains("makes it 1 x 1 x 10 x 10"), "{message}");
    let stale = imported(resized("a: 1 1 20 20\nb: 1 1 20 20"));
    assert_eq!((stale.summary.macs, stale.notes.len()), (100, 2));
}

#[test]
fn a_shape_that_depends_on_data_is_an_error_where_it_is_lost() {
    let mut model = graph("x: 1 8 4", "w: 4 4", "b = Reshape x s\nc = Relu b\nd = MatMul c w", "");
    model.input.push(value_of("s", DataType::INT64, &["2"]));
    let message = error(model.clone());
    assert!(message.contains("node Relu that writes `c` needs the shape of tensor"), "{message}");
    assert!(message.contains("inference ends at node Reshape that writes `b`"), "{message}");
    model.value_info.push(value("b: 8 4"));
    assert_eq!(imported(model).summary.macs, 8 * 4 * 4);
}

#[test]
fn dimensions_without_a_name_are_bound_by_their_place() {
    let model = || graph("x: ? 8", "w: 8 8", "a = Gemm x w", "a: ? 8");
    assert!(error(model()).ends_with("--bind x.0=NUMBER"));
    assert_eq!(import_bound(model(), &[("x.0", 3)]).unwrap().summary.macs, 3 * 64);
}

#[test]
fn inputs_are_weights_by_their_uses_or_by_what_the_user_says() {
    // A transposed matrix, a bias, a scale, a shape: weights. `mask` has the rank of an activation.
    let nodes = "t = Transpose w\na = MatMul x t\nb = Add a bias\nc = Mul mask b\nd = Reshape c s";
    let mut model = graph("x: 1 9 4\nw: 5 4\nbias: 5\nmask: 1 9 5", "", nodes, "d: 45");
    model.input.push(value_of("s", DataType::INT64, &["1"]));
    let told = imported(model.clone());
    assert_eq!((told.summary.weight_elems, fused(&told)), (25, vec!["matmul Add".into(), "mul".into()]));
    let options = Options { inputs: ["x".to_owned()].into(), ..Default::default() };
    let told = import_with(model.clone(), &options).unwrap();
    assert_eq!(
        (told.summary.weight_elems, told.command.as_str()),
        (70, "mascot import model.onnx --input x")
    );
    let options = Options { inputs: ["y".to_owned()].into(), ..Default::default() };
    let message = import_with(model, &options).unwrap_err();
    assert!(message.contains("--input y: the model has no input of this name (it has bias, mask, s, w, x)"));
}

#[test]
fn a_tied_head_counts_its_table_where_it_is_multiplied() {
    let nodes = "e = Gather table ids\nt = Transpose table | perm 1 0\nlogits = MatMul e t";
    let mut model = graph("", "table: 100 16", nodes, "logits: 1 5 100");
    model.input.push(value_of("ids", DataType::INT64, &["1", "5"]));
    let model = imported(model);
    assert_eq!((model.summary.macs, model.summary.weight_elems), (5 * 16 * 100, 1600));
    assert!(matches!(model.network.layers[1].op, Op::Gemm(_)));
}

#[test]
fn an_unknown_operator_may_become_a_layer_of_its_bytes() {
    let model = || {
        graph("x: 1 8", "w: 8 8", "a = Gemm x w\nb c = Frobnicate a w\nd = Relu b", "b: 1 3\nc: 1 2\nd: 1 3")
    };
    let bytes = Options { unknown: UnknownOperators::Bytes, ..Default::default() };
    let imported = import_with(model(), &bytes).unwrap();
    assert_eq!(imported.command, "mascot import model.onnx --unknown=bytes");
    assert_eq!(imported.network.layers[1].op, Op::Vector { reads: 8 + 64, writes: 5, ops: 0 });
    assert_eq!(fused(&imported), ["gemm", "frobnicate", "relu"]);
    let mut shapeless = model();
    shapeless.value_info.clear();
    let message = import_with(shapeless, &bytes).unwrap_err();
    assert!(message.contains("depends on node Frobnicate that writes `b`: no tool can infer"), "{message}");
    let branch = graph("x: 1 8", "", "a = If x", "a: 1 8");
    assert!(import_with(branch, &bytes).unwrap_err().contains("which branch runs is not known"));
}
