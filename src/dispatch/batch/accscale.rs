//! `accscale`: waits until a batch is full, or until the first request could just be done in time in a batch of all that
//! wait, padded to the next size; requests that cannot be in time any more are rejected. The batching of Proteus.

use super::limit::{MAX, first_due, first_hopeless, largest, largest_by, parse_max};
use crate::dispatch::{Batch, Batching, Queue, RuleEntry};
use crate::serve::FleetView;
use crate::sim::Operations;
use crate::units::Time;

pub(super) const ENTRY: RuleEntry<dyn Batch> = RuleEntry {
    name: "accscale",
    doc: "fires when full, or when the first deadline leaves just the service of all that wait; rejects what cannot be in time",
    source: "Proteus (Ahmad et al., ASPLOS 2024), as in its code",
    parameters: &[MAX],
    draws: false,
    build: |parameters, _| Ok(Box::new(AccScale { max: parse_max(parameters)? })),
};

struct AccScale {
    max: usize,
}

impl Batch for AccScale {
    fn batch(
        &mut self,
        view: &FleetView,
        queue: &Queue,
        service: &mut dyn FnMut(usize) -> Time,
        spent: &mut Operations,
    ) -> Batching {
        let alone = service(1);
        if let Some(hopeless) = first_hopeless(view, queue, alone, spent) {
            return Batching::Reject(hopeless);
        }
        let limit = largest(self.max, queue);
        let all = queue.len().min(limit);
        let due = first_due(view, queue, alone, spent);
        // The service of a number of requests is that of the next size.
        let fire = due.saturating_sub(service(all));
        spent.comparisons += 2;
        match due {
            _ if all == limit || fire <= view.now() => {
                Batching::Launch(largest_by(view, all, due, service, spent).max(1))
            }
            Time::MAX => Batching::Wait(None),
            _ => Batching::Wait(Some(fire)),
        }
    }
}
