//! From an experiment file to CSV: configuration, the sweep over cells, and what is written.
//!
//! [`Experiment::read`] (TOML -> lists of keys) -> [`Plan::prepare`] (cells, costs, worlds, lambda*) -> [`resume`] (cells over
//! cores, each kept in the [`store`] when it is done) -> [`output`] (CSV), [`manifest`] and [`summary`] (the table on the
//! terminal).
//! In between, [`Plan::find_bounds`] gives every trace the bound that schedulers are compared with.

pub mod bound;
pub mod capacity;
pub mod case;
mod catalogue;
mod clock;
pub mod columns;
pub mod config;
pub mod contention;
mod copies;
pub mod data;
pub mod dram;
pub mod error;
pub mod estimate;
mod exclude;
pub mod forecast;
pub mod fuzz;
pub mod generate;
pub mod identity;
mod include;
pub mod inputs;
pub mod keys;
pub mod leftovers;
mod list;
pub mod manifest;
pub mod output;
mod overrides;
mod pace;
pub mod plan;
mod points;
pub mod policies;
pub mod progress;
mod read;
mod reference;
pub mod registry;
pub mod replay;
pub mod requests;
pub mod resume;
pub mod rows;
pub mod runs;
pub mod saturation;
pub mod schedulers;

pub mod sla_reference;
pub mod store;
pub mod summary;
pub mod sweep;
pub mod timeline;
pub mod train;
mod warnings;
pub mod window;
pub mod workload;

pub use config::Experiment;
pub use data::DataRoot;
pub use error::Error;
pub use keys::Setting;
pub use plan::Plan;
pub use progress::{Progress, Silent};
