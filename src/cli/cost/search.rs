//! `mascot cost search`: compares our best mappings with those of another tool, and times the search.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde_json::json;

use super::cases::CaseFile;
use crate::cli::progress::Bars;
use crate::cli::table::render;
use crate::cost::{median, ratio};
use crate::experiment::{Error, Progress};
use crate::hw::Objective;
use crate::results::number;

#[derive(Args)]
pub(in crate::cli) struct Options {
    /// The cases, one JSON object a line
    cases: PathBuf,
    /// What the mapper minimises and the ratio compares
    #[arg(long, value_name = "latency|energy|edp", default_value = "edp", value_parser = super::choice::objective)]
    objective: Objective,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One case: the cost of our mapping over that of the given one, and the time of the search.
struct Outcome<'a> {
    id: &'a str,
    arch: &'a str,
    ratio: f64,
    ms: f64,
}

pub(in crate::cli) fn execute(options: &Options) -> Result<(), Error> {
    let file = CaseFile::read(&options.cases)?;
    let bars = Bars::new(false);
    bars.begin("search", file.cases.len());
    let mut outcomes = Vec::with_capacity(file.cases.len());
    // Cases run one after the other, so that each time is that of one thread.
    for case in &file.cases {
        let (ratio, ms) = file.at(case, |accel| timed(|| ratio(case, accel, options.objective)))?;
        outcomes.push(Outcome { id: &case.id, arch: &case.arch, ratio, ms });
        bars.advance(outcomes.len());
    }
    drop(bars);
    match options.json {
        true => super::super::print_json(&summary(options.objective, &outcomes)),
        false => super::super::print(&(table(&outcomes) + &total(&outcomes))),
    }
}

#[expect(clippy::disallowed_methods, reason = "the command reports how long the search takes")]
fn timed<T>(act: impl FnOnce() -> Result<T, String>) -> Result<(T, f64), String> {
    let start = Instant::now();
    let result = act()?;
    Ok((result, start.elapsed().as_secs_f64() * 1e3))
}

fn geometric_mean(outcomes: &[Outcome]) -> f64 {
    (outcomes.iter().map(|each| each.ratio.ln()).sum::<f64>() / outcomes.len() as f64).exp()
}

fn worst(outcomes: &[Outcome]) -> f64 {
    outcomes.iter().map(|each| each.ratio).fold(0.0, f64::max)
}

/// Layers per second, and the median and the longest time in ms.
fn speed(outcomes: &[Outcome]) -> [f64; 3] {
    let mut times: Vec<f64> = outcomes.iter().map(|each| each.ms).collect();
    times.sort_by(f64::total_cmp);
    let total: f64 = times.iter().sum();
    [times.len() as f64 * 1e3 / total, median(&times), times.last().copied().unwrap_or(0.0)]
}

fn summary(objective: Objective, outcomes: &[Outcome]) -> serde_json::Value {
    let what = match objective {
        Objective::Latency => "latency",
        Objective::Energy => "energy",
        Objective::Edp => "edp",
    };
    let [layers_per_second, median_ms, max_ms] = speed(outcomes);
    json!({
        "cases": outcomes.len(),
        format!("geomean_{what}_ratio"): geometric_mean(outcomes),
        format!("worst_{what}_ratio"): worst(outcomes),
        "layers_per_second": layers_per_second,
        "median_ms": median_ms,
        "max_ms": max_ms,
    })
}

fn table(outcomes: &[Outcome]) -> String {
    let rows = outcomes.iter().map(|each| {
        vec![
            each.id.to_string(),
            each.arch.to_string(),
            number(Some(each.ratio), 4),
            number(Some(each.ms), 2),
        ]
    });
    render(&["case", "accelerator", "ours / theirs", "ms"], 2..4, rows.collect())
}

fn total(outcomes: &[Outcome]) -> String {
    let [layers_per_second, median_ms, max_ms] = speed(outcomes);
    format!(
        "\n{} cases: ratio {:.4} (geometric mean), {:.4} (worst); {layers_per_second:.0} layers/s, {median_ms:.2} ms \
         (median), {max_ms:.2} ms (longest)\n",
        outcomes.len(),
        geometric_mean(outcomes),
        worst(outcomes)
    )
}
