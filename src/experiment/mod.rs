//! From an experiment file to CSV: configuration, the sweep over cells, and what is written.
//!
//! [`Experiment::read`] (TOML -> lists of keys) -> [`Plan::prepare`] (costs, worlds, lambda*) -> [`sweep::run`] (cells over
//! cores, in order) -> [`output`] (CSV, manifest) and [`summary`] (the table on the terminal).
//! In between, [`Plan::find_bounds`] gives every trace the bound that schedulers are compared with.

pub mod bound;
pub mod capacity;
mod catalogue;
pub mod columns;
pub mod config;
pub mod contention;
pub mod data;
pub mod error;
pub mod fuzz;
pub mod generate;
mod list;
pub mod output;
mod pace;
pub mod plan;
pub mod progress;
pub mod registry;
pub mod requests;
pub mod saturation;
pub mod summary;
pub mod sweep;
pub mod timeline;
pub mod train;
pub mod window;

pub use config::{Experiment, Setting};
pub use data::DataRoot;
pub use error::Error;
pub use plan::Plan;
pub use progress::{Progress, Silent};
