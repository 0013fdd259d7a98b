//! `edf_drop`: earliest deadline first, which drops requests that can no longer meet their deadline.
//!
//! A request is hopeless when even its critical path is too long: t + (layers left on the longest path, each at its
//! smallest c1) > d. With the sum R_best in place of the path, networks with parallel branches would be dropped
//! although they can still meet their deadline. The accelerator is the one with the earliest finish of the request
//! (`segment.rs`).

use super::placing::{Order, Placing};
use super::segment::earliest_request_finish;
use super::{SchedulerEntry, no_parameters};
use crate::sim::{Decision, JobView, Scheduler, View};
use crate::units::Time;

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "edf_drop",
    doc: "drops requests that cannot meet their deadline; edf with the earliest finish of the request",
    source: "ours",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(EdfDrop::default()))
    },
};

#[derive(Default)]
struct EdfDrop {
    placing: Placing,
    order: Order<Time>,
}

impl Scheduler for EdfDrop {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        self.placing.reset(view);
        for job in view.jobs().iter().filter(|job| is_hopeless(view, job)) {
            out.drop_request(job.request);
        }
        out.operations.comparisons += view.jobs().len() as u64;
        let subs = view.sub_jobs();
        let order = self.order.sort(subs, out, |sub| view.job_of(sub).deadline);
        for (rank, &(_, i)) in order.iter().enumerate() {
            let job = view.job_of(&subs[i]);
            if is_hopeless(view, job) {
                continue;
            }
            let (best, visited) = earliest_request_finish(&self.placing, view, &subs[i]);
            self.placing.occupy(best.accelerator, best.busy_until);
            out.assign(subs[i].id, best.accelerator, -(rank as f64));
            out.operations.comparisons += visited;
        }
    }
}

pub(super) fn is_hopeless(view: &View, job: &JobView) -> bool {
    view.now() + job.shortest_left > job.deadline
}
