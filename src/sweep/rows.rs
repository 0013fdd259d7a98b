//! The rows that a cell adds to the result files, as CSV text.

use std::convert::Infallible;

use csv::Writer;
use serde::{Deserialize, Serialize};

use super::bound_rows::BOUND_COLUMNS;
use super::cell::{Cell, Outcome};
use super::columns::{DriftColumns, OFFERED_COLUMNS, summary_columns};
use super::runs::Measured;
use crate::experiment::KEYS;
use crate::metrics::{
    ACCELERATOR_COLUMNS, ADAPT_COLUMNS, AnswerRow, BATCH_COLUMNS, Column, GroupBy, GroupRow, Groups,
    LayerRow, RequestRow, SERVING_COLUMNS, ServedBy, ServingGroup, Value,
};
use crate::plan::Fleet;
use crate::serve::Loss;
use crate::units::Time;
use crate::workload::Qos;

/// A row of a log, with its cell, which has the names.
struct Logged<'a, R> {
    cell: &'a Cell<'a>,
    row: &'a R,
}

impl<'a> Logged<'a, RequestRow> {
    /// Columns of `requests.csv` after the keys.
    const COLUMNS: &'a [Column<Self>] = &[
        Column::undirected("request", "Its number in the order of arrival", |it| count(it.row.request.0)),
        Column::undirected("job", "The job that served it", |it| count(it.row.job.0)),
        Column::undirected("tenant", "Who sent it", |it| {
            let tenants = &it.cell.case.workload.scenario.tenants;
            Value::Text(tenants[it.row.asked.tenant as usize].name.clone())
        }),
        Column::undirected("network", "What it asks for", |it| it.network(it.row.asked.network)),
        Column::undirected("priority", "Larger is more important", |it| count(it.row.asked.priority)),
        Column::undirected("request_qos", "How strict its deadline is", |it| {
            Value::Text(it.row.asked.qos.to_string())
        }),
        Column::undirected("arrival_us", "When it arrived", |it| us(it.row.asked.arrival)),
        Column::undirected("start_us", "When its first layer started, if one did", |it| {
            some_us(it.row.start)
        }),
        Column::undirected("finish_us", "When its last layer ended, if it did", |it| some_us(it.row.finish)),
        Column::undirected("deadline_us", "When it is due", |it| us(it.row.asked.deadline)),
        Column::higher("met", "1 if it was done by its deadline, else 0", |it| Value::flag(it.row.is_met())),
        Column::lower("dropped", "1 if it was given up, else 0", |it| Value::flag(it.row.dropped.is_some())),
        Column::lower("energy_uj", "Energy of its layers that ended", |it| {
            Value::Real(it.row.energy.0 / 1e6)
        }),
        Column::undirected("after", "The request whose end brought it, if it follows another", |it| {
            it.row.after.map_or(Value::NONE, |leader| count(leader.0))
        }),
    ];
}

impl<'a> Logged<'a, LayerRow> {
    /// Columns of `layers.csv` after the keys.
    const COLUMNS: &'a [Column<Self>] = &[
        Column::undirected("request", "The request that it served", |it| count(it.row.request.0)),
        Column::undirected("job", "Its job", |it| count(it.row.job.0)),
        Column::undirected("network", "The network of the job", |it| it.network(it.row.network)),
        Column::undirected("layer", "The layer of the network", |it| {
            let network = &it.cell.case.site.world.networks[it.row.network as usize];
            Value::Text(network.layers[it.row.layer as usize].clone())
        }),
        Column::undirected("accelerator", "Where it ran", |it| {
            let accelerators = &it.cell.case.site.world.platform.accelerators;
            Value::Text(accelerators[it.row.accelerator].name.clone())
        }),
        Column::undirected("measured", "1 if its request is measured, else 0", |it| {
            Value::flag(it.row.measured)
        }),
        Column::undirected("start_us", "When it started", |it| us(it.row.start)),
        Column::undirected("end_us", "When it ended", |it| us(it.row.end)),
        Column::lower("slowdown", "(end - start) / c", |it| Value::Real(it.row.slowdown)),
        Column::undirected("dram_bytes", "What it moved from and to DRAM", |it| {
            Value::Real(it.row.dram_bytes)
        }),
        Column::undirected("forwarded_bytes", "Of its input, what it found on chip instead", |it| {
            Value::Real(it.row.forwarded_bytes)
        }),
        Column::undirected("resident_weight_bytes", "Of its weights, what it found on chip instead", |it| {
            Value::Real(it.row.resident_weight_bytes)
        }),
        Column::lower("energy_uj", "Its energy", |it| Value::Real(it.row.energy.0 / 1e6)),
    ];
}

impl<'a> Logged<'a, AnswerRow> {
    /// Columns of `answers.csv` after the keys.
    const COLUMNS: &'a [Column<Self>] = &[
        Column::undirected("request", "Its number in the order of arrival", |it| count(it.row.request.0)),
        Column::undirected("tenant", "Who sent it", |it| {
            let tenants = &it.cell.case.workload.scenario.tenants;
            Value::Text(tenants[it.row.asked.tenant as usize].name.clone())
        }),
        Column::undirected("arrival_us", "When it arrived at its node", |it| us(it.row.asked.arrival)),
        Column::undirected("deadline_us", "When its answer is due there", |it| us(it.row.asked.deadline)),
        Column::undirected("answer_us", "When its answer was there, if there was one", |it| {
            some_us(it.row.answer.map(|answer| answer.time))
        }),
        Column::undirected("loss", "Why there was none: `late`, `dispatcher` or `scheduler`", |it| {
            let word = |loss| match loss {
                Loss::Late => "late",
                Loss::Dispatcher => "dispatcher",
                Loss::Scheduler => "scheduler",
            };
            Value::Text(it.row.loss.map_or("", word).to_string())
        }),
        Column::undirected("site", "The site that answered", |it| {
            let site = it.row.answer.map(|answer| fleet(it.cell).model.sites[answer.site].name.clone());
            Value::Text(site.unwrap_or_default())
        }),
        Column::undirected("variant", "The network that answered", |it| {
            let model = &fleet(it.cell).model;
            let of = &model.models[model.clients[it.row.asked.tenant as usize].model];
            let variant = it.row.answer.map(|answer| of.variants[answer.variant].name.clone());
            Value::Text(variant.unwrap_or_default())
        }),
        Column::undirected("batch", "The size of the batch that ran, with padding", |it| {
            it.row.answer.map_or(Value::NONE, |answer| count(answer.batch))
        }),
        Column::higher("quality", "The quality of the answer; 0 without one", |it| {
            Value::Real(it.row.quality)
        }),
        Column::higher("served", "1 if it was in time and accurate enough, else 0", |it| {
            Value::flag(it.row.served)
        }),
        Column::lower("dispatch_us", "Its wait for the decision where it goes", |it| {
            it.part(it.row.dispatch)
        }),
        Column::lower("network_us", "Its time on links, there and back", |it| it.part(it.row.network)),
        Column::lower("queue_us", "Its time in the queue of the site", |it| it.part(it.row.queue)),
        Column::lower("service_us", "Its time in service", |it| it.part(it.row.service)),
    ];

    fn part(&self, part: Time) -> Value {
        self.row.answer.map_or(Value::NONE, |_| us(part))
    }
}

impl<R> Logged<'_, R> {
    fn network(&self, place: u32) -> Value {
        Value::Text(self.cell.case.site.world.networks[place as usize].name.clone())
    }
}

fn count(number: u32) -> Value {
    Value::Count(number.into())
}

fn us(time: Time) -> Value {
    Value::Real(time.as_us())
}

fn some_us(time: Option<Time>) -> Value {
    time.map_or(Value::NONE, us)
}

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
}

impl Table {
    /// All result files, in the order of `Rows::text`.
    pub const ALL: [Self; 7] = [
        Self::Summary,
        Self::Groups,
        Self::Accelerators,
        Self::Requests,
        Self::Layers,
        Self::Serving,
        Self::Answers,
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
        matches!(self, Self::Serving | Self::Answers)
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
        }
    }

    /// The columns of the file: those that identify a cell, and its own.
    pub fn columns(self, of: DriftColumns) -> Vec<&'static str> {
        let mut columns = KEYS[..of.keys()].to_vec();
        match self {
            Self::Summary => columns.extend(summary_columns().map(|column| column.name)),
            Self::Groups => {
                columns.extend(["group", "name"]);
                columns.extend(Groups::columns().iter().map(|column| column.name));
            }
            Self::Accelerators => {
                columns.push("accelerator");
                columns.extend(names(ACCELERATOR_COLUMNS));
            }
            Self::Requests => columns.extend(names(Logged::<RequestRow>::COLUMNS)),
            Self::Layers => columns.extend(names(Logged::<LayerRow>::COLUMNS)),
            Self::Serving => {
                columns.extend(["group", "name"]);
                columns.extend(names(SERVING_COLUMNS));
                columns.extend(names(ADAPT_COLUMNS).filter(|_| of.drifting));
            }
            Self::Answers => columns.extend(names(Logged::<AnswerRow>::COLUMNS)),
        }
        columns
    }
}

/// The rows of one cell in every file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// CSV text without a header, by the index of the file in [`Table::ALL`].
    text: [String; 7],
}

impl Rows {
    /// The rows of an outcome; logs that it does not hold are empty.
    pub fn new(cell: &Cell, outcome: &Outcome) -> Self {
        let of = DriftColumns::of(&cell.case.drift);
        let mut keys = cell.keys();
        keys.truncate(of.keys());
        let beside =
            [BOUND_COLUMNS, OFFERED_COLUMNS].into_iter().flat_map(|columns| Column::row(columns, outcome));
        let beside = beside.chain(Column::row(BATCH_COLUMNS, &outcome.batches));
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
        Self {
            text: [
                csv(&keys, [summary]),
                csv(&keys, groups),
                csv(&keys, accelerators),
                csv(&keys, requests.map(|row| cells(Logged::<RequestRow>::COLUMNS, &row))),
                csv(&keys, layers.map(|row| cells(Logged::<LayerRow>::COLUMNS, &row))),
                csv(&keys, serving),
                csv(&keys, answers.map(|row| cells(Logged::<AnswerRow>::COLUMNS, &row))),
            ],
        }
    }

    /// The rows of a file.
    pub fn of(&self, table: Table) -> &str {
        &self.text[table as usize]
    }

    /// The cell's row of `summary.csv` after the keys; an empty field is NaN.
    pub fn measured(&self) -> Measured {
        let record = self.summary();
        let [with, without] = [true, false].map(|axis| DriftColumns { axis, drifting: axis });
        let has_axis = record.len() == Table::Summary.columns(with).len();
        let of = if has_axis { with } else { without };
        let columns = Table::Summary.columns(of);
        let mut measured = Measured::default();
        for (column, text) in columns.iter().zip(&record).skip(of.keys()) {
            let number = || Ok::<f64, Infallible>(text.parse().unwrap_or(f64::NAN));
            let Ok(()) = measured.set(column, text, number);
        }
        measured
    }

    /// The value of one of the columns that identify the row.
    pub fn key(&self, place: usize) -> String {
        self.summary()[place].to_string()
    }

    fn summary(&self) -> csv::StringRecord {
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).from_reader(self.of(Table::Summary).as_bytes());
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
        ServedBy::All => String::new(),
        ServedBy::Tenant(tenant) => cell.case.workload.scenario.tenants[tenant].name.clone(),
        ServedBy::Site(site) => fleet(cell).model.sites[site].name.clone(),
        ServedBy::Variant => group.variant.clone(),
    }
}

fn fleet<'a>(cell: &'a Cell) -> &'a Fleet {
    cell.case.fleet.as_ref().expect("only cells of fleets have rows of fleets")
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

    use super::{DriftColumns, Table};

    /// Readers of CSV rename or refuse a second column of the same name.
    #[test]
    fn no_file_has_two_columns_of_one_name() {
        for table in Table::ALL {
            let columns = table.columns(DriftColumns { axis: true, drifting: true });
            assert_eq!(columns.iter().collect::<BTreeSet<_>>().len(), columns.len(), "{columns:?}");
        }
    }
}
