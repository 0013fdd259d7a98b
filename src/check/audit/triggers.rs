//! Checks that decisions are taken at the triggers, and only there.

use super::{Audit, Check, Job, ensure};
use crate::sim::{DecisionCost, Trigger};
use crate::units::Time;

/// The triggers of this instant, and those that wait for the decision in flight.
#[derive(Default)]
pub(super) struct Triggers {
    /// Whether a request arrived or a layer ended, so that there is a ready layer or an idle accelerator.
    changed: bool,
    /// Whether a trigger fired while the decision that takes effect now was in flight.
    waited: bool,
    /// Whether a trigger has fired while the current decision is in flight.
    missed: bool,
    /// Whether the trigger of this instant has been checked.
    judged: bool,
}

impl Triggers {
    pub(super) fn change(&mut self) {
        self.changed = true;
    }

    /// Triggers during the latency of a decision merge into one at its end.
    pub(super) fn decision_in_effect(&mut self, trigger: Trigger, taken: Time, now: Time) {
        let tick = matches!(trigger, Trigger::Periodic(period) if next_tick(period, taken) < now);
        self.waited = std::mem::take(&mut self.missed) || tick;
    }

    pub(super) fn next_instant(&mut self) {
        *self = Self { missed: self.missed, ..Self::default() };
    }
}

/// The next multiple of the period.
pub(super) fn next_tick(period: Time, now: Time) -> Time {
    Time((now.0 / period.0 + 1) * period.0)
}

impl Audit<'_> {
    fn fires(&self) -> bool {
        let Triggers { changed, waited, .. } = self.triggers;
        waited
            || match self.rules.trigger {
                Trigger::Periodic(period) => self.now.0.is_multiple_of(period.0),
                Trigger::OnChange => changed,
                Trigger::Never => false,
                Trigger::OnIdle => changed && self.something_idles() && self.something_is_ready(),
            }
    }

    fn something_idles(&self) -> bool {
        let mut lanes = self.lanes.runs.iter().enumerate();
        lanes.any(|(accelerator, run)| run.is_none() && !self.conditions.is_lost(accelerator))
    }

    fn something_is_ready(&self) -> bool {
        self.open_jobs().any(|job| job.open_layers().any(|layer| job.is_ready(layer)))
    }

    /// Whether some sub-job may be assigned.
    fn something_is_open(&self) -> bool {
        self.open_jobs().any(|job: &Job| job.open_layers().next().is_some())
    }

    /// Checks, once per instant, that a decision is taken exactly if the trigger fires.
    pub(super) fn judge_trigger(&mut self, decided: bool) -> Check {
        if std::mem::replace(&mut self.triggers.judged, true) {
            ensure!(!decided, "a decision that the trigger does not ask for");
            return Ok(());
        }
        let fires = self.fires();
        if fires && self.orders.due.is_some() {
            self.triggers.missed = true;
            ensure!(!decided, "a decision while another is in flight");
            return Ok(());
        }
        let expected = fires && self.measured_open > 0 && self.something_is_open();
        ensure!(decided || !expected, "the trigger asks for a decision, but none is taken");
        ensure!(expected || !decided, "a decision that the trigger does not ask for");
        Ok(())
    }

    /// An ideal decision comes before the starts of its instant, so the first start shows that there is none.
    pub(super) fn judge_trigger_before_start(&mut self) -> Check {
        if self.rules.decision_cost == DecisionCost::Ideal && !self.triggers.judged {
            self.judge_trigger(false)?;
        }
        Ok(())
    }

    /// Checks that no tick passes at which some sub-job may be assigned, unless a decision is in flight.
    pub(super) fn check_no_tick_before(&self, next: Time) -> Check {
        if let Trigger::Periodic(period) = self.rules.trigger
            && self.orders.due.is_none()
            && self.something_is_open()
        {
            let tick = next_tick(period, self.now);
            ensure!(next <= tick, "no decision is taken at the tick at {} ps", tick.0);
        }
        let due = self.orders.due;
        ensure!(due.is_none_or(|due| next <= due), "the decision in flight is due at {due:?}");
        Ok(())
    }
}
