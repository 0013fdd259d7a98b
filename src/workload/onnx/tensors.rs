//! The tensors of a graph: shape, element type, whether a tensor is known before the network runs, and the elements of
//! those that shapes are made of.

use std::collections::{BTreeMap, BTreeSet};

use rten_onnx::onnx::{DataType, GraphProto, NodeProto, ValueInfoProto};

use super::Options;
use super::graph::inputs;
use super::operators;
use super::problem::Problem;
use super::shapes::{self, Operands};
use super::types::{Extent, Type, sized};
use super::values::{self, Value};
use crate::workload::layer::{MAX_COUNT, product};

/// Elements of all values that are kept: many times what shape arithmetic needs.
const MAX_KEPT_ELEMENTS: usize = 1 << 21;

/// Where the elements of a tensor come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin<'m> {
    /// An input of the network, or computed at run time.
    Activation,
    /// Known before the network runs.
    Static {
        /// The initializer that it is, seen through views.
        root: Option<&'m str>,
        /// Rows taken from a look-up table, or a scale of quantization: constant, but not a parameter of an operation.
        from_table: bool,
    },
}

impl Origin<'_> {
    /// Whether the elements are known before the network runs.
    pub(super) fn is_static(&self) -> bool {
        matches!(self, Self::Static { .. })
    }
}

/// Every tensor of one graph by name.
pub(super) struct Tensors<'m> {
    types: BTreeMap<&'m str, Type<'m>>,
    origins: BTreeMap<&'m str, Origin<'m>>,
    values: BTreeMap<&'m str, Value>,
    kept_elements: usize,
    /// For each tensor whose shape is not known, the node beyond which it could not be inferred.
    lost_at: BTreeMap<&'m str, &'m NodeProto>,
}

impl<'m> Tensors<'m> {
    /// The initializers and inputs of a graph, and the shapes that it gives for the rest.
    pub(super) fn new(
        graph: &'m GraphProto,
        parameters: &BTreeSet<&str>,
        options: &Options,
    ) -> Result<Self, Problem> {
        let mut tensors = Self {
            types: BTreeMap::new(),
            origins: BTreeMap::new(),
            values: BTreeMap::new(),
            kept_elements: 0,
            lost_at: BTreeMap::new(),
        };
        for value in graph.value_info.iter().chain(&graph.output).chain(&graph.input) {
            tensors.types.insert(name_of(value), Type::of_value(value));
        }
        tensors.bind(graph, &options.bindings)?;
        for value in &graph.input {
            let name = name_of(value);
            let origin = match parameters.contains(name) {
                true => Origin::Static { root: Some(name), from_table: false },
                false => Origin::Activation,
            };
            tensors.origins.insert(name, origin);
        }
        for tensor in &graph.initializer {
            let name = tensor.name.as_deref().unwrap_or("");
            tensors.types.insert(name, Type::of_tensor(tensor));
            tensors.origins.insert(name, Origin::Static { root: Some(name), from_table: false });
            tensors.keep(name, values::of_tensor(tensor));
        }
        tensors.check_inputs(graph).map(|()| tensors)
    }

    /// Gives symbolic dimensions the sizes of `--bind`; a dimension of an input that has no name goes by its place.
    fn bind(&mut self, graph: &'m GraphProto, bindings: &BTreeMap<String, u64>) -> Result<(), Problem> {
        let mut known = BTreeSet::new();
        for value in &graph.input {
            let shape = self.types.get_mut(name_of(value)).and_then(|ty| ty.shape.as_mut());
            for (index, extent) in shape.into_iter().flatten().enumerate() {
                if *extent == Extent::Unknown {
                    let place = place(name_of(value), index);
                    bindings.get(&place).into_iter().for_each(|&size| *extent = sized(size));
                    known.insert(place);
                }
            }
        }
        let extents = self.types.values().flat_map(|ty| ty.shape.iter().flatten());
        known.extend(extents.filter_map(|extent| match extent {
            Extent::Symbol(name) => Some((*name).to_owned()),
            Extent::Size(_) | Extent::Unknown => None,
        }));
        if let Some(name) = bindings.keys().find(|name| !known.contains(*name)) {
            let known = match known.is_empty() {
                true => "it has none".into(),
                false => format!("it has {}", known.into_iter().collect::<Vec<_>>().join(", ")),
            };
            return Err(Problem::UnknownBinding { name: name.clone(), known });
        }
        self.types.values_mut().for_each(|ty| ty.bind(bindings));
        Ok(())
    }

    /// Every shape follows from those of the inputs, so these must be known.
    fn check_inputs(&self, graph: &GraphProto) -> Result<(), Problem> {
        let used: BTreeSet<&str> =
            graph.node.iter().flat_map(|node| &node.input).map(String::as_str).collect();
        let mut open = Vec::new();
        for value in graph.input.iter().filter(|value| used.contains(name_of(value))) {
            let name = name_of(value);
            for (index, extent) in self.types[name].shape.iter().flatten().enumerate() {
                match *extent {
                    Extent::Size(_) => {}
                    Extent::Symbol(symbol) => {
                        open.push((format!("`{symbol}` of `{name}`"), symbol.to_owned()));
                    }
                    Extent::Unknown => open.push((format!("{index} of `{name}`"), place(name, index))),
                }
            }
        }
        if open.is_empty() {
            return Ok(());
        }
        let dimensions: Vec<String> = open.iter().map(|(what, _)| what.clone()).collect();
        let mut binds: Vec<String> = Vec::new();
        for (_, name) in open {
            let bind = format!("--bind {name}=NUMBER");
            if !binds.contains(&bind) {
                binds.push(bind);
            }
        }
        Err(Problem::Unbound { dimensions: dimensions.join(", "), binds: binds.join(" ") })
    }

    /// Where a tensor comes from, if it is defined.
    pub(super) fn origin(&self, tensor: &str) -> Option<Origin<'m>> {
        self.origins.get(tensor).copied()
    }

    /// Whether all that a node writes is known before the network runs.
    pub(super) fn is_constant(&self, node: &NodeProto) -> bool {
        let is_static = |tensor| self.origin(tensor).is_some_and(|origin| origin.is_static());
        let all_known = || inputs(node).into_iter().all(is_static) && !operators::is_control_flow(node);
        operators::reads_shape_only(node) || all_known()
    }

    /// Defines a tensor that a node writes; false if it is defined already. What the file says of its type goes
    /// before what was inferred.
    pub(super) fn define(
        &mut self,
        node: &'m NodeProto,
        tensor: &'m str,
        origin: Origin<'m>,
        inferred: Type<'m>,
        value: Option<Value>,
    ) -> bool {
        let ty = self.types.entry(tensor).or_default();
        ty.complete(inferred);
        if ty.dims().is_none() {
            let before = node.input.iter().find_map(|input| self.lost_at.get(input.as_str()));
            let culprit = before.copied().unwrap_or(node);
            self.lost_at.insert(tensor, culprit);
        }
        self.keep(tensor, value);
        self.origins.insert(tensor, origin).is_none()
    }

    fn keep(&mut self, tensor: &'m str, value: Option<Value>) {
        let Some(value) = value else { return };
        if self.kept_elements + value.len() < MAX_KEPT_ELEMENTS {
            self.kept_elements += value.len().max(1);
            self.values.insert(tensor, value);
        }
    }

    /// The elements of a tensor, where they are known before the network runs and few.
    pub(super) fn value(&self, tensor: &str) -> Option<&Value> {
        self.values.get(tensor)
    }

    /// The sizes of a tensor, where all of them are known.
    pub(super) fn known_dims(&self, tensor: &str) -> Option<Vec<u64>> {
        self.types.get(tensor)?.dims()
    }

    /// The element type of a tensor, where it is known.
    pub(super) fn elements_type(&self, tensor: &str) -> Option<DataType> {
        self.types.get(tensor)?.elements
    }

    /// Whether the elements are floating-point numbers: parameters are, indices, shapes and masks are not.
    pub(super) fn is_float(&self, tensor: &str) -> bool {
        let float = [DataType::FLOAT, DataType::FLOAT16, DataType::BFLOAT16, DataType::DOUBLE];
        self.elements_type(tensor).is_some_and(|ty| float.contains(&ty))
    }

    /// The sizes of a tensor; `node` is who asks.
    pub(super) fn dims(&self, tensor: &str, node: impl Fn() -> String) -> Result<Vec<u64>, Problem> {
        let shape = self.types.get(tensor).and_then(|ty| ty.shape.as_ref());
        let shape = shape.ok_or_else(|| self.no_shape(tensor, node()))?;
        let bad = |index, found: String| Problem::BadDimension { tensor: tensor.into(), index, found };
        let size = |(index, extent): (usize, &Extent)| match *extent {
            Extent::Size(size) => match u32::try_from(size) {
                Ok(size) => Ok(u64::from(size)),
                Err(_) => Err(bad(index, size.to_string())),
            },
            Extent::Symbol(name) => Err(Problem::Symbolic { tensor: tensor.into(), dimension: name.into() }),
            Extent::Unknown => Err(bad(index, format!("unknown ({})", self.why_lost(tensor)))),
        };
        shape.iter().enumerate().map(size).collect()
    }

    /// Why a tensor that `node` needs has no shape, and what to do.
    fn no_shape(&self, tensor: &str, node: String) -> Problem {
        let lost_at = self.lost_at.get(tensor).copied();
        if let Some(culprit) = lost_at.filter(|culprit| operators::class(culprit).is_none()) {
            let (at, op) = (operators::label(culprit), operators::full_name(culprit));
            return Problem::NoShapeOfUnknown { node, tensor: tensor.into(), at, op };
        }
        let too_small = lost_at.filter(|node| shapes::is_too_small(&Operands { node, tensors: self }));
        if let Some(culprit) = too_small {
            let sizes = culprit.input.first().and_then(|input| self.known_dims(input)).unwrap_or_default();
            let sizes = sizes.iter().map(u64::to_string).collect::<Vec<_>>().join(" x ");
            return Problem::TooSmall { node: operators::label(culprit), sizes };
        }
        Problem::NoShape { node, tensor: tensor.into(), why: self.why_lost(tensor) }
    }

    fn why_lost(&self, tensor: &str) -> String {
        match self.lost_at.get(tensor) {
            Some(node) => format!("inference ends at node {}", operators::label(node)),
            None => "it is an input of the model".into(),
        }
    }

    /// How many elements a tensor has; `node` is who asks.
    pub(super) fn elements(&self, tensor: &str, node: impl Fn() -> String) -> Result<u64, Problem> {
        match product(self.dims(tensor, node)?) {
            Some(elements) if elements <= MAX_COUNT => Ok(elements),
            _ => Err(Problem::HugeTensor { tensor: tensor.into() }),
        }
    }
}

fn name_of(value: &ValueInfoProto) -> &str {
    value.name.as_deref().unwrap_or("")
}

/// How `--bind` names a dimension of an input that has no name of its own.
fn place(input: &str, index: usize) -> String {
    format!("{input}.{index}")
}
