//! What the list schedulers share: walk the open sub-jobs in some order and give each the accelerator on which it
//! finishes first, with every accelerator busy until what was placed on it before.

use crate::sim::{Decision, SubJobView, View};
use crate::units::Time;

/// F_m per accelerator, and buffers kept between decisions.
#[derive(Clone, Debug, Default)]
pub(super) struct Placing {
    free_at: Vec<Time>,
    order: Vec<usize>,
}

impl Placing {
    /// F_m starts from what runs now, at its present rate.
    pub(super) fn reset(&mut self, view: &View) {
        self.free_at.clear();
        self.free_at.extend(view.accelerators().iter().map(|accelerator| accelerator.free_at));
    }

    /// When the sub-job could start on the accelerator.
    pub(super) fn start(&self, view: &View, sub_job: &SubJobView, accelerator: usize) -> Time {
        self.free_at[accelerator].max(sub_job.release).max(view.now())
    }

    /// The accelerator is busy until then.
    pub(super) fn occupy(&mut self, accelerator: usize, until: Time) {
        self.free_at[accelerator] = until;
    }

    /// The accelerator with the earliest finish of this sub-job, and that finish: argmin of max(F_m, release) + c1,
    /// ties to the lower number.
    pub(super) fn earliest_finish(&self, view: &View, sub_job: &SubJobView) -> (usize, Time) {
        let ready = sub_job.release.max(view.now());
        let mut best: Option<(usize, Time)> = None;
        for (m, (&free_at, alone)) in self.free_at.iter().zip(view.alone_on_each(sub_job)).enumerate() {
            let Some(alone) = *alone else { continue };
            let finish = free_at.max(ready) + alone;
            if best.is_none_or(|(_, earliest)| finish < earliest) {
                best = Some((m, finish));
            }
        }
        best.expect("some accelerator runs every layer")
    }

    /// Assigns every open sub-job in the order of `key`, smallest first, ties in the order of the view; sub-jobs of
    /// requests past their deadline come after all others, earliest deadline first. Counts the sort and one comparison
    /// per (sub-job, accelerator).
    pub(super) fn place_by<K: Ord>(
        &mut self,
        view: &View,
        out: &mut Decision,
        key: impl Fn(&SubJobView) -> K,
    ) {
        self.reset(view);
        let subs = view.sub_jobs();
        let mut order = std::mem::take(&mut self.order);
        sort_by(subs, &mut order, out, |sub| {
            let deadline = view.job_of(sub).deadline;
            let late = (deadline < view.now()).then_some(deadline);
            (late, key(sub))
        });
        for (rank, &i) in order.iter().enumerate() {
            let (accelerator, finish) = self.earliest_finish(view, &subs[i]);
            self.occupy(accelerator, finish);
            out.assign(subs[i].id, accelerator, -(rank as f64));
        }
        out.operations.comparisons += (subs.len() * self.free_at.len()) as u64;
        self.order = order;
    }
}

/// Fills `order` with the indices of `subs` in the order of `key`, ties in the order of the view; counts n log2 n.
pub(super) fn sort_by<K: Ord>(
    subs: &[SubJobView],
    order: &mut Vec<usize>,
    out: &mut Decision,
    key: impl Fn(&SubJobView) -> K,
) {
    order.clear();
    order.extend(0..subs.len());
    order.sort_unstable_by_key(|&i| (key(&subs[i]), i));
    out.operations.comparisons += (subs.len() * subs.len().next_power_of_two().ilog2() as usize) as u64;
}
