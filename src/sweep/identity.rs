//! What makes two cells the same: the hash under which a finished cell is kept, and by which a user names it.
//!
//! It covers everything that decides the bytes of a cell: the sources of this program, its keys, scheduler and seed, how
//! many requests it has, the recording, whether it is bounded, which logs it keeps, and the contents of all files it
//! depends on. It does not cover where those files lie, nor the cells beside it.
//!
//! The sources are those of the storeys up to this one, hashed as a whole by `build.rs`: figures, rankings, trainings and
//! the command line do not enter, so that a change there leaves finished cells valid. Neither the version nor the commit
//! would do in place of the hash, because an edit that is not committed changes results as well. The price is that an
//! edited comment below runs a sweep again. A caller's own scheduler is outside of these sources: its
//! [version](crate::experiment::Entry::version) stands for its code.

use std::fmt::Write;
use std::path::Path;

use super::cell::{Cell, Logs};
use super::inputs::Inputs;
use crate::experiment::{Experiment, KEYS};
use crate::files::sha256;

/// SHA-256 of the sources of this program that decide what a cell comes to.
pub const SOURCES_SHA256: &str = env!("MASCOT_SOURCES_SHA256");

/// Digits of an identifier: 128 bits.
const DIGITS: usize = 32;

/// Digits that lists and messages show: enough to tell a million cells apart.
pub const SHOWN_DIGITS: usize = 12;

/// All but the cell that decides what comes out of it.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// The experiment.
    pub experiment: &'a Experiment,
    /// Which logs are kept.
    pub logs: Logs,
    /// The files.
    pub inputs: &'a Inputs,
    /// The sources of the program that runs it: [`SOURCES_SHA256`], or those of another run.
    pub sources: &'a str,
}

impl Identity<'_> {
    /// The identifier of a cell.
    pub fn of(&self, cell: &Cell) -> String {
        let mut id = sha256(self.text(cell).as_bytes());
        id.truncate(DIGITS);
        id
    }

    /// One line for each thing that counts.
    fn text(&self, cell: &Cell) -> String {
        let mut text = format!("sources {}\n{:?}\n{:?}\n", self.sources, self.logs, cell.case.window);
        let mut add =
            |key: &str, value: &str| writeln!(text, "{key} = {value}").expect("memory takes everything");
        KEYS.iter().zip(cell.keys()).for_each(|(key, value)| add(key, &value));
        add("rule", &cell.scheduler.entry.name);
        add("version of the rule", &cell.scheduler.entry.version);
        add("parameters", &toml::Value::Table(cell.scheduler.parameters.clone()).to_string());
        add("bound", &self.experiment.bound.to_string());
        if let Some(trace) = &self.experiment.trace {
            add("trace", &format!("{:?} {:?}", trace.speedup, trace.map));
        }
        self.inputs.of_cell(cell).into_iter().for_each(|(name, hash)| add(&file_name(name), hash));
        text
    }
}

/// A file's name counts, as what it holds is looked up by it; its folder does not.
fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The part of an identifier that people read.
pub fn short(id: &str) -> &str {
    &id[..SHOWN_DIGITS.min(id.len())]
}
