//! `nexus`: batches up to the size whose service, twice, fits the time that a request has at the site, because it may have
//! to wait for one batch before its own; and early drop: the first requests of the queue are rejected until the first one
//! left can wait for the whole batch. Without the duty cycles in which Nexus shares an accelerator among models.

use super::limit::{MAX, largest, parse_max};
use crate::dispatch::{Batch, Batching, Queue, RuleEntry};
use crate::serve::FleetView;
use crate::sim::Operations;
use crate::units::Time;

pub(super) const ENTRY: RuleEntry<dyn Batch> = RuleEntry {
    name: "nexus",
    doc: "the largest batch whose service fits twice; rejects the first requests until one can wait for the whole batch",
    source: "Nexus (Shen et al., SOSP 2019), batch size and early drop only",
    parameters: &[MAX],
    draws: false,
    build: |parameters, _| Ok(Box::new(Nexus { max: parse_max(parameters)? })),
};

struct Nexus {
    max: usize,
}

impl Batch for Nexus {
    fn batch(
        &mut self,
        view: &FleetView,
        queue: &Queue,
        service: &mut dyn FnMut(usize) -> Time,
        spent: &mut Operations,
    ) -> Batching {
        let Some(head) = queue.iter().next() else { return Batching::Wait(None) };
        let budget = head.due.saturating_sub(head.queued_at);
        let mut size = queue.len().min(largest(self.max, queue));
        while size > 1 && Time(service(size).0.saturating_mul(2)) > budget {
            spent.comparisons += 1;
            size -= 1;
        }
        spent.comparisons += 2;
        if view.now().saturating_add(service(size)) > head.due {
            return Batching::Reject(head.id);
        }
        Batching::Launch(size)
    }
}
