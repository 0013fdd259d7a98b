//! From ONNX nodes to operations: constants are dropped, views become edges, and the totals are counted.
//!
//! Counting rules, which reproduce every row of `tests/data/networks/totals.csv`:
//!
//! - A node whose inputs are all known before the network runs is constant: no operation, no edge. `Shape` and `Size`
//!   are constant, too.
//! - A view with one input that is not constant is an edge. With two (an index computed at run time) it moves data
//!   and is an operation. A `Gather` from an activation is a view unless it goes along axis 0.
//! - `edges` counts distinct pairs of operations, one of which reads what the other writes, through views, before
//!   anything runs at the output of another layer; a pattern of several nodes (`fuse`) is one. Inputs and outputs of
//!   the network are no edges.
//! - `weight_elems` adds up, for every operation except look-ups, its constant floating-point inputs (of an unknown
//!   operator all constant inputs), scalars included: a tensor that two operations read counts twice, since each layer
//!   fetches its own. Rows that a constant index takes from a look-up table do not count, nor does what the graph
//!   generates or scales quantized sums with (`tensors::generated`).

use std::collections::{BTreeMap, BTreeSet};

use rten_onnx::onnx::{GraphProto, NodeProto};

use super::operators::{self, Class, Cost};
use super::problem::Problem;
use super::tensors::{Origin, Tensors};

/// A node that does work at run time.
pub(super) struct Operation<'m> {
    pub(super) node: &'m NodeProto,
    pub(super) kind: Kind,
    /// The operations whose outputs it reads: distinct, ascending, smaller than its own index.
    pub(super) after: Vec<usize>,
    /// Whether it reads an output of one of them twice, under two names.
    pub(super) reads_again: bool,
    /// How many operations read its output.
    pub(super) readers: usize,
    /// Whether its output, or a view of it, is an output of the network.
    pub(super) is_output: bool,
}

/// What an operation becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A loop nest, or a vector operation.
    Work(Class),
    /// An unknown operator, of which only the bytes count.
    Unknown,
    /// Rows of a table, by indices known at run time only.
    Lookup,
    /// A constant choice of rows from an activation, as exporters write the split of a fused QKV product: an operation
    /// in the totals, but no layer.
    Select,
}

/// The operations of a model in topological order, with their tensors.
pub(super) struct Graph<'m> {
    pub(super) operations: Vec<Operation<'m>>,
    pub(super) tensors: Tensors<'m>,
    pub(super) edges: u64,
    pub(super) weight_elems: u64,
    /// Whether some node only gives elements another shape, type or place.
    pub(super) has_views: bool,
    /// The operation that computes a tensor, seen through views; none for an input of the network.
    sources: BTreeMap<&'m str, usize>,
}

impl<'m> Graph<'m> {
    /// Walks over the nodes, which ONNX keeps in topological order.
    pub(super) fn new(graph: &'m GraphProto, tensors: Tensors<'m>) -> Result<Self, Problem> {
        let (operations, sources) = (Vec::new(), BTreeMap::new());
        let mut built = Self { operations, tensors, edges: 0, weight_elems: 0, has_views: false, sources };
        for node in graph.node.iter().filter(|node| !built.tensors.is_constant(node)).collect::<Vec<_>>() {
            built.add(node)?;
        }
        for output in graph.output.iter().filter_map(|output| output.name.as_deref()) {
            if let Some(&operation) = built.sources.get(output) {
                built.operations[operation].is_output = true;
            }
        }
        Ok(built)
    }

    /// The operation that computes a tensor, seen through views; none for an input of the network.
    pub(super) fn source(&self, tensor: &str) -> Option<usize> {
        self.sources.get(tensor).copied()
    }

    fn add(&mut self, node: &'m NodeProto) -> Result<(), Problem> {
        let source = match role(node, &self.tensors) {
            Role::View(activation) => {
                self.has_views = true;
                self.sources.get(activation).copied()
            }
            Role::Operation(kind) => Some(self.push(node, kind)?),
        };
        let outputs = node.output.iter().filter(|output| !output.is_empty());
        self.sources.extend(outputs.filter_map(|output| Some((output.as_str(), source?))));
        Ok(())
    }

    fn push(&mut self, node: &'m NodeProto, kind: Kind) -> Result<usize, Problem> {
        let mut after = BTreeSet::new();
        let read = node.input.iter().map(String::as_str).enumerate().filter(|(_, tensor)| !tensor.is_empty());
        for (position, tensor) in read {
            let is_no_parameter = self.tensors.is_no_parameter(node, position);
            match self.tensors.origin(tensor) {
                Some(Origin::Static { from_table: false, .. })
                    if kind == Kind::Unknown
                        || kind != Kind::Lookup && self.tensors.is_float(tensor) && !is_no_parameter =>
                {
                    let elements = self.tensors.elements(tensor, || operators::label(node))?;
                    self.weight_elems = self.weight_elems.saturating_add(elements);
                }
                Some(Origin::Static { .. }) | None => {}
                Some(Origin::Activation) => after.extend(self.sources.get(tensor)),
            }
        }
        let streams: BTreeSet<&str> = streams(node).into_iter().collect();
        let read = streams.iter().filter_map(|tensor| self.sources.get(tensor)).count();
        let reads_again = read > after.len();
        after.iter().for_each(|&source: &usize| self.operations[source].readers += 1);
        self.edges += after.len() as u64;
        let after = after.into_iter().collect();
        self.operations.push(Operation { node, kind, after, reads_again, readers: 0, is_output: false });
        Ok(self.operations.len() - 1)
    }
}

/// What a node that is not constant does.
enum Role<'m> {
    /// Its outputs are this activation under other names.
    View(&'m str),
    Operation(Kind),
}

fn role<'m>(node: &'m NodeProto, tensors: &Tensors) -> Role<'m> {
    let is_static = |tensor: &str| tensors.origin(tensor).is_some_and(|origin| origin.is_static());
    let inputs = inputs(node);
    let mut activations = inputs.iter().copied().filter(|tensor| !is_static(tensor));
    let only_activation = match (activations.next(), activations.next()) {
        (Some(activation), None) => Some(activation),
        _ => None,
    };
    let from_table = inputs.first().is_some_and(|tensor| is_static(tensor));
    match (operators::class(node), only_activation) {
        (None, _) => Role::Operation(Kind::Unknown),
        (Some(Class::View), Some(activation)) => Role::View(activation),
        (Some(Class::View), None) => Role::Operation(Kind::Work(Class::Vector(Cost::PerOutput(0)))),
        (Some(Class::Gather), Some(activation)) if !from_table => match operators::integer(node, "axis", 0) {
            0 => Role::Operation(Kind::Select),
            _ => Role::View(activation),
        },
        (Some(Class::Gather), _) => Role::Operation(Kind::Lookup),
        (Some(class), _) => Role::Operation(Kind::Work(class)),
    }
}

/// The inputs of a node whose elements it reads: without optional ones that are left out, and without that of CastLike
/// which only gives it a type.
pub(super) fn inputs(node: &NodeProto) -> Vec<&str> {
    let read = if operators::onnx(node) == Some("CastLike") { 1 } else { usize::MAX };
    node.input.iter().take(read).map(String::as_str).filter(|input| !input.is_empty()).collect()
}

/// The same as they come from memory: an element-wise operator that takes a tensor twice, as for a square, reads it once.
pub(super) fn streams(node: &NodeProto) -> Vec<&str> {
    let mut streams = inputs(node);
    if let Some(Class::Pointwise(Cost::Operands)) = operators::class(node) {
        streams.sort_unstable();
        streams.dedup();
    }
    streams
}
