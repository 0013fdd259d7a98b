//! Reading data files and writing results: every input error names file, line, key and what is allowed; every
//! output file appears whole or not at all.

pub mod any_path;
mod checked;
mod excerpt;
mod folders;
mod numbered;
mod numbers;
mod renamed;
mod rows;
mod schema;
mod spanned;
mod suggest;
mod told;
mod visible;

use std::fmt;
use std::io::{Read, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

pub use checked::*;
pub use folders::Folders;
pub use numbers::{is_missing, is_no_name, real, whole};
pub use renamed::RENAMED;
pub use rows::{CsvFile, Record};
pub use schema::{any_of, entry_table, schema_of};
pub use spanned::Spanned;
pub use suggest::{did_you_mean, with_suggestion};
pub use visible::{visible, visible_line};

/// What is wrong with a file that a user gave.
#[derive(Debug, thiserror::Error)]
#[error("{}: {message}", location(path, *line))]
pub struct InputError {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1, where there is one.
    pub line: Option<usize>,
    /// What is wrong and what is allowed.
    pub message: String,
}

fn location(path: &Path, line: Option<usize>) -> String {
    match line {
        Some(line) => format!("{}:{line}", path.display()),
        None => path.display().to_string(),
    }
}

impl InputError {
    /// An error about the whole file.
    pub fn file(path: &Path, message: impl fmt::Display) -> Self {
        Self { path: path.to_path_buf(), line: None, message: message.to_string() }
    }

    /// A file that cannot be opened, with its new name if it has one.
    pub fn unopened(path: &Path, error: &std::io::Error) -> Self {
        Self::file(path, format!("{error}{}", renamed::hint_of_file(path)))
    }

    /// An error at a line, counted from 1, with the line as it is in the file.
    pub fn at_line(path: &Path, line: usize, message: impl fmt::Display) -> Self {
        Self::quoting(path, line, message, excerpt::quoted(path, line))
    }

    /// An error in a CSV record that starts at a line, with carets below the field at `place`.
    pub fn at_field(path: &Path, line: usize, place: usize, message: impl fmt::Display) -> Self {
        Self::quoting(path, line, message, excerpt::quoted_field(path, line, place))
    }

    fn quoting(path: &Path, line: usize, message: impl fmt::Display, quoted: Option<String>) -> Self {
        let quoted = quoted.map_or(String::new(), |quoted| format!("\n{quoted}"));
        Self { path: path.to_path_buf(), line: Some(line), message: format!("{message}{quoted}") }
    }
}

/// A bound on memory: a thousand times the largest data file that ships.
const MAX_SOURCE_BYTES: u64 = 1 << 26;

/// The text of a data file, kept beside what was parsed from it so that later checks can point at lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Where it was read.
    pub path: PathBuf,
    /// Its whole text.
    pub text: String,
    /// Whether that is the file's: not where options were merged into it, so that its lines mean nothing to the user.
    pub verbatim: bool,
}

impl Source {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        let file = std::fs::File::open(path).map_err(|e| InputError::unopened(path, &e))?;
        let mut text = String::new();
        let read = file.take(MAX_SOURCE_BYTES + 1).read_to_string(&mut text);
        let length = read.map_err(|e| InputError::file(path, e))? as u64;
        if length > MAX_SOURCE_BYTES {
            return Err(InputError::file(path, format!("larger than {} MiB", MAX_SOURCE_BYTES >> 20)));
        }
        // Editors of another system write a mark of the encoding first.
        let text = text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_string);
        Ok(Self { path: path.to_path_buf(), text, verbatim: true })
    }

    /// Parses the text as TOML; unknown keys and wrong types are errors with the line and the offending source.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, InputError> {
        toml::from_str(&self.text).map_err(|e| InputError {
            path: self.path.clone(),
            line: e.span().and_then(|span| self.told_line(&span)),
            message: match e.span() {
                Some(span) => self.with_excerpt(&self.told(e.message(), &span), &span),
                None => with_suggestion(e.message()),
            },
        })
    }

    /// A message of the parser about a value: with its key, and short.
    fn told(&self, message: &str, span: &Range<usize>) -> String {
        let (before, rest) = self.text.split_at_checked(span.start).unwrap_or_default();
        let value = rest.get(..span.len()).unwrap_or_default();
        let told = told::of_value(message, told::key_before(before), value);
        told.unwrap_or_else(|| with_suggestion(message))
    }

    /// An error that points at a parsed value.
    pub fn error(&self, span: &Range<usize>, message: impl fmt::Display) -> InputError {
        let message = self.with_excerpt(&message.to_string(), span);
        InputError { path: self.path.clone(), line: self.told_line(span), message }
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

    /// A message with the source line and a caret under the value; without a line that the user has not written and that
    /// is longer than a terminal's, such as one with all digits of 1e308.
    fn with_excerpt(&self, message: &str, span: &Range<usize>) -> String {
        let at = span.start.min(self.text.len());
        let start = self.text[..at].rfind('\n').map_or(0, |i| i + 1);
        let line = self.text[start..].lines().next().unwrap_or("");
        if !self.verbatim && line.chars().count() > excerpt::MAX_SHOWN {
            return message.to_string();
        }
        let width = self.text.get(at..span.end).map_or(1, |s| s.lines().next().unwrap_or("").chars().count());
        let column = self.text[start..at].chars().count();
        format!("{message}\n{}", excerpt::marked(self.line_of(span), line, column, width))
    }
}

/// A temporary file in `folder`, which is made if need be, with the permissions of any new file.
pub fn temporary_in(folder: &Path) -> std::io::Result<NamedTempFile> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    std::fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// The names of the TOML files in a folder, sorted: what is looked up there by name.
pub fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let toml = paths.filter(|path| path.is_file() && path.extension().is_some_and(|e| e == "toml"));
    let mut names: Vec<String> =
        toml.filter_map(|path| Some(path.file_stem()?.to_str()?.to_string())).collect();
    names.sort();
    names
}

/// SHA-256 of the bytes in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// SHA-256 of a file of any size in hexadecimal digits.
pub fn sha256_of_file(path: &Path) -> std::io::Result<String> {
    let (mut file, mut hash) = (std::fs::File::open(path)?, Sha256::new());
    let mut part = vec![0; 1 << 16];
    loop {
        match file.read(&mut part)? {
            0 => return Ok(hex(&hash.finalize())),
            length => hash.update(&part[..length]),
        }
    }
}

/// Bytes in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes `bytes` to a temporary name beside the file that `path` leads to, then renames. A device or a pipe is written to.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let target = match std::fs::metadata(path) {
        Ok(there) if there.is_file() => std::fs::canonicalize(path)?,
        Ok(there) if !there.is_dir() => {
            return std::fs::File::options().write(true).open(path)?.write_all(bytes);
        }
        _ => path.to_path_buf(),
    };
    let mut file = temporary_in(target.parent().unwrap_or(Path::new("")))?;
    file.write_all(bytes)?;
    file.persist(target)?;
    Ok(())
}

/// Gives a temporary file its name, on another disk, too.
pub fn place(file: NamedTempFile, path: &Path) -> std::io::Result<()> {
    let failed = match file.persist(path) {
        Ok(_) => return Ok(()),
        Err(failed) if failed.error.kind() == std::io::ErrorKind::CrossesDevices => failed,
        Err(failed) => return Err(failed.error),
    };
    let mut copy = temporary_in(path.parent().unwrap_or(Path::new("")))?;
    std::io::copy(&mut std::fs::File::open(failed.file.path())?, &mut copy)?;
    copy.persist(path)?;
    Ok(())
}

/// A TOML key of something that a registry lists: schedulers and arrival processes have them.
#[derive(Debug)]
pub struct Parameter {
    /// The key.
    pub name: &'static str,
    /// The value when it is left out, as in TOML; empty where it must be given.
    pub default: &'static str,
    /// What it does.
    pub doc: &'static str,
}

/// The parameters of what has none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoParameters {}

/// Reads the parameters of one entry of a registry into its own struct; the error names the key.
pub fn parse_parameters<T: DeserializeOwned>(table: &toml::Table) -> Result<T, String> {
    let read: Result<T, toml::de::Error> = table.clone().try_into();
    read.map_err(|e| {
        let whole = e.to_string();
        let key = whole.rsplit_once("in `").and_then(|(_, rest)| rest.split('`').next());
        let value = key.and_then(|key| table.get(key)).map(ToString::to_string).unwrap_or_default();
        let told = told::of_value(e.message(), key, &value);
        told.unwrap_or_else(|| with_suggestion(whole.trim_end()).replace('\n', " "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Example {
        #[serde(rename = "clock_mhz")]
        _clock_mhz: Positive,
    }

    fn source(text: &str) -> Source {
        Source { path: "a.toml".into(), text: text.into(), verbatim: true }
    }

    #[test]
    fn a_mark_of_the_encoding_is_no_text() {
        let file = tempfile::NamedTempFile::new().expect("the temporary folder is writable");
        std::fs::write(file.path(), "\u{feff}clock_mhz = 5\n").expect("the file is ours");
        let source = Source::read(file.path()).expect("it is text");
        assert!(source.text.starts_with("clock_mhz") && source.parse::<Example>().is_ok());
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let e = source("clock_mhz = 1\nclok = 2\n").parse::<Example>().unwrap_err();
        assert_eq!(e.line, Some(2));
        assert!(e.to_string().contains("clok"), "{e}");
    }

    #[cfg(unix)]
    #[test]
    fn an_endless_file_is_an_error() {
        let error = Source::read(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(error.to_string(), "/dev/zero: larger than 64 MiB");
    }

    #[test]
    fn a_wrong_parameter_is_named() {
        let read = |text: &str| parse_parameters::<Example>(&text.parse().expect("TOML")).unwrap_err();
        assert_eq!(read("clok = 1"), "unknown field `clok`, expected `clock_mhz`");
        assert_eq!(read("clock_mhz = -1"), "`clock_mhz` is -1: expected a number from 1e-9 to 1e12");
    }

    #[test]
    fn a_value_out_of_range_says_what_is_allowed() {
        let e = source("\nclock_mhz = -3\n").parse::<Example>().unwrap_err();
        assert_eq!(e.line, Some(2));
        assert!(
            e.to_string().contains("`clock_mhz` is -3: expected a number from 1e-9")
                && e.to_string().contains("^"),
            "{e}"
        );
    }
}
