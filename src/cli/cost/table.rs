//! `mascot cost table`: every layer of a network on an accelerator.

use clap::Args;

use crate::cli::progress::Bars;
use crate::cli::table::{number, render};
use crate::cost::{Cache, LayerCost};
use crate::experiment::plan::tables;
use crate::experiment::{DataRoot, Error};
use crate::hw::system::{Accelerator, Objective};
use crate::hw::{AccelSpec, Sharing, SystemSpec};
use crate::workload::{Layer, Network};

#[derive(Args)]
pub(in crate::cli) struct Options {
    /// The network, by name or path
    #[arg(long)]
    network: String,
    /// The accelerator, by name or path
    #[arg(long)]
    accelerator: String,
    /// What the mapper minimises
    #[arg(long, value_name = "latency|energy|edp", default_value = "edp", value_parser = objective)]
    objective: Objective,
    /// The DRAM bandwidth in GB/s at which the mapper counts latency
    #[arg(long, value_name = "GBPS", default_value = "32", value_parser = positive)]
    bandwidth: f64,
    /// Print CSV
    #[arg(long)]
    csv: bool,
}

/// The words of the system files.
fn objective(text: &str) -> Result<Objective, String> {
    toml::Value::from(text).try_into().map_err(|_| "expected latency, energy or edp".to_string())
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if value > 0.0 => Ok(value),
        _ => Err("expected a number > 0, or inf".into()),
    }
}

const HEADER: [&str; 10] = [
    "layer",
    "kind",
    "macs",
    "cycles",
    "latency_us",
    "utilization",
    "dram_bytes",
    "demand_gbps",
    "energy_uj",
    "dram_tiles",
];

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let data = DataRoot::find(None)?;
    let network = data.network(&options.network)?;
    let system = alone(data.accelerator(&options.accelerator)?, options);
    let model = &system.models[0];
    let bars = Bars::new(false);
    let table = tables(&system, std::slice::from_ref(&network), &Cache::from_env(), &bars)?;
    drop(bars);
    let costs = table[0].costs.column(0).to_vec();
    let rows: Vec<Vec<String>> =
        network.layers.iter().zip(&costs).map(|(layer, cost)| row(layer, cost.as_ref(), model)).collect();
    crate::cli::print(&if options.csv {
        csv(&rows)
    } else {
        render(&HEADER, 2..HEADER.len(), rows) + &total(&network, &costs)
    });
    Ok(())
}

/// A system of this accelerator only; nothing of it but the mapper's goal enters the costs.
fn alone(model: AccelSpec, options: &Options) -> SystemSpec {
    SystemSpec {
        name: model.name.clone(),
        source: String::new(),
        dram_bandwidth_gbps: options.bandwidth,
        dram_efficiency: 1.0,
        sharing: Sharing::MaxMin,
        objective: options.objective,
        mapping_bandwidth_gbps: options.bandwidth,
        cost: None,
        accelerators: vec![Accelerator { name: model.name.clone(), model: 0 }],
        models: vec![model],
    }
}

fn row(layer: &Layer, cost: Option<&LayerCost>, model: &AccelSpec) -> Vec<String> {
    let mut cells =
        vec![layer.name.clone(), layer.op.kind().name().to_string(), layer.op.macs().0.to_string()];
    let Some(cost) = cost else {
        cells.resize(HEADER.len(), "-".to_string());
        return cells;
    };
    let cycles = (cost.latency.as_s() * model.clock_hz).round();
    let demand_gbps = cost.dram_bytes.0 as f64 / cost.latency.as_s() / 1e9;
    cells.extend([
        number(Some(cycles), 0),
        number(Some(cost.latency.as_us()), 3),
        number(Some(cost.utilization), 4),
        cost.dram_bytes.0.to_string(),
        number(Some(demand_gbps), 3),
        number(Some(cost.energy.0 / 1e6), 3),
        cost.tiles.to_string(),
    ]);
    cells
}

fn csv(rows: &[Vec<String>]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let in_memory = "writing to memory does not fail, and all rows have the same length";
    writer.write_record(HEADER).expect(in_memory);
    rows.iter().for_each(|row| writer.write_record(row).expect(in_memory));
    String::from_utf8(writer.into_inner().expect(in_memory)).expect("the cells are UTF-8")
}

fn total(network: &Network, costs: &[Option<LayerCost>]) -> String {
    let sum = |of: fn(&LayerCost) -> f64| costs.iter().flatten().map(of).sum::<f64>();
    format!(
        "\n{}: {} MACs, {:.1} us in sequence, {:.3} MB of DRAM traffic, {:.1} uJ\n",
        network.name,
        network.macs().0,
        sum(|cost| cost.latency.as_us()),
        sum(|cost| cost.dram_bytes.0 as f64) / 1e6,
        sum(|cost| cost.energy.0) / 1e6
    )
}
