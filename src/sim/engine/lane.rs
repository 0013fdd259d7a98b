//! One accelerator: the layer that runs on it and the ready sub-jobs assigned to it.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::super::{PairCost, SubJobId};
use super::jobs::{Jobs, State};
use crate::units::Time;

/// A layer in execution.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running {
    pub(super) sub_job: SubJobId,
    pub(super) priority: f64,
    pub(super) cost: PairCost,
    pub(super) start: Time,
    /// Uncontended work left at `since`, in picoseconds.
    left_ps: f64,
    since: Time,
    /// Granted / demanded bandwidth, in (0, 1].
    rate: f64,
    /// When it ends at the present rate.
    pub(super) end: Time,
}

impl Running {
    pub(super) fn new(sub_job: SubJobId, priority: f64, cost: PairCost, now: Time) -> Self {
        // The rate is set before time passes: a layer that starts changes the sharing.
        Self {
            sub_job,
            priority,
            cost,
            start: now,
            left_ps: cost.latency_ps,
            since: now,
            rate: 0.0,
            end: Time::MAX,
        }
    }

    /// Work left at `now`, in picoseconds of uncontended time.
    pub(super) fn left_at(&self, now: Time) -> f64 {
        self.left_ps - self.rate * (now - self.since).as_ps()
    }

    /// Time to the end if nothing else ran from `now` on, rounded down.
    pub(super) fn left_alone(&self, now: Time) -> Time {
        let share = (self.left_at(now) / self.cost.latency_ps).clamp(0.0, 1.0);
        Time((share * self.cost.alone.as_ps()) as u64)
    }

    /// From `now` on it progresses at `rate`. An unchanged rate leaves the planned end alone, so that splitting an
    /// interval does not accumulate rounding.
    pub(super) fn set_rate(&mut self, rate: f64, now: Time) {
        if rate == self.rate {
            return;
        }
        self.left_ps = self.left_at(now).max(0.0);
        self.since = now;
        self.rate = rate;
        self.end = now + Time::from_ps_ceil(self.left_ps / rate).max(Time(1));
    }
}

/// A ready sub-job in the queue of an accelerator; out of date once its stamp is no longer the sub-job's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) priority: f64,
    pub(super) arrival: Time,
    pub(super) sub_job: SubJobId,
    pub(super) stamp: u32,
}

impl Entry {
    fn is_current(&self, jobs: &Jobs) -> bool {
        jobs.get(self.sub_job.job).is_some_and(|job| {
            let sub = job.sub(self.sub_job.layer);
            sub.stamp == self.stamp && sub.state == State::Ready && !job.held && !job.abandoned
        })
    }
}

impl Ord for Entry {
    /// The greatest entry starts first: highest priority, then earliest arrival, then lowest id.
    fn cmp(&self, other: &Self) -> Ordering {
        self.priority
            .total_cmp(&other.priority)
            .then(other.arrival.cmp(&self.arrival))
            .then(other.sub_job.cmp(&self.sub_job))
            .then(self.stamp.cmp(&other.stamp))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

/// An accelerator with its queue. Entries go out of date in place and are skipped when they surface.
#[derive(Clone, Debug, Default)]
pub(super) struct Lane {
    pub(super) running: Option<Running>,
    queue: BinaryHeap<Entry>,
    /// Queue length at which out-of-date entries are swept out.
    sweep_at: usize,
}

/// Chosen here: sweeping below this costs more than it saves.
const SMALLEST_SWEEP: usize = 64;

impl Lane {
    pub(super) fn push(&mut self, entry: Entry, jobs: &Jobs) {
        if self.queue.len() >= self.sweep_at.max(SMALLEST_SWEEP) {
            self.queue.retain(|entry| entry.is_current(jobs));
            self.sweep_at = 2 * self.queue.len();
        }
        self.queue.push(entry);
    }

    /// Takes the sub-job to start next.
    pub(super) fn pop(&mut self, jobs: &Jobs) -> Option<Entry> {
        while let Some(entry) = self.queue.pop() {
            if entry.is_current(jobs) {
                return Some(entry);
            }
        }
        None
    }

    pub(super) fn demand(&self) -> f64 {
        self.running.as_ref().map_or(0.0, |running| running.cost.demand_bytes_per_ps)
    }

    pub(super) fn tile_bytes(&self) -> f64 {
        self.running.as_ref().map_or(0.0, |running| running.cost.tile_bytes)
    }
}
