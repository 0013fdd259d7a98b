//! The shape and the element type of a tensor, as far as they are known.

use std::collections::BTreeMap;
use std::fmt;

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
            // Exporters write -1, 0 or "?" for a dimension that they do not know.
            (Some(size @ 1..), _) => Extent::Size(size),
            (_, Some(name)) if !matches!(name, "" | "?") => Extent::Symbol(name),
            _ => Extent::Unknown,
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

    /// Whether another type has another rank, another size or other elements, as far as both are known.
    pub(super) fn contradicts(&self, other: &Self) -> bool {
        self.differs_in_shape(other)
            || matches!((self.elements, other.elements), (Some(mine), Some(theirs)) if mine != theirs)
    }

    fn differs_in_shape(&self, other: &Self) -> bool {
        let (Some(mine), Some(theirs)) = (&self.shape, &other.shape) else { return false };
        let differ = |(mine, theirs): (&Extent, &Extent)| matches!((mine, theirs), (Extent::Size(mine), Extent::Size(theirs)) if mine != theirs);
        mine.len() != theirs.len() || mine.iter().zip(theirs).any(differ)
    }

    /// Whether the sizes differ as two ways of rounding do: somewhere, and nowhere by more than one.
    pub(super) fn differs_by_rounding(&self, other: &Self) -> bool {
        let (Some(mine), Some(theirs)) = (&self.shape, &other.shape) else { return false };
        let near = |(mine, theirs): (&Extent, &Extent)| match (mine, theirs) {
            (Extent::Size(mine), Extent::Size(theirs)) => mine.abs_diff(*theirs) <= 1,
            _ => true,
        };
        self.differs_in_shape(other) && mine.len() == theirs.len() && mine.iter().zip(theirs).all(near)
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

impl fmt::Display for Type<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = |extent: &Extent| match extent {
            Extent::Size(size) => size.to_string(),
            Extent::Symbol(name) => (*name).to_owned(),
            Extent::Unknown => "?".into(),
        };
        match self.shape.as_deref() {
            None => write!(f, "any shape")?,
            Some([]) => write!(f, "a scalar")?,
            Some(shape) => write!(f, "{}", shape.iter().map(size).collect::<Vec<_>>().join(" x "))?,
        }
        match self.elements {
            Some(elements) => write!(f, " of {elements}"),
            None => Ok(()),
        }
    }
}

/// Sizes as errors write them.
pub(super) fn told(dims: &[u64]) -> String {
    match dims {
        [] => "a scalar".into(),
        _ => dims.iter().map(u64::to_string).collect::<Vec<_>>().join(" x "),
    }
}

/// A size that a user gave; one beyond 63 bits is refused when it is used.
pub(super) fn sized<'m>(size: u64) -> Extent<'m> {
    Extent::Size(i64::try_from(size).unwrap_or(i64::MAX))
}
