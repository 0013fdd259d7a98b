//! From ONNX nodes to operations: constants are folded, views become edges, the totals are counted.
//!
//! Counting rules, which reproduce every row of `tests/data/networks/totals.csv`:
//!
//! - A node whose inputs are all known before the network runs is constant: no operation, no edge. `Shape` and `Size`
//!   are constant, too.
//! - A view with one input that is not constant is an edge. With two (an index computed at run time) it moves data
//!   and is an operation. A `Gather` from an activation is a view unless it goes along axis 0.
//! - `edges` counts distinct pairs of operations, one of which reads what the other writes, through views, before
//!   anything is fused. Inputs and outputs of the network are no edges.
//! - `weight_elems` adds up, for every operation except look-ups, its constant floating-point inputs, scalars
//!   included: a tensor that two operations read counts twice, since each layer fetches its own. Rows that a constant
//!   index takes from a look-up table do not count.

use std::collections::{BTreeMap, BTreeSet};

use rten_onnx::onnx::{DataType, GraphProto, NodeProto, ValueInfoProto};

use super::operators::{self, Class, Cost};
use super::problem::Problem;
use super::tensors::{Origin, Tensors, Type};

/// A node that does something at run time.
pub(super) struct Operation<'m> {
    pub(super) node: &'m NodeProto,
    pub(super) kind: Kind,
    /// The operations whose outputs it reads: distinct, ascending, smaller than its own index.
    pub(super) after: Vec<usize>,
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
}

impl<'m> Graph<'m> {
    /// Walks over the nodes, which ONNX keeps in topological order.
    pub(super) fn new(graph: &'m GraphProto, bindings: &'m BTreeMap<String, u64>) -> Result<Self, Problem> {
        let tensors = Tensors::new(graph, &parameter_inputs(graph), bindings)?;
        let mut built = Self { operations: Vec::new(), tensors, edges: 0, weight_elems: 0 };
        for node in &graph.node {
            built.add(node)?;
        }
        for output in &graph.output {
            let origin = built.tensors.origin(output.name.as_deref().unwrap_or(""));
            if let Some(Origin::Activation(Some(operation))) = origin {
                built.operations[operation].is_output = true;
            }
        }
        Ok(built)
    }

    fn add(&mut self, node: &'m NodeProto) -> Result<(), Problem> {
        let inputs = inputs(node);
        let origin = |tensor: &&str| {
            let undefined =
                || Problem::Undefined { node: operators::label(node), tensor: (*tensor).to_owned() };
            self.tensors.origin(tensor).ok_or_else(undefined)
        };
        let origins = inputs.iter().map(origin).collect::<Result<Vec<_>, _>>()?;
        if operators::reads_shape_only(node) {
            let ty = Type::of_elements(Some(DataType::INT64));
            return self.define(node, Origin::Static { root: None, from_table: false }, ty);
        }
        if origins.iter().all(Origin::is_static) && !operators::is_control_flow(node) {
            return self.fold(node, &inputs, &origins);
        }
        match role(node, &origins)? {
            Role::View(origin) => self.define(node, origin, self.view_type(node)),
            Role::Operation(kind) => self.push(node, kind, &inputs, &origins),
        }
    }

    /// Defines the outputs of a node that is known before the network runs.
    fn fold(
        &mut self,
        node: &'m NodeProto,
        inputs: &[&'m str],
        origins: &[Origin<'m>],
    ) -> Result<(), Problem> {
        let is_view = operators::class(node) == Some(Class::View);
        let root = match origins.first() {
            Some(Origin::Static { root, .. }) if is_view => *root,
            _ => None,
        };
        let is_table_row = |(tensor, origin): (&&str, &Origin)| {
            matches!(origin, Origin::Static { from_table: true, .. }) && self.tensors.is_float(tensor)
        };
        let from_table =
            operators::class(node) == Some(Class::Gather) || inputs.iter().zip(origins).any(is_table_row);
        let value = node.attribute.iter().find_map(|attribute| attribute.t.as_ref());
        let ty = match (node.op_type.as_deref(), value) {
            (Some("Constant"), Some(value)) => Type::of_tensor(value),
            (Some("ConstantOfShape"), Some(value)) => Type::of_elements(value.data_type),
            (Some("ConstantOfShape"), None) => Type::of_elements(Some(DataType::FLOAT)),
            _ => self.view_type(node),
        };
        self.define(node, Origin::Static { root, from_table }, ty)
    }

    /// The type that a node without shape information takes from its first input: the whole of it where the operator
    /// keeps shapes, else the element type.
    fn view_type(&self, node: &NodeProto) -> Type<'m> {
        let Some(first) = node.input.first() else { return Type::default() };
        match node.op_type.as_deref() {
            Some("Identity" | "Dropout") => self.tensors.ty(first),
            _ => self.tensors.ty(first).without_shape(),
        }
    }

    fn define(&mut self, node: &'m NodeProto, origin: Origin<'m>, ty: Type<'m>) -> Result<(), Problem> {
        for output in node.output.iter().filter(|output| !output.is_empty()) {
            if !self.tensors.define(output, origin, ty.clone()) {
                return Err(Problem::Redefined { node: operators::label(node), tensor: output.clone() });
            }
        }
        Ok(())
    }

    fn push(
        &mut self,
        node: &'m NodeProto,
        kind: Kind,
        inputs: &[&'m str],
        origins: &[Origin<'m>],
    ) -> Result<(), Problem> {
        let mut after = BTreeSet::new();
        for (tensor, origin) in inputs.iter().zip(origins) {
            match *origin {
                Origin::Activation(source) => after.extend(source),
                Origin::Static { from_table: false, .. }
                    if kind != Kind::Lookup && self.tensors.is_float(tensor) =>
                {
                    let elements = self.tensors.elements(tensor, || operators::label(node))?;
                    self.weight_elems = self.weight_elems.saturating_add(elements);
                }
                Origin::Static { .. } => {}
            }
        }
        after.iter().for_each(|&source: &usize| self.operations[source].readers += 1);
        self.edges += after.len() as u64;
        let index = self.operations.len();
        let after = after.into_iter().collect();
        self.operations.push(Operation { node, kind, after, readers: 0, is_output: false });
        let keeps_shape = matches!(kind, Kind::Work(Class::Pointwise(_))) && inputs.len() == 1;
        let ty = self.tensors.ty(inputs[0]);
        let ty = if keeps_shape { ty } else { ty.without_shape() };
        self.define(node, Origin::Activation(Some(index)), ty)
    }
}

/// What a node that is not constant does.
enum Role<'m> {
    /// Its outputs are this activation under other names.
    View(Origin<'m>),
    Operation(Kind),
}

fn role<'m>(node: &NodeProto, origins: &[Origin<'m>]) -> Result<Role<'m>, Problem> {
    let class = operators::class(node).ok_or_else(|| Problem::UnknownOperator {
        node: operators::label(node),
        op: node.op_type.clone().unwrap_or_default(),
    })?;
    let mut activations = origins.iter().filter(|origin| !origin.is_static());
    let only_activation = match (activations.next(), activations.next()) {
        (Some(&origin), None) => Some(origin),
        _ => None,
    };
    let from_table = origins.first().is_some_and(Origin::is_static);
    Ok(match (class, only_activation) {
        (Class::View, Some(origin)) => Role::View(origin),
        (Class::View, None) => Role::Operation(Kind::Work(Class::Vector(Cost::PerOutput(0)))),
        (Class::Gather, Some(origin)) if !from_table => match operators::integer(node, "axis", 0) {
            0 => Role::Operation(Kind::Select),
            _ => Role::View(origin),
        },
        (Class::Gather, _) => Role::Operation(Kind::Lookup),
        (class, _) => Role::Operation(Kind::Work(class)),
    })
}

/// The inputs of a node without the optional ones that are left out.
pub(super) fn inputs(node: &NodeProto) -> Vec<&str> {
    node.input.iter().map(String::as_str).filter(|input| !input.is_empty()).collect()
}

/// The graph inputs that are weights by all their uses: some files list their weights as inputs.
fn parameter_inputs(graph: &GraphProto) -> BTreeSet<&str> {
    let rank = |input: &ValueInfoProto| {
        let tensor = input.r#type.as_ref()?.tensor_type.as_ref()?;
        Some(tensor.shape.as_ref()?.dim.len())
    };
    let ranks: BTreeMap<&str, usize> = graph
        .input
        .iter()
        .filter_map(|input| Some((input.name.as_deref()?, rank(input).unwrap_or(0))))
        .collect();
    let mut parameters = BTreeSet::new();
    let mut activations = BTreeSet::new();
    for node in &graph.node {
        for (position, tensor) in node.input.iter().enumerate() {
            let Some((&name, &rank)) = ranks.get_key_value(tensor.as_str()) else { continue };
            match operators::is_parameter_position(node, position, rank) {
                true => parameters.insert(name),
                false => activations.insert(name),
            };
        }
    }
    &parameters - &activations
}
