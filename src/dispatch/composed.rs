//! A dispatcher from rules.

use std::cell::RefCell;

use super::{Batch, Batching, Order, Queue, Route, Variant};
use crate::serve::{Action, Dispatch, Dispatcher, FleetModel, FleetView, Moment, QueuedView, Record};
use crate::sim::{Operations, RequestId};
use crate::units::Time;

/// Route x variant x batch, and perhaps an order. At a free site the models are served in the order of the earliest answer
/// that is due, or of their requests that come first.
pub struct Composed {
    /// Where requests go.
    pub route: Box<dyn Route>,
    /// Which variant runs.
    pub variant: Box<dyn Variant>,
    /// How many run at once.
    pub batch: Box<dyn Batch>,
    /// Which requests of a queue come first; those that were delivered first if there is no rule.
    pub order: Option<Box<dyn Order>>,
}

impl Dispatcher for Composed {
    fn decide(&mut self, view: &FleetView, moment: Moment, out: &mut Dispatch) {
        match moment {
            Moment::Arrived(request) => self.send(view, request, out),
            Moment::Free(site) | Moment::Wake(site) => self.launch(view, site, out),
        }
    }

    fn check(&self, model: &FleetModel) -> Result<(), String> {
        self.route.check(model)
    }

    fn observe(&mut self, record: &Record) {
        self.route.observe(record);
        self.variant.observe(record);
        self.batch.observe(record);
        if let Some(order) = &mut self.order {
            order.observe(record);
        }
    }
}

impl Composed {
    fn send(&mut self, view: &FleetView, id: RequestId, out: &mut Dispatch) {
        let Some(request) = view.request(id) else { return };
        let model = view.model();
        let client = &model.clients[request.tenant];
        let sites: Vec<usize> = (0..model.sites.len()).filter(|&site| model.serves(site, client)).collect();
        let site = match sites[..] {
            [only] => only,
            _ => self.route.site(view, &request, &sites, &mut out.operations),
        };
        out.actions.push(Action::Send { request: id, site });
    }

    fn launch(&mut self, view: &FleetView, site: usize, out: &mut Dispatch) {
        let mut free = view.free_slots();
        let mut wake = None::<Time>;
        for mut queue in self.queues(view, site, &mut out.operations) {
            while free > 0 && !queue.is_empty() {
                match self.ask(view, &queue, &mut out.operations) {
                    Batching::Launch(count) => {
                        let count = count.clamp(1, queue.len().min(queue.served.max_batch()));
                        let variant = self.choose(view, &queue, count, &mut out.operations);
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

    /// The queues of a site that are not empty, in the order in which they are served.
    fn queues<'a>(
        &mut self,
        view: &'a FleetView,
        site: usize,
        spent: &mut Operations,
    ) -> impl Iterator<Item = Queue<'a>> + use<'a> {
        let models = (0..view.model().models.len()).filter(|&model| view.queue_len(model) > 0);
        let mut queues = Vec::new();
        for model in models {
            spent.comparisons += 1;
            let sorted =
                self.order.as_mut().and_then(|order| sorted(order.as_mut(), view, site, model, spent));
            let due = view.queue(model).map(|request| request.due).min();
            let rank = sorted.as_ref().map_or(0.0, |sorted| sorted[0].0);
            let sorted = sorted.map(|sorted| sorted.into_iter().map(|(_, of)| of).collect());
            queues.push((rank, due, Queue::new(view, site, model, sorted)));
        }
        queues.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        queues.into_iter().map(|(.., queue)| queue)
    }

    fn ask(&mut self, view: &FleetView, queue: &Queue, spent: &mut Operations) -> Batching {
        let Self { variant, batch, .. } = self;
        let tried = RefCell::new(Operations::default());
        let mut service = |count: usize| {
            let allowed = allowed(view, queue, count);
            let chosen = variant.variant(view, queue, count, &allowed, &mut tried.borrow_mut());
            view.model().service(queue.site, queue.model, chosen, count)
        };
        let batching = batch.batch(view, queue, &mut service, spent);
        spent.comparisons += tried.borrow().comparisons;
        spent.macs += tried.borrow().macs;
        batching
    }

    fn choose(&mut self, view: &FleetView, queue: &Queue, count: usize, spent: &mut Operations) -> usize {
        let allowed = allowed(view, queue, count);
        self.variant.variant(view, queue, count, &allowed, spent)
    }
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
fn allowed(view: &FleetView, queue: &Queue, count: usize) -> Vec<usize> {
    let asked = queue.iter().take(count).map(|request| view.model().clients[request.tenant].min_accuracy);
    queue.served.from_best(asked.fold(0.0, f64::max))
}
