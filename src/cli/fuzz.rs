//! `mascot fuzz`: random runs with every invariant checked.

use clap::Args;

use super::progress::Bars;
use super::table::Listing;
use crate::check::{FleetCase, FleetReport, FleetsPassed, Passed, Report, describe, fuzz, fuzz_fleets};
use crate::experiment::Error;

#[derive(Args)]
pub(super) struct Options {
    /// Number of seeds
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=1 << 32))]
    seeds: u64,
    /// First seed
    #[arg(long, value_name = "S", default_value_t = 1, value_parser = clap::value_parser!(u64).range(0..=1 << 62))]
    first_seed: u64,
    /// Threads [default: all cores]; the results do not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Run random fleets: sites behind links, models with variants and batches, and a dispatcher that takes random legal
    /// actions
    #[arg(long)]
    fleet: bool,
    /// No progress bar and no table
    #[arg(long)]
    quiet: bool,
    /// Print the table as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let seeds = options.first_seed..options.first_seed + options.seeds;
    let bars = Bars::new(options.quiet);
    let (table, run, verdict) = if options.fleet {
        let report = super::on_threads(options.jobs, || fuzz_fleets(seeds, &bars))?;
        let describe: fn(u64) -> String = |seed| FleetCase::new(seed).to_string();
        (fleet_table(&report), describe, report.verdict())
    } else {
        let report = super::on_threads(options.jobs, || fuzz(seeds, &bars))?;
        (table(&report), describe as fn(u64) -> String, report.verdict())
    };
    drop(bars);
    let printed = match (options.json, options.quiet) {
        (true, _) => super::print_json(&table.json()),
        (false, true) => Ok(()),
        (false, false) => {
            let run = if options.seeds == 1 { run(options.first_seed) + "\n" } else { String::new() };
            super::print(&(run + &table.text()))
        }
    };
    // A violated invariant is reported before an output that could not be written.
    verdict.and(printed)
}

fn table(report: &Report) -> Listing {
    let row = |(name, passed): (&&str, &Passed)| {
        let &Passed { runs, requests, met, dropped, layers, decisions, skipped } = passed;
        let counts = [runs, requests, met, dropped, layers, decisions, skipped];
        [vec![name.to_string()], counts.map(|count| count.to_string()).to_vec()].concat()
    };
    Listing {
        columns: &[
            ("scheduler", "scheduler"),
            ("runs", "runs"),
            ("requests", "requests"),
            ("met", "met"),
            ("dropped", "dropped"),
            ("layers", "layers"),
            ("decisions", "decisions"),
            ("overtaken", "overtaken"),
        ],
        numbers: 1..8,
        rows: report.passed.iter().map(row).collect(),
    }
}

fn fleet_table(report: &FleetReport) -> Listing {
    let FleetsPassed { runs, stalled, requests, answered, lost, orders, sites, layers } = report.passed;
    let counts = [runs, stalled, requests, answered, lost, orders, sites, layers];
    Listing {
        columns: &[
            ("runs", "runs"),
            ("stalled", "stalled"),
            ("requests", "requests"),
            ("answered", "answered"),
            ("lost", "lost"),
            ("orders", "orders"),
            ("audited sites", "audited_sites"),
            ("layers", "layers"),
        ],
        numbers: 0..8,
        rows: vec![counts.map(|count| count.to_string()).to_vec()],
    }
}
