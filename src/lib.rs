//! mascot
pub mod cli;
pub mod cost;
pub mod dims;
pub mod experiment;
pub mod files;
pub mod hw;
pub mod metrics;
pub mod rng;
pub mod scheduler;
pub mod sim;
pub mod units;
pub mod workload;
