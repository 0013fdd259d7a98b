//! `met`: minimum execution time: every sub-job on the accelerator with its smallest c1, whatever the load.

use super::placing::ListRule;
use super::{SchedulerEntry, no_parameters};
use crate::sim::{Decision, Scheduler, SubJobView, View};
use crate::units::Time;

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "met",
    doc: "smallest arrival first; fastest accelerator, load ignored",
    source: "DS3 (Arda et al., IEEE TC 2020)",
    parameters: &[],
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(Met::default()))
    },
};

#[derive(Default)]
struct Met {
    rule: ListRule<Time>,
}

impl Scheduler for Met {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        let arrival = |sub: &SubJobView| view.job_of(sub).arrival;
        self.rule.place_on(view, out, arrival, |sub| {
            let alone = view.alone_on_each(sub);
            let fastest = (0..alone.len()).min_by_key(|&m| alone[m]);
            fastest.expect("a system has accelerators")
        });
    }
}
