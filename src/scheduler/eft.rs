//! `eft`: earliest finish time in queue order: the order in which sub-jobs became (or will become) ready.

use super::placing::ListRule;
use super::{SchedulerEntry, no_parameters};
use crate::sim::{Decision, Scheduler, View};
use crate::units::Time;

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "eft",
    doc: "first ready first; accelerator with the earliest finish",
    source: "DS3 (Arda et al., IEEE TC 2020)",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(Eft::default()))
    },
};

#[derive(Default)]
struct Eft {
    rule: ListRule<Time>,
}

impl Scheduler for Eft {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        self.rule.place_by(view, out, |sub| sub.release);
    }
}
