//! Rules that form batches.

mod accscale;
mod aimd;
mod clockwork;
mod greedy;
mod lazy;
mod limit;
mod nexus;
mod single;
mod size;
mod smdp;
mod timeout;

use super::{Batch, RuleEntry};

pub(super) use limit::MAX;

/// All batch rules.
pub const BATCHES: &[RuleEntry<dyn Batch>] = &[
    accscale::ENTRY,
    aimd::ENTRY,
    clockwork::ENTRY,
    greedy::ENTRY,
    lazy::ENTRY,
    nexus::ENTRY,
    single::ENTRY,
    size::ENTRY,
    smdp::ENTRY,
    timeout::ENTRY,
];
