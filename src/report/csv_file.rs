//! CSV files of a run, record by record: they may be larger than memory.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use csv::StringRecord;

use crate::experiment::Error;
use crate::experiment::columns::{KEYS, unsaid};
use crate::files::InputError;

/// An open file with a header.
pub(super) struct CsvFile {
    path: PathBuf,
    header: StringRecord,
    reader: csv::Reader<File>,
    /// Where [`KEYS`] are; `None` for those that the file does not have.
    keys: Vec<Option<usize>>,
}

impl CsvFile {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let mut reader = csv::Reader::from_path(path).map_err(|e| problem(path, &e))?;
        let header = reader.headers().map_err(|e| problem(path, &e))?.clone();
        let keys = KEYS.iter().map(|key| header.iter().position(|column| column == *key)).collect();
        Ok(Self { path: path.to_path_buf(), header, reader, keys })
    }

    pub(super) fn header(&self) -> &StringRecord {
        &self.header
    }

    /// The place of a column that must be there.
    pub(super) fn column(&self, name: &str) -> Result<usize, Error> {
        let place = self.header.iter().position(|column| column == name);
        place.ok_or_else(|| {
            let message = format!("no column `{name}`: expected a file that `mascot run` wrote");
            InputError::at_line(&self.path, 1, message).into()
        })
    }

    /// The values of [`KEYS`] in a record; where the file has no such column, that of a time when it was no key.
    pub(super) fn keys(&self, record: &StringRecord) -> Vec<String> {
        let value = |(key, place): (&&str, &Option<usize>)| match place {
            Some(place) => record[*place].to_string(),
            None => unsaid(key).to_string(),
        };
        KEYS.iter().zip(&self.keys).map(value).collect()
    }

    /// The next record, into a buffer; says whether there was one.
    pub(super) fn read(&mut self, record: &mut StringRecord) -> Result<bool, Error> {
        self.reader.read_record(record).map_err(|e| problem(&self.path, &e))
    }

    /// A number; not a number where the cell is empty.
    pub(super) fn number(&self, record: &StringRecord, place: usize) -> Result<f64, Error> {
        if record[place].is_empty() { Ok(f64::NAN) } else { self.parsed(record, place, "a number") }
    }

    /// A seed.
    pub(super) fn seed(&self, record: &StringRecord, place: usize) -> Result<u64, Error> {
        self.parsed(record, place, "a whole number")
    }

    fn parsed<T: FromStr>(&self, record: &StringRecord, place: usize, expected: &str) -> Result<T, Error> {
        let text = &record[place];
        text.parse().map_err(|_| {
            let message = format!("`{}` is `{text}`: expected {expected}", &self.header[place]);
            let line = record.position().map_or(1, csv::Position::line);
            InputError::at_field(&self.path, line as usize, place, message).into()
        })
    }
}

fn problem(path: &Path, error: &csv::Error) -> Error {
    match (error.kind(), error.position()) {
        (csv::ErrorKind::Io(e), _) => InputError::file(path, e).into(),
        (csv::ErrorKind::UnequalLengths { expected_len, len, .. }, Some(position)) => {
            let message = format!("{len} fields: expected {expected_len}, as in the header");
            InputError::at_line(path, position.line() as usize, message).into()
        }
        (_, Some(position)) => InputError::at_line(path, position.line() as usize, error).into(),
        _ => InputError::file(path, error).into(),
    }
}
