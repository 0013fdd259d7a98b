//! Commands as function calls, for programs that embed mascot, such as its Python package: what a command would print is
//! returned, and it ends by [`cancel`] in place of Ctrl-C.

use std::panic::{catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, PoisonError};

use clap::Parser;

use super::{Cli, execute};
use crate::experiment::{Error, reason, remember_panics};

/// What a command printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Printed {
    /// What it wrote to standard output.
    pub text: String,
    /// What it wrote to standard error: warnings and notes.
    pub notes: Vec<String>,
}

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The command failed, with the error that it would have printed.
    #[error(transparent)]
    Failed(#[from] Error),
    /// An invariant of the simulator does not hold: a bug of ours.
    #[error("invariant violated: {0}")]
    Bug(String),
    /// The call was cancelled. Cells that had finished are kept.
    #[error("cancelled")]
    Cancelled,
}

/// Calls run one after the other, because what they print goes to one place.
static TURN: Mutex<()> = Mutex::new(());
/// What the call that runs has printed; `None` where the program itself runs.
static PRINTED: Mutex<Option<Printed>> = Mutex::new(None);
static CANCELLED: AtomicBool = AtomicBool::new(false);
static REMEMBERING: Once = Once::new();

/// What a cancelled command unwinds with.
struct Stop;

/// Runs a command with its arguments, such as `["validate", "experiments/quickstart.toml"]`.
///
/// # Errors
/// The error of the command; wrong arguments are [`Error::Usage`]. A panic inside is caught; from the first call on, panics
/// of the process print nothing ([`remember_panics`]).
pub fn call(arguments: &[String]) -> Result<Printed, CallError> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    REMEMBERING.call_once(remember_panics);
    CANCELLED.store(false, Ordering::Relaxed);
    with_printed(|printed| *printed = Some(Printed::default()));
    let result = catch_unwind(|| parsed(arguments));
    let printed = with_printed(Option::take).unwrap_or_default();
    match result {
        Ok(Ok(text)) => Ok(Printed { text: printed.text + &text, ..printed }),
        Ok(Err(error)) => Err(error.into()),
        Err(panic) if panic.is::<Stop>() => Err(CallError::Cancelled),
        Err(panic) => Err(CallError::Bug(reason(&*panic))),
    }
}

/// Asks the call that runs to end. It does so at the next step of its progress: after the cells that are being run.
pub fn cancel() {
    CANCELLED.store(true, Ordering::Relaxed);
}

/// Unwinds if the call that runs has been cancelled.
pub(super) fn stop_if_cancelled() {
    if CANCELLED.load(Ordering::Relaxed) && is_call() {
        resume_unwind(Box::new(Stop));
    }
}

/// Whether a command was called, and is not the program itself.
pub(super) fn is_call() -> bool {
    with_printed(|printed| printed.is_some())
}

/// Takes a text for standard output, if a call runs.
pub(super) fn take(text: &str) -> bool {
    with_printed(|printed| printed.as_mut().map(|printed| printed.text.push_str(text)).is_some())
}

/// Takes a message for standard error, if a call runs.
pub(super) fn take_note(text: &str) -> bool {
    with_printed(|printed| printed.as_mut().map(|printed| printed.notes.push(text.to_string())).is_some())
}

fn with_printed<T>(act: impl FnOnce(&mut Option<Printed>) -> T) -> T {
    act(&mut PRINTED.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Executes the command, or returns the help that was asked for.
fn parsed(arguments: &[String]) -> Result<String, Error> {
    let words = ["mascot"].into_iter().chain(arguments.iter().map(String::as_str));
    match Cli::try_parse_from(words) {
        Ok(cli) => execute(cli.command).map(|()| String::new()),
        Err(told) if told.exit_code() == 0 => Ok(told.to_string()),
        Err(wrong) => {
            Err(Error::Usage(wrong.to_string().trim_start_matches("error: ").trim_end().to_string()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(String::from).collect()
    }

    #[test]
    fn a_call_returns_what_the_command_prints() {
        let printed = call(&words("validate workloads/networks/kws_res8.toml")).expect("it is valid");
        assert!(printed.text.contains("workloads/networks/kws_res8.toml: network"), "{printed:?}");
        assert!(call(&words("--version")).expect("it has one").text.starts_with("mascot "));
    }

    #[test]
    fn errors_are_those_of_the_command() {
        let told = |line: &str| call(&words(line)).expect_err("it is wrong").to_string();
        assert!(told("validate no/such.toml").contains("no/such.toml"));
        let usage = told("frobnicate");
        assert!(usage.starts_with("unrecognized subcommand 'frobnicate'"), "{usage}");
    }

    #[test]
    fn a_cancelled_call_unwinds_at_the_next_step() {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        cancel();
        // Outside of a call nothing is cancelled.
        stop_if_cancelled();
        with_printed(|printed| *printed = Some(Printed::default()));
        let stopped = catch_unwind(stop_if_cancelled).expect_err("it is cancelled");
        with_printed(Option::take);
        assert!(stopped.is::<Stop>());
        CANCELLED.store(false, Ordering::Relaxed);
    }
}
