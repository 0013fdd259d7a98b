//! Do folders of results say what was run: from TOML to CSV, again after a kill, in ranks, reports and timelines.

mod capacity;
mod claims;
#[path = "../common/mod.rs"]
mod common;
mod energy;
mod explain;
mod fleets;
mod folders;
mod forms;
mod hardware;
mod memories;
mod questions;
mod realism;
mod replicates;
mod report;
mod run;
mod serving;
mod shards;
mod sweep;
mod timeline;
