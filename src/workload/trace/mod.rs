//! Trace files: when requests came, from which tenant, for which network.
//!
//! | format | told by | times | names |
//! |---|---|---|---|
//! | `t_s[,tenant][,network]` CSV, which `mascot trace gen` writes | the column `t_s` | seconds from the start | as written |
//! | Azure LLM inference traces, 2023 and 2024 | the column `TIMESTAMP` | dates; the first request is at 0 | none |
//! | BurstGPT | the columns `Timestamp`, `Model` | seconds; the first request is at 0 | the model is the network |
//! | DISB tasks (JSON) | `.json` | see `disb.rs` | task = tenant, model = network |
//!
//! Token counts are ignored: a network here takes the same time for every request. Times are read exactly, to the
//! picosecond, with their offset from UTC where they have one. Rows may come in any order in files of a million rows, and
//! half a million from their place in longer ones (`order.rs`); at one instant they keep that of the file. CSV of any size
//! is read row by row: what is held is that million, and of a [`Recording`] what it is read for.

mod csv;
mod disb;
mod moment;
mod order;
mod recording;
mod stats;
mod write;

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use recording::{Reach, Recording};
pub use stats::{Tally, TraceStats};
pub use write::to_csv;

use crate::files::{Factor, InputError, Source, any_path, did_you_mean};
use crate::units::Time;
use order::{HELD, Sorter, TooLate};

/// Which file, and what to make of it: the keys of `trace` in an experiment and of `kind = "trace"` in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceKeys {
    /// The file.
    #[serde(with = "any_path")]
    #[schemars(with = "PathBuf")]
    pub file: PathBuf,
    /// How many times faster than recorded its requests come.
    #[serde(default = "as_recorded")]
    pub speedup: Factor,
    /// Names in the file and what they shall be here: tenants and networks.
    #[serde(default)]
    pub map: BTreeMap<String, String>,
}

fn as_recorded() -> Factor {
    Factor(1.0)
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

/// A row before its place in time is known.
#[derive(Clone, Copy, Debug)]
struct Raw {
    time_ps: i128,
    tenant: Option<Name>,
    network: Option<Name>,
    line: u32,
}

/// The distinct names of a file.
#[derive(Clone, Debug, Default)]
struct Names {
    map: BTreeMap<String, String>,
    /// As mapped, each once.
    list: Vec<String>,
    mapped: BTreeMap<String, Name>,
    /// As in the file.
    ids: BTreeMap<String, Name>,
}

impl Names {
    fn id(&mut self, name: &str) -> Name {
        if let Some(&id) = self.ids.get(name) {
            return id;
        }
        let mapped = self.map.get(name).map_or(name, String::as_str);
        let id = *self.mapped.entry(mapped.to_string()).or_insert_with(|| {
            self.list.push(mapped.to_string());
            self.list.len() as Name - 1
        });
        self.ids.insert(name.to_string(), id);
        id
    }

    /// What is mapped and has not been read, in a sentence.
    fn unread(&self, place: &str) -> Option<String> {
        let from = self.map.keys().find(|from| !self.ids.contains_key(*from))?;
        let hint = did_you_mean(from, self.ids.keys());
        let known = self.ids.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        Some(format!("`map` names `{from}`{hint}, which is not in {place}; it has: {known}"))
    }
}

/// What rows mean, and where they are from.
#[derive(Clone, Debug)]
pub struct Labels {
    path: PathBuf,
    names: Names,
}

impl Labels {
    /// Who sent it, where the file says so.
    pub fn tenant(&self, row: &Row) -> Option<&str> {
        row.tenant.map(|name| self.names.list[name as usize].as_str())
    }

    /// What it asks for, where the file says so.
    pub fn network(&self, row: &Row) -> Option<&str> {
        row.network.map(|name| self.names.list[name as usize].as_str())
    }

    /// A name of `map` that the part of the file which was read does not have, in a sentence: the rest may have it.
    pub fn unread(&self) -> Option<String> {
        self.names.unread(&format!("the part of {} that is read", self.path.display()))
    }

    /// An error about a row.
    pub fn error(&self, row: &Row, message: impl std::fmt::Display) -> InputError {
        self.at(row.line, message)
    }

    fn at(&self, line: u32, message: impl std::fmt::Display) -> InputError {
        match line {
            0 => InputError::file(&self.path, message),
            line => InputError::at_line(&self.path, line as usize, message),
        }
    }
}

/// The rows of a file in order of time, as they are read.
pub struct Rows {
    /// What of the file cannot be part of a trace, for the user to know.
    pub left_out: Vec<String>,
    /// What its rows mean.
    pub labels: Labels,
    from: Origin,
    sorter: Sorter,
    speedup: f64,
    /// The time at which the first request is put at 0.
    origin_ps: Option<i128>,
    is_empty: bool,
}

enum Origin {
    Csv(Box<csv::Rows>),
    Tasks(std::vec::IntoIter<Raw>),
}

impl Rows {
    /// Opens a file.
    pub fn open(keys: &TraceKeys) -> Result<Self, InputError> {
        let mut names = Names { map: keys.map.clone(), ..Names::default() };
        let (mut left_out, mut origin_ps) = (Vec::new(), Some(0));
        let from = if keys.file.extension().is_some_and(|extension| extension == "json") {
            let (rows, without) = disb::read(&Source::read(&keys.file)?, &mut names)?;
            left_out = without;
            Origin::Tasks(rows.into_iter())
        } else {
            let rows = csv::Rows::open(&keys.file)?;
            origin_ps = origin_ps.filter(|_| !rows.shift());
            Origin::Csv(Box::new(rows))
        };
        let labels = Labels { path: keys.file.clone(), names };
        let (sorter, speedup) = (Sorter::new(HELD), keys.speedup.0);
        Ok(Self { left_out, labels, from, sorter, speedup, origin_ps, is_empty: true })
    }

    /// The next request. A bad row is an error; at the end, so is a name in `map` that the file does not have.
    pub fn advance(&mut self) -> Result<Option<Row>, InputError> {
        let (names, from) = (&mut self.labels.names, &mut self.from);
        let read = || match from {
            Origin::Csv(rows) => rows.next(names),
            Origin::Tasks(rows) => Ok(rows.next()),
        };
        match self.sorter.next(read)? {
            Some(Ok(raw)) => self.row(raw).map(Some),
            Some(Err(TooLate(raw))) => Err(self.labels.at(raw.line, out_of_order())),
            None => self.end().map(|()| None),
        }
    }

    fn row(&mut self, raw: Raw) -> Result<Row, InputError> {
        self.is_empty = false;
        let Raw { time_ps, tenant, network, line } = raw;
        let origin_ps = *self.origin_ps.get_or_insert(time_ps);
        let beyond = || self.labels.at(line, BEYOND_CLOCK);
        let time = u64::try_from(time_ps - origin_ps).map_err(|_| beyond())?;
        let time = if self.speedup == 1.0 { Time(time) } else { Time(time).scale(1.0 / self.speedup) };
        match time {
            // What exceeds an integer saturates.
            Time::MAX if self.speedup == 1.0 => Err(beyond()),
            Time::MAX => {
                Err(self.labels.at(line, format!("{BEYOND_CLOCK}, played {} times as fast", self.speedup)))
            }
            time => Ok(Row { time, tenant, network, line }),
        }
    }

    fn end(&self) -> Result<(), InputError> {
        let labels = &self.labels;
        let wrong = labels.names.unread("the file");
        let wrong = wrong.or_else(|| self.is_empty.then(|| "no requests in the trace".to_string()));
        wrong.map_or(Ok(()), |message| Err(InputError::file(&labels.path, message)))
    }
}

fn out_of_order() -> String {
    format!("this request is earlier than one {} rows before: sort the file by its times", HELD / 2)
}

#[cfg(test)]
mod tests;
