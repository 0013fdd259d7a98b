//! Progress bars, shown only if standard error is a terminal.

use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::call;
use super::wrap::message as message_of;
use crate::experiment::Progress;
use crate::files::visible;

/// One bar per phase on standard error.
pub(super) struct Bars {
    quiet: bool,
    bar: Handle,
}

/// A handle to the current bar, for code that has to clear it.
#[derive(Clone, Default)]
pub(super) struct Handle(Arc<Mutex<Option<ProgressBar>>>);

impl Handle {
    fn with<T>(&self, act: impl FnOnce(&mut Option<ProgressBar>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Abandons the bar and returns its position and its length.
    pub(super) fn interrupt(&self) -> [u64; 2] {
        self.with(|bar| {
            let Some(bar) = bar else { return [0; 2] };
            let far = [bar.position(), bar.length().unwrap_or_default()];
            bar.abandon();
            far
        })
    }
}

impl Bars {
    pub(super) fn new(quiet: bool) -> Self {
        Self { quiet, bar: Handle::default() }
    }

    pub(super) fn handle(&self) -> Handle {
        self.bar.clone()
    }

    /// Prints a note without disturbing the bar.
    pub(super) fn note(&self, message: &str) {
        if !self.quiet {
            super::eprint(message);
        }
    }

    /// Clears the current bar.
    pub(super) fn clear(&self) {
        self.with(|bar| {
            if let Some(bar) = bar.take() {
                bar.finish_and_clear();
            }
        });
    }

    fn with(&self, act: impl FnOnce(&mut Option<ProgressBar>)) {
        self.bar.with(act);
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Progress for Bars {
    fn begin(&self, phase: &str, total: usize) {
        call::stop_if_cancelled();
        let target = if self.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let style = ProgressStyle::with_template("{msg:32} {wide_bar} {pos}/{len} {eta}")
            .expect("the template names existing fields");
        let next = ProgressBar::with_draw_target(Some(total as u64), target).with_style(style);
        next.set_message(phase.to_string());
        self.with(|bar| {
            if let Some(previous) = bar.replace(next) {
                previous.finish_and_clear();
            }
        });
    }

    fn advance(&self, done: usize) {
        call::stop_if_cancelled();
        self.with(|bar| {
            if let Some(bar) = bar {
                // Threads report out of order, so the bar never moves back.
                bar.set_position(bar.position().max(done as u64));
            }
        });
    }

    fn warn(&self, message: &str) {
        self.with(|bar| match bar {
            Some(bar) if !bar.is_hidden() => {
                bar.println(message_of(&visible(&format!("warning: {message}"))));
            }
            _ => super::eprint(&format!("warning: {message}")),
        });
    }
}
