//! `mascot cost verify`: compares our evaluation of given mappings with another tool's.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::cases::CaseFile;
use crate::cli::table::render;
use crate::cost::{Comparison, Figures, compare};
use crate::experiment::Error;

#[derive(Args)]
pub(in crate::cli) struct Options {
    /// The cases, one JSON object a line
    cases: PathBuf,
    /// Exit with 1 if cycles, an access count or the energy of a case differ by more than this share
    #[arg(long, value_name = "SHARE", default_value = "0.01", value_parser = share)]
    tolerance: f64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if value >= 0.0 => Ok(value),
        _ => Err("expected a number >= 0".into()),
    }
}

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    overall: Figures,
    by_arch: BTreeMap<String, Figures>,
}

/// The number of worst cases that are named for each accelerator.
const WORST: usize = 5;

pub(in crate::cli) fn execute(options: &Options) -> Result<(), Error> {
    let file = CaseFile::read(&options.cases)?;
    let compared = file.cases.iter().map(|case| file.at(case, |accel| compare(case, accel)));
    let comparisons = compared.collect::<Result<Vec<Comparison>, _>>()?;
    let of_arch =
        |arch: &str| comparisons.iter().filter(|each| each.arch == arch).collect::<Vec<&Comparison>>();
    let by_arch = file.architectures().map(|arch| (arch.to_string(), Figures::of(&of_arch(arch)))).collect();
    let report = Report { overall: Figures::of(&comparisons.iter().collect::<Vec<_>>()), by_arch };
    if options.json {
        super::super::print_json(&report)?;
    } else {
        let worst = file.architectures().map(|arch| worst(arch, of_arch(arch)));
        super::super::print(&(table(&report) + "\n" + &worst.collect::<String>()))?;
    }
    let beyond = comparisons.iter().filter(|each| each.worst_rel_err() > options.tolerance).count();
    match beyond {
        0 => Ok(()),
        _ => Err(Error::Check(format!(
            "{beyond} of {} cases differ by more than the tolerance of {}",
            comparisons.len(),
            options.tolerance
        ))),
    }
}

const HEADER: [&str; 8] = [
    "accelerator",
    "cases",
    "cycles exact",
    "max error",
    "accesses exact",
    "max error",
    "energy median error",
    "max error",
];

fn table(report: &Report) -> String {
    let all = report.by_arch.iter().map(|(arch, figures)| (arch.as_str(), figures));
    let rows = all.chain([("all", &report.overall)]).map(|(name, figures)| {
        vec![
            name.to_string(),
            figures.cases.to_string(),
            figures.cycles_exact.to_string(),
            error(figures.cycles_max_rel_err),
            format!("{} of {}", figures.accesses_exact, figures.accesses_total),
            error(figures.accesses_max_rel_err),
            error(figures.energy_median_rel_err),
            error(figures.energy_max_rel_err),
        ]
    });
    render(&HEADER, 1..HEADER.len(), rows.collect())
}

/// Names the worst cases of one accelerator; ties keep the order of the file.
fn worst(arch: &str, mut comparisons: Vec<&Comparison>) -> String {
    comparisons.sort_by(|a, b| b.worst_rel_err().total_cmp(&a.worst_rel_err()));
    let named = comparisons.iter().take(WORST);
    let lines = named.map(|each| format!("  {} {}\n", error(each.worst_rel_err()), each.id));
    format!("worst on {arch}:\n{}", lines.collect::<String>())
}

fn error(value: f64) -> String {
    if value == 0.0 { "0".into() } else { format!("{value:.1e}") }
}
