//! A queue as the rules of a site see it.

use crate::serve::{Action, FleetView, QueuedView, ServedModel};
use crate::sim::RequestId;

/// The queue of a model at the site where the dispatcher decides, without the requests that the present decision has
/// already launched or rejected.
pub struct Queue<'a> {
    /// The site, by number.
    pub site: usize,
    /// The model, by number.
    pub model: usize,
    /// What is served.
    pub served: &'a ServedModel,
    view: &'a FleetView<'a>,
    /// All requests in the order in which they are served, if that is not the one of delivery.
    sorted: Option<Vec<QueuedView>>,
    taken: usize,
    rejected: Vec<RequestId>,
    len: usize,
}

impl<'a> Queue<'a> {
    /// `sorted` are the requests in the order in which they are served, if that is not the one of delivery.
    pub(super) fn new(
        view: &'a FleetView<'a>,
        site: usize,
        model: usize,
        sorted: Option<Vec<QueuedView>>,
    ) -> Self {
        let (served, len) = (&view.model().models[model], view.queue_len(model));
        Self { site, model, served, view, sorted, taken: 0, rejected: Vec::new(), len }
    }

    /// The number of requests that wait.
    pub fn len(&self) -> usize {
        self.len - self.taken - self.rejected.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The requests that wait, in the order in which they are served: that of delivery, or of the dispatcher's `order`.
    pub fn iter(&self) -> impl Iterator<Item = QueuedView> + '_ {
        let delivered = self.sorted.is_none().then(|| self.view.queue(self.model));
        let sorted = self.sorted.iter().flatten().copied();
        let all = delivered.into_iter().flatten().chain(sorted);
        all.filter(|of| !self.rejected.contains(&of.id)).skip(self.taken)
    }

    /// The request that was delivered first.
    pub fn oldest(&self) -> Option<QueuedView> {
        match self.sorted {
            None => self.iter().next(),
            Some(_) => self.iter().min_by_key(|of| of.queued_at),
        }
    }

    /// Takes the first `count` requests out; returns their launch on a variant.
    pub(super) fn launch(&mut self, variant: usize, count: usize) -> Action {
        let (site, model) = (self.site, self.model);
        let launch = match self.sorted {
            None => Action::Launch { site, model, variant, count },
            Some(_) => {
                let requests = self.iter().take(count).map(|of| of.id).collect();
                Action::LaunchOf { site, model, variant, requests }
            }
        };
        self.taken += count;
        launch
    }

    /// Takes a request out; returns whether it was there.
    pub(super) fn reject(&mut self, request: RequestId) -> bool {
        let waits = self.iter().any(|of| of.id == request);
        self.rejected.extend(waits.then_some(request));
        waits
    }
}
