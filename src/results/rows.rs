//! The rows of one or several summary.csv, or of serving.csv, read as one file.

use std::path::{Path, PathBuf};

use super::choice::check;
use super::csv_file::CsvFile;
use super::distinct::{At, Distinct};
use super::recordings::mark_recordings;
use crate::experiment::{Error, KEYS};
use crate::files::{InputError, Record};
use crate::metrics::ServedBy;
use crate::sweep::{MET_BY_BATCH, Measured, RATE, range};

/// One row of summary.csv.
pub(super) struct Row {
    /// The values of [`KEYS`].
    pub(crate) keys: Vec<String>,
    pub(super) seed: u64,
    pub(super) run: Measured,
    /// Whether this run stands for every seed: see [`mark_recordings`].
    pub(super) is_for_every_seed: bool,
}

/// The rows of a summary.csv, with every run once.
pub(super) struct Rows {
    pub(crate) all: Vec<Row>,
    /// The number of rows that were left out because they are copies of others.
    pub(crate) copies: usize,
}

/// The rows of one or several summary.csv, with every run once.
///
/// # Errors
/// The same errors as for [`all_rows`].
pub(super) fn rows(paths: &[PathBuf], metric: Option<&str>) -> Result<Rows, Error> {
    let mut rows = all_rows(paths, metric)?.without_copies();
    mark_recordings(&mut rows.all);
    Ok(rows)
}

/// The column of groups.csv and serving.csv with what a row covers.
const GROUP: &str = "group";

/// The rows of one or several summary.csv, or those of serving.csv that cover a whole run, as if the files were one;
/// including runs that are copies of others.
///
/// # Errors
/// A file or a value in it cannot be read, a file lacks the metric, or two rows give different results for one run.
pub(super) fn all_rows(paths: &[PathBuf], metric: Option<&str>) -> Result<Rows, Error> {
    let mut distinct = Distinct::default();
    for place in 0..paths.len() {
        read(paths, place, metric, &mut distinct)?;
    }
    Ok(distinct.rows())
}

/// Adds the rows of one of the files.
fn read(paths: &[PathBuf], place: usize, metric: Option<&str>, distinct: &mut Distinct) -> Result<(), Error> {
    let path = &paths[place];
    let mut file = CsvFile::open(path)?;
    // In serving.csv a cell has a row per group of requests; that of the whole run counts.
    let group = file.named().find(|(_, name)| *name == GROUP).map(|(place, _)| place);
    for needed in ["system", "scenario", "scheduler"].into_iter().chain(group.is_none().then_some(RATE)) {
        file.column(needed)?;
    }
    let seed = file.column("seed")?;
    let of_group = |name: &str| group.is_some() && [GROUP, "name"].contains(&name);
    let columns = file.named().filter(|(_, name)| !KEYS.contains(name) && !of_group(name));
    let columns: Vec<(usize, String)> = columns.map(|(place, name)| (place, name.to_string())).collect();
    let (mut record, mut is_empty) = (Record::default(), true);
    while file.read(&mut record)? {
        if group.is_some_and(|place| record.get(place) != ServedBy::All.name()) {
            continue;
        }
        let mut run = Measured::default();
        for (place, name) in &columns {
            run.set(name, record.get(*place), || file.measured(&record, *place, range(name)))?;
        }
        let keys = file.keys(&record);
        let row = Row { keys, seed: file.seed(&record, seed)?, run, is_for_every_seed: false };
        let at = (place, record.line());
        distinct.add(row, at).map_err(|earlier| contradiction(paths, at, earlier))?;
        is_empty = false;
    }
    if is_empty {
        return Err(InputError::file(path, "no rows: expected the results of a run").into());
    }
    match metric {
        Some(metric) => check_metric(path, columns.iter().map(|(_, name)| &name[..]), metric),
        None => Ok(()),
    }
}

/// The error about two rows that give different results for one run.
fn contradiction(paths: &[PathBuf], (place, line): At, (other, earlier): At) -> InputError {
    let earlier = match other == place {
        true => format!("line {earlier}"),
        false => format!("{}:{earlier}", paths[other].display()),
    };
    let message = format!(
        "a different result for the same cell and seed is in {earlier}: keep one of them, or tell them apart by a key \
         column"
    );
    InputError::at_line(&paths[place], line, message)
}

/// Checks that a file has a column of that name.
fn check_metric<'a>(path: &Path, columns: impl Iterator<Item = &'a str>, metric: &str) -> Result<(), Error> {
    let mut metrics: Vec<&str> = columns.filter(|name| *name != MET_BY_BATCH).collect();
    metrics.sort_unstable();
    check(path.display(), "metric", metric, &metrics)
}
