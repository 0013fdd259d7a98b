//! `edf`: earliest deadline first; requests past their deadline come after all others, earliest first.

use super::placing::ListRule;
use super::{SchedulerEntry, no_parameters};
use crate::sim::{Decision, Scheduler, View};
use crate::units::Time;

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "edf",
    doc: "smallest deadline first, late requests last; accelerator with the earliest finish",
    source: "textbook (Liu and Layland, JACM 1973)",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(Edf::default()))
    },
};

#[derive(Default)]
struct Edf {
    rule: ListRule<Time>,
}

impl Scheduler for Edf {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        self.rule.place_by(view, out, |sub| view.job_of(sub).deadline);
    }
}
