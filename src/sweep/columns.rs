//! The columns of `summary.csv` after those that identify a cell.

use super::bound_rows::BOUND_COLUMNS;
use super::cell::Outcome;
use crate::experiment::{Experiment, KEYS, KeyColumns};
use crate::metrics::{BATCH_COLUMNS, Column, Heading, Metrics, Value};

/// The columns of `summary.csv` after [`KEYS`]; the last is text. [`CROSSING_COLUMNS`](crate::metrics::CROSSING_COLUMNS)
/// follow in some.
pub fn summary_columns() -> impl Iterator<Item = &'static Heading> {
    let of_outcomes = BOUND_COLUMNS.iter().chain(OFFERED_COLUMNS).map(|column| &column.heading);
    Metrics::columns().chain(of_outcomes).chain(BATCH_COLUMNS.iter().map(|column| &column.heading))
}

/// The columns that the requests of a run add to `summary.csv`.
pub const OFFERED_COLUMNS: &[Column<Outcome>] = &[Column::undirected(
    "offered_load",
    "Rate of the run's requests relative to lambda*, as if none were dropped; with closed loops, of the requests that \
     came. `load` is the load that was asked for. Empty if all come at once",
    |outcome: &Outcome| Value::Real(outcome.offered_load),
)];

/// The columns that depend on the experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Those that identify a cell.
    pub keys: KeyColumns,
    /// Whether there is what is measured of drift, because the experiment has any.
    pub drifting: bool,
    /// Whether there is what crosses links between memories, because the experiment says where data live.
    pub crossing: bool,
}

impl Extent {
    /// Those of the files of an experiment.
    pub fn of(experiment: &Experiment) -> Self {
        let drifting = experiment.drifts.iter().any(|drift| !drift.entries.is_empty());
        let keys = experiment.key_columns();
        let crossing = keys.places().any(|place| ["data_placement", "link_gbps"].contains(&KEYS[place]));
        Self { keys, drifting: drifting || experiment.has_drifts(), crossing }
    }
}
