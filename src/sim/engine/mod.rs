//! The engine: a resumable state machine that a driver steps from decision to decision.
//!
//! Order of events: by time; at one instant changes of conditions, completions (by accelerator), arrivals (by place in the trace, followers
//! last), deadlines (by request), the decision that takes effect, then the trigger. An ideal decision comes before whatever starts at its
//! instant; one that takes time cannot affect those starts, so its view is taken after them. Time never stands still:
//! a layer takes at least a picosecond, and what follows a dropped request comes a picosecond later at the earliest. Of
//! the instant at which the time of a run is over, only the completions happen.

mod actions;
mod admission;
mod corrections;
mod drift;
mod ends;
mod estimates;
mod interruptions;
mod jobs;
mod lanes;
mod mask;
mod orders;
mod queue;
mod residents;
mod snapshot;
#[cfg(test)]
mod tests;
mod ticks;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, LazyLock};

use self::actions::Pending;
use self::corrections::Corrections;
use self::drift::NextChange;
use self::jobs::{Jobs, State};
use self::lanes::{Lanes, Running};
use self::queue::Entry;
use self::residents::Residents;
use self::ticks::Ticks;
use super::arrivals::Arrivals;
use super::{
    DecisionCost, Found, Interrupted, Origin, Record, Recorder, RequestId, Rules, Snapshot, SubJobId, Switch,
    Trace, Trigger, View, World,
};
use crate::units::Time;
use crate::workload::Firm;

/// What the engine waits for when it stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A decision on [`Engine::view`], passed to [`Engine::apply`]; without one, nothing changes.
    Decide,
    /// Nothing: every measured request has ended, or the time of the run is over.
    Finished,
    /// Nothing can happen any more, and measured requests are still open: the scheduler leaves them waiting.
    Stalled,
}

/// Number of consecutive decisions that leave an idle system idle, with no arrival to come, after which the run counts
/// as stalled. Our choice, because they span a second at a period T_s of 100 us, far beyond any layer.
const MAX_IDLE_DECISIONS: u32 = 10_000;

/// The trace of a fork, in which nothing arrives.
static NO_REQUESTS: LazyLock<Arc<Trace>> = LazyLock::new(Arc::default);

/// A run in progress. A clone continues with the same records. `clone_from` reuses the buffers of the engine that it
/// overwrites, which speeds up roll-outs.
#[derive(Debug)]
pub struct Engine {
    world: Arc<World>,
    trace: Arc<Trace>,
    rules: Rules,
    now: Time,
    arrivals: Arrivals,
    /// Number of measured requests that have not ended; if the run ends at a fixed time, a number that never reaches 0.
    measured_open: usize,
    /// End of the run; [`Time::MAX`] if it ends with its last measured request.
    end: Time,
    jobs: Jobs,
    lanes: Lanes,
    /// The lanes as they are expected to be, where execution times vary.
    estimates: Option<Box<Lanes>>,
    /// What schedulers see in place of the world, where estimates learn.
    corrections: Option<Box<Corrections>>,
    residents: Residents,
    ticks: Ticks,
    next_change: NextChange,
    /// Deadlines of open requests under `late = abort`; ended requests are skipped when they surface.
    deadlines: BinaryHeap<Reverse<(Time, RequestId)>>,
    pending: Pending,
    /// Whether a trigger fired while a decision was in flight.
    missed_trigger: bool,
    changes: Changes,
    /// Whether starts and bandwidth are up to date with the events and the decision of the present instant.
    settled: bool,
    /// Whether the engine is between [`Step::Decide`] and [`Engine::apply`].
    awaits_decision: bool,
    idle_decisions: u32,
    snapshot: Snapshot,
}

clone_by_field!(Engine {
    world,
    trace,
    rules,
    now,
    arrivals,
    measured_open,
    end,
    jobs,
    lanes,
    estimates,
    corrections,
    residents,
    ticks,
    next_change,
    deadlines,
    pending,
    missed_trigger,
    changes,
    settled,
    awaits_decision,
    idle_decisions,
    snapshot
});

/// What the events of an instant changed, for the triggers and the sharing.
#[derive(Clone, Copy, Debug, Default)]
struct Changes {
    idle_grew: bool,
    ready_grew: bool,
    arrival_or_completion: bool,
    running_set: bool,
    tick: bool,
}

impl Engine {
    /// Begins a run at time zero.
    pub fn new(world: Arc<World>, trace: Arc<Trace>, rules: Rules) -> Self {
        let lanes = Lanes::new(&world.platform);
        trace.check();
        Self {
            jobs: Jobs::new(&world.networks),
            estimates: rules.variation.is_some().then(|| Box::new(lanes.clone())),
            corrections: rules.variation.is_learnt().then(|| Box::new(Corrections::new(&world))),
            lanes,
            residents: Residents::new(&world),
            ticks: Ticks::new(rules.trigger),
            next_change: NextChange::first(&rules.drift),
            arrivals: Arrivals::new(&trace),
            measured_open: if trace.has_end() { usize::MAX } else { trace.measured.len() },
            end: trace.span.end,
            world,
            trace,
            rules,
            now: Time::ZERO,
            deadlines: BinaryHeap::new(),
            pending: Pending::default(),
            missed_trigger: false,
            changes: Changes::default(),
            settled: true,
            awaits_decision: false,
            idle_decisions: 0,
            snapshot: Snapshot::default(),
        }
    }

    /// Advances to the next decision or to the end.
    pub fn run_to_decision(&mut self, out: &mut dyn Recorder) -> Step {
        self.awaits_decision = false;
        loop {
            if !self.settled {
                self.settle(out);
            }
            if self.is_over() {
                out.record(&Record::End { time: self.now }, Origin::NONE);
                return Step::Finished;
            }
            let next = self.next_event();
            if next == Time::MAX {
                return Step::Stalled;
            }
            self.begin_instant(next, out);
            if next == self.end {
                out.record(&Record::End { time: next }, Origin::NONE);
                return Step::Finished;
            }
            self.admit_arrivals(out);
            self.abort_late(out);
            let waited = self.apply_due(out);
            if self.asks(waited) {
                if self.stalls() {
                    return Step::Stalled;
                }
                self.awaits_decision = true;
                return Step::Decide;
            }
        }
    }

    /// Goes on to a time, which must be later than the present, and ends the layers that end then.
    fn begin_instant(&mut self, time: Time, out: &mut dyn Recorder) {
        assert!(time > self.now || self.now == Time::ZERO, "event at {time:?} is not after {:?}", self.now);
        self.now = time;
        self.changes = Changes { tick: self.ticks.pass(time), ..Changes::default() };
        self.settled = false;
        if self.estimates.is_some() {
            self.expect();
        }
        if time == self.next_change.at {
            self.change_conditions(out);
        }
        self.complete_layers(out);
    }

    /// Applies the decision that takes effect in the present instant; returns whether a trigger has waited for that.
    pub fn apply_due(&mut self, out: &mut dyn Recorder) -> bool {
        let waited = self.apply_pending(out);
        if self.rules.decision_cost != DecisionCost::Ideal {
            self.settle(out);
        }
        waited
    }

    /// Whether the scheduler is asked for a decision at the end of the present instant, on a fresh snapshot.
    fn asks(&mut self, waited: bool) -> bool {
        let fires = waited || self.trigger_fires();
        if fires && self.pending.at.is_some() {
            self.missed_trigger = true;
        } else if fires && self.measured_open > 0 {
            self.take_snapshot();
            return !self.snapshot.sub_jobs.is_empty();
        }
        false
    }

    /// The view of the scheduler at the decision that the engine waits for.
    pub fn view(&self) -> View<'_> {
        View::new(self.known(), &self.snapshot, self)
    }

    /// Whether the engine waits for [`Engine::apply`].
    pub fn awaits_decision(&self) -> bool {
        self.awaits_decision
    }

    /// Turns a clone into a run that knows only the present: nothing more arrives, the run ends with the requests in
    /// flight, and decisions are free.
    pub(super) fn forget_the_future(&mut self) {
        self.trace = Arc::clone(&NO_REQUESTS);
        self.arrivals.forget();
        self.end = Time::MAX;
        self.jobs.forget_origins();
        self.measured_open = self.jobs.in_flight().len();
        self.rules.decision_cost = DecisionCost::Ideal;
        self.forget_variation();
        self.forget_drift();
    }

    /// The present trigger.
    pub fn trigger(&self) -> Trigger {
        self.rules.trigger
    }

    /// Replaces the trigger from now on.
    pub fn set_trigger(&mut self, trigger: Trigger) {
        self.ticks = Ticks::new(trigger);
        self.ticks.pass(self.now);
        self.rules.trigger = trigger;
    }

    pub(super) fn last_network(&self, accelerator: usize) -> Option<u32> {
        self.lanes.last_network(accelerator)
    }

    pub(super) fn firm(&self, tenant: u32) -> Option<Firm> {
        self.rules.firm.get(tenant as usize).copied().flatten()
    }

    /// The present time.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Counts decisions at which nothing runs and nothing is to come. Too many in a row without a start are a stall.
    fn stalls(&mut self) -> bool {
        let to_come = self.more_to_come() || !self.deadlines.is_empty();
        self.idle_decisions = if self.lanes.all_idle() && !to_come { self.idle_decisions + 1 } else { 0 };
        self.idle_decisions > MAX_IDLE_DECISIONS
    }

    /// Whether no measured request is open, or nothing is open and nothing is to come (stages of cascades may never
    /// arrive).
    fn is_over(&self) -> bool {
        self.measured_open == 0 || (self.jobs.in_flight().is_empty() && !self.more_to_come())
    }

    fn more_to_come(&self) -> bool {
        self.arrivals.next_time() < Time::MAX || self.end < Time::MAX
    }

    /// The time of the next event; [`Time::MAX`] if nothing can happen any more.
    fn next_event(&self) -> Time {
        let arrival = self.arrivals.next_time();
        let deadline = self.deadlines.peek().map_or(Time::MAX, |Reverse((time, _))| *time);
        // While a decision is in flight, ticks only count as missed: its end is the next event that matters.
        let idle = self.jobs.in_flight().is_empty();
        let decision = self.pending.at.unwrap_or(if idle { Time::MAX } else { self.ticks.next() });
        let change = self.next_change.at;
        self.lanes.next_end().min(arrival).min(deadline).min(decision).min(change).min(self.end)
    }

    fn trigger_fires(&self) -> bool {
        match self.rules.trigger {
            Trigger::Periodic(_) => self.changes.tick,
            Trigger::OnChange => self.changes.arrival_or_completion,
            Trigger::Never => false,
            Trigger::OnIdle => {
                (self.changes.idle_grew || self.changes.ready_grew)
                    && self.lanes.some_idle()
                    && self.has_ready()
            }
        }
    }

    fn has_ready(&self) -> bool {
        let is_ready = |job: &jobs::Job| job.open.iter().any(|&layer| job.sub(layer).state == State::Ready);
        self.jobs.in_flight().iter().any(|&id| self.jobs.get(id).is_some_and(is_ready))
    }

    fn complete_layers(&mut self, out: &mut dyn Recorder) {
        let mut from = 0;
        while let Some(accelerator) = self.lanes.next_ending(from, self.now) {
            from = accelerator + 1;
            if !self.enter_next_phase(accelerator, out) {
                let running = self.lanes.finish(accelerator);
                if self.estimates.is_some() {
                    self.end_estimate(accelerator);
                }
                self.complete(accelerator, &running, out);
            }
        }
    }

    /// Enters the next phase of the running layer, if one is left; returns whether it was.
    fn enter_next_phase(&mut self, accelerator: usize, out: &mut dyn Recorder) -> bool {
        let &Running { sub_job, phase, .. } = self.lanes.running_on(accelerator);
        let job = self.jobs.of(sub_job.job);
        let (origin, network) = (job.origin, &self.world.networks[job.request.network as usize]);
        let Some((phases, next)) = network.next_phase(sub_job.layer, accelerator, phase) else {
            return false;
        };
        self.lanes.enter(accelerator, phases, next, self.world.platform.sharing, self.now);
        self.changes.running_set = true;
        out.record(&Record::Phase { time: self.now, sub_job, accelerator, phase: next }, origin);
        true
    }

    /// Starts the sub-jobs that may start, and shares the bandwidth anew.
    fn settle(&mut self, out: &mut dyn Recorder) {
        self.settled = true;
        let mut from = 0;
        while let Some(accelerator) = self.lanes.next_startable(from) {
            from = accelerator + 1;
            if let Some(entry) = self.lanes.pop(accelerator, &self.jobs) {
                self.start(accelerator, &entry, out);
            }
        }
        if std::mem::take(&mut self.changes.running_set)
            && let Some(granted_bytes_per_ps) =
                self.lanes.share_bandwidth(self.world.platform.sharing, self.now)
        {
            out.record(&Record::Bandwidth { time: self.now, granted_bytes_per_ps }, Origin::NONE);
        }
        if self.estimates.is_some() {
            self.share_estimates();
        }
    }

    fn start(&mut self, accelerator: usize, entry: &Entry, out: &mut dyn Recorder) {
        let sub_job = entry.sub_job;
        let asked = self.jobs.of(sub_job.job).request.network;
        let network = &self.world.networks[asked as usize];
        let cost = match &network.residency {
            Some(residency) => {
                let found = self.residents.start(sub_job, asked, network, residency, accelerator);
                network.cost_finding(sub_job.layer, accelerator, found).map(|cost| (cost, found))
            }
            None => {
                let last = self.lanes.last_of(sub_job.job, accelerator);
                let cost = network.cost_after(sub_job.layer, accelerator, last);
                cost.map(|(cost, inputs)| (cost, Found { inputs, weights: 0.0 }))
            }
        };
        let (cost, found) = cost.expect("assignments are checked when they are applied");
        let interrupted = match &network.interruption {
            Some(_) => self.interrupted(sub_job, asked, accelerator),
            None => Interrupted::default(),
        };
        let cost = network.cost_interrupted(cost, accelerator, interrupted);
        let way = &network.ways[accelerator];
        let switch = &self.world.platform.accelerators[accelerator].switch;
        let cost = match self.lanes.turn_to(accelerator, asked) && *switch != Switch::FREE {
            true => switch.before(cost, way),
            false => cost,
        };
        let job = self.jobs.of(sub_job.job);
        let sub = job.sub(sub_job.layer);
        assert!(
            sub.state == State::Ready && sub.unfinished == 0,
            "{sub_job:?} starts before its predecessors end"
        );
        let weight = sub.assignment.expect("what is in a queue is assigned").weight;
        let (ready, assigned, alone) = (sub.ready_at, sub.assigned_at, cost.alone);
        let origin = job.origin;
        let known = self.corrections.as_ref().map_or(&self.world, |corrections| corrections.world());
        job.start(sub_job.layer, accelerator, &known.networks[asked as usize]);
        let pace = match &*self.rules.variation {
            Some(draws) => job.paces[sub_job.layer as usize] * draws.bias(asked, accelerator),
            None => 1.0,
        };
        let mut running = Running::new(sub_job, entry.priority, weight, (cost, found), pace, self.now);
        running.repeated = interrupted.repeated;
        if let Some(corrections) = &self.corrections {
            running.ratio = corrections.ratio(asked, accelerator);
        }
        let sharing = self.world.platform.sharing;
        self.lanes.start(accelerator, running, way, sharing);
        if let Some(phases) = network.phases(sub_job.layer, accelerator) {
            self.lanes.enter(accelerator, phases, 0, sharing, self.now);
        }
        self.changes.running_set = true;
        self.idle_decisions = 0;
        let start = Record::Start {
            time: self.now,
            sub_job,
            network: asked,
            accelerator,
            weight,
            ready,
            assigned,
            alone,
        };
        out.record(&start, origin);
        if self.estimates.is_some() {
            self.estimate(accelerator, running);
            out.record(&Record::Pace { time: self.now, sub_job, accelerator, pace }, origin);
        }
    }
}

/// Puts a ready, assigned sub-job that is not held into its accelerator's queue.
fn enqueue(sub_job: SubJobId, jobs: &mut Jobs, lanes: &mut Lanes) {
    let job = jobs.unseen(sub_job.job).expect("a job with a ready layer has a slot");
    let (held, arrival) = (job.held, job.request.arrival);
    let sub = job.sub_mut(sub_job.layer);
    sub.stamp += 1;
    let (Some(assignment), State::Ready, false) = (sub.assignment, sub.state, held) else { return };
    let entry = Entry { priority: assignment.priority, arrival, sub_job, stamp: sub.stamp };
    lanes.push(assignment.accelerator, entry, jobs);
}
