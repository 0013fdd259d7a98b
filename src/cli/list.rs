//! `mascot list`: what experiments can name.

use clap::{Args, ValueEnum};

use super::table::{number, render};
use crate::experiment::data::Kind;
use crate::experiment::{DataRoot, Error};
use crate::metrics::METRICS;
use crate::scheduler::SCHEDULERS;

#[derive(Args)]
pub(super) struct Options {
    /// What to list
    what: What,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    Accelerators,
    Systems,
    Networks,
    Scenarios,
    Schedulers,
    Metrics,
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let data = DataRoot::find(None)?;
    let text = match options.what {
        What::Accelerators => accelerators(&data)?,
        What::Systems => systems(&data)?,
        What::Networks => networks(&data)?,
        What::Scenarios => scenarios(&data)?,
        What::Schedulers => schedulers(),
        What::Metrics => metrics(),
    };
    super::print(&text);
    Ok(())
}

/// One row per file of a kind.
fn per_file(
    data: &DataRoot,
    kind: Kind,
    row: impl Fn(&str) -> Result<Vec<String>, Error>,
) -> Result<Vec<Vec<String>>, Error> {
    data.names(kind).iter().map(|name| row(name)).collect()
}

fn accelerators(data: &DataRoot) -> Result<String, Error> {
    let rows = per_file(data, Kind::Accelerator, |name| {
        let spec = data.accelerator(name)?;
        let kinds: Vec<&str> = spec.kinds.iter().map(|kind| kind.name()).collect();
        let clock_mhz = (spec.clock_hz / 1e6).to_string();
        Ok(vec![
            spec.name.clone(),
            spec.macs_per_cycle().to_string(),
            clock_mhz,
            kinds.join(" "),
            spec.source,
        ])
    })?;
    Ok(render(&["accelerator", "MACs", "MHz", "kinds", "source"], 1..3, rows))
}

fn systems(data: &DataRoot) -> Result<String, Error> {
    let rows = per_file(data, Kind::System, |name| {
        let system = data.system(name)?;
        let count = |m: usize| system.accelerators.iter().filter(|a| a.model == m).count();
        let parts =
            system.models.iter().enumerate().map(|(m, model)| format!("{} x {}", count(m), model.name));
        Ok(vec![
            system.name.clone(),
            system.macs_per_cycle().to_string(),
            system.dram_bandwidth_gbps.to_string(),
            parts.collect::<Vec<_>>().join(", "),
        ])
    })?;
    Ok(render(&["system", "MACs", "DRAM GB/s", "accelerators"], 1..3, rows))
}

/// Bytes are those of `workload/network/counts.rs`: one per element, every layer moves its operands once.
fn networks(data: &DataRoot) -> Result<String, Error> {
    let millions = |count: u64, decimals| number(Some(count as f64 / 1e6), decimals);
    let rows = per_file(data, Kind::Network, |name| {
        let network = data.network(name)?;
        Ok(vec![
            network.name.clone(),
            millions(network.macs().0, 1),
            millions(network.parameters(), 2),
            network.layers.len().to_string(),
            network.mac_layers().to_string(),
            network.depth().to_string(),
            number(Some(network.macs_per_byte()), 1),
        ])
    })?;
    let header = ["network", "M MACs", "M parameters", "layers", "MAC layers", "depth", "MACs/byte"];
    Ok(render(&header, 1..7, rows))
}

fn scenarios(data: &DataRoot) -> Result<String, Error> {
    let rows = per_file(data, Kind::Scenario, |name| {
        let scenario = data.scenario(name)?;
        let shares = scenario.tenants.iter().zip(scenario.tenant_shares());
        let tenants = shares.map(|(tenant, share)| format!("{} {:.0} %", tenant.name, 100.0 * share));
        Ok(vec![scenario.name.clone(), tenants.collect::<Vec<_>>().join(", "), scenario.source])
    })?;
    Ok(render(&["scenario", "tenants", "source"], 0..0, rows))
}

fn schedulers() -> String {
    let rows = SCHEDULERS.iter().map(|entry| {
        let parameters = entry.parameters.iter().map(|p| format!("{} = {} ({})", p.name, p.default, p.doc));
        let parameters = parameters.collect::<Vec<_>>().join(", ");
        vec![entry.name.to_string(), entry.doc.to_string(), parameters, entry.source.to_string()]
    });
    render(&["scheduler", "rule", "parameters", "source"], 0..0, rows.collect())
}

fn metrics() -> String {
    let rows = METRICS.iter().flat_map(|entry| {
        entry.columns.iter().map(|c| vec![entry.name.to_string(), c.name.to_string(), c.doc.to_string()])
    });
    render(&["metric", "column", "meaning"], 0..0, rows.collect())
}
