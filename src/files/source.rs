//! The text of a data file beside what was parsed from it, so that later checks can point at lines.

use std::fmt;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::error::InputError;
use super::excerpt::MAX_SOURCE_BYTES;
use super::node::read_toml;
use super::suggest::with_suggestion;

/// The text of a data file, kept beside what was parsed from it so that later checks can point at lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The path of the file.
    pub path: PathBuf,
    /// The whole text.
    pub text: String,
    /// Whether the text is exactly that of the file. If options were merged into it, its lines mean nothing to the
    /// user.
    pub verbatim: bool,
}

impl Source {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        let file = std::fs::File::open(path).map_err(|e| InputError::unopened(path, &e))?;
        let mut text = String::new();
        let read = file.take(MAX_SOURCE_BYTES + 1).read_to_string(&mut text);
        let length = read.map_err(|e| InputError::unread(path, &e))? as u64;
        if length > MAX_SOURCE_BYTES {
            return Err(InputError::file(path, format!("larger than {} MiB", MAX_SOURCE_BYTES >> 20)));
        }
        // Some editors write a byte order mark first.
        let text = text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_string);
        Ok(Self { path: path.to_path_buf(), text, verbatim: true })
    }

    /// Parses the text as TOML; unknown keys and wrong types are errors with the line and the offending source.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, InputError> {
        read_toml(&self.text).map_err(|e| InputError {
            path: self.path.clone(),
            line: e.span().and_then(|span| self.told_line(&span)),
            message: match e.span() {
                Some(span) => self.with_excerpt(&self.told(e.message(), &span), &span),
                None => with_suggestion(e.message()),
            },
        })
    }

    /// Shortens a parser's message about a value, and adds the key.
    fn told(&self, message: &str, span: &Range<usize>) -> String {
        let (before, rest) = self.text.split_at_checked(span.start).unwrap_or_default();
        let value = rest.get(..span.len()).unwrap_or_default();
        let told = super::told::of_value(message, super::told::key_before(before), value);
        told.unwrap_or_else(|| with_suggestion(message))
    }

    /// An error that points at a parsed value.
    pub fn error(&self, span: &Range<usize>, message: impl fmt::Display) -> InputError {
        let message = self.with_excerpt(&message.to_string(), span);
        InputError { path: self.path.clone(), line: self.told_line(span), message }
    }

    /// An error about an entry of an array of tables (`[[table]]`), at the first of the keys that it has.
    pub fn error_in(
        &self,
        table: &str,
        place: usize,
        keys: &[&str],
        message: impl fmt::Display,
    ) -> InputError {
        let span = || {
            let file = toml::de::DeTable::parse(&self.text).ok()?;
            let entry = file.get_ref().get(table)?.get_ref().as_array()?.get(place)?;
            let of_key = |key: &&str| Some(entry.get_ref().as_table()?.get(*key)?.span());
            Some(keys.iter().find_map(of_key).unwrap_or(entry.span()))
        };
        match span() {
            Some(span) => self.error(&span, message),
            None => self.error_at_top(message),
        }
    }

    /// An error about the file as a whole.
    pub fn error_at_top(&self, message: impl fmt::Display) -> InputError {
        InputError::file(&self.path, message)
    }

    fn told_line(&self, span: &Range<usize>) -> Option<usize> {
        self.verbatim.then(|| self.line_of(span))
    }

    fn line_of(&self, span: &Range<usize>) -> usize {
        1 + self.text[..span.start.min(self.text.len())].matches('\n').count()
    }

    /// A message with the source line and a caret under the value. A line that the user has not written is left out if
    /// it is longer than a terminal's, such as one with all digits of 1e308.
    fn with_excerpt(&self, message: &str, span: &Range<usize>) -> String {
        let at = span.start.min(self.text.len());
        let start = self.text[..at].rfind('\n').map_or(0, |i| i + 1);
        let line = self.text[start..].lines().next().unwrap_or("");
        if !self.verbatim && line.chars().count() > super::excerpt::MAX_SHOWN {
            return message.to_string();
        }
        let width = self.text.get(at..span.end).map_or(1, |s| s.lines().next().unwrap_or("").chars().count());
        let column = self.text[start..at].chars().count();
        format!("{message}\n{}", super::excerpt::marked(self.line_of(span), line, column, width))
    }
}
