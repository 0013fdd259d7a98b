//! The least that layers and requests can take on a platform: what policies compare accelerators with.

use super::{NetworkModel, PairCost, World};

impl World {
    /// The least dynamic energy of a request, in picojoules, as a mean over the networks; at least 1, because energies are divided
    /// by it.
    pub(crate) fn least_energy_pj(&self) -> f64 {
        let of_each = self.networks.iter().map(|network| network.least_energy_of_request_pj());
        (of_each.sum::<f64>() / self.networks.len() as f64).max(1.0)
    }
}

impl NetworkModel {
    /// The least DRAM bytes of a layer on any accelerator.
    pub(crate) fn least_dram_bytes(&self, layer: u32) -> f64 {
        let costs = self.costs.row(layer as usize);
        costs.iter().flatten().map(PairCost::dram_bytes).fold(f64::INFINITY, f64::min)
    }

    /// The least dynamic energy of a layer on any accelerator, in picojoules.
    pub(crate) fn least_energy_pj(&self, layer: u32) -> f64 {
        let costs = self.costs.row(layer as usize);
        costs.iter().flatten().map(|cost| cost.energy.0).fold(f64::INFINITY, f64::min)
    }

    /// The least dynamic energy of a request, in picojoules: every layer where it takes the least.
    pub(crate) fn least_energy_of_request_pj(&self) -> f64 {
        (0..self.layers.len()).map(|layer| self.least_energy_pj(layer as u32)).sum()
    }
}
