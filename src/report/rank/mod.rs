//! All schedulers of a summary in one table: the means that papers quote, and what of the differences is more than noise.
//!
//! A cell is what schedulers are compared on: all keys but scheduler and seed. Means are taken over the cells seed by seed,
//! and then over the seeds, with a 95 % confidence interval by Student's t; differences are paired by cell and seed. Within a
//! cell a scheduler is above another if a paired, one-sided t-test over the seeds says so at 2.5 %, after Holm's correction
//! (Scandinavian Journal of Statistics, 1979) for the number of cells. Only what all schedulers ran is looked at, and of that a
//! complete grid of cells and seeds, so that all seeds are means over the same cells.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use super::compare::{check, check_metric};
use super::results::{OwnPace, Row, rows};
use crate::experiment::Error;
use crate::experiment::bound::BOUND;
use crate::experiment::columns::{KEYS, LOAD, SCHEDULER, SEED};

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
    /// What the others are compared with.
    pub over: String,
    /// The values of the key that means are split by.
    pub groups: Vec<String>,
    /// Cells that all schedulers ran in.
    pub cells: usize,
    /// Seeds of these.
    pub seeds: usize,
    /// Pairs of cell and seed that are not in the grid: some scheduler did not run them, or its metric is empty, or other cells
    /// lack the seed.
    pub left_out: usize,
    /// The highest mean first.
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
    /// Cells in which it is above the reference.
    pub above: usize,
    /// Cells in which it is below.
    pub below: usize,
    /// All less the bound, where there is one.
    pub to_bound: Option<Estimate>,
    /// The share of the reference's distance to the bound that it closes, in percent.
    pub closed_percent: Option<f64>,
}

/// A mean over seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The mean.
    pub mean: Option<f64>,
    /// Half-width of its 95 % confidence interval; `None` below two seeds.
    pub ci95: Option<f64>,
}

/// Ranks the schedulers of a summary.csv.
///
/// # Errors
/// The file cannot be read; it has no such column, key, value or scheduler; or no cell that all schedulers ran in.
pub fn rank(path: &Path, question: &Question) -> Result<Ranking, Error> {
    let rows = rows(path)?;
    check_metric(path, &rows, question.metric)?;
    check_keys(path, &rows, question)?;
    let rows = only(path, rows, question.only)?;
    let sheet = Sheet::new(&rows, question);
    if let Some(over) = question.over {
        let names: Vec<&str> = sheet.schedulers.iter().map(|column| &column.name[..]).collect();
        check(path, "scheduler", over, &names)?;
    }
    sheet.rank(question).ok_or_else(|| {
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
