//! `mascot fuzz`: random runs with every invariant checked.

use clap::Args;

use super::progress::Bars;
use super::table::Listing;
use crate::check::{Passed, Report, describe, fuzz};
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
    let report = super::on_threads(options.jobs, || fuzz(seeds, &bars))?;
    drop(bars);
    let table = table(&report);
    let printed = match (options.json, options.quiet) {
        (true, _) => super::print_json(&table.json()),
        (false, true) => Ok(()),
        (false, false) => {
            let run = if options.seeds == 1 { describe(options.first_seed) + "\n" } else { String::new() };
            super::print(&(run + &table.text()))
        }
    };
    // A violated invariant is reported before an output that could not be written.
    report.verdict().and(printed)
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
