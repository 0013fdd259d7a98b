//! The errors that can end a command, with their exit codes.

use std::any::Any;
use std::cell::Cell;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::files::InputError;

/// Why a command has no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that the user gave is wrong.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The command line or a name in a configuration is wrong.
    #[error("{0}")]
    Usage(String),
    /// A run failed.
    #[error("{cell}: {reason}\nreproduce it with: {command}")]
    Run {
        /// The cell.
        cell: String,
        /// The reason.
        reason: String,
        /// The command that runs this cell alone.
        command: String,
    },
    /// Cells of a sweep failed; the others are kept.
    #[error("{message}")]
    Cells {
        /// The failed cells with reasons and the commands that run them alone.
        message: String,
        /// Whether a failure is a violated invariant of the simulator.
        invariant: bool,
    },
    /// A comparison that the user asked for fails.
    #[error("{0}")]
    Check(String),
    /// An invariant of the simulator does not hold: a bug of ours.
    #[error(
        "invariant violated in {cell}: {reason}\nplease report it with the command that reproduces it: {command}"
    )]
    Invariant {
        /// The cell.
        cell: String,
        /// The reason.
        reason: String,
        /// The command that runs this cell alone.
        command: String,
    },
    /// Random runs violate invariants: bugs of ours, with the commands that reproduce them.
    #[error("{0}")]
    Fuzz(String),
    /// A result could not be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The path of the result.
        path: String,
        /// The cause.
        source: std::io::Error,
    },
}

/// The exit code of a violated invariant.
pub const INVARIANT: u8 = 3;

thread_local! {
    /// File and line of the last panic of this thread, until [`reason`] takes it.
    static PLACE: Cell<Option<String>> = const { Cell::new(None) };
}

/// File and line of the last panic of any thread: the panic of a thread of a pool continues in the thread that waits
/// for it.
static LAST_PLACE: Mutex<Option<String>> = Mutex::new(None);

/// Stops the printing of panics: [`reason`] returns their message with file and line instead. For programs that catch
/// all panics.
pub fn remember_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        LAST_PLACE.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&place);
        PLACE.set(place);
    }));
}

/// The message of a panic and, if panics are remembered, its file and line.
pub fn reason(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
    let text = text.unwrap_or_else(|| "unknown".into());
    let last = LAST_PLACE.lock().unwrap_or_else(PoisonError::into_inner).take();
    match PLACE.take().or(last) {
        Some(place) => format!("{text} ({place})"),
        None => text,
    }
}

impl Error {
    /// The error of a result that could not be written to `path`.
    pub fn writing(path: &Path, source: std::io::Error) -> Self {
        Self::Write { path: path.display().to_string(), source }
    }

    /// The exit code: 1 failed run, 2 bad usage or configuration, 3 violated invariant.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Input(_) | Self::Usage(_) => 2,
            Self::Invariant { .. } | Self::Fuzz(_) | Self::Cells { invariant: true, .. } => INVARIANT,
            Self::Run { .. } | Self::Cells { .. } | Self::Check(_) | Self::Write { .. } => 1,
        }
    }
}
