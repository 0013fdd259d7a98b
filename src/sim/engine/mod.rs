//! The engine: a resumable state machine that a driver steps from decision to decision.
//!
//! Order of events: by time; at one instant completions (by accelerator), arrivals (by request), deadlines (by
//! request), the decision that takes effect, then the trigger. An ideal decision comes before whatever starts at its
//! instant; one that takes time cannot affect those starts, so its view is taken after them. Time never stands still:
//! a layer takes at least a picosecond.

mod actions;
mod jobs;
mod lane;
mod snapshot;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use self::actions::Pending;
use self::jobs::{Assignment, Jobs, State};
use self::lane::{Entry, Lane, Running};
use super::bandwidth::share;
use super::{
    DecisionCost, DropReason, JobId, Late, Record, Recorder, RequestId, Rules, Snapshot, SubJobId, Trace,
    Trigger, Unassigned, View, World,
};
use crate::units::Time;

/// What the engine waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A decision on [`Engine::view`], given to [`Engine::apply`]; without one, nothing changes.
    Decide,
    /// Nothing: every counted request has ended.
    Finished,
    /// Nothing can happen any more, and counted requests are still open: the scheduler leaves them waiting.
    Stalled,
}

/// Decisions in a row that leave an idle system idle, with no arrival to come, before the run counts as stalled.
/// Chosen here: a second at T_s = 100 us.
const MAX_IDLE_DECISIONS: u32 = 10_000;

/// A run in progress.
#[derive(Clone, Debug)]
pub struct Engine {
    world: Arc<World>,
    trace: Arc<Trace>,
    rules: Rules,
    now: Time,
    next_arrival: usize,
    /// Counted requests that have not ended.
    counted_open: usize,
    jobs: Jobs,
    lanes: Vec<Lane>,
    /// Deadlines of open requests under `late = abort`; ended requests are skipped when they surface.
    deadlines: BinaryHeap<Reverse<(Time, RequestId)>>,
    pending: Pending,
    /// A trigger fired while a decision was in flight.
    missed_trigger: bool,
    changes: Changes,
    /// Starts and bandwidth follow the events and the decision of the present instant.
    settled: bool,
    /// Between [`Step::Decide`] and [`Engine::apply`].
    awaits_decision: bool,
    idle_decisions: u32,
    snapshot: Snapshot,
    demands: Vec<f64>,
    tile_bytes: Vec<f64>,
    grants: Vec<f64>,
    granted_bytes_per_ps: f64,
}

/// What the events of an instant changed, for the triggers and the sharing.
#[derive(Clone, Copy, Debug, Default)]
struct Changes {
    idle_grew: bool,
    ready_grew: bool,
    arrival_or_completion: bool,
    running_set: bool,
}

impl Engine {
    /// A run at time zero.
    pub fn new(world: Arc<World>, trace: Arc<Trace>, rules: Rules) -> Self {
        let accelerators = world.platform.accelerators.len();
        assert!(trace.requests.is_sorted_by_key(|request| request.arrival), "a trace is sorted by arrival");
        Self {
            jobs: Jobs::new(trace.requests.len()),
            lanes: vec![Lane::default(); accelerators],
            counted_open: trace.counted.len(),
            world,
            trace,
            rules,
            now: Time::ZERO,
            next_arrival: 0,
            deadlines: BinaryHeap::new(),
            pending: Pending::default(),
            missed_trigger: false,
            changes: Changes::default(),
            settled: true,
            awaits_decision: false,
            idle_decisions: 0,
            snapshot: Snapshot::default(),
            demands: vec![0.0; accelerators],
            tile_bytes: vec![0.0; accelerators],
            grants: vec![0.0; accelerators],
            granted_bytes_per_ps: 0.0,
        }
    }

    /// Advances to the next decision or to the end.
    pub fn run_to_decision(&mut self, out: &mut dyn Recorder) -> Step {
        self.awaits_decision = false;
        loop {
            if !self.settled {
                self.settle(out);
            }
            if self.counted_open == 0 {
                out.record(&Record::End { time: self.now });
                return Step::Finished;
            }
            let Some(next) = self.next_event() else { return Step::Stalled };
            assert!(
                next > self.now || self.now == Time::ZERO,
                "event at {next:?} is not after {:?}",
                self.now
            );
            self.now = next;
            self.changes = Changes::default();
            self.settled = false;
            self.complete_layers(out);
            self.admit_arrivals(out);
            self.abort_late(out);
            let waited = self.apply_pending(out);
            if self.rules.decision_cost != DecisionCost::Ideal {
                self.settle(out);
            }
            let fires = waited || self.trigger_fires();
            if fires && self.pending.at.is_some() {
                self.missed_trigger = true;
            } else if fires && self.counted_open > 0 {
                self.take_snapshot();
                if !self.snapshot.sub_jobs.is_empty() {
                    if self.stalls() {
                        return Step::Stalled;
                    }
                    self.awaits_decision = true;
                    return Step::Decide;
                }
            }
        }
    }

    /// What the scheduler may know at the decision that the engine waits for.
    pub fn view(&self) -> View<'_> {
        View::new(&self.world, &self.snapshot)
    }

    /// The present time.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Counts decisions at which nothing runs and nothing is to come; too many in a row are a stall.
    fn stalls(&mut self) -> bool {
        let busy = self.lanes.iter().any(|lane| lane.running.is_some());
        let to_come = self.next_arrival < self.trace.requests.len() || !self.deadlines.is_empty();
        self.idle_decisions = if busy || to_come { 0 } else { self.idle_decisions + 1 };
        self.idle_decisions > MAX_IDLE_DECISIONS
    }

    fn next_event(&self) -> Option<Time> {
        let end = self.lanes.iter().filter_map(|lane| lane.running.as_ref().map(|running| running.end)).min();
        let arrival = self.trace.requests.get(self.next_arrival).map(|request| request.arrival);
        let deadline = self.deadlines.peek().map(|Reverse((time, _))| *time);
        // While a decision is in flight, ticks only count as missed: its end is the next event that matters.
        let ticks = self.pending.at.is_none() && !self.jobs.in_flight().is_empty();
        let tick = if ticks { self.next_tick() } else { None };
        [end, arrival, deadline, self.pending.at, tick].into_iter().flatten().min()
    }

    /// The next multiple of T_s.
    fn next_tick(&self) -> Option<Time> {
        match self.rules.trigger {
            Trigger::Periodic(period) => Some(Time((self.now.0 / period.0 + 1) * period.0)),
            Trigger::OnIdle | Trigger::OnChange => None,
        }
    }

    fn trigger_fires(&self) -> bool {
        match self.rules.trigger {
            Trigger::Periodic(period) => self.now.0.is_multiple_of(period.0),
            Trigger::OnChange => self.changes.arrival_or_completion,
            Trigger::OnIdle => {
                (self.changes.idle_grew || self.changes.ready_grew)
                    && self.lanes.iter().any(|lane| lane.running.is_none())
                    && self.has_ready()
            }
        }
    }

    fn has_ready(&self) -> bool {
        let is_ready = |job: &jobs::Job| job.open.iter().any(|&layer| job.sub(layer).state == State::Ready);
        self.jobs.in_flight().iter().any(|&id| self.jobs.get(id).is_some_and(is_ready))
    }

    fn complete_layers(&mut self, out: &mut dyn Recorder) {
        for accelerator in 0..self.lanes.len() {
            let lane = &mut self.lanes[accelerator];
            if lane.running.as_ref().is_some_and(|running| running.end == self.now) {
                let running = lane.running.take().expect("checked in the condition");
                self.complete(accelerator, &running, out);
            }
        }
    }

    fn complete(&mut self, accelerator: usize, running: &Running, out: &mut dyn Recorder) {
        let (left_ps, cost) = (running.left_at(self.now), &running.cost);
        // Ends are rounded up by less than a picosecond; anything else is work lost or done twice.
        let tolerance = 1.0 + 1e-9 * cost.latency_ps;
        assert!(left_ps.abs() <= tolerance, "{:?} ends with {left_ps} ps of work left", running.sub_job);
        self.changes =
            Changes { idle_grew: true, running_set: true, arrival_or_completion: true, ..self.changes };
        out.record(&Record::Finish {
            time: self.now,
            start: running.start,
            sub_job: running.sub_job,
            accelerator,
            dram_bytes: cost.dram_bytes(),
            energy: cost.energy,
            uncontended_ps: cost.latency_ps,
        });
        let SubJobId { job: id, layer } = running.sub_job;
        let job = self.jobs.of(id);
        job.finish(layer);
        if job.abandoned {
            self.jobs.release_if_idle(id);
        } else if job.unfinished == 0 {
            out.record(&Record::Done { time: self.now, request: RequestId(id.0), job: id });
            self.close(id);
        } else {
            self.release_successors(accelerator, running);
        }
    }

    /// Successors whose last predecessor has ended become ready, and sticky ones inherit its assignment.
    fn release_successors(&mut self, accelerator: usize, running: &Running) {
        let SubJobId { job: id, layer } = running.sub_job;
        let network = self.jobs.of(id).network as usize;
        for place in 0..self.world.networks[network].successors[layer as usize].len() {
            let next = self.world.networks[network].successors[layer as usize][place];
            let job = self.jobs.of(id);
            let held = job.held;
            let sub = job.sub_mut(next);
            sub.unfinished -= 1;
            if sub.unfinished > 0 {
                continue;
            }
            sub.state = State::Ready;
            sub.ready_at = self.now;
            self.changes.ready_grew = true;
            let sticky = self.rules.unassigned == Unassigned::Sticky && !held;
            if sub.assignment.is_none()
                && sticky
                && self.world.networks[network].cost(next, accelerator).is_some()
            {
                sub.assignment = Some(Assignment { accelerator, priority: running.priority });
            }
            self.enqueue(SubJobId { job: id, layer: next });
        }
    }

    /// Puts a ready, assigned sub-job that is not held into its accelerator's queue.
    fn enqueue(&mut self, sub_job: SubJobId) {
        let arrival = self.trace.request(RequestId(sub_job.job.0)).arrival;
        let job = self.jobs.of(sub_job.job);
        let held = job.held;
        let sub = job.sub_mut(sub_job.layer);
        sub.stamp += 1;
        let (Some(assignment), State::Ready, false) = (sub.assignment, sub.state, held) else { return };
        let entry = Entry { priority: assignment.priority, arrival, sub_job, stamp: sub.stamp };
        self.lanes[assignment.accelerator].push(entry, &self.jobs);
    }

    fn admit_arrivals(&mut self, out: &mut dyn Recorder) {
        while let Some(request) = self.trace.requests.get(self.next_arrival).filter(|r| r.arrival == self.now)
        {
            let id = self.next_arrival as u32;
            self.next_arrival += 1;
            let network = &self.world.networks[request.network as usize];
            self.jobs.insert(JobId(id), request.network, network, self.now);
            if self.rules.late == Late::Abort {
                self.deadlines.push(Reverse((request.deadline, RequestId(id))));
            }
            self.changes.ready_grew = true;
            self.changes.arrival_or_completion = true;
            out.record(&Record::Arrival { time: self.now, request: RequestId(id), job: JobId(id) });
        }
    }

    /// Under `late = abort`, drops the requests whose deadline is now and which have not just ended.
    fn abort_late(&mut self, out: &mut dyn Recorder) {
        while let Some(&Reverse((deadline, request))) = self.deadlines.peek() {
            if deadline > self.now {
                break;
            }
            self.deadlines.pop();
            self.drop_request(request, DropReason::Late, out);
        }
    }

    /// Drops a request if it is still open; says whether it was.
    fn drop_request(&mut self, request: RequestId, reason: DropReason, out: &mut dyn Recorder) -> bool {
        let id = JobId(request.0);
        let open = self.jobs.get(id).is_some_and(|job| !job.abandoned);
        if open {
            out.record(&Record::Drop { time: self.now, request, reason });
            self.close(id);
        }
        open
    }

    fn close(&mut self, id: JobId) {
        self.jobs.close(id);
        if self.trace.counts(RequestId(id.0)) {
            self.counted_open -= 1;
        }
    }

    /// Starts what may start and shares the bandwidth anew.
    fn settle(&mut self, out: &mut dyn Recorder) {
        self.settled = true;
        for accelerator in 0..self.lanes.len() {
            let lane = &mut self.lanes[accelerator];
            if lane.running.is_none()
                && let Some(entry) = lane.pop(&self.jobs)
            {
                self.start(accelerator, &entry, out);
            }
        }
        if std::mem::take(&mut self.changes.running_set) {
            self.share_bandwidth(out);
        }
    }

    fn start(&mut self, accelerator: usize, entry: &Entry, out: &mut dyn Recorder) {
        let sub_job = entry.sub_job;
        let job = self.jobs.of(sub_job.job);
        let network = &self.world.networks[job.network as usize];
        let cost =
            *network.cost(sub_job.layer, accelerator).expect("assignments are checked when they are applied");
        let sub = job.sub(sub_job.layer);
        assert!(
            sub.state == State::Ready && sub.unfinished == 0,
            "{sub_job:?} starts before its predecessors end"
        );
        job.start(sub_job.layer, network);
        self.lanes[accelerator].running = Some(Running::new(sub_job, entry.priority, cost, self.now));
        self.changes.running_set = true;
        out.record(&Record::Start { time: self.now, sub_job, accelerator });
    }

    fn share_bandwidth(&mut self, out: &mut dyn Recorder) {
        for ((demand, tile_bytes), lane) in self.demands.iter_mut().zip(&mut self.tile_bytes).zip(&self.lanes)
        {
            *demand = lane.demand();
            *tile_bytes = lane.tile_bytes();
        }
        let platform = &self.world.platform;
        let capacity = platform.bandwidth_bytes_per_ps;
        share(platform.sharing, &self.demands, &self.tile_bytes, capacity, &mut self.grants);
        let granted: f64 = self.grants.iter().sum();
        assert!(granted <= capacity * (1.0 + 1e-9), "granted {granted} of {capacity} bytes/ps");
        for ((lane, &demand), &grant) in self.lanes.iter_mut().zip(&self.demands).zip(&self.grants) {
            if let Some(running) = &mut lane.running {
                running.set_rate(if demand > 0.0 { grant / demand } else { 1.0 }, self.now);
            }
        }
        if granted != self.granted_bytes_per_ps {
            self.granted_bytes_per_ps = granted;
            out.record(&Record::Bandwidth { time: self.now, granted_bytes_per_ps: granted });
        }
    }
}
