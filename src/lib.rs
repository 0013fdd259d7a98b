//! mascot, the Multi-Accelerator Scheduling Online Testbed.
//!
#![doc = include_str!("guide/links.md")]
#![doc = include_str!("guide/architecture.md")]

pub mod check;
pub mod cli;
pub mod cost;
pub mod dims;
pub mod exp;
pub mod experiment;
pub mod files;
pub mod fleet;
pub mod guide;
pub mod hw;
pub mod limits;
pub mod metrics;
pub mod plan;
pub mod policy;
pub mod precision;
pub mod report;
pub mod results;
pub mod rng;
pub mod scheduler;
pub mod sim;
pub mod study;
pub mod sweep;
pub mod train;
pub mod units;
pub mod workload;
