//! Options of the commands that map layers: a network, an accelerator, and the objective of the mapper.

use clap::Args;

use crate::cost::{Goal, as_run};
use crate::experiment::{DataRoot, Error};
use crate::files::read_value;
use crate::hw::{AccelSpec, Fusion, Objective};
use crate::precision::Precision;
use crate::workload::{Network, Work};

#[derive(Args)]
pub(in crate::cli) struct Choice {
    /// The network, by name or path
    #[arg(long)]
    network: String,
    /// The accelerator, by name or path
    #[arg(long)]
    accelerator: String,
    /// Batch size: inputs that are processed at once
    #[arg(long, value_name = "B", default_value = "1", value_parser = clap::value_parser!(u64).range(1..=MAX_BATCH))]
    pub(super) batch: u64,
    /// What the mapper minimises
    #[arg(long, value_name = "latency|energy|edp", default_value = "edp", value_parser = objective)]
    objective: Objective,
    /// The DRAM bandwidth in GB/s at which the mapper counts latency
    #[arg(long, value_name = "GBPS", default_value = "32", value_parser = positive)]
    bandwidth: f64,
}

/// Our choice, because the sizes of the largest legal layer, multiplied by this batch, still fit 64 bits.
const MAX_BATCH: u64 = 4096;

/// Parses an objective, by the names that system files use.
pub(super) fn objective(text: &str) -> Result<Objective, String> {
    read_value(&text.into()).map_err(|_| "expected latency, energy or edp".to_string())
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if value > 0.0 => Ok(value),
        _ => Err("expected a number > 0, or inf".into()),
    }
}

/// The contents of the files that a [`Choice`] names.
pub(super) struct Chosen {
    pub(super) network: Network,
    /// The work of each layer of the network at the chosen batch.
    pub(super) works: Vec<Work>,
    pub(super) accel: AccelSpec,
    pub(super) goal: Goal,
}

impl Choice {
    /// Reads the files, and brings the network into the form in which the accelerator runs it alone.
    pub(super) fn read(&self, precision: Precision, fusion: Fusion) -> Result<Chosen, Error> {
        let data = DataRoot::find(None)?;
        let network = data.network(&self.network)?;
        let accel = data.accelerator(&self.accelerator)?;
        let network = as_run(&network, precision, fusion, std::slice::from_ref(&accel));
        let works: Vec<Work> = network.layers.iter().map(|layer| layer.work(self.batch)).collect();
        for (layer, work) in network.layers.iter().zip(&works) {
            work.check()
                .map_err(|e| Error::Usage(format!("layer `{}` at batch {}: {e}", layer.name, self.batch)))?;
        }
        let goal = Goal { objective: self.objective, bandwidth_gbps: self.bandwidth };
        Ok(Chosen { network, works, accel, goal })
    }
}
