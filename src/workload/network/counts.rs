//! Counts of a network and its layers that follow from the layers: parameters, bytes, depth, arithmetic intensity.
//!
//! Bytes are counted at one byte per element, the word of the shipped accelerators, and as if nothing stayed on chip
//! between layers: a layer reads its inputs and weights once and writes its outputs once.

use super::Network;
use crate::dims::Tensor;
use crate::units::Bytes;
use crate::workload::layer::Op;

impl Op {
    /// Static weights of a layer; the second operand of an activation x activation product is an input.
    pub fn weight_elements(&self) -> u64 {
        match self {
            Self::Conv(nest) | Self::Gemm(nest) => nest.elements(Tensor::Weights),
            Self::Matmul(_) | Self::Vector { .. } | Self::Lookup { .. } => 0,
        }
    }

    /// Bytes that a layer reads besides static weights, at one byte per element.
    pub fn input_bytes(&self) -> Bytes {
        Bytes(match *self {
            Self::Conv(nest) | Self::Gemm(nest) => nest.elements(Tensor::Inputs),
            Self::Matmul(nest) => nest.elements(Tensor::Inputs) + nest.elements(Tensor::Weights),
            Self::Vector { reads, .. } | Self::Lookup { reads, .. } => reads,
        })
    }

    /// Bytes that a layer writes, at one byte per element.
    pub fn output_bytes(&self) -> Bytes {
        Bytes(match *self {
            Self::Conv(nest) | Self::Gemm(nest) | Self::Matmul(nest) => nest.elements(Tensor::Outputs),
            Self::Vector { writes, .. } | Self::Lookup { writes, .. } => writes,
        })
    }
}

impl Network {
    /// Elements of all parameters: what the importer counted (with biases and norms), else the weights of the layers.
    pub fn parameters(&self) -> u64 {
        let of_layers = || self.layers.iter().map(|layer| layer.op.weight_elements()).sum();
        self.totals.map_or_else(of_layers, |totals| totals.weight_elems)
    }

    /// Layers on the longest path from an input to an output.
    pub fn depth(&self) -> usize {
        let mut depths: Vec<usize> = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            depths.push(1 + layer.after.iter().map(|&i| depths[i]).max().unwrap_or(0));
        }
        depths.into_iter().max().unwrap_or(0)
    }

    /// Arithmetic intensity: MACs per byte that the layers must move.
    pub fn macs_per_byte(&self) -> f64 {
        let bytes = |op: &Op| op.weight_elements() + op.input_bytes().0 + op.output_bytes().0;
        let total: u64 = self.layers.iter().map(|layer| bytes(&layer.op)).sum();
        self.macs().0 as f64 / total as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::layer::{Layer, LoopNest};

    #[test]
    fn a_diamond_by_hand() {
        let nest = |bounds| LoopNest { bounds, stride: [1, 1], dilation: [1, 1], padding: [0; 2] };
        let layer = |op, after: &[usize]| Layer::new("l", op, after.to_vec());
        let network = Network {
            name: "diamond".into(),
            source: String::new(),
            totals: None,
            layers: vec![
                layer(Op::Gemm(nest([1, 1, 8, 4, 2, 1, 1, 1])), &[]),
                layer(Op::Vector { reads: 16, writes: 16, ops: 16 }, &[0]),
                layer(Op::Matmul(nest([1, 2, 2, 4, 2, 1, 1, 1])), &[0, 1]),
                layer(Op::Lookup { reads: 5, writes: 5 }, &[]),
            ],
        };
        assert_eq!(network.depth(), 3);
        assert_eq!(network.parameters(), 32);
        let product = network.layers[2].op;
        assert_eq!((product.input_bytes(), product.output_bytes()), (Bytes(16 + 16), Bytes(8)));
        let bytes = (32 + 8 + 16) + 32 + (32 + 8) + 10;
        assert_eq!(network.macs_per_byte(), (64 + 32) as f64 / f64::from(bytes));
    }
}
