//! List scheduling, which most rules share: walk the open sub-jobs in some order, and give each the accelerator on
//! which it finishes first. Each placement makes its accelerator busy until the sub-job ends.
//!
//! Late sub-jobs come last. Sub-jobs that would start after the next decision are left to that decision, so that a
//! backlog that nobody can serve in time does not make decisions slow.
//!
//! [`ListRule`] does all of this for a rule that is only an order. [`Placing`] is its bookkeeping, for rules that
//! choose accelerators themselves. A complete example is least laxity first:
//!
//! ```
//! use mascot::scheduler::ListRule;
//! use mascot::sim::{Decision, Scheduler, SubJobView, View};
//!
//! #[derive(Default)]
//! struct LeastLaxity(ListRule<i128>);
//!
//! impl Scheduler for LeastLaxity {
//!     fn decide(&mut self, view: &View, out: &mut Decision) {
//!         let laxity = |sub: &SubJobView| {
//!             let job = view.job_of(sub);
//!             i128::from(job.deadline.0) - i128::from(job.remaining_best.0)
//!         };
//!         self.0.place_by(view, out, laxity);
//!     }
//! }
//! ```
//! `mascot::experiment::registry` explains how an experiment can name such a scheduler.

use std::cmp::Ordering;

use crate::sim::{Decision, JobView, SubJobView, View};
use crate::units::Time;

/// The time F_m at which each accelerator m is free again. The buffers are kept between decisions.
#[derive(Clone, Debug, Default)]
pub struct Placing {
    free_at: Vec<Time>,
    /// For each job of the view, whether this decision has assigned one of its sub-jobs.
    assigned: Vec<bool>,
}

impl Placing {
    /// Begins a decision: accelerators are busy with what runs now, until its end at the present rate.
    pub fn reset(&mut self, view: &View) {
        self.free_at.clear();
        self.free_at.extend(view.accelerators().iter().map(|accelerator| accelerator.free_at));
        self.assigned.clear();
        self.assigned.resize(view.jobs().len(), false);
    }

    /// When the sub-job could start on the accelerator.
    pub fn start(&self, view: &View, sub_job: &SubJobView, accelerator: usize) -> Time {
        self.free_at[accelerator].max(sub_job.release).max(view.now())
    }

    /// The time F_m at which the accelerator is free again.
    pub fn free_at(&self, accelerator: usize) -> Time {
        self.free_at[accelerator]
    }

    /// Makes the accelerator busy until a time.
    pub fn occupy(&mut self, accelerator: usize, until: Time) {
        self.free_at[accelerator] = until;
    }

    /// Puts the sub-job on the accelerator, which is then busy until the sub-job ends, and assigns it unless it is
    /// postponed.
    pub fn put(
        &mut self,
        view: &View,
        out: &mut Decision,
        sub: &SubJobView,
        accelerator: usize,
        rank: usize,
    ) {
        self.put_weighted(view, out, sub, accelerator, rank, 1.0);
    }

    /// Like [`Self::put`], for a sub-job that takes another time there than c1.
    pub fn put_taking(
        &mut self,
        view: &View,
        out: &mut Decision,
        sub: &SubJobView,
        (accelerator, takes): (usize, Time),
        rank: usize,
    ) {
        self.occupy_or_postpone(view, out, sub, (accelerator, takes), rank, 1.0);
    }

    /// Like [`Self::put`], with a weight for its share of the bandwidth.
    pub fn put_weighted(
        &mut self,
        view: &View,
        out: &mut Decision,
        sub: &SubJobView,
        accelerator: usize,
        rank: usize,
        weight: f64,
    ) {
        let takes = view.alone_on_each(sub)[accelerator];
        self.occupy_or_postpone(view, out, sub, (accelerator, takes), rank, weight);
    }

    fn occupy_or_postpone(
        &mut self,
        view: &View,
        out: &mut Decision,
        sub: &SubJobView,
        (accelerator, takes): (usize, Time),
        rank: usize,
        weight: f64,
    ) {
        let start = self.start(view, sub, accelerator);
        self.free_at[accelerator] = start + takes;
        if view.next_decision().is_some_and(|tick| tick <= start) && is_late(view, sub) {
            self.postpone(view, out, sub, rank);
        } else {
            self.assigned[sub.job] = true;
            out.assign_weighted(sub.id, accelerator, -(rank as f64), weight);
        }
    }

    /// Whether the accelerator is busy until the next decision.
    fn is_busy(&self, view: &View, accelerator: usize) -> bool {
        view.next_decision().is_some_and(|tick| tick <= self.free_at[accelerator])
    }

    /// Whether all accelerators are busy until the next decision.
    pub fn is_full(&self, view: &View) -> bool {
        (0..self.free_at.len()).all(|accelerator| self.is_busy(view, accelerator))
    }

    /// Leaves the sub-job to the next decision. An older assignment must not precede newer ones: it is taken away
    /// together with those of the whole job, or, if this decision has already assigned the job, moved to its rank.
    pub fn postpone(&self, view: &View, out: &mut Decision, sub: &SubJobView, rank: usize) {
        if self.assigned[sub.job] {
            if let Some(accelerator) = sub.assigned {
                out.assign(sub.id, accelerator, -(rank as f64));
            }
        } else if !view.job_of(sub).held {
            out.hold(view.job_of(sub).id);
        }
    }

    /// The accelerator with the earliest finish of this sub-job, and that finish: argmin of max(F_m, release) + c1,
    /// ties to the lower number.
    pub fn earliest_finish(&self, view: &View, sub_job: &SubJobView) -> (usize, Time) {
        self.earliest_among(view.alone_on_each(sub_job), view, sub_job)
    }

    /// [`Self::earliest_finish`] with c1 of the sub-job on each accelerator.
    #[inline]
    fn earliest_among(&self, alone: &[Time], view: &View, sub_job: &SubJobView) -> (usize, Time) {
        let ready = sub_job.release.max(view.now());
        let (mut best, mut earliest) = (0, Time::MAX);
        // Slices of one length, because iterators in pairs take twice as long here.
        let free_at = &self.free_at[..alone.len()];
        for m in 0..alone.len() {
            let finish = free_at[m].max(ready).saturating_add(alone[m]);
            (best, earliest) = if finish < earliest { (m, finish) } else { (best, earliest) };
        }
        debug_assert!(earliest < Time::MAX, "some accelerator runs every layer");
        (best, earliest)
    }
}

/// The open sub-jobs in the order of a key; the buffer is kept between decisions.
#[derive(Clone, Debug)]
pub struct Order<K> {
    ranked: Vec<(K, usize)>,
}

impl<K> Default for Order<K> {
    fn default() -> Self {
        Self { ranked: Vec::new() }
    }
}

impl<K: Ord> Order<K> {
    /// Sorts (key, index into `subs`), smallest key first, ties in the order of the view; counts n log2 n comparisons.
    pub fn sort(
        &mut self,
        subs: &[SubJobView],
        out: &mut Decision,
        key: impl Fn(&SubJobView) -> K,
    ) -> &[(K, usize)] {
        self.sort_some(subs, out, |sub| Some(key(sub)))
    }

    /// Like [`Self::sort`], for the sub-jobs that have a key.
    pub fn sort_some(
        &mut self,
        subs: &[SubJobView],
        out: &mut Decision,
        key: impl Fn(&SubJobView) -> Option<K>,
    ) -> &[(K, usize)] {
        self.ranked.clear();
        self.ranked.extend(subs.iter().enumerate().filter_map(|(i, sub)| Some((key(sub)?, i))));
        self.sort_ranked(subs.len(), out);
        &self.ranked
    }

    /// Sorts what is ranked of so many sub-jobs.
    fn sort_ranked(&mut self, subs: usize, out: &mut Decision) {
        self.ranked.sort_unstable();
        out.operations.comparisons += (subs * subs.next_power_of_two().ilog2() as usize) as u64;
    }
}

impl<K> Order<K> {
    /// The result of the last sort.
    pub fn sorted(&self) -> &[(K, usize)] {
        &self.ranked
    }
}

/// A rule that only orders sub-jobs, by a key K. Sub-jobs of late requests come after all others, earliest deadline
/// first.
#[derive(Clone, Debug)]
pub struct ListRule<K> {
    placing: Placing,
    timely: Order<K>,
    /// Late sub-jobs by deadline, sorted only as far as they are placed.
    late: Vec<(Time, usize)>,
}

impl<K> Default for ListRule<K> {
    fn default() -> Self {
        Self { placing: Placing::default(), timely: Order::default(), late: Vec::new() }
    }
}

impl<K: Ord> ListRule<K> {
    /// Assigns every open sub-job in the order of `key`, smallest first, ties in the order of the view, to the
    /// accelerator with the earliest finish; counts the sort, and a comparison per (sub-job, accelerator).
    pub fn place_by(&mut self, view: &View, out: &mut Decision, key: impl Fn(&SubJobView) -> K) {
        let choose = |placing: &Placing, sub: &SubJobView| {
            let alone = view.alone_on_each(sub);
            let accelerator = placing.earliest_among(alone, view, sub).0;
            (accelerator, alone[accelerator])
        };
        let placed = self.place(view, out, key, choose, |placing, _| !placing.is_full(view));
        out.operations.comparisons += placed as u64 * (view.accelerators().len() as u64 - 1);
    }

    /// Like [`Self::place_by`], but assigns each sub-job to a given accelerator, which must be able to run it; counts
    /// the sort, and a comparison per sub-job.
    pub fn place_on(
        &mut self,
        view: &View,
        out: &mut Decision,
        key: impl Fn(&SubJobView) -> K,
        accelerator: impl Fn(&SubJobView) -> usize,
    ) {
        let may_start = |placing: &Placing, sub: &SubJobView| !placing.is_busy(view, accelerator(sub));
        let choose = |_: &Placing, sub: &SubJobView| {
            let accelerator = accelerator(sub);
            (accelerator, view.alone_on_each(sub)[accelerator])
        };
        self.place(view, out, key, choose, may_start);
    }

    /// Like [`Self::place_by`], but `choose` gives the accelerator, and how long the sub-job takes there; counts the sort,
    /// and `each` comparisons per sub-job.
    pub fn place_choosing(
        &mut self,
        view: &View,
        out: &mut Decision,
        key: impl Fn(&SubJobView) -> K,
        choose: impl Fn(&Placing, &SubJobView) -> (usize, Time),
        each: u64,
    ) {
        let placed = self.place(view, out, key, choose, |placing, _| !placing.is_full(view));
        out.operations.comparisons += placed as u64 * each;
    }

    /// Places sub-jobs in order, and returns how many were placed. Late sub-jobs that cannot start before the next
    /// decision are skipped.
    fn place(
        &mut self,
        view: &View,
        out: &mut Decision,
        key: impl Fn(&SubJobView) -> K,
        choose: impl Fn(&Placing, &SubJobView) -> (usize, Time),
        may_start: impl Fn(&Placing, &SubJobView) -> bool,
    ) -> usize {
        let subs = view.sub_jobs();
        let Self { placing, timely, late } = self;
        placing.reset(view);
        timely.ranked.clear();
        late.clear();
        for (i, sub) in subs.iter().enumerate() {
            match missed(view, sub) {
                None => timely.ranked.push((key(sub), i)),
                Some(deadline) => late.push((deadline, i)),
            }
        }
        timely.sort_ranked(subs.len(), out);
        for (rank, &(_, i)) in timely.ranked.iter().enumerate() {
            let chosen = choose(placing, &subs[i]);
            placing.put_taking(view, out, &subs[i], chosen, rank);
        }
        late.retain(|&(_, i)| {
            let starts = may_start(placing, &subs[i]);
            if !starts {
                placing.postpone(view, out, &subs[i], subs.len());
            }
            starts
        });
        late.sort_unstable();
        let ranks = timely.ranked.len()..;
        for (rank, &(_, i)) in ranks.zip(late.iter()) {
            if may_start(placing, &subs[i]) {
                let chosen = choose(placing, &subs[i]);
                placing.put_taking(view, out, &subs[i], chosen, rank);
            } else {
                placing.postpone(view, out, &subs[i], rank);
            }
        }
        out.operations.comparisons += subs.len() as u64;
        timely.ranked.len() + late.len()
    }
}

/// The deadline of the sub-job's request if it has passed. Late sub-jobs come after all others, earliest deadline
/// first.
pub fn missed(view: &View, sub: &SubJobView) -> Option<Time> {
    Some(view.job_of(sub).deadline).filter(|&deadline| deadline < view.now())
}

/// Whether the sub-job's request has missed its deadline.
pub fn is_late(view: &View, sub: &SubJobView) -> bool {
    missed(view, sub).is_some()
}

/// A score as a key of [`ListRule`], the largest first. It must not be NaN.
#[derive(Clone, Copy, Debug)]
pub struct Descending(pub f64);

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

/// The smallest slack that scores divide by, because a negative slack would flip their sign. A microsecond is our
/// choice, because it is short compared with any layer.
const LEAST_SLACK_PS: f64 = 1e6;

/// Time to the deadline, at least a microsecond, in picoseconds.
pub fn slack_ps(view: &View, job: &JobView) -> f64 {
    (job.deadline.as_ps() - view.now().as_ps()).max(LEAST_SLACK_PS)
}
