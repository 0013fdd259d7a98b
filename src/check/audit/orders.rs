//! Checks that the engine does exactly what the scheduler ordered.

use super::jobs::{Fate, Job};
use super::lanes::Run;
use super::{Audit, Check, ensure, ensure_close};
use crate::sim::{Action, Decision, JobId, Record, RequestId, SubJobId, Unassigned};
use crate::units::Time;

/// The accelerator and the priority that the scheduler gave a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Assignment {
    pub(super) accelerator: usize,
    pub(super) priority: f64,
    /// The weight of its share of the bandwidth, if the system shares by `score`.
    pub(super) weight: f64,
    /// When a decision put the layer, or the predecessor that it follows, on the accelerator.
    pub(super) since: Time,
}

/// The decision in flight.
#[derive(Default)]
pub(super) struct Orders {
    /// The answer of the scheduler, until it is recorded.
    announced: Option<Decision>,
    /// The time at which it takes effect.
    pub(super) due: Option<Time>,
    /// The time at which it was taken.
    pub(super) taken: Time,
    actions: Vec<Action>,
    /// The number of actions that have taken effect or were skipped.
    obeyed: usize,
    skipped: u32,
}

impl Audit<'_> {
    pub(super) fn announce(&mut self, decision: &Decision) -> Check {
        self.orders.announced = Some(decision.clone());
        Ok(())
    }

    pub(super) fn decide(&mut self, record: &Record) -> Check {
        let Record::Decision { latency, energy, operations, ready, open, .. } = *record else {
            return Err(format!("{record:?} is no decision"));
        };
        self.judge_trigger(true)?;
        ensure!(self.orders.due.is_none(), "a decision while another is in flight");
        let decision = self.orders.announced.take().ok_or("a decision that no scheduler took")?;
        let spent = decision.operations;
        ensure!(operations == spent, "the decision is charged for {operations:?}, not {spent:?}");
        let (charged, charged_energy) = self.rules.decision_cost.charge(spent);
        ensure!(latency == charged, "the decision takes {} ps, not {} ps", latency.0, charged.0);
        ensure_close("energy of the decision in pJ", energy.0, charged_energy.0)?;
        let sub_jobs = self.open_jobs().flat_map(|job| job.open_layers().map(|layer| job.is_ready(layer)));
        let sub_jobs: Vec<bool> = sub_jobs.collect();
        let counted = (sub_jobs.iter().filter(|&&ready| ready).count() as u32, sub_jobs.len() as u32);
        ensure!(
            (ready, open) == counted,
            "{ready} of {open} sub-jobs are ready, not (ready, open) {counted:?}"
        );
        self.totals.decision(self.now, energy);
        self.orders.taken = self.now;
        self.orders.due = Some(self.now + latency);
        self.orders.actions = decision.actions;
        (self.orders.obeyed, self.orders.skipped) = (0, 0);
        Ok(())
    }

    /// The drop of a request by the scheduler is recorded when the actions before it have taken effect.
    pub(super) fn obey_until_drop(&mut self, request: RequestId) -> Check {
        ensure!(self.orders.due == Some(self.now), "request {} is dropped without a decision", request.0);
        while let Some(action) = self.next_action() {
            let asked = action == Action::Drop { request };
            if asked && self.job(JobId(request.0))?.fate == Fate::Open {
                return Ok(());
            }
            self.obey(action)?;
        }
        Err(format!("request {} is dropped without an order", request.0))
    }

    pub(super) fn applied(&mut self, skipped: u32) -> Check {
        let due = self.orders.due.take();
        ensure!(due == Some(self.now), "a decision takes effect, but is due at {due:?}");
        while let Some(action) = self.next_action() {
            self.obey(action)?;
        }
        let expected = self.orders.skipped;
        ensure!(skipped == expected, "{skipped} actions are skipped, not {expected}");
        self.totals.skipped(self.now, skipped);
        self.triggers.decision_in_effect(self.rules.trigger, self.orders.taken, self.now);
        Ok(())
    }

    fn next_action(&mut self) -> Option<Action> {
        let action = self.orders.actions.get(self.orders.obeyed).copied();
        self.orders.obeyed += 1;
        action
    }

    fn obey(&mut self, action: Action) -> Check {
        let (Action::Assign { sub_job: SubJobId { job: JobId(id), .. }, .. }
        | Action::Hold { job: JobId(id) }
        | Action::Drop { request: RequestId(id) }) = action;
        let job = self
            .jobs
            .get_mut(id as usize)
            .ok_or_else(|| format!("{action:?} for an unknown sub-job or request"))?;
        let effective = match action {
            Action::Assign { accelerator, .. } if self.conditions.is_lost(accelerator) => false,
            Action::Assign { sub_job, accelerator, priority, weight } => {
                job.assign(sub_job.layer, Assignment { accelerator, priority, weight, since: self.now })
            }
            Action::Hold { .. } => job.hold(),
            Action::Drop { request } => {
                ensure!(job.fate != Fate::Open, "request {} is not dropped as ordered", request.0);
                false
            }
        };
        self.orders.skipped += u32::from(!effective);
        Ok(())
    }

    /// A successor that becomes ready without an assignment follows the predecessor that ended last, if the rules allow
    /// it.
    pub(super) fn release_successors(&mut self, run: &Run, accelerator: usize) {
        let SubJobId { job: id, layer } = run.sub_job;
        let job = &mut self.jobs[id.0 as usize];
        if self.rules.unassigned == Unassigned::Hold || job.held {
            return;
        }
        for &next in &job.network.successors[layer as usize] {
            let able = job.known.cost(next, accelerator).is_some();
            if job.is_ready(next) && able {
                let assignment = Assignment { accelerator, ..run.assignment };
                job.layers[next as usize].assignment.get_or_insert(assignment);
            }
        }
    }

    /// The ready sub-job that an idle accelerator starts: of those assigned to it and not held, the highest priority,
    /// then the earliest arrival, then the lowest id.
    fn next_on(&self, accelerator: usize) -> Option<(SubJobId, Assignment)> {
        let mut first: Option<(SubJobId, Assignment)> = None;
        for job in self.open_jobs().filter(|job| !job.held) {
            for layer in job.open_layers().filter(|&layer| job.is_ready(layer)) {
                let Some(assignment) = job.layers[layer as usize].assignment else { continue };
                // Jobs are visited in the order of arrival, layers by id: ties go to the first.
                let higher = |other: &Assignment| assignment.priority.total_cmp(&other.priority).is_gt();
                if assignment.accelerator == accelerator
                    && first.as_ref().is_none_or(|(_, other)| higher(other))
                {
                    first = Some((SubJobId { job: job.id, layer }, assignment));
                }
            }
        }
        first
    }

    /// Checks that it is this sub-job that starts.
    pub(super) fn check_next(&self, sub_job: SubJobId, accelerator: usize) -> Result<Assignment, String> {
        let job = self.job(sub_job.job)?;
        ensure!(job.fate == Fate::Open, "{sub_job:?} starts, but its request is {:?}", job.fate);
        ensure!(job.is_ready(sub_job.layer), "{sub_job:?} starts before its predecessors end");
        ensure!(!job.held, "{sub_job:?} starts, but its job is held");
        let next = self.next_on(accelerator);
        let next = next.filter(|(next, _)| *next == sub_job).ok_or_else(|| {
            let assignment = job.layers[sub_job.layer as usize].assignment;
            format!(
                "{sub_job:?} with {assignment:?} starts on accelerator {accelerator}, but next there is {next:?}"
            )
        })?;
        Ok(next.1)
    }

    /// Checks that no accelerator idles while a layer may start on it.
    pub(super) fn check_nothing_waits(&self) -> Check {
        for (accelerator, _) in self.lanes.runs.iter().enumerate().filter(|(_, run)| run.is_none()) {
            let next = self.next_on(accelerator);
            ensure!(next.is_none(), "accelerator {accelerator} idles, but {next:?} could start");
        }
        self.check_nobody_is_late()
    }
}

impl Job<'_> {
    fn assign(&mut self, layer: u32, mut assignment: Assignment) -> bool {
        let open = self.is_open(layer);
        if open {
            self.held = false;
            let known = &mut self.layers[layer as usize].assignment;
            if let Some(before) = known.filter(|before| before.accelerator == assignment.accelerator) {
                assignment.since = before.since;
            }
            *known = Some(assignment);
        }
        open
    }

    /// Holds a job. Also removes its assignments, so that a later assignment of one layer does not revive the others.
    fn hold(&mut self) -> bool {
        let open = self.fate == Fate::Open;
        if open {
            self.held = true;
            self.layers.iter_mut().filter(|layer| !layer.started).for_each(|layer| layer.assignment = None);
        }
        open
    }
}
