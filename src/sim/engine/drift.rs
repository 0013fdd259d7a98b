//! Changes of conditions at their times: the first event of an instant.

use std::sync::Arc;

use super::super::{Drift, Losing, Origin, Record, Recorder};
use super::Engine;
use crate::units::Time;

/// The next change of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct NextChange {
    place: usize,
    /// When it happens; [`Time::MAX`] if none is left.
    pub(super) at: Time,
}

impl NextChange {
    pub(super) fn first(drift: &Drift) -> Self {
        Self::nth(0, drift)
    }

    fn nth(place: usize, drift: &Drift) -> Self {
        Self { place, at: drift.get(place).map_or(Time::MAX, |change| change.at) }
    }
}

impl Engine {
    /// Makes the change that is due now.
    #[cold]
    pub(super) fn change_conditions(&mut self, out: &mut dyn Recorder) {
        let drift = self.rules.drift.clone();
        let change = &drift[self.next_change.place];
        self.next_change = NextChange::nth(self.next_change.place + 1, &drift);
        let speed = change.speed.unwrap_or(self.lanes.speed());
        let bandwidth_bytes_per_ps = change.bandwidth_bytes_per_ps.unwrap_or(self.lanes.bandwidth());
        self.lanes.set_conditions(speed, bandwidth_bytes_per_ps);
        if let Some(estimates) = &mut self.estimates {
            estimates.set_conditions(speed, bandwidth_bytes_per_ps);
        }
        self.changes.running_set = true;
        if let Some(loss) = &change.loss {
            self.lose(loss);
        }
        let lost = self.lanes.lost().len();
        out.record(&Record::Drift { time: self.now, speed, bandwidth_bytes_per_ps, lost }, Origin::NONE);
    }

    /// The number of lost accelerators.
    pub(in crate::sim) fn losses(&self) -> u32 {
        self.lanes.lost().len()
    }

    /// Goes on without some accelerators. What was assigned to them may be assigned anew, which triggers a decision as an
    /// arrival does.
    fn lose(&mut self, loss: &Losing) {
        self.world = Arc::clone(&loss.world);
        if let Some(corrections) = &mut self.corrections {
            corrections.take(&self.world);
        }
        loss.accelerators.iter().for_each(|&accelerator| self.lanes.lose(accelerator));
        self.changes.ready_grew = true;
        self.changes.arrival_or_completion = true;
        for place in 0..self.jobs.in_flight().len() {
            let id = self.jobs.in_flight()[place];
            let job = self.jobs.of(id);
            job.estimate(&self.world.networks[job.request.network as usize]);
            for place in 0..job.open.len() {
                let sub = job.sub_mut(job.open[place]);
                if sub.assignment.is_some_and(|of| self.lanes.lost().contains(of.accelerator)) {
                    sub.assignment = None;
                    sub.stamp += 1;
                }
            }
        }
    }

    /// Goes on as the cost tables say, without any change to come. Lost accelerators stay lost.
    pub(crate) fn forget_drift(&mut self) {
        if self.rules.drift.is_empty() {
            return;
        }
        self.rules.drift = Drift::NONE;
        self.next_change = NextChange::first(&Drift::NONE);
        let nominal = (1.0, self.world.platform.bandwidth_bytes_per_ps);
        // A change to come must not show, so nothing else differs where none has come yet.
        if (self.lanes.speed(), self.lanes.bandwidth()) != nominal {
            self.lanes.set_conditions(nominal.0, nominal.1);
            self.changes.running_set = true;
            self.settled = false;
        }
    }
}
