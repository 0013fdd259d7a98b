//! `lazy`: the largest order that is done by the first deadline; and if all that wait fit into it, it waits for one more as
//! long as that one would fit as well. After LazyBatching (Choi et al., HPCA 2021), which batches by slack; ours in that
//! orders are whole networks and are not merged between layers.
//!
//! Requests that miss their deadlines whatever happens do not press; if all do, as many as possible run at once.

use super::limit::{MAX, first_due, largest, largest_by};
use crate::dispatch::{Batch, Batching, LONGEST_US, Queue, RuleEntry, parse};
use crate::files::Parameter;
use crate::serve::FleetView;
use crate::sim::Operations;
use crate::units::Time;

pub(super) const ENTRY: RuleEntry<dyn Batch> = RuleEntry {
    name: "lazy",
    doc: "the largest order that meets the first deadline; waits while one more would still meet it",
    source: "ours, after LazyBatching (Choi et al., HPCA 2021)",
    parameters: &[
        MAX,
        Parameter {
            name: "margin_us",
            default: "0.0",
            doc: "how long before the latest moment an order is launched, in microseconds",
        },
    ],
    draws: false,
    build: |parameters, _| {
        let Parameters { max, margin_us } = parse(parameters)?;
        if !(0.0..=LONGEST_US).contains(&margin_us) {
            return Err(format!("`margin_us` is {margin_us}; it has to be from 0 to {LONGEST_US:e}"));
        }
        Ok(Box::new(Lazy { max, margin: Time::from_us(margin_us) }))
    },
};

#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    max: usize,
    margin_us: f64,
}

struct Lazy {
    max: usize,
    margin: Time,
}

impl Batch for Lazy {
    fn batch(
        &mut self,
        view: &FleetView,
        queue: &Queue,
        service: &mut dyn FnMut(usize) -> Time,
        spent: &mut Operations,
    ) -> Batching {
        let largest = largest(self.max, queue);
        let all = queue.len().min(largest);
        let due = first_due(view, queue, service(1), spent);
        let count = largest_by(view, all, due, service, spent);
        if count < queue.len() || count == largest || due == Time::MAX {
            return Batching::Launch(count.max(1));
        }
        let latest = due.saturating_sub(service(count + 1).saturating_add(self.margin));
        spent.comparisons += 1;
        if latest > view.now() { Batching::Wait(Some(latest)) } else { Batching::Launch(count) }
    }
}
