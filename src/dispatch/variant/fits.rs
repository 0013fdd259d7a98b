//! `fits`: the most accurate variant that answers the whole order in time if it is launched now; if none does, the one
//! with the shortest service. The choice for one order at the core of Jellyfish (Nigade et al., RTSS 2022), without its
//! collective mapping of clients to workers.

use super::smallest::smallest;
use crate::dispatch::{Queue, RuleEntry, Variant, no_parameters};
use crate::serve::FleetView;
use crate::sim::Operations;
use crate::units::Time;

pub(super) const ENTRY: RuleEntry<dyn Variant> = RuleEntry {
    name: "fits",
    doc: "the most accurate variant with which every request of the order is answered in time, else the one with the shortest service",
    source: "ours, after Jellyfish (Nigade et al., RTSS 2022)",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(Fits))
    },
};

struct Fits;

impl Variant for Fits {
    fn variant(
        &mut self,
        view: &FleetView,
        queue: &Queue,
        count: usize,
        allowed: &[usize],
        spent: &mut Operations,
    ) -> usize {
        spent.comparisons += (count + allowed.len()) as u64;
        let first_due = queue.iter().take(count).map(|request| request.due).min().unwrap_or(Time::MAX);
        let service = |variant: usize| {
            view.loading(queue.model, variant) + view.model().service(queue.site, queue.model, variant, count)
        };
        let in_time = |variant: &usize| view.now().saturating_add(service(*variant)) <= first_due;
        let fitting = allowed.iter().copied().find(in_time);
        fitting.unwrap_or_else(|| smallest(view, queue, count, allowed))
    }
}
