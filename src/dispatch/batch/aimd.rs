//! `aimd`: a limit of the batch that is learned by additive increase and multiplicative decrease: one more after an order
//! whose answers all were in time, a tenth less after one with a late or lost answer. Under the limit it is `greedy`. Each
//! model has its limit at each site; it starts at 1.

use std::collections::BTreeMap;

use super::limit::{MAX, largest, parse_max};
use crate::dispatch::{Batch, Batching, Queue, RuleEntry};
use crate::serve::{FleetView, Record};
use crate::sim::{JobId, Operations, RequestId};
use crate::units::Time;

pub(super) const ENTRY: RuleEntry<dyn Batch> = RuleEntry {
    name: "aimd",
    doc: "greedy up to a limit that grows by 1 after an order in time and shrinks by a tenth after a late one",
    source: "Clipper (Crankshaw et al., NSDI 2017), as described there",
    parameters: &[MAX],
    draws: false,
    build: |parameters, _| Ok(Box::new(Aimd { max: parse_max(parameters)?, ..Aimd::default() })),
};

/// What is left of the limit after a late order (Clipper, section 4.3.1).
const DECREASE: f64 = 0.9;

#[derive(Default)]
struct Aimd {
    max: usize,
    /// By site and model.
    limits: BTreeMap<(usize, usize), f64>,
    /// By site and number.
    orders: BTreeMap<(usize, JobId), Order>,
    /// The order of each request in service or on its way back.
    members: BTreeMap<RequestId, (usize, JobId)>,
}

struct Order {
    model: usize,
    /// The number of requests without an end.
    open: u32,
    late: bool,
}

impl Batch for Aimd {
    fn batch(
        &mut self,
        _: &FleetView,
        queue: &Queue,
        _: &mut dyn FnMut(usize) -> Time,
        spent: &mut Operations,
    ) -> Batching {
        spent.comparisons += 1;
        let limit = self.limits.entry((queue.site, queue.model)).or_insert(1.0);
        // What lies beyond the largest order would only delay the way back.
        *limit = limit.min(largest(self.max, queue) as f64);
        Batching::Launch(queue.len().min(*limit as usize))
    }

    fn observe(&mut self, record: &Record) {
        let (request, late) = match *record {
            Record::Launched { site, order, model, requests, .. } => {
                self.orders.insert((site, order), Order { model, open: requests, late: false });
                return;
            }
            Record::Member { request, site, order, .. } => {
                self.members.insert(request, (site, order));
                return;
            }
            Record::Answered { time, request, asked, .. } => (request, time > asked.deadline),
            Record::Lost { request, .. } => (request, true),
            _ => return,
        };
        let Some(place) = self.members.remove(&request) else { return };
        let order = self.orders.get_mut(&place).expect("orders have members until the last has ended");
        order.late |= late;
        order.open -= 1;
        if order.open == 0 {
            let limit = self.limits.entry((place.0, order.model)).or_insert(1.0);
            *limit = if order.late { (*limit * DECREASE).max(1.0) } else { *limit + 1.0 };
            self.orders.remove(&place);
        }
    }
}
