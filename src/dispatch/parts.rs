//! What all dispatchers do alike: send a request where it is to go, and fill the free slots of a site, queue by queue.

use super::{Batching, Order, Queue, Route};
use crate::serve::{Action, Dispatch, FleetView, Moment, QueuedView, RequestView};
use crate::sim::{Operations, RequestId};
use crate::units::Time;

/// The decisions of a dispatcher, one by one.
pub(super) trait Parts {
    /// One of the sites that serve a request; there is at least one, and they ascend. `None` rejects it.
    fn site(
        &mut self,
        view: &FleetView,
        request: &RequestView,
        sites: &[usize],
        spent: &mut Operations,
    ) -> Option<usize>;

    /// Which requests of a queue come first; those that were delivered first if there is no rule.
    fn order(&mut self) -> Option<&mut dyn Order> {
        None
    }

    /// What becomes of a queue that is not empty while a slot is free.
    fn batching(&mut self, view: &FleetView, queue: &Queue, spent: &mut Operations) -> Batching;

    /// The variant for the first `count` requests of a queue, which are launched with it.
    fn variant(&mut self, view: &FleetView, queue: &Queue, count: usize, spent: &mut Operations) -> usize;
}

/// Decides part by part.
pub(super) fn decide(parts: &mut dyn Parts, view: &FleetView, moment: Moment, out: &mut Dispatch) {
    match moment {
        Moment::Arrived(id) => {
            send(view, id, out, &mut |request, sites, spent| parts.site(view, request, sites, spent))
        }
        Moment::Free(site) | Moment::Wake(site) => launch(parts, view, site, out),
    }
}

/// Sends a request to the site that is chosen for it, or rejects it.
pub(super) fn send(
    view: &FleetView,
    id: RequestId,
    out: &mut Dispatch,
    choose: &mut dyn FnMut(&RequestView, &[usize], &mut Operations) -> Option<usize>,
) {
    let Some(request) = view.request(id) else { return };
    let model = view.model();
    let client = &model.clients[request.tenant];
    let sites: Vec<usize> = (0..model.sites.len()).filter(|&site| model.serves(site, client)).collect();
    out.actions.push(match choose(&request, &sites, &mut out.operations) {
        Some(site) => Action::Send { request: id, site },
        None => Action::Reject { request: id },
    });
}

/// The site that a route chooses; where there is one only, nobody is asked.
pub(super) fn routed(
    route: &mut dyn Route,
    view: &FleetView,
    request: &RequestView,
    sites: &[usize],
    spent: &mut Operations,
) -> usize {
    match sites[..] {
        [only] => only,
        _ => route.site(view, request, sites, spent),
    }
}

fn launch(parts: &mut dyn Parts, view: &FleetView, site: usize, out: &mut Dispatch) {
    let mut free = view.free_slots();
    let mut wake = None::<Time>;
    for mut queue in queues(parts, view, site, &mut out.operations) {
        while free > 0 && !queue.is_empty() {
            match parts.batching(view, &queue, &mut out.operations) {
                Batching::Launch(count) => {
                    let count = count.clamp(1, queue.len().min(queue.served.max_batch()));
                    let variant = parts.variant(view, &queue, count, &mut out.operations);
                    out.actions.push(queue.launch(variant, count));
                    free -= 1;
                }
                Batching::Wait(until) => {
                    wake = until.into_iter().chain(wake).min();
                    break;
                }
                Batching::Reject(request) => {
                    if !queue.reject(request) {
                        break;
                    }
                    out.actions.push(Action::Reject { request });
                }
            }
        }
    }
    out.actions.extend(wake.map(|at| Action::Wake { site, at }));
}

/// The queues of a site that are not empty, in the order in which they are served: that of the earliest answer that is
/// due, or of their requests that come first.
fn queues<'a>(
    parts: &mut dyn Parts,
    view: &'a FleetView,
    site: usize,
    spent: &mut Operations,
) -> impl Iterator<Item = Queue<'a>> + use<'a> {
    let mut queues = Vec::new();
    for model in (0..view.model().models.len()).filter(|&model| view.queue_len(model) > 0) {
        spent.comparisons += 1;
        let sorted = parts.order().and_then(|order| sorted(order, view, site, model, spent));
        let due = view.queue(model).map(|request| request.due).min();
        let rank = sorted.as_ref().map_or(0.0, |sorted| sorted[0].0);
        let sorted = sorted.map(|sorted| sorted.into_iter().map(|(_, of)| of).collect());
        queues.push((rank, due, Queue::new(view, site, model, sorted)));
    }
    queues.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    queues.into_iter().map(|(.., queue)| queue)
}

/// The requests of a queue with their ranks in the order of a rule; `None` if that is the order of delivery.
fn sorted(
    order: &mut dyn Order,
    view: &FleetView,
    site: usize,
    model: usize,
    spent: &mut Operations,
) -> Option<Vec<(f64, QueuedView)>> {
    let ranked = view.queue(model).map(|of| Some((order.rank(view, site, &of, spent)?, of)));
    let mut ranked: Vec<(f64, QueuedView)> = ranked.collect::<Option<_>>()?;
    // A sort by comparisons takes about n log2 n of them.
    spent.comparisons += (ranked.len() * (ranked.len().ilog2() as usize + 1)) as u64;
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    Some(ranked)
}

/// The variants that are accurate enough for the first `count` requests of a queue, the most accurate first; all if none
/// is.
pub(super) fn allowed(view: &FleetView, queue: &Queue, count: usize) -> Vec<usize> {
    let asked =
        queue.iter().take(count).map(|request| view.model().clients[request.tenant].terms.min_accuracy);
    queue.served.from_best(asked.fold(0.0, f64::max))
}

/// A planned variant for the first `count` requests of a queue; the least accurate one that will do if it does not.
pub(super) fn planned(view: &FleetView, queue: &Queue, count: usize, variant: usize) -> usize {
    let allowed = allowed(view, queue, count);
    match allowed.contains(&variant) {
        true => variant,
        false => allowed[allowed.len() - 1],
    }
}
