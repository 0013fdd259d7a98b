//! Constants that are no parameters: what the graph generates, what says how an operator works, scales.

use rten_onnx::onnx::{AttributeProto, DataType, GraphProto, TensorProto};

use super::{fused, graph, imported, numbers, weight};
use crate::workload::layer::Op;

/// A product, then these nodes; `ones` has as many elements as the product writes.
fn with_ones(nodes: &str) -> GraphProto {
    let nodes = format!("y = Gemm x w\nsize = Shape y\nones = ConstantOfShape size\n{nodes}");
    let mut model = graph("x: 2 4", "w: 4 4", &nodes, "z: 2 4");
    let one = TensorProto { float_data: vec![1.0], ..weight("one: 1") };
    let value = AttributeProto { name: Some("value".into()), t: Some(one), ..Default::default() };
    model.node[2].attribute.push(value);
    model.initializer.push(TensorProto { float_data: vec![1.0], ..weight("number: 1") });
    model.initializer.push(numbers("given", &[2, 4]));
    model
}

#[test]
fn a_generated_constant_of_one_number_works_as_the_number() {
    for ones in
        ["n = Identity ones", "n = Expand number size", "n = Expand number given", "n = Mul ones ones"]
    {
        let silu = format!("{ones}\na = Neg y\nb = Exp a\nc = Add b n\nd = Div n c\nz = Mul y d");
        let model = imported(with_ones(&silu));
        assert_eq!(fused(&model), ["gemm Swish"], "{ones}");
        assert_eq!(model.summary.weight_elems, 16, "{ones}");
    }
    let relu = "none = Sub ones ones\nabove = Greater y none\nz = Where above y none";
    assert_eq!(fused(&imported(with_ones(relu))), ["gemm Relu"]);
    assert_eq!(fused(&imported(with_ones("z = Max y ones"))), ["gemm Max"]);
}

/// What has other elements, too, is read from memory, but the file has no parameter of it.
#[test]
fn a_generated_mask_is_read_and_is_no_parameter() {
    let model = imported(with_ones("mask = Trilu ones\nz = Add y mask"));
    assert_eq!(fused(&model), ["gemm", "add"]);
    assert_eq!(model.network.layers[1].op, Op::Vector { reads: 16, writes: 8, ops: 8 });
    assert_eq!(model.summary.weight_elems, 16);
    let model = imported(with_ones("z = Concat y ones | axis 0"));
    assert_eq!(model.summary.weight_elems, 16);
}

#[test]
fn a_generated_state_is_no_parameter_and_a_generated_weight_is_one() {
    let nodes = "h = ConstantOfShape size\nz = LSTM x w r - - h h | hidden_size 4";
    let mut model = graph("x: 5 2 8", "w: 1 16 8\nr: 1 16 4", nodes, "z: 5 1 2 4");
    model.initializer.push(numbers("size", &[1, 2, 4]));
    assert_eq!(imported(model).summary.weight_elems, 16 * 12);
    let nodes = "w = ConstantOfShape size\nv = ConstantOfShape length\ny = MatMul x w\nz = Add y v";
    let mut model = graph("x: 2 8", "", nodes, "z: 2 4");
    model.initializer.extend([numbers("size", &[8, 4]), numbers("length", &[4])]);
    assert_eq!(imported(model).summary.weight_elems, 8 * 4 + 4);
}

#[test]
fn what_says_how_an_operator_works_is_not_read() {
    for node in ["z = Upsample x scales", "z = Resize x - scales"] {
        let mut model = graph("x: 1 2 4 4", "", node, "z: 1 2 8 8");
        model.initializer.push(TensorProto { float_data: vec![1.0, 1.0, 2.0, 2.0], ..weight("scales: 4") });
        assert_eq!(
            imported(model).network.layers[0].op,
            Op::Vector { reads: 32, writes: 128, ops: 0 },
            "{node}"
        );
    }
}

/// The scale of the weights comes after the product, as onnxruntime's dynamic quantization writes it.
#[test]
fn a_scale_after_the_product_is_no_parameter() {
    let of_integers = |nodes: &str| {
        let mut model = graph("x: 2 8", "s: 4\nt: 1\nf: 8 4", nodes, "z: 2 4");
        let integers = TensorProto { data_type: Some(DataType::INT8), ..weight("w: 8 4") };
        model.initializer.push(integers);
        model.node.iter_mut().filter(|node| node.op_type.as_deref() == Some("Cast")).for_each(|node| {
            node.attribute.push(AttributeProto { name: Some("to".into()), i: Some(1), ..Default::default() });
        });
        imported(model).summary.weight_elems
    };
    assert_eq!(of_integers("n = Cast w\ny = MatMul x n\nz = Mul y s"), 32);
    assert_eq!(of_integers("n = Cast w\nst = Mul s t\ny = MatMul x n\nz = Mul st y"), 32);
    assert_eq!(of_integers("n = Cast w\nzero = Cast t\nm = Sub n zero\ny = MatMul x m\nz = Mul y s"), 32);
    // What follows weights of other numbers, or the scale, is a parameter.
    assert_eq!(of_integers("y = MatMul x f\nz = Mul y s"), 32 + 4);
    assert_eq!(of_integers("n = Cast w\ny = MatMul x n\na = Mul y t\nz = Mul a s"), 32 + 4);
}
