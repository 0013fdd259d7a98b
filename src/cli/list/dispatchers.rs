//! `mascot list dispatchers`: the rules of dispatchers.

use super::catalogue::Catalogue;
use super::parameters;
use crate::cli::table::Listing;
use crate::dispatch::{BATCHES, ORDERS, ROUTES, RuleEntry, VARIANTS, WHOLE_RULES};

/// An entry per rule of all registries.
pub(super) fn all() -> Catalogue {
    let (rows, parameters) = [
        rules("route", ROUTES),
        rules("variant", VARIANTS),
        rules("batch", BATCHES),
        rules("order", ORDERS),
        rules("whole", WHOLE_RULES),
    ]
    .concat()
    .into_iter()
    .unzip();
    let listing = Listing {
        columns: &[
            ("kind", "kind"),
            ("name", "name"),
            ("rule", "rule"),
            ("parameters", "parameters"),
            ("source", "source"),
        ],
        numbers: 0..0,
        rows,
    };
    let parameters = Some((3, parameters));
    Catalogue { names: &[1], parameters, ..Catalogue::new("rule of dispatchers", listing, &[0, 1, 2]) }
}

/// The row of each rule, and its parameters one by one.
fn rules<T: ?Sized>(kind: &str, rules: &[RuleEntry<T>]) -> Vec<(Vec<String>, Vec<String>)> {
    let row = |rule: &RuleEntry<T>| {
        let parameters = parameters(rule.parameters);
        let row = [kind, rule.name, rule.doc, &parameters.join(", "), rule.source];
        (row.map(str::to_string).to_vec(), parameters)
    };
    rules.iter().map(row).collect()
}
