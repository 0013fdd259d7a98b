//! What a layer costs on an accelerator: latency c, DRAM traffic, energy.

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

/// STUB
#[derive(Debug)]
pub struct Cache;
impl Cache {
    /// STUB
    pub fn open() -> Self {
        Cache
    }
}
/// STUB
pub fn tables(
    system: &crate::hw::SystemSpec,
    jobs: &[(&crate::workload::Network, u64)],
    _: &Cache,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Vec<CostTable>, crate::files::InputError> {
    progress(0, 1);
    Ok(jobs
        .iter()
        .map(|(network, _)| {
            let costs = Array2::from_shape_fn((network.layers.len(), system.models.len()), |(l, m)| {
                let op = &network.layers[l].op;
                let peak = system.models[m].macs_per_cycle() as f64;
                let macs = op.macs().0 as f64;
                let bytes = op
                    .nest()
                    .map_or(10000, |n| crate::dims::Tensor::ALL.iter().map(|&t| n.elements(t)).sum::<u64>());
                let cycles = (macs / peak / 0.7).max(bytes as f64 / 20.0).max(1.0);
                Some(LayerCost {
                    latency: Time((cycles * 1000.0) as u64),
                    dram_bytes: Bytes(bytes),
                    energy: Picojoules(macs),
                    utilization: 0.7,
                    tiles: 10,
                })
            });
            CostTable { costs }
        })
        .collect())
}
