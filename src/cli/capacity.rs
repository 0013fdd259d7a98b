//! `mascot capacity`: the load that each scheduler sustains.

use std::path::PathBuf;

use clap::Args;

use super::progress::Bars;
use super::run::key_value;
use super::session::session;
use super::table::render;
use crate::cost::Cache;
use crate::experiment::{DataRoot, Error, Experiment, Progress};
use crate::files::{Fraction, Load, write_atomic};
use crate::plan::Plan;
use crate::results::{number, spread};
use crate::study::{Found, Goal, Row, Search, find, rows, to_csv};
use crate::sweep::{CAPACITY, Leftovers, manifest};

#[derive(Args)]
pub(super) struct Options {
    /// The experiment file; its loads are not used
    experiment: PathBuf,
    /// The SLA rate that has to be met
    #[arg(long, value_name = "RATE", default_value = "0.95")]
    sla: Fraction,
    /// The mean quality that has to be reached, in place of an SLA rate; fleets only
    #[arg(long, value_name = "QUALITY", conflicts_with = "sla")]
    quality: Option<Fraction>,
    /// Width of the load interval at which the search stops
    #[arg(long, value_name = "LOAD", default_value = "0.01")]
    tolerance: Load,
    /// The highest load to try
    #[arg(long, value_name = "LOAD", default_value = "2")]
    highest: Load,
    /// Folder for capacity.csv [default: results/<experiment>/]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Overwrite the results of another experiment in the folder
    #[arg(long)]
    overwrite: bool,
    /// Number of seeds, in place of the experiment's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    seeds: Option<i64>,
    /// Threads [default: all cores]; the results do not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Replace a key of the experiment, e.g. --set 'schedulers=["fcfs","gated"]'
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    set: Vec<(String, toml::Value)>,
    /// No progress bar and no table
    #[arg(long)]
    quiet: bool,
    /// Print the table as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let (by, target) = match options.quality {
        Some(quality) => (Goal::Quality, quality.0),
        None => (Goal::SlaRate, options.sla.0),
    };
    let search = Search { by, target, tolerance: options.tolerance.0, highest: options.highest.0 };
    if search.tolerance >= search.highest {
        return Err(Error::Usage("--tolerance is the lowest load: expected less than --highest".into()));
    }
    super::not_results(&options.experiment)?;
    let data = DataRoot::find(Some(&options.experiment))?;
    let mut overrides = options.set.clone();
    overrides.extend(options.seeds.map(|n| ("seeds".into(), toml::Value::Integer(n))));
    let experiment = Experiment::read(&options.experiment, &overrides, &data)?;
    let folder = options.out.clone().unwrap_or_else(|| super::default_out(&experiment.name));
    Leftovers::of(&folder, &CAPACITY, &experiment, options.overwrite)?;
    let origin = manifest::of_experiment(&experiment, &session());
    let found = super::on_threads(options.jobs, || run(options, experiment, &data, search))??;
    let paths = CAPACITY.paths(&folder);
    for (path, bytes) in paths.iter().zip([&to_csv(&found, by), origin.as_bytes()]) {
        write_atomic(path, bytes).map_err(|source| Error::writing(path, source))?;
    }
    let rows = rows(&found);
    if options.json {
        super::print_json(&rows)?;
    } else if !options.quiet {
        super::print(&format!("{}\n{}", paths[0].display(), table(&rows)))?;
    }
    Ok(())
}

fn run(
    options: &Options,
    experiment: Experiment,
    data: &DataRoot,
    search: Search,
) -> Result<Vec<Found>, Error> {
    let bars = Bars::new(options.quiet);
    let plan = Plan::prepare(experiment, data, &Cache::from_env(), &bars)?;
    plan.moved_deadlines().iter().for_each(|warning| bars.warn(warning));
    find(&plan, search, &bars)
}

fn table(rows: &[Row]) -> String {
    let mut header: Vec<&str> = rows.iter().take(1).flat_map(|row| &row.case).map(|(key, _)| *key).collect();
    let first_number = header.len() + 1;
    header.extend(["scheduler", "sustained load", "+- 95 %", "requests/s", "seeds", "below", "above"]);
    let cells = rows.iter().map(|row| {
        let mut cells: Vec<String> = row.case.iter().map(|(_, value)| value.clone()).collect();
        cells.extend([
            row.scheduler.clone(),
            number(Some(row.load), 3),
            spread(Some(row.load), row.load_interval95, 3),
            number(Some(row.requests_per_s), 1),
            row.seeds.to_string(),
            row.below.to_string(),
            row.above.to_string(),
        ]);
        cells
    });
    render(&header, first_number..header.len(), cells.collect())
}
