//! The operator If: where the condition follows from sizes and constants, the nodes of the branch that is taken replace
//! it. A condition on data is not known before the network runs; such an If is refused, and the error names the inputs
//! on which the condition depends.

use std::collections::BTreeSet;

use rten_onnx::onnx::{GraphProto, NodeProto};

use super::Options;
use super::flow::Flow;
use super::operators;
use super::problem::Problem;
use super::tensors::Origin;

/// A graph without If.
pub(super) fn take(graph: GraphProto, options: &Options) -> Result<GraphProto, Problem> {
    if !graph.node.iter().any(is_if) {
        return Ok(graph);
    }
    let mut chosen = Vec::new();
    choose(&graph.node, &graph, &mut Flow::new(&graph, options)?, &mut chosen)?;
    let mut node = Vec::new();
    flatten(graph.node, &mut chosen.into_iter(), &mut node);
    Ok(GraphProto { node, ..graph })
}

/// All nodes, those of branches included, each after what it may read.
pub(super) fn all_nodes(nodes: &[NodeProto]) -> Vec<&NodeProto> {
    let mut all = Vec::with_capacity(nodes.len());
    for node in nodes {
        all.extend(node.attribute.iter().filter_map(|a| a.g.as_ref()).flat_map(|g| all_nodes(&g.node)));
        all.push(node);
    }
    all
}

fn is_if(node: &NodeProto) -> bool {
    operators::onnx(node) == Some("If")
}

/// The attribute that holds the branch for a condition.
fn branch_name(holds: bool) -> &'static str {
    if holds { "then_branch" } else { "else_branch" }
}

/// Goes over the nodes that run and notes down which branch each If takes.
fn choose<'m>(
    nodes: &'m [NodeProto],
    graph: &GraphProto,
    flow: &mut Flow<'m>,
    chosen: &mut Vec<bool>,
) -> Result<(), Problem> {
    for node in nodes {
        if !is_if(node) {
            flow.node(node)?;
            continue;
        }
        let holds = condition(node, graph, flow)?;
        chosen.push(holds);
        let branch = node.attribute.iter().find(|a| a.name.as_deref() == Some(branch_name(holds)));
        let missing = || Problem::node(operators::label(node), format!("it has no {}", branch_name(holds)));
        let branch = branch.and_then(|branch| branch.g.as_ref()).ok_or_else(missing)?;
        choose(&branch.node, graph, flow, chosen)?;
    }
    Ok(())
}

fn condition(node: &NodeProto, graph: &GraphProto, flow: &Flow) -> Result<bool, Problem> {
    let missing = || Problem::node(operators::label(node), "the condition is missing");
    let tensor = node.input.first().filter(|tensor| !tensor.is_empty()).ok_or_else(missing)?;
    if let Some(value) = flow.tensors.value(tensor).and_then(|value| value.first()) {
        return Ok(*value != 0.0);
    }
    let why = match flow.tensors.origin(tensor) {
        None => return Err(Problem::Undefined { node: operators::label(node), tensor: tensor.clone() }),
        Some(Origin::Activation) => why_open(tensor, graph, flow),
        Some(Origin::Static { .. }) => flow.tensors.why_valueless(tensor),
    };
    Err(Problem::Condition { node: operators::label(node), tensor: tensor.clone(), why })
}

/// The inputs on which a tensor depends; the values of numbers among them can be given.
fn why_open(tensor: &str, graph: &GraphProto, flow: &Flow) -> String {
    let mut needed = BTreeSet::from([tensor]);
    for node in all_nodes(&graph.node).into_iter().rev() {
        if node.output.iter().any(|output| needed.contains(output.as_str())) {
            needed.extend(node.input.iter().map(String::as_str));
        }
    }
    let is_open = |name: &&str| matches!(flow.tensors.origin(name), Some(Origin::Activation));
    let inputs = graph.input.iter().filter_map(|input| input.name.as_deref());
    let inputs: Vec<&str> = inputs.filter(|name| needed.contains(name)).filter(is_open).collect();
    let list = inputs.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let binds = inputs.iter().map(|name| format!("--bind {name}=NUMBER")).collect::<Vec<_>>().join(" ");
    match inputs.iter().all(|name| flow.tensors.is_number(name)) {
        true => format!("it depends on the value of {list}, which you can give: {binds}"),
        false => format!("it depends on the data in {list}"),
    }
}

/// Moves the nodes that run.
fn flatten(nodes: Vec<NodeProto>, chosen: &mut impl Iterator<Item = bool>, flat: &mut Vec<NodeProto>) {
    for node in nodes {
        if !is_if(&node) {
            flat.push(node);
            continue;
        }
        let name = branch_name(chosen.next().expect("every If that runs was decided"));
        let branch = node.attribute.into_iter().find(|a| a.name.as_deref() == Some(name));
        let branch = branch.and_then(|branch| branch.g).expect("its branch was found");
        flatten(branch.node, chosen, flat);
    }
}
