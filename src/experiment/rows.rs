//! The rows that a cell adds to the result files, as CSV text.

use std::convert::Infallible;

use csv::Writer;
use serde::{Deserialize, Serialize};

use super::columns::summary_columns;
use super::keys::KEYS;
use super::runs::Measured;
use super::sweep::{Cell, Outcome};
use crate::metrics::{ACCELERATOR_COLUMNS, GROUP_COLUMNS, GroupBy, GroupRow, LayerRow, RequestRow, Value};
use crate::units::Time;
use crate::workload::Qos;

/// Columns of `requests.csv` after the keys.
const REQUEST_COLUMNS: &[&str] = &[
    "request",
    "job",
    "tenant",
    "network",
    "priority",
    "request_qos",
    "arrival_us",
    "start_us",
    "finish_us",
    "deadline_us",
    "met",
    "dropped",
    "energy_uj",
    "after",
];

/// Columns of `layers.csv` after the keys.
const LAYER_COLUMNS: &[&str] = &[
    "request",
    "job",
    "network",
    "layer",
    "accelerator",
    "counted",
    "start_us",
    "end_us",
    "stretch",
    "dram_bytes",
    "forwarded_bytes",
    "energy_uj",
];

/// A result file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// A row per cell.
    Summary,
    /// One per cell and group of requests.
    Groups,
    /// One per cell and accelerator.
    Accelerators,
    /// One per counted request, on request.
    Requests,
    /// One per layer run, on request.
    Layers,
}

impl Table {
    /// All of them, in the order of `Rows::text`.
    pub const ALL: [Self; 5] =
        [Self::Summary, Self::Groups, Self::Accelerators, Self::Requests, Self::Layers];

    /// The name of the file.
    pub fn file(self) -> &'static str {
        match self {
            Self::Summary => "summary.csv",
            Self::Groups => "groups.csv",
            Self::Accelerators => "accelerators.csv",
            Self::Requests => "requests.csv",
            Self::Layers => "layers.csv",
        }
    }

    /// Its columns: those that identify a cell, and its own.
    pub fn columns(self) -> Vec<&'static str> {
        let mut columns = KEYS.to_vec();
        match self {
            Self::Summary => columns.extend(summary_columns().map(|column| column.name)),
            Self::Groups => {
                columns.extend(["group", "name"]);
                columns.extend(GROUP_COLUMNS.iter().map(|column| column.name));
            }
            Self::Accelerators => {
                columns.push("accelerator");
                columns.extend(ACCELERATOR_COLUMNS.iter().map(|column| column.name));
            }
            Self::Requests => columns.extend(REQUEST_COLUMNS),
            Self::Layers => columns.extend(LAYER_COLUMNS),
        }
        columns
    }
}

/// The rows of one cell in every file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// CSV without a header, by the place of the file in [`Table::ALL`].
    text: [String; 5],
}

impl Rows {
    /// Those of an outcome; the logs that it does not hold are empty.
    pub fn new(cell: &Cell, outcome: &Outcome) -> Self {
        let keys = cell.keys();
        let beside = [outcome.gap_to_bound, outcome.offered_load].map(Value::Real);
        let batches: Vec<String> = outcome.met_by_batch.iter().map(usize::to_string).collect();
        let summary = texts(outcome.values.iter().chain(&beside)).chain([batches.join(" ")]).collect();
        let groups = outcome.groups.iter().map(|group| {
            let names = [group.by.name().to_string(), name(cell, group)];
            names.into_iter().chain(texts(&group.values)).collect()
        });
        let accelerators = cell.case.site.world.platform.accelerators.iter().zip(&outcome.accelerators);
        let accelerators = accelerators.map(|(accelerator, values)| {
            std::iter::once(accelerator.name.clone()).chain(texts(values)).collect()
        });
        Self {
            text: [
                csv(&keys, [summary]),
                csv(&keys, groups),
                csv(&keys, accelerators),
                csv(&keys, outcome.requests.iter().map(|row| request(cell, row))),
                csv(&keys, outcome.layers.iter().map(|row| layer(cell, row))),
            ],
        }
    }

    /// Those of a file.
    pub fn of(&self, table: Table) -> &str {
        &self.text[table as usize]
    }

    /// The cell's row of `summary.csv` behind the keys; an empty field is not a number.
    pub fn measured(&self) -> Measured {
        let record = self.summary();
        let columns = Table::Summary.columns();
        let mut measured = Measured::default();
        for (column, text) in columns.iter().zip(&record).skip(KEYS.len()) {
            let number = || Ok::<f64, Infallible>(text.parse().unwrap_or(f64::NAN));
            let Ok(()) = measured.set(column, text, number);
        }
        measured
    }

    /// What the row says in one of the columns that identify it.
    pub fn key(&self, place: usize) -> String {
        self.summary()[place].to_string()
    }

    fn summary(&self) -> csv::StringRecord {
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).from_reader(self.of(Table::Summary).as_bytes());
        reader.records().next().and_then(Result::ok).unwrap_or_default()
    }
}

fn texts<'a>(values: impl IntoIterator<Item = &'a Value>) -> impl Iterator<Item = String> {
    values.into_iter().map(ToString::to_string)
}

fn csv(keys: &[String], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut writer = Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(keys.iter().chain(&row)).expect("memory takes everything");
    }
    let bytes = writer.into_inner().expect("memory takes everything");
    String::from_utf8(bytes).expect("names are UTF-8")
}

/// What a group is called in its scenario.
fn name(cell: &Cell, group: &GroupRow) -> String {
    let place = group.key as usize;
    match group.by {
        GroupBy::Tenant => cell.case.workload.scenario.tenants[place].name.clone(),
        GroupBy::Network => cell.case.site.world.networks[place].name.clone(),
        GroupBy::Qos => Qos::ALL[place].to_string(),
        GroupBy::Priority => group.key.to_string(),
    }
}

fn request(cell: &Cell, row: &RequestRow) -> Vec<String> {
    vec![
        row.request.0.to_string(),
        row.job.0.to_string(),
        cell.case.workload.scenario.tenants[row.tenant as usize].name.clone(),
        cell.case.site.world.networks[row.network as usize].name.clone(),
        row.priority.to_string(),
        row.qos.to_string(),
        us(row.arrival),
        row.start.map_or(String::new(), us),
        row.finish.map_or(String::new(), us),
        us(row.deadline),
        u8::from(row.is_met()).to_string(),
        u8::from(row.dropped.is_some()).to_string(),
        real(row.energy.0 / 1e6),
        row.after.map_or(String::new(), |leader| leader.0.to_string()),
    ]
}

fn layer(cell: &Cell, row: &LayerRow) -> Vec<String> {
    let world = &cell.case.site.world;
    let network = &world.networks[row.network as usize];
    vec![
        row.request.0.to_string(),
        row.job.0.to_string(),
        network.name.clone(),
        network.layers[row.layer as usize].clone(),
        world.platform.accelerators[row.accelerator].name.clone(),
        u8::from(row.counted).to_string(),
        us(row.start),
        us(row.end),
        real(row.stretch),
        real(row.dram_bytes),
        real(row.forwarded_bytes),
        real(row.energy.0 / 1e6),
    ]
}

fn us(time: Time) -> String {
    real(time.as_us())
}

/// A measure in a cell.
fn real(value: f64) -> String {
    Value::Real(value).to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Table;

    /// Readers rename or refuse a second one.
    #[test]
    fn no_file_has_two_columns_of_one_name() {
        for table in Table::ALL {
            let columns = table.columns();
            assert_eq!(columns.iter().collect::<BTreeSet<_>>().len(), columns.len(), "{columns:?}");
        }
    }
}
