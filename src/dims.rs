//! The vocabulary of the loop nest, shared by the hardware (which dimension may be looped where) and the workload (the
//! loop bounds).
//!
//! Every layer with MACs is the nest N G K C P Q R S: batch, groups, output and input channels **per group**,
//! output rows and columns, kernel rows and columns. P pairs with R and Q with S.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

/// One dimension of the loop nest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the eight letters are defined in the module documentation")]
pub enum Dim {
    N,
    G,
    K,
    C,
    P,
    Q,
    R,
    S,
}

impl Dim {
    /// All dimensions, in the order in which per-dimension arrays store them.
    pub const ALL: [Self; 8] = [Self::N, Self::G, Self::K, Self::C, Self::P, Self::Q, Self::R, Self::S];
}

/// One value per dimension, indexed by `dim as usize`.
pub type PerDim<T> = [T; 8];

/// A set of dimensions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DimSet(u8);

impl DimSet {
    /// The empty set.
    pub const EMPTY: Self = Self(0);

    /// The set of the given dimensions.
    pub const fn of(dims: &[Dim]) -> Self {
        let (mut bits, mut i) = (0, 0);
        while i < dims.len() {
            bits |= 1 << dims[i] as u8;
            i += 1;
        }
        Self(bits)
    }

    /// Whether `dim` is a member.
    pub const fn has(self, dim: Dim) -> bool {
        self.0 >> dim as u8 & 1 == 1
    }

    /// The members of both.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The members that `other` lacks.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The members and `dim`.
    pub const fn with(self, dim: Dim) -> Self {
        Self(self.0 | 1 << dim as u8)
    }

    /// The members, in the order of [`Dim::ALL`].
    pub fn iter(self) -> impl DoubleEndedIterator<Item = Dim> {
        Dim::ALL.into_iter().filter(move |&dim| self.has(dim))
    }
}

/// Serialises the members, not the bits that stand for them.
impl Serialize for DimSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl FromIterator<Dim> for DimSet {
    fn from_iter<I: IntoIterator<Item = Dim>>(dims: I) -> Self {
        dims.into_iter().fold(Self::EMPTY, Self::with)
    }
}

/// One of the three tensors of a loop nest.
///
/// For an activation x activation product `Weights` is the second operand, which is streamed like an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Tensor {
    Weights,
    Inputs,
    Outputs,
}

impl Tensor {
    /// All tensors, in the order in which per-tensor arrays store them.
    pub const ALL: [Self; 3] = [Self::Weights, Self::Inputs, Self::Outputs];

    /// The dimensions whose loops change which part of the tensor is touched.
    pub const fn dims(self) -> DimSet {
        match self {
            Self::Weights => DimSet::of(&[Dim::G, Dim::K, Dim::C, Dim::R, Dim::S]),
            Self::Inputs => DimSet::of(&[Dim::N, Dim::G, Dim::C, Dim::P, Dim::Q, Dim::R, Dim::S]),
            Self::Outputs => DimSet::of(&[Dim::N, Dim::G, Dim::K, Dim::P, Dim::Q]),
        }
    }
}

/// The kind of work that a layer is; an accelerator lists the kinds it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LayerKind {
    /// Convolution with static weights: strided, dilated, grouped, depthwise or pointwise.
    Conv,
    /// Matrix product with static weights; rows (tokens) run along P.
    Gemm,
    /// Product of two activations; independent products (heads) run along G.
    Matmul,
    /// Element-wise operation, pooling, join: bytes and element operations, no MACs.
    Vector,
    /// Table look-up (embedding): bytes only.
    Lookup,
}

/// What a post-processor can do with the output of a layer on its way to DRAM; an accelerator lists those that it has
/// (`post_ops`), and a vector layer says which one it is (`post_op`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PostOp {
    /// One operation per element: activation, scale, or a second operand that is read from DRAM (a residual add).
    Elementwise,
    /// A reduction of windows or of whole planes with one accumulator per output: pooling, a mean over rows and columns.
    Pool,
    /// A join of tensors: producers write to, and consumers read from, several places, so that nothing is copied.
    Concat,
}

impl PostOp {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Elementwise, Self::Pool, Self::Concat];

    /// The name used in data files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Elementwise => "elementwise",
            Self::Pool => "pool",
            Self::Concat => "concat",
        }
    }
}

impl LayerKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Conv, Self::Gemm, Self::Matmul, Self::Vector, Self::Lookup];

    /// The name used in data files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conv => "conv",
            Self::Gemm => "gemm",
            Self::Matmul => "matmul",
            Self::Vector => "vector",
            Self::Lookup => "lookup",
        }
    }
}
