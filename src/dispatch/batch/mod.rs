//! Rules that form batches.

mod single;

use super::{Batch, RuleEntry};

/// All batch rules.
pub const BATCHES: &[RuleEntry<dyn Batch>] = &[single::ENTRY];
