//! The tensors of a graph: shape, element type, whether a tensor is known before the network runs, and the elements of
//! those that shapes are made of.

mod bindings;
mod generated;

use std::collections::{BTreeMap, BTreeSet};

use rten_onnx::onnx::{DataType, GraphProto, NodeProto, TensorProto, ValueInfoProto};

use super::graph::inputs;
use super::problem::Problem;
use super::shapes::{self, Operands};
use super::types::{Extent, Type, told};
use super::values::{self, Value};
use super::{Options, external, operators};
use crate::workload::layer::{MAX_COUNT, product};

/// Elements of all values that are kept: many times what shape arithmetic needs.
const MAX_KEPT_ELEMENTS: usize = 1 << 21;
/// Tensors whose contradicted shape a note tells in full.
const MAX_NOTES: usize = 20;

/// The origin of the elements of a tensor.
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
    /// What the file says of tensors that nodes write: a hint where inference ends.
    declared: BTreeMap<&'m str, Type<'m>>,
    bindings: BTreeMap<String, u64>,
    /// The tensors of which the file says what cannot be, with both types.
    contradicted: Vec<(&'m str, Type<'m>, Type<'m>)>,
    /// What known operators write and nothing but the file gives the shape of.
    trusted: Vec<&'m str>,
    /// What is made of tensors in files beside the model that could not be read: their names, and why.
    unread: BTreeMap<&'m str, (&'m str, &'m str)>,
    /// For each constant without elements, the node that could not compute them.
    valueless_at: BTreeMap<&'m str, &'m NodeProto>,
    /// Constants with no data of the file.
    generated: BTreeMap<&'m str, generated::Generated>,
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
            declared: BTreeMap::new(),
            bindings: options.bindings.clone(),
            contradicted: Vec::new(),
            trusted: Vec::new(),
            unread: BTreeMap::new(),
            valueless_at: BTreeMap::new(),
            generated: BTreeMap::new(),
        };
        for value in graph.value_info.iter().chain(&graph.output) {
            tensors.declared.insert(name_of(value), Type::of_value(value));
        }
        for value in &graph.input {
            tensors.types.insert(name_of(value), Type::of_value(value));
        }
        tensors.bind(graph, &options.bindings)?;
        for value in &graph.input {
            let name = name_of(value);
            let given = options.bindings.get(name).filter(|_| tensors.is_number(name));
            let origin = match parameters.contains(name) {
                _ if given.is_some() => Origin::Static { root: None, from_table: true },
                true => Origin::Static { root: Some(name), from_table: false },
                false => Origin::Activation,
            };
            tensors.origins.insert(name, origin);
            tensors.keep(name, given.and_then(|&number| tensors.filled(name, number)));
        }
        for tensor in &graph.initializer {
            tensors.initialize(tensor)?;
        }
        tensors.check_inputs(graph).map(|()| tensors)
    }

    /// Defines an initializer. One that is listed as an input, too, must be what the input says.
    fn initialize(&mut self, tensor: &'m TensorProto) -> Result<(), Problem> {
        let (name, ty) = (tensor.name.as_deref().unwrap_or(""), Type::of_tensor(tensor));
        if let Some(input) = self.types.get(name).filter(|input| input.contradicts(&ty)) {
            let (tensor, file, inferred) = (name.into(), input.to_string(), ty.to_string());
            return Err(Problem::TwoTypes { tensor, file, inferred, by: "its initializer".into() });
        }
        self.compare(name, &ty);
        self.types.insert(name, ty);
        self.origins.insert(name, Origin::Static { root: Some(name), from_table: false });
        self.unread.extend(external::unread(tensor).map(|why| (name, (name, why))));
        self.keep(name, values::of_tensor(tensor));
        Ok(())
    }

    /// Notes down where the file says something else of a tensor.
    fn compare(&mut self, tensor: &'m str, ty: &Type<'m>) {
        let declared = self.declared.get(tensor).filter(|declared| declared.contradicts(ty));
        self.contradicted.extend(declared.map(|declared| (tensor, declared.clone(), ty.clone())));
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

    /// Defines a tensor that a node writes. What follows from the inputs of the network is right; what the file says of
    /// the tensor fills the gaps.
    pub(super) fn define(
        &mut self,
        node: &'m NodeProto,
        tensor: &'m str,
        origin: Origin<'m>,
        mut inferred: Type<'m>,
        value: Option<Value>,
    ) -> Result<(), Problem> {
        self.check_rounding(node, tensor, &inferred)?;
        self.compare(tensor, &inferred);
        let is_lost = inferred.dims().is_none();
        self.declared(tensor).into_iter().for_each(|declared| inferred.complete(declared));
        let known_from = |map: &BTreeMap<&str, &'m NodeProto>| {
            node.input.iter().find_map(|input| map.get(input.as_str()).copied()).unwrap_or(node)
        };
        if inferred.dims().is_none() {
            self.lost_at.insert(tensor, known_from(&self.lost_at));
        } else if is_lost && !origin.is_static() && operators::class(node).is_some() {
            self.trusted.push(tensor);
        }
        if origin.is_static() && value.is_none() {
            self.valueless_at.insert(tensor, known_from(&self.valueless_at));
            let of_constant = operators::tensor(node, "value").and_then(external::unread);
            let of_input = || node.input.iter().find_map(|input| self.unread.get(input.as_str()).copied());
            let unread = of_constant.map(|why| (tensor, why)).or_else(of_input);
            self.unread.extend(unread.map(|unread| (tensor, unread)));
        }
        self.types.insert(tensor, inferred);
        self.keep(tensor, value);
        match self.origins.insert(tensor, origin) {
            None => Ok(()),
            Some(_) => Err(Problem::Redefined { node: operators::label(node), tensor: tensor.to_owned() }),
        }
    }

    /// What the file says of a tensor, with the sizes that the user gave.
    fn declared(&self, tensor: &str) -> Option<Type<'m>> {
        let mut declared = self.declared.get(tensor)?.clone();
        declared.bind(&self.bindings);
        Some(declared)
    }

    /// The sizes that the file gives a tensor, where it gives all.
    pub(super) fn declared_dims(&self, tensor: &str) -> Option<Vec<u64>> {
        self.declared(tensor)?.dims()
    }

    /// Where sizes come from rounding a product, and the file has rounded it in another way, nobody knows who is right.
    fn check_rounding(&self, node: &NodeProto, tensor: &str, inferred: &Type) -> Result<(), Problem> {
        let Some(declared) = self.declared.get(tensor) else { return Ok(()) };
        if !shapes::is_rounded(node) || !declared.differs_by_rounding(inferred) {
            return Ok(());
        }
        let by = format!("node {}", operators::label(node));
        let (file, inferred) = (declared.to_string(), inferred.to_string());
        Err(Problem::TwoTypes { tensor: tensor.into(), file, inferred, by })
    }

    /// Notes for the user about the shapes.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.contradicted.iter().take(MAX_NOTES).map(contradiction).collect();
        if let Some(more @ 1..) = self.contradicted.len().checked_sub(MAX_NOTES) {
            notes.push(format!("the file contradicts the inputs at {more} more tensors"));
        }
        if let Some(first) = self.trusted.first() {
            let others = match self.trusted.len() - 1 {
                0 => String::new(),
                others => format!(" and {others} more"),
            };
            notes.push(format!(
                "tensor `{first}`{others}: nothing but the file gives the shape, so it is not checked"
            ));
        }
        notes
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
        let lost = || Problem::NoShape { node: node(), tensor: tensor.into(), why: self.why_lost(tensor) };
        let shape = shape.ok_or_else(|| self.cause(tensor, node()).unwrap_or_else(lost))?;
        let bad = |index, found: String| Problem::BadDimension { tensor: tensor.into(), index, found };
        let size = |(index, extent): (usize, &Extent)| match *extent {
            Extent::Size(size) => match u32::try_from(size) {
                Ok(size) => Ok(u64::from(size)),
                Err(_) => Err(bad(index, size.to_string())),
            },
            Extent::Symbol(name) => Err(self
                .cause(tensor, node())
                .unwrap_or_else(|| Problem::Symbolic { tensor: tensor.into(), dimension: name.into() })),
            Extent::Unknown => Err(self
                .cause(tensor, node())
                .unwrap_or_else(|| bad(index, format!("unknown ({})", self.why_lost(tensor))))),
        };
        shape.iter().enumerate().map(size).collect()
    }

    /// Why inference has not found the shape of a tensor that `node` needs, where there is something to do about it.
    fn cause(&self, tensor: &str, node: String) -> Option<Problem> {
        let culprit = self.lost_at.get(tensor).copied()?;
        if operators::class(culprit).is_none() {
            let (at, op) = (operators::label(culprit), operators::full_name(culprit));
            return Some(Problem::NoShapeOfUnknown { node, tensor: tensor.into(), at, op });
        }
        self.unread_by(culprit).or_else(|| {
            shapes::is_too_small(&Operands { node: culprit, tensors: self }).then(|| {
                let sizes =
                    culprit.input.first().and_then(|input| self.known_dims(input)).unwrap_or_default();
                Problem::TooSmall { node: operators::label(culprit), sizes: told(&sizes) }
            })
        })
    }

    /// The problem of a node that needs external data, or holds them itself, which cannot be read.
    fn unread_by(&self, node: &NodeProto) -> Option<Problem> {
        let mut tensors = node.input.iter().chain(&node.output);
        let (tensor, why) = tensors.find_map(|tensor| self.unread.get(tensor.as_str()))?;
        let (node, tensor, why) = (operators::label(node), (*tensor).into(), (*why).into());
        Some(Problem::Unread { node, tensor, why })
    }

    /// Why the elements of a constant are not known.
    pub(super) fn why_valueless(&self, tensor: &str) -> String {
        let node = match (self.unread.get(tensor), self.valueless_at.get(tensor)) {
            (Some((tensor, why)), _) => return format!("it needs the elements of `{tensor}`: {why}"),
            (None, None) => return "the file does not hold its elements".into(),
            (None, Some(node)) => node,
        };
        match node.input.iter().find(|input| self.lost_at.contains_key(input.as_str())) {
            Some(input) => format!("it needs the shape of `{input}`: {}", self.why_lost(input)),
            None => format!("node {} is not evaluated", operators::label(node)),
        }
    }

    /// Where inference ended, and why, if that is known.
    fn why_lost(&self, tensor: &str) -> String {
        let Some(node) = self.lost_at.get(tensor) else { return "it is an input of the model".into() };
        format!("inference ends at node {}", operators::label(node))
    }

    /// How many elements a tensor has; `node` is who asks.
    pub(super) fn elements(&self, tensor: &str, node: impl Fn() -> String) -> Result<u64, Problem> {
        match product(self.dims(tensor, node)?) {
            Some(elements) if elements <= MAX_COUNT => Ok(elements),
            _ => Err(Problem::HugeTensor { tensor: tensor.into() }),
        }
    }
}

fn contradiction((tensor, file, inferred): &(&str, Type, Type)) -> String {
    format!(
        "tensor `{tensor}`: the file gives it {file}, which the inputs make {inferred}; that of the file is dropped"
    )
}

fn name_of(value: &ValueInfoProto) -> &str {
    value.name.as_deref().unwrap_or("")
}
