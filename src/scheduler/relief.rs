//! `relief`: least laxity first, except that a child whose producer's output is still on chip goes before all others if
//! no request is pushed into a miss.
//!
//! The output of a layer is on chip while nothing else has started on the accelerator since. A ready successor of that
//! layer is promoted: it comes first on that accelerator, as long as every request that was to run there before it
//! keeps a laxity (d - t - R_best) of at least the child's c1, or has none to lose. The rule is written from memory of
//! the paper, and has not been checked against it. What the paper saves by it, the DRAM read of the output, is saved on
//! systems with `forwarding = true` (`sim::forwarding`).

use super::placing::{Order, Placing, is_late, missed};
use super::{SchedulerEntry, no_parameters};
use crate::sim::{Decision, JobView, Record, Scheduler, SubJobId, View};
use crate::units::Time;

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "relief",
    doc: "least laxity first; a child of the layer that ran last on an accelerator goes first there if no request misses its deadline for it",
    source: "RELIEF (Gupta and Dwarkadas, HPCA 2024), from memory",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(Relief::default()))
    },
};

#[derive(Default)]
struct Relief {
    placing: Placing,
    /// The order by (deadline if it has passed, laxity).
    order: Order<(Option<Time>, i128)>,
    /// The sub-job that started last on each accelerator.
    last: Vec<Option<SubJobId>>,
    /// The placement by the order alone: (index in the view, accelerator).
    places: Vec<(usize, usize)>,
    /// The promoted sub-jobs: (index in the view, accelerator).
    promoted: Vec<(usize, usize)>,
}

impl Scheduler for Relief {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        self.promote(view, out);
        self.placing.reset(view);
        let subs = view.sub_jobs();
        for (rank, &(i, accelerator)) in self.promoted.iter().enumerate() {
            self.placing.put(view, out, &subs[i], accelerator, rank);
        }
        let order = self.order.sorted().iter().map(|&(_, i)| i);
        for (rank, i) in (self.promoted.len()..).zip(order) {
            if self.promoted.iter().any(|&(promoted, _)| promoted == i) {
                continue;
            }
            if is_late(view, &subs[i]) && self.placing.is_full(view) {
                self.placing.postpone(view, out, &subs[i], rank);
                continue;
            }
            let (accelerator, _) = self.placing.earliest_finish(view, &subs[i]);
            self.placing.put(view, out, &subs[i], accelerator, rank);
        }
        out.operations.comparisons += (subs.len() * (view.accelerators().len() + self.promoted.len())) as u64;
    }

    fn observe(&mut self, record: &Record) {
        if let Record::Start { sub_job, accelerator, .. } = *record {
            if self.last.len() <= accelerator {
                self.last.resize(accelerator + 1, None);
            }
            self.last[accelerator] = Some(sub_job);
        }
    }
}

impl Relief {
    /// Finds the order, the placement by it, and the promoted sub-jobs.
    fn promote(&mut self, view: &View, out: &mut Decision) {
        let subs = view.sub_jobs();
        let order = self.order.sort(subs, out, |sub| (missed(view, sub), laxity_ps(view, view.job_of(sub))));
        self.placing.reset(view);
        self.places.clear();
        for &((late, _), i) in order {
            if late.is_some() && self.placing.is_full(view) {
                break;
            }
            let (accelerator, finish) = self.placing.earliest_finish(view, &subs[i]);
            self.placing.occupy(accelerator, finish);
            self.places.push((i, accelerator));
        }
        self.promoted.clear();
        for (accelerator, last) in self.last.iter().enumerate() {
            let Some(producer) = last else { continue };
            let is_child = |&&(i, _): &&(usize, usize)| {
                let sub = &subs[i];
                let network = view.network_of(view.job_of(sub));
                sub.id.job == producer.job
                    && network.predecessors[sub.id.layer as usize].contains(&producer.layer)
                    && network.alone(sub.id.layer)[accelerator] < Time::MAX
            };
            let Some(&(child, _)) = self.places.iter().find(is_child) else { continue };
            let pushed = i128::from(view.alone_on_each(&subs[child])[accelerator].0);
            let before = self.places.iter().take_while(|&&(i, _)| i != child);
            let mut there = before.filter(|&&(_, m)| m == accelerator);
            let keeps = |&(i, _): &(usize, usize)| {
                let laxity = laxity_ps(view, view.job_of(&subs[i]));
                laxity < 0 || laxity >= pushed
            };
            out.operations.comparisons += self.places.len() as u64;
            if there.all(keeps) && self.promoted.iter().all(|&(promoted, _)| promoted != child) {
                self.promoted.push((child, accelerator));
            }
        }
    }
}

fn laxity_ps(view: &View, job: &JobView) -> i128 {
    i128::from(job.deadline.0) - i128::from(view.now().0) - i128::from(job.remaining_best.0)
}
