//! `rr`: round robin: job i on accelerator i mod M, and a layer that cannot run there on the next one that can run it.

use super::placing::ListRule;
use super::{SchedulerEntry, no_parameters};
use crate::sim::{Decision, Scheduler, SubJobView, View};
use crate::units::Time;

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "rr",
    doc: "smallest arrival first; job i on accelerator i mod M",
    source: "MAGMA (Kao and Krishna, HPCA 2022), artefact",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(Rr::default()))
    },
};

#[derive(Default)]
struct Rr {
    rule: ListRule<Time>,
}

impl Scheduler for Rr {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        let arrival = |sub: &SubJobView| view.job_of(sub).arrival;
        self.rule.place_on(view, out, arrival, |sub| {
            let alone = view.alone_on_each(sub);
            let turns = (0..alone.len()).map(|i| (sub.id.job.0 as usize + i) % alone.len());
            { turns }.find(|&m| alone[m] < Time::MAX).expect("some accelerator runs every layer")
        });
    }
}
