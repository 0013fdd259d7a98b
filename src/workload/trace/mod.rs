//! Trace files: when requests came, from which tenant, for which network.
//!
//! | format | told by | times | names |
//! |---|---|---|---|
//! | `t_s[,tenant][,network]` CSV, which `mascot trace gen` writes | the column `t_s` | seconds from the start | as written |
//! | Azure LLM inference traces, 2023 and 2024 | the column `TIMESTAMP` | dates; the first request is at 0 | none |
//! | BurstGPT | the columns `Timestamp`, `Model` | seconds; the first request is at 0 | the model is the network |
//! | DISB tasks (JSON) | `.json` | see `disb.rs` | task = tenant, model = network |
//!
//! Token counts are ignored: a network here takes the same time for every request. Rows may come in any order; at one
//! instant they keep that of the file. Times are read exactly, to the picosecond.

mod csv;
mod disb;
mod stats;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use stats::TraceStats;
pub use write::to_csv;

use crate::files::{InputError, Positive, Source, did_you_mean};
use crate::units::Time;

/// Which file, and what to make of it: the keys of `trace` in an experiment and of `kind = "trace"` in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceKeys {
    /// The file.
    pub file: PathBuf,
    /// How many times faster than recorded it is replayed.
    #[serde(default = "as_recorded")]
    pub speedup: Positive,
    /// Names in the file and what they shall be here: tenants and networks.
    #[serde(default)]
    pub map: BTreeMap<String, String>,
}

fn as_recorded() -> Positive {
    Positive(1.0)
}

/// A trace in order of time.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Where it was read.
    pub path: PathBuf,
    /// The requests.
    pub rows: Vec<Row>,
    /// What of the file cannot be part of a trace, for the user to know.
    pub left_out: Vec<String>,
    names: Names,
}

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// When it came.
    pub time: Time,
    tenant: Option<Name>,
    network: Option<Name>,
    /// Its line in the file, 0 where it has none of its own.
    line: u32,
}

const BEYOND_CLOCK: &str = "the time is beyond the 213 days that the clock of a simulation holds";

/// A name that occurs in the file.
type Name = u32;

/// The distinct names of a file, as mapped.
#[derive(Clone, Debug, Default)]
struct Names {
    list: Vec<String>,
    ids: BTreeMap<String, Name>,
}

impl Names {
    fn id(&mut self, name: &str) -> Name {
        if let Some(&id) = self.ids.get(name) {
            return id;
        }
        self.list.push(name.to_string());
        self.ids.insert(name.to_string(), self.list.len() as Name - 1);
        self.list.len() as Name - 1
    }
}

impl Recording {
    /// Reads a file; bad rows and names in `map` that the file does not have are errors.
    pub fn read(keys: &TraceKeys) -> Result<Self, InputError> {
        let source = Source::read(&keys.file)?;
        let is_json = keys.file.extension().is_some_and(|extension| extension == "json");
        let mut trace = if is_json { disb::read(&source)? } else { csv::read(&source)? };
        trace.rename(&keys.map)?;
        if trace.rows.is_empty() {
            return Err(InputError::file(&keys.file, "no requests in the trace"));
        }
        if keys.speedup.0 != 1.0 {
            trace.accelerate(keys.speedup.0)?;
        }
        trace.rows.sort_by_key(|row| row.time);
        Ok(trace)
    }

    fn accelerate(&mut self, speedup: f64) -> Result<(), InputError> {
        for place in 0..self.rows.len() {
            let row = self.rows[place];
            // What exceeds an integer saturates.
            let time = row.time.scale(1.0 / speedup);
            if time == Time::MAX {
                return Err(self.error(&row, format!("{BEYOND_CLOCK}, played {speedup} times as fast")));
            }
            self.rows[place].time = time;
        }
        Ok(())
    }

    fn rename(&mut self, map: &BTreeMap<String, String>) -> Result<(), InputError> {
        for (from, to) in map {
            let Some(&id) = self.names.ids.get(from) else {
                let hint = did_you_mean(from, &self.names.list);
                let known = self.names.list.join(", ");
                let message =
                    format!("`map` names `{from}`{hint}, which is not in the file; it has: {known}");
                return Err(InputError::file(&self.path, message));
            };
            self.names.list[id as usize].clone_from(to);
        }
        Ok(())
    }

    /// Who sent it, where the file says so.
    pub fn tenant(&self, row: &Row) -> Option<&str> {
        row.tenant.map(|name| self.names.list[name as usize].as_str())
    }

    /// What it asks for, where the file says so.
    pub fn network(&self, row: &Row) -> Option<&str> {
        row.network.map(|name| self.names.list[name as usize].as_str())
    }

    /// An error about a row.
    pub fn error(&self, row: &Row, message: impl std::fmt::Display) -> InputError {
        match row.line {
            0 => InputError::file(&self.path, message),
            line => InputError::at_line(&self.path, line as usize, message),
        }
    }

    /// The distinct tenants, in order of first appearance.
    pub fn tenants(&self) -> Vec<&str> {
        let mut known = BTreeSet::new();
        self.rows.iter().filter_map(|row| self.tenant(row)).filter(|tenant| known.insert(*tenant)).collect()
    }

    fn empty(path: &Path) -> Self {
        Self { path: path.to_path_buf(), rows: Vec::new(), left_out: Vec::new(), names: Names::default() }
    }
}

#[cfg(test)]
mod tests;
