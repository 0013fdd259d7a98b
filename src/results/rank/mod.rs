//! All schedulers of a summary in one table: the means that papers quote, and what of the differences is more than noise.
//!
//! A cell is what schedulers are compared on: all keys but scheduler and seed. Means are taken over the cells seed by seed,
//! and then over the seeds, with a 95 % confidence interval by Student's t; differences are paired by cell and seed. Within a
//! cell a scheduler is above another if a paired, one-sided t-test over the seeds says that it is better at 2.5 %, after Holm's
//! correction (Scandinavian Journal of Statistics, 1979) for the number of cells. Only what all schedulers ran is looked at,
//! and of that a complete grid of cells and seeds, so that all seeds are means over the same cells. Where that has one seed,
//! SLA rates in equal parts of the runs take the place of seeds. A run that no seed changes is beside every seed of the others;
//! two such runs are one pair, whose parts take the place of seeds as well.
//!
//! The metric says which of its values are good; of one that does not, high ones come first and are above.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use super::compare::{check, check_metric};
use super::folder::{OwnPace, Row, Rows, rows};
use crate::experiment::{BOUND, Error, KEYS, LOAD, SCHEDULER, SEED};
use crate::metrics::Better;
use crate::sweep::{Estimate, Replicates};

mod cells;
mod sheet;

pub use cells::{CELL_COLUMNS, OfCell, to_csv};
use sheet::Sheet;

/// What to rank by.
pub struct Question<'a> {
    /// The column.
    pub metric: &'a str,
    /// The scheduler that the others are compared with; the best without one.
    pub over: Option<&'a str>,
    /// A key, for each value of which means are given on their own.
    pub by: Option<&'a str>,
    /// Keys that do not tell cells apart, but schedulers.
    pub with: &'a [String],
    /// Keys and values of theirs: only rows with one of the values in each of the keys are looked at.
    pub only: &'a [(String, String)],
    /// How far apart two schedulers have to be in a cell, in the unit of the metric.
    pub margin: f64,
}

/// The answer.
#[derive(Debug, Serialize)]
pub struct Ranking {
    /// The column.
    pub metric: String,
    /// Which of its values are the good ones.
    pub better: Better,
    /// What the others are compared with.
    pub over: String,
    /// The values of the key that means are split by.
    pub groups: Vec<String>,
    /// Cells that all schedulers ran in.
    pub cells: usize,
    /// Seeds of these.
    pub seeds: usize,
    /// What the intervals are made of.
    pub replicates: Replicates,
    /// Rows of the file that are copies of others and do not count.
    pub copies: usize,
    /// The column that a metric of some requests only is shown beside.
    pub beside: Option<&'static str>,
    /// Pairs of cell and seed that are not in the grid: some scheduler did not run them, or its metric is empty, or other cells
    /// lack the seed.
    pub left_out: usize,
    /// The best mean first.
    pub schedulers: Vec<Ranked>,
    /// Every scheduler in every cell, cell by cell.
    #[serde(skip)]
    pub of_cells: Vec<OfCell>,
}

/// One scheduler.
#[derive(Debug, Serialize)]
pub struct Ranked {
    /// Its label, with the values of keys that tell it from others of that label.
    pub scheduler: String,
    /// By group.
    pub of_groups: Vec<Estimate>,
    /// Over all cells.
    pub all: Estimate,
    /// All less that of the reference; `None` for the reference itself.
    pub difference: Option<Estimate>,
    /// The same in percent of the reference's mean.
    pub difference_percent: Option<f64>,
    /// The mean of what the metric is shown beside.
    pub beside: Option<f64>,
    /// Cells in which it is better than the reference; without a direction, higher.
    pub above: usize,
    /// Cells in which it is worse.
    pub below: usize,
    /// All less the bound, where there is one.
    pub to_bound: Option<Estimate>,
    /// The share of the reference's distance to the bound that it closes, in percent.
    pub closed_percent: Option<f64>,
}

/// Ranks the schedulers of a summary.csv.
///
/// # Errors
/// The file cannot be read; it has no such column, key, value or scheduler; or no cell that all schedulers ran in.
pub fn rank(path: &Path, question: &Question) -> Result<Ranking, Error> {
    let Rows { all: rows, copies } = rows(path)?;
    check_metric(path, &rows, question.metric)?;
    check_keys(path, &rows, question)?;
    let rows = only(path, rows, question.only)?;
    let sheet = Sheet::new(&rows, question);
    if let Some(over) = question.over {
        let names: Vec<&str> = sheet.schedulers.iter().map(|column| &column.name[..]).collect();
        check(path, "scheduler", over, &names)?;
    }
    let ranking = sheet.rank(question).map(|ranking| Ranking { copies, ..ranking });
    ranking.ok_or_else(|| {
        let path = path.display();
        let keys = match &apart(&rows)[..] {
            [] => String::new(),
            keys => format!("; they differ in {}: see `--with` and `--only`", keys.join(", ")),
        };
        Error::Usage(format!("{path}: no cell was run by all its schedulers{keys}"))
    })
}

fn check_keys(path: &Path, rows: &[Row], question: &Question) -> Result<(), Error> {
    let is_told = |place: &usize| rows.iter().any(|row| !row.keys[*place].is_empty());
    let told: Vec<usize> = (0..KEYS.len()).filter(is_told).collect();
    let names = |places: &[usize]| places.iter().map(|&place| KEYS[place]).collect::<Vec<&str>>();
    for (key, _) in question.only {
        check(path, "key", key, &names(&told))?;
    }
    let paced = OwnPace::of(rows);
    let no_load = rows.iter().all(|row| paced.has(&row.keys));
    let is_of_cells = |place: &usize| !(*place == SCHEDULER || *place == SEED || *place == LOAD && no_load);
    let mut of_cells: Vec<usize> = told.into_iter().filter(is_of_cells).collect();
    for key in question.with {
        check(path, "key of cells", key, &names(&of_cells))?;
    }
    of_cells.retain(|&place| question.with.iter().all(|key| key != KEYS[place]));
    question.by.map_or(Ok(()), |key| check(path, "key of cells", key, &names(&of_cells)))
}

/// The rows with one of the wanted values in each of the keys.
fn only(path: &Path, mut rows: Vec<Row>, wanted: &[(String, String)]) -> Result<Vec<Row>, Error> {
    let is_same = |one: &str, other: &str| {
        let numbers = (one.parse::<f64>(), other.parse::<f64>());
        one == other || matches!(numbers, (Ok(one), Ok(other)) if one == other)
    };
    let mut values: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for (key, value) in wanted {
        let known: BTreeSet<&str> = rows.iter().map(|row| &row.keys[place(key)][..]).collect();
        if !known.iter().any(|one| is_same(one, value)) {
            check(path, key, value, &known.into_iter().collect::<Vec<_>>())?;
        }
        values.entry(place(key)).or_default().push(value);
    }
    let is_wanted = |row: &Row, (place, values): (&usize, &Vec<&str>)| {
        values.iter().any(|v| is_same(&row.keys[*place], v))
    };
    rows.retain(|row| values.iter().all(|of_key| is_wanted(row, of_key)));
    match rows.is_empty() {
        false => Ok(rows),
        true => Err(Error::Usage(format!("{}: no row has all these values", path.display()))),
    }
}

/// Keys of which some schedulers have other values than others.
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

/// Of a key that was checked.
fn place(key: &str) -> usize {
    KEYS.iter().position(|known| *known == key).expect("a key column")
}
