//! lambda* of a mix of the networks of a world. Accelerators of the same model count as instances of one.

use super::{AloneCost, LayerLoad, Saturation, SaturationError, Supply, saturation};
use crate::sim::{NetworkModel, World};
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
    let mut dram = Supply::one(dram_bytes_per_s);
    if !world.platform.memories.is_one() {
        dram.bytes_per_s = per_s(&world.platform.memories.capacities(dram_bytes_per_s / 1e12));
        dram.ways.clear();
    }
    for (network, &share) in world.networks.iter().zip(shares) {
        let ways: Vec<usize> = first.iter().map(|&m| place(&mut dram.ways, &network.ways[m].uses)).collect();
        loads.extend((0..network.layers.len() as u32).map(|layer| {
            let cost = |(&m, &way): (&usize, &usize)| alone_cost(network, layer, m, way);
            LayerLoad { per_request: share, costs: first.iter().zip(&ways).map(cost).collect() }
        }));
    }
    saturation(&loads, &instances, &dram)
}

fn per_s(bytes_per_ps: &[f64]) -> Vec<f64> {
    bytes_per_ps.iter().map(|bandwidth| bandwidth * 1e12).collect()
}

/// The place of a way among those known, to which it is added. A layer takes all of the only memory.
fn place(ways: &mut Vec<Vec<f64>>, way: &[f64]) -> usize {
    let way = if way.is_empty() { &[1.0] } else { way };
    ways.iter().position(|known| known == way).unwrap_or_else(|| {
        ways.push(way.to_vec());
        ways.len() - 1
    })
}

fn alone_cost(network: &NetworkModel, layer: u32, accelerator: usize, way: usize) -> Option<AloneCost> {
    let cost = network.cost(layer, accelerator)?;
    Some(AloneCost { c1: cost.alone, dram_bytes: Bytes(cost.dram_bytes().round() as u64), way })
}
