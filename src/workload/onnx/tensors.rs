//! The tensors of a graph: shape, element type, and whether a tensor is known before the network runs.

use std::collections::{BTreeMap, BTreeSet};

use rten_onnx::onnx::{DataType, Dimension, GraphProto, TensorProto, ValueInfoProto};

use super::problem::Problem;
use crate::workload::layer::{MAX_COUNT, product};

/// A shape of a higher rank counts as not given: no operator takes it, and copies of it would have no bound.
const MAX_RANK: usize = 16;

/// Where the elements of a tensor come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin<'m> {
    /// Computed at run time by this operation, seen through views; `None` for an input of the network.
    Activation(Option<usize>),
    /// Known before the network runs.
    Static {
        /// The initializer that it is, seen through views.
        root: Option<&'m str>,
        /// Rows taken from a look-up table: constant, but not a parameter of an operation.
        from_table: bool,
    },
}

impl Origin<'_> {
    /// Whether the elements are known before the network runs.
    pub(super) fn is_static(&self) -> bool {
        matches!(self, Self::Static { .. })
    }
}

#[derive(Clone, Debug)]
enum Extent<'m> {
    Size(i64),
    Symbol(&'m str),
    Unknown,
}

/// What is known of the shape and the element type of a tensor.
#[derive(Clone, Debug, Default)]
pub(super) struct Type<'m> {
    shape: Option<Vec<Extent<'m>>>,
    elements: Option<DataType>,
}

impl<'m> Type<'m> {
    fn of_value(value: &'m ValueInfoProto) -> Self {
        let tensor = value.r#type.as_ref().and_then(|ty| ty.tensor_type.as_ref());
        let extent = |dim: &'m Dimension| match (dim.dim_value, dim.dim_param.as_deref()) {
            (Some(size), _) => Extent::Size(size),
            (None, Some(name)) if !name.is_empty() => Extent::Symbol(name),
            (None, _) => Extent::Unknown,
        };
        let shape = tensor.and_then(|tensor| tensor.shape.as_ref());
        let shape = shape.filter(|shape| shape.dim.len() <= MAX_RANK);
        Self {
            shape: shape.map(|shape| shape.dim.iter().map(extent).collect()),
            elements: tensor.and_then(|tensor| tensor.elem_type),
        }
    }

    /// The type of an initializer or a constant.
    pub(super) fn of_tensor(tensor: &TensorProto) -> Self {
        let shape = tensor.dims.iter().map(|&size| Extent::Size(size)).collect();
        let shape = (tensor.dims.len() <= MAX_RANK).then_some(shape);
        Self { shape, elements: tensor.data_type }
    }

    /// A type of which the shape is not known.
    pub(super) fn of_elements(elements: Option<DataType>) -> Self {
        Self { shape: None, elements }
    }

    /// This type without its shape.
    pub(super) fn without_shape(self) -> Self {
        Self::of_elements(self.elements)
    }
}

/// Every tensor of one graph by name.
pub(super) struct Tensors<'m> {
    types: BTreeMap<&'m str, Type<'m>>,
    origins: BTreeMap<&'m str, Origin<'m>>,
    bindings: &'m BTreeMap<String, u64>,
}

impl<'m> Tensors<'m> {
    /// The initializers and inputs of a graph, and the shapes that it gives for the rest.
    pub(super) fn new(
        graph: &'m GraphProto,
        parameters: &BTreeSet<&str>,
        bindings: &'m BTreeMap<String, u64>,
    ) -> Result<Self, Problem> {
        let mut tensors = Self { types: BTreeMap::new(), origins: BTreeMap::new(), bindings };
        for value in graph.value_info.iter().chain(&graph.output).chain(&graph.input) {
            tensors.types.insert(value.name.as_deref().unwrap_or(""), Type::of_value(value));
        }
        for value in &graph.input {
            let name = value.name.as_deref().unwrap_or("");
            let origin = match parameters.contains(name) {
                true => Origin::Static { root: Some(name), from_table: false },
                false => Origin::Activation(None),
            };
            tensors.origins.insert(name, origin);
        }
        for tensor in &graph.initializer {
            let name = tensor.name.as_deref().unwrap_or("");
            tensors.types.insert(name, Type::of_tensor(tensor));
            tensors.origins.insert(name, Origin::Static { root: Some(name), from_table: false });
        }
        tensors.check_bindings().map(|()| tensors)
    }

    fn check_bindings(&self) -> Result<(), Problem> {
        let extents = self.types.values().flat_map(|ty| ty.shape.iter().flatten());
        let symbols: BTreeSet<&str> = extents
            .filter_map(|extent| match extent {
                Extent::Symbol(name) => Some(*name),
                Extent::Size(_) | Extent::Unknown => None,
            })
            .collect();
        match self.bindings.keys().find(|name| !symbols.contains(name.as_str())) {
            None => Ok(()),
            Some(name) => {
                let known = match symbols.is_empty() {
                    true => "it has none".into(),
                    false => format!("it has {}", symbols.into_iter().collect::<Vec<_>>().join(", ")),
                };
                Err(Problem::UnknownBinding { name: name.clone(), known })
            }
        }
    }

    /// Where a tensor comes from, if it is defined.
    pub(super) fn origin(&self, tensor: &str) -> Option<Origin<'m>> {
        self.origins.get(tensor).copied()
    }

    /// Defines a tensor that a node writes; false if it is defined already. Where the file does not give its type,
    /// `ty` is taken.
    pub(super) fn define(&mut self, tensor: &'m str, origin: Origin<'m>, ty: Type<'m>) -> bool {
        let known = self.types.entry(tensor).or_default();
        if known.shape.is_none() {
            known.shape = ty.shape;
        }
        known.elements = known.elements.or(ty.elements);
        self.origins.insert(tensor, origin).is_none()
    }

    /// The type of a tensor as far as it is known.
    pub(super) fn ty(&self, tensor: &str) -> Type<'m> {
        self.types.get(tensor).cloned().unwrap_or_default()
    }

    /// Whether the elements are floating-point numbers: parameters are, indices, shapes and masks are not.
    pub(super) fn is_float(&self, tensor: &str) -> bool {
        let float = [DataType::FLOAT, DataType::FLOAT16, DataType::BFLOAT16, DataType::DOUBLE];
        self.types.get(tensor).and_then(|ty| ty.elements).is_some_and(|ty| float.contains(&ty))
    }

    /// The sizes of a tensor; `node` is who asks.
    pub(super) fn dims(&self, tensor: &str, node: impl Fn() -> String) -> Result<Vec<u64>, Problem> {
        let shape = self.types.get(tensor).and_then(|ty| ty.shape.as_ref());
        let shape = shape.ok_or_else(|| Problem::NoShape { node: node(), tensor: tensor.into() })?;
        let bad = |index, found: String| Problem::BadDimension { tensor: tensor.into(), index, found };
        let size = |(index, extent): (usize, &Extent)| {
            let size = match *extent {
                Extent::Size(size) => u64::try_from(size).map_err(|_| bad(index, size.to_string()))?,
                Extent::Symbol(name) => *self
                    .bindings
                    .get(name)
                    .ok_or_else(|| Problem::Symbolic { tensor: tensor.into(), dimension: name.into() })?,
                Extent::Unknown => return Err(bad(index, "unknown".into())),
            };
            if size > u64::from(u32::MAX) { Err(bad(index, size.to_string())) } else { Ok(size) }
        };
        shape.iter().enumerate().map(size).collect()
    }

    /// How many elements a tensor has; `node` is who asks.
    pub(super) fn elements(&self, tensor: &str, node: impl Fn() -> String) -> Result<u64, Problem> {
        match product(self.dims(tensor, node)?) {
            Some(elements) if elements <= MAX_COUNT => Ok(elements),
            _ => Err(Problem::HugeTensor { tensor: tensor.into() }),
        }
    }
}
