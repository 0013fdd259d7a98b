//! `edf_drop`: earliest deadline first that gives up what cannot make it any more.
//!
//! A request is hopeless when even its critical path is too long: t + (layers left on the longest path, each at its
//! smallest c1) > d. (The sum R_best would drop networks with parallel branches that can still make it.) The accelerator is the one with the earliest finish of the *request*,
//! not of the layer: until the next decision its layers stay on the accelerator (they are sticky), after it they may
//! run at their best. With a segment S of layers from the sub-job on, until the next decision:
//! finish(m) = start(m) + sum over S of c1[m] + R_best outside S.

use super::placing::{Order, Placing};
use super::{SchedulerEntry, no_parameters};
use crate::sim::{Decision, JobView, Scheduler, SubJobView, View};
use crate::units::Time;

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "edf_drop",
    doc: "drops requests that cannot meet their deadline; edf with the earliest finish of the request",
    source: "ours (design/BASELINES.md)",
    parameters: &[],
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

/// Where a sub-job shall run: busy until `busy_until` with the segment, the request done at `finish`.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Choice {
    finish: Time,
    accelerator: usize,
    busy_until: Time,
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
            let (best, visited) = best(&self.placing, view, &subs[i]);
            self.placing.occupy(best.accelerator, best.busy_until);
            out.assign(subs[i].id, best.accelerator, -(rank as f64));
            out.operations.comparisons += visited;
        }
    }
}

fn is_hopeless(view: &View, job: &JobView) -> bool {
    view.now() + job.shortest_left > job.deadline
}

/// The accelerator with the earliest finish of the request, and how many (layer, accelerator) pairs it took.
fn best(placing: &Placing, view: &View, sub: &SubJobView) -> (Choice, u64) {
    let mut visited = 0;
    let options = (0..view.accelerators().len()).filter_map(|accelerator| {
        let start = placing.start(view, sub, accelerator);
        let segment = Segment::of(view, sub, accelerator, start)?;
        visited += segment.layers;
        let rest = view.job_of(sub).unstarted_best.saturating_sub(segment.best);
        Some(Choice { finish: segment.end + rest, accelerator, busy_until: segment.end })
    });
    (options.min().expect("some accelerator runs every layer"), visited)
}

/// The layers that would run on one accelerator before the next decision.
struct Segment {
    layers: u64,
    /// When the last of them ends.
    end: Time,
    /// The sum of their smallest c1.
    best: Time,
}

impl Segment {
    /// Follows the first successor from the sub-job on while the accelerator can run it and the next decision has not
    /// been reached; at least the sub-job itself. `None` where that cannot run.
    fn of(view: &View, sub: &SubJobView, accelerator: usize, start: Time) -> Option<Self> {
        let network = view.network_of(view.job_of(sub));
        let mut layer = sub.id.layer;
        let mut segment = Self { layers: 0, end: start, best: Time::ZERO };
        while let Some(cost) = network.cost(layer, accelerator) {
            segment.layers += 1;
            segment.end += cost.alone;
            segment.best += network.best_alone[layer as usize];
            let next = network.successors[layer as usize].first();
            match (next, view.next_decision()) {
                (Some(&next), Some(tick)) if segment.end < tick => layer = next,
                _ => break,
            }
        }
        (segment.layers > 0).then_some(segment)
    }
}
