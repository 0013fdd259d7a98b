//! `fixed`: always the variant of one name; the most accurate one where a model has none of that name, or where it is not
//! accurate enough.

use crate::dispatch::{Queue, RuleEntry, Variant, parse};
use crate::files::Parameter;
use crate::serve::FleetView;
use crate::sim::Operations;

pub(super) const ENTRY: RuleEntry<dyn Variant> = RuleEntry {
    name: "fixed",
    doc: "always the named variant; the most accurate one for models and requests that cannot have it",
    source: "textbook",
    parameters: &[Parameter { name: "variant", default: "", doc: "the variant's network" }],
    draws: false,
    build: |parameters, _| {
        let Parameters { variant } = parse(parameters)?;
        Ok(Box::new(Fixed { variant }))
    },
};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    variant: String,
}

struct Fixed {
    variant: String,
}

impl Variant for Fixed {
    fn variant(
        &mut self,
        _: &FleetView,
        queue: &Queue,
        _: usize,
        allowed: &[usize],
        _: &mut Operations,
    ) -> usize {
        let is_it = |variant: &usize| queue.served.variants[*variant].name == self.variant;
        allowed.iter().copied().find(is_it).unwrap_or(allowed[0])
    }
}
