//! `size`: waits until so many are queued, then takes as many as there are up to a limit. An order is launched early where
//! one of its requests would otherwise miss its deadline. The general bulk-service rule of Neuts (1967), with that
//! exception added.

use super::limit::{MAX, largest};
use crate::dispatch::{Batch, Batching, Queue, RuleEntry, parse};
use crate::files::Parameter;
use crate::serve::FleetView;
use crate::sim::Operations;
use crate::units::Time;

pub(super) const ENTRY: RuleEntry<dyn Batch> = RuleEntry {
    name: "size",
    doc: "waits for so many requests, or until the first deadline presses, then takes as many as there are",
    source: "the general bulk-service rule, Neuts (1967); launching early is ours",
    parameters: &[
        Parameter { name: "at_least", default: "", doc: "number of requests to wait for, at least 1" },
        MAX,
    ],
    draws: false,
    build: |parameters, _| {
        let Parameters { at_least, max } = parse(parameters)?;
        if at_least == 0 {
            return Err("`at_least` is 0; it has to be at least 1".into());
        }
        if max > 0 && max < at_least {
            return Err(format!("`max` is {max}; it has to be at least `at_least`, {at_least}, or 0"));
        }
        Ok(Box::new(AtLeast { at_least, max }))
    },
};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    at_least: usize,
    #[serde(default)]
    max: usize,
}

struct AtLeast {
    at_least: usize,
    max: usize,
}

impl Batch for AtLeast {
    fn batch(
        &mut self,
        view: &FleetView,
        queue: &Queue,
        service: &mut dyn FnMut(usize) -> Time,
        spent: &mut Operations,
    ) -> Batching {
        let largest = largest(self.max, queue);
        wait_for(view, queue, self.at_least.min(largest), largest, service, spent)
    }
}

/// Waits for so many requests, or until the first deadline presses.
pub(super) fn wait_for(
    view: &FleetView,
    queue: &Queue,
    at_least: usize,
    largest: usize,
    service: &mut dyn FnMut(usize) -> Time,
    spent: &mut Operations,
) -> Batching {
    spent.comparisons += 1 + queue.len() as u64;
    if queue.len() >= at_least {
        return Batching::Launch(queue.len().min(largest));
    }
    let due = queue.iter().map(|request| request.due).min().unwrap_or(Time::MAX);
    let latest = due.saturating_sub(service(at_least));
    match due {
        Time::MAX => Batching::Wait(None),
        _ if latest <= view.now() => Batching::Launch(queue.len()),
        _ => Batching::Wait(Some(latest)),
    }
}
