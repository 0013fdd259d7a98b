//! **M**ulti-**A**ccelerator **SC**heduling **O**nline **T**estbed.
//!
#![doc = include_str!("guide/links.md")]
#![doc = include_str!("guide/architecture.md")]

pub mod cli;
pub mod cost;
pub mod dims;
pub mod experiment;
pub mod files;
pub mod guide;
pub mod hw;
pub mod metrics;
pub mod report;
pub mod rl;
pub mod rng;
pub mod scheduler;
pub mod sim;
pub mod units;
pub mod workload;
