//! Energy in three columns that add up, and per request.
//!
//! Layers: dynamic energy of the layer runs of counted requests, charged when a layer ends, also one whose request was
//! dropped meanwhile; a layer that still runs when the run ends is not charged (at most one per accelerator, of a
//! request that was dropped or is unfinished). Static: leakage of all accelerators over the window. Policy: decisions in the window.
//! DRAM energy is part of the layers; its background power is left out.

use super::context::Window;
use super::{Column, Context, Given, Metric, MetricEntry, Value};
use crate::sim::{Origin, Record, Recorder};
use crate::units::Picojoules;

pub(super) const ENTRY: MetricEntry = MetricEntry {
    name: "energy",
    doc: "Energy of layers, leakage and decisions in columns that add up, and their sum per request",
    columns: &[
        Column::lower("energy_layers_uj", "Dynamic energy of the layer runs of counted requests"),
        Column::lower("energy_static_uj", "Leakage of all accelerators over the measurement window"),
        Column::lower("energy_policy_uj", "Energy of the decisions in the measurement window"),
        Column::lower(
            "energy_per_request_uj",
            "Layers + static + policy per counted request, met or given up",
        )
        .given(Given::Counted),
        Column::lower(
            "energy_per_met_request_uj",
            "Layers + static + policy per counted request that was met",
        )
        .given(Given::Met),
    ],
    new: |context| Box::new(Energy::new(context)),
};

pub(super) struct Energy<'a> {
    context: Context<'a>,
    window: Window,
    layers: Picojoules,
    policy: Picojoules,
    requests: u64,
    met: u64,
}

impl<'a> Energy<'a> {
    pub(super) fn new(context: Context<'a>) -> Self {
        let (layers, policy) = (Picojoules(0.0), Picojoules(0.0));
        Self { context, window: Window::new(), layers, policy, requests: 0, met: 0 }
    }

    /// Layers, static and policy.
    fn parts_uj(&self) -> [f64; 3] {
        let accelerators = &self.context.world.platform.accelerators;
        let leakage_pj_per_ps: f64 = accelerators.iter().map(|a| a.leakage_pj_per_ps).sum();
        let leaked = Picojoules(leakage_pj_per_ps * self.window.length().as_ps());
        [self.layers, leaked, self.policy].map(|energy| energy.0 / 1e6)
    }

    /// The sum of the parts per counted request; not a number without one.
    pub(super) fn per_request_uj(&self) -> f64 {
        Value::per(self.parts_uj().iter().sum(), self.requests as f64).as_f64()
    }
}

impl Recorder for Energy<'_> {
    fn record(&mut self, record: &Record, origin: Origin) {
        match *record {
            Record::Arrival { .. } => {
                self.window.follow(record, origin);
                self.requests += u64::from(origin.counted);
            }
            Record::Finish { energy, .. } if origin.counted => self.layers += energy,
            Record::Done { time, deadline, .. } => {
                self.met += u64::from(origin.counted && time <= deadline);
            }
            Record::Decision { time, energy, .. } if self.window.has_begun_by(time) => self.policy += energy,
            Record::End { .. } => self.window.follow(record, origin),
            _ => {}
        }
    }
}

impl Metric for Energy<'_> {
    fn values(&self) -> Vec<Value> {
        let parts_uj = self.parts_uj();
        let total_uj: f64 = parts_uj.iter().sum();
        let per_request = [self.requests, self.met].map(|count| Value::per(total_uj, count as f64));
        parts_uj.map(Value::Real).into_iter().chain(per_request).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::testing::Example;

    #[test]
    fn a_run_that_ends_in_the_middle_of_a_layer_leaks_until_then_and_charges_what_has_ended() {
        let mut example = Example::new();
        example.trace.span.end = crate::units::Time(45_000);
        // Layers of r1, r2, r2 and, ending just then, layer 0 of r4; r3 runs on. The decision at 45 is not taken: 30 pJ.
        // m0 is busy 5-25 and 35-45, m1 5-45, of 40 each.
        example.assert(&[
            ("energy_layers_uj", 4e-6),
            ("energy_static_uj", 80e-6),
            ("energy_policy_uj", 25e-6),
            ("accel_utilization", 70.0 / 80.0),
            ("dram_utilization", 300.0 / 400.0),
            ("requests", 4.0),
            ("met", 1.0),
            ("finished", 2.0),
            ("dropped", 0.0),
        ]);
    }

    #[test]
    fn requests_that_arrive_in_the_warm_up_time_are_not_counted() {
        let mut example = Example::new();
        (example.trace.counted, example.trace.span.warmup) = (0..6, crate::units::Time(5_001));
        // r3 to r5 are left; the window is from 35, when r3 arrives, to 70, when r5 ends.
        example.assert(&[("requests", 3.0), ("energy_static_uj", 70e-6)]);
    }

    #[test]
    fn layers_static_and_policy_add_up() {
        // Layers of r1, r2, r2, r3 (ended after its drop), r4, r4: 6 pJ. Leakage 2 x 1 pJ/ns x 60 ns. Decisions at
        // 5, 15, 35, 45, 60 on 2 + 1 + 2 + 1 + 1 sub-jobs of 5 pJ. In all 161 pJ, over 4 requests, of which 2 are met.
        Example::new().assert(&[
            ("energy_layers_uj", 6e-6),
            ("energy_static_uj", 120e-6),
            ("energy_policy_uj", 35e-6),
            ("energy_per_request_uj", 40.25e-6),
            ("energy_per_met_request_uj", 80.5e-6),
        ]);
    }
}
