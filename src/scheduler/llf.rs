//! `llf`: least laxity first. Laxity is the time to the deadline minus the remaining best-case work (d - t - R_best).

use super::placing::ListRule;
use super::{SchedulerEntry, no_parameters};
use crate::sim::{Decision, Scheduler, View};

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "llf",
    doc: "smallest laxity (time to the deadline minus remaining best-case work) first; accelerator with the earliest finish",
    source: "textbook (Mok, 1983)",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(Llf::default()))
    },
};

#[derive(Default)]
struct Llf {
    rule: ListRule<i128>,
}

impl Scheduler for Llf {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        self.rule.place_by(view, out, |sub| {
            let job = view.job_of(sub);
            // t is the same for all.
            i128::from(job.deadline.0) - i128::from(job.remaining_best.0)
        });
    }
}
