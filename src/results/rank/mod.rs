//! Ranks all schedulers of a summary: the means that papers quote, and which differences are significant.
//!
//! Schedulers are compared within a cell: the rows that agree in all keys but scheduler and seed. Means are taken over
//! the cells seed by seed, and then over the seeds, with a 95 % confidence interval by Student's t; differences are
//! paired by cell and seed. A scheduler beats another in a cell if a paired one-sided t-test over the seeds is
//! significant at 2.5 %, after Holm's correction (Scandinavian Journal of Statistics, 1979) for the number of cells.
//! Only runs that all schedulers have are used, and of these a complete grid of cells and seeds, so that every seed is
//! a mean over the same cells. If the grid has one seed, the SLA rates in equal parts of the runs take the place of
//! seeds. A run that no seed changes is paired with every seed of the others; two such runs are one pair, whose parts
//! take the place of seeds as well.
//!
//! The metric decides whether higher or lower is better. If it has no direction, higher values come first and count as
//! above.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Serialize;

use super::choice::{Files, check, check_wanted, names, only, told};
use super::folder::OwnPace;
use super::rows::{Row, Rows, rows};
use crate::experiment::{BOUND, Error, KEYS, LOAD, SCHEDULER, SEED};
use crate::metrics::Better;
use crate::sweep::{Estimate, Replicates};

mod cells;
mod sheet;
mod table;

pub use cells::{CELL_COLUMNS, OfCell, to_csv};
use sheet::Sheet;
pub use table::{RankTable, table};

/// The question that a ranking answers.
pub struct Question<'a> {
    /// The column to rank by.
    pub metric: &'a str,
    /// The scheduler that the others are compared with; `None` is the best.
    pub over: Option<&'a str>,
    /// A key by whose values the means are split.
    pub by: Option<&'a str>,
    /// Keys that tell schedulers apart instead of cells.
    pub with: &'a [String],
    /// Keys with values: a row is used only if it has, for each of these keys, one of the given values.
    pub only: &'a [(String, String)],
    /// The margin by which a scheduler has to beat another in a cell, in the unit of the metric.
    pub margin: f64,
}

impl<'a> Question<'a> {
    /// The schedulers by a metric over all cells, compared with the best.
    pub fn of(metric: &'a str) -> Self {
        Self { metric, over: None, by: None, with: &[], only: &[], margin: 0.0 }
    }
}

/// The ranking of the schedulers of a summary.
#[derive(Debug, Serialize)]
pub struct Ranking {
    /// The column that was ranked by.
    pub metric: String,
    /// Whether higher or lower values are better.
    pub better: Better,
    /// The label of the reference, with which the others are compared.
    pub over: String,
    /// The values of the key that means are split by.
    pub groups: Vec<String>,
    /// The number of cells that all schedulers ran in.
    pub cells: usize,
    /// The number of seeds in each of these cells.
    pub seeds: usize,
    /// The replicates behind the intervals.
    pub replicates: Replicates,
    /// The number of rows of the file that are copies of others and do not count.
    pub copies: usize,
    /// For a metric over some of the requests only: the column that shows their share.
    pub beside: Option<&'static str>,
    /// The number of pairs of cell and seed outside the grid: some scheduler did not run them, its metric is empty, or
    /// other cells lack the seed.
    pub left_out: usize,
    /// The schedulers, the best mean first.
    pub schedulers: Vec<Ranked>,
    /// The result of every scheduler in every cell, cell by cell.
    #[serde(skip)]
    pub of_cells: Vec<OfCell>,
}

/// The row of one scheduler.
#[derive(Debug, Serialize)]
pub struct Ranked {
    /// The label, with the values of the keys that tell schedulers of the same label apart.
    pub scheduler: String,
    /// The mean in each group of [`Ranking::groups`].
    pub of_groups: Vec<Estimate>,
    /// The mean over all cells.
    pub all: Estimate,
    /// The difference to the reference over all cells; `None` for the reference itself.
    pub difference: Option<Estimate>,
    /// The difference in percent of the reference's mean.
    pub difference_percent: Option<f64>,
    /// The mean of the column [`Ranking::beside`].
    pub beside: Option<f64>,
    /// The number of cells in which it beats the reference; without a direction, in which it is higher.
    pub above: usize,
    /// The number of cells in which the reference beats it.
    pub below: usize,
    /// The difference to the bound over all cells; `None` without a bound.
    pub to_bound: Option<Estimate>,
    /// The share of the reference's gap to the bound that the scheduler closes, in percent.
    pub closed_percent: Option<f64>,
}

/// Ranks the schedulers of one or several summary.csv, whose rows count as those of one file.
///
/// # Errors
/// A file cannot be read, lacks a column, key, value or scheduler of the question, or contradicts another; or there is
/// no cell that all schedulers ran in.
pub fn rank(paths: &[PathBuf], question: &Question) -> Result<Ranking, Error> {
    let files = Files(paths);
    let Rows { all: rows, copies } = rows(paths, Some(question.metric))?;
    check_wanted(&files, &rows, question.only)?;
    check_keys(&files, &rows, question)?;
    let rows = only(&files, rows, question.only)?;
    let sheet = Sheet::new(&rows, question);
    if let Some(over) = question.over {
        let names: Vec<&str> = sheet.schedulers.iter().map(|column| &column.name[..]).collect();
        check(&files, "scheduler", over, &names)?;
    }
    let ranking = sheet.rank(question).map(|ranking| Ranking { copies, ..ranking });
    ranking.ok_or_else(|| {
        let keys = match &apart(&rows)[..] {
            [] => String::new(),
            keys => format!("; they differ in {}: see `--with` and `--only`", keys.join(", ")),
        };
        Error::Usage(format!("{files}: no cell was run by all its schedulers{keys}"))
    })
}

fn check_keys(files: &Files, rows: &[Row], question: &Question) -> Result<(), Error> {
    let paced = OwnPace::of(rows);
    let no_load = rows.iter().all(|row| paced.has(&row.keys));
    let is_of_cells = |place: &usize| !(*place == SCHEDULER || *place == SEED || *place == LOAD && no_load);
    let mut of_cells: Vec<usize> = told(rows).into_iter().filter(is_of_cells).collect();
    for key in question.with {
        check(files, "key of cells", key, &names(&of_cells))?;
    }
    of_cells.retain(|&place| question.with.iter().all(|key| key != KEYS[place]));
    question.by.map_or(Ok(()), |key| check(files, "key of cells", key, &names(&of_cells)))
}

/// The keys whose values differ between schedulers.
fn apart(rows: &[Row]) -> Vec<&'static str> {
    let differs = |place: &usize| {
        let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.keys[SCHEDULER] != BOUND) {
            values.entry(&row.keys[SCHEDULER]).or_default().insert(&row.keys[*place]);
        }
        values.values().collect::<BTreeSet<_>>().len() > 1
    };
    let places = (0..KEYS.len()).filter(|place| ![SCHEDULER, SEED].contains(place));
    places.filter(differs).map(|place| KEYS[place]).collect()
}
