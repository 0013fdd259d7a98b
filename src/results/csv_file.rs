//! Reads the CSV files of a run, record by record, also after pandas has rewritten them.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::experiment::{Error, KEYS, SCENARIO, SCHEDULER, SEED, SYSTEM, unsaid};
use crate::files::{self, InputError, Record, is_missing, whole};
use crate::sweep::Range;

/// An open file with a header.
pub(crate) struct CsvFile {
    path: PathBuf,
    rows: files::CsvFile<File>,
    /// The column of each of [`KEYS`]; `None` if the file does not have it.
    keys: Vec<Option<usize>>,
}

impl CsvFile {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let rows = files::CsvFile::open(path)?;
        let keys = KEYS.iter().map(|key| rows.find(key)).collect();
        Ok(Self { path: path.to_path_buf(), rows, keys })
    }

    /// The columns that have a name, with their indices.
    pub(crate) fn named(&self) -> impl Iterator<Item = (usize, &str)> {
        self.rows.named()
    }

    /// The index of a column that must exist.
    pub(crate) fn column(&self, name: &str) -> Result<usize, Error> {
        self.rows.find(name).ok_or_else(|| {
            let message = format!("no column `{name}`: expected a file that `mascot run` wrote");
            InputError::at_line(&self.path, 1, message).into()
        })
    }

    /// The indices of columns that must exist, in the order of the names.
    pub(crate) fn columns<const N: usize>(&self, names: [&str; N]) -> Result<[usize; N], Error> {
        let mut places = [0; N];
        for (place, name) in places.iter_mut().zip(names) {
            *place = self.column(name)?;
        }
        Ok(places)
    }

    /// The values of [`KEYS`] in a record. If the file predates a key and lacks its column, the value that applied
    /// then.
    pub(crate) fn keys(&self, record: &Record) -> Vec<String> {
        let value = |(key, place): (usize, &Option<usize>)| match place {
            Some(place) => as_written(key, record.get(*place)),
            None => unsaid(KEYS[key]).to_string(),
        };
        self.keys.iter().enumerate().map(value).collect()
    }

    /// Reads the next record into a buffer; false at the end of the file.
    pub(crate) fn read(&mut self, record: &mut Record) -> Result<bool, Error> {
        Ok(self.rows.read(record)?)
    }

    /// The number in a cell; NaN if the cell is empty.
    pub(crate) fn number(&self, record: &Record, place: usize) -> Result<f64, Error> {
        let text = record.get(place);
        let number = if is_missing(text) { Some(f64::NAN) } else { text.parse().ok() };
        number.ok_or_else(|| self.problem(record, place, "a number"))
    }

    /// The number in a cell, which must lie in the range of its column; NaN if the cell is empty.
    pub(super) fn measured(&self, record: &Record, place: usize, range: Range) -> Result<f64, Error> {
        let number = self.number(record, place)?;
        match number.is_nan() || range.holds(number) {
            true => Ok(number),
            false => Err(self.problem(record, place, &format!("a number {range}"))),
        }
    }

    /// The seed of a record.
    pub(super) fn seed(&self, record: &Record, place: usize) -> Result<u64, Error> {
        whole(record.get(place)).map_err(|_| self.problem(record, place, "a whole number"))
    }

    fn problem(&self, record: &Record, place: usize, expected: &str) -> Error {
        let name = &self.rows.header()[place];
        let message = format!("`{name}` is `{}`: expected {expected}", record.get(place));
        self.rows.value_error(record, place, message).into()
    }
}

/// The value of a key as `mascot run` writes it: pandas turns 1 into 1.0 and true into True.
fn as_written(key: usize, text: &str) -> String {
    if [SYSTEM, SCENARIO, SCHEDULER].contains(&key) {
        return text.to_string();
    }
    match (text, text.parse::<f64>()) {
        ("True" | "False", _) => text.to_lowercase(),
        (_, Ok(_)) if key == SEED => whole(text).map_or(text.to_string(), |seed| seed.to_string()),
        (_, Ok(number)) if !number.is_nan() => number.to_string(),
        _ if is_missing(text) => String::new(),
        _ => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_the_same_after_pandas() {
        const LOAD: usize = crate::experiment::LOAD;
        for (key, text, expected) in [
            (LOAD, "1.0", "1"),
            (LOAD, "0.6", "0.6"),
            (LOAD, "NaN", ""),
            (LOAD, "inf", "inf"),
            (SEED, "18446744073709551615", "18446744073709551615"),
            (SEED, "3.0", "3"),
            (KEYS.len() - 2, "False", "false"),
            (SCHEDULER, "1.0", "1.0"),
            (2, "M", "M"),
        ] {
            assert_eq!(as_written(key, text), expected, "{text}");
        }
        assert_eq!(KEYS[0], "system");
    }
}
