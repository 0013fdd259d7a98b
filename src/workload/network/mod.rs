//! A network: a DAG of layers, read from the reviewed TOML that `mascot import` writes.
//!
//! ```toml
//! name = "tiny"
//! source = "written by hand"
//! layers = [
//!   { name = "conv1", kind = "conv", k = 8, c = 3, p = 16, q = 16, r = 3, s = 3, fused = ["Relu"] },
//!   { name = "fc", kind = "gemm", k = 10, c = 2048, after = ["conv1"] },
//! ]
//! ```
//! Dimensions left out are 1. Layers may come in any order; the parsed network is in topological order.

mod counts;
mod dot;
mod fusion;
mod order;
mod read;
mod write;

use schemars::JsonSchema;
use serde::Deserialize;

use super::layer::Layer;
use crate::units::Macs;

/// A validated network in topological order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The name by which scenarios refer to it.
    pub name: String,
    /// Where the shapes come from.
    pub source: String,
    /// Counts that cannot be recomputed from the layers, as the importer saw them.
    pub totals: Option<Totals>,
    /// Every layer comes after its predecessors.
    pub layers: Vec<Layer>,
}

/// The importer's counts in the original graph, in which fused operations were still nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Number of operations with MACs, if it differs from the number of layers with MACs: a recurrent network is one
    /// operation, but has a layer per time step.
    pub mac_layers: Option<u64>,
    /// Edges between operations after removing views.
    pub edges: u64,
    /// Elements of all static tensors that are parameters.
    pub weight_elems: u64,
}

impl Network {
    /// Multiply-accumulates of one inference.
    pub fn macs(&self) -> Macs {
        self.layers.iter().map(|layer| layer.op.macs()).sum()
    }

    /// Number of layers with MACs.
    pub fn mac_layers(&self) -> usize {
        self.layers.iter().filter(|layer| layer.op.nest().is_some()).count()
    }
}
