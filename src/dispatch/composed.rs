//! A dispatcher from three rules.

use std::cell::RefCell;

use super::{Batch, Batching, Queue, Route, Variant};
use crate::serve::{Action, Dispatch, Dispatcher, FleetModel, FleetView, Moment, Record};
use crate::sim::{Operations, RequestId};
use crate::units::Time;

/// Route x variant x batch. At a free site the models are served in the order of the earliest answer that is due.
pub struct Composed {
    /// Where requests go.
    pub route: Box<dyn Route>,
    /// Which variant runs.
    pub variant: Box<dyn Variant>,
    /// How many run at once.
    pub batch: Box<dyn Batch>,
}

impl Dispatcher for Composed {
    fn decide(&mut self, view: &FleetView, moment: Moment, out: &mut Dispatch) {
        match moment {
            Moment::Arrived(request) => send(self.route.as_mut(), view, request, out),
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
    }
}

impl Composed {
    fn launch(&mut self, view: &FleetView, site: usize, out: &mut Dispatch) {
        let mut free = view.free_slots();
        let mut wake = None::<Time>;
        let models = (0..view.model().models.len()).filter(|&model| view.queue_len(model) > 0);
        let mut models: Vec<(Option<Time>, usize)> =
            models.map(|model| (view.queue(model).map(|request| request.due).min(), model)).collect();
        models.sort_unstable();
        out.operations.comparisons += models.len() as u64;
        for (_, model) in models {
            let mut queue = Queue::new(view, site, model);
            while free > 0 && !queue.is_empty() {
                match self.ask(view, &queue, &mut out.operations) {
                    Batching::Launch(count) => {
                        let count = count.clamp(1, queue.len().min(queue.served.max_batch()));
                        let variant = self.choose(view, &queue, count, &mut out.operations);
                        out.actions.push(Action::Launch { site, model, variant, count });
                        queue.take(count);
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

/// Sends a request where its route says.
pub(super) fn send(route: &mut dyn Route, view: &FleetView, id: RequestId, out: &mut Dispatch) {
    let Some(request) = view.request(id) else { return };
    let model = view.model();
    let client = &model.clients[request.tenant];
    let sites: Vec<usize> = (0..model.sites.len()).filter(|&site| model.serves(site, client)).collect();
    let site = match sites[..] {
        [only] => only,
        _ => route.site(view, &request, &sites, &mut out.operations),
    };
    out.actions.push(Action::Send { request: id, site });
}

/// The variants that are accurate enough for the first `count` requests of a queue, the most accurate first; all if none
/// is.
pub(super) fn allowed(view: &FleetView, queue: &Queue, count: usize) -> Vec<usize> {
    let variants = &queue.served.variants;
    let asked =
        queue.iter().take(count).map(|request| view.model().clients[request.tenant].terms.min_accuracy);
    let least = asked.fold(0.0, f64::max);
    let mut all: Vec<usize> = (0..variants.len()).collect();
    all.sort_by(|&a, &b| variants[b].accuracy.total_cmp(&variants[a].accuracy));
    let enough = all.partition_point(|&variant| variants[variant].accuracy >= least);
    if enough > 0 {
        all.truncate(enough);
    }
    all
}
