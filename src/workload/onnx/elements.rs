//! The element type of what a node writes: that of its first input, unless the operator says otherwise.
//!
//! It tells parameters (numbers) from indices, shapes and masks, and integer arithmetic from that of numbers.

use rten_onnx::onnx::{DataType, NodeProto};

use super::operators;
use super::tensors::Tensors;

/// The element type of one output, where it is known.
pub(super) fn of_output(node: &NodeProto, position: usize, tensors: &Tensors) -> Option<DataType> {
    let of_input = |position: usize| tensors.elements_type(node.input.get(position)?);
    let given = |name, default| attribute(node, name).or(default);
    match (operators::onnx(node)?, position) {
        ("Constant", _) => of_constant(node),
        ("ConstantOfShape", _) => {
            operators::tensor(node, "value").map_or(Some(DataType::FLOAT), |value| value.data_type)
        }
        ("Cast" | "BitCast", _) => attribute(node, "to"),
        ("EyeLike" | "RandomNormalLike" | "RandomUniformLike" | "Bernoulli", _) => {
            given("dtype", of_input(0))
        }
        ("RandomNormal" | "RandomUniform", _) => given("dtype", Some(DataType::FLOAT)),
        ("Multinomial", _) => given("dtype", Some(DataType::INT32)),
        ("BlackmanWindow" | "HammingWindow" | "HannWindow" | "MelWeightMatrix", _) => {
            given("output_datatype", Some(DataType::FLOAT))
        }
        ("Shape" | "Size" | "ArgMax" | "ArgMin" | "NonZero" | "NonMaxSuppression", _)
        | ("MaxPool" | "TopK" | "Unique" | "StringSplit", 1..) => Some(DataType::INT64),
        (
            "Equal" | "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual" | "And" | "Or" | "Xor" | "Not"
            | "IsNaN" | "IsInf" | "RegexFullMatch",
            _,
        )
        | ("Dropout", 1) => Some(DataType::BOOL),
        ("QuantizeLinear", _) => given("output_dtype", of_input(2)).or(Some(DataType::UINT8)),
        ("DequantizeLinear", _) => given("output_dtype", of_input(1)),
        ("DynamicQuantizeLinear", 1) | ("LayerNormalization", 1..) | ("TfIdfVectorizer", _) => {
            Some(DataType::FLOAT)
        }
        ("DynamicQuantizeLinear" | "ImageDecoder", _) => Some(DataType::UINT8),
        ("CastLike" | "Where" | "RMSNormalization", _) => of_input(1),
        ("OneHot", _) => of_input(2),
        ("BatchNormalization", 1..) => of_input(3),
        _ => of_input(0),
    }
}

/// An element type that an attribute gives; zero stands for none.
fn attribute(node: &NodeProto, name: &str) -> Option<DataType> {
    i32::try_from(operators::integer(node, name, 0)).ok().filter(|&number| number != 0).map(DataType)
}

fn of_constant(node: &NodeProto) -> Option<DataType> {
    match node.attribute.first()?.name.as_deref()? {
        "value" => operators::tensor(node, "value")?.data_type,
        "value_int" | "value_ints" => Some(DataType::INT64),
        "value_string" | "value_strings" => Some(DataType::STRING),
        _ => Some(DataType::FLOAT),
    }
}
