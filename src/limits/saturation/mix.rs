//! lambda* of a mix of the networks of a world. Accelerators of the same model count as instances of one.

use super::{AloneCost, LayerLoad, Saturation, SaturationError, saturation};
use crate::sim::{PairCost, World};
use crate::units::Bytes;

/// lambda* of a mix: `shares` are the fractions of all requests that ask for each network of the world.
pub fn mix_saturation(
    world: &World,
    shares: &[f64],
    dram_bytes_per_s: f64,
) -> Result<Saturation, SaturationError> {
    let accelerators = &world.platform.accelerators;
    let models = accelerators.iter().map(|a| a.model + 1).max().unwrap_or(0);
    let instance =
        |model| accelerators.iter().position(|a| a.model == model).expect("models are those in use");
    let first: Vec<usize> = (0..models).map(instance).collect();
    let count = |model| accelerators.iter().filter(|a| a.model == model).count() as u32;
    let instances: Vec<u32> = (0..models).map(count).collect();
    let mut loads = Vec::new();
    for (network, &share) in world.networks.iter().zip(shares) {
        loads.extend((0..network.layers.len() as u32).map(|layer| LayerLoad {
            per_request: share,
            costs: first.iter().map(|&m| network.cost(layer, m)).map(alone_cost).collect(),
        }));
    }
    saturation(&loads, &instances, dram_bytes_per_s)
}

fn alone_cost(cost: Option<&PairCost>) -> Option<AloneCost> {
    cost.map(|cost| AloneCost { c1: cost.alone, dram_bytes: Bytes(cost.dram_bytes().round() as u64) })
}
