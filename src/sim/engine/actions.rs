//! Decisions are checked against the view on which they were made, charged, and applied when their latency has passed.

use super::super::{Action, Decision, DropReason, IllegalAction, JobId, Origin, Record, Recorder, SubJobId};
use super::jobs::Assignment;
use super::{Engine, enqueue};
use crate::units::Time;

/// The decision in flight, if any; the buffer is reused.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) at: Option<Time>,
    /// The first tick after the view on which the decision was made.
    tick: Time,
    actions: Vec<Action>,
}

clone_by_field!(Pending { at, tick, actions });

impl Engine {
    /// Accepts the decision on the present view. Its actions take effect after its latency; actions that events
    /// overtake in the meantime are skipped and counted.
    ///
    /// # Errors
    /// An action that is illegal on the view: an unknown id, a sub-job that may not be assigned, an accelerator that
    /// cannot run it, or a priority that is not a number.
    pub fn apply(&mut self, decision: &Decision, out: &mut dyn Recorder) -> Result<(), IllegalAction> {
        assert!(std::mem::take(&mut self.awaits_decision), "a decision is applied once, after Step::Decide");
        for action in &decision.actions {
            self.check(action).map_err(|reason| IllegalAction {
                action: *action,
                time_ps: self.now.0,
                reason,
            })?;
        }
        let operations = decision.operations;
        let (latency, energy) = self.rules.decision_cost.charge(operations);
        let open = self.snapshot.sub_jobs.len() as u32;
        let ready = self.snapshot.sub_jobs.iter().filter(|sub| sub.ready).count() as u32;
        out.record(
            &Record::Decision { time: self.now, latency, energy, operations, ready, open },
            Origin::NONE,
        );
        if latency == Time::ZERO {
            self.settled = false;
            self.take_effect(&decision.actions, out);
        } else {
            self.pending.at = Some(self.now + latency);
            self.pending.tick = self.ticks.next();
            self.pending.actions.clone_from(&decision.actions);
        }
        Ok(())
    }

    fn check(&self, action: &Action) -> Result<(), &'static str> {
        match *action {
            Action::Assign { sub_job, accelerator, priority, weight } => {
                if priority.is_nan() {
                    return Err("the priority is not a number");
                }
                if !(weight > 0.0 && weight < f64::INFINITY) {
                    return Err("the weight is not a positive number");
                }
                let job = self.jobs.get(sub_job.job).ok_or("the job is not in flight")?;
                if !job.is_open(sub_job.layer) {
                    return Err("the sub-job is neither ready nor next after running layers");
                }
                let network = &self.world.networks[job.request.network as usize];
                match network.alone(sub_job.layer).get(accelerator) {
                    None => Err("there is no such accelerator"),
                    Some(&Time::MAX) => Err("the accelerator cannot run this layer"),
                    Some(_) => Ok(()),
                }
            }
            Action::Hold { job } => self.check_in_flight(job),
            Action::Drop { request } => self.check_in_flight(JobId(request.0)),
        }
    }

    fn check_in_flight(&self, job: JobId) -> Result<(), &'static str> {
        self.jobs.in_flight().binary_search(&job).map(|_| ()).map_err(|_| "the job is not in flight")
    }

    /// Applies the decision in flight if it is due; returns whether a trigger waited for its end.
    pub(super) fn apply_pending(&mut self, out: &mut dyn Recorder) -> bool {
        if self.pending.at.take_if(|at| *at == self.now).is_none() {
            return false;
        }
        let actions = std::mem::take(&mut self.pending.actions);
        self.take_effect(&actions, out);
        self.pending.actions = actions;
        std::mem::take(&mut self.missed_trigger) || self.pending.tick < self.now
    }

    fn take_effect(&mut self, actions: &[Action], out: &mut dyn Recorder) {
        let mut skipped = 0;
        for action in actions {
            let effective = match *action {
                Action::Assign { sub_job, accelerator, priority, weight } => {
                    self.assign(sub_job, Assignment { accelerator, priority, weight })
                }
                Action::Hold { job } => self.hold(job),
                Action::Drop { request } => self.drop_request(request, DropReason::Scheduler, out),
            };
            skipped += u32::from(!effective);
        }
        out.record(&Record::Applied { time: self.now, skipped }, Origin::NONE);
    }

    fn assign(&mut self, sub_job: SubJobId, assignment: Assignment) -> bool {
        let now = self.now;
        let Some(job) = self.jobs.unseen(sub_job.job).filter(|job| job.is_open(sub_job.layer)) else {
            return false;
        };
        if self.lanes.lost().contains(assignment.accelerator) {
            return false;
        }
        let was_held = std::mem::take(&mut job.held);
        let sub = job.sub_mut(sub_job.layer);
        let before = sub.assignment.replace(assignment);
        if before == Some(assignment) && !was_held {
            return true;
        }
        let moves = before.is_none_or(|before| before.accelerator != assignment.accelerator);
        if moves {
            sub.assigned_at = now;
        }
        // Most decisions change priorities alone, which no view shows.
        if moves || was_held {
            self.jobs.of(sub_job.job);
        }
        enqueue(sub_job, &mut self.jobs, &mut self.lanes);
        true
    }

    /// Takes the assignments of all open layers away, so that only sub-jobs that are assigned again start later.
    fn hold(&mut self, id: JobId) -> bool {
        let Some(job) = self.jobs.get_mut(id).filter(|job| !job.abandoned) else { return false };
        job.held = true;
        for i in 0..job.open.len() {
            let sub = job.sub_mut(job.open[i]);
            sub.assignment = None;
            sub.stamp += 1;
        }
        true
    }
}
