//! The rows that a cell adds to the result files, as CSV text.

use std::convert::Infallible;

use csv::Writer;
use serde::{Deserialize, Serialize};

use super::bound_rows::BOUND_COLUMNS;
use super::cell::{Cell, Outcome};
use super::columns::{Extent, OFFERED_COLUMNS, summary_columns};
use super::log_rows::Logged;
use super::runs::Measured;
use crate::experiment::KEYS;
use crate::metrics::{
    ACCELERATOR_COLUMNS, ADAPT_COLUMNS, AnswerRow, BATCH_COLUMNS, CROSSING_COLUMNS, Column, EnergyRow,
    GroupBy, GroupRow, Groups, LINK_COLUMNS, LayerRow, LinkTraffic, RequestRow, SERVING_COLUMNS, ServedBy,
    ServingGroup, StepRow, Value,
};
use crate::workload::Qos;

/// The columns that name a group of requests.
const GROUP_COLUMNS: [&str; 2] = ["group", "name"];

/// A result file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// `summary.csv`: a row per cell.
    Summary,
    /// `groups.csv`: a row per cell and group of requests.
    Groups,
    /// `accelerators.csv`: a row per cell and accelerator.
    Accelerators,
    /// `requests.csv`: a row per measured request, if asked for.
    Requests,
    /// `layers.csv`: a row per layer run, if asked for.
    Layers,
    /// `serving.csv`: a row per cell of a fleet and group of requests.
    Serving,
    /// `answers.csv`: a row per measured request of a fleet, if requests are asked for.
    Answers,
    /// `steps.csv`: a row per measured request of a fleet and step of its way, if requests are asked for.
    Steps,
    /// `links.csv`: a row per cell of a fleet and direction of a link.
    Links,
    /// `energy.csv`: a row per cell, accelerator, tenant, network and part of the energy, if asked for.
    Energy,
}

impl Table {
    /// All result files, in the order of `Rows::text`.
    pub const ALL: [Self; 10] = [
        Self::Summary,
        Self::Groups,
        Self::Accelerators,
        Self::Requests,
        Self::Layers,
        Self::Serving,
        Self::Answers,
        Self::Steps,
        Self::Links,
        Self::Energy,
    ];

    /// The file with one row per run that has the column of a metric.
    pub fn of_metric(metric: &str) -> Self {
        let is_of_fleets = SERVING_COLUMNS.iter().any(|column| column.heading.name == metric);
        match is_of_fleets && !summary_columns().any(|column| column.name == metric) {
            true => Self::Serving,
            false => Self::Summary,
        }
    }

    /// Whether there is no file if there are no rows.
    pub fn is_only_of_fleets(self) -> bool {
        matches!(self, Self::Serving | Self::Answers | Self::Steps | Self::Links)
    }

    /// The name of the file.
    pub fn file(self) -> &'static str {
        match self {
            Self::Summary => "summary.csv",
            Self::Groups => "groups.csv",
            Self::Accelerators => "accelerators.csv",
            Self::Requests => "requests.csv",
            Self::Layers => "layers.csv",
            Self::Serving => "serving.csv",
            Self::Answers => "answers.csv",
            Self::Steps => "steps.csv",
            Self::Links => "links.csv",
            Self::Energy => "energy.csv",
        }
    }

    /// The columns of the file: those that identify a cell, and its own.
    pub fn columns(self, of: Extent) -> Vec<&'static str> {
        let mut columns: Vec<&str> = of.keys.places().map(|place| KEYS[place]).collect();
        columns.extend(self.own_columns(of));
        columns
    }

    /// The columns after those that identify a cell.
    fn own_columns(self, of: Extent) -> Vec<&'static str> {
        let mut columns = Vec::new();
        match self {
            Self::Summary => {
                columns.extend(summary_columns().map(|column| column.name));
                columns.extend(names(CROSSING_COLUMNS).filter(|_| of.crossing));
            }
            Self::Groups => {
                columns.extend(GROUP_COLUMNS);
                columns.extend(Groups::columns().iter().map(|column| column.name));
            }
            Self::Accelerators => {
                columns.push("accelerator");
                columns.extend(names(ACCELERATOR_COLUMNS));
            }
            Self::Requests => columns.extend(names(Logged::<RequestRow>::COLUMNS)),
            Self::Layers => columns.extend(names(Logged::<LayerRow>::COLUMNS)),
            Self::Serving => {
                columns.extend(GROUP_COLUMNS);
                columns.extend(names(SERVING_COLUMNS));
                columns.extend(names(ADAPT_COLUMNS).filter(|_| of.drifting));
            }
            Self::Answers => columns.extend(names(Logged::<AnswerRow>::COLUMNS)),
            Self::Steps => columns.extend(names(Logged::<StepRow>::COLUMNS)),
            Self::Links => {
                columns.extend(names(Logged::<(usize, LinkTraffic)>::COLUMNS));
                columns.extend(names(LINK_COLUMNS));
            }
            Self::Energy => columns.extend(names(Logged::<EnergyRow>::COLUMNS)),
        }
        columns
    }
}

/// The rows of one cell in every file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// CSV text without a header, by the index of the file in [`Table::ALL`].
    text: [String; 10],
}

impl Rows {
    /// The rows of an outcome; logs that it does not hold are empty.
    pub fn new(cell: &Cell, outcome: &Outcome, of: Extent) -> Self {
        let mut all = cell.keys();
        let keys: Vec<String> = of.keys.places().map(|place| std::mem::take(&mut all[place])).collect();
        let beside =
            [BOUND_COLUMNS, OFFERED_COLUMNS].into_iter().flat_map(|columns| Column::row(columns, outcome));
        let beside = beside.chain(Column::row(BATCH_COLUMNS, &outcome.batches));
        let crossing = Column::row(CROSSING_COLUMNS, &outcome.crossing).filter(|_| of.crossing);
        let beside = beside.chain(crossing);
        let summary = outcome.values.iter().cloned().chain(beside);
        let groups = outcome.groups.iter().map(|group| {
            let names = [group.by.name().to_string(), name(cell, group)].map(Value::Text);
            names.into_iter().chain(group.values.iter().cloned())
        });
        let accelerators = cell.case.site.world.platform.accelerators.iter().zip(&outcome.accelerators);
        let accelerators = accelerators.map(|(accelerator, lane)| {
            std::iter::once(Value::Text(accelerator.name.clone()))
                .chain(Column::row(ACCELERATOR_COLUMNS, lane))
        });
        let requests = outcome.requests.iter().map(|row| Logged { cell, row });
        let layers = outcome.layers.iter().map(|row| Logged { cell, row });
        let serving = outcome.serving.iter().map(|group| {
            let names = [group.by.name().to_string(), served_by(cell, group)].map(Value::Text);
            let adapts = Column::row(ADAPT_COLUMNS, group).filter(|_| of.drifting);
            names.into_iter().chain(Column::row(SERVING_COLUMNS, group)).chain(adapts)
        });
        let answers = outcome.answers.iter().map(|row| Logged { cell, row });
        let steps = outcome.steps.iter().map(|row| Logged { cell, row });
        let wires: Vec<(usize, LinkTraffic)> = outcome.links.iter().copied().enumerate().collect();
        let links = wires.iter().map(|row| {
            let names = cells(Logged::<(usize, LinkTraffic)>::COLUMNS, &Logged { cell, row });
            names.into_iter().chain(Column::row(LINK_COLUMNS, &row.1))
        });
        let energy = outcome.energy.iter().map(|row| Logged { cell, row });
        Self {
            text: [
                csv(&keys, [summary]),
                csv(&keys, groups),
                csv(&keys, accelerators),
                csv(&keys, requests.map(|row| cells(Logged::<RequestRow>::COLUMNS, &row))),
                csv(&keys, layers.map(|row| cells(Logged::<LayerRow>::COLUMNS, &row))),
                csv(&keys, serving),
                csv(&keys, answers.map(|row| cells(Logged::<AnswerRow>::COLUMNS, &row))),
                csv(&keys, steps.map(|row| cells(Logged::<StepRow>::COLUMNS, &row))),
                csv(&keys, links),
                csv(&keys, energy.map(|row| cells(Logged::<EnergyRow>::COLUMNS, &row))),
            ],
        }
    }

    /// The rows of a file.
    pub fn of(&self, table: Table) -> &str {
        &self.text[table as usize]
    }

    /// The cell's row of `summary.csv` after the keys, and on a fleet what `serving.csv` adds about the whole run; an
    /// empty field is NaN.
    pub fn measured(&self, of: Extent) -> Measured {
        let of = Extent { drifting: false, ..of };
        let keys = self.first(Table::Summary).len() - Table::Summary.own_columns(of).len();
        let mut measured = Measured::default();
        for table in [Table::Serving, Table::Summary] {
            let record = self.first(table);
            for (column, text) in table.own_columns(of).iter().zip(record.iter().skip(keys)) {
                let number = || Ok::<f64, Infallible>(text.parse().unwrap_or(f64::NAN));
                let Ok(()) = measured.set(column, text, number);
            }
        }
        GROUP_COLUMNS.iter().for_each(|column| _ = measured.values.remove(*column));
        measured
    }

    /// The value of one of the columns that identify the row.
    pub fn key(&self, place: usize) -> String {
        self.first(Table::Summary)[place].to_string()
    }

    /// The first row of a file: of serving.csv, that of the whole run.
    fn first(&self, table: Table) -> csv::StringRecord {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(self.of(table).as_bytes());
        reader.records().next().and_then(Result::ok).unwrap_or_default()
    }
}

fn names<T>(columns: &'static [Column<T>]) -> impl Iterator<Item = &'static str> {
    columns.iter().map(|column| column.heading.name)
}

fn cells<T>(columns: &[Column<T>], row: &T) -> Vec<Value> {
    Column::row(columns, row).collect()
}

fn csv<R: IntoIterator<Item = Value>>(keys: &[String], rows: impl IntoIterator<Item = R>) -> String {
    let in_memory = "memory takes everything";
    let mut writer = Writer::from_writer(Vec::new());
    for row in rows {
        keys.iter().try_for_each(|key| writer.write_field(key)).expect(in_memory);
        row.into_iter().try_for_each(|value| writer.write_field(value.to_string())).expect(in_memory);
        writer.write_record(None::<&[u8]>).expect(in_memory);
    }
    let bytes = writer.into_inner().expect(in_memory);
    String::from_utf8(bytes).expect("names are UTF-8")
}

/// The name of a group of requests of a fleet.
fn served_by(cell: &Cell, group: &ServingGroup) -> String {
    match group.by {
        ServedBy::Tenant(tenant) => cell.case.workload.scenario.tenants[tenant].name.clone(),
        _ => group.name.clone(),
    }
}

/// The name of a group in its scenario.
fn name(cell: &Cell, group: &GroupRow) -> String {
    let place = group.key as usize;
    match group.by {
        GroupBy::Tenant => cell.case.workload.scenario.tenants[place].name.clone(),
        GroupBy::Network => cell.case.site.world.networks[place].name.clone(),
        GroupBy::Qos => Qos::ALL[place].to_string(),
        GroupBy::Priority => group.key.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Extent, Table};
    use crate::experiment::KeyColumns;

    /// Readers of CSV rename or refuse a second column of the same name.
    #[test]
    fn no_file_has_two_columns_of_one_name() {
        for table in Table::ALL {
            let columns = table.columns(Extent { keys: KeyColumns::ALL, drifting: true, crossing: true });
            assert_eq!(columns.iter().collect::<BTreeSet<_>>().len(), columns.len(), "{columns:?}");
        }
    }
}
