//! What an online scheduler may know at time t: the requests that have arrived, the layers that run, and the sub-jobs
//! that may be assigned. Nothing of the future is reachable from here.

use std::fmt;

use super::{Engine, Found, JobId, NetworkModel, PairCost, RequestId, SubJobId, World};
use crate::units::Time;
use crate::workload::Firm;

/// A job in flight, as known at the time of the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobView {
    /// The job's id.
    pub id: JobId,
    /// The request that the job serves.
    pub request: RequestId,
    /// The tenant that sent the request, by number.
    pub tenant: u32,
    /// Index into [`World::networks`].
    pub network: u32,
    /// Priority of the request; a larger one is more important.
    pub priority: u32,
    /// Arrival time a of the request.
    pub arrival: Time,
    /// Deadline d of the request.
    pub deadline: Time,
    /// R_best, the remaining best-case work: the sum of the smallest c1 of every layer that has not started, plus the
    /// time that running layers still need at their present rate.
    pub remaining_best: Time,
    /// The shortest time in which the job can end: the critical path over the remaining layers, each at its smallest
    /// c1, with running layers as if alone from now on.
    pub shortest_left: Time,
    /// The part of `remaining_best` that belongs to layers which have not started.
    pub unstarted_best: Time,
    /// DRAM bytes of the layers that have not started, each on its fastest accelerator.
    pub unstarted_bytes: u64,
    /// Number of layers that have not started.
    pub layers_left: u32,
    /// Whether a layer of the job is running.
    pub running: bool,
    /// Whether the job is held by an earlier decision.
    pub held: bool,
}

/// A sub-job that may be assigned: it is ready, or it comes next after running layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubJobView {
    /// The sub-job's id.
    pub id: SubJobId,
    /// Index of its job in [`View::jobs`].
    pub job: usize,
    /// Whether all its predecessors have ended, so that it could start now.
    pub ready: bool,
    /// When the sub-job became ready, or, while a predecessor runs, when it will be ready at the present rates.
    pub release: Time,
    /// The accelerator to which the sub-job is assigned now, if any.
    pub assigned: Option<usize>,
}

/// An accelerator at the time of the view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AcceleratorView {
    /// The sub-job that runs on the accelerator, if any.
    pub running: Option<SubJobId>,
    /// When that sub-job ends at its present rate; the time of the view if nothing runs.
    pub free_at: Time,
    /// Bandwidth demand b of that sub-job, in bytes per picosecond; 0 if nothing runs.
    pub demand_bytes_per_ps: f64,
}

/// The lists behind a view; the engine brings them up to date at every decision.
#[derive(Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Time t of the view.
    pub now: Time,
    /// When the next periodic decision will be taken; `None` where decisions follow events.
    pub next_decision: Option<Time>,
    /// Jobs in flight in order of arrival.
    pub jobs: Vec<JobView>,
    /// Sub-jobs that may be assigned, grouped by job in the same order, layers ascending.
    pub sub_jobs: Vec<SubJobView>,
    /// The state of each accelerator.
    pub accelerators: Vec<AcceleratorView>,
}

clone_by_field!(Snapshot { now, next_decision, jobs, sub_jobs, accelerators });

/// A read-only view of a run.
#[derive(Clone, Copy)]
pub struct View<'a> {
    world: &'a World,
    snapshot: &'a Snapshot,
    /// Used for forks and for what is on chip only, because the engine knows the future.
    engine: &'a Engine,
}

impl<'a> View<'a> {
    pub(crate) fn new(world: &'a World, snapshot: &'a Snapshot, engine: &'a Engine) -> Self {
        Self { world, snapshot, engine }
    }

    /// Returns an engine for roll-outs that waits for this decision. It knows only the requests in flight, ends when
    /// they have ended, and charges nothing for decisions.
    pub fn fork(&self) -> Engine {
        let mut fork = self.engine.clone();
        fork.forget_the_future();
        fork
    }

    /// Like [`View::fork`], but reuses the buffers of an existing engine.
    pub fn fork_into(&self, fork: &mut Engine) {
        fork.clone_from(self.engine);
        fork.forget_the_future();
    }

    /// Time t of the view.
    #[inline]
    pub fn now(&self) -> Time {
        self.snapshot.now
    }

    /// When the next periodic decision will be taken; `None` where decisions follow events.
    pub fn next_decision(&self) -> Option<Time> {
        self.snapshot.next_decision
    }

    /// The platform and the networks with their costs.
    pub fn world(&self) -> &'a World {
        self.world
    }

    /// The memory domain of an accelerator: layers on accelerators with the same number compete for bandwidth.
    #[inline]
    pub fn memory_of(&self, accelerator: usize) -> usize {
        self.world.platform.memory_of(accelerator)
    }

    /// The number of memory domains: more than any number that [`Self::memory_of`] gives.
    #[inline]
    pub fn domains(&self) -> usize {
        self.world.platform.domains()
    }

    /// The DRAM bandwidth that an accelerator shares with the others of its memory domain, in bytes per picosecond; may
    /// be infinite.
    #[inline]
    pub fn bandwidth(&self, accelerator: usize) -> f64 {
        self.world.platform.bandwidth(accelerator)
    }

    /// The DRAM bandwidth of all memory domains together, in bytes per picosecond; it limits work that is not placed
    /// yet.
    #[inline]
    pub fn total_bandwidth(&self) -> f64 {
        self.world.platform.total_bandwidth()
    }

    /// The number of accelerators that the platform has lost (`sim::drift`). They can run nothing, so their costs in
    /// [`View::world`] are gone; whoever keeps something computed from costs computes it anew when this number grows.
    #[inline]
    pub fn losses(&self) -> u32 {
        self.engine.losses()
    }

    /// The number of times that costs in [`View::world`] were corrected, where estimates learn from what layers take
    /// (`estimates = "ewma"`). Whoever keeps something computed from costs computes it anew when this number grows.
    #[inline]
    pub fn corrections(&self) -> u32 {
        self.engine.corrections()
    }

    /// The network of the layer that started last on an accelerator, if one has. A layer of another one takes longer there
    /// by [`AcceleratorModel::switch`](super::AcceleratorModel::switch).
    pub fn last_network(&self, accelerator: usize) -> Option<u32> {
        self.engine.last_network(accelerator)
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

    /// The state of each accelerator.
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

    /// Uncontended latency c1 of a sub-job on an accelerator; `None` where it cannot run.
    pub fn alone(&self, sub_job: &SubJobView, accelerator: usize) -> Option<Time> {
        Some(self.alone_on_each(sub_job)[accelerator]).filter(|&alone| alone < Time::MAX)
    }

    /// What a sub-job would find on chip if it were the next to start on an accelerator: with `residency`, the DRAM reads
    /// that it would be spared. The output of a running layer counts, if it will stay. Costs in this view are without it.
    #[inline]
    pub fn found(&self, sub_job: &SubJobView, accelerator: usize) -> Found {
        self.engine.found(sub_job.id, self.job_of(sub_job).network, accelerator)
    }

    /// The cost of a sub-job on an accelerator without the DRAM reads of what it would find there ([`Self::found`]);
    /// `None` where it cannot run.
    #[inline]
    pub fn cost_finding(&self, sub_job: &SubJobView, accelerator: usize) -> Option<PairCost> {
        let network = self.network_of(self.job_of(sub_job));
        network.cost_finding(sub_job.id.layer, accelerator, self.found(sub_job, accelerator))
    }

    /// Uncontended latency c1 of a sub-job on every accelerator; [`Time::MAX`] where it cannot run.
    #[inline]
    pub fn alone_on_each(&self, sub_job: &SubJobView) -> &'a [Time] {
        self.network_of(self.job_of(sub_job)).alone(sub_job.id.layer)
    }
}

/// Shows only what a scheduler may know: the engine behind the view knows more.
impl fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { world, snapshot, .. } = self;
        let fork = self.fork();
        f.debug_struct("View").field("world", world).field("snapshot", snapshot).field("fork", &fork).finish()
    }
}
