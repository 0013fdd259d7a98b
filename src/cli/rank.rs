//! `mascot rank`: ranks the schedulers of a run in one table.

use std::path::PathBuf;

use clap::Args;

use super::table::{latex, markdown, render};
use crate::experiment::Error;
use crate::files::write_atomic;
use crate::results::{Question, RankTable, rank, rank_table, to_csv};
use crate::sweep::Table;

#[derive(Args)]
pub(super) struct Options {
    /// The summary.csv of a run, or its folder; the rows of several runs count as those of one
    #[arg(required = true, value_name = "SUMMARY")]
    summaries: Vec<PathBuf>,
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
    /// Print the table for LaTeX, with the rules of the package booktabs
    #[arg(long, conflicts_with = "json")]
    latex: bool,
    /// Print the table for Markdown
    #[arg(long, conflicts_with_all = ["json", "latex"])]
    markdown: bool,
}

pub(super) fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.into(), value.into()))
}

fn margin(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|margin| *margin >= 0.0).ok_or("expected a number >= 0")
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let file = Table::of_metric(&options.metric).file();
    let paths = options.summaries.iter().map(|path| super::in_folder(path, file));
    let ranking = rank(
        &paths.collect::<Result<Vec<_>, _>>()?,
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
    if options.json {
        return super::print_json(&ranking);
    }
    let RankTable { header, rows, note } = rank_table(&ranking);
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let table = if options.latex {
        latex(&header, 1, &rows, &note)
    } else if options.markdown {
        markdown(&header, 1, &rows, &note)
    } else {
        render(&header, 1..header.len(), rows) + &note + "\n"
    };
    super::print(&table)
}
