//! `deadline`: the earliest deadline first, counted by when the answer has to leave the site, whether it can still be in
//! time or not.

use crate::dispatch::{Order, RuleEntry, no_parameters};
use crate::serve::{FleetView, QueuedView};
use crate::sim::Operations;

pub(super) const ENTRY: RuleEntry<dyn Order> = RuleEntry {
    name: "deadline",
    doc: "the earliest deadline first, less the way back",
    source: "textbook (EDF)",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(Deadline))
    },
};

struct Deadline;

impl Order for Deadline {
    fn rank(&mut self, _: &FleetView, _: usize, of: &QueuedView, spent: &mut Operations) -> Option<f64> {
        spent.comparisons += 1;
        Some(of.due.as_ps())
    }
}
