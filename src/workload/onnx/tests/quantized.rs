//! Quantized operators: the layers are those of the float network.

use super::*;
use crate::workload::onnx::Widths;

fn integers(text: &str, elements: DataType) -> TensorProto {
    TensorProto { data_type: Some(elements), ..weight(text) }
}

/// A model whose input and weights in `ints` are integers, with a scale `s` and a zero point `z`.
fn quantized(input: &str, ints: &[&str], weights: &str, nodes: &str, shapes: &str) -> GraphProto {
    let mut model = graph(input, &format!("{weights}\ns:"), nodes, shapes);
    let all = ints.iter().copied().chain(["z:"]);
    model.initializer.extend(all.map(|text| integers(text, DataType::INT8)));
    model
}

#[rustfmt::skip]
#[test]
fn a_quantized_operator_is_the_float_one() {
    let image = "x: 1 4 8 8";
    for (input, ints, floats, nodes, twin, shape, elements) in [
        (image, "w: 8 4 3 3|b: 8", "", "y = QLinearConv x s z w s z s z b", "y = Conv x w b", "y: 1 8 6 6", 8 * 36 + 8),
        ("x: 1 8 8 4", "w: 8 4 3 3", "", "y = com.microsoft:QLinearConv x s z w s z s z | channels_last 1",
            "t = Transpose x | perm 0 3 1 2\na = Conv t w\ny = Transpose a | perm 0 2 3 1", "y: 1 6 6 8", 8 * 36),
        (image, "w: 8 4 3 3", "", "y = ConvInteger x w z z", "y = Conv x w", "y: 1 8 6 6", 8 * 36),
        ("x: 1 6 8", "w: 8 5", "", "y = QLinearMatMul x s z w s z s z", "y = MatMul x w", "y: 1 6 5", 40),
        ("x: 1 6 8", "w: 8 5", "", "y = MatMulInteger x w z z", "y = MatMul x w", "y: 1 6 5", 40),
        ("x: 1 6 8", "w: 8 5", "b: 5", "y = com.microsoft:MatMulIntegerToFloat x w s s z z b",
            "a = MatMul x w\ny = Add a b", "y: 1 6 5", 45),
        ("x: 1 6 8", "w: 8 5", "b: 5", "y = com.microsoft:DynamicQuantizeMatMul x w s z b",
            "a = MatMul x w\ny = Add a b", "y: 1 6 5", 45),
        ("x: 6 8", "w: 5 8|b: 5", "", "y = com.microsoft:QGemm x s z w s z b s z | transB 1",
            "y = Gemm x w b | transB 1", "y: 6 5", 45),
        (image, "b: 4 1 1", "", "y = com.microsoft:QLinearAdd x s z b s z s z", "y = Add x b", "y: 1 4 8 8", 4),
        (image, "", "", "y = com.microsoft:QLinearSigmoid x s z s z", "y = Sigmoid x", "y: 1 4 8 8", 0),
        (image, "", "", "y = com.microsoft:QLinearGlobalAveragePool x s z s z", "y = GlobalAveragePool x", "y: 1 4 1 1", 0),
        (image, "", "", "y = com.microsoft:QLinearAveragePool x s z s z | kernel_shape 2 2",
            "y = AveragePool x | kernel_shape 2 2", "y: 1 4 7 7", 0),
        (image, "", "", "y = com.microsoft:QLinearConcat s z x s z x s z | axis 1", "y = Concat x x | axis 1", "y: 1 8 8 8", 0),
        (image, "", "", "y = com.microsoft:QLinearSoftmax x s z s z", "y = Softmax x", "y: 1 4 8 8", 0),
    ] {
        let ints: Vec<&str> = ints.split('|').filter(|text| !text.is_empty()).collect();
        let found = imported(quantized(input, &ints, floats, nodes, shape));
        let twin = imported(graph(input, &[&ints.join("\n"), floats].join("\n"), twin, shape));
        let work = |model: &Imported| model.network.layers.iter().map(|l| (l.op, l.after.clone())).collect::<Vec<_>>();
        assert_eq!(work(&found), work(&twin), "{nodes}");
        let weights = (found.summary.weight_elems, twin.summary.weight_elems);
        assert_eq!(weights, (elements, elements), "{nodes}");
    }
}

#[test]
fn quantizing_and_dequantizing_are_edges_and_their_scales_no_parameters() {
    let nodes = "xq = QuantizeLinear x s z\nxd = DequantizeLinear xq s z\nwd = DequantizeLinear w s z
                 c = Conv xd wd\ncq = QuantizeLinear c s z\ncd = DequantizeLinear cq s z\ny = Relu cd";
    let model = imported(quantized("x: 1 4 8 8", &["w: 8 4 3 3"], "", nodes, "y: 1 8 6 6"));
    assert_eq!((fused(&model), model.summary.weight_elems), (vec!["conv Relu".into()], 8 * 36));
}

#[test]
fn a_scale_that_is_computed_at_run_time_fuses_like_a_constant() {
    let nodes = "q qs qz = DynamicQuantizeLinear x\na = MatMulInteger q w qz z\nb = Cast a | to 1
                 both = Mul qs s\nc = Mul b both\ny = Add c bias";
    let model = imported(quantized("x: 1 6 8", &["w: 8 5"], "bias: 5", nodes, "y: 1 6 5"));
    assert_eq!(fused(&model), ["matmul Mul Add"]);
    assert_eq!((model.summary.macs, model.summary.weight_elems), (6 * 40, 45));
}

/// One scale per column, and a bias: no batch norm, although it looks like one.
#[test]
fn scales_per_channel_are_no_parameters() {
    let nodes = "q qs qz = DynamicQuantizeLinear x\na = MatMulInteger q w qz z\nb = Cast a | to 1
                 both = Mul qs ws\nc = Mul b both\ny = Add c bias";
    let model = imported(quantized("x: 6 8", &["w: 8 5"], "ws: 5\nbias: 5", nodes, "y: 6 5"));
    assert_eq!((fused(&model), model.summary.weight_elems), (vec!["matmul Mul Add".into()], 45));
}

/// Bits of each layer with the types of the file.
fn widths(model: GraphProto) -> Vec<String> {
    let options = Options { precision: Widths::OfTypes, ..Options::default() };
    let layers = import_with(model, &options).unwrap().network.layers;
    layers.iter().map(|layer| format!("{} {}", layer.name, layer.precision)).collect()
}

#[test]
fn a_tensor_is_stored_in_its_narrowest_form() {
    // The convolution reads x and writes y as 8-bit integers; the sum is of numbers again, and one reader of it is not.
    let nodes = "xq = QuantizeLinear x s z\nxd = DequantizeLinear xq s z\nwd = DequantizeLinear w s z
                 c = Conv xd wd\nr = Relu c\ncq = QuantizeLinear r s z\ncd = DequantizeLinear cq s z
                 p = MaxPool cd | kernel_shape 2 2\ny = Softmax p";
    let model = quantized("x: 1 4 8 8", &["w: 8 4 3 3"], "", nodes, "y: 1 8 5 5");
    assert_eq!(widths(model), ["conv w8a8p32", "maxpool i8o32", "softmax a32"]);
}

#[test]
fn widths_of_operators_on_integers() {
    let of_bytes = |input: &str, weights: &[&str], node: &str, shape: &str| {
        let mut model = quantized(input, weights, "", node, shape);
        let (name, dims) = input.split_once(':').unwrap();
        let dims: Vec<&str> = dims.split_whitespace().collect();
        model.input = vec![value_of(name, DataType::UINT8, &dims)];
        widths(model)
    };
    let conv = of_bytes("x: 1 4 8 8", &["w: 8 4 3 3"], "y = QLinearConv x s z w s z s z", "y: 1 8 6 6");
    assert_eq!(conv, ["conv w8a8p32"]);
    let sums = of_bytes("x: 1 6 8", &["w: 8 5"], "y = MatMulInteger x w z z", "y: 1 6 5");
    assert_eq!(sums, ["matmul w8i8o32p32"]);
    let node = "y = com.microsoft:MatMulNBits x q scales | K 64 | N 128 | bits 4 | block_size 32";
    let mut packed = graph("x: 1 16 64", "scales: 256", node, "y: 1 16 128");
    packed.initializer.push(integers("q: 128 2 16", DataType::UINT8));
    let [packed] = &widths(packed)[..] else { panic!("one layer") };
    assert!(packed.ends_with(" w4a32p32"), "{packed}");
    let floats = graph("x: 1 4 8 8", "w: 8 4 3 3", "y = Conv x w", "y: 1 8 6 6");
    assert_eq!(widths(floats), ["conv w32a32p32"]);
}

#[test]
fn packed_weights_count_one_element_each() {
    let node = "y = com.microsoft:MatMulNBits x q scales | K 64 | N 128 | bits 4 | block_size 32";
    let mut model = graph("x: 1 16 64", "scales: 256", node, "y: 1 16 128");
    model.initializer.push(integers("q: 128 2 16", DataType::UINT8));
    let model = imported(model);
    assert_eq!(model.network.layers[0].op, Op::Gemm(nest([1, 1, 128, 64, 16, 1, 1, 1], 1)));
    assert_eq!(model.summary.weight_elems, 128 * 64);
}

#[test]
fn a_quantized_lstm_has_its_weights_transposed() {
    let node = "y = com.microsoft:DynamicQuantizeLSTM x w r - - - - - s z s z | hidden_size 4";
    let model = imported(quantized("x: 3 1 10", &["w: 1 10 16", "r: 1 4 16"], "", node, "y: 3 1 1 4"));
    assert_eq!((model.summary.mac_layers, model.summary.macs), (1, 3 * 16 * 14));
    assert_eq!(model.summary.weight_elems, 16 * 14);
}

#[test]
fn channels_in_blocks_are_rounded_up() {
    let nodes = "r = com.microsoft.nchwc:ReorderInput x
                 a = com.microsoft.nchwc:Conv r w | activation Relu
                 b = com.microsoft.nchwc:MaxPool a | kernel_shape 2 2
                 y = com.microsoft.nchwc:ReorderOutput b | channels 20";
    let model = imported(graph("x: 1 20 8 8", "w: 24 24 3 3", nodes, "y: 1 20 5 5"));
    // The weights of both have 24 channels, three blocks of 8, where the model that it was made from had 20.
    assert_eq!(
        (fused(&model), model.summary.macs),
        (vec!["conv Relu".into(), "maxpool".into()], 36 * 24 * 24 * 9)
    );
    assert!(model.notes[0].starts_with("channels that onnxruntime rounded up"), "{:?}", model.notes);
}

#[test]
fn channels_last_in_one_dimension() {
    let node = "y = com.microsoft:QLinearConv x s z w s z s z | channels_last 1 | kernel_shape 3";
    let model = imported(quantized("x: 1 10 4", &["w: 8 4 3"], "", node, "y: 1 8 8"));
    assert_eq!(model.network.layers[0].op, Op::Conv(nest([1, 1, 8, 4, 8, 1, 3, 1], 1)));
}
