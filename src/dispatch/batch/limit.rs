//! What batch rules share: their limit, and what the deadlines of a queue allow.

use crate::dispatch::{Queue, parse};
use crate::files::Parameter;
use crate::serve::FleetView;
use crate::sim::{Operations, RequestId};
use crate::units::Time;

/// The parameter of all rules that limit their batches.
pub(in crate::dispatch) const MAX: Parameter = Parameter {
    name: "max",
    default: "0",
    doc: "largest number of requests in an order; 0 for the model's largest batch",
};

/// The parameters of a rule that has only this one.
#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OnlyMax {
    max: usize,
}

/// Reads the parameters of a rule that has only the limit.
pub(super) fn parse_max(parameters: &toml::Table) -> Result<usize, String> {
    parse(parameters).map(|OnlyMax { max }| max)
}

/// The largest order of a model under a limit.
pub(super) fn largest(max: usize, queue: &Queue) -> usize {
    if max == 0 { queue.served.max_batch() } else { max.min(queue.served.max_batch()) }
}

/// The earliest time at which an answer has to leave among those who can still make it alone; [`Time::MAX`] if none can
/// or none has a deadline.
pub(super) fn first_due(view: &FleetView, queue: &Queue, alone: Time, spent: &mut Operations) -> Time {
    spent.comparisons += queue.len() as u64;
    let earliest = view.now().saturating_add(alone);
    let dues = queue.iter().map(|request| request.due).filter(|&due| due >= earliest);
    dues.min().unwrap_or(Time::MAX)
}

/// The first request of a queue that would miss its deadline even if it was launched now, alone.
pub(super) fn first_hopeless(
    view: &FleetView,
    queue: &Queue,
    alone: Time,
    spent: &mut Operations,
) -> Option<RequestId> {
    let earliest = view.now().saturating_add(alone);
    let place = queue.iter().position(|request| request.due < earliest);
    spent.comparisons += place.map_or(queue.len(), |place| place + 1) as u64;
    place.and_then(|place| queue.iter().nth(place)).map(|request| request.id)
}

/// The largest order of at most `limit` requests that is done by a time if it is launched now; 0 if none is.
pub(super) fn largest_by(
    view: &FleetView,
    limit: usize,
    due: Time,
    service: &mut dyn FnMut(usize) -> Time,
    spent: &mut Operations,
) -> usize {
    for count in (1..=limit).rev() {
        spent.comparisons += 1;
        if view.now().saturating_add(service(count)) <= due {
            return count;
        }
    }
    0
}
