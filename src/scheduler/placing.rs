//! What the list schedulers share: walk the open sub-jobs in some order and give each the accelerator on which it
//! finishes first, with every accelerator busy until what was placed on it before.

use std::cmp::Ordering;

use crate::sim::{Decision, JobView, SubJobView, View};
use crate::units::Time;

/// F_m per accelerator; the buffer is kept between decisions.
#[derive(Clone, Debug, Default)]
pub(super) struct Placing {
    free_at: Vec<Time>,
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

    /// F_m.
    pub(super) fn free_at(&self, accelerator: usize) -> Time {
        self.free_at[accelerator]
    }

    /// The accelerator is busy until then.
    pub(super) fn occupy(&mut self, accelerator: usize, until: Time) {
        self.free_at[accelerator] = until;
    }

    /// The accelerator with the earliest finish of this sub-job, and that finish: argmin of max(F_m, release) + c1,
    /// ties to the lower number.
    pub(super) fn earliest_finish(&self, view: &View, sub_job: &SubJobView) -> (usize, Time) {
        let ready = sub_job.release.max(view.now());
        let (mut best, mut earliest) = (0, Time::MAX);
        let alone = view.alone_on_each(sub_job);
        for (m, (&free_at, &alone)) in (0..alone.len()).zip(self.free_at.iter().zip(alone)) {
            let finish = free_at.max(ready).saturating_add(alone);
            best = if finish < earliest { m } else { best };
            earliest = earliest.min(finish);
        }
        debug_assert!(earliest < Time::MAX, "some accelerator runs every layer");
        (best, earliest)
    }
}

/// The open sub-jobs in the order of a key; the buffer is kept between decisions.
#[derive(Clone, Debug)]
pub(super) struct Order<K> {
    ranked: Vec<(K, usize)>,
}

impl<K> Default for Order<K> {
    fn default() -> Self {
        Self { ranked: Vec::new() }
    }
}

impl<K: Ord> Order<K> {
    /// The indices of `subs` behind their keys, smallest first, ties in the order of the view; counts n log2 n
    /// comparisons.
    pub(super) fn sort(
        &mut self,
        subs: &[SubJobView],
        out: &mut Decision,
        key: impl Fn(&SubJobView) -> K,
    ) -> &[(K, usize)] {
        self.ranked.clear();
        self.ranked.extend(subs.iter().enumerate().map(|(i, sub)| (key(sub), i)));
        self.ranked.sort_unstable();
        out.operations.comparisons += (subs.len() * subs.len().next_power_of_two().ilog2() as usize) as u64;
        &self.ranked
    }
}

impl<K> Order<K> {
    /// What was sorted last.
    pub(super) fn sorted(&self) -> &[(K, usize)] {
        &self.ranked
    }
}

/// A rule that only orders the sub-jobs, by a key K.
#[derive(Clone, Debug)]
pub(super) struct ListRule<K> {
    placing: Placing,
    /// By the deadline where that has passed, then by K.
    order: Order<(Option<Time>, K)>,
}

impl<K> Default for ListRule<K> {
    fn default() -> Self {
        Self { placing: Placing::default(), order: Order::default() }
    }
}

impl<K: Ord> ListRule<K> {
    /// Assigns every open sub-job in the order of `key` to the accelerator with the earliest finish; counts one
    /// comparison per (sub-job, accelerator) beside the sort.
    pub(super) fn place_by(&mut self, view: &View, out: &mut Decision, key: impl Fn(&SubJobView) -> K) {
        self.order_by(view, out, key);
        let (subs, placing) = (view.sub_jobs(), &mut self.placing);
        placing.reset(view);
        for (rank, &(_, i)) in self.order.ranked.iter().enumerate() {
            let (accelerator, finish) = placing.earliest_finish(view, &subs[i]);
            placing.occupy(accelerator, finish);
            out.assign(subs[i].id, accelerator, -(rank as f64));
        }
        out.operations.comparisons += (subs.len() * placing.free_at.len()) as u64;
    }

    /// Puts the open sub-jobs in the order of `key`, smallest first, ties in the order of the view; sub-jobs of requests
    /// past their deadline come after all others, earliest deadline first. Counts the sort.
    pub(super) fn order_by(&mut self, view: &View, out: &mut Decision, key: impl Fn(&SubJobView) -> K) {
        self.order.sort(view.sub_jobs(), out, |sub| {
            let deadline = view.job_of(sub).deadline;
            ((deadline < view.now()).then_some(deadline), key(sub))
        });
    }

    /// Assigns every open sub-job, in the order that was found last, to an accelerator that can run it; counts one
    /// comparison each.
    pub(super) fn place_on(
        &self,
        view: &View,
        out: &mut Decision,
        accelerator: impl Fn(&SubJobView) -> usize,
    ) {
        let subs = view.sub_jobs();
        for (rank, &(_, i)) in self.order.ranked.iter().enumerate() {
            out.assign(subs[i].id, accelerator(&subs[i]), -(rank as f64));
        }
        out.operations.comparisons += subs.len() as u64;
    }
}

/// A score, the largest first. Not for what is not a number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Descending(pub(super) f64);

impl Ord for Descending {
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.total_cmp(&self.0)
    }
}

impl PartialOrd for Descending {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Descending {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Descending {}

/// The smallest slack that scores divide by (design/BASELINES.md): a negative one would flip their sign.
const LEAST_SLACK_PS: f64 = 1e6;

/// Time to the deadline, at least a microsecond, in picoseconds.
pub(super) fn slack_ps(view: &View, job: &JobView) -> f64 {
    (job.deadline.as_ps() - view.now().as_ps()).max(LEAST_SLACK_PS)
}
