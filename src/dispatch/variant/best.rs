//! `best`: always the most accurate variant.

use crate::dispatch::{Queue, RuleEntry, Variant, no_parameters};
use crate::serve::FleetView;
use crate::sim::Operations;

pub(super) const ENTRY: RuleEntry<dyn Variant> = RuleEntry {
    name: "best",
    doc: "always the most accurate variant",
    source: "textbook",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(Best))
    },
};

struct Best;

impl Variant for Best {
    fn variant(
        &mut self,
        _: &FleetView,
        _: &Queue,
        _: usize,
        allowed: &[usize],
        _: &mut Operations,
    ) -> usize {
        allowed[0]
    }
}
