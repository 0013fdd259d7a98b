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

use std::collections::BTreeSet;

use rten_onnx::onnx::{DataType, GraphProto, NodeProto};

use super::operators::{self, Class, Cost, Domain};
use super::parameters::parameters;
use super::problem::Problem;
use super::shapes::{self, Operands};
use super::tensors::{Origin, Tensors};
use super::types::Type;
use super::values;
use super::{Options, UnknownOperators};

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
}

impl<'m> Graph<'m> {
    /// Walks over the nodes, which ONNX keeps in topological order.
    pub(super) fn new(graph: &'m GraphProto, options: &Options) -> Result<Self, Problem> {
        let tensors = Tensors::new(graph, &parameters(graph, options)?, options)?;
        let mut built = Self { operations: Vec::new(), tensors, edges: 0, weight_elems: 0 };
        for node in &graph.node {
            built.add(node, options.unknown)?;
        }
        for output in &graph.output {
            let origin = built.tensors.origin(output.name.as_deref().unwrap_or(""));
            if let Some(Origin::Activation(Some(operation))) = origin {
                built.operations[operation].is_output = true;
            }
        }
        Ok(built)
    }

    fn add(&mut self, node: &'m NodeProto, unknown: UnknownOperators) -> Result<(), Problem> {
        let inputs = inputs(node);
        let origin = |tensor: &&str| {
            let undefined =
                || Problem::Undefined { node: operators::label(node), tensor: (*tensor).to_owned() };
            self.tensors.origin(tensor).ok_or_else(undefined)
        };
        let origins = inputs.iter().map(origin).collect::<Result<Vec<_>, _>>()?;
        if operators::reads_shape_only(node) {
            return self.define(node, Origin::Static { root: None, from_table: false }, true);
        }
        if origins.iter().all(Origin::is_static) && !operators::is_control_flow(node) {
            let origin = self.folded(node, &inputs, &origins);
            return self.define(node, origin, true);
        }
        match role(node, &origins, unknown)? {
            Role::View(origin) => self.define(node, origin, false),
            Role::Operation(kind) => self.push(node, kind, &inputs, &origins),
        }
    }

    /// The origin of what a node writes that is known before the network runs.
    fn folded(&self, node: &NodeProto, inputs: &[&'m str], origins: &[Origin<'m>]) -> Origin<'m> {
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
        Origin::Static { root, from_table }
    }

    /// Defines what a node writes, with the shapes and, where it `is_static`, the elements that can be inferred.
    fn define(&mut self, node: &'m NodeProto, origin: Origin<'m>, is_static: bool) -> Result<(), Problem> {
        let operands = Operands { node, tensors: &self.tensors };
        let shapes = shapes::infer(&operands).unwrap_or_default();
        let mut values = if is_static { values::fold(&operands, &shapes) } else { Vec::new() };
        let elements = self.elements_type(node);
        for (position, output) in node.output.iter().enumerate().filter(|(_, output)| !output.is_empty()) {
            let ty = Type::inferred(shapes.get(position).map(Vec::as_slice), elements);
            let value = values.get_mut(position).and_then(Option::take);
            if !self.tensors.define(node, output, origin, ty, value) {
                return Err(Problem::Redefined { node: operators::label(node), tensor: output.clone() });
            }
        }
        Ok(())
    }

    /// The element type of what a node writes, where the file does not give it.
    fn elements_type(&self, node: &NodeProto) -> Option<DataType> {
        let of_input = |position: usize| self.tensors.elements_type(node.input.get(position)?);
        let value = |name| operators::tensor(node, name).map(|tensor| tensor.data_type);
        let name = match operators::operator(node)? {
            (Domain::Onnx, name) => name,
            (Domain::Microsoft, _) => return of_input(0),
        };
        match name {
            "Constant" => match node.attribute.first()?.name.as_deref()? {
                "value" => value("value")?,
                "value_int" | "value_ints" => Some(DataType::INT64),
                _ => Some(DataType::FLOAT),
            },
            "ConstantOfShape" => value("value").unwrap_or(Some(DataType::FLOAT)),
            "Cast" => i32::try_from(operators::integer(node, "to", 0)).ok().map(DataType),
            "Shape" | "Size" | "ArgMax" | "ArgMin" | "NonZero" => Some(DataType::INT64),
            "Equal" | "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual" | "And" | "Or" | "Xor"
            | "Not" | "IsNaN" => Some(DataType::BOOL),
            "Where" => of_input(1),
            _ => of_input(0),
        }
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
        self.define(node, Origin::Activation(Some(index)), false)
    }
}

/// What a node that is not constant does.
enum Role<'m> {
    /// Its outputs are this activation under other names.
    View(Origin<'m>),
    Operation(Kind),
}

fn role<'m>(
    node: &NodeProto,
    origins: &[Origin<'m>],
    unknown: UnknownOperators,
) -> Result<Role<'m>, Problem> {
    let class = match operators::class(node) {
        Some(class) => class,
        None => {
            let (label, op) = (operators::label(node), operators::full_name(node));
            return match unknown {
                _ if operators::is_control_flow(node) => Err(Problem::ControlFlow { node: label, op }),
                UnknownOperators::Refuse => Err(Problem::UnknownOperator { node: label, op }),
                UnknownOperators::Bytes => Ok(Role::Operation(Kind::Unknown)),
            };
        }
    };
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
