//! What an online scheduler may know at time t: the requests that have arrived, what runs, what may be assigned.
//! Nothing of the future is reachable from here.

use std::fmt;

use super::{Engine, JobId, NetworkModel, RequestId, SubJobId, World};
use crate::units::Time;
use crate::workload::Firm;

/// A job in flight, as known at the time of the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobView {
    /// The job.
    pub id: JobId,
    /// The request it serves.
    pub request: RequestId,
    /// Who sent it.
    pub tenant: u32,
    /// Index into [`World::networks`].
    pub network: u32,
    /// Larger is more important.
    pub priority: u32,
    /// a.
    pub arrival: Time,
    /// d.
    pub deadline: Time,
    /// R_best: the smallest c1 of every layer not yet started, plus what is left of the running ones at their
    /// present rate.
    pub remaining_best: Time,
    /// The least time in which the job can end: the critical path over what is left, every layer at its smallest c1 and
    /// running ones as if alone from now on.
    pub shortest_left: Time,
    /// The part of `remaining_best` that has not started.
    pub unstarted_best: Time,
    /// DRAM bytes of the layers not yet started, each on its fastest accelerator.
    pub unstarted_bytes: u64,
    /// Layers not yet started.
    pub layers_left: u32,
    /// Whether one of its layers runs.
    pub running: bool,
    /// Whether a decision holds it.
    pub held: bool,
}

/// A sub-job that may be assigned: ready, or next after layers that are running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubJobView {
    /// The sub-job.
    pub id: SubJobId,
    /// Index of its job in [`View::jobs`].
    pub job: usize,
    /// Whether it could start now.
    pub ready: bool,
    /// When it became ready, or, while a predecessor runs, when it will be ready at the present rates.
    pub release: Time,
    /// Where it is assigned now.
    pub assigned: Option<usize>,
}

/// An accelerator at the time of the view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AcceleratorView {
    /// What runs on it.
    pub running: Option<SubJobId>,
    /// When that ends at its present rate; the time of the view if nothing runs.
    pub free_at: Time,
    /// b of what runs on it, in bytes per picosecond; 0 if nothing runs.
    pub demand_bytes_per_ps: f64,
}

/// The lists behind a view; the engine brings them up to date at every decision.
#[derive(Debug, Default, PartialEq)]
pub struct Snapshot {
    /// The time of the view.
    pub now: Time,
    /// When the next periodic decision will be taken; `None` where decisions follow events.
    pub next_decision: Option<Time>,
    /// Jobs in flight in order of arrival.
    pub jobs: Vec<JobView>,
    /// Sub-jobs that may be assigned, grouped by job in the same order, layers ascending.
    pub sub_jobs: Vec<SubJobView>,
    /// One entry per accelerator.
    pub accelerators: Vec<AcceleratorView>,
}

clone_by_field!(Snapshot { now, next_decision, jobs, sub_jobs, accelerators });

/// A read-only view of a run.
#[derive(Clone, Copy)]
pub struct View<'a> {
    world: &'a World,
    snapshot: &'a Snapshot,
    /// Only to be forked: it knows the future.
    engine: &'a Engine,
}

impl<'a> View<'a> {
    pub(crate) fn new(world: &'a World, snapshot: &'a Snapshot, engine: &'a Engine) -> Self {
        Self { world, snapshot, engine }
    }

    /// An engine for roll-outs that waits for this decision: it knows the requests in flight and no other, ends with
    /// them, and charges nothing for decisions.
    pub fn fork(&self) -> Engine {
        let mut fork = self.engine.clone();
        fork.forget_the_future();
        fork
    }

    /// [`View::fork`] into an engine whose buffers are reused.
    pub fn fork_into(&self, fork: &mut Engine) {
        fork.clone_from(self.engine);
        fork.forget_the_future();
    }

    /// t.
    #[inline]
    pub fn now(&self) -> Time {
        self.snapshot.now
    }

    /// When the next periodic decision will be taken; `None` where decisions follow events.
    pub fn next_decision(&self) -> Option<Time> {
        self.snapshot.next_decision
    }

    /// Platform and networks.
    pub fn world(&self) -> &'a World {
        self.world
    }

    /// The memory domain of an accelerator: layers on accelerators with the same number compete for bandwidth.
    #[inline]
    pub fn memory_of(&self, accelerator: usize) -> usize {
        self.world.platform.memory_of(accelerator)
    }

    /// The DRAM bandwidth of an accelerator, which it shares with those of its domain, in bytes per picosecond; it may be
    /// infinite.
    #[inline]
    pub fn bandwidth(&self, accelerator: usize) -> f64 {
        self.world.platform.bandwidth(accelerator)
    }

    /// The DRAM bandwidth of all domains together, in bytes per picosecond: what limits work that is not placed yet.
    #[inline]
    pub fn total_bandwidth(&self) -> f64 {
        self.world.platform.total_bandwidth()
    }

    /// The (m,k)-firm terms of a tenant, if it has any.
    pub fn firm(&self, tenant: u32) -> Option<Firm> {
        self.engine.firm(tenant)
    }

    /// Jobs in flight in order of arrival.
    #[inline]
    pub fn jobs(&self) -> &'a [JobView] {
        &self.snapshot.jobs
    }

    /// Sub-jobs that may be assigned, grouped by job in order of arrival, layers ascending.
    #[inline]
    pub fn sub_jobs(&self) -> &'a [SubJobView] {
        &self.snapshot.sub_jobs
    }

    /// One entry per accelerator.
    #[inline]
    pub fn accelerators(&self) -> &'a [AcceleratorView] {
        &self.snapshot.accelerators
    }

    /// The job of a sub-job.
    #[inline]
    pub fn job_of(&self, sub_job: &SubJobView) -> &'a JobView {
        &self.snapshot.jobs[sub_job.job]
    }

    /// The network of a job.
    #[inline]
    pub fn network_of(&self, job: &JobView) -> &'a NetworkModel {
        &self.world.networks[job.network as usize]
    }

    /// c1 of a sub-job on an accelerator, `None` where it cannot run.
    pub fn alone(&self, sub_job: &SubJobView, accelerator: usize) -> Option<Time> {
        Some(self.alone_on_each(sub_job)[accelerator]).filter(|&alone| alone < Time::MAX)
    }

    /// c1 of a sub-job on every accelerator, [`Time::MAX`] where it cannot run.
    #[inline]
    pub fn alone_on_each(&self, sub_job: &SubJobView) -> &'a [Time] {
        self.network_of(self.job_of(sub_job)).alone(sub_job.id.layer)
    }
}

/// What a scheduler can tell two views apart by; the engine behind it knows more.
impl fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { world, snapshot, .. } = self;
        let fork = self.fork();
        f.debug_struct("View").field("world", world).field("snapshot", snapshot).field("fork", &fork).finish()
    }
}
