//! The identity of a cell: the hash under which a finished cell is kept, and by which a user names it.
//!
//! The hash covers everything that decides the bytes of a cell: the sources of this program, the keys, scheduler and
//! seed of the cell, its number of requests, the recording, whether it has a bound, which logs it keeps, and the
//! contents of all files that it depends on. It covers neither the location of those files nor the other cells.
//!
//! The sources are those of the storeys up to this one, hashed as a whole by `build.rs`: figures, rankings, trainings and
//! the command line do not enter, so that a change there leaves finished cells valid. Neither the version nor the commit
//! would do in place of the hash, because an edit that is not committed changes results as well. The price is that an
//! edited comment below runs a sweep again. A caller's own scheduler is outside of these sources: its
//! [version](crate::experiment::Entry::version) stands for its code.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::cell::{Cell, Logs};
use super::inputs::Inputs;
use crate::experiment::{CellDrift, Experiment, KEYS, KeyColumns, SEED};
use crate::files::sha256;
use crate::workload::TraceKeys;

/// SHA-256 of the sources of this program that decide what a cell comes to.
pub const SOURCES_SHA256: &str = env!("MASCOT_SOURCES_SHA256");

/// Digits of an identifier: 128 bits.
const DIGITS: usize = 32;

/// Digits that lists and messages show: enough to tell a million cells apart.
pub const SHOWN_DIGITS: usize = 12;

/// Everything that decides the outcome of a cell, besides the cell itself.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// The experiment.
    pub experiment: &'a Experiment,
    /// The logs that are kept.
    pub logs: Logs,
    /// The data files.
    pub inputs: &'a Inputs,
    /// The hash of the sources of the program: [`SOURCES_SHA256`], or the one that another run recorded.
    pub sources: &'a str,
}

impl Identity<'_> {
    /// The identifier of a cell.
    pub fn of(&self, cell: &Cell) -> String {
        let mut id = sha256(self.text(cell).as_bytes());
        id.truncate(DIGITS);
        id
    }

    /// The text that is hashed: one line for each part of the identity.
    fn text(&self, cell: &Cell) -> String {
        let mut text = format!("sources {}\n{:?}\n{:?}\n", self.sources, self.logs, cell.case.window);
        let mut add =
            |key: &str, value: &str| writeln!(text, "{key} = {value}").expect("memory takes everything");
        let keys = cell.keys();
        KEYS[..=SEED].iter().zip(&keys).for_each(|(key, value)| add(key, value));
        cell.case.setting.told().for_each(|(key, value)| add(key, &value));
        let columns = self.experiment.key_columns();
        if columns != KeyColumns::default() {
            add("columns", &format!("{columns:?}"));
        }
        if *cell.case.drift != CellDrift::default() {
            add("drift", &format!("{:?}", cell.case.drift));
        }
        add("rule", &cell.scheduler.entry.name);
        add("version of the rule", &cell.scheduler.entry.version);
        add("parameters", &toml::Value::Table(cell.scheduler.parameters.clone()).to_string());
        add("bound", &self.experiment.bound.to_string());
        if let Some(trace) = &self.experiment.trace {
            add("trace", &format!("{:?}", TraceKeys { file: PathBuf::new(), ..trace.clone() }));
        }
        self.inputs.of_cell(cell).into_iter().for_each(|(name, hash)| add(&file_name(name), hash));
        text
    }
}

/// The name of a file, which is part of the identity because data is looked up by it; the folder is not.
fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The part of an identifier that people read.
pub fn short(id: &str) -> &str {
    &id[..SHOWN_DIGITS.min(id.len())]
}
