//! `clockwork`: a request has a latest start, its deadline less its service alone; what has passed it is rejected, and an
//! order grows as far as all its requests are still done in time. From the description of Clockwork's scheduler, without
//! its loading of weights, and at the moment a slot is free, where Clockwork plans its workers ahead.

use super::limit::{MAX, first_hopeless, largest, parse_max};
use crate::dispatch::{Batch, Batching, Queue, RuleEntry};
use crate::serve::FleetView;
use crate::sim::Operations;
use crate::units::Time;

pub(super) const ENTRY: RuleEntry<dyn Batch> = RuleEntry {
    name: "clockwork",
    doc: "rejects what cannot be in time; the largest order in which all are",
    source: "Clockwork (Gujarati et al., OSDI 2020), from memory, without its loading of weights",
    parameters: &[MAX],
    draws: false,
    build: |parameters, _| Ok(Box::new(Clockwork { max: parse_max(parameters)? })),
};

struct Clockwork {
    max: usize,
}

impl Batch for Clockwork {
    fn batch(
        &mut self,
        view: &FleetView,
        queue: &Queue,
        service: &mut dyn FnMut(usize) -> Time,
        spent: &mut Operations,
    ) -> Batching {
        if let Some(hopeless) = first_hopeless(view, queue, service(1), spent) {
            return Batching::Reject(hopeless);
        }
        let mut due = Time::MAX;
        let mut count = 0;
        let limit = largest(self.max, queue);
        for (place, request) in queue.iter().take(limit).enumerate() {
            spent.comparisons += 1;
            due = due.min(request.due);
            // A larger batch may be padded to the same size, so that one that fails is not the end.
            if view.now().saturating_add(service(place + 1)) <= due {
                count = place + 1;
            }
        }
        Batching::Launch(count.max(1))
    }
}
