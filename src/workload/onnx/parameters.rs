//! Finds the inputs of a graph that are weights: some files list their weights, and even shapes and axes, as inputs.
//!
//! `--input` decides it. Otherwise an input is a weight if every use of it, through views, is one in which operators
//! take weights, at the rank of a weight there, beside an operand that is computed. What is ambiguous: a MatMul of two
//! inputs (a matrix is taken for a weight, a batch of matrices for an activation) and element-wise operators (a vector
//! is taken for a bias or a scale where other inputs are weights for certain, else for an activation).

use std::collections::{BTreeMap, BTreeSet};

use rten_onnx::onnx::{GraphProto, NodeProto, ValueInfoProto};

use super::Options;
use super::branches::all_nodes;
use super::graph::inputs;
use super::operators::{self, Class};
use super::problem::Problem;

/// How an operator takes a parameter at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// As it takes an activation there.
    Either,
    /// As a shape, axes, bounds or scales.
    Setting,
    /// As a weight.
    Weight,
}

/// What all uses of a tensor allow it to be: the surest kind, and the largest rank.
#[derive(Clone, Copy, Debug)]
struct Use {
    kind: Kind,
    rank: usize,
}

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
    let kind = |(name, rank): (&'m str, usize)| {
        let allowed = uses.get(name).copied().flatten().filter(|allowed| rank <= allowed.rank)?;
        Some((name, allowed.kind))
    };
    let kinds: Vec<_> = ranks.into_iter().filter_map(kind).collect();
    let has_weights = kinds.iter().any(|&(_, kind)| kind == Kind::Weight);
    let is_parameter = |&(_, kind): &(&str, Kind)| kind > Kind::Either || has_weights;
    Ok(kinds.into_iter().filter(is_parameter).map(|(name, _)| name).collect())
}

fn rank(input: &ValueInfoProto) -> usize {
    let tensor = input.r#type.as_ref().and_then(|ty| ty.tensor_type.as_ref());
    tensor.and_then(|tensor| tensor.shape.as_ref()).map_or(0, |shape| shape.dim.len())
}

/// For every tensor that some node reads what its uses allow, or `None` if one of them takes no weight.
fn uses(graph: &GraphProto) -> BTreeMap<&str, Option<Use>> {
    let nodes = all_nodes(&graph.node);
    let fixed = fixed(graph, &nodes);
    let mut uses: BTreeMap<&str, Option<Use>> = BTreeMap::new();
    for node in nodes.into_iter().rev() {
        for (position, tensor) in node.input.iter().enumerate() {
            let allowed = match (operators::class(node), position) {
                // What is behind a view counts; nodes are in topological order, so that it is known.
                (Some(Class::View), 0) => {
                    node.output.first().and_then(|output| uses.get(output.as_str()).copied().flatten())
                }
                _ => parameter(node, position).filter(|allowed| {
                    let others: Vec<_> = inputs(node).into_iter().filter(|other| other != tensor).collect();
                    // A product of two constants would be none: the input is what is computed.
                    allowed.kind == Kind::Setting || others.iter().any(|other| !fixed.contains(other))
                }),
            };
            let both =
                |all: Use, one: Use| Use { kind: all.kind.max(one.kind), rank: all.rank.min(one.rank) };
            let seen = uses.entry(tensor).or_insert(allowed);
            *seen = seen.zip(allowed).map(|(all, one)| both(all, one));
        }
    }
    uses
}

/// Initializers and what follows from them alone.
fn fixed<'m>(graph: &'m GraphProto, nodes: &[&'m NodeProto]) -> BTreeSet<&'m str> {
    let mut fixed: BTreeSet<&str> =
        graph.initializer.iter().filter_map(|tensor| tensor.name.as_deref()).collect();
    for node in nodes {
        if inputs(node).into_iter().all(|input| fixed.contains(input)) {
            fixed.extend(node.output.iter().map(String::as_str));
        }
    }
    fixed
}

/// Whether an operator takes a shape, axes, bounds or scales at a position: they say what it does, and are no data.
pub(super) fn is_setting(node: &NodeProto, position: usize) -> bool {
    parameter(node, position).is_some_and(|taken| taken.kind == Kind::Setting)
}

/// Whether an operator takes a weight at a position, whatever else.
pub(super) fn is_weight(node: &NodeProto, position: usize) -> bool {
    use Class::{Conv, ConvTranspose, Einsum, Gemm, MatMul};
    matches!(operators::class(node), Some(Conv | ConvTranspose | Einsum | Gemm | MatMul))
        || parameter(node, position).is_some_and(|taken| taken.kind == Kind::Weight)
}

/// The parameter that an operator takes at a position, if it takes one there.
fn parameter(node: &NodeProto, position: usize) -> Option<Use> {
    let any = usize::MAX;
    let (kind, rank) = match (operators::onnx(node)?, position) {
        ("MatMul", 1) => (Kind::Weight, 2),
        ("Gather", 0) if operators::integer(node, "axis", 0) == 0 => (Kind::Weight, 2),
        ("Gather", 1) => (Kind::Either, 0),
        ("Add" | "Sub" | "Mul" | "Div" | "Pow" | "Min" | "Max" | "Where" | "Equal", _) => (Kind::Either, 1),
        ("RNN" | "GRU" | "LSTM", 1..=3) => (Kind::Weight, any),
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
        ) => (Kind::Weight, any),
        (
            "Reshape" | "Slice" | "Split" | "Squeeze" | "Unsqueeze" | "Expand" | "Tile" | "Pad" | "Clip"
            | "Resize" | "Upsample" | "ReduceMean" | "ReduceSum" | "ReduceMax" | "ReduceMin",
            1..,
        )
        | ("ConstantOfShape" | "Range", _) => (Kind::Setting, 1),
        _ => return None,
    };
    Some(Use { kind, rank })
}
