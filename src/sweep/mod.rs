//! Runs the cells of a plan, and keeps the results of a sweep on disk.
//!
//! [`cells`] lists a [`Cell`] per case, scheduler and seed; `run` runs them over the cores, all in memory. [`Sweep`]
//! does the same with a file per finished cell ([`store`]), under the hash of everything that decides its bytes
//! ([`Identity`]), so that a sweep can be stopped at any time. [`Output`] assembles the kept [`Rows`] into CSV files,
//! [`manifest`] records what is needed to repeat them, and [`replay`] compares a repetition with them. [`Runs`] and
//! [`Estimate`] are the statistics over seeds.
//!
//! The CSV files depend only on configuration and seeds, to the byte, and not on the number of threads.

mod bound_rows;
mod cell;
mod claims;
mod columns;
mod estimate;
mod forecast;
mod identity;
mod inputs;
mod leftovers;
mod log_rows;
pub mod manifest;
mod output;
mod pack;
pub mod replay;
mod resume;
mod rows;
mod run;
mod runs;
mod shard;
pub mod store;
mod topology;

pub use bound_rows::BOUND_COLUMNS;
pub use cell::{Cell, Failure, Logs, Outcome};
pub use columns::{Extent, OFFERED_COLUMNS, summary_columns};
pub use estimate::{Estimate, Range, Replicates, batch_rates, mean, p_value, rejected};
pub use forecast::{Forecast, forecast};
pub use identity::{Identity, SHOWN_DIGITS, SOURCES_SHA256, short};
pub use inputs::Inputs;
pub use leftovers::{CAPACITY, Leftovers, Owned, RUN, remove_page, remove_pictures};
pub use manifest::{Host, Manifest, Session, State};
pub use output::Output;
pub use resume::{Clock, Sweep, failed};
pub use rows::{Rows, Table};
pub use run::{cells, run, run_cell, run_cell_with, run_with, serve_cell_with, serve_with};
pub use runs::{
    Fingerprint, MET_BY_BATCH, Measured, QUALITY, RATE, Runs, column, differences, firsts, range,
};
pub use shard::{Shard, Shared};
pub use store::Store;
