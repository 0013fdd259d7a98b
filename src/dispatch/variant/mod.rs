//! Rules that choose the variant of an order.

mod best;

use super::{RuleEntry, Variant};

/// All rules for variants.
pub const VARIANTS: &[RuleEntry<dyn Variant>] = &[best::ENTRY];
