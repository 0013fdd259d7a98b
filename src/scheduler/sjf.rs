//! `sjf`: shortest job first, by the remaining best-case work R_best.

use super::placing::ListRule;
use super::{SchedulerEntry, no_parameters};
use crate::sim::{Decision, Scheduler, View};
use crate::units::Time;

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "sjf",
    doc: "smallest remaining best-case work first; accelerator with the earliest finish",
    source: "Dysta (Fan et al., MICRO 2023)",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(Sjf::default()))
    },
};

#[derive(Default)]
struct Sjf {
    rule: ListRule<Time>,
}

impl Scheduler for Sjf {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        self.rule.place_by(view, out, |sub| view.job_of(sub).remaining_best);
    }
}
