//! `mascot list dispatchers`: the rules of which dispatchers are composed.

use super::parameters;
use crate::cli::table::Listing;
use crate::dispatch::{BATCHES, ROUTES, RuleEntry, VARIANTS};

/// A row per rule of the three registries.
pub(super) fn all() -> Listing {
    let rows = [rows("route", ROUTES), rows("variant", VARIANTS), rows("batch", BATCHES)].concat();
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
