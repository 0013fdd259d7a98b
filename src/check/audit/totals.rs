//! The totals of a run, to compare with the metrics of the same records.

use super::lanes::Run;
use crate::sim::{Request, Trace};
use crate::units::{Picojoules, Time};

/// Sums over a run. The window is that of the metrics: from the arrival of the first measured request to the end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    /// Requests that arrived = done + dropped + in flight.
    pub arrived: u64,
    /// Requests that were done.
    pub done: u64,
    /// Requests that were done by their deadline.
    pub met: u64,
    /// Requests that were dropped.
    pub dropped: u64,
    /// Measured requests that arrived.
    pub measured_arrived: u64,
    /// Measured requests that were done.
    pub measured_done: u64,
    /// Measured requests that were done by their deadline.
    pub measured_met: u64,
    /// Measured requests that were dropped.
    pub measured_dropped: u64,
    /// Layer runs that ended.
    pub layers: u64,
    /// Decisions.
    pub decisions: u64,
    /// Actions that events had overtaken.
    pub skipped: u64,
    /// Decisions in the window.
    pub window_decisions: u64,
    /// Actions that events had overtaken in the window.
    pub window_skipped: u64,
    /// Energy of the decisions in the window.
    pub policy_energy: Picojoules,
    /// What accelerators and DRAM draw in the window whatever runs.
    pub static_energy: Picojoules,
    /// Layer energy of measured requests by tenant.
    pub layer_energy_by_tenant: Vec<Picojoules>,
    /// Length of the window.
    pub window: Time,
    /// Busy time within the window, summed over the accelerators.
    pub busy: Time,
    /// DRAM bytes moved within the window.
    pub dram_bytes: f64,
    pub(super) busy_accelerators: usize,
    pub(super) granted_bytes_per_ps: f64,
    /// The start of the window; [`Time::MAX`] before the first measured request arrives.
    pub(super) window_start: Time,
}

impl Totals {
    pub(super) fn new(trace: &Trace) -> Self {
        let tenants = trace.requests.iter().map(|request| request.tenant as usize + 1).max().unwrap_or(0);
        Self {
            layer_energy_by_tenant: vec![Picojoules(0.0); tenants],
            window_start: Time::MAX,
            ..Self::default()
        }
    }

    pub(super) fn arrive(&mut self, now: Time, counts: bool) {
        self.arrived += 1;
        if counts {
            self.measured_arrived += 1;
            self.window_start = self.window_start.min(now);
        }
    }

    /// Adds the time from `now` to `next`, in which nothing changes.
    pub(super) fn advance(&mut self, now: Time, next: Time) {
        let elapsed = next.saturating_sub(now.max(self.window_start));
        self.window += elapsed;
        self.busy += Time(elapsed.0 * self.busy_accelerators as u64);
        self.dram_bytes += elapsed.as_ps() * self.granted_bytes_per_ps;
    }

    pub(super) fn decision(&mut self, now: Time, energy: Picojoules) {
        self.decisions += 1;
        if now >= self.window_start {
            self.window_decisions += 1;
            self.policy_energy += energy;
        }
    }

    pub(super) fn skipped(&mut self, now: Time, actions: u32) {
        self.skipped += u64::from(actions);
        self.window_skipped += if now >= self.window_start { u64::from(actions) } else { 0 };
    }

    pub(super) fn finish(&mut self, request: &Request, run: &Run, counts: bool) {
        self.layers += 1;
        if counts {
            self.layer_energy_by_tenant[request.tenant as usize] += run.cost.energy;
        }
    }
}
