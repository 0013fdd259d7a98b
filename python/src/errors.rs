//! Exceptions, by the exit codes of the program: 2 is [`ConfigError`], 1 [`RunError`], 3 [`InvariantError`].

use std::panic::{AssertUnwindSafe, catch_unwind};

use mascot::experiment::{Error, reason};
use pyo3::create_exception;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

create_exception!(mascot, ConfigError, PyValueError, "A file, a key, a name or an argument is wrong.");
create_exception!(mascot, RunError, PyRuntimeError, "A run failed, or its results cannot be written.");
create_exception!(mascot, InvariantError, PyRuntimeError, "A bug of mascot: please report it.");

/// The exception of an error of the program, with the same text.
pub(crate) fn exception(error: &Error) -> PyErr {
    let text = error.to_string();
    match error.exit_code() {
        2 => ConfigError::new_err(text),
        3 => InvariantError::new_err(text),
        _ => RunError::new_err(text),
    }
}

/// The exception of wrong arguments.
pub(crate) fn config(message: impl Into<String>) -> PyErr {
    ConfigError::new_err(message.into())
}

/// The exception of a run that failed.
pub(crate) fn run(message: impl Into<String>) -> PyErr {
    RunError::new_err(message.into())
}

/// Runs `act` without the interpreter; a panic becomes an [`InvariantError`].
pub(crate) fn detached<T: Send>(py: Python<'_>, act: impl FnOnce() -> PyResult<T> + Send) -> PyResult<T> {
    py.detach(|| guarded(act))
}

/// Runs `act`; a panic becomes an [`InvariantError`].
pub(crate) fn guarded<T>(act: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|panic| {
        Err(InvariantError::new_err(format!("invariant violated: {}", reason(&*panic))))
    })
}
