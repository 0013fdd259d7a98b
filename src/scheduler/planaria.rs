//! `planaria`: Planaria's scheduling score on accelerators that are not split: priority / slack, where the slack is the
//! time left to the deadline, but at least a microsecond.
//!
//! Planaria divides by the sub-arrays a task needs as well, and splits the accelerator spatially; neither applies here.

use super::placing::{Descending, ListRule, slack_ps};
use super::{SchedulerEntry, no_parameters};
use crate::sim::{Decision, Scheduler, View};

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "planaria",
    doc: "largest priority / slack first; accelerator with the earliest finish",
    source: "Planaria (Ghodrati et al., MICRO 2020), the temporal case of its score",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(Planaria::default()))
    },
};

#[derive(Default)]
struct Planaria {
    rule: ListRule<Descending>,
}

impl Scheduler for Planaria {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        self.rule.place_by(view, out, |sub| {
            let job = view.job_of(sub);
            Descending(f64::from(job.priority) / slack_ps(view, job))
        });
    }
}
