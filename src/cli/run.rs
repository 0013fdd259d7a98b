//! `mascot run`: runs an experiment, from TOML to CSV.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;

use super::dry_run::describe;
use super::progress::Bars;
use super::served_table::served_table;
use super::session::Stopwatch;
use super::sweep::{Job, on_interrupt, prepare};
use super::table::render;
use super::trace::{READING, Reading};
use crate::experiment::{BOUND, DataRoot, Error, Experiment, Progress};
use crate::files::{quoted_path, write_atomic};
use crate::plan::Plan;
use crate::results::{Row, copies, number, spread};
use crate::study::timeline;
use crate::sweep::{Inputs, Logs, Shard, cells};

#[derive(Args)]
pub(super) struct Options {
    /// The experiment file
    experiment: PathBuf,
    /// Folder for the results [default: results/<experiment>/]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Overwrite the results of another experiment in the folder
    #[arg(long)]
    overwrite: bool,
    /// Number of seeds, in place of the experiment's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    seeds: Option<i64>,
    /// First seed, in place of the experiment's
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(i64).range(0..))]
    first_seed: Option<i64>,
    /// Threads [default: all cores]; the results do not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Replace a key of the experiment, e.g. --set 'loads=[0.5,0.9]' --set late=finish --set trace.speedup=2
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    set: Vec<(String, toml::Value)>,
    /// Bound the SLA rate of every trace by a linear program: adds a row `bound`, and each scheduler's gap to it
    #[arg(long)]
    bound: bool,
    #[command(flatten)]
    recording: Recording,
    /// Write requests.csv: one row per measured request
    #[arg(long)]
    requests: bool,
    /// Write layers.csv: one row per layer run. It is large: --dry-run says how large
    #[arg(long)]
    layers: bool,
    /// Write energy.csv: the energy by accelerator, tenant, network and part (MACs, levels, DRAM, leakage and other standby, decisions)
    #[arg(long)]
    energy: bool,
    /// Write a timeline of the experiment's only cell, for ui.perfetto.dev or chrome://tracing
    #[arg(long, value_name = "FILE.json")]
    timeline: Option<PathBuf>,
    /// Run the share I of N of the cells and keep them in the results folder, which N processes may have in common, also
    /// on several machines. Whoever is done runs what others have left. No CSV file is written: the same command without
    /// --shard collects the cells when all shares are done
    #[arg(long, value_name = "I/N", conflicts_with_all = ["json", "timeline", "dry_run"])]
    shard: Option<Shard>,
    /// Only list the cells, their offered load and an estimate of the run time; writes nothing but costs in the cache
    #[arg(long, conflicts_with = "json")]
    dry_run: bool,
    /// No progress bar and no table
    #[arg(long)]
    quiet: bool,
    /// Print the table as JSON
    #[arg(long)]
    json: bool,
}

/// The key `trace` of the experiment, as options.
#[derive(Args)]
pub(super) struct Recording {
    /// Take the requests of a recording in place of the scenario's arrivals and the experiment's loads
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
}

impl Recording {
    /// The key and value that the options stand for.
    pub(super) fn key(&self) -> Result<Option<(String, toml::Value)>, Error> {
        let Some(file) = &self.trace else {
            return match self.reading.is_default() {
                true => Ok(None),
                false => Err(Error::Usage(format!("{READING} apply to a trace: give --trace"))),
            };
        };
        let keys = toml::Value::try_from(self.reading.keys(file)).expect("its keys are plain data");
        Ok(Some(("trace".into(), keys)))
    }
}

/// Parses `key=value` with the value in TOML; a value that is not TOML is taken as a string.
pub(super) fn key_value(text: &str) -> Result<(String, toml::Value), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    let parsed =
        format!("value = {value}").parse::<toml::Table>().ok().and_then(|mut table| table.remove("value"));
    if parsed.is_none() && value.trim().parse::<f64>().is_ok() {
        return Err(format!("`{}` is not a TOML number that fits 64 bits", value.trim()));
    }
    Ok((key.trim().to_string(), parsed.unwrap_or_else(|| toml::Value::String(value.to_string()))))
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    super::not_results(&options.experiment)?;
    let data = DataRoot::find(Some(&options.experiment))?;
    let mut overrides = options.set.clone();
    overrides.extend(options.seeds.map(|n| ("seeds".into(), toml::Value::Integer(n))));
    overrides.extend(options.first_seed.map(|s| ("first_seed".into(), toml::Value::Integer(s))));
    overrides.extend(options.bound.then(|| ("bound".into(), toml::Value::Boolean(true))));
    overrides.extend(options.recording.key()?);
    let experiment = Experiment::read(&options.experiment, &overrides, &data)?;
    if options.dry_run {
        let tell = |job: &Job, folder: &Path| Ok(describe(job, folder));
        let text = super::on_threads(options.jobs, || with_job(options, experiment, &data, tell))??;
        return super::print(&text);
    }
    let folder = options.folder(&experiment);
    if let Some(shard) = options.shard {
        let act = |job: &Job, folder: &Path| {
            on_interrupt(job.bars, folder);
            job.carry_out_shard(cells(job.plan), folder, shard)
        };
        let told = super::on_threads(options.jobs, || with_job(options, experiment, &data, act))??;
        return if options.quiet { Ok(()) } else { super::print(&(told + "\n")) };
    }
    let act = |job: &Job, folder: &Path| run(options, job, folder);
    let rows = super::on_threads(options.jobs, || with_job(options, experiment, &data, act))??;
    if options.json {
        super::print_json(&rows)?;
    } else if !options.quiet {
        super::print(&format!("{}\n", folder.join("summary.csv").display()))?;
        let is_of_fleets = rows.iter().any(|row| row.served.is_some());
        super::print(&if is_of_fleets { served_table(&rows) } else { table(&rows) })?;
        super::print(&format!("Next, `mascot report {}` draws these results.\n", quoted_path(&folder)))?;
    }
    Ok(())
}

impl Options {
    fn folder(&self, experiment: &Experiment) -> PathBuf {
        self.out.clone().unwrap_or_else(|| super::default_out(&experiment.name))
    }
}

/// Prepares the plan and its inputs, and calls `act` with the job.
fn with_job<T>(
    options: &Options,
    experiment: Experiment,
    data: &DataRoot,
    act: impl FnOnce(&Job, &Path) -> Result<T, Error>,
) -> Result<T, Error> {
    let (bars, started) = (Bars::new(options.quiet), Stopwatch::start());
    let folder = options.folder(&experiment);
    let plan = prepare(experiment, data, !options.dry_run, &bars)?;
    plan.moved_deadlines().iter().for_each(|warning| bars.warn(warning));
    let inputs = Inputs::of(&plan, data)?;
    let Options { requests, layers, energy, .. } = *options;
    let logs = Logs { requests, layers, energy };
    let job = Job {
        plan: &plan,
        inputs: &inputs,
        data,
        logs,
        bars: &bars,
        started,
        resumable: true,
        overwrite: options.overwrite,
    };
    act(&job, &folder)
}

fn run(options: &Options, job: &Job, folder: &Path) -> Result<Vec<Row>, Error> {
    if options.timeline.is_some() {
        timeline::only_cell(job.plan)?;
    }
    on_interrupt(job.bars, folder);
    let rows = job.carry_out(cells(job.plan), folder, true)?;
    if let Some(path) = &options.timeline {
        write_timeline(job.plan, path)?;
    }
    Ok(rows)
}

fn write_timeline(plan: &Plan, path: &Path) -> Result<(), Error> {
    let json = timeline::timeline(plan, &timeline::only_cell(plan)?)?;
    write_atomic(path, json.as_bytes()).map_err(|source| Error::writing(path, source))
}

/// What a row says of its case.
pub(super) fn case_cells(row: &Row) -> Vec<String> {
    // An absolute arrival rate gives a load with many digits: three are enough.
    let load = row.load.map_or("-".into(), |load| ((load * 1e3).round() / 1e3).to_string());
    let mut cells = vec![row.system.clone(), row.scenario.clone(), row.qos.to_string(), load];
    cells.extend(row.setting.iter().map(|(_, value)| value.clone()));
    cells
}

/// The headings of what [`case_cells`] tells, without the settings; the second line of a heading is its unit.
pub(super) const fn case_headings(site: &'static str) -> [&'static str; 4] {
    [site, "scenario", "qos", "load,\nx lambda*"]
}

fn table(rows: &[Row]) -> String {
    let setting: Vec<&str> =
        rows.first().map(|r| r.setting.iter().map(|(key, _)| *key).collect()).unwrap_or_default();
    let mut header = case_headings("system").to_vec();
    header.extend(&setting);
    let first_number = header.len() + 1;
    let over = rows.iter().find_map(|row| row.gain_over.as_ref()).or(rows.first().map(|row| &row.scheduler));
    let gain = format!("vs {},\n%", over.map_or("", String::as_str));
    header.extend([
        "scheduler",
        "SLA rate",
        "+- 95 %",
        "finished,\nshare",
        "p99 of\nfinished, us",
        "uJ per measured\nrequest",
        "uJ per met\nrequest",
        &gain,
        "vs it,\npoints",
        "+- 95 %",
        "seeds",
    ]);
    let bounded = rows.iter().any(|row| row.gap_to_bound.is_some());
    if bounded {
        header.push("to bound");
    }
    let cells = rows.iter().map(|row| {
        let mut cells = case_cells(row);
        cells.extend([
            row.scheduler.clone(),
            number(Some(row.sla_rate), 4),
            spread(Some(row.sla_rate), row.sla_rate_interval95, 4),
            number(row.finished_share, 3),
            number(row.latency_p99_us, 0),
            number(row.energy_per_request_uj, 1),
            number(row.energy_per_met_request_uj, 1),
            number(row.gain_percent, 1),
            number(row.gain_points, 1),
            spread(row.gain_points, row.gain_points_interval95, 1),
            row.seeds.to_string(),
        ]);
        if bounded {
            cells.push(number(row.gap_to_bound, 4));
        }
        cells
    });
    render(&header, first_number..header.len(), cells.collect()) + &footnotes(rows)
}

/// Notes on what the numbers cover, one per line.
fn footnotes(rows: &[Row]) -> String {
    let runs = || rows.iter().filter(|row| row.scheduler != BOUND);
    let notes: BTreeSet<&str> = runs().filter_map(|row| row.replicates.note()).collect();
    let copies = copies(runs().map(|row| row.copies).sum());
    notes.into_iter().chain(copies.as_deref()).map(|note| format!("{note}\n")).collect()
}
