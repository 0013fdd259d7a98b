//! Published peak and achieved throughput of a chip on a whole network: a file of `accel-models/silicon/` with
//! `[[throughput]]`.

use std::path::Path;

use rayon::prelude::*;
use serde::Deserialize;

use crate::cost::{Goal, LayerCost, as_run, layer_cost};
use crate::files::{InputError, Positive, Source};
use crate::hw::{AccelSpec, Fusion, Objective};
use crate::precision::Precision;
use crate::units::Macs;
use crate::workload::Network;

/// A chip, the model that stands for it, and the network that it ran at batch 1.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Throughput {
    /// The chip, and the name of the file.
    pub name: String,
    /// The accelerator model.
    pub accelerator: String,
    /// The network, by the name of its file.
    pub network: String,
    /// Where the figures come from.
    pub source: String,
    /// Differences between the model and the chip, one per entry.
    pub differs: Vec<String>,
    /// The published results.
    #[serde(rename = "throughput")]
    pub rates: Vec<Rate>,
}

/// One published result.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// What was measured, and by whom.
    pub what: String,
    /// Peak in 10^12 operations per second; a MAC is two operations.
    pub peak_tops: Positive,
    /// Throughput on the network, if it is published.
    pub images_per_s: Option<Positive>,
}

impl Rate {
    /// Share of the peak that a network of `macs` reaches.
    pub fn utilization(&self, macs: Macs) -> Option<f64> {
        Some(self.images_per_s?.0 * 2.0 * macs.0 as f64 / (self.peak_tops.0 * 1e12))
    }
}

impl Throughput {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        Source::read(path)?.parse()
    }
}

/// The model's throughput on a network that runs layer after layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed {
    /// Peak in 10^12 operations per second; a MAC is two operations.
    pub peak_tops: f64,
    /// Images per second, one image after the other.
    pub images_per_s: f64,
    /// Share of the peak over all layers.
    pub utilization: f64,
    /// Share of the peak while layers with MACs run.
    pub mac_utilization: f64,
}

impl Speed {
    /// Maps every layer for energy x delay, DRAM limited by the accelerator's own port only.
    pub fn of(accel: &AccelSpec, network: &Network) -> Result<Self, String> {
        let goal = Goal { objective: Objective::Edp, bandwidth_gbps: f64::INFINITY };
        let network = &as_run(network, Precision::NATIVE, Fusion::Post, std::slice::from_ref(accel));
        let costs = network.layers.par_iter().map(|layer| {
            layer_cost(accel, &layer.work(1), goal)
                .ok_or_else(|| format!("`{}` cannot run layer `{}`", accel.name, layer.name))
        });
        let costs = costs.collect::<Result<Vec<LayerCost>, String>>()?;
        let with_macs = network.layers.iter().zip(&costs).filter(|(layer, _)| layer.op.macs().0 > 0);
        let mac_s: f64 = with_macs.map(|(_, cost)| cost.latency.as_s()).sum();
        let all_s: f64 = costs.iter().map(|cost| cost.latency.as_s()).sum();
        let peak_tops = 2.0 * accel.macs_per_cycle() as f64 * accel.clock_hz / 1e12;
        let least_s = 2.0 * network.macs().0 as f64 / (peak_tops * 1e12);
        Ok(Self {
            peak_tops,
            images_per_s: 1.0 / all_s,
            utilization: least_s / all_s,
            mac_utilization: least_s / mac_s,
        })
    }
}
