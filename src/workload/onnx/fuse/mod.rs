//! Patterns of several nodes that are one operator of ONNX: exporters write SiLU or a layer norm node by node, and the
//! same network must cost the same whoever wrote it. `--no-fuse` keeps the nodes apart.
//!
//! A pattern is recognised by what it computes, not by how it is written: `region` finds groups of nodes that are a
//! function of one tensor, with no value in between that anybody else needs; `probe` computes a group on some numbers,
//! with `members` for its nodes; `activations` and `norms` have the formulas of ONNX's operators. So the order of
//! operands, `x / sqrt(2)` or `x * 0.7071`, `Pow(x, 2)` or `x * x`, the axes as attribute or input, casts and reshapes
//! in between make no difference, while a wrong constant or another axis does. Trained parameters may have any value;
//! numbers of an activation (the slope of LeakyRelu) or an epsilon too, since cost does not depend on them.
//!
//! | pattern | computes | ONNX has it since operator set |
//! |---|---|---|
//! | Swish (SiLU, QuickGelu) | x sigmoid(a x) | 24 |
//! | HardSwish, HardSigmoid | x clip(x / 6 + 1/2, 0, 1), clip(a x + b, 0, 1) | 14, 1 |
//! | Gelu | x / 2 (1 + erf(x / sqrt 2)), or its form with tanh | 20 |
//! | Mish, Softplus, Softsign | x tanh(softplus x), ln(1 + e^x), x / (1 + abs x) | 18, 1, 1 |
//! | Relu, LeakyRelu, PRelu, ThresholdedRelu | x, and below a threshold 0 or a multiple of x | 1, 1, 1, 10 |
//! | Elu, Celu, Selu | x, and below zero an exponential | 1, 12, 1 |
//! | Sigmoid, Tanh, Clip | 1 / (1 + e^-x), 2 sigmoid(2 x) - 1, min(max(x, a), b) | 1 |
//! | Pow | x x x, (x x) (x x) | 1 |
//! | Softmax, LogSoftmax | e^x / sum e^x, and its logarithm | 1 |
//! | LayerNormalization, InstanceNormalization, GroupNormalization | (x - mean) / sqrt(variance + epsilon), scale, shift | 17, 1, 18 |
//! | RMSNormalization, LpNormalization | x / sqrt(mean x^2 + epsilon), scale; x / norm | 23, 1 |
//! | BatchNormalization | scale and shift per channel (axis 1), by two constants or more | 1 |
//!
//! Before that operator set every exporter writes the nodes (PyTorch's, tf2onnx, paddle2onnx), and many do later:
//! PyTorch SiLU, JAX a softmax, keras a LeakyRelu by Relu of x and of -x.
//!
//! Left out: functions of several tensors (attention, gates like SwiGLU: their parts are fused, in
//! whatever order `gates` finds the factors), and what `layers` puts
//! at the output of another layer anyway (a bias and its activation, a scale). Scalar constants of a pattern are not
//! counted among its weights, since the operator has none.

mod activations;
mod gates;
mod members;
mod norms;
mod probe;
mod region;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use rten_onnx::onnx::{GraphProto, NodeProto};

use self::activations::{Curve, activation};
use self::probe::{Response, near};
use self::region::{Region, Uses};
use super::tensors::Tensors;

/// A graph with one node per pattern.
pub(super) struct Fused {
    pub(super) graph: GraphProto,
    /// A note for the user that lists what was fused.
    pub(super) note: String,
}

/// Puts one node in the place of every pattern; `None` if there is none.
pub(super) fn fuse(graph: &GraphProto, tensors: &Tensors) -> Option<Fused> {
    let graph = &*gates::regrouped(graph, tensors);
    let uses = Uses::new(graph, tensors);
    let mut fused = BTreeMap::new();
    let mut gone = BTreeSet::new();
    // From the end, so that a pattern is found before the smaller ones inside it.
    for last in (0..graph.node.len()).rev() {
        if gone.contains(&last) {
            continue;
        }
        if let Some((region, node)) = pattern(uses.regions(last), &graph.node, tensors) {
            gone.extend(region.nodes);
            fused.insert(last, node);
        }
    }
    if fused.is_empty() {
        return None;
    }
    let note = note(fused.values(), gone.len());
    gone.extend(uses.dead_after(&gone, |index| fused.contains_key(&index)));
    let kept = |(index, node): (usize, &NodeProto)| match fused.remove(&index) {
        Some(fused) => Some(fused),
        None => (!gone.contains(&index)).then(|| node.clone()),
    };
    let node = graph.node.iter().enumerate().filter_map(kept).collect();
    Some(Fused { graph: GraphProto { node, ..graph.clone() }, note })
}

fn note<'n>(fused: impl Iterator<Item = &'n NodeProto>, nodes: usize) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut patterns = 0;
    for node in fused {
        *counts.entry(node.op_type.as_deref().unwrap_or("?")).or_default() += 1;
        patterns += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(op, count)| format!("{count} {op}")).collect();
    format!("fused {nodes} nodes to {patterns}: {} (--no-fuse keeps them apart)", counts.join(", "))
}

/// The pattern among groups of nodes that end with the same node, and the node that takes its place.
fn pattern<'m>(
    regions: Vec<Region<'m>>,
    nodes: &'m [NodeProto],
    tensors: &'m Tensors<'m>,
) -> Option<(Region<'m>, NodeProto)> {
    let respond = |region: Region<'m>| {
        let members: Vec<_> = region.nodes.iter().rev().map(|&index| &nodes[index]).collect();
        let work = members.iter().filter(|node| !members::is_view(node)).count();
        let response = if work > 1 { probe::respond(&members, region.input, tensors) } else { None };
        Some((region, response?))
    };
    let tried: Vec<_> = regions.into_iter().filter_map(respond).collect();
    let (at, op) = operator(&tried)?;
    let (region, response) = tried.into_iter().nth(at)?;
    let node = node(op, &region, &response, nodes);
    Some((region, node))
}

/// Which of some groups of nodes, the smallest first, is a pattern, and which.
///
/// Of groups that are the same softmax or activation the largest counts: what is subtracted in front is a part. Of
/// normalisations it is the smallest: what scales in front of one changes nothing and is none. The end of every layer
/// norm is a root mean square norm, so that one kind after the other is looked for in all groups.
fn operator(tried: &[(Region, Response)]) -> Option<(usize, &'static str)> {
    let groups = || tried.iter().map(|(_, response)| response).enumerate();
    let smallest = |is: &fn(&Response) -> _| groups().find_map(|(at, group)| Some((at, is(group)?)));
    let largest = |is: fn(&Response) -> _| groups().rev().find_map(|(at, group)| Some((at, is(group)?)));
    largest(norms::softmax)
        .or_else(|| norms::NORMS.iter().find_map(smallest))
        .or_else(|| largest(of_elements))
}

/// The operator that works on each element alone as a group of nodes does.
fn of_elements(response: &Response) -> Option<&'static str> {
    let (input, output) = (&response.input, &response.output);
    let curves = || norms::curves(near(input), near(output), response.tolerance);
    let per_channel = || response.parameters.iter().all(|parameter| parameter.along == [1]);
    match response.parameters.len() {
        _ if !response.axes.is_empty() => None,
        0 => activation(&Curve::new(input.iter().copied().zip(output.iter().copied()), response.tolerance)),
        1 => curves().all(|curve| curve.is_leaky()).then_some("PRelu"),
        2.. if per_channel() => {
            let lines: Vec<_> = curves().map(|curve| curve.line()).collect::<Option<_>>()?;
            let scales = lines.iter().all(|(slope, _)| *slope != 1.0);
            let shifts = lines.iter().all(|(_, shift)| *shift != 0.0);
            (scales && shifts).then_some("BatchNormalization")
        }
        _ => None,
    }
}

/// The node of a pattern: it reads the input and the trained parameters, and has the name that its nodes share.
fn node(op: &str, region: &Region, response: &Response, nodes: &[NodeProto]) -> NodeProto {
    let last = &nodes[region.nodes[0]];
    let parameters = response.parameters.iter().map(|parameter| parameter.tensor);
    let mut parameters: Vec<_> = parameters.collect();
    // A batch norm that was folded to a scale and a shift counts as the four numbers that it was folded from. More
    // parameters may be a bias and a batch norm, or two of them: they count as they are in the file.
    if op == "BatchNormalization" && parameters.len() == 2 {
        parameters.extend_from_within(..);
    }
    let names = || region.nodes.iter().map(|&index| nodes[index].name.as_deref().unwrap_or(""));
    let first = names().next().unwrap_or("");
    let shares = |path: &str| names().all(|name| name.starts_with(path));
    let path = first.match_indices('/').map(|(at, _)| &first[..=at]).rfind(|path| shares(path));
    NodeProto {
        name: path.map(|path| format!("{path}{op}")),
        op_type: Some(op.to_owned()),
        input: std::iter::once(region.input).chain(parameters).map(str::to_owned).collect(),
        output: last.output.clone(),
        ..Default::default()
    }
}
