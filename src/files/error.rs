//! Errors in a user's file: the file, the line, and the allowed values.

use std::fmt;
use std::path::{Path, PathBuf};

/// An error in a user's file.
#[derive(Debug, thiserror::Error)]
#[error("{}: {message}", location(path, *line))]
pub struct InputError {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1, where there is one.
    pub line: Option<usize>,
    /// What is wrong, and what is allowed.
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

    /// An error about a file that cannot be opened, with its new name if it was renamed.
    pub fn unopened(path: &Path, error: &std::io::Error) -> Self {
        Self::file(path, format!("{error}{}", super::renamed::hint_of_file(path)))
    }

    /// An error about a file that was opened and cannot be read. The system's words about a folder do not say what is
    /// expected.
    pub fn unread(path: &Path, error: &std::io::Error) -> Self {
        match path.is_dir() {
            true => Self::file(path, "this is a folder: expected a file"),
            false => Self::file(path, error),
        }
    }

    /// An error at a line, counted from 1, with the line as it is in the file.
    pub fn at_line(path: &Path, line: usize, message: impl fmt::Display) -> Self {
        Self::quoting(path, line, message, super::excerpt::quoted(path, line))
    }

    /// An error in a CSV record that starts at a line, with carets below the field at `place`.
    pub fn at_field(path: &Path, line: usize, place: usize, message: impl fmt::Display) -> Self {
        Self::quoting(path, line, message, super::excerpt::quoted_field(path, line, place))
    }

    fn quoting(path: &Path, line: usize, message: impl fmt::Display, quoted: Option<String>) -> Self {
        let quoted = quoted.map_or(String::new(), |quoted| format!("\n{quoted}"));
        Self { path: path.to_path_buf(), line: Some(line), message: format!("{message}{quoted}") }
    }
}
