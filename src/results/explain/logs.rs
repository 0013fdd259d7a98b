//! Reads the logs of a run: the requests that match some keys, and the layer runs of one cell.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::experiment::{Error, KEYS};
use crate::files::{InputError, Record};
use crate::results::CsvFile;
use crate::results::choice::{check, is_same, place};
use crate::sweep::Table;
use crate::units::Time;

/// A row of requests.csv.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The values of [`KEYS`], which name the cell.
    pub cell: Vec<String>,
    /// Its number in the order of arrival.
    pub request: u64,
    /// Who sent it.
    pub tenant: String,
    /// What it asks for.
    pub network: String,
    /// Its priority; larger is more important.
    pub priority: String,
    /// How strict its deadline is.
    pub qos: String,
    /// When it arrived.
    pub arrival: Time,
    /// When it was due.
    pub deadline: Time,
    /// When its last layer ended, if it did.
    pub finish: Option<Time>,
    /// Whether it was dropped.
    pub is_dropped: bool,
    /// When it was done or dropped, or the end of the run if it was open then.
    pub end: Time,
    /// Why it was dropped: `late`, `scheduler`, or on fleets `dispatcher`; empty if it was not.
    pub loss: String,
    /// How long its network takes alone on the system.
    pub isolated: Time,
    /// The part of its time in which no layer of it ran.
    pub waiting: Time,
    /// The part in which layers of it ran at full speed.
    pub running: Time,
    /// The part by which its layers took longer than alone.
    pub slowed: Time,
}

impl Asked {
    /// How long it took until its end.
    pub fn took(&self) -> Time {
        self.end.saturating_sub(self.arrival)
    }

    /// Whether it was done by its deadline.
    pub fn is_met(&self) -> bool {
        self.finish.is_some_and(|finish| finish <= self.deadline)
    }

    /// End - deadline in microseconds; negative if it ended early.
    pub fn lateness_us(&self) -> f64 {
        self.end.as_us() - self.deadline.as_us()
    }
}

/// A row of layers.csv.
#[derive(Clone, Debug)]
pub struct Ran {
    /// The request that the layer served.
    pub request: u64,
    /// Who sent the request.
    pub tenant: String,
    /// The network of the request.
    pub network: String,
    /// The layer.
    pub layer: String,
    /// Where it ran.
    pub accelerator: String,
    /// When its inputs were there.
    pub ready: Time,
    /// When the decision was taken that put it on its accelerator; on fleets, where that is not known, when it took
    /// effect.
    pub decided: Time,
    /// When that decision took effect.
    pub assigned: Time,
    /// When it joined the queue of its accelerator.
    pub queued: Time,
    /// When it started.
    pub start: Time,
    /// When it ended.
    pub end: Time,
    /// How long it takes there alone on the system.
    pub alone: Time,
    /// What it moved from and to DRAM.
    pub dram_bytes: f64,
}

impl Ran {
    /// How long it ran within a span.
    pub fn within(&self, from: Time, to: Time) -> Time {
        self.end.min(to).saturating_sub(self.start.max(from))
    }

    /// How long it ran.
    pub fn took(&self) -> Time {
        self.end.saturating_sub(self.start)
    }

    /// How long it was ready before it started.
    pub fn waited(&self) -> Time {
        self.start.saturating_sub(self.ready)
    }

    /// By how much it took longer than alone.
    pub fn slowed(&self) -> Time {
        self.took().saturating_sub(self.alone)
    }
}

/// An open log, with the places of some of its columns.
struct Log<const N: usize> {
    file: CsvFile,
    record: Record,
    places: [usize; N],
}

impl<const N: usize> Log<N> {
    fn open(path: &Path, columns: [&str; N]) -> Result<Self, Error> {
        let file = CsvFile::open(path)?;
        let places = file.columns(columns)?;
        Ok(Self { file, record: Record::default(), places })
    }

    /// Goes on to the next record, and returns its keys.
    fn next(&mut self) -> Result<Option<Vec<String>>, Error> {
        Ok(self.file.read(&mut self.record)?.then(|| self.file.keys(&self.record)))
    }

    fn text(&self, column: usize) -> String {
        self.record.get(self.places[column]).to_string()
    }

    fn number(&self, column: usize) -> Result<u64, Error> {
        Ok(self.file.number(&self.record, self.places[column])? as u64)
    }

    /// A whole number, if there is one.
    fn some_number(&self, column: usize) -> Result<Option<u64>, Error> {
        let number = self.file.number(&self.record, self.places[column])?;
        Ok((!number.is_nan()).then_some(number as u64))
    }

    /// A time, if there is one.
    fn some_time(&self, column: usize) -> Result<Option<Time>, Error> {
        let us = self.file.number(&self.record, self.places[column])?;
        Ok((!us.is_nan()).then(|| Time::from_us(us)))
    }

    fn time(&self, column: usize) -> Result<Time, Error> {
        Ok(self.some_time(column)?.unwrap_or_default())
    }
}

/// The path of a log, which must be there.
fn log(folder: &Path, table: Table, option: &str) -> Result<PathBuf, Error> {
    let path = folder.join(table.file());
    if path.is_file() {
        return Ok(path);
    }
    let message = if folder.join(Table::Summary.file()).is_file() {
        format!(
            "no {}: run the experiment again with --requests --layers ({option} is missing); as layers.csv is large, \
             choose a few cells, for example with --seeds 1 --set loads=0.9 --out results/why",
            table.file()
        )
    } else {
        format!("no {}: expected the folder of a finished `mascot run --requests --layers`", table.file())
    };
    Err(InputError::file(folder, message).into())
}

/// The columns of requests.csv that an [`Asked`] takes, in the order of its fields.
const REQUEST_COLUMNS: [&str; 15] = [
    "request",
    "tenant",
    "network",
    "priority",
    "request_qos",
    "arrival_us",
    "deadline_us",
    "finish_us",
    "dropped",
    "end_us",
    "loss",
    "isolated_us",
    "waiting_us",
    "running_us",
    "slowed_us",
];

impl Log<15> {
    fn asked(&self, cell: Vec<String>) -> Result<Asked, Error> {
        Ok(Asked {
            cell,
            request: self.number(0)?,
            tenant: self.text(1),
            network: self.text(2),
            priority: self.text(3),
            qos: self.text(4),
            arrival: self.time(5)?,
            deadline: self.time(6)?,
            finish: self.some_time(7)?,
            is_dropped: self.number(8)? == 1,
            end: self.time(9)?,
            loss: self.text(10),
            isolated: self.time(11)?,
            waiting: self.time(12)?,
            running: self.time(13)?,
            slowed: self.time(14)?,
        })
    }
}

/// The requests of a run in the cells that have the given values of keys, in the order of the file.
///
/// # Errors
/// There is no log, it is damaged, or no cell has these values.
pub(super) fn requests(folder: &Path, wanted: &[(String, String)]) -> Result<Vec<Asked>, Error> {
    let path = log(folder, Table::Requests, "--requests")?;
    wanted.iter().try_for_each(|(key, _)| check(path.display(), "key", key, KEYS))?;
    let wanted: Vec<(usize, String)> =
        wanted.iter().map(|(key, value)| (place(key), value.clone())).collect();
    let mut log = Log::open(&path, REQUEST_COLUMNS)?;
    let (mut all, mut seen) = (Vec::new(), vec![BTreeSet::new(); wanted.len()]);
    while let Some(cell) = log.next()? {
        for (seen, &(place, _)) in seen.iter_mut().zip(&wanted) {
            // Most values were seen before, and are not copied.
            if !seen.contains(&cell[place]) {
                seen.insert(cell[place].clone());
            }
        }
        if wanted.iter().all(|(place, value)| is_same(&cell[*place], value)) {
            all.push(log.asked(cell)?);
        }
    }
    if all.is_empty() {
        return Err(nothing(&path, &wanted, &seen));
    }
    if is_of_fleets(folder) {
        let losses = losses(folder)?;
        for asked in &mut all {
            let loss = losses.get(&(asked.cell.clone(), asked.request));
            asked.loss = loss.cloned().unwrap_or_default();
        }
    }
    Ok(all)
}

/// Whether the results are of fleets.
pub(super) fn is_of_fleets(folder: &Path) -> bool {
    folder.join(Table::Serving.file()).is_file()
}

/// Why the requests that were not answered were not, by cell and number: requests.csv does not say it of fleets.
fn losses(folder: &Path) -> Result<BTreeMap<(Vec<String>, u64), String>, Error> {
    let mut log = Log::open(&log(folder, Table::Answers, "--requests")?, ["request", "loss"])?;
    let mut losses = BTreeMap::new();
    while let Some(cell) = log.next()? {
        if !log.text(1).is_empty() {
            losses.insert((cell, log.number(0)?), log.text(1));
        }
    }
    Ok(losses)
}

/// The most values of a key that a message lists. Our choice, because nobody reads more.
const MOST_VALUES: usize = 12;

fn nothing(path: &Path, wanted: &[(usize, String)], seen: &[BTreeSet<String>]) -> Error {
    let listed = |(of, seen): (&(usize, String), &BTreeSet<String>)| {
        let values: Vec<&str> = seen.iter().map(String::as_str).take(MOST_VALUES).collect();
        let has = if seen.iter().any(|known| is_same(known, &of.1)) { "" } else { ", which no row has" };
        format!("{}={}{has} (there are {})", KEYS[of.0], of.1, values.join(", "))
    };
    let wanted: Vec<String> = wanted.iter().zip(seen).map(listed).collect();
    match wanted.is_empty() {
        true => InputError::file(path, "no rows: expected the requests of a run").into(),
        false => Error::Usage(format!("--cell: no request of a cell with {}", wanted.join(" and "))),
    }
}

/// The columns of layers.csv that a [`Ran`] takes, in the order of its fields.
const LAYER_COLUMNS: [&str; 13] = [
    "request",
    "tenant",
    "network",
    "layer",
    "accelerator",
    "ready_us",
    "decided_us",
    "assigned_us",
    "queued_us",
    "start_us",
    "end_us",
    "alone_us",
    "dram_bytes",
];

impl Log<13> {
    fn ran(&self) -> Result<Ran, Error> {
        Ok(Ran {
            request: self.number(0)?,
            tenant: self.text(1),
            network: self.text(2),
            layer: self.text(3),
            accelerator: self.text(4),
            ready: self.time(5)?,
            decided: self.some_time(6)?.map_or_else(|| self.time(7), Ok)?,
            assigned: self.time(7)?,
            queued: self.time(8)?,
            start: self.time(9)?,
            end: self.time(10)?,
            alone: self.time(11)?,
            dram_bytes: self.file.number(&self.record, self.places[12])?,
        })
    }
}

/// The layer runs of a cell that overlap with a span of time, in the order of the file.
///
/// # Errors
/// There is no log, or it is damaged.
pub(super) fn layers(folder: &Path, cell: &[String], from: Time, to: Time) -> Result<Vec<Ran>, Error> {
    let path = log(folder, Table::Layers, "--layers")?;
    let mut log = Log::open(&path, LAYER_COLUMNS)?;
    let mut all = Vec::new();
    while let Some(keys) = log.next()? {
        if keys == cell && log.time(9)? < to && log.time(10)? > from {
            all.push(log.ran()?);
        }
    }
    Ok(all)
}

/// A row of steps.csv: what a request of a fleet did for a while.
#[derive(Clone, Debug)]
pub struct Stepped {
    /// The request.
    pub request: u64,
    /// What it did: `dispatch`, `there`, `queue`, `service` or `back`.
    pub step: String,
    /// Where the link begins, on links.
    pub from: String,
    /// Where it ends.
    pub to: String,
    /// The site to which it goes, or where it is; empty as long as it is not sent.
    pub site: String,
    /// The number of its order at the site, in service.
    pub order: Option<u64>,
    /// The number of requests in that order.
    pub order_requests: Option<u64>,
    /// The request to which the layers of that order are booked.
    pub booked_to: Option<u64>,
    /// When the step began.
    pub start: Time,
    /// When it ended, unless the request was given up in it.
    pub end: Option<Time>,
}

/// The columns of steps.csv, in the order of the fields of [`Stepped`].
const STEP_COLUMNS: [&str; 10] =
    ["request", "step", "from", "to", "site", "order", "order_requests", "booked_to", "start_us", "end_us"];

/// The steps of all measured requests of a cell of a fleet.
///
/// # Errors
/// There is no log, or it is damaged.
pub(super) fn steps(folder: &Path, cell: &[String]) -> Result<Vec<Stepped>, Error> {
    let path = log(folder, Table::Steps, "--requests")?;
    let mut log = Log::open(&path, STEP_COLUMNS)?;
    let mut all = Vec::new();
    while let Some(keys) = log.next()? {
        if keys == cell {
            all.push(Stepped {
                request: log.number(0)?,
                step: log.text(1),
                from: log.text(2),
                to: log.text(3),
                site: log.text(4),
                order: log.some_number(5)?,
                order_requests: log.some_number(6)?,
                booked_to: log.some_number(7)?,
                start: log.time(8)?,
                end: log.some_time(9)?,
            });
        }
    }
    Ok(all)
}

/// A row of answers.csv of a request that was answered.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The site that answered.
    pub site: String,
    /// The network that answered.
    pub variant: String,
    /// The size of the batch that ran, with padding.
    pub batch: u64,
    /// The quality of the answer.
    pub quality: f64,
    /// Whether it was in time and accurate enough.
    pub is_served: bool,
}

/// The answer to a request of a cell of a fleet, if there was one.
///
/// # Errors
/// There is no log, or it is damaged.
pub(super) fn answer(folder: &Path, cell: &[String], request: u64) -> Result<Option<Answered>, Error> {
    let columns = ["request", "answer_us", "site", "variant", "batch", "quality", "served"];
    let mut log = Log::open(&log(folder, Table::Answers, "--requests")?, columns)?;
    while let Some(keys) = log.next()? {
        if keys == cell && log.number(0)? == request {
            let (site, variant) = (log.text(2), log.text(3));
            let quality = log.file.number(&log.record, log.places[5])?;
            let is_served = log.number(6)? == 1;
            let batch = log.some_number(4)?;
            return Ok(batch.map(|batch| Answered { site, variant, batch, quality, is_served }));
        }
    }
    Ok(None)
}
