//! What accelerators and DRAM draw whatever runs: leakage and clock of the accelerators, standby and refresh of the DRAM,
//! over the measurement window.
//!
//! An accelerator with power gating is off from the time when it has run no layer for [`Gating::after`], counted from the
//! end of its last layer or the start of the run, until its next layer starts, which wakes it, or the run ends. While it is
//! off it draws a share of its leakage and clock power. A wake-up counts in the window if it happens there.

use std::sync::Arc;

use super::Context;
use super::context::Window;
use crate::sim::{AcceleratorModel, Gating, Origin, Platform, Record, Recorder, World};
use crate::units::{Picojoules, Time};

/// A time in which an accelerator was off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Nap {
    pub(super) accelerator: usize,
    pub(super) gating: Gating,
    pub(super) from: Time,
    pub(super) to: Time,
    /// Whether a layer started then; if not, the run ended.
    pub(super) wakes: bool,
}

/// Finds the naps of a run.
pub(super) struct Naps {
    /// The gating of each accelerator; empty if none has any.
    gatings: Vec<Option<Gating>>,
    /// Since when each accelerator runs no layer; `None` while it does.
    idle_since: Vec<Option<Time>>,
}

impl Naps {
    /// All accelerators are on and idle.
    pub(super) fn new(platform: &Platform) -> Self {
        let mut gatings: Vec<Option<Gating>> = platform.accelerators.iter().map(|a| a.gating).collect();
        if gatings.iter().all(Option::is_none) {
            gatings.clear();
        }
        let idle_since = vec![Some(Time::ZERO); gatings.len()];
        Self { gatings, idle_since }
    }

    /// Whether any accelerator is ever off.
    #[inline]
    pub(super) fn may_be(&self) -> bool {
        !self.gatings.is_empty()
    }

    /// The naps that a record ends.
    pub(super) fn follow(&mut self, record: &Record) -> Vec<Nap> {
        match *record {
            _ if !self.may_be() => Vec::new(),
            Record::Start { time, accelerator, .. } => {
                self.end(accelerator, time, true).into_iter().collect()
            }
            Record::Finish { time, accelerator, .. } => {
                self.idle_since[accelerator] = Some(time);
                Vec::new()
            }
            Record::End { time } => {
                (0..self.gatings.len()).filter_map(|place| self.end(place, time, false)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Ends what an accelerator idles, and its nap if that was long enough for one.
    fn end(&mut self, accelerator: usize, to: Time, wakes: bool) -> Option<Nap> {
        let since = self.idle_since[accelerator].take()?;
        let gating = self.gatings[accelerator]?;
        let from = since.saturating_add(gating.after);
        (from < to).then_some(Nap { accelerator, gating, from, to, wakes })
    }
}

/// What an accelerator has spared and spent by its naps in the window.
#[derive(Clone, Copy, Default)]
struct Rest {
    off: Time,
    wakes: u64,
}

/// The fold.
pub(super) struct Standby {
    world: Arc<World>,
    window: Window,
    naps: Naps,
    /// By accelerator.
    rests: Vec<Rest>,
}

impl Standby {
    pub(super) fn new(context: &Context) -> Self {
        let world = Arc::clone(&context.world);
        let naps = Naps::new(&world.platform);
        let rests = vec![Rest::default(); world.platform.accelerators.len()];
        Self { world, window: Window::new(), naps, rests }
    }

    /// Whether the window has begun by then.
    pub(super) fn has_begun_by(&self, time: Time) -> bool {
        self.window.has_begun_by(time)
    }

    /// The length of the window; zero as long as it is open.
    pub(super) fn window_ps(&self) -> f64 {
        self.window.length().as_ps()
    }

    /// How long an accelerator was on in the window, with the share that it draws while it is off.
    pub(super) fn on_ps(&self, accelerator: usize) -> f64 {
        let residual = self.model(accelerator).gating.map_or(1.0, |gating| gating.residual);
        self.window_ps() - (1.0 - residual) * self.rests[accelerator].off.as_ps()
    }

    /// What an accelerator spent in the window on waking up.
    pub(super) fn waking(&self, accelerator: usize) -> Picojoules {
        let wake = self.model(accelerator).gating.map_or(Picojoules(0.0), |gating| gating.wake);
        wake * self.rests[accelerator].wakes as f64
    }

    /// All of it.
    pub(super) fn total_pj(&self) -> f64 {
        let platform = &self.world.platform;
        let (on, gated): (Vec<usize>, Vec<usize>) =
            (0..self.rests.len()).partition(|&place| self.model(place).gating.is_none());
        let watts = |place: usize| self.model(place).standby_pj_per_ps();
        let always = on.into_iter().map(watts).sum::<f64>() + platform.dram_power.pj_per_ps();
        let gated = gated.into_iter().map(|place| watts(place) * self.on_ps(place) + self.waking(place).0);
        always * self.window_ps() + gated.sum::<f64>()
    }

    fn model(&self, accelerator: usize) -> &AcceleratorModel {
        &self.world.platform.accelerators[accelerator]
    }
}

impl Recorder for Standby {
    fn record(&mut self, record: &Record, origin: Origin) {
        if matches!(record, Record::Arrival { .. } | Record::End { .. }) {
            self.window.follow(record, origin);
        }
        if !self.naps.may_be() {
            return;
        }
        for nap in self.naps.follow(record) {
            let rest = &mut self.rests[nap.accelerator];
            rest.off += self.window.share_of(nap.from, nap.to);
            rest.wakes += u64::from(nap.wakes && self.window.has_begun_by(nap.to));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::testing::standby_example;

    #[test]
    fn naps_by_hand() {
        let example = standby_example();
        let mut records: Vec<(Record, Origin)> = Vec::new();
        example.record(&mut records);
        let mut naps = Naps::new(&example.world.platform);
        let all = records.iter().flat_map(|(record, _)| naps.follow(record));
        let told: Vec<_> = all.map(|nap| (nap.accelerator, nap.from.0, nap.to.0, nap.wakes)).collect();
        // m0 is idle 25-35 and 50-60, m1 0-5.
        assert_eq!(told, [(1, 0, 5_000, true), (0, 32_000, 35_000, true), (0, 57_000, 60_000, true)]);
    }

    #[test]
    fn energy_of_the_window_by_hand() {
        // The window has 60 ns, in which m1 is on throughout: 60 pJ. m0 is off for 6 ns: 3 pJ/ns x (54 + 6 / 4) ns + 2 x 6
        // pJ = 178.5 pJ. The DRAM: 45 pJ. With 6 pJ of layers and 35 pJ of decisions 324.5 pJ, over 4 requests.
        standby_example().assert(&[
            ("energy_layers_uj", 6e-6),
            ("energy_static_uj", 283.5e-6),
            ("energy_policy_uj", 35e-6),
            ("energy_per_request_uj", 81.125e-6),
            ("edp_uj_us", 81.125e-6 * 0.08 / 3.0),
        ]);
    }

    #[test]
    fn what_happens_before_the_window_does_not_count() {
        let mut example = standby_example();
        // r3 to r5 are left; the window is from 35, when r3 arrives and wakes m0, to 65, when r4 ends or 70, when r5 does.
        (example.trace.measured, example.trace.span.warmup) = (0..6, Time(5_001));
        // m0: off 57-60, and awake from 35 on. 3 x (32 + 3 / 4) + 12. m1 ends at 65 and is off until 70. DRAM 35 x 0.75.
        example.assert(&[("energy_static_uj", (98.25 + 12.0 + 30.0 + 26.25) * 1e-6)]);
    }

    #[test]
    fn an_accelerator_that_is_off_at_the_end_stays_off() {
        let mut example = standby_example();
        example.trace.span.end = Time(58_000);
        // m0 is off 32-35 and 57-58 of the 53 ns of the window, and wakes up once.
        example.assert(&[("energy_static_uj", (3.0 * (49.0 + 1.0) + 6.0 + 53.0 + 53.0 * 0.75) * 1e-6)]);
    }
}
