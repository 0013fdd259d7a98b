//! The ready sub-jobs that are assigned to an accelerator, in the order in which they start.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::super::SubJobId;
use super::jobs::{Jobs, State};
use crate::units::Time;

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
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.priority
            .total_cmp(&other.priority)
            .then(other.arrival.cmp(&self.arrival))
            .then(other.sub_job.cmp(&self.sub_job))
            .then(self.stamp.cmp(&other.stamp))
    }
}

impl PartialOrd for Entry {
    #[inline]
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

/// The queue of an accelerator. Entries become outdated in place, are skipped when they surface, and are swept out when
/// there is no room.
#[derive(Debug)]
pub(super) struct Queue {
    entries: BinaryHeap<Entry>,
}

clone_by_field!(Queue { entries });

/// Our choice, because sweeping below this costs more than it saves.
const SMALLEST_SWEEP: usize = 64;

impl Queue {
    pub(super) fn new() -> Self {
        Self { entries: BinaryHeap::with_capacity(SMALLEST_SWEEP) }
    }

    pub(super) fn push(&mut self, entry: Entry, jobs: &Jobs) {
        if self.entries.len() == self.entries.capacity() {
            self.entries.retain(|entry| entry.is_current(jobs));
            // Doubling the room pays for the sweep, and a queue that grows no longer than before does not allocate
            // again.
            self.entries.reserve(self.entries.len().max(SMALLEST_SWEEP / 2));
        }
        self.entries.push(entry);
    }

    /// Takes the sub-job to start next.
    pub(super) fn pop(&mut self, jobs: &Jobs) -> Option<Entry> {
        while let Some(entry) = self.entries.pop() {
            if entry.is_current(jobs) {
                return Some(entry);
            }
        }
        None
    }

    /// Whether nothing waits, not even what is outdated.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
