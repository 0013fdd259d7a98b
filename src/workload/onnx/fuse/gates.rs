//! Gates in one order: x (f(x) y) is (x f(x)) y, as some exporters write it, and x f(x) may be a pattern.
//!
//! The factors of a product of several are put together by the tensor that they are element-wise functions of; single
//! numbers join the first such group. Left out: quotients, and factors that are broadcast.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use rten_onnx::onnx::{GraphProto, NodeProto};

use super::members;
use crate::workload::onnx::graph::inputs;
use crate::workload::onnx::operators;
use crate::workload::onnx::tensors::Tensors;

/// The graph with the factors of every gate in that order.
pub(super) fn regrouped<'g>(graph: &'g GraphProto, tensors: &Tensors) -> Cow<'g, GraphProto> {
    let products = Products::new(graph, tensors);
    let mut written = BTreeMap::new();
    let mut seen: BTreeSet<usize> = BTreeSet::new();
    // From the end, so that a product is seen before those inside it.
    for last in (0..graph.node.len()).rev() {
        if operators::onnx(&graph.node[last]) != Some("Mul") || seen.contains(&last) {
            continue;
        }
        let (mut nodes, mut factors) = (BTreeSet::new(), Vec::new());
        products.take_apart(last, &mut nodes, &mut factors);
        seen.extend(&nodes);
        if let Some(product) = products.product(&nodes, &factors) {
            written.extend(nodes.into_iter().map(|node| (node, Vec::new())));
            written.insert(last, product);
        }
    }
    if written.is_empty() {
        return Cow::Borrowed(graph);
    }
    let nodes = graph.node.iter().enumerate();
    let node =
        nodes.flat_map(|(at, node)| written.remove(&at).unwrap_or_else(|| vec![node.clone()])).collect();
    Cow::Owned(GraphProto { node, ..graph.clone() })
}

struct Products<'m> {
    nodes: &'m [NodeProto],
    tensors: &'m Tensors<'m>,
    writers: BTreeMap<&'m str, usize>,
    /// The tensor that another is an element-wise function of.
    bases: BTreeMap<&'m str, &'m str>,
    /// How often each tensor is read, as an output of the network, too.
    reads: BTreeMap<&'m str, usize>,
}

impl<'m> Products<'m> {
    fn new(graph: &'m GraphProto, tensors: &'m Tensors<'m>) -> Self {
        let (writers, bases, reads) = Default::default();
        let mut products = Self { nodes: &graph.node, tensors, writers, bases, reads };
        for (at, node) in graph.node.iter().enumerate() {
            for tensor in inputs(node) {
                *products.reads.entry(tensor).or_default() += 1;
            }
            products.writers.extend(node.output.iter().map(|output| (output.as_str(), at)));
            let base = products.base_of(node);
            products.bases.extend(node.output.first().and_then(|output| Some((output.as_str(), base?))));
        }
        for output in graph.output.iter().filter_map(|output| output.name.as_deref()) {
            *products.reads.entry(output).or_default() += 1;
        }
        products
    }

    fn base(&self, tensor: &'m str) -> &'m str {
        self.bases.get(tensor).copied().unwrap_or(tensor)
    }

    /// The tensor that an element-wise node computes a function of, if it is one.
    fn base_of(&self, node: &'m NodeProto) -> Option<&'m str> {
        if !members::knows(node) || !self.keeps_places(node) {
            return None;
        }
        let mut bases =
            inputs(node).into_iter().filter(|tensor| !self.is_static(tensor)).map(|t| self.base(t));
        let base = bases.next()?;
        bases.all(|other| other == base).then_some(base)
    }

    /// Whether all that a node reads at run time has the shape of what it writes.
    fn keeps_places(&self, node: &NodeProto) -> bool {
        let dims = node.output.first().and_then(|output| self.tensors.known_dims(output));
        let op = operators::onnx(node).unwrap_or("");
        let is_one_element_each = !members::is_reduction(op) && op != "InstanceNormalization";
        let fits = |tensor: &str| self.is_static(tensor) || self.tensors.known_dims(tensor) == dims;
        is_one_element_each && dims.is_some() && inputs(node).into_iter().all(fits)
    }

    fn is_static(&self, tensor: &str) -> bool {
        self.tensors.origin(tensor).is_some_and(|origin| origin.is_static())
    }

    /// The products inside a product that nobody else reads, and its factors.
    fn take_apart(&self, last: usize, nodes: &mut BTreeSet<usize>, factors: &mut Vec<&'m str>) {
        nodes.insert(last);
        for tensor in inputs(&self.nodes[last]) {
            let is_product = |at: &usize| {
                operators::onnx(&self.nodes[*at]) == Some("Mul")
                    && self.reads.get(tensor) == Some(&1)
                    && self.keeps_places(&self.nodes[last])
            };
            match self.writers.get(tensor).copied().filter(is_product) {
                Some(inner) => self.take_apart(inner, nodes, factors),
                None => factors.push(tensor),
            }
        }
    }

    /// The nodes of a product of these factors in groups, if some belong together and others do not.
    fn product(&self, nodes: &BTreeSet<usize>, factors: &[&'m str]) -> Option<Vec<NodeProto>> {
        let is_number = |tensor: &&&str| {
            self.is_static(tensor) && self.tensors.value(tensor).is_some_and(|v| v.len() == 1)
        };
        let mut groups: Vec<Vec<&str>> = Vec::new();
        for &factor in factors.iter().filter(|factor| !is_number(factor)) {
            match groups.iter_mut().find(|group| self.base(group[0]) == self.base(factor)) {
                Some(group) => group.push(factor),
                None => groups.push(vec![factor]),
            }
        }
        groups.sort_by_key(|group| group.len() == 1);
        let is_gate = groups.len() > 1 && groups[0].len() > 1;
        if !is_gate || !nodes.iter().all(|&node| self.keeps_places(&self.nodes[node])) {
            return None;
        }
        groups[0].extend(factors.iter().filter(is_number));
        let mut muls = nodes.iter().map(|&node| self.nodes[node].clone());
        let mut written = Vec::new();
        let mut multiply = |left: String, right: &str| {
            let mul = muls.next().expect("a product of n factors has n - 1 nodes");
            let output = mul.output[0].clone();
            written.push(NodeProto { input: vec![left, right.to_owned()], ..mul });
            output
        };
        let chain = |group: Vec<&str>, multiply: &mut dyn FnMut(String, &str) -> String| {
            let mut factors = group.into_iter();
            let first = factors.next().unwrap_or_default().to_owned();
            factors.fold(first, multiply)
        };
        let parts: Vec<String> = groups.into_iter().map(|group| chain(group, &mut multiply)).collect();
        chain(parts.iter().map(String::as_str).collect(), &mut multiply);
        let same = |(new, &old): (&NodeProto, &usize)| {
            let sorted = |node: &NodeProto| node.input.iter().cloned().collect::<BTreeSet<_>>();
            sorted(new) == sorted(&self.nodes[old])
        };
        (!written.iter().zip(nodes).all(same)).then_some(written)
    }
}
