//! `mascot rank`: ranks the schedulers of a run in one table.

use std::path::PathBuf;

use clap::Args;

use super::table::render;
use crate::experiment::Error;
use crate::files::write_atomic;
use crate::metrics::Better;
use crate::results::{Question, Ranked, Ranking, copies, number, rank, spread, to_csv};
use crate::sweep::{Estimate, RATE, Replicates, Table, column};

#[derive(Args)]
pub(super) struct Options {
    /// The summary.csv of a run, or its folder
    summary: PathBuf,
    /// The column to rank by, best mean first; `mascot list metrics` shows whether higher or lower is better. Of a run on
    /// fleets also a column of serving.csv, e.g. quality
    #[arg(long, value_name = "NAME", default_value = "sla_rate")]
    metric: String,
    /// The scheduler that the others are compared with [default: the best]
    #[arg(long, value_name = "SCHEDULER")]
    over: Option<String>,
    /// A key column by whose values the means are split, e.g. scenario
    #[arg(long, value_name = "KEY")]
    by: Option<String>,
    /// A key column that distinguishes schedulers instead of cells, e.g. decision_cost; may be repeated
    #[arg(long, value_name = "KEY")]
    with: Vec<String>,
    /// Use only rows with this value, e.g. late=abort; may be repeated, also to allow several values of one key
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    only: Vec<(String, String)>,
    /// Margin by which a scheduler has to beat another in a cell, in the unit of the metric
    #[arg(long, value_name = "X", default_value_t = 0.0, allow_negative_numbers = true, value_parser = margin)]
    margin: f64,
    /// Also write a CSV file with a row per cell and scheduler: mean, difference, significance, gap to the bound
    #[arg(long, value_name = "FILE")]
    cells: Option<PathBuf>,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.into(), value.into()))
}

fn margin(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|margin| *margin >= 0.0).ok_or("expected a number >= 0")
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let path = super::in_folder(&options.summary, Table::of_metric(&options.metric).file());
    let ranking = rank(
        &path,
        &Question {
            metric: &options.metric,
            over: options.over.as_deref(),
            by: options.by.as_deref(),
            with: &options.with,
            only: &options.only,
            margin: options.margin,
        },
    )?;
    if let Some(cells) = &options.cells {
        write_atomic(cells, to_csv(&ranking).as_bytes()).map_err(|source| Error::writing(cells, source))?;
    }
    match options.json {
        true => super::print_json(&ranking),
        false => super::print(&text(&ranking)),
    }
}

fn text(ranking: &Ranking) -> String {
    let difference = format!("difference to {}", ranking.over);
    let mut header = vec!["scheduler"];
    for group in ranking.groups.iter().map(String::as_str).chain(["all"]) {
        header.extend([group, "+- 95 %"]);
    }
    header.extend([&difference[..], "+- 95 %", "%"]);
    header.extend(match ranking.better {
        Better::Neither => ["above in", "below in"],
        Better::Higher | Better::Lower => ["better in", "worse in"],
    });
    header.extend(ranking.beside);
    let has_bound = ranking.schedulers.iter().any(|of| of.to_bound.is_some());
    if has_bound {
        header.extend(["difference to bound", "+- 95 %", "closed %"]);
    }
    let rows = ranking.schedulers.iter().map(|of| row(of, ranking.beside.is_some(), has_bound)).collect();
    render(&header, 1..header.len(), rows) + &footnotes(ranking).join("; ") + "\n"
}

/// Notes on what the numbers cover.
fn footnotes(ranking: &Ranking) -> Vec<String> {
    let count = |n: usize, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
    let cells = count(ranking.cells, "cell");
    let mut notes = vec![format!("{}: {cells}, {}", ranking.metric, count(ranking.seeds, "seed"))];
    notes.extend(match ranking.better {
        Better::Higher => None,
        Better::Lower => Some("lower is better".into()),
        Better::Neither => Some("no direction: highest first".into()),
    });
    notes.extend(column(&ranking.metric).and_then(|column| column.given.note()).map(String::from));
    notes.extend(ranking.replicates.note().map(String::from));
    if ranking.replicates == Replicates::Draws && ranking.metric == RATE {
        notes.extend(Replicates::Batches.note().map(String::from));
    }
    notes.extend(copies(ranking.copies));
    if ranking.left_out > 0 {
        let pairs = count(ranking.left_out, "pair");
        notes.push(format!(
            "{pairs} of cell and seed left out, because some scheduler lacks a run or a value there"
        ));
    }
    notes
}

fn row(of: &Ranked, is_beside: bool, has_bound: bool) -> Vec<String> {
    let estimate = |of: Option<Estimate>| {
        let of = of.unwrap_or_default();
        [number(of.mean, 4), spread(of.mean, of.interval(), 4)]
    };
    let mut cells = vec![of.scheduler.clone()];
    cells.extend(of.of_groups.iter().chain([&of.all]).flat_map(|&of| estimate(Some(of))));
    cells.extend(estimate(of.difference));
    cells.push(number(of.difference_percent, 1));
    match of.difference {
        Some(_) => cells.extend([of.above, of.below].map(|count| count.to_string())),
        None => cells.extend(["-", "-"].map(String::from)),
    }
    if is_beside {
        cells.push(number(of.beside, 4));
    }
    if has_bound {
        cells.extend(estimate(of.to_bound));
        cells.push(number(of.closed_percent, 1));
    }
    cells
}
