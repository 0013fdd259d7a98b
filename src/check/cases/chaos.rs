//! A scheduler that takes random legal actions: it assigns, holds, drops, changes its mind within a decision, or does
//! nothing.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use crate::rng;
use crate::sim::{Decision, Scheduler, SubJobView, View};

/// Drops, holds, assigns or leaves each job at random, some seeds more often than others. When nothing runs it assigns
/// whatever it can, so that no run waits for ever.
#[derive(Debug)]
pub struct Chaos {
    rng: ChaCha8Rng,
    /// The probability per job and decision of a drop, and below, of anything but assigning all it can.
    drops: f64,
    moods: f64,
}

/// The priorities: few, so that ties are common, and with the extremes, which are legal.
const PRIORITIES: [f64; 6] = [f64::NEG_INFINITY, -1.0, 0.0, 0.0, 1.0, f64::INFINITY];

impl Chaos {
    /// The scheduler of a seed.
    pub fn new(seed: u64) -> Self {
        let mut rng = rng::stream(seed, "scheduler", "chaos");
        let drops = [0.0, 0.003, 0.1][rng.random_range(0..3)];
        let moods = [0.1, 0.5, 0.9][rng.random_range(0..3)];
        Self { rng, drops, moods }
    }

    fn do_anything_with(&mut self, index: usize, view: &View, out: &mut Decision) {
        let job = view.jobs()[index].id;
        match self.rng.random_range(0..5) {
            0 => {}
            1 => out.hold(job),
            2 => {
                self.assign_some_of(index, view, out);
                out.hold(job);
            }
            3 => {
                out.hold(job);
                self.assign_some_of(index, view, out);
            }
            _ => self.assign_some_of(index, view, out),
        }
    }

    fn assign_all_of(&mut self, job: usize, view: &View, out: &mut Decision) {
        view.sub_jobs().iter().filter(|sub| sub.job == job).for_each(|sub| self.assign(sub, view, out));
    }

    fn assign_some_of(&mut self, job: usize, view: &View, out: &mut Decision) {
        for sub in view.sub_jobs().iter().filter(|sub| sub.job == job) {
            if self.rng.random_bool(0.7) {
                self.assign(sub, view, out);
            }
        }
    }

    fn assign(&mut self, sub: &SubJobView, view: &View, out: &mut Decision) {
        let able: Vec<usize> =
            (0..view.accelerators().len()).filter(|&m| view.alone(sub, m).is_some()).collect();
        let accelerator = able[self.rng.random_range(0..able.len())];
        let priority = PRIORITIES[self.rng.random_range(0..PRIORITIES.len())];
        out.assign_weighted(sub.id, accelerator, priority, self.rng.random_range(0.1..10.0));
        out.operations.comparisons += 1;
    }
}

impl Scheduler for Chaos {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        let idle = view.accelerators().iter().all(|accelerator| accelerator.running.is_none());
        for (index, job) in view.jobs().iter().enumerate() {
            if self.rng.random_bool(self.drops) {
                self.assign_some_of(index, view, out);
                out.drop_request(job.request);
                out.hold(job.id);
            } else if idle || !self.rng.random_bool(self.moods) {
                self.assign_all_of(index, view, out);
            } else {
                self.do_anything_with(index, view, out);
            }
        }
        out.operations.macs = self.rng.random_range(0..3);
    }
}
