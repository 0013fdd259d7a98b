//! Rules that choose the variant of an order.

mod best;
mod fits;
mod fixed;
mod infaas;
mod model_switching;
mod rate;
mod smallest;
mod switch;

use super::{RuleEntry, Variant};

/// All rules for variants.
pub const VARIANTS: &[RuleEntry<dyn Variant>] = &[
    best::ENTRY,
    fits::ENTRY,
    fixed::ENTRY,
    infaas::ENTRY,
    model_switching::ENTRY,
    rate::ENTRY,
    smallest::ENTRY,
    switch::ENTRY,
];
