//! The shapes of what a node writes, from the shapes of what it reads.
//!
//! What is inferred here goes before what the file says (`value_info`), which fills the gaps: an operator that is
//! missing here is no error where the file gives the shape of its output. Inference is all or nothing: every input shape
//! is known, since the network's inputs are bound, or lost at an operator whose output depends on data (`NonZero`, ...).
//!
//! `windows` has convolution and pooling, `views` what moves elements, `joins` what combines or reduces them; `fit` says
//! whether what a node reads fits together at all. Operator sets 7 to 20 differ in where an operator takes its
//! numbers from: an attribute goes before an input.

mod fit;
mod joins;
mod signals;
mod views;
mod windows;

#[cfg(test)]
mod tests;

use rten_onnx::onnx::NodeProto;

pub(super) use self::fit::misfit;
pub(super) use self::joins::reduced_axes;
pub(super) use self::views::{permutation, shape_range, slices};
use super::operators::{self, Domain};
use super::tensors::Tensors;
use super::values::Value;

/// Sizes beyond it are refused anyway; products of two stay within 64 bits.
const MAX_SIZE: i64 = 1 << 31;

/// A node and what is known of its inputs.
pub(super) struct Operands<'a> {
    pub(super) node: &'a NodeProto,
    pub(super) tensors: &'a Tensors<'a>,
}

impl Operands<'_> {
    fn name(&self, position: usize) -> Option<&str> {
        self.node.input.get(position).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// The sizes of an input.
    pub(super) fn dims(&self, position: usize) -> Option<Vec<u64>> {
        self.tensors.known_dims(self.name(position)?)
    }

    /// The elements of an input.
    pub(super) fn value(&self, position: usize) -> Option<&Value> {
        self.tensors.value(self.name(position)?)
    }

    /// The only element of an input.
    pub(super) fn scalar(&self, position: usize) -> Option<f64> {
        self.value(position)?.first().copied()
    }

    /// Whether arithmetic on an input is that of integers.
    pub(super) fn value_is_integer(&self, position: usize) -> bool {
        self.name(position).is_some_and(|name| !self.tensors.is_float(name))
    }

    /// Integers that an attribute gives or else an input: `Some(None)` if neither is there, `None` if the input is not
    /// known.
    pub(super) fn integers(&self, attribute: &str, position: usize) -> Option<Option<Vec<i64>>> {
        match operators::integers(self.node, attribute) {
            Some(list) => Some(Some(list.to_vec())),
            None => self.input_integers(position),
        }
    }

    /// The integers of an optional input.
    fn input_integers(&self, position: usize) -> Option<Option<Vec<i64>>> {
        match self.name(position) {
            Some(_) => Some(Some(self.value(position)?.iter().map(|&v| v as i64).collect())),
            None => Some(None),
        }
    }

    fn integer(&self, attribute: &str, default: i64) -> i64 {
        operators::integer(self.node, attribute, default)
    }
}

/// The shapes of the outputs in their order, as far as they follow from the inputs.
pub(super) fn infer(operands: &Operands) -> Option<Vec<Vec<u64>>> {
    use self::{joins, signals, views, windows};
    let one = |dims: Option<Vec<u64>>| dims.map(|dims| vec![dims]);
    let name = match operators::operator(operands.node)? {
        (Domain::Onnx, name) => name,
        (Domain::Blocked, "ReorderInput") => return one(views::in_blocks(operands)),
        _ => return None,
    };
    match name {
        "Conv" | "DeformConv" => one(windows::conv(operands)),
        "ConvTranspose" => one(windows::conv_transpose(operands)),
        // The second output holds the places of the maxima.
        "MaxPool" => windows::pool(operands).map(|dims| vec![dims.clone(), dims]),
        "AveragePool" | "LpPool" => one(windows::pool(operands)),
        "GlobalAveragePool" | "GlobalMaxPool" | "GlobalLpPool" => one(windows::global_pool(operands)),
        "Resize" | "Upsample" => one(windows::resize(operands)),
        "Gemm" => one(joins::gemm(operands)),
        "MatMul" => one(joins::matmul(operands)),
        "Einsum" => one(joins::einsum(operands)),
        "RNN" | "GRU" | "LSTM" => joins::recurrent(operands),
        "Concat" => one(joins::concat(operands)),
        "ReduceMean" | "ReduceSum" | "ReduceMax" | "ReduceMin" | "ReduceProd" | "ReduceL1" | "ReduceL2"
        | "ReduceSumSquare" | "ReduceLogSum" | "ReduceLogSumExp" => one(joins::reduce(operands)),
        "ArgMax" | "ArgMin" => one(joins::arg(operands)),
        name if broadcasts(name) => one(joins::broadcast_inputs(operands)),
        "Reshape" => one(views::reshape(operands)),
        "Flatten" => one(views::flatten(operands)),
        "Transpose" => one(views::transpose(operands)),
        "Squeeze" => one(views::squeeze(operands)),
        "Unsqueeze" => one(views::unsqueeze(operands)),
        "Slice" => one(views::slice(operands)),
        "Split" => views::split(operands),
        "Expand" => one(views::expand(operands)),
        "Tile" => one(views::tile(operands)),
        "Pad" => one(views::pad(operands)),
        "Gather" => one(views::gather(operands)),
        "NonZero" => {
            let value = operands.value(0)?;
            let count = value.iter().filter(|&&element| element != 0.0).count();
            one(Some(vec![value.ndim() as u64, count as u64]))
        }
        "GatherElements" => one(operands.dims(1)),
        "GatherND" => one(views::gather_nd(operands)),
        "DepthToSpace" => one(views::depth_to_space(operands)),
        "SpaceToDepth" => one(views::space_to_depth(operands)),
        "OneHot" => one(views::one_hot(operands)),
        "Constant" => one(views::constant(operands.node)),
        "ConstantOfShape" => one(sizes(operands.value(0)?.iter().map(|&v| v as i64))),
        "Range" => one(views::range(operands)),
        "Shape" => {
            let rank = shape_range(operands.node, operands.dims(0)?.len()).len();
            Some(vec![vec![rank as u64]])
        }
        "Size" => Some(vec![Vec::new()]),
        "DynamicQuantizeLinear" => operands.dims(0).map(|dims| vec![dims, Vec::new(), Vec::new()]),
        "Dropout" => operands.dims(0).map(|dims| vec![dims.clone(), dims]),
        "TopK" => views::top_k(operands),
        "NonMaxSuppression" => one(views::most_boxes(operands)),
        "GridSample" => one(windows::grid_sample(operands)),
        "AffineGrid" => one(windows::affine_grid(operands)),
        "RoiAlign" => one(windows::roi_align(operands)),
        "HannWindow" | "HammingWindow" | "BlackmanWindow" => one(signals::window(operands)),
        "MelWeightMatrix" => one(signals::mel_weights(operands)),
        "RandomNormal" | "RandomUniform" => one(signals::random(operands)),
        "DFT" => one(signals::spectrum(operands)),
        "STFT" => one(signals::spectra(operands)),
        "Col2Im" => one(windows::columns_to_image(operands)),
        "CenterCropPad" => one(views::center_crop_pad(operands)),
        _ if keeps_shape(operands.node) => one(operands.dims(0)),
        _ => None,
    }
}

/// Whether a window does not fit into its input.
pub(super) fn is_too_small(operands: &Operands) -> bool {
    windows::is_too_small(operands).unwrap_or(false)
}

/// Whether an operator multiplies sizes by scales and rounds, which tools do in different ways.
pub(super) fn is_rounded(node: &NodeProto) -> bool {
    let by_sizes = || node.input.get(3).is_some_and(|sizes| !sizes.is_empty());
    matches!(operators::onnx(node), Some("Resize" | "Upsample")) && !by_sizes()
}

/// Operators whose first output has the shape of their first input.
pub(super) fn keeps_shape(node: &NodeProto) -> bool {
    let Some(op) = operators::onnx(node) else { return false };
    matches!(
        op,
        "Identity"
            | "Acos"
            | "Acosh"
            | "Asin"
            | "Asinh"
            | "Atanh"
            | "Bernoulli"
            | "BitCast"
            | "Cosh"
            | "CumProd"
            | "EyeLike"
            | "Hardmax"
            | "MeanVarianceNormalization"
            | "RandomNormalLike"
            | "RandomUniformLike"
            | "ReverseSequence"
            | "RotaryEmbedding"
            | "Scatter"
            | "Shrink"
            | "Sinh"
            | "TensorScatter"
            | "Cast"
            | "CastLike"
            | "Relu"
            | "LeakyRelu"
            | "PRelu"
            | "Elu"
            | "Selu"
            | "Celu"
            | "Clip"
            | "Sigmoid"
            | "HardSigmoid"
            | "HardSwish"
            | "Swish"
            | "Mish"
            | "Tanh"
            | "Gelu"
            | "Softplus"
            | "Softsign"
            | "ThresholdedRelu"
            | "Erf"
            | "Exp"
            | "Log"
            | "Sqrt"
            | "Reciprocal"
            | "Neg"
            | "Abs"
            | "Sign"
            | "Floor"
            | "Ceil"
            | "Round"
            | "Sin"
            | "Cos"
            | "Not"
            | "IsNaN"
            | "IsInf"
            | "BitwiseNot"
            | "Tan"
            | "Atan"
            | "QuantizeLinear"
            | "DequantizeLinear"
            | "BatchNormalization"
            | "Softmax"
            | "LogSoftmax"
            | "LayerNormalization"
            | "GroupNormalization"
            | "InstanceNormalization"
            | "RMSNormalization"
            | "LpNormalization"
            | "LRN"
            | "CumSum"
            | "ScatterND"
            | "ScatterElements"
            | "Trilu"
    )
}

/// Operators that bring all their inputs into one shape.
fn broadcasts(name: &str) -> bool {
    matches!(
        name,
        "Add"
            | "Sub"
            | "Mul"
            | "Div"
            | "Mod"
            | "Pow"
            | "Min"
            | "Max"
            | "Sum"
            | "Mean"
            | "And"
            | "Or"
            | "Xor"
            | "BitwiseAnd"
            | "BitwiseOr"
            | "BitwiseXor"
            | "BitShift"
            | "Equal"
            | "Greater"
            | "GreaterOrEqual"
            | "Less"
            | "LessOrEqual"
            | "Where"
    )
}

/// Sizes that are none below zero.
fn sizes(numbers: impl IntoIterator<Item = i64>) -> Option<Vec<u64>> {
    numbers.into_iter().map(|size| u64::try_from(size).ok()).collect()
}

/// Sizes as numbers that may be added and multiplied without overflow.
fn numbers(dims: &[u64]) -> Option<Vec<i64>> {
    dims.iter().map(|&size| i64::try_from(size).ok().filter(|&size| size <= MAX_SIZE)).collect()
}

/// An axis that may count from the end.
pub(super) fn axis(axis: i64, rank: usize) -> Option<usize> {
    let rank = i64::try_from(rank).ok()?;
    let axis = if axis < 0 { axis.checked_add(rank)? } else { axis };
    usize::try_from(axis).ok().filter(|_| axis < rank)
}

/// Shapes aligned at their last dimension, where a size of 1 repeats.
fn broadcast(left: &[u64], right: &[u64]) -> Option<Vec<u64>> {
    let rank = left.len().max(right.len());
    let at = |dims: &[u64], i: usize| (i + dims.len()).checked_sub(rank).map_or(1, |i| dims[i]);
    (0..rank)
        .map(|i| match (at(left, i), at(right, i)) {
            (a, b) if a == b => Some(a),
            (1, b) => Some(b),
            (a, 1) => Some(a),
            _ => None,
        })
        .collect()
}
