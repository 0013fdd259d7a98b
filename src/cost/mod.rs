//! What a layer costs on an accelerator: latency c, DRAM traffic, energy.

pub mod access;
pub mod cases;
pub mod evaluate;
pub mod layer_cost;
pub mod mapper;
pub mod mapping;
mod timing;

pub use access::Accesses;
pub use evaluate::{Evaluation, evaluate};
pub use layer_cost::{compulsory_bytes, layer_cost};
pub use mapper::Goal;
pub use mapping::{LevelLoops, Loop, Mapping};

use ndarray::Array2;

use crate::units::{Bytes, Picojoules, Time};

/// What one layer costs on one accelerator model, alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerCost {
    /// c: latency without memory stall, DRAM limited only by the accelerator's own port.
    pub latency: Time,
    /// Bytes read from and written to DRAM; the demand is b = dram_bytes / latency.
    pub dram_bytes: Bytes,
    /// Dynamic energy of the layer; the leakage of a system is charged by time instead.
    pub energy: Picojoules,
    /// MACs / (latency x peak MAC rate), 0 for layers without MACs.
    pub utilization: f64,
    /// Tiles in the outermost (DRAM) loops: how many equal parts a layer can be split into.
    pub tiles: u64,
}

/// The costs of one network at one batch size: a row per layer, a column per accelerator model of the system.
/// `None`: the model does not run this layer.
#[derive(Clone, Debug, PartialEq)]
pub struct CostTable {
    /// The costs, layers x models.
    pub costs: Array2<Option<LayerCost>>,
}
