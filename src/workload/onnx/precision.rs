//! The bits of elements, from the types of the file.
//!
//! A tensor is stored in the narrowest form that it has between the operation that writes it and the one that reads it:
//! quantized, if it is quantized and dequantized on the way. An output that several read takes the widest of their forms.
//! Sums of integers have 32 bits, as ONNX says of `QLinearConv` and `MatMulInteger`; sums of other numbers are as wide as
//! what is multiplied. The constant operand is the weights.

use std::collections::BTreeMap;

use rten_onnx::onnx::{DataType, GraphProto};

use super::graph::{Graph, Kind, Operation, inputs};
use super::operators::{self, Class};
use super::tensors::Tensors;
use crate::precision::Precision;

/// The forms of tensors between operations.
pub(super) struct Forms<'m> {
    /// What a view shows.
    views: BTreeMap<&'m str, &'m str>,
    /// The outputs of the network.
    pub(super) outputs: Vec<&'m str>,
}

impl<'m> Forms<'m> {
    pub(super) fn new(graph: &'m GraphProto) -> Self {
        let views = graph.node.iter().filter(|node| operators::class(node) == Some(Class::View));
        let shown = views.flat_map(|node| {
            let read = node.input.first().map_or("", String::as_str);
            node.output.iter().map(move |output| (output.as_str(), read))
        });
        let outputs = graph.output.iter().filter_map(|output| output.name.as_deref());
        Self { views: shown.collect(), outputs: outputs.collect() }
    }

    /// A tensor and what it shows, up to where that comes from.
    fn chain(&self, tensor: &'m str) -> impl Iterator<Item = &'m str> {
        std::iter::successors(Some(tensor), |tensor| self.views.get(tensor).copied())
    }

    /// The bits of an element as it is stored.
    pub(super) fn bits(&self, tensor: &'m str, tensors: &Tensors) -> Option<u8> {
        self.chain(tensor).filter_map(|tensor| bits(tensors.elements_type(tensor)?)).min()
    }

    fn is_integer(&self, tensor: &'m str, tensors: &Tensors) -> bool {
        self.chain(tensor).any(|tensor| tensors.elements_type(tensor).is_some_and(is_integer))
    }

    /// The precision of what an operation reads, and of its sums.
    pub(super) fn of_operands(&self, operation: &Operation<'m>, graph: &Graph<'m>) -> Precision {
        let tensors = &graph.tensors;
        let widest =
            |tensors_read: &[&'m str]| tensors_read.iter().filter_map(|t| self.bits(t, tensors)).max();
        let is_static = |tensor: &&str| tensors.origin(tensor).is_some_and(|origin| origin.is_static());
        let (constants, activations): (Vec<&str>, Vec<&str>) =
            inputs(operation.node).into_iter().partition(is_static);
        // Scales and biases come behind the weights.
        let weights = widest(&constants[..constants.len().min(1)]);
        match operation.kind {
            Kind::Lookup => Precision { weights, ..Precision::NATIVE },
            Kind::Work(
                Class::Conv
                | Class::ConvTranspose
                | Class::Gemm
                | Class::MatMul
                | Class::Einsum
                | Class::Recurrent(_),
            ) => {
                let inputs = widest(&activations);
                let integers = activations.first().is_some_and(|tensor| self.is_integer(tensor, tensors));
                let psums = if integers { Some(32) } else { inputs.max(weights) };
                Precision { weights, inputs, psums, outputs: None }
            }
            _ => Precision { inputs: widest(&activations), ..Precision::NATIVE },
        }
    }
}

/// UINT4 and INT4, which the crate does not name.
const UINT4: DataType = DataType(21);
pub(super) const INT4: DataType = DataType(22);

fn is_integer(ty: DataType) -> bool {
    [UINT4, INT4, DataType::INT8, DataType::UINT8, DataType::INT16, DataType::UINT16].contains(&ty)
}

/// The bits of an element of a type; `None` for text and complex numbers.
fn bits(ty: DataType) -> Option<u8> {
    Some(match ty {
        DataType::DOUBLE | DataType::INT64 | DataType::UINT64 => 64,
        DataType::FLOAT | DataType::INT32 | DataType::UINT32 => 32,
        DataType::FLOAT16 | DataType::BFLOAT16 | DataType::INT16 | DataType::UINT16 => 16,
        DataType::INT8 | DataType::UINT8 | DataType::BOOL => 8,
        // FLOAT8E4M3FN to FLOAT8E5M2FNUZ; UINT4, INT4 and FLOAT4E2M1.
        DataType(17..=20) => 8,
        DataType(21..=23) => 4,
        _ => return None,
    })
}
