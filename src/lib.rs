//! mascot simulates many tenants that run DNNs, layer by layer, on heterogeneous Simba- and Eyeriss-type
//! sub-accelerators which share DRAM bandwidth, and compares schedulers by SLA satisfaction rate and energy.
//!
//! # The way of the data
//!
//! ```text
//! accel-models/*.toml --> hw::AccelSpec --+
//!                         hw::SystemSpec -+--> cost::CostTable --+
//! workloads/networks/  -> workload::Network    (c, b, e per      |
//!                                               layer x model)   v
//! workloads/scenarios/ -> workload::Scenario -> sim::Trace --> sim::Engine <==> sim::Scheduler
//!                         (tenants, SLAs)      (requests)        |  View -> Decision
//!                                                                v
//! experiments/*.toml  --> experiment::Plan      sim::Record --> metrics --> experiment::output (CSV) --> report (HTML)
//! ```
//!
//! Layers only look down: `cli -> report -> experiment -> rl -> {metrics, scheduler} -> sim -> cost -> {hw, workload}`, all on
//! the ground of [`units`], [`dims`], [`files`] and [`rng`]; `tests/tidy.rs` checks the arrows.
//!
//! # As a library
//!
//! ```
//! use mascot::cost::Cache;
//! use mascot::experiment::sweep::{self, Logs};
//! use mascot::experiment::{DataRoot, Error, Experiment, Plan, Silent};
//!
//! # fn main() -> Result<(), Error> {
//! let data = DataRoot::find(None)?;
//! let keys = [("scenarios".into(), "light".into()), ("seeds".into(), 1.into()), ("requests".into(), 60.into())];
//! let experiment = Experiment::read("experiments/quickstart.toml".as_ref(), &keys, &data)?;
//! let plan = Plan::prepare(experiment, &data, &Cache::from_env(), &Silent)?;
//! let mut rates = Vec::new();
//! sweep::run(&plan, Logs::default(), &Silent, |cell, outcome| {
//!     rates.push((cell.scheduler.label.clone(), outcome.metric("sla_rate")));
//!     Ok(())
//! })?;
//! # assert_eq!(rates.len(), 2 * 7);
//! # assert!(rates.iter().all(|(_, rate)| (0.0..=1.0).contains(rate)), "{rates:?}");
//! # Ok(())
//! # }
//! ```
//!
//! # What always holds
//!
//! - Time is integer picoseconds; events are ordered by (time, kind, number).
//! - The same configuration and seed give the same bytes, for any number of threads.
//! - A scheduler sees a [`sim::View`], which holds nothing of the future; the engine checks every action.
//! - The engine knows no metric and no file; metrics, CSV and logs are folds over its records.
//! - Nothing in the code asks for the name of an accelerator: a dataflow is data.
//! - Bad input is an error with file and line; a failed assertion is a bug of ours and reports how to reproduce it.

pub mod cli;
pub mod cost;
pub mod dims;
pub mod experiment;
pub mod files;
pub mod hw;
pub mod metrics;
pub mod report;
pub mod rl;
pub mod rng;
pub mod scheduler;
pub mod sim;
pub mod units;
pub mod workload;
