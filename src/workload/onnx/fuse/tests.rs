//! What other nodes see of a pattern: values in between, names, results that nobody reads.

use rten_onnx::onnx::TensorProto;

use super::super::Options;
use super::super::tests::{error, fused, graph, import_with, imported, value, weight};
use crate::workload::imported::Imported;
use crate::workload::layer::Op;

const SHAPES: &str = "a: 1 4\nb: 1 4\nc: 1 4\nd: 1 4";

fn silu_and(last: &str) -> Imported {
    let nodes = format!("a = Gemm x w\nb = Sigmoid a\nc = Mul b a\n{last}");
    imported(graph("x: 1 4", "w: 4 4", &nodes, SHAPES))
}

#[test]
fn a_pattern_runs_at_the_output_of_the_layer_before_it() {
    let model = silu_and("d = Relu c");
    assert_eq!(fused(&model), ["gemm Swish Relu"]);
    assert_eq!(model.notes, ["fused 2 nodes to 1: 1 Swish (--no-fuse keeps them apart)"]);
    assert_eq!((model.summary.edges, model.summary.weight_elems), (2, 16));
}

#[test]
fn a_value_that_is_needed_elsewhere_keeps_its_nodes_apart() {
    assert_eq!(fused(&silu_and("d = Add c b")), ["gemm", "sigmoid", "mul", "add"]);
    let mut model =
        graph("x: 1 4", "w: 4 4", "a = Gemm x w\nb = Sigmoid a\nc = Mul b a", "a: 1 4\nb: 1 4\nc: 1 4");
    model.output.push(value("b: 1 4"));
    assert_eq!(fused(&imported(model)), ["gemm", "sigmoid", "mul"]);
}

/// The input of a pattern may have other readers: it is no value in between.
#[test]
fn a_pattern_whose_input_is_needed_elsewhere_is_a_layer_of_its_own() {
    assert_eq!(fused(&silu_and("d = Add c a")), ["gemm", "swish", "add"]);
}

#[test]
fn a_gate_from_another_tensor_is_no_pattern() {
    let nodes = "a = Gemm x w\nb = Gemm x v\nc = Sigmoid b\nd = Mul a c";
    let model = imported(graph("x: 1 4", "w: 4 4\nv: 4 4", nodes, SHAPES));
    assert_eq!(fused(&model), ["gemm", "gemm_2 Sigmoid", "mul"]);
}

/// A square input would fit itself transposed.
#[test]
fn a_transposed_operand_is_no_pattern() {
    let nodes = "b = Transpose x | perm 1 0\nc = Sigmoid b\nd = Mul x c";
    let model = imported(graph("x: 4 4", "", nodes, "b: 4 4\nc: 4 4\nd: 4 4"));
    assert_eq!(fused(&model), ["sigmoid", "mul"]);
}

#[test]
fn a_result_that_nobody_reads_does_not_keep_nodes_apart() {
    let model = silu_and("e = Neg b\nf = Abs e\nd = Relu c");
    assert_eq!(fused(&model), ["gemm Swish Relu"]);
}

#[test]
fn a_pattern_has_the_name_that_its_nodes_share() {
    let mut model = graph("x: 1 4", "", "b = Sigmoid x\nc = Mul b x", "b: 1 4\nc: 1 4");
    model.node[0].name = Some("/block/act/Sigmoid".into());
    model.node[1].name = Some("/block/act/Mul".into());
    assert_eq!(fused(&imported(model.clone())), ["block/act"]);
    let options = Options { no_fuse: true, ..Default::default() };
    assert_eq!(fused(&import_with(model, &options).unwrap()), ["block/act", "block/act_2"]);
}

#[test]
fn an_operator_of_another_domain_is_no_part_of_a_pattern() {
    let mut model = graph("x: 1 4", "", "b = Sigmoid x\nc = Mul b x", "b: 1 4\nc: 1 4");
    model.node[0].domain = Some("somebody".into());
    assert!(error(model).contains("operator `somebody.Sigmoid` is not supported"));
}

/// What settles to one number whatever it reads looks like a hard sigmoid without a slope, and half of x like SiLU.
#[test]
fn a_flat_function_and_a_line_are_no_activation() {
    let chain = "b = Sigmoid x\nc = Sigmoid b\nd = Sigmoid c\ne = Sigmoid d\nf = Sigmoid e\ng = Sigmoid f\n\
                 h = Sigmoid g\ni = Sigmoid h\nj = Sigmoid i\nk = Sigmoid j\nl = Sigmoid k\nm = Sigmoid l";
    assert!(imported(graph("x: 1 4", "", chain, "m: 1 4")).notes.is_empty());
    let mut half = graph("x: 1 4", "", "b = Mul x quarter\nc = Add b b", "b: 1 4\nc: 1 4");
    let quarter = vec![0.25];
    half.initializer.push(TensorProto { float_data: quarter, ..weight("quarter:") });
    assert!(imported(half).notes.is_empty());
}

const PRODUCTS: &str = "g = Gemm x w\nu = Gemm x v\n";

/// The sizes of what all nodes write are inferred.
fn gate(nodes: &str) -> Imported {
    imported(graph("x: 2 4", "w: 4 4\nv: 4 4", &format!("{PRODUCTS}{nodes}"), "z: 2 4"))
}

#[test]
fn a_gate_is_the_same_in_any_order() {
    let layers = |model: &Imported| model.network.layers.iter().map(|layer| layer.op).collect::<Vec<_>>();
    let usual = gate("s = Sigmoid g\na = Mul g s\nz = Mul a u");
    assert_eq!(usual.notes, ["fused 2 nodes to 1: 1 Swish (--no-fuse keeps them apart)"]);
    assert_eq!(layers(&usual).len(), 3);
    for order in [
        "s = Sigmoid g\na = Mul s u\nz = Mul g a",
        "s = Sigmoid g\na = Mul g u\nz = Mul a s",
        "a = Mul u g\ns = Sigmoid g\nz = Mul s a",
    ] {
        let other = gate(order);
        assert_eq!(other.notes, usual.notes, "{order}");
        assert_eq!(layers(&other), layers(&usual), "{order}");
        assert_eq!(other.network.totals, usual.network.totals, "{order}");
    }
}

/// Half of the sum comes last, as some exporters write a gated Gelu.
#[test]
fn a_number_in_a_gate_belongs_to_the_activation() {
    let nodes = format!(
        "{PRODUCTS}a = Div g root\nb = Erf a\nc = Add b one\nd = Mul g c\ne = Mul d u\nz = Mul e half"
    );
    let mut model = graph("x: 2 4", "w: 4 4\nv: 4 4", &nodes, "z: 2 4");
    for (name, number) in [("root:", std::f32::consts::SQRT_2), ("one:", 1.0), ("half:", 0.5)] {
        model.initializer.push(TensorProto { float_data: vec![number], ..weight(name) });
    }
    assert_eq!(imported(model).notes, ["fused 5 nodes to 1: 1 Gelu (--no-fuse keeps them apart)"]);
}

#[test]
fn a_gate_whose_products_are_read_elsewhere_keeps_its_order() {
    let model = gate("s = Sigmoid g\na = Mul s u\nb = Mul g a\nz = Add a b");
    assert!(model.notes.is_empty(), "{:?}", model.notes);
}

/// x x x and x^3
#[test]
fn a_power_costs_the_same_by_products() {
    let power = |nodes: &str| {
        let mut model = graph("x: 2 4", "w: 4 4", &format!("c = Gemm x w\n{nodes}"), "z: 2 4");
        model.initializer.push(TensorProto { float_data: vec![3.0], ..weight("three:") });
        fused(&imported(model))
    };
    assert_eq!(power("z = Pow c three"), ["gemm Pow"]);
    assert_eq!(power("a = Mul c c\nz = Mul a c"), ["gemm Pow"]);
    assert_eq!(power("a = Mul c c\nz = Mul a a"), ["gemm Pow"]);
    assert_eq!(power("a = Relu c\nz = Mul a a"), ["gemm Relu Mul"]);
}

#[test]
fn a_square_reads_its_input_once() {
    let model = imported(graph("x: 2 4", "", "z = Mul x x", "z: 2 4"));
    assert_eq!(model.network.layers[0].op, Op::Vector { reads: 8, writes: 8, ops: 8 });
}

/// Two parameters are a folded batch norm of four; more count as they are in the file.
#[test]
fn a_fold_of_more_than_a_scale_and_a_shift_counts_what_the_file_has() {
    let weights = "w: 3 2 1 1\na: 3 1 1\nb: 3 1 1\nc: 3 1 1\nd: 3 1 1\ne: 3 1 1";
    let count = |nodes: &str| {
        let nodes = format!("y = Conv x w\n{nodes}");
        let model = imported(graph("x: 1 2 4 4", weights, &nodes, "z: 1 3 4 4"));
        assert_eq!(fused(&model), ["conv BatchNormalization"]);
        model.summary.weight_elems
    };
    assert_eq!(count("p = Mul y a\nz = Add p b"), 6 + 4 * 3);
    assert_eq!(count("p = Add y a\nq = Mul p b\nz = Add q c"), 6 + 3 * 3);
    assert_eq!(count("p = Sub y a\nq = Div p b\nr = Mul q c\nz = Add r d"), 6 + 4 * 3);
    assert_eq!(count("o = Add y e\np = Sub o a\nq = Div p b\nr = Mul q c\nz = Add r d"), 6 + 5 * 3);
}
