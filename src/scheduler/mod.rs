//! The schedulers, one file each, and their registry.
//!
//! To add one: a file with a struct that implements [`Scheduler`] and a `pub(super) const ENTRY`, and its line in
//! [`SCHEDULERS`]. Help texts, TOML parameters, tests and benches iterate the registry. Outside this crate it is the same
//! struct, and an entry that a program adds to its registry (`mascot::experiment::registry`).
//!
//! Where the papers' rules order requests only, the accelerator is the one with the earliest finish (`placing.rs`):
//! the heterogeneity-aware form, so that no baseline loses for want of it. The rules and their sources are collected
//! in each file; all are online.

mod dbp;
mod dream;
mod edf;
mod edf_drop;
mod eft;
mod etf;
mod fcfs;
mod gate;
mod gated;
mod heft;
mod herald;
mod llf;
mod lookahead;
mod magma;
mod max_min;
mod met;
mod moca;
mod placing;
mod planaria;
mod prema;
mod random;
mod relief;
mod rollout;
mod rr;
mod segment;
mod sjf;
#[cfg(test)]
mod tests;

use crate::files::parse_parameters as parse;

pub use crate::files::Parameter;
pub use crate::sim::Scheduler;
pub(crate) use gate::{Gate, Judge};
pub(crate) use gated::{AHEAD, ALPHA, MARGIN};
pub use placing::{Descending, ListRule, Order, Placing, is_late, missed, slack_ps};

/// One scheduler of the registry.
pub struct SchedulerEntry {
    /// The name in experiments.
    pub name: &'static str,
    /// Its rule in one sentence.
    pub doc: &'static str,
    /// Where the rule comes from.
    pub source: &'static str,
    /// Its TOML parameters.
    pub parameters: &'static [Parameter],
    /// Whether its decisions depend on the seed.
    pub draws: bool,
    /// Makes one.
    pub build: Build,
}

/// Makes a scheduler from its parameters for a run with the given seed; the error says which parameter is wrong.
pub type Build = fn(parameters: &toml::Table, seed: u64) -> Result<Box<dyn Scheduler>, String>;

/// All schedulers.
pub const SCHEDULERS: &[SchedulerEntry] = &[
    random::ENTRY,
    fcfs::ENTRY,
    sjf::ENTRY,
    edf::ENTRY,
    llf::ENTRY,
    edf_drop::ENTRY,
    rr::ENTRY,
    met::ENTRY,
    eft::ENTRY,
    etf::ENTRY,
    max_min::ENTRY,
    heft::ENTRY,
    prema::ENTRY,
    planaria::ENTRY,
    herald::ENTRY,
    moca::ENTRY,
    dream::ENTRY,
    relief::ENTRY,
    dbp::ENTRY,
    magma::ENTRY,
    gated::ENTRY,
    lookahead::ENTRY,
];

/// The entry of a name.
pub fn find(name: &str) -> Option<&'static SchedulerEntry> {
    SCHEDULERS.iter().find(|entry| entry.name == name)
}

/// For schedulers without parameters.
fn no_parameters(parameters: &toml::Table) -> Result<(), String> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct None {}
    parse::<None>(parameters).map(|_| ())
}
