//! Constants that are no parameters, though networks add them or multiply by them.
//!
//! What a graph generates from sizes and single numbers (the ones of `ones_like`, a causal mask, a state of zeros) is
//! not in the file. Where all elements are one number, it works as that number does. A fill stays a parameter where
//! operators take weights, and as a vector of a given length: exporters that strip weights leave such fills of them.
//!
//! The scale of quantized weights may come after the product with them: a constant by which sums of integers are
//! multiplied is a scale. Left out: an initializer full of one number, since long data are not read (`wire`).

use std::collections::BTreeSet;

use rten_onnx::onnx::{DataType, GraphProto, NodeProto};

use super::{Origin, Tensors};
use crate::workload::onnx::arithmetic::{cast, element};
use crate::workload::onnx::graph::inputs;
use crate::workload::onnx::operators::{self, Class};
use crate::workload::onnx::parameters::{is_setting, is_weight};
use crate::workload::onnx::{decode, values};

/// A constant with no data of the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Generated {
    /// What all elements are, if they are equal.
    number: Option<f64>,
    /// Whether it may be what is left of a bias or a scale.
    may_be_vector: bool,
}

impl<'m> Tensors<'m> {
    /// Finds the constants of a graph that are no parameters, once all tensors are defined.
    pub(in crate::workload::onnx) fn mark_constants(&mut self, graph: &'m GraphProto) {
        let computed: BTreeSet<&str> =
            graph.node.iter().filter(|node| !inputs(node).is_empty()).flat_map(outputs).collect();
        for node in graph.node.iter().filter(|node| self.is_constant(node)).collect::<Vec<_>>() {
            if !self.is_generated(node) {
                continue;
            }
            let is_given = inputs(node).iter().all(|input| !computed.contains(input));
            let number = self.number_of(node);
            for output in outputs(node) {
                if !self.has_several(output) {
                    continue;
                }
                let is_vector = self.long_axes(output) == Some(1);
                let may_be_vector = operators::onnx(node) == Some("ConstantOfShape") && is_given && is_vector;
                self.generated.insert(output, Generated { number, may_be_vector });
            }
        }
        self.mark_scales(graph);
    }

    /// The number that all elements of a generated constant are.
    pub(in crate::workload::onnx) fn fill(&self, tensor: &str) -> Option<f64> {
        self.generated.get(tensor).filter(|generated| !generated.may_be_vector)?.number
    }

    /// Whether a node reads a generated constant as something else than a parameter.
    pub(in crate::workload::onnx) fn is_no_parameter(&self, node: &NodeProto, position: usize) -> bool {
        let generated = node.input.get(position).and_then(|tensor| self.generated.get(tensor.as_str()));
        generated.is_some_and(|generated| {
            let is_vector =
                generated.may_be_vector && matches!(operators::class(node), Some(Class::Pointwise(_)));
            !is_vector && !is_weight(node, position)
        })
    }

    fn is_generated(&self, node: &NodeProto) -> bool {
        let made = |tensor: &str| self.generated.contains_key(tensor) || !self.has_several(tensor);
        let mut operands = node.input.iter().enumerate().filter(|&(position, _)| !is_setting(node, position));
        operators::reads_shape_only(node)
            || !node.input.is_empty() && operands.all(|(_, tensor)| made(tensor))
    }

    fn has_several(&self, tensor: &str) -> bool {
        !tensor.is_empty() && self.long_axes(tensor) != Some(0)
    }

    fn long_axes(&self, tensor: &str) -> Option<usize> {
        Some(self.known_dims(tensor)?.into_iter().filter(|&size| size != 1).count())
    }

    /// What all elements that a node writes are, if they are equal.
    fn number_of(&self, node: &NodeProto) -> Option<f64> {
        let number = |tensor: &String| {
            let single = || self.value(tensor).filter(|value| value.len() == 1)?.first().copied();
            self.generated.get(tensor.as_str()).map_or_else(single, |generated| generated.number)
        };
        let first = || number(node.input.first()?);
        let output = node.output.first()?;
        match (operators::onnx(node)?, operators::class(node)) {
            ("ConstantOfShape", _) => match operators::tensor(node, "value") {
                Some(fill) => values::of_tensor(fill)?.first().copied(),
                None => Some(0.0),
            },
            ("QuantizeLinear" | "DequantizeLinear" | "DynamicQuantizeLinear" | "BitCast", _) => None,
            ("Cast" | "CastLike", _) => Some(cast(first()?, self.elements_type(output)?)),
            (_, Some(Class::View | Class::Gather)) | ("Expand" | "Tile", _) => first(),
            // Integers are divided otherwise.
            ("Div" | "Mod", _) if !self.is_float(output) => None,
            (_, Some(Class::Pointwise(_))) => {
                element(node, &node.input.iter().map(number).collect::<Vec<_>>())
            }
            _ => None,
        }
    }

    /// Constants by which the sums of a product with weights of integers are multiplied are scales.
    fn mark_scales(&mut self, graph: &'m GraphProto) {
        // Tensors of whole numbers, from the weights on.
        let mut whole: BTreeSet<&str> = BTreeSet::new();
        for node in &graph.node {
            if self.stays_whole(node, &whole) {
                whole.extend(outputs(node));
            } else if matches!(operators::onnx(node), Some("Mul" | "Div")) {
                let (sums, others): (Vec<_>, Vec<_>) =
                    inputs(node).into_iter().partition(|t| whole.contains(t));
                let scales = others.into_iter().filter(|_| !sums.is_empty());
                for scale in scales.filter(|tensor| self.is_static(tensor)).collect::<Vec<_>>() {
                    self.origins.insert(scale, Origin::Static { root: None, from_table: true });
                }
            }
        }
    }

    /// Whether a node writes whole numbers: weights of integers, also less a zero point, and sums of products with them.
    fn stays_whole(&self, node: &NodeProto, whole: &BTreeSet<&str>) -> bool {
        use Class::{Conv, ConvTranspose, Einsum, Gemm, MatMul, View};
        let mut read = inputs(node).into_iter().filter(|tensor| whole.contains(tensor));
        match (operators::onnx(node), operators::class(node)) {
            (Some("QuantizeLinear" | "DequantizeLinear" | "DynamicQuantizeLinear"), _) => false,
            (Some("Cast"), _) if self.is_constant(node) && self.reads_quantized(node) => true,
            (Some("Add" | "Sub"), _) => {
                let is_integer = node.output.first().is_some_and(|output| !self.is_float(output));
                read.next().is_some() && (is_integer || self.is_constant(node))
            }
            (_, Some(View)) => read.next().is_some(),
            (_, Some(Conv | ConvTranspose | Gemm | MatMul | Einsum)) => {
                read.any(|tensor| self.is_static(tensor))
            }
            _ => false,
        }
    }

    fn is_static(&self, tensor: &str) -> bool {
        self.origin(tensor).is_some_and(|origin| origin.is_static())
    }

    /// Whether the first input of a node has elements of one byte at most.
    fn reads_quantized(&self, node: &NodeProto) -> bool {
        let from = node.input.first().and_then(|tensor| self.elements_type(tensor));
        from.is_some_and(|ty| ty != DataType::BOOL && decode::bits(ty).is_some_and(|bits| bits <= 8))
    }
}

fn outputs(node: &NodeProto) -> impl Iterator<Item = &str> {
    node.output.iter().map(String::as_str)
}
