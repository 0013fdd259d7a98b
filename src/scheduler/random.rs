//! `random`: the sanity floor. Every sub-job that has no assignment gets a random accelerator and priority.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand::seq::IteratorRandom;

use super::{SchedulerEntry, no_parameters};
use crate::rng;
use crate::sim::{Decision, Scheduler, View};

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "random",
    doc: "any unassigned sub-job to any accelerator that can run it, with a random priority",
    source: "sanity floor",
    parameters: &[],
    draws: true,
    build: |parameters, seed| {
        no_parameters(parameters)?;
        Ok(Box::new(Random { rng: rng::stream(seed, "scheduler", "random") }))
    },
};

struct Random {
    rng: ChaCha8Rng,
}

impl Scheduler for Random {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        for sub in view.sub_jobs().iter().filter(|sub| sub.assigned.is_none()) {
            let able = (0..view.accelerators().len()).filter(|&m| view.alone(sub, m).is_some());
            let accelerator = able.choose(&mut self.rng).expect("some accelerator runs every layer");
            out.assign(sub.id, accelerator, self.rng.random());
            out.operations.comparisons += 1;
        }
    }
}
