//! One layer: a loop nest with MACs, a vector operation, or a look-up.

use crate::dims::{Dim, LayerKind, PerDim, PostOp, Tensor};
use crate::precision::Precision;
use crate::units::Macs;

/// The largest count of MACs or elements that one layer may have. Our choice, because it is far above every real layer,
/// and sums over a network and a batch stay within 64 bits.
pub const MAX_COUNT: u64 = 1 << 50;

/// The most layers that an importer makes. Our choice, because only a recurrent network over a very long sequence comes
/// near it.
pub const MAX_LAYERS: u64 = 1 << 16;

/// The product of some sizes, unless it exceeds 64 bits.
pub fn product(sizes: impl IntoIterator<Item = u64>) -> Option<u64> {
    sizes.into_iter().try_fold(1u64, u64::checked_mul)
}

/// The loop nest of a convolution or matrix product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoopNest {
    /// Trip counts by [`Dim`]; K and C per group.
    pub bounds: PerDim<u64>,
    /// Stride along P and Q.
    pub stride: [u64; 2],
    /// Dilation along R and S.
    pub dilation: [u64; 2],
    /// Rows and columns of the input, both sides together, that are padding: no tensor has them. Counts include them
    /// unless an accelerator does not read padding.
    pub padding: [u64; 2],
}

impl LoopNest {
    /// The trip count of one dimension.
    pub fn bound(&self, dim: Dim) -> u64 {
        self.bounds[dim as usize]
    }

    /// Checks that every later count can represent the sizes; the error says what is allowed.
    pub fn check(&self) -> Result<(), String> {
        let mut sizes = self.bounds.iter().chain(&self.stride).chain(&self.dilation);
        if sizes.any(|&size| size == 0 || size > u64::from(u32::MAX)) {
            return Err("every dimension, stride and dilation must be at least 1 and fit 32 bits".into());
        }
        if product(self.bounds).is_none_or(|macs| macs > MAX_COUNT) {
            return Err("the layer has more than 2^50 MACs".into());
        }
        let at = |dim| self.bound(dim);
        let [rows, columns] = [0, 1].map(|axis| self.window(axis));
        if let Some((window, padding)) = [rows, columns]
            .into_iter()
            .flatten()
            .zip(self.padding)
            .find(|(window, padding)| padding >= window)
        {
            return Err(format!("{padding} rows or columns of padding leave nothing of {window}"));
        }
        let inputs = rows
            .zip(columns)
            .and_then(|(rows, columns)| product([at(Dim::N), at(Dim::G), at(Dim::C), rows, columns]));
        match inputs {
            Some(elements) if elements <= MAX_COUNT => Ok(()),
            _ => Err("the layer reads more than 2^50 input elements".into()),
        }
    }

    /// Input rows (axis 0) or columns (axis 1) under all windows, padding included: (P - 1) stride + (R - 1) dilation + 1;
    /// `None` beyond 64 bits.
    pub fn window(&self, axis: usize) -> Option<u64> {
        let (outputs, kernel) = [(Dim::P, Dim::R), (Dim::Q, Dim::S)][axis];
        // Each product of two 32-bit sizes fits 64 bits; their sum need not.
        let reach = (self.bound(outputs) - 1) * self.stride[axis];
        reach.checked_add((self.bound(kernel) - 1) * self.dilation[axis])?.checked_add(1)
    }

    /// Multiply-accumulates of the whole nest.
    pub fn macs(&self) -> Macs {
        Macs(self.bounds.iter().product())
    }

    /// Elements of one tensor: the projection of the whole nest. Inputs include the halo and no padding is removed:
    /// the extent is (P-1) stride + (R-1) dilation + 1 (the convention of Timeloop; a stride above the kernel
    /// therefore counts skipped rows, too).
    pub fn elements(&self, tensor: Tensor) -> u64 {
        tile_elements(self, &self.bounds, tensor)
    }
}

/// Elements of `tensor` in a tile of the given extents of `nest`.
#[inline]
pub fn tile_elements(nest: &LoopNest, tile: &PerDim<u64>, tensor: Tensor) -> u64 {
    let at = |dim: Dim| tile[dim as usize];
    match tensor {
        Tensor::Weights => at(Dim::G) * at(Dim::K) * at(Dim::C) * at(Dim::R) * at(Dim::S),
        Tensor::Outputs => at(Dim::N) * at(Dim::G) * at(Dim::K) * at(Dim::P) * at(Dim::Q),
        Tensor::Inputs => {
            let rows = (at(Dim::P) - 1) * nest.stride[0] + (at(Dim::R) - 1) * nest.dilation[0] + 1;
            let columns = (at(Dim::Q) - 1) * nest.stride[1] + (at(Dim::S) - 1) * nest.dilation[1] + 1;
            at(Dim::N) * at(Dim::G) * at(Dim::C) * rows * columns
        }
    }
}

/// The work of a layer. Sizes are elements at batch 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    /// Convolution with static weights.
    Conv(LoopNest),
    /// Matrix product with static weights; tokens along P.
    Gemm(LoopNest),
    /// Activation x activation; heads along G.
    Matmul(LoopNest),
    /// Element-wise, pooling or join.
    Vector {
        /// Elements read.
        reads: u64,
        /// Elements written.
        writes: u64,
        /// Element operations.
        ops: u64,
    },
    /// Table look-up.
    Lookup {
        /// Elements read.
        reads: u64,
        /// Elements written.
        writes: u64,
    },
}

impl Op {
    /// The kind of the layer, which accelerators list.
    pub fn kind(&self) -> LayerKind {
        match self {
            Self::Conv(_) => LayerKind::Conv,
            Self::Gemm(_) => LayerKind::Gemm,
            Self::Matmul(_) => LayerKind::Matmul,
            Self::Vector { .. } => LayerKind::Vector,
            Self::Lookup { .. } => LayerKind::Lookup,
        }
    }

    /// The loop nest of a layer with MACs.
    pub fn nest(&self) -> Option<&LoopNest> {
        match self {
            Self::Conv(nest) | Self::Gemm(nest) | Self::Matmul(nest) => Some(nest),
            Self::Vector { .. } | Self::Lookup { .. } => None,
        }
    }

    /// The loop nest of a layer with MACs, to be changed.
    pub fn nest_mut(&mut self) -> Option<&mut LoopNest> {
        match self {
            Self::Conv(nest) | Self::Gemm(nest) | Self::Matmul(nest) => Some(nest),
            Self::Vector { .. } | Self::Lookup { .. } => None,
        }
    }

    /// Multiply-accumulates, zero for layers without a nest.
    pub fn macs(&self) -> Macs {
        self.nest().map_or(Macs(0), LoopNest::macs)
    }

    /// Checks that every later count can represent the sizes; the error says what is allowed.
    pub fn check(&self) -> Result<(), String> {
        match *self {
            Self::Conv(nest) | Self::Gemm(nest) | Self::Matmul(nest) => nest.check(),
            Self::Vector { reads, writes, ops } => check_sizes(reads, writes, ops),
            Self::Lookup { reads, writes } => check_sizes(reads, writes, 0),
        }
    }

    /// Elements that the layer writes.
    pub fn output_elements(&self) -> u64 {
        match self {
            Self::Conv(nest) | Self::Gemm(nest) | Self::Matmul(nest) => nest.elements(Tensor::Outputs),
            Self::Vector { writes, .. } | Self::Lookup { writes, .. } => *writes,
        }
    }

    /// The same work for `batch` inputs at once: N grows, or G for products of two activations, whose second operand
    /// differs per input.
    pub fn with_batch(&self, batch: u64) -> Self {
        let grown = |nest: &LoopNest, dim: Dim| {
            let mut nest = *nest;
            nest.bounds[dim as usize] *= batch;
            nest
        };
        match self {
            Self::Conv(nest) => Self::Conv(grown(nest, Dim::N)),
            Self::Gemm(nest) => Self::Gemm(grown(nest, Dim::N)),
            Self::Matmul(nest) => Self::Matmul(grown(nest, Dim::G)),
            Self::Vector { reads, writes, ops } => {
                Self::Vector { reads: reads * batch, writes: writes * batch, ops: ops * batch }
            }
            Self::Lookup { reads, writes } => Self::Lookup { reads: reads * batch, writes: writes * batch },
        }
    }
}

fn check_sizes(reads: u64, writes: u64, ops: u64) -> Result<(), String> {
    if reads.max(writes).max(ops) > MAX_COUNT {
        return Err("reads, writes and ops must be at most 2^50".into());
    }
    if reads + writes == 0 {
        return Err("a layer without MACs reads or writes something".into());
    }
    Ok(())
}

/// An operation at the output of a layer, before that output leaves the accelerator. Sizes are elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Post {
    /// What the accelerator's post-processor must have.
    pub op: PostOp,
    /// Elements that the operation reads, the output that it follows included.
    pub reads: u64,
    /// Elements that it writes.
    pub writes: u64,
    /// Element operations.
    pub ops: u64,
}

/// The work of a layer with all that runs at its output, in order: the unit that the cost model costs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Work {
    /// The layer's own work.
    pub op: Op,
    /// What runs at its output, whose operands and results are like that output.
    pub post: Vec<Post>,
    /// The bits of its elements.
    pub precision: Precision,
}

impl From<Op> for Work {
    fn from(op: Op) -> Self {
        Self { op, post: Vec::new(), precision: Precision::NATIVE }
    }
}

impl Work {
    /// Checks that every later count can represent the sizes; the error says what is allowed.
    pub fn check(&self) -> Result<(), String> {
        self.op.check()?;
        self.post.iter().try_for_each(|post| check_sizes(post.reads, post.writes, post.ops))
    }

    /// Elements that leave the accelerator.
    pub fn output_elements(&self) -> u64 {
        self.post.last().map_or_else(|| self.op.output_elements(), |post| post.writes)
    }
}

/// One node of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Unique within its network.
    pub name: String,
    /// The layer's work at batch 1.
    pub op: Op,
    /// The bits of its elements, as far as the network says them.
    pub precision: Precision,
    /// What a vector layer does, if a post-processor may do it.
    pub post_op: Option<PostOp>,
    /// The operations of the original graph that run inside this layer at no cost (bias, BN, activation), for the
    /// reader; they have no effect.
    pub fused: Vec<String>,
    /// The vector layers of the network file that have become a part of this layer ([`super::Network::fused`]), at
    /// batch 1.
    pub post: Vec<Post>,
    /// Whether the network hands out the output although other layers read it.
    pub is_output: bool,
    /// Indices of the layers whose outputs this one reads; all smaller than its own index.
    pub after: Vec<usize>,
}

impl Layer {
    /// A layer that nothing is known of but its name, its work and its predecessors.
    pub fn new(name: impl Into<String>, op: Op, after: Vec<usize>) -> Self {
        Self {
            name: name.into(),
            op,
            precision: Precision::NATIVE,
            post_op: None,
            fused: Vec::new(),
            post: Vec::new(),
            is_output: false,
            after,
        }
    }

    /// The layer's work for `batch` inputs at once.
    pub fn work(&self, batch: u64) -> Work {
        let grown = |post: &Post| Post {
            reads: post.reads * batch,
            writes: post.writes * batch,
            ops: post.ops * batch,
            ..*post
        };
        let post = self.post.iter().map(grown).collect();
        Work { op: self.op.with_batch(batch), post, precision: self.precision }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conv1() -> LoopNest {
        LoopNest { bounds: [1, 1, 64, 3, 55, 55, 11, 11], stride: [4, 4], dilation: [1, 1], padding: [0; 2] }
    }

    #[test]
    fn alexnet_conv1_by_hand() {
        assert_eq!(conv1().macs(), Macs(64 * 3 * 55 * 55 * 121));
        assert_eq!(conv1().elements(Tensor::Inputs), 3 * 227 * 227);
        assert_eq!(conv1().elements(Tensor::Outputs), 64 * 55 * 55);
        assert_eq!(conv1().elements(Tensor::Weights), 64 * 3 * 121);
    }

    #[test]
    fn padding_leaves_something_of_the_input() {
        let padded = |padding| LoopNest { padding, ..conv1() }.check();
        assert_eq!(padded([226, 3]), Ok(()));
        assert_eq!(padded([3, 227]), Err("227 rows or columns of padding leave nothing of 227".into()));
    }

    #[test]
    fn batch_multiplies_macs_and_shares_static_weights_only() {
        let conv = Op::Conv(conv1()).with_batch(4);
        assert_eq!(conv.macs().0, 4 * conv1().macs().0);
        assert_eq!(conv.nest().unwrap().elements(Tensor::Weights), conv1().elements(Tensor::Weights));
        let matmul = Op::Matmul(conv1()).with_batch(4);
        assert_eq!(matmul.nest().unwrap().elements(Tensor::Weights), 4 * conv1().elements(Tensor::Weights));
    }
}
