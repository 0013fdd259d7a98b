//! `mascot trace`: generates request traces and prints their statistics.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::progress::Bars;
use super::table::render;
use crate::cost::Cache;
use crate::experiment::{DataRoot, Error};
use crate::files::{Factor, Load, PerSecond, write_atomic};
use crate::results::number;
use crate::study::Generate;
use crate::workload::{MAX_REQUESTS, Rows, Tally, TraceKeys, TraceStats, to_csv};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Write the requests of a scenario as CSV: t_s,tenant,network
    ///
    /// The requests are those of a run with the same seed; `mascot run --trace` reads the file. If the tenants share a
    /// load, give it with --load and --system, or with --rate.
    Gen(GenOptions),
    /// Rate, burstiness and peak of a trace, as a whole and by tenant
    ///
    /// Reads t_s[,tenant][,network] CSV, Azure LLM CSV, Azure Functions CSV (2019 and 2021), BurstGPT CSV and DISB JSON.
    /// gap CV: standard deviation / mean of the gaps. I(w): variance / mean of the number of requests in windows of w; 1
    /// for a Poisson process, `-` where fewer than ten windows fit. peak: the most requests in any second.
    Stats(StatsOptions),
}

#[derive(Args)]
pub(super) struct GenOptions {
    /// The scenario: a name, or a path to a .toml file
    scenario: String,
    /// File for the trace [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Number of requests; fewer if the arrivals end earlier
    #[arg(long, value_name = "N", default_value = "1000", value_parser = requests)]
    requests: usize,
    /// Seed of all draws
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Load relative to the saturation rate lambda*; needs --system
    #[arg(long, requires = "system", conflicts_with = "rate")]
    load: Option<Load>,
    /// The system: a name, or a path to a .toml file
    #[arg(long, value_name = "NAME")]
    system: Option<String>,
    /// Requests per second of all tenants that share a load
    #[arg(long, value_name = "PER_SECOND")]
    rate: Option<PerSecond>,
}

#[derive(Args)]
pub(super) struct StatsOptions {
    /// The trace
    file: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// Print {"all": {...}, "tenants": {name: {...}}}
    #[arg(long)]
    json: bool,
}

/// Options for reading a trace file.
#[derive(Args)]
pub(super) struct Reading {
    /// Speed up the recorded arrivals by this factor
    #[arg(long, value_name = "FACTOR")]
    speedup: Option<Factor>,
    /// Rename a tenant or network of the trace
    #[arg(long, value_name = "FROM=TO", value_parser = renaming)]
    map: Vec<(String, String)>,
}

fn requests(text: &str) -> Result<usize, String> {
    let requests = text.parse().ok().filter(|requests| (1..=MAX_REQUESTS).contains(requests));
    requests.ok_or_else(|| format!("expected a whole number from 1 to {MAX_REQUESTS}"))
}

fn renaming(text: &str) -> Result<(String, String), String> {
    let (from, to) = text.split_once('=').ok_or("expected FROM=TO")?;
    Ok((from.to_string(), to.to_string()))
}

impl Reading {
    /// Whether no option was given.
    pub(super) fn is_default(&self) -> bool {
        self.speedup.is_none() && self.map.is_empty()
    }

    pub(super) fn keys(&self, file: &Path) -> TraceKeys {
        let map: BTreeMap<String, String> = self.map.iter().cloned().collect();
        TraceKeys { speedup: self.speedup.unwrap_or(Factor(1.0)), map, ..TraceKeys::new(file) }
    }
}

pub(super) fn execute(command: &Command) -> Result<(), Error> {
    match command {
        Command::Gen(options) => gen_trace(options),
        Command::Stats(options) => stats(options),
    }
}

fn gen_trace(options: &GenOptions) -> Result<(), Error> {
    let data = DataRoot::find(None)?;
    let bars = Bars::new(false);
    let generate = Generate {
        scenario: &options.scenario,
        system: options.system.as_deref(),
        load: options.load,
        rate_per_s: options.rate,
        seed: options.seed,
    };
    let (scenario, arrivals) = generate.arrivals(&data, &Cache::from_env(), &bars)?;
    let labels: Vec<String> = scenario.networks.iter().map(|network| network.label()).collect();
    let rows = arrivals.take(options.requests).map(|arrival| {
        let tenant = scenario.tenants[arrival.tenant as usize].name.as_str();
        (arrival.time, tenant, labels[arrival.network as usize].as_str())
    });
    let csv = to_csv(rows);
    drop(bars);
    match &options.output {
        None => super::print(&String::from_utf8_lossy(&csv)),
        Some(path) => write_atomic(path, &csv).map_err(|source| Error::writing(path, source)),
    }
}

fn stats(options: &StatsOptions) -> Result<(), Error> {
    let mut trace = Rows::open(&options.reading.keys(&options.file))?;
    trace.left_out.iter().for_each(|left_out| super::eprint(&format!("left out: {left_out}")));
    let (mut all, mut tenants) = (Tally::default(), BTreeMap::<String, Tally>::new());
    while let Some(row) = trace.advance()? {
        all.add(row.time);
        match trace.labels.tenant(&row) {
            Some(tenant) if !tenants.contains_key(tenant) => {
                let mut tally = Tally::default();
                tally.add(row.time);
                tenants.insert(tenant.to_string(), tally);
            }
            Some(tenant) => tenants.get_mut(tenant).expect("it was found above").add(row.time),
            None => {}
        }
    }
    let all = all.stats();
    let tenants: BTreeMap<&str, TraceStats> =
        tenants.iter().map(|(tenant, tally)| (tenant.as_str(), tally.stats())).collect();
    match options.json {
        true => super::print_json(&serde_json::json!({ "all": all, "tenants": tenants })),
        false => super::print(&table(&all, &tenants)),
    }
}

fn table(all: &TraceStats, tenants: &BTreeMap<&str, TraceStats>) -> String {
    let rows = std::iter::once((&"all", all)).chain(tenants).map(|(name, stats)| {
        vec![
            (*name).to_string(),
            stats.requests.to_string(),
            number(Some(stats.span_s), 3),
            number(stats.rate_per_s, 2),
            number(stats.gap_cv, 3),
            number(stats.dispersion_1s, 2),
            number(stats.dispersion_10s, 2),
            number(stats.dispersion_60s, 2),
            stats.peak_per_s.to_string(),
        ]
    });
    let header =
        ["tenant", "requests", "span s", "requests/s", "gap CV", "I(1 s)", "I(10 s)", "I(60 s)", "peak 1/s"];
    render(&header, 1..header.len(), rows.collect())
}
