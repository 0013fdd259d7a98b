//! The class of each ONNX operator in the simulator, and the number of element operations of a vector layer.
//!
//! | operators | element operations | because |
//! |---|---|---|
//! | element-wise | operands - 1 per output element, at least 1; Clip 1 | one two-operand operation each; an activation is one table or polynomial step |
//! | BatchNormalization | 2 per output element | scale and shift, folded at inference |
//! | Softmax, LogSoftmax | 5 per output element | maximum, subtract, exponentiate, sum, divide |
//! | LayerNormalization and its kin | 7 per output element | sum, subtract, square, sum of squares, times 1/sigma, scale, shift |
//! | RMSNormalization | 4 per output element | square, sum, times 1/rms, scale |
//! | pooling | kernel size per output element | one comparison or addition per tap |
//! | LRN | window + 3 per output element | a square and sum per tap, then scale, power, divide |
//! | RotaryEmbedding, AffineGrid | 3 per output element | two products and their sum |
//! | random numbers | 1 per output element | one number each |
//! | reductions, global pooling, Col2Im | 1 per input element | one comparison or addition each |
//! | Resize, Upsample, GridSample, RoiAlign | 0 nearest, 4 linear, 16 cubic per output element | one per tap in two dimensions |
//! | Concat, Pad, Expand, ... | 0 | a copy |
//!
//! A layer reads its activations and its floating-point parameters, single numbers aside, and writes its first output.
//! Operations fused into another layer cost nothing.

use rten_onnx::onnx::{NodeProto, TensorProto};

use super::einsum;

/// The domain that defines an operator. A name means nothing without its domain, because anybody may define an operator
/// `Conv`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Domain {
    /// ONNX itself: the domain without a name, also written `ai.onnx`.
    Onnx,
    /// `com.microsoft`: what onnxruntime adds and writes when it optimises a model. `rewrite` reads it as ONNX.
    Microsoft,
    /// `com.microsoft.nchwc`: what onnxruntime writes when it optimises a model for one machine, with channels in blocks.
    Blocked,
}

/// The name of [`Domain::Blocked`].
pub(super) const BLOCKED: &str = "com.microsoft.nchwc";

/// Whether a domain is that of ONNX itself.
pub(super) fn is_onnx(domain: Option<&str>) -> bool {
    matches!(domain, None | Some("" | "ai.onnx"))
}

/// The operator of a node: who defines it, and its name. `None` if the domain is not known.
pub(super) fn operator(node: &NodeProto) -> Option<(Domain, &str)> {
    let domain = match node.domain.as_deref() {
        domain if is_onnx(domain) => Domain::Onnx,
        Some("com.microsoft") => Domain::Microsoft,
        Some(BLOCKED) => Domain::Blocked,
        _ => return None,
    };
    Some((domain, node.op_type.as_deref()?))
}

/// The name of an operator of ONNX itself.
pub(super) fn onnx(node: &NodeProto) -> Option<&str> {
    operator(node).and_then(|(domain, name)| (domain == Domain::Onnx).then_some(name))
}

/// How errors name an operator: that of another domain together with it.
pub(super) fn full_name(node: &NodeProto) -> String {
    let name = node.op_type.as_deref().unwrap_or("?");
    match node.domain.as_deref() {
        Some(domain) if !is_onnx(Some(domain)) => format!("{domain}.{name}"),
        _ => name.to_owned(),
    }
}

/// What an operator becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// The same elements under another shape or type, or a part of them: an edge.
    View,
    /// Rows of a table by index.
    Gather,
    /// Convolution.
    Conv,
    /// Transposed convolution.
    ConvTranspose,
    /// Gemm: a matrix product of rank 2 with optional transposes.
    Gemm,
    /// Batched matrix product.
    MatMul,
    /// A product of two operands in index notation.
    Einsum,
    /// A recurrent network over a sequence, with this many gates.
    Recurrent(u64),
    /// Works on each element alone, given constants: runs at the output of the layer before it.
    Pointwise(Cost),
    /// Its own pass over memory.
    Vector(Cost),
}

/// The number of element operations of a vector layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cost {
    /// Operands - 1 per output element, at least 1.
    Operands,
    /// A fixed number per output element.
    PerOutput(u64),
    /// One per input element.
    PerInput,
    /// The kernel size per output element.
    Kernel,
    /// The attribute `size` + 3 per output element.
    Window,
    /// By the attribute `mode`.
    Interpolation,
}

/// The class of an operator, unless it is unknown.
///
/// Unknown on purpose: control flow (If, Loop, Scan), whose work depends on data, and sorting (TopK,
/// NonMaxSuppression), which accelerators leave to the host.
pub(super) fn class(node: &NodeProto) -> Option<Class> {
    match operator(node)? {
        (Domain::Onnx, "Einsum") => Some(einsum::class(node)),
        (Domain::Onnx, name) => onnx_class(name),
        (Domain::Blocked, "ReorderInput") => Some(Class::View),
        (Domain::Microsoft | Domain::Blocked, _) => None,
    }
}

fn onnx_class(name: &str) -> Option<Class> {
    use Class::{Conv, ConvTranspose, Gather, Gemm, MatMul, Pointwise, Recurrent, Vector, View};
    Some(match name {
        "BitCast"
        | "Reshape"
        | "Transpose"
        | "Squeeze"
        | "Unsqueeze"
        | "Identity"
        | "Flatten"
        | "Cast"
        | "CastLike"
        | "Dropout"
        | "Slice"
        | "Split"
        | "GatherND"
        | "GatherElements"
        | "DepthToSpace"
        | "SpaceToDepth"
        | "QuantizeLinear"
        | "DequantizeLinear"
        | "DynamicQuantizeLinear" => View,
        "Gather" => Gather,
        "Conv" | "DeformConv" => Conv,
        "ConvTranspose" => ConvTranspose,
        "Gemm" => Gemm,
        "MatMul" => MatMul,
        "RNN" => Recurrent(1),
        "GRU" => Recurrent(3),
        "LSTM" => Recurrent(4),
        "Relu" | "LeakyRelu" | "PRelu" | "Elu" | "Selu" | "Celu" | "Sigmoid" | "HardSigmoid"
        | "HardSwish" | "Swish" | "Mish" | "Tanh" | "Gelu" | "Softplus" | "Softsign" | "ThresholdedRelu"
        | "Erf" | "Exp" | "Log" | "Sqrt" | "Reciprocal" | "Neg" | "Abs" | "Sign" | "Floor" | "Ceil"
        | "Round" | "Sin" | "Cos" | "Tan" | "Asin" | "Acos" | "Atan" | "Sinh" | "Cosh" | "Asinh"
        | "Acosh" | "Atanh" | "Shrink" | "Not" | "IsNaN" | "IsInf" | "BitwiseNot" | "Add" | "Sub" | "Mul"
        | "Div" | "Mod" | "Pow" | "Min" | "Max" | "Sum" | "Mean" | "And" | "Or" | "Xor" | "BitwiseAnd"
        | "BitwiseOr" | "BitwiseXor" | "BitShift" | "Equal" | "Greater" | "GreaterOrEqual" | "Less"
        | "LessOrEqual" | "Where" => Pointwise(Cost::Operands),
        // Its bounds are attributes or inputs.
        "Clip" => Pointwise(Cost::PerOutput(1)),
        "BatchNormalization" => Pointwise(Cost::PerOutput(2)),
        "Softmax" | "LogSoftmax" | "Hardmax" => Vector(Cost::PerOutput(5)),
        "LayerNormalization"
        | "GroupNormalization"
        | "InstanceNormalization"
        | "MeanVarianceNormalization" => Vector(Cost::PerOutput(7)),
        "RotaryEmbedding" | "AffineGrid" => Vector(Cost::PerOutput(3)),
        "RandomNormalLike" | "RandomUniformLike" | "Bernoulli" => Vector(Cost::PerOutput(1)),
        "RMSNormalization" | "LpNormalization" => Vector(Cost::PerOutput(4)),
        "LRN" => Vector(Cost::Window),
        "MaxPool" | "AveragePool" | "LpPool" => Vector(Cost::Kernel),
        "GlobalAveragePool" | "GlobalMaxPool" | "GlobalLpPool" | "ReduceMean" | "ReduceSum" | "ReduceMax"
        | "ReduceMin" | "ReduceProd" | "ReduceL1" | "ReduceL2" | "ReduceSumSquare" | "ReduceLogSum"
        | "ReduceLogSumExp" | "ArgMax" | "ArgMin" | "CumSum" | "CumProd" | "Col2Im" => Vector(Cost::PerInput),
        "Resize" | "Upsample" | "GridSample" | "RoiAlign" => Vector(Cost::Interpolation),
        "Concat" | "Pad" | "Expand" | "Tile" | "ScatterND" | "ScatterElements" | "Scatter"
        | "TensorScatter" | "Trilu" | "OneHot" | "CenterCropPad" | "ReverseSequence" => {
            Vector(Cost::PerOutput(0))
        }
        _ => return None,
    })
}

/// Operators whose output depends on the shape of their input only, so that it is known before the network runs.
pub(super) fn reads_shape_only(node: &NodeProto) -> bool {
    matches!(onnx(node), Some("Shape" | "Size" | "EyeLike"))
}

/// Whether an output is a scale or a zero point.
pub(super) fn is_scale(node: &NodeProto, output: usize) -> bool {
    onnx(node) == Some("DynamicQuantizeLinear") && output > 0
}

/// Whether a convolution or Gemm has a bias.
pub(super) fn has_bias(node: &NodeProto) -> bool {
    // Behind the offsets of DeformConv.
    let position = if onnx(node) == Some("DeformConv") { 3 } else { 2 };
    node.input.get(position).is_some_and(|bias| !bias.is_empty())
}

/// Operators that run a sub-graph; they are never constant, since a sub-graph may read any tensor.
pub(super) fn is_control_flow(node: &NodeProto) -> bool {
    matches!(onnx(node), Some("If" | "Loop" | "Scan" | "SequenceMap"))
}

/// How errors and layers name a node.
pub(super) fn label(node: &NodeProto) -> String {
    let op = node.op_type.as_deref().unwrap_or("?");
    match (node.name.as_deref(), node.output.first()) {
        (Some(name), _) if !name.is_empty() => format!("`{name}` ({op})"),
        (_, Some(output)) => format!("{op} that writes `{output}`"),
        (_, None) => op.to_owned(),
    }
}

/// Whether an attribute is given.
pub(super) fn has(node: &NodeProto, name: &str) -> bool {
    node.attribute.iter().any(|a| a.name.as_deref() == Some(name))
}

/// An integer attribute, or its default.
pub(super) fn integer(node: &NodeProto, name: &str, default: i64) -> i64 {
    let attribute = node.attribute.iter().find(|a| a.name.as_deref() == Some(name));
    attribute.and_then(|a| a.i).unwrap_or(default)
}

/// A number that is an attribute, or its default.
pub(super) fn float(node: &NodeProto, name: &str, default: f64) -> f64 {
    let attribute = node.attribute.iter().find(|a| a.name.as_deref() == Some(name));
    attribute.and_then(|a| a.f).map_or(default, f64::from)
}

/// An attribute that is a list of integers, where it is given.
pub(super) fn integers<'m>(node: &'m NodeProto, name: &str) -> Option<&'m [i64]> {
    let attribute = node.attribute.iter().find(|a| a.name.as_deref() == Some(name));
    attribute.map(|a| a.ints.as_slice())
}

/// An attribute that is a list of numbers, where it is given.
pub(super) fn floats<'m>(node: &'m NodeProto, name: &str) -> Option<&'m [f32]> {
    let attribute = node.attribute.iter().find(|a| a.name.as_deref() == Some(name));
    attribute.map(|a| a.floats.as_slice())
}

/// An attribute that is a tensor, where it is given.
pub(super) fn tensor<'m>(node: &'m NodeProto, name: &str) -> Option<&'m TensorProto> {
    node.attribute.iter().find(|a| a.name.as_deref() == Some(name))?.t.as_ref()
}

/// A text attribute, where it is given.
pub(super) fn text<'m>(node: &'m NodeProto, name: &str) -> Option<&'m str> {
    let attribute = node.attribute.iter().find(|a| a.name.as_deref() == Some(name));
    attribute.and_then(|a| a.s.as_deref())
}
