//! What is known of the shape and the element type of a tensor.

use std::collections::BTreeMap;

use rten_onnx::onnx::{DataType, Dimension, TensorProto, ValueInfoProto};

/// A shape of a higher rank counts as not given: no operator takes it, and copies of it would have no bound.
pub(super) const MAX_RANK: usize = 16;

/// One dimension of a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent<'m> {
    Size(i64),
    /// A symbolic dimension without a binding.
    Symbol(&'m str),
    Unknown,
}

/// Shape and element type, as far as they are known.
#[derive(Clone, Debug, Default)]
pub(super) struct Type<'m> {
    pub(super) shape: Option<Vec<Extent<'m>>>,
    pub(super) elements: Option<DataType>,
}

impl<'m> Type<'m> {
    /// The type that the file gives.
    pub(super) fn of_value(value: &'m ValueInfoProto) -> Self {
        let tensor = value.r#type.as_ref().and_then(|ty| ty.tensor_type.as_ref());
        let extent = |dim: &'m Dimension| match (dim.dim_value, dim.dim_param.as_deref()) {
            // Some exporters write -1 for a dimension that they do not know.
            (Some(-1), None) => Extent::Unknown,
            (Some(size), _) => Extent::Size(size),
            // And "?", for any number of dimensions that differ.
            (None, Some(name)) if !matches!(name, "" | "?") => Extent::Symbol(name),
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

    /// An inferred type.
    pub(super) fn inferred(dims: Option<&[u64]>, elements: Option<DataType>) -> Self {
        let shape = dims.filter(|dims| dims.len() <= MAX_RANK).and_then(|dims| {
            dims.iter().map(|&size| i64::try_from(size).ok().map(Extent::Size)).collect::<Option<Vec<_>>>()
        });
        Self { shape, elements }
    }

    /// Gives the symbols in `bindings` their sizes.
    pub(super) fn bind(&mut self, bindings: &BTreeMap<String, u64>) {
        for extent in self.shape.iter_mut().flatten() {
            if let Extent::Symbol(name) = *extent
                && let Some(&size) = bindings.get(name)
            {
                *extent = sized(size);
            }
        }
    }

    /// Fills what this type leaves open with what another knows; where both know something, this one is right.
    pub(super) fn complete(&mut self, other: Self) {
        self.elements = self.elements.or(other.elements);
        match (&mut self.shape, other.shape) {
            (None, shape) => self.shape = shape,
            (Some(mine), Some(theirs)) if mine.len() == theirs.len() => {
                for (mine, theirs) in mine.iter_mut().zip(theirs) {
                    if !matches!(mine, Extent::Size(_)) && matches!(theirs, Extent::Size(_)) {
                        *mine = theirs;
                    }
                }
            }
            (Some(_), _) => {}
        }
    }

    /// The sizes, if all of them are known.
    pub(super) fn dims(&self) -> Option<Vec<u64>> {
        let size = |extent: &Extent| match *extent {
            Extent::Size(size) => u64::try_from(size).ok(),
            Extent::Symbol(_) | Extent::Unknown => None,
        };
        self.shape.as_ref()?.iter().map(size).collect()
    }
}

/// A size that a user gave; one beyond 63 bits is refused when it is used.
pub(super) fn sized<'m>(size: u64) -> Extent<'m> {
    Extent::Size(i64::try_from(size).unwrap_or(i64::MAX))
}
