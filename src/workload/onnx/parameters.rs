//! Which inputs of a graph are weights: some files list their weights, and even shapes and axes, as inputs.
//!
//! `--input` says it; else an input is a weight if every use of it, through views, is one in which operators take
//! weights, at a rank that they have there. What is ambiguous: a MatMul of two inputs (a matrix is taken for a weight,
//! a batch of matrices for an activation) and element-wise operators (a vector is taken for a bias or a scale).

use std::collections::{BTreeMap, BTreeSet};

use rten_onnx::onnx::{GraphProto, NodeProto, ValueInfoProto};

use super::Options;
use super::operators::{self, Class};
use super::problem::Problem;

/// The graph inputs that are weights.
pub(super) fn parameters<'m>(graph: &'m GraphProto, options: &Options) -> Result<BTreeSet<&'m str>, Problem> {
    let ranks: BTreeMap<&str, usize> =
        graph.input.iter().filter_map(|input| Some((input.name.as_deref()?, rank(input)))).collect();
    if let Some(name) = options.inputs.iter().find(|name| !ranks.contains_key(name.as_str())) {
        let known = format!("it has {}", ranks.into_keys().collect::<Vec<_>>().join(", "));
        return Err(Problem::UnknownInput { name: name.clone(), known });
    }
    if !options.inputs.is_empty() {
        return Ok(ranks.into_keys().filter(|name| !options.inputs.contains(*name)).collect());
    }
    let uses = uses(graph);
    let is_parameter = |&(name, rank): &(&str, usize)| {
        uses.get(name).copied().flatten().is_some_and(|allowed| rank <= allowed)
    };
    Ok(ranks.into_iter().filter(is_parameter).map(|(name, _)| name).collect())
}

fn rank(input: &ValueInfoProto) -> usize {
    let tensor = input.r#type.as_ref().and_then(|ty| ty.tensor_type.as_ref());
    tensor.and_then(|tensor| tensor.shape.as_ref()).map_or(0, |shape| shape.dim.len())
}

/// For every tensor that some node reads the largest rank of a weight in all its uses, or `None` if one of them takes
/// no weight.
fn uses(graph: &GraphProto) -> BTreeMap<&str, Option<usize>> {
    let mut uses: BTreeMap<&str, Option<usize>> = BTreeMap::new();
    for node in graph.node.iter().rev() {
        for (position, tensor) in node.input.iter().enumerate() {
            let allowed = match (operators::class(node), position) {
                // What is behind a view counts; nodes are in topological order, so that it is known.
                (Some(Class::View), 0) => {
                    node.output.first().and_then(|output| uses.get(output.as_str()).copied().flatten())
                }
                _ => parameter_rank(node, position),
            };
            uses.entry(tensor).and_modify(|all| *all = (*all).min(allowed)).or_insert(allowed);
        }
    }
    uses
}

/// The largest rank of a parameter that an operator takes at a position, if it takes one there.
fn parameter_rank(node: &NodeProto, position: usize) -> Option<usize> {
    let any = usize::MAX;
    match (operators::onnx(node)?, position) {
        ("MatMul", 1) => Some(2),
        ("Gather", 0) if operators::integer(node, "axis", 0) == 0 => Some(2),
        ("Gather", 1) => Some(0),
        ("Add" | "Sub" | "Mul" | "Div" | "Pow" | "Min" | "Max" | "Where" | "Equal", _) => Some(1),
        ("RNN" | "GRU" | "LSTM", 1..=3) => Some(any),
        (
            "Conv"
            | "ConvTranspose"
            | "Gemm"
            | "PRelu"
            | "BatchNormalization"
            | "LayerNormalization"
            | "GroupNormalization"
            | "InstanceNormalization"
            | "RMSNormalization"
            | "QuantizeLinear"
            | "DequantizeLinear",
            1..,
        ) => Some(any),
        // Shapes, axes, bounds, scales.
        (
            "Reshape" | "Slice" | "Split" | "Squeeze" | "Unsqueeze" | "Expand" | "Tile" | "Pad" | "Clip"
            | "Resize" | "Upsample" | "ReduceMean" | "ReduceSum" | "ReduceMax" | "ReduceMin",
            1..,
        )
        | ("ConstantOfShape" | "Range", _) => Some(1),
        _ => None,
    }
}
