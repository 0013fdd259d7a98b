//! `mascot trace`: generates request traces and prints their statistics.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use super::progress::Bars;
use super::table::render;
use crate::cost::Cache;
use crate::experiment::{DataRoot, Error};
use crate::files::{Factor, Load, PerSecond, write_atomic};
use crate::results::number;
use crate::study::Generate;
use crate::workload::{
    MAX_REQUESTS, MoreColumns, NetworkBy, Rows, Tally, TraceKeys, TraceStats, Written, to_csv,
};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Write the requests of a scenario as CSV: t_s,tenant,network
    ///
    /// The requests are those of a run with the same seed; `mascot run --trace` reads the file. If the tenants share a
    /// load, give it with --load and --system, or with --rate. A network with a batch is written as NAME@BATCH.
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
    /// Further columns, separated by commas: priority; deadline_us, the microseconds from arrival to deadline on --system
    /// at QoS level M and the default deadline_factor
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    columns: Vec<Further>,
}

/// A column that is written when it is asked for.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Further {
    Priority,
    #[value(name = "deadline_us")]
    DeadlineUs,
}

#[derive(Args)]
pub(super) struct StatsOptions {
    /// The trace
    file: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// Also print a row per tenant, or per network
    #[arg(long, value_name = "WHAT", default_value = "tenant")]
    by: By,
    /// Print {"all": {...}, "tenants": {name: {...}}}, or "networks"
    #[arg(long)]
    json: bool,
}

/// Which requests a row of the statistics is about.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    Tenant,
    Network,
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
    /// Networks by the size of a request, as the key `network_by` of a trace: { columns = ["ContextTokens"], ranges =
    /// [{ up_to = 512, network = "NAME" }, { network = "NAME@BATCH" }] }
    #[arg(long, value_name = "TABLE", value_parser = network_by)]
    network_by: Option<NetworkBy>,
    /// The column with priorities [default: priority, if the file has it]
    #[arg(long, value_name = "COLUMN")]
    priority_column: Option<String>,
    /// The column with the microseconds from arrival to deadline [default: deadline_us, if the file has it]
    #[arg(long, value_name = "COLUMN")]
    deadline_column: Option<String>,
}

/// The options of [`Reading`], for messages.
pub(super) const READING: &str = "--speedup, --map, --network-by, --priority-column and --deadline-column";

fn requests(text: &str) -> Result<usize, String> {
    let requests = text.parse().ok().filter(|requests| (1..=MAX_REQUESTS).contains(requests));
    requests.ok_or_else(|| format!("expected a whole number from 1 to {MAX_REQUESTS}"))
}

fn renaming(text: &str) -> Result<(String, String), String> {
    let (from, to) = text.split_once('=').ok_or("expected FROM=TO")?;
    Ok((from.to_string(), to.to_string()))
}

fn network_by(text: &str) -> Result<NetworkBy, String> {
    #[derive(serde::Deserialize)]
    struct Value {
        value: NetworkBy,
    }
    let read = toml::from_str::<Value>(&format!("value = {text}"));
    read.map(|read| read.value).map_err(|error| error.message().trim_end().to_string())
}

impl Reading {
    /// Whether no option was given.
    pub(super) fn is_default(&self) -> bool {
        let Self { speedup, map, network_by, priority_column, deadline_column } = self;
        let has_columns = network_by.is_some() || priority_column.is_some() || deadline_column.is_some();
        speedup.is_none() && map.is_empty() && !has_columns
    }

    pub(super) fn keys(&self, file: &Path) -> TraceKeys {
        let map: BTreeMap<String, String> = self.map.iter().cloned().collect();
        TraceKeys {
            file: file.to_path_buf(),
            speedup: self.speedup.unwrap_or(Factor(1.0)),
            map,
            network_by: self.network_by.clone(),
            priority: self.priority_column.clone(),
            deadline_us: self.deadline_column.clone(),
        }
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
        deadlines: options.columns.contains(&Further::DeadlineUs),
    };
    let (scenario, arrivals) = generate.arrivals(&data, &Cache::from_env(), &bars)?;
    let labels: Vec<String> = scenario.networks.iter().map(|network| network.label()).collect();
    let rows = arrivals.take(options.requests).map(|(arrival, within)| Written {
        time: arrival.time,
        tenant: &scenario.tenants[arrival.tenant as usize].name,
        network: &labels[arrival.network as usize],
        priority: arrival.priority,
        within,
    });
    let priority = options.columns.contains(&Further::Priority);
    let csv = to_csv(rows, MoreColumns { priority, deadline: generate.deadlines });
    drop(bars);
    match &options.output {
        None => super::print(&String::from_utf8_lossy(&csv)),
        Some(path) => write_atomic(path, &csv).map_err(|source| Error::writing(path, source)),
    }
}

fn stats(options: &StatsOptions) -> Result<(), Error> {
    let mut trace = Rows::open(&options.reading.keys(&options.file))?;
    trace.left_out.iter().for_each(|left_out| super::eprint(&format!("left out: {left_out}")));
    let (mut all, mut groups) = (Tally::default(), BTreeMap::<String, Tally>::new());
    while let Some(row) = trace.advance()? {
        all.add(row.time);
        let name = match options.by {
            By::Tenant => trace.labels.tenant(&row),
            By::Network => trace.labels.network(&row),
        };
        match name {
            Some(name) if !groups.contains_key(name) => {
                let mut tally = Tally::default();
                tally.add(row.time);
                groups.insert(name.to_string(), tally);
            }
            Some(name) => groups.get_mut(name).expect("it was found above").add(row.time),
            None => {}
        }
    }
    let all = all.stats();
    let groups: BTreeMap<&str, TraceStats> =
        groups.iter().map(|(name, tally)| (name.as_str(), tally.stats())).collect();
    let (word, words) = match options.by {
        By::Tenant => ("tenant", "tenants"),
        By::Network => ("network", "networks"),
    };
    match options.json {
        true => super::print_json(&serde_json::json!({ "all": all, words: groups })),
        false => super::print(&table(word, &all, &groups)),
    }
}

fn table(word: &str, all: &TraceStats, tenants: &BTreeMap<&str, TraceStats>) -> String {
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
        [word, "requests", "span s", "requests/s", "gap CV", "I(1 s)", "I(10 s)", "I(60 s)", "peak 1/s"];
    render(&header, 1..header.len(), rows.collect())
}
