//! Adds up what accelerators and DRAM draw whatever runs, from each event to the next.

use super::Audit;
use crate::units::Time;

impl Audit<'_> {
    /// Adds the time up to `next`, before which nothing happens.
    pub(super) fn stand_by(&mut self, next: Time) {
        let from = self.now.max(self.totals.window_start).min(next);
        let platform = &self.world.platform;
        let mut pj = platform.dram_power.pj_per_ps() * (next - from).as_ps();
        for (place, accelerator) in platform.accelerators.iter().enumerate() {
            let off = self.off_from(place).clamp(from, next);
            let residual = accelerator.gating.map_or(1.0, |gating| gating.residual);
            let on_ps = (off - from).as_ps() + residual * (next - off).as_ps();
            pj += accelerator.standby_pj_per_ps() * on_ps;
        }
        self.totals.static_energy.0 += pj;
    }

    /// Adds the energy of waking an accelerator on which a layer starts now.
    pub(super) fn wake(&mut self, accelerator: usize) {
        let is_off = self.off_from(accelerator) < self.now;
        if let Some(gating) = self.world.platform.accelerators[accelerator].gating
            && is_off
            && self.totals.window_start <= self.now
        {
            self.totals.static_energy += gating.wake;
        }
    }

    /// When an accelerator is off if nothing starts on it until then; [`Time::MAX`] is never.
    fn off_from(&self, accelerator: usize) -> Time {
        match self.world.platform.accelerators[accelerator].gating {
            Some(gating) if self.lanes.runs[accelerator].is_none() => {
                self.lanes.idle_since[accelerator].saturating_add(gating.after)
            }
            _ => Time::MAX,
        }
    }
}
