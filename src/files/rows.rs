//! Errors in CSV files: which line, and what is wrong with it in the words of the user's file.

use std::path::Path;

use csv::{ErrorKind, StringRecord};

use super::{InputError, Source, did_you_mean, with_suggestion};

/// What is wrong with a file whose records cannot be told apart.
pub fn csv_error(source: &Source, error: &csv::Error) -> InputError {
    let line = |position| csv_line(&source.text, position);
    match error.kind() {
        ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let message = format!("{len} fields: expected {expected_len}, as in the header");
            InputError::at_line(&source.path, line(pos.as_ref()), message)
        }
        _ if error.position().is_some() => InputError::at_line(&source.path, line(error.position()), error),
        _ => InputError::file(&source.path, error),
    }
}

/// What is wrong with the record at a line, by its column's name.
pub fn csv_field_error(path: &Path, line: usize, error: &csv::Error, header: &StringRecord) -> InputError {
    let ErrorKind::Deserialize { err, .. } = error.kind() else {
        return InputError::at_line(path, line, error);
    };
    let kind = err.kind().to_string();
    let place = err.field().map(|field| field as usize);
    if let Some((place, column)) = place.and_then(|place| Some((place, header.get(place)?))) {
        return InputError::at_field(path, line, place, format!("column `{column}`: {kind}"));
    }
    // A column that is missing may be there under a name that is nearly right.
    let missing = kind.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    let message = missing.map_or_else(
        || with_suggestion(&kind),
        |missing| {
            let hint = did_you_mean(missing, header);
            format!("no column `{missing}`{hint} in the header")
        },
    );
    InputError::at_line(path, line, message)
}

/// The line of one CSV record, counted from 1.
fn csv_line(text: &str, position: Option<&csv::Position>) -> usize {
    CsvLines::new(text).of(position)
}

/// The lines of CSV records, counted along the way. The reader's own are those of the blank lines before a record.
pub struct CsvLines<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> CsvLines<'a> {
    /// From the start of a file.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0, line: 1 }
    }

    /// The line, counted from 1, of a record that comes after those before.
    pub fn of(&mut self, position: Option<&csv::Position>) -> usize {
        let start = position.map_or(self.at, |position| position.byte() as usize);
        let rest = &self.text[start..];
        let record = start + rest.len() - rest.trim_start().len();
        self.line += self.text[self.at..record].matches('\n').count();
        self.at = record;
        self.line
    }
}
