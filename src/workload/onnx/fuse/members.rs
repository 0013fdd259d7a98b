//! The operators that patterns are written with, and what reductions make of samples.

use rten_onnx::onnx::NodeProto;

use crate::workload::onnx::arithmetic::{binary, unary};
use crate::workload::onnx::operators;

/// Whether a node can be part of a group.
pub(super) fn knows(node: &NodeProto) -> bool {
    let op = operators::onnx(node).unwrap_or("");
    let one_output = node.output.iter().filter(|output| !output.is_empty()).count() == 1;
    let known = is_view(node)
        || is_reduction(op)
        || unary(op).is_some()
        || binary(op).is_some()
        || matches!(op, "Clip" | "LeakyRelu" | "Elu" | "HardSigmoid" | "Where" | "InstanceNormalization");
    one_output && known
}

/// Whether a node moves no data and computes nothing.
pub(super) fn is_view(node: &NodeProto) -> bool {
    let op = node.op_type.as_deref().unwrap_or("");
    is_kept(op)
        || matches!(op, "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" | "Expand" | "Cast" | "CastLike")
}

/// Whether an operator keeps shape and numbers: quantizing rounds them only.
pub(super) fn is_kept(op: &str) -> bool {
    matches!(op, "Identity" | "QuantizeLinear" | "DequantizeLinear")
}

/// Whether an operator reduces along axes in a way that `reduced` knows.
pub(super) fn is_reduction(op: &str) -> bool {
    matches!(
        op,
        "ReduceMean"
            | "ReduceSum"
            | "ReduceMax"
            | "ReduceMin"
            | "ReduceL1"
            | "ReduceL2"
            | "ReduceSumSquare"
            | "ReduceLogSum"
            | "ReduceLogSumExp"
    )
}

/// What becomes of a sample that stands for `count` elements.
pub(super) fn reduced(op: &str, sample: &[f64], count: f64) -> Option<f64> {
    let mean = |f: fn(f64) -> f64| sample.iter().map(|&x| f(x)).sum::<f64>() / sample.len() as f64;
    Some(match op {
        "ReduceMean" => mean(|x| x),
        "ReduceSum" => count * mean(|x| x),
        "ReduceL1" => count * mean(f64::abs),
        "ReduceL2" => (count * mean(|x| x * x)).sqrt(),
        "ReduceSumSquare" => count * mean(|x| x * x),
        "ReduceLogSum" => (count * mean(|x| x)).ln(),
        "ReduceLogSumExp" => (count * mean(f64::exp)).ln(),
        "ReduceMax" => sample.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        "ReduceMin" => sample.iter().copied().fold(f64::INFINITY, f64::min),
        _ => return None,
    })
}
