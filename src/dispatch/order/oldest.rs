//! `oldest`: in the order of delivery; the models of a site in the order of their earliest deadlines.

use crate::dispatch::{Order, RuleEntry, no_parameters};
use crate::serve::{FleetView, QueuedView};
use crate::sim::Operations;

pub(super) const ENTRY: RuleEntry<dyn Order> = RuleEntry {
    name: "oldest",
    doc: "in the order of delivery, models by their earliest deadlines",
    source: "textbook",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(Oldest))
    },
};

struct Oldest;

impl Order for Oldest {
    fn rank(&mut self, _: &FleetView, _: usize, _: &QueuedView, _: &mut Operations) -> Option<f64> {
        None
    }
}
