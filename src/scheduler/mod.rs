//! The schedulers, one file each, and their registry.
//!
//! To add a scheduler, write a file with a struct that implements [`Scheduler`] and a `pub(super) const ENTRY`, and add
//! its line to [`SCHEDULERS`]. Help texts, TOML parameters, tests and benchmarks iterate the registry. A scheduler
//! outside this crate is the same kind of struct, with an entry that the program adds to its own registry
//! (`mascot::experiment::registry`).
//!
//! Where a paper's rule only orders requests, each sub-job goes to the accelerator with the earliest finish
//! (`placing.rs`). This is the heterogeneity-aware form, so that no baseline loses for want of it. Each file states its
//! rule and the source; all rules are online.

mod affinity;
mod dbp;
mod dream;
mod dysta;
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
mod load;
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
mod terastal;
#[cfg(test)]
mod tests;

use crate::files::parse_parameters as parse;

pub use crate::files::Parameter;
pub use crate::sim::Scheduler;
pub(crate) use gate::{Gate, Judge};
pub(crate) use gated::{AHEAD, ALPHA, MARGIN};
pub(crate) use load::Load;
pub use placing::{Descending, ListRule, Order, Placing, is_late, missed, slack_ps};
pub(crate) use segment::{Choice, least_cost};

/// One scheduler of the registry.
pub struct SchedulerEntry {
    /// The name that experiments use.
    pub name: &'static str,
    /// The rule in one sentence.
    pub doc: &'static str,
    /// Where the rule comes from.
    pub source: &'static str,
    /// The scheduler's TOML parameters.
    pub parameters: &'static [Parameter],
    /// Whether the decisions depend on the seed.
    pub draws: bool,
    /// Makes a scheduler.
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
    dysta::ENTRY,
    dream::ENTRY,
    relief::ENTRY,
    terastal::ENTRY,
    affinity::ENTRY,
    dbp::ENTRY,
    magma::ENTRY,
    gated::ENTRY,
    lookahead::ENTRY,
];

/// Looks an entry up by name.
pub fn find(name: &str) -> Option<&'static SchedulerEntry> {
    SCHEDULERS.iter().find(|entry| entry.name == name)
}

/// Checks the parameters of a scheduler that takes none.
fn no_parameters(parameters: &toml::Table) -> Result<(), String> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct None {}
    parse::<None>(parameters).map(|_| ())
}
