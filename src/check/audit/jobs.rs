//! Checks requests and the jobs that serve them: each job runs every layer once and in order, and ends once.

use super::orders::Assignment;
use super::{Audit, Check, ensure};
use crate::sim::{DropReason, JobId, NetworkModel, Origin, PairCost, Request, RequestId, SubJobId};
use crate::units::Time;
use crate::workload::Late;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Open,
    Done,
    Dropped,
}

/// A request that has arrived, with its job.
pub(super) struct Job<'a> {
    pub(super) id: JobId,
    /// The request, with its actual arrival and deadline.
    pub(super) request: Request,
    pub(super) origin: Origin,
    /// Its network on the whole platform.
    pub(super) network: &'a NetworkModel,
    /// Its network without lost accelerators.
    pub(super) known: &'a NetworkModel,
    pub(super) fate: Fate,
    pub(super) held: bool,
    pub(super) layers: Vec<Layer>,
    /// The latest of the lower bounds of its end that views showed.
    pub(super) earliest_end: Time,
}

#[derive(Clone, Default)]
pub(super) struct Layer {
    pub(super) started: bool,
    pub(super) ended: Option<Time>,
    pub(super) assignment: Option<Assignment>,
}

impl Job<'_> {
    fn predecessors(&self, layer: u32) -> impl Iterator<Item = &Layer> {
        self.network.predecessors[layer as usize].iter().map(|&before| &self.layers[before as usize])
    }

    /// Whether a layer is ready: all predecessors have ended, and it has not started.
    pub(super) fn is_ready(&self, layer: u32) -> bool {
        self.is_open(layer) && self.predecessors(layer).all(|before| before.ended.is_some())
    }

    /// Whether a layer may be assigned: all predecessors have started, and it has not.
    pub(super) fn is_open(&self, layer: u32) -> bool {
        self.fate == Fate::Open
            && self.layers.get(layer as usize).is_some_and(|layer| !layer.started)
            && self.predecessors(layer).all(|before| before.started)
    }

    pub(super) fn open_layers(&self) -> impl Iterator<Item = u32> {
        (0..self.layers.len() as u32).filter(|&layer| self.is_open(layer))
    }

    /// The time at which the last predecessor of a ready layer ended; without predecessors, the arrival.
    pub(super) fn ready_at(&self, layer: u32) -> Time {
        let ends = self.predecessors(layer).filter_map(|before| before.ended);
        ends.max().unwrap_or(self.request.arrival)
    }

    pub(super) fn last_end(&self) -> Option<Time> {
        self.layers.iter().filter_map(|layer| layer.ended).max()
    }

    /// The least DRAM bytes of the job: each layer on the accelerator that moves least, with all that it can find there.
    pub(super) fn least_bytes(&self) -> f64 {
        let least = |layer| self.costs(layer).map(|cost| cost.dram_bytes()).fold(f64::INFINITY, f64::min);
        (0..self.layers.len() as u32).map(least).sum()
    }

    /// Whether its layers may find anything on chip.
    fn may_find(&self) -> bool {
        self.network.residency.is_some() || self.network.forwarding.is_some()
    }

    /// The least work of the job: the sum of the smallest c1, with all that layers can find on chip.
    pub(super) fn least_work(&self) -> Time {
        if !self.may_find() {
            return self.network.total_best;
        }
        (0..self.layers.len() as u32).map(|layer| self.least_alone(layer)).sum()
    }

    /// The critical path with these c1.
    fn shortest(&self) -> Time {
        let mut ends: Vec<Time> = Vec::with_capacity(self.layers.len());
        for (layer, before) in (0..).zip(&self.network.predecessors) {
            let ready = before.iter().map(|&before| ends[before as usize]).max().unwrap_or_default();
            ends.push(ready + self.least_alone(layer));
        }
        ends.into_iter().max().unwrap_or_default()
    }

    fn least_alone(&self, layer: u32) -> Time {
        self.costs(layer).map(|cost| cost.alone).min().expect("some accelerator runs every layer")
    }

    fn costs(&self, layer: u32) -> impl Iterator<Item = PairCost> {
        (0..self.network.costs.ncols()).filter_map(move |m| self.network.least_cost(layer, m))
    }
}

impl<'a> Audit<'a> {
    pub(super) fn job(&self, id: JobId) -> Result<&Job<'a>, String> {
        self.jobs.get(id.0 as usize).ok_or_else(|| format!("request {} has not arrived", id.0))
    }

    /// Checks the network in a record of a layer.
    pub(super) fn check_network(&self, sub_job: SubJobId, network: u32) -> Check {
        let asked = self.job(sub_job.job)?.request.network;
        ensure!(network == asked, "{sub_job:?} is recorded for network {network}, not {asked}");
        Ok(())
    }

    pub(super) fn open_jobs(&self) -> impl Iterator<Item = &Job<'a>> {
        self.jobs.iter().filter(|job| job.fate == Fate::Open)
    }

    pub(super) fn arrive(
        &mut self,
        id: RequestId,
        job: JobId,
        origin: Origin,
        asked: Request,
        after: Option<RequestId>,
    ) -> Check {
        let number = self.jobs.len();
        ensure!(
            (id.0 as usize, job.0) == (number, id.0),
            "request {} arrives with job {}, but request {number} is next",
            id.0,
            job.0
        );
        let request = self.expect(id, origin, asked, after)?;
        let network = &self.world.networks[request.network as usize];
        self.jobs.push(Job {
            id: job,
            request,
            origin,
            network,
            known: &self.conditions.world.networks[request.network as usize],
            fate: Fate::Open,
            held: false,
            layers: vec![Layer::default(); network.layers.len()],
            earliest_end: self.now,
        });
        self.totals.arrive(self.now, origin.measured);
        self.triggers.change();
        Ok(())
    }

    pub(super) fn done(&mut self, request: RequestId, id: JobId, origin: Origin, asked: Request) -> Check {
        ensure!(request.0 == id.0, "request {} is done by job {}", request.0, id.0);
        let job = self.job(id)?;
        let told = (job.origin, job.request) == (origin, asked);
        ensure!(told, "request {} ends with other data: {origin:?}, {asked:?}", request.0);
        let missing = job.layers.iter().position(|layer| layer.ended.is_none());
        ensure!(missing.is_none(), "request {} is done without its layer {missing:?}", request.0);
        ensure!(job.last_end() == Some(self.now), "request {} is done after its last layer", request.0);
        let late = self.now > job.request.deadline;
        let may_be_late = self.rules.late.of(job.request.tenant) == Late::Finish;
        ensure!(!late || may_be_late, "request {} is done late under abort", request.0);
        self.check_time(request, job)?;
        self.close_request(request, Fate::Done)?;
        self.totals.done += 1;
        self.totals.met += u64::from(!late);
        let counts = u64::from(origin.measured);
        self.totals.measured_done += counts;
        self.totals.measured_met += counts * u64::from(!late);
        Ok(())
    }

    /// Checks that it took no less time than possible.
    fn check_time(&self, request: RequestId, job: &Job) -> Check {
        // Each layer may end up to a picosecond before its rounded-up c1.
        let rounding = Time(job.layers.len() as u64);
        let may_find = job.may_find();
        let isolated = if may_find { job.shortest() } else { job.network.isolated };
        let fastest = self.conditions.fastest;
        let isolated = if fastest > 1.0 { Time((isolated.as_ps() / fastest) as u64) } else { isolated };
        let taken = self.now - job.request.arrival;
        ensure!(
            taken + rounding >= isolated,
            "request {} takes {} ps, but {} ps on the idle system",
            request.0,
            taken.0,
            isolated.0
        );
        // Views promise by costs without hits, and as if conditions did not get better.
        ensure!(
            may_find || fastest > 1.0 || self.now + rounding >= job.earliest_end,
            "request {} ends, but a view promised not before {} ps",
            request.0,
            job.earliest_end.0
        );
        Ok(())
    }

    pub(super) fn check_begun(&self, request: RequestId, begun: bool) -> Check {
        let known = self.job(JobId(request.0))?.layers.iter().any(|layer| layer.started);
        ensure!(begun == known, "request {} is dropped, begun: {begun}, not {known}", request.0);
        Ok(())
    }

    pub(super) fn dropped(
        &mut self,
        request: RequestId,
        origin: Origin,
        asked: Request,
        reason: DropReason,
    ) -> Check {
        let job = self.job(JobId(request.0))?;
        ensure!(job.origin == origin, "request {} is dropped with other data: {origin:?}", request.0);
        let known = job.request;
        match reason {
            DropReason::Late => {
                let Request { deadline, tenant, .. } = job.request;
                let due = self.rules.late.of(tenant) == Late::Abort && deadline == self.now;
                ensure!(
                    due,
                    "request {} is dropped as late, but its deadline is {} ps",
                    request.0,
                    deadline.0
                );
            }
            DropReason::Scheduler => self.obey_until_drop(request)?,
        }
        ensure!(asked == known, "request {} is dropped as one for {asked:?}", request.0);
        self.close_request(request, Fate::Dropped)?;
        self.totals.dropped += 1;
        self.totals.measured_dropped += u64::from(origin.measured);
        Ok(())
    }

    fn close_request(&mut self, request: RequestId, fate: Fate) -> Check {
        let before = self.job(JobId(request.0))?.fate;
        ensure!(before == Fate::Open, "request {} is {fate:?}, but was {before:?} before", request.0);
        let job = &mut self.jobs[request.0 as usize];
        job.fate = fate;
        self.residents.close(job.id);
        self.measured_open -= usize::from(job.origin.measured);
        self.release_followers(request, fate);
        Ok(())
    }

    /// Checks that no request is open after its deadline under `abort`.
    pub(super) fn check_nobody_is_late(&self) -> Check {
        let aborts = |job: &Job| self.rules.late.of(job.request.tenant) == Late::Abort;
        let late = |job: &&Job| aborts(job) && job.request.deadline <= self.now;
        let late = self.open_jobs().find(late).map(|job| job.id.0);
        ensure!(late.is_none(), "request {late:?} is open at its deadline under abort");
        Ok(())
    }
}
