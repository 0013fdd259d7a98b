//! `greedy`: whatever waits, as soon as a slot is free, up to a limit.

use super::limit::{MAX, largest, parse_max};
use crate::dispatch::{Batch, Batching, Queue, RuleEntry};
use crate::serve::FleetView;
use crate::sim::Operations;
use crate::units::Time;

pub(super) const ENTRY: RuleEntry<dyn Batch> = RuleEntry {
    name: "greedy",
    doc: "as many as wait, as soon as a slot is free",
    source: "textbook: the queue with batch service of Bailey (1954)",
    parameters: &[MAX],
    draws: false,
    build: |parameters, _| Ok(Box::new(Greedy { max: parse_max(parameters)? })),
};

struct Greedy {
    max: usize,
}

impl Batch for Greedy {
    fn batch(
        &mut self,
        _: &FleetView,
        queue: &Queue,
        _: &mut dyn FnMut(usize) -> Time,
        spent: &mut Operations,
    ) -> Batching {
        spent.comparisons += 1;
        Batching::Launch(queue.len().min(largest(self.max, queue)))
    }
}
