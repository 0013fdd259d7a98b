//! What vector layers may become: which of them a post-processor can run, and which outputs leave the network.

use super::*;
use crate::dims::PostOp;

/// Name, `post_op` and whether the output leaves although others read it, of every layer.
fn post(model: GraphProto) -> Vec<(String, Option<PostOp>, bool)> {
    let layers = imported(model).network.layers.into_iter();
    layers.map(|layer| (layer.name, layer.post_op, layer.is_output)).collect()
}

#[test]
fn vector_layers_say_what_they_do() {
    let model = graph(
        "x: 1 4 8 8",
        "w: 4 4 1 1\nv: 8 4 1 1",
        "a = Conv x w\nb = Conv x v\ns = Add a x\np = MaxPool s | kernel_shape 2 2 | strides 2 2
         j = Concat a b | axis 1\nm = Softmax j | axis 1\ng = GlobalAveragePool m",
        "a: 1 4 8 8\nb: 1 8 8 8\ns: 1 4 8 8\np: 1 4 4 4\nj: 1 12 8 8\nm: 1 12 8 8\ng: 1 12 1 1",
    );
    let known: Vec<Option<PostOp>> = post(model).into_iter().map(|(_, op, _)| op).collect();
    use PostOp::{Concat, Elementwise, Pool};
    assert_eq!(known, [None, None, Some(Elementwise), Some(Pool), Some(Concat), None, Some(Pool)]);
}

#[test]
fn an_output_that_is_read_twice_needs_memory() {
    let twice =
        graph("x: 8 8", "w: 8 8", "c = Gemm x w\nt = Transpose c\ny = Add c t", "c: 8 8\nt: 8 8\ny: 8 8");
    assert_eq!(post(twice)[1].1, None);
    let joined = graph(
        "x: 8 8",
        "w: 8 8",
        "c = Gemm x w\nt = Transpose c\ny = Concat c t | axis 0",
        "c: 8 8\nt: 8 8\ny: 16 8",
    );
    assert_eq!(post(joined)[1].1, Some(PostOp::Concat), "its readers can read it from where it is");
}

#[test]
fn a_reduction_of_planes_is_a_pool_and_one_of_channels_is_not() {
    for (axes, shape, expected) in
        [("2 3", "y: 1 4 1 1", Some(PostOp::Pool)), ("1", "y: 1 1 8 8", None), ("1 2 3", "y: 1 1 1 1", None)]
    {
        let nodes = format!("c = Conv x w\ny = ReduceMean c | axes {axes} | keepdims 1");
        let model = graph("x: 1 4 8 8", "w: 4 4 1 1", &nodes, &format!("c: 1 4 8 8\n{shape}"));
        assert_eq!(post(model)[1].1, expected, "{axes}");
    }
}

#[test]
fn outputs_that_others_read_are_marked() {
    let model = |read_alone: &str| {
        let mut model = graph(
            "x: 1 4 8 8",
            "w: 4 4 1 1",
            "a = Conv x w\nr = Reshape a | shape 4 64\ny = MaxPool a | kernel_shape 2 2 | strides 2 2",
            "a: 1 4 8 8\nr: 4 64\ny: 1 4 4 4",
        );
        let also = value(read_alone);
        model.output.push(also);
        post(model).into_iter().map(|(_, _, is_output)| is_output).collect::<Vec<_>>()
    };
    assert_eq!(model("a: 1 4 8 8"), [true, false]);
    assert_eq!(model("r: 4 64"), [true, false], "through a view");
    assert_eq!(model("y: 1 4 4 4"), [false, false], "nobody reads the last");
}
