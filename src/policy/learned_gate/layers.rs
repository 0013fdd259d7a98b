//! What the policy knows of the layers of all networks: computed at the first view, and again where an accelerator was lost
//! or costs were corrected.

use crate::sim::{NetworkModel, PairCost, View};

/// What the features need of a layer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OfLayer {
    /// The largest of the smallest c1 of this layer and those that come after it in the list of layers, in ps.
    pub(super) largest_ps: f64,
    /// b on the fastest accelerator, in bytes/ps.
    pub(super) demand: f64,
    /// The mean over accelerators of ln(DRAM bytes / least DRAM bytes).
    pub(super) spread_of_bytes: f64,
    /// The mean over accelerators of ln(c1 / smallest c1).
    pub(super) spread_of_speed: f64,
    /// The mean over accelerators of ln(energy / least energy).
    pub(super) spread_of_energy: f64,
    /// The parts of the layer that are left with this one; 1 for a whole layer.
    pub(super) parts_left: f64,
}

/// How an accelerator compares with the best for a layer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ratios {
    /// ln(DRAM bytes / least DRAM bytes).
    pub(super) bytes: f32,
    /// ln(c1 / smallest c1).
    pub(super) speed: f32,
    /// ln(energy / least energy).
    pub(super) energy: f32,
}

/// All layers of the networks of a world.
#[derive(Default)]
pub(super) struct Layers {
    /// The losses and corrections that it knows of.
    known: [u32; 2],
    accelerators: usize,
    /// By network and layer.
    of_layer: Vec<Vec<OfLayer>>,
    /// By network, layer and accelerator.
    ratios: Vec<Vec<Ratios>>,
    /// By network: the least energy of a request, relative to the mean over networks.
    energy: Vec<f64>,
    /// Whether any layer has parts.
    in_parts: bool,
}

impl Layers {
    /// Brings everything up to date.
    pub(super) fn take(&mut self, view: &View) {
        let known = [view.losses(), view.corrections()];
        if self.known == known && !self.of_layer.is_empty() {
            return;
        }
        let networks = &view.world().networks;
        self.known = known;
        self.accelerators = view.accelerators().len();
        self.in_parts = networks.iter().any(|network| network.places.iter().any(|&place| place > 0));
        self.ratios = networks.iter().map(ratios).collect();
        let mean_pj = view.world().least_energy_pj();
        self.energy = networks.iter().map(|of| of.least_energy_of_request_pj() / mean_pj).collect();
        self.of_layer = networks
            .iter()
            .zip(&self.ratios)
            .map(|(n, ratios)| of_layers(n, ratios, self.accelerators))
            .collect();
    }

    pub(super) fn of_layer(&self, network: u32, layer: u32) -> &OfLayer {
        &self.of_layer[network as usize][layer as usize]
    }

    /// Whether any layer has parts.
    pub(super) fn in_parts(&self) -> bool {
        self.in_parts
    }

    /// The least energy of a request for a network, relative to the mean over networks.
    pub(super) fn energy(&self, network: u32) -> f64 {
        self.energy[network as usize]
    }

    /// How the accelerators compare for a layer.
    pub(super) fn ratios(&self, network: u32, layer: u32) -> &[Ratios] {
        &self.ratios[network as usize][layer as usize * self.accelerators..][..self.accelerators]
    }
}

fn ratios(network: &NetworkModel) -> Vec<Ratios> {
    let of_layer = |layer: usize| {
        let costs = network.costs.row(layer);
        let least = network.least_dram_bytes(layer as u32);
        let least_pj = network.least_energy_pj(layer as u32);
        let best_ps = network.best_alone[layer].as_ps().max(1.0);
        let of_pair = move |cost: &Option<PairCost>| {
            cost.as_ref().map_or(Ratios::default(), |cost| Ratios {
                // One byte and one picojoule more, because a layer may need none.
                bytes: ((cost.dram_bytes() + 1.0) / (least + 1.0)).ln() as f32,
                speed: (cost.alone.as_ps().max(1.0) / best_ps).ln() as f32,
                energy: ((cost.energy.0 + 1.0) / (least_pj + 1.0)).ln() as f32,
            })
        };
        costs.into_iter().map(of_pair)
    };
    (0..network.layers.len()).flat_map(of_layer).collect()
}

fn of_layers(network: &NetworkModel, ratios: &[Ratios], accelerators: usize) -> Vec<OfLayer> {
    let (mut largest_ps, mut parts_left) = (0f64, 0.0);
    let mut all: Vec<OfLayer> = (0..network.layers.len())
        .rev()
        .map(|layer| {
            let best_ps = network.best_alone[layer].as_ps();
            largest_ps = largest_ps.max(best_ps);
            parts_left = if network.goes_on(layer as u32) { parts_left + 1.0 } else { 1.0 };
            let row = &ratios[layer * accelerators..][..accelerators];
            let mean = |of: fn(&Ratios) -> f32| {
                row.iter().map(|ratios| f64::from(of(ratios))).sum::<f64>() / accelerators as f64
            };
            OfLayer {
                largest_ps,
                demand: network.best_bytes[layer] as f64 / best_ps.max(1.0),
                spread_of_bytes: mean(|ratios| ratios.bytes),
                spread_of_speed: mean(|ratios| ratios.speed),
                spread_of_energy: mean(|ratios| ratios.energy),
                parts_left,
            }
        })
        .collect();
    all.reverse();
    all
}
