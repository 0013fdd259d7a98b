//! The one reader of users' CSV files, record by record, so that all of them accept the same notations.
//!
//! It accepts files as people, spreadsheets and pandas write them: a byte order mark, any line ends, blank lines,
//! blanks around fields, quotes, and whole numbers as `100.0` or `1e3` (`files::numbers`). It skips columns without a
//! name (pandas' index, or a comma at the end of each line). Errors name file, line and column. The file may be larger
//! than memory.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use csv::{ErrorKind, StringRecord};

use super::error::InputError;
use super::numbered::Numbered;
use super::source::Source;
use super::{did_you_mean, numbers};

/// A CSV file with a header.
pub struct CsvFile<R> {
    path: PathBuf,
    reader: csv::Reader<Numbered<R>>,
    header: StringRecord,
    /// Whether records may be shorter than the header.
    ragged: bool,
}

/// One record, without the blanks around its fields.
#[derive(Clone, Debug, Default)]
pub struct Record {
    fields: StringRecord,
    line: usize,
}

impl Record {
    /// The field at a place; empty if the record ends before it.
    pub fn get(&self, place: usize) -> &str {
        self.fields.get(place).unwrap_or_default().trim()
    }

    /// All fields.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(str::trim)
    }

    /// The line of the record, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Whether all fields are empty.
    pub fn is_blank(&self) -> bool {
        self.iter().all(str::is_empty)
    }
}

impl CsvFile<File> {
    /// Opens a file of any size.
    pub fn open(path: &Path) -> Result<Self, InputError> {
        Self::new(path, File::open(path).map_err(|e| InputError::unopened(path, &e))?)
    }
}

impl<'a> CsvFile<&'a [u8]> {
    /// Reads the header of a text.
    pub fn of(source: &'a Source) -> Result<Self, InputError> {
        Self::new(&source.path, source.text.as_bytes())
    }
}

impl<R: Read> CsvFile<R> {
    /// Reads the header.
    pub fn new(path: &Path, from: R) -> Result<Self, InputError> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(Numbered::new(from));
        let header = reader.headers().map_err(|e| Self::failed(path, &e))?;
        let header: StringRecord = header.iter().map(str::trim).collect();
        let mut file = Self { path: path.to_path_buf(), reader, header, ragged: false };
        file.line_after(&StringRecord::new());
        match file.header.get(0).filter(|_| file.header.len() == 1) {
            Some(only) if only.contains([';', '\t']) => {
                Err(file.header_error("its fields are separated by semicolons or tabs: expected commas"))
            }
            _ => Ok(file),
        }
    }

    /// Accepts records that are shorter than the header, as if their missing fields were empty.
    pub fn ragged(self) -> Self {
        Self { ragged: true, ..self }
    }

    /// The names of the columns; a column that is skipped has an empty name or pandas' `Unnamed: 0`.
    pub fn header(&self) -> &StringRecord {
        &self.header
    }

    /// The places and names of the columns that have a name.
    pub fn named(&self) -> impl Iterator<Item = (usize, &str)> {
        self.header.iter().enumerate().filter(|(_, column)| !is_unnamed(column))
    }

    /// The place of an optional column.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    /// The place of a required column.
    pub fn column(&self, name: &str) -> Result<usize, InputError> {
        self.find(name).ok_or_else(|| {
            // The column may have a misspelt name.
            let hint = did_you_mean(name, &self.header);
            self.header_error(format!("no column `{name}`{hint} in the header"))
        })
    }

    /// Refuses unknown columns, and a name that occurs twice.
    pub fn only(&self, known: &[&str]) -> Result<(), InputError> {
        for (place, column) in self.named() {
            if !known.contains(&column) {
                let hint = did_you_mean(column, known);
                let known = known.join(", ");
                let message = format!("unknown column `{column}`{hint}: expected {known}");
                return Err(self.header_error(message));
            }
            if self.find(column) != Some(place) {
                return Err(self.header_error(format!("two columns `{column}`")));
            }
        }
        Ok(())
    }

    /// Reads the next record into a buffer; returns whether there was one.
    pub fn read(&mut self, record: &mut Record) -> Result<bool, InputError> {
        let found = self.reader.read_record(&mut record.fields);
        record.line = self.line_after(&record.fields);
        match found {
            Err(e) if e.is_io_error() => Err(Self::failed(&self.path, &e)),
            Err(_) => Err(InputError::at_line(&self.path, record.line, NOT_UTF_8)),
            Ok(found) => {
                if found {
                    self.check_length(record)?;
                }
                Ok(found)
            }
        }
    }

    /// The text of a field, which must not be empty.
    pub fn text(&self, record: &Record, place: usize) -> Result<String, InputError> {
        match record.get(place) {
            "" => Err(self.field_error(record, place, "is empty")),
            text => Ok(text.to_string()),
        }
    }

    /// The whole number in a field.
    pub fn whole(&self, record: &Record, place: usize) -> Result<u64, InputError> {
        numbers::whole(record.get(place)).map_err(|message| self.field_error(record, place, message))
    }

    /// The number in a field.
    pub fn real(&self, record: &Record, place: usize) -> Result<f64, InputError> {
        numbers::real(record.get(place)).map_err(|message| self.field_error(record, place, message))
    }

    /// The whole number in a field; `None` if the value is missing.
    pub fn some_whole(&self, record: &Record, place: usize) -> Result<Option<u64>, InputError> {
        if numbers::is_missing(record.get(place)) { Ok(None) } else { self.whole(record, place).map(Some) }
    }

    /// The number in a field; `None` if the value is missing.
    pub fn some_real(&self, record: &Record, place: usize) -> Result<Option<f64>, InputError> {
        if numbers::is_missing(record.get(place)) { Ok(None) } else { self.real(record, place).map(Some) }
    }

    /// An error about the header.
    pub fn header_error(&self, message: impl std::fmt::Display) -> InputError {
        InputError::at_line(&self.path, 1, message)
    }

    /// An error about a record.
    pub fn error(&self, record: &Record, message: impl std::fmt::Display) -> InputError {
        InputError::at_line(&self.path, record.line, message)
    }

    /// An error about a field, which names its column.
    pub fn field_error(&self, record: &Record, place: usize, message: impl std::fmt::Display) -> InputError {
        let column = self.header.get(place).unwrap_or_default();
        self.value_error(record, place, format!("column `{column}`: {message}"))
    }

    /// An error about a field, whose message already names the column.
    pub fn value_error(&self, record: &Record, place: usize, message: impl std::fmt::Display) -> InputError {
        InputError::at_field(&self.path, record.line, place, message)
    }

    /// Checks the length of a record: extra or missing fields may only belong to columns without a name.
    fn check_length(&self, record: &Record) -> Result<(), InputError> {
        let (found, expected) = (record.fields.len(), self.header.len());
        let beyond = record.iter().skip(expected).any(|field| !field.is_empty());
        let lacking = !self.ragged && self.header.iter().skip(found).any(|column| !is_unnamed(column));
        match beyond || lacking {
            true => Err(self.error(record, format!("{found} fields: expected {expected}, as in the header"))),
            false => Ok(()),
        }
    }

    /// The line in which the record just read starts. The reader's own line number is that of the blank lines before
    /// the record.
    fn line_after(&mut self, fields: &StringRecord) -> usize {
        let end = self.reader.position().byte();
        self.reader.get_mut().line_at(end).saturating_sub(fields.as_slice().matches('\n').count())
    }

    fn failed(path: &Path, error: &csv::Error) -> InputError {
        match error.kind() {
            ErrorKind::Io(e) => InputError::unread(path, e),
            _ => InputError::at_line(path, 1, NOT_UTF_8),
        }
    }
}

const NOT_UTF_8: &str = "this line is not UTF-8 text";

/// Whether a column has no name, as pandas writes and reads back its index.
fn is_unnamed(column: &str) -> bool {
    column.is_empty() || column.starts_with("Unnamed: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Line and fields of all records.
    fn read(text: &str) -> Result<Vec<(usize, Vec<String>)>, InputError> {
        let mut file = CsvFile::new(Path::new("a.csv"), text.as_bytes())?;
        let (mut record, mut all) = (Record::default(), Vec::new());
        while file.read(&mut record)? {
            all.push((record.line(), record.iter().map(str::to_string).collect()));
        }
        Ok(all)
    }

    fn lines(text: &str) -> Vec<usize> {
        read(text).unwrap().into_iter().map(|(line, _)| line).collect()
    }

    #[test]
    fn lines_are_those_of_the_file() {
        assert_eq!(lines("a,b\n1,2\n\n\n3,4\n5,6"), [2, 5, 6]);
        assert_eq!(lines("a,b\r\n1,2\r\n\r\n3,4\r\n5,6\r\n"), [2, 4, 5]);
        assert_eq!(lines("\u{feff}a,b\n\n1,\"x\ny\"\n3,4\n"), [3, 5]);
        let long = (0..5_000).map(|row| format!("{row},{row}\n")).collect::<String>();
        assert_eq!(lines(&format!("a,b\n{long}")), (2..5_002).collect::<Vec<_>>());
    }

    #[test]
    fn what_spreadsheets_and_pandas_add_is_passed_over() {
        let file = CsvFile::new(Path::new("a.csv"), "\u{feff}\"\",\" a \",b,\n0,1,2,\n1,3,4\n".as_bytes());
        let mut file = file.unwrap();
        assert!(file.only(&["a", "b"]).is_ok());
        let (a, mut record) = (file.column("a").unwrap(), Record::default());
        for expected in [1, 3] {
            assert!(file.read(&mut record).unwrap());
            assert_eq!(file.whole(&record, a).unwrap(), expected);
        }
        assert!(!file.read(&mut record).unwrap());
    }

    #[test]
    fn what_is_wrong_is_told_with_line_and_column() {
        let error = |text: &str| read(text).unwrap_err().to_string();
        assert_eq!(error("a,b\n1\n"), "a.csv:2: 1 fields: expected 2, as in the header");
        assert_eq!(error("a,b\n\n1,2,3\n"), "a.csv:3: 3 fields: expected 2, as in the header");
        assert!(error("a;b\n1;2\n").starts_with("a.csv:1: its fields are separated by semicolons"));
        let bytes: &[u8] = b"a,b\n1,2\n\n3,\xff\n";
        let mut file = CsvFile::new(Path::new("a.csv"), bytes).unwrap();
        let mut record = Record::default();
        assert!(file.read(&mut record).unwrap());
        assert_eq!(file.real(&record, 1).unwrap(), 2.0);
        assert_eq!(file.read(&mut record).unwrap_err().line, Some(4));
        let file = CsvFile::new(Path::new("a.csv"), "a,cycle,a\n".as_bytes()).unwrap();
        assert!(file.column("cycles").unwrap_err().message.contains("(did you mean `cycle`?)"));
        assert!(file.only(&["a", "cycles"]).unwrap_err().message.contains("unknown column `cycle`"));
        assert!(file.only(&["a", "cycle"]).unwrap_err().message.contains("two columns `a`"));
    }
}
