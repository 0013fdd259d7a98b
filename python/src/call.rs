//! A command of the program as a function.

use std::thread;
use std::time::Duration;

use mascot::cli::{self, CallError};
use pyo3::prelude::*;

use crate::errors::{InvariantError, exception, run};

/// How often the interpreter is asked for signals such as Ctrl-C. Our choice, because a person does not notice it.
const PERIOD: Duration = Duration::from_millis(50);

/// Runs a command; returns what it printed, and its warnings and notes. Ctrl-C cancels it.
#[pyfunction]
pub(crate) fn call(py: Python<'_>, arguments: Vec<String>) -> PyResult<(String, Vec<String>)> {
    let mut signal = Ok(());
    let caller = thread::current();
    let result = thread::scope(|scope| {
        let running = scope.spawn(move || {
            let result = cli::call(&arguments);
            caller.unpark();
            result
        });
        while !running.is_finished() {
            py.detach(|| thread::park_timeout(PERIOD));
            if signal.is_ok() {
                signal = py.check_signals();
            }
            if signal.is_err() {
                cli::cancel();
            }
        }
        running.join()
    });
    signal?;
    match result.map_err(|_| run("the thread of the command has died"))? {
        Ok(printed) => Ok((printed.text, printed.notes)),
        Err(CallError::Failed(error)) => Err(exception(&error)),
        Err(bug @ CallError::Bug(_)) => Err(InvariantError::new_err(bug.to_string())),
        Err(cancelled @ CallError::Cancelled) => Err(run(cancelled.to_string())),
    }
}
