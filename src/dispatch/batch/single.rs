//! `single`: every request runs alone, as soon as a slot is free.

use crate::dispatch::{Batch, Batching, Queue, RuleEntry, no_parameters};
use crate::serve::FleetView;
use crate::sim::Operations;
use crate::units::Time;

pub(super) const ENTRY: RuleEntry<dyn Batch> = RuleEntry {
    name: "single",
    doc: "every request alone, as soon as a slot is free",
    source: "textbook",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(Single))
    },
};

struct Single;

impl Batch for Single {
    fn batch(
        &mut self,
        _: &FleetView,
        _: &Queue,
        _: &mut dyn FnMut(usize) -> Time,
        _: &mut Operations,
    ) -> Batching {
        Batching::Launch(1)
    }
}
