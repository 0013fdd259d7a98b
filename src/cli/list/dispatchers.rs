//! `mascot list dispatchers`: the rules of dispatchers.

use super::parameters;
use crate::cli::table::Listing;
use crate::dispatch::{BATCHES, ORDERS, ROUTES, RuleEntry, VARIANTS, WHOLE_RULES};

/// A row per rule of all registries.
pub(super) fn all() -> Listing {
    let rows = [
        rows("route", ROUTES),
        rows("variant", VARIANTS),
        rows("batch", BATCHES),
        rows("order", ORDERS),
        rows("whole", WHOLE_RULES),
    ]
    .concat();
    Listing {
        columns: &[
            ("kind", "kind"),
            ("name", "name"),
            ("rule", "rule"),
            ("parameters", "parameters"),
            ("source", "source"),
        ],
        numbers: 0..0,
        rows,
    }
}

fn rows<T: ?Sized>(kind: &str, rules: &[RuleEntry<T>]) -> Vec<Vec<String>> {
    let row = |rule: &RuleEntry<T>| {
        [kind, rule.name, rule.doc, &parameters(rule.parameters), rule.source].map(str::to_string).to_vec()
    };
    rules.iter().map(row).collect()
}
