//! The walk over the nodes of a graph that finds what is known before the network runs: the shape and the element type
//! of every tensor, and the elements of those that shapes are made of.

use rten_onnx::onnx::{GraphProto, NodeProto};

use super::elements;
use super::graph::inputs;
use super::operators::{self, Class};
use super::parameters::parameters;
use super::problem::Problem;
use super::shapes::{self, Operands};
use super::tensors::{Origin, Tensors};
use super::types::Type;
use super::{Options, UnknownOperators, decode, unknown, values};

/// A scale or zero point that is computed at run time. It is found where the tensor that it belongs to is written, and
/// what is multiplied by it is as if it was multiplied by a constant.
const SCALE: Origin = Origin::Static { root: None, from_table: true };

/// The tensors of a graph without control flow.
pub(super) fn infer<'m>(graph: &'m GraphProto, options: &Options) -> Result<Tensors<'m>, Problem> {
    let mut flow = Flow::new(graph, options)?;
    for node in &graph.node {
        flow.node(node)?;
    }
    flow.check_outputs()?;
    flow.tensors.mark_constants(graph);
    Ok(flow.tensors)
}

/// The state of the walk.
pub(super) struct Flow<'m> {
    pub(super) tensors: Tensors<'m>,
    graph: &'m GraphProto,
    unknown: UnknownOperators,
}

impl<'m> Flow<'m> {
    /// The state before the first node.
    pub(super) fn new(graph: &'m GraphProto, options: &Options) -> Result<Self, Problem> {
        let tensors = Tensors::new(graph, &parameters(graph, options)?, options)?;
        Ok(Self { tensors, graph, unknown: options.unknown })
    }

    fn check_outputs(&self) -> Result<(), Problem> {
        let mut names = self.graph.output.iter().filter_map(|output| output.name.as_deref());
        match names.find(|name| !name.is_empty() && self.tensors.origin(name).is_none()) {
            Some(tensor) => Err(Problem::NoOutput { tensor: tensor.to_owned() }),
            None => Ok(()),
        }
    }

    /// Defines what a node writes. All that it reads is defined before.
    pub(super) fn node(&mut self, node: &'m NodeProto) -> Result<(), Problem> {
        let origins = self.origins(node)?;
        if self.tensors.is_constant(node) {
            return self.define(node, self.folded(node, &origins), true);
        }
        if operators::is_control_flow(node) {
            let (node, op) = (operators::label(node), operators::full_name(node));
            return Err(Problem::ControlFlow { node, op });
        }
        if unknown::is_of_sequences(node) {
            let (node, op) = (operators::label(node), operators::full_name(node));
            return Err(Problem::Sequences { node, op });
        }
        if operators::class(node).is_none() && self.unknown == UnknownOperators::Refuse {
            let why = unknown::left_to_host(node);
            let (node, op) = (operators::label(node), operators::full_name(node));
            return Err(match why {
                Some(why) => Problem::LeftToHost { node, op, why },
                None => Problem::UnknownOperator { node, op },
            });
        }
        self.define(node, Origin::Activation, false)
    }

    fn origins(&self, node: &'m NodeProto) -> Result<Vec<(&'m str, Origin<'m>)>, Problem> {
        let origin = |tensor: &'m str| match self.tensors.origin(tensor) {
            Some(origin) => Ok((tensor, origin)),
            None => Err(Problem::Undefined { node: operators::label(node), tensor: tensor.to_owned() }),
        };
        inputs(node).into_iter().map(origin).collect()
    }

    /// The origin of what a node writes that is known before the network runs.
    fn folded(&self, node: &NodeProto, origins: &[(&str, Origin<'m>)]) -> Origin<'m> {
        let class = operators::class(node);
        let root = match origins.first() {
            Some((_, Origin::Static { root, .. })) if class == Some(Class::View) => *root,
            _ => None,
        };
        let is_table_row = |&(tensor, origin): &(&str, Origin)| {
            matches!(origin, Origin::Static { from_table: true, .. }) && self.tensors.is_float(tensor)
        };
        let shape_only = operators::reads_shape_only(node);
        let from_table = class == Some(Class::Gather) || !shape_only && origins.iter().any(is_table_row);
        Origin::Static { root, from_table }
    }

    fn define(&mut self, node: &'m NodeProto, origin: Origin<'m>, is_static: bool) -> Result<(), Problem> {
        let operands = Operands { node, tensors: &self.tensors };
        if let Some(what) = shapes::misfit(&operands) {
            let (node, advice) = (operators::label(node), self.tensors.advice());
            return Err(Problem::Misfit { node, what, advice });
        }
        let shapes = shapes::infer(&operands).unwrap_or_default();
        let mut values = if is_static { values::fold(&operands, &shapes) } else { Vec::new() };
        let elements: Vec<_> =
            (0..node.output.len()).map(|at| elements::of_output(node, at, &self.tensors)).collect();
        for (position, output) in node.output.iter().enumerate().filter(|(_, output)| !output.is_empty()) {
            let by_readers = match operators::class(node) {
                None => unknown::shape_by_readers(self.graph, &self.tensors, output),
                Some(_) => None,
            };
            let shape = shapes.get(position).or(by_readers.as_ref()).map(Vec::as_slice);
            let ty = Type::inferred(shape, elements[position]);
            let origin = if operators::is_scale(node, position) { SCALE } else { origin };
            let mut value = values.get_mut(position).and_then(Option::take);
            if let (Some(value), Some(elements)) = (&mut value, elements[position]) {
                value.mapv_inplace(|number| decode::rounded(number, elements));
            }
            self.tensors.define(node, output, origin, ty, value)?;
        }
        Ok(())
    }
}
