//! Studies that need more than one sweep, or runs other than those of cells.
//!
//! [`find`] bisects for the load that a scheduler sustains; [`verify`] compares the contention model with measured
//! co-runs; [`only_cell`](timeline::only_cell) and its timeline show one cell in Perfetto; [`Generate`] writes the
//! arrivals of a scenario outside a run; [`eft_saturation`] measures how much of lambda* earliest-finish scheduling
//! sustains.

mod capacity;
mod contention;
mod generate;
mod saturation;
pub mod timeline;

pub use capacity::{CAPACITY_COLUMNS, Found, Goal, Row, Search, find, rows, to_csv};
pub use contention::{CoRun, CoRuns, Errors, Layer, MODELS, Model, Report, durations_cycles, verify};
pub use generate::{Generate, Generated};
pub use saturation::eft_saturation;
