//! Groups of nodes that may be one function of one tensor: everything between that tensor and the node that ends the
//! group, where nobody else needs a value in between.

use std::collections::{BTreeMap, BTreeSet};

use rten_onnx::onnx::{GraphProto, NodeProto};

use super::members;
use crate::workload::onnx::graph::inputs;
use crate::workload::onnx::tensors::Tensors;

/// More nodes than any pattern has: a layer norm in half precision, with casts and reshapes, has some twenty.
const MAX_NODES: usize = 32;

/// A group of nodes.
#[derive(Clone, Debug)]
pub(super) struct Region<'m> {
    /// The only tensor computed at run time that it reads from outside.
    pub(super) input: &'m str,
    /// The indices of its nodes, the last one first.
    pub(super) nodes: Vec<usize>,
}

/// Who writes and who reads the tensors of a graph.
pub(super) struct Uses<'m> {
    nodes: &'m [NodeProto],
    tensors: &'m Tensors<'m>,
    writers: BTreeMap<&'m str, usize>,
    /// How often each tensor is read by nodes of whose results anything is read.
    reads: BTreeMap<&'m str, usize>,
    outputs: BTreeSet<&'m str>,
}

impl<'m> Uses<'m> {
    pub(super) fn new(graph: &'m GraphProto, tensors: &'m Tensors<'m>) -> Self {
        let outputs: BTreeSet<_> = graph.output.iter().filter_map(|output| output.name.as_deref()).collect();
        let mut reads = BTreeMap::new();
        for node in graph.node.iter().rev() {
            let mut results = node.output.iter().map(String::as_str);
            if results.any(|result| outputs.contains(result) || reads.contains_key(result)) {
                inputs(node).into_iter().for_each(|tensor| *reads.entry(tensor).or_default() += 1);
            }
        }
        let written = |(index, node): (usize, &'m NodeProto)| {
            node.output.iter().map(move |output| (output.as_str(), index))
        };
        Self {
            nodes: &graph.node,
            tensors,
            writers: graph.node.iter().enumerate().flat_map(written).collect(),
            reads,
            outputs,
        }
    }

    /// The groups that end with a node, the smallest first.
    pub(super) fn regions(&self, last: usize) -> Vec<Region<'m>> {
        let mut regions = Vec::new();
        let mut nodes = Vec::new();
        // What the nodes so far read, by who writes it: the tensor written last comes next, so that all its readers
        // have been seen when its turn comes.
        let mut open = BTreeSet::from([(Some(last), "")]);
        while let Some((Some(writer), tensor)) = open.pop_last() {
            let node = &self.nodes[writer];
            let is_inside = writer == last || self.only_within(tensor, &nodes);
            if !members::knows(node) || !is_inside || nodes.len() == MAX_NODES {
                break;
            }
            nodes.push(writer);
            let at_run_time = |tensor: &&str| self.tensors.origin(tensor).is_some_and(|o| !o.is_static());
            open.extend(
                inputs(node).into_iter().filter(at_run_time).map(|t| (self.writers.get(t).copied(), t)),
            );
            if let [(_, input)] = open.iter().collect::<Vec<_>>()[..] {
                regions.push(Region { input, nodes: nodes.clone() });
            }
        }
        regions
    }

    /// Nodes whose results nobody reads and that read what some nodes, which are gone, wrote: ONNX's definition of a
    /// layer norm has two such results.
    pub(super) fn dead_after(&self, gone: &BTreeSet<usize>, stays: impl Fn(usize) -> bool) -> Vec<usize> {
        let outputs = |index: usize| self.nodes[index].output.iter().map(String::as_str);
        let mut lost: BTreeSet<&str> =
            gone.iter().filter(|i| !stays(**i)).flat_map(|&i| outputs(i)).collect();
        let mut dead = Vec::new();
        for (index, node) in self.nodes.iter().enumerate().filter(|(index, _)| !gone.contains(index)) {
            if inputs(node).iter().any(|tensor| lost.contains(tensor)) {
                lost.extend(outputs(index));
                dead.push(index);
            }
        }
        dead
    }

    /// Whether these nodes are all that read a tensor.
    fn only_within(&self, tensor: &str, nodes: &[usize]) -> bool {
        let reads = nodes.iter().flat_map(|&node| inputs(&self.nodes[node])).filter(|t| *t == tensor);
        !self.outputs.contains(tensor) && self.reads.get(tensor) == Some(&reads.count())
    }
}
