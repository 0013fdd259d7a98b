//! Repeats a run from its manifest: checks that program and data are the same, and compares the results.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use super::identity::{SOURCES_SHA256, short};
use super::inputs::Inputs;
use super::manifest::Manifest;
use super::rows::Table;
use crate::experiment::{DataRoot, Error, Experiment, KEYS};
use crate::files::{InputError, Source, sha256_of_file};

/// The differences of the program and the data files to the recorded ones, a sentence each.
pub fn differences(manifest: &Manifest, data: &DataRoot) -> Vec<String> {
    let mut differences = Vec::new();
    if manifest.sources_sha256 != SOURCES_SHA256 {
        differences.push(format!(
            "the program: it was mascot {} from sources {}, this is {} from {}",
            manifest.version,
            short(&manifest.sources_sha256),
            env!("CARGO_PKG_VERSION"),
            short(SOURCES_SHA256)
        ));
    }
    for input in &manifest.inputs {
        let path = data.absolute(&input.path);
        match sha256_of_file(&path) {
            Ok(sha256) if sha256 == input.sha256 => {}
            Ok(_) => differences.push(format!("{} has changed", path.display())),
            Err(e) => differences.push(format!(
                "{}: {e} (it was run in {})",
                path.display(),
                manifest.working_folder.display()
            )),
        }
    }
    differences
}

/// Files that are read now but were not read then: relative paths may lead elsewhere from another working folder.
pub fn other_files(manifest: &Manifest, inputs: &Inputs) -> Vec<String> {
    let recorded = manifest.recorded_inputs();
    inputs
        .sha256
        .keys()
        .filter(|path| !recorded.contains_key(*path))
        .map(|path| format!("{} was not read", path.display()))
        .collect()
}

impl Manifest {
    /// The experiment as the recorded run read it.
    pub fn experiment(&self, data: &DataRoot) -> Result<Experiment, Error> {
        let recorded = &self.experiment;
        let source = Source {
            path: recorded.path.clone(),
            text: recorded.config.clone(),
            verbatim: recorded.verbatim,
        };
        Experiment::parse(&recorded.path, source, data)
    }

    /// The recorded hash of each data file.
    pub fn recorded_inputs(&self) -> BTreeMap<PathBuf, String> {
        self.inputs.iter().map(|input| (input.path.clone(), input.sha256.clone())).collect()
    }
}

/// The key columns of the first row of a folder's `summary.csv`.
pub fn first_keys(folder: &Path) -> Result<Vec<String>, Error> {
    let path = folder.join(Table::Summary.file());
    let mut rows = rows(&path)?;
    let header = rows.next().transpose()?.unwrap_or_default();
    let first = rows.next().transpose()?.unwrap_or_default();
    Ok(first.iter().take(keys_of(&header)).map(str::to_string).collect())
}

/// The number of key columns in a file, which come first.
fn keys_of(header: &csv::StringRecord) -> usize {
    header.iter().take_while(|column| KEYS.contains(column)).count()
}

/// Compares a result file of two folders, as a whole or only the rows with these keys. Returns the number of rows.
///
/// # Errors
/// A row differs: the error names the first such row and the columns that differ.
pub fn compare(table: Table, theirs: &Path, ours: &Path, only: Option<&[String]>) -> Result<usize, Error> {
    let paths = [theirs, ours].map(|folder| folder.join(table.file()));
    let [their, our] = paths.each_ref().map(|path| rows(path));
    let (mut their, mut our) = (their?, our?);
    let header = their.next().transpose()?.unwrap_or_default();
    if our.next().transpose()?.unwrap_or_default() != header {
        return Err(Error::Check(format!("{}: its columns are not those of this run", paths[0].display())));
    }
    let is_wanted = |row: &csv::StringRecord| {
        only.is_none_or(|keys| row.iter().take(keys_of(&header)).eq(keys.iter().map(String::as_str)))
    };
    let mut their = their.filter(|row| row.as_ref().map_or(true, is_wanted));
    let mut number = 0;
    loop {
        match (their.next().transpose()?, our.next().transpose()?) {
            (None, None) => return Ok(number),
            (Some(a), Some(b)) if a == b => number += 1,
            (a, b) => return Err(Error::Check(difference(&paths[0], number + 1, &header, a, b))),
        }
    }
}

fn difference(
    path: &Path,
    number: usize,
    header: &csv::StringRecord,
    their: Option<csv::StringRecord>,
    our: Option<csv::StringRecord>,
) -> String {
    let place = format!("{}, row {number}", path.display());
    let (their, our) = match (their, our) {
        (Some(their), Some(our)) => (their, our),
        (Some(_), None) => return format!("{place}: this run has no such row"),
        _ => return format!("{place}: only this run has such a row"),
    };
    let named = header.iter().zip(their.iter().zip(&our));
    let keys = named.clone().take(keys_of(header)).filter(|(key, _)| *key == "seed" || *key == "scheduler");
    let keys: Vec<String> = keys.map(|(key, (value, _))| format!("{key}={value}")).collect();
    let differing = named.filter(|(_, (a, b))| a != b);
    let columns: Vec<String> =
        differing.map(|(column, (a, b))| format!("{column} was {a} and is {b}")).collect();
    format!("{place} ({}): {}", keys.join(" "), columns.join(", "))
}

/// All rows of a file, the header first.
fn rows(path: &Path) -> Result<impl Iterator<Item = Result<csv::StringRecord, Error>>, Error> {
    let file = File::open(path).map_err(|e| InputError::file(path, e))?;
    let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file);
    let path = path.to_path_buf();
    Ok(reader.into_records().map(move |row| row.map_err(|e| InputError::file(&path, e).into())))
}
