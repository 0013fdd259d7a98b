//! `smallest`: always the variant with the shortest service.

use crate::dispatch::{Queue, RuleEntry, Variant, no_parameters};
use crate::serve::FleetView;
use crate::sim::Operations;

pub(super) const ENTRY: RuleEntry<dyn Variant> = RuleEntry {
    name: "smallest",
    doc: "always the variant with the shortest service of those that are accurate enough",
    source: "textbook",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(Smallest))
    },
};

struct Smallest;

impl Variant for Smallest {
    fn variant(
        &mut self,
        view: &FleetView,
        queue: &Queue,
        count: usize,
        allowed: &[usize],
        spent: &mut Operations,
    ) -> usize {
        spent.comparisons += allowed.len() as u64;
        smallest(view, queue, count, allowed)
    }
}

/// The variant with the shortest service of so many requests; of equals the most accurate.
pub(super) fn smallest(view: &FleetView, queue: &Queue, count: usize, allowed: &[usize]) -> usize {
    let service = |variant: usize| view.model().service(queue.site, queue.model, variant, count);
    let least = allowed.iter().copied().min_by_key(|&variant| service(variant));
    least.expect("some variant is allowed")
}
