//! The columns of `summary.csv` after those that identify a cell.

use super::bound_rows::BOUND_COLUMNS;
use super::cell::Outcome;
use crate::experiment::{CellDrift, KEYS};
use crate::metrics::{BATCH_COLUMNS, Column, Heading, Metrics, Value};

/// The columns of `summary.csv` after [`KEYS`](crate::experiment::KEYS); the last is text.
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

/// The columns that files have only where conditions change (`[[drift]]`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DriftColumns {
    /// The key `drift`: whether the experiment has the axis `drifts`.
    pub axis: bool,
    /// What is measured of drift: whether the experiment has any.
    pub drifting: bool,
}

impl DriftColumns {
    /// All of them.
    pub const ALL: Self = Self { axis: true, drifting: true };

    /// Those of the files of an experiment, by any of its cells.
    pub fn of(drift: &CellDrift) -> Self {
        let axis = !drift.name.is_empty();
        Self { axis, drifting: axis || !drift.entries.is_empty() }
    }

    /// The number of key columns.
    pub fn keys(self) -> usize {
        KEYS.len() - usize::from(!self.axis)
    }
}
