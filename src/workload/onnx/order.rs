//! Nodes in topological order.
//!
//! ONNX asks for it, and some tools append what they insert, as onnxruntime's conversion to 16 bits does. Nodes that are
//! in order already stay where they are; of those that may come next, it is the first in the file that does.

use std::collections::{BTreeMap, BTreeSet};

use rten_onnx::onnx::{GraphProto, NodeProto};

use super::operators;
use super::problem::Problem;

/// The nodes of a body, each after those that write what it reads.
pub(super) fn sorted(nodes: &[NodeProto]) -> Result<Vec<&NodeProto>, Problem> {
    let writers = writers(nodes);
    let sources = |node| reads(node).into_iter().filter_map(|name| writers.get(name).copied()).collect();
    let before: Vec<BTreeSet<usize>> = nodes.iter().map(sources).collect();
    let mut readers = vec![Vec::new(); nodes.len()];
    for (reader, sources) in before.iter().enumerate() {
        sources.iter().for_each(|&source| readers[source].push(reader));
    }
    let mut missing: Vec<usize> = before.iter().map(BTreeSet::len).collect();
    let mut ready: BTreeSet<usize> = (0..nodes.len()).filter(|&node| missing[node] == 0).collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(node) = ready.pop_first() {
        order.push(&nodes[node]);
        for &reader in &readers[node] {
            missing[reader] -= 1;
            ready.extend((missing[reader] == 0).then_some(reader));
        }
    }
    match missing.iter().position(|&missing| missing > 0) {
        Some(node) => {
            Err(Problem::Cycle { node: operators::label(&nodes[on_cycle(node, &before, &missing)]) })
        }
        None => Ok(order),
    }
}

/// The node that writes each tensor; of several, which is an error found later, the first.
fn writers(nodes: &[NodeProto]) -> BTreeMap<&str, usize> {
    let mut writers = BTreeMap::new();
    for (i, node) in nodes.iter().enumerate() {
        for output in node.output.iter().filter(|output| !output.is_empty()) {
            writers.entry(output.as_str()).or_insert(i);
        }
    }
    writers
}

/// The tensors that a node reads, also those that the graphs inside it take from around it.
fn reads(node: &NodeProto) -> BTreeSet<&str> {
    let graphs = node.attribute.iter().filter_map(|attribute| attribute.g.as_ref());
    node.input.iter().map(String::as_str).chain(graphs.flat_map(captured)).collect()
}

/// What a graph inside a node reads and does not define itself.
fn captured(graph: &GraphProto) -> BTreeSet<&str> {
    let results = graph.output.iter().filter_map(|output| output.name.as_deref());
    let mut names: BTreeSet<&str> = graph.node.iter().flat_map(reads).chain(results).collect();
    let inputs = graph.input.iter().filter_map(|input| input.name.as_deref());
    let initializers = graph.initializer.iter().filter_map(|tensor| tensor.name.as_deref());
    let outputs = graph.node.iter().flat_map(|node| &node.output).map(String::as_str);
    for name in inputs.chain(initializers).chain(outputs) {
        names.remove(name);
    }
    names
}

/// Some node on the cycle before this one: a walk back over unplaced nodes, as long as there are nodes, ends on one.
fn on_cycle(node: usize, before: &[BTreeSet<usize>], missing: &[usize]) -> usize {
    let back = |node: usize| before[node].iter().copied().find(|&source| missing[source] > 0).unwrap_or(node);
    (0..missing.len()).fold(node, |node, _| back(node))
}
