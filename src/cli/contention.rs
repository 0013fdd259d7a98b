//! `mascot contention`: how well the contention model predicts measured co-runs.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::table::render;
use crate::experiment::Error;
use crate::files::did_you_mean;
use crate::results::number;
use crate::study::{CoRuns, MODELS, Report, verify};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Simulate measured co-runs under every sharing rule and print the errors of layer durations
    ///
    /// Every layer runs on an accelerator of its own from its measured start, with the latency measured without
    /// co-runners and its DRAM bytes. The error is |predicted - measured| / measured of its duration, in percent (also
    /// with --json).
    ///
    /// Models: the `sharing` rules of systems. `.._alone` bounds the demand of a layer by the bandwidth that co-running
    /// layers share, because the latency alone includes the stalls alone. `fifo` is shown for configurations whose rows
    /// have bytes_per_tile.
    Verify(Options),
}

#[derive(Args)]
pub(super) struct Options {
    /// CSV: experiment,n,layer,alone_cycles,dram_bytes,start_cycle,end_cycle,bandwidth_bytes_per_cycle,config, and
    /// optionally bytes_per_tile
    corun: PathBuf,
    /// Share of the peak bandwidth that the DRAM delivers, for all configurations or for one [default: 0.88; 1 where
    /// the name of the configuration starts with `simple` or contains `ideal`]
    #[arg(long, value_name = "[CONFIG=]SHARE", value_parser = efficiency)]
    dram_efficiency: Vec<(Option<String>, f64)>,
    /// Print {config: {model: {mean, median, max}}}, in percent
    #[arg(long)]
    json: bool,
}

fn efficiency(text: &str) -> Result<(Option<String>, f64), String> {
    let (config, share) = match text.split_once('=') {
        Some((config, share)) => (Some(config.to_string()), share),
        None => (None, text),
    };
    match share.parse() {
        Ok(share) if share > 0.0 && share <= 1.0 => Ok((config, share)),
        _ => Err("expected a number above 0 and up to 1, or CONFIG=NUMBER".into()),
    }
}

/// The default of system files (`hw::system`); an ideal DRAM opens no rows and needs no refresh.
fn default_efficiency(config: &str) -> f64 {
    if config.starts_with("simple") || config.contains("ideal") { 1.0 } else { 0.88 }
}

impl Options {
    /// The efficiency given for this configuration, else the one given for all, else the default.
    fn efficiency(&self, config: &str) -> f64 {
        let given = |name: Option<&str>| {
            self.dram_efficiency.iter().rev().find(|(given, _)| given.as_deref() == name).map(|given| given.1)
        };
        given(Some(config)).or_else(|| given(None)).unwrap_or_else(|| default_efficiency(config))
    }

    fn check_names(&self, coruns: &CoRuns) -> Result<(), Error> {
        let configs: Vec<&str> = coruns.by_config().map(|(config, _)| config).collect();
        let unknown = self.dram_efficiency.iter().filter_map(|(name, _)| name.as_deref());
        match unknown.into_iter().find(|name| !configs.contains(name)) {
            Some(name) => Err(Error::Usage(format!(
                "--dram-efficiency {name}=..: {} has no such configuration{}, only {}",
                self.corun.display(),
                did_you_mean(name, &configs),
                configs.join(", ")
            ))),
            None => Ok(()),
        }
    }
}

pub(super) fn execute(command: &Command) -> Result<(), Error> {
    let Command::Verify(options) = command;
    let coruns = CoRuns::read(&options.corun)?;
    options.check_names(&coruns)?;
    let report = verify(&coruns, |config| options.efficiency(config));
    match options.json {
        true => super::print_json(&report),
        false => super::print(&table(&report)),
    }
}

fn table(report: &Report) -> String {
    let mut rows = Vec::new();
    for (config, by_model) in report {
        for (name, errors) in MODELS.iter().filter_map(|model| by_model.get_key_value(model.name)) {
            let percents = [errors.mean, errors.median, errors.max].map(|v| number(Some(v), 2));
            rows.push([vec![config.clone(), (*name).to_string()], percents.to_vec()].concat());
        }
    }
    render(&["config", "model", "mean %", "median %", "max %"], 2..5, rows)
}
