//! Recordings of arrivals: the time, tenant and network of each request.
//!
//! | format | told by | times | names |
//! |---|---|---|---|
//! | `t_s[,tenant][,network]` CSV, which `mascot trace gen` writes | the column `t_s` | seconds from the start | as written |
//! | Azure LLM inference traces, 2023 and 2024 | the column `TIMESTAMP` | dates; the first request is at 0 | none |
//! | BurstGPT | the columns `Timestamp`, `Model` | seconds; the first request is at 0 | the model is the network |
//! | Azure Functions, 2019 | the column `HashFunction` | see `functions.rs` | application = tenant, function = network |
//! | Azure Functions, 2021 | the column `end_timestamp` | end - duration in seconds; the first is at 0 | the same |
//! | DISB tasks (JSON) | `.json` | see `disb.rs` | task = tenant, model = network |
//!
//! In a CSV with a row per request, a column `priority` or `deadline_us`, or one that the keys name, gives the priority and
//! the time from arrival to deadline; `network_by` maps sizes, such as token counts, to networks and batches
//! (`columns.rs`). All other columns are ignored, and [`Rows::left_out`] names them. Times are read exactly, to the
//! picosecond, with their offset from UTC if they have one. Rows may come in any order in files of up to a million
//! rows; in longer files a row may be at most half a million rows from its place (`order.rs`). Rows of the same instant
//! keep the order of the file. CSV of any size is read row by row, with at most a million rows in memory; a
//! [`Recording`] also keeps the rows for which it is read.

mod columns;
mod csv;
mod disb;
mod functions;
mod moment;
mod order;
mod recording;
mod stats;
mod write;

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use columns::NetworkBy;
pub use recording::{Reach, Recording};
pub use stats::{Tally, TraceStats};
pub use write::{MoreColumns, Written, to_csv};

use crate::files::{CsvFile, Factor, InputError, Source, any_path, did_you_mean};
use crate::units::Time;
use order::{HELD, Sorter, TooLate};

/// The keys of `trace` in an experiment, and of `kind = "trace"` in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceKeys {
    /// The trace file: CSV, or DISB JSON.
    #[serde(with = "any_path")]
    #[schemars(with = "PathBuf")]
    pub file: PathBuf,
    /// Speed-up: how many times faster than recorded the requests arrive.
    #[serde(default = "as_recorded")]
    pub speedup: Factor,
    /// Renames tenants and networks of the file: names in the file = names in the scenario.
    #[serde(default)]
    pub map: BTreeMap<String, String>,
    /// Networks by the size of a request: the columns whose sum is the size, and the network for each range of sizes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_by: Option<NetworkBy>,
    /// The column with priorities, whole numbers. Default: `priority`, if the file has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// The column with the microseconds from arrival to deadline, which QoS levels scale. Default: `deadline_us`, if the
    /// file has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_us: Option<String>,
}

impl TraceKeys {
    /// A file that is read as it is.
    pub fn new(file: &Path) -> Self {
        Self {
            file: file.to_path_buf(),
            speedup: as_recorded(),
            map: BTreeMap::new(),
            network_by: None,
            priority: None,
            deadline_us: None,
        }
    }

    /// The columns that the keys name; only a CSV with a row per request has them.
    fn columns(&self) -> impl Iterator<Item = &str> {
        let sizes = self.network_by.iter().flat_map(NetworkBy::columns);
        self.priority.iter().chain(&self.deadline_us).chain(sizes).map(String::as_str)
    }
}

fn as_recorded() -> Factor {
    Factor(1.0)
}

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// When the request arrived.
    pub time: Time,
    /// Its priority, if the file gives it.
    pub priority: Option<u32>,
    /// The time from arrival to deadline at QoS level M, if the file gives it. It is not sped up.
    pub within: Option<Time>,
    tenant: Option<Name>,
    network: Option<Name>,
    /// The line in the file; 0 if the request has no line of its own.
    line: u32,
}

const BEYOND_CLOCK: &str = "the time is beyond the 213 days that the clock of a simulation holds";

/// A name that occurs in the file: its place in the list, counted from 1.
type Name = NonZeroU32;

/// A row before its place in time is known.
#[derive(Clone, Copy, Debug)]
struct Raw {
    time_ps: i128,
    /// Picoseconds from arrival to deadline.
    within_ps: Option<NonZeroU64>,
    priority: Option<u32>,
    tenant: Option<Name>,
    network: Option<Name>,
    line: u32,
}

/// The distinct names of a file.
#[derive(Clone, Debug, Default)]
struct Names {
    map: BTreeMap<String, String>,
    /// The names after mapping, each once.
    list: Vec<String>,
    mapped: BTreeMap<String, Name>,
    /// The numbers of the names as in the file.
    ids: BTreeMap<String, Name>,
}

impl Names {
    fn id(&mut self, name: &str) -> Name {
        if let Some(&id) = self.ids.get(name) {
            return id;
        }
        let mapped = self.map.get(name).map_or(name, String::as_str).to_string();
        let id = self.of_scenario(&mapped);
        self.ids.insert(name.to_string(), id);
        id
    }

    /// The number of a name that is not the file's, which `map` leaves as it is.
    fn of_scenario(&mut self, name: &str) -> Name {
        *self.mapped.entry(name.to_string()).or_insert_with(|| {
            self.list.push(name.to_string());
            NonZeroU32::new(self.list.len() as u32).expect("there is one")
        })
    }

    fn of(&self, name: Name) -> &str {
        &self.list[name.get() as usize - 1]
    }

    /// A sentence about a name in `map` that has not been read.
    fn unread(&self, place: &str) -> Option<String> {
        let from = self.map.keys().find(|from| !self.ids.contains_key(*from))?;
        let hint = did_you_mean(from, self.ids.keys());
        let known = self.ids.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        Some(format!("`map` names `{from}`{hint}, which is not in {place}; it has: {known}"))
    }
}

/// The names behind rows, and the file that they come from.
#[derive(Clone, Debug)]
pub struct Labels {
    path: PathBuf,
    names: Names,
}

impl Labels {
    /// The tenant that sent the request, if the file names it.
    pub fn tenant(&self, row: &Row) -> Option<&str> {
        row.tenant.map(|name| self.names.of(name))
    }

    /// The network that the request asks for, if the file names it.
    pub fn network(&self, row: &Row) -> Option<&str> {
        row.network.map(|name| self.names.of(name))
    }

    /// A sentence about a name in `map` that does not occur in the part of the file that was read; it may occur in the
    /// rest.
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
    /// Notes for the user about parts of the file that were left out.
    pub left_out: Vec<String>,
    /// The names behind the rows.
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
    Minutes(functions::Rows),
    Tasks(std::vec::IntoIter<Raw>),
}

impl Rows {
    /// Opens a file.
    pub fn open(keys: &TraceKeys) -> Result<Self, InputError> {
        let mut names = Names { map: keys.map.clone(), ..Names::default() };
        let (mut left_out, mut origin_ps) = (Vec::new(), Some(0));
        let only_by_row = || {
            let message =
                "`network_by`, `priority` and `deadline_us` name columns of a CSV with a row per request";
            if keys.columns().next().is_some() { Err(InputError::file(&keys.file, message)) } else { Ok(()) }
        };
        let from = if keys.file.extension().is_some_and(|extension| extension == "json") {
            only_by_row()?;
            let (rows, without) = disb::read(&Source::read(&keys.file)?, &mut names)?;
            left_out = without;
            Origin::Tasks(rows.into_iter())
        } else {
            let file = CsvFile::open(&keys.file)?;
            if functions::are_in(&file) {
                only_by_row()?;
                left_out.extend(functions::ignored(&file).map(|columns| ignored(&columns, &keys.file)));
                Origin::Minutes(functions::Rows::read(file, &mut names)?)
            } else {
                let rows = csv::Rows::of(file, keys, &mut names)?;
                origin_ps = origin_ps.filter(|_| !rows.shift());
                left_out.extend(rows.ignored().map(|columns| ignored(&columns, &keys.file)));
                Origin::Csv(Box::new(rows))
            }
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
            Origin::Minutes(rows) => Ok(rows.next()),
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
        let Raw { time_ps, within_ps, priority, tenant, network, line } = raw;
        let origin_ps = *self.origin_ps.get_or_insert(time_ps);
        let beyond = || self.labels.at(line, BEYOND_CLOCK);
        let time = u64::try_from(time_ps - origin_ps).map_err(|_| beyond())?;
        let time = if self.speedup == 1.0 { Time(time) } else { Time(time).scale(1.0 / self.speedup) };
        match time {
            // The conversion to an integer saturates.
            Time::MAX if self.speedup == 1.0 => Err(beyond()),
            Time::MAX => {
                Err(self.labels.at(line, format!("{BEYOND_CLOCK}, played {} times as fast", self.speedup)))
            }
            time => {
                Ok(Row { time, priority, within: within_ps.map(|ps| Time(ps.get())), tenant, network, line })
            }
        }
    }

    fn end(&self) -> Result<(), InputError> {
        let labels = &self.labels;
        let wrong = labels.names.unread("the file");
        let wrong = wrong.or_else(|| self.is_empty.then(|| "no requests in the trace".to_string()));
        wrong.map_or(Ok(()), |message| Err(InputError::file(&labels.path, message)))
    }
}

/// The columns that are not read, for [`Rows::left_out`].
fn ignored(columns: &[&str], file: &Path) -> String {
    let noun = if columns.len() == 1 { "column" } else { "columns" };
    let file = file.file_name().unwrap_or_default().to_string_lossy();
    format!("{noun} `{}` of {file}", columns.join("`, `"))
}

fn out_of_order() -> String {
    format!("this request is earlier than one {} rows before: sort the file by its times", HELD / 2)
}

#[cfg(test)]
mod tests;
