//! A dispatcher from rules.

use std::cell::RefCell;

use super::parts::{Parts, allowed, decide, routed};
use super::{Batch, Batching, Order, Queue, Route, Variant};
use crate::serve::{Dispatch, Dispatcher, FleetModel, FleetView, Moment, Record, RequestView};
use crate::sim::Operations;

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
        decide(self, view, moment, out);
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

impl Parts for Composed {
    fn site(
        &mut self,
        view: &FleetView,
        request: &RequestView,
        sites: &[usize],
        spent: &mut Operations,
    ) -> Option<usize> {
        Some(routed(self.route.as_mut(), view, request, sites, spent))
    }

    fn order(&mut self) -> Option<&mut dyn Order> {
        match &mut self.order {
            Some(order) => Some(order.as_mut()),
            None => None,
        }
    }

    fn batching(&mut self, view: &FleetView, queue: &Queue, spent: &mut Operations) -> Batching {
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

    fn variant(&mut self, view: &FleetView, queue: &Queue, count: usize, spent: &mut Operations) -> usize {
        let allowed = allowed(view, queue, count);
        self.variant.variant(view, queue, count, &allowed, spent)
    }
}
