//! `fcfs`: first come, first served, by the arrival of the request.

use super::placing::ListRule;
use super::{SchedulerEntry, no_parameters};
use crate::sim::{Decision, Scheduler, View};
use crate::units::Time;

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "fcfs",
    doc: "smallest arrival first; accelerator with the earliest finish",
    source: "textbook, in its heterogeneity-aware form",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(Fcfs::default()))
    },
};

#[derive(Default)]
struct Fcfs {
    rule: ListRule<Time>,
}

impl Scheduler for Fcfs {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        self.rule.place_by(view, out, |sub| view.job_of(sub).arrival);
    }
}
