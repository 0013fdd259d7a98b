//! A queue as the rules of a site see it.

use crate::serve::{FleetView, QueuedView, ServedModel};
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
    taken: usize,
    rejected: Vec<RequestId>,
    len: usize,
}

impl<'a> Queue<'a> {
    pub(super) fn new(view: &'a FleetView<'a>, site: usize, model: usize) -> Self {
        let (served, len) = (&view.model().models[model], view.queue_len(model));
        Self { site, model, served, view, taken: 0, rejected: Vec::new(), len }
    }

    /// The number of requests that wait.
    pub fn len(&self) -> usize {
        self.len - self.taken - self.rejected.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The requests that wait, in the order of delivery.
    pub fn iter(&self) -> impl Iterator<Item = QueuedView> + '_ {
        self.view.queue(self.model).filter(|of| !self.rejected.contains(&of.id)).skip(self.taken)
    }

    pub(super) fn take(&mut self, count: usize) {
        self.taken += count;
    }

    /// Takes a request out; returns whether it was there.
    pub(super) fn reject(&mut self, request: RequestId) -> bool {
        let waits = self.iter().any(|of| of.id == request);
        self.rejected.extend(waits.then_some(request));
        waits
    }
}
