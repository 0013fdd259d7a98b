//! Energy in three columns that add up, and energy per request.
//!
//! Layers: dynamic energy of the layer runs of measured requests. A layer is charged when it ends, even if its request
//! was dropped in the meantime; a layer that still runs when the run ends is not charged (at most one per accelerator,
//! of a request that was dropped or is unfinished). Static: what accelerators and DRAM draw over the window whatever runs
//! (`standby.rs`). Policy: decisions in the window. The energy of DRAM accesses, and of links between memories, is part of
//! the layers.

use super::context::is_met;
use super::standby::Standby;
use super::{Column, Context, Given, Metric, Value};
use crate::sim::{Origin, Record, Recorder};
use crate::units::Picojoules;

pub(super) const ENTRY: Metric<Energy> = Metric {
    name: "energy",
    doc: "Energy of layers, standby and decisions in columns that add up, and their sum per request",
    columns: &[
        Column::lower(
            "energy_layers_uj",
            "Dynamic energy of the layer runs of measured requests",
            |energy: &Energy| Value::Real(energy.layers_uj()),
        ),
        Column::lower(
            "energy_static_uj",
            "Leakage of all accelerators over the measurement window, and clock, wake-ups, background and refresh where files give them",
            |energy: &Energy| Value::Real(energy.static_uj()),
        ),
        Column::lower(
            "energy_policy_uj",
            "Energy of the decisions in the measurement window",
            |energy: &Energy| Value::Real(energy.policy_uj()),
        ),
        Column::lower(
            "energy_per_request_uj",
            "Layers + static + policy per measured request, met or given up",
            Energy::per_request_uj,
        )
        .given(Given::Measured),
        Column::lower(
            "energy_per_met_request_uj",
            "Layers + static + policy per measured request that met its deadline",
            |energy: &Energy| Value::per(energy.total_uj(), energy.met as f64),
        )
        .given(Given::Met),
    ],
    // Static energy and decisions belong to nobody.
    of_groups: &[Column::lower(
        "energy_layers_per_request_uj",
        "Dynamic energy of layer runs per measured request",
        |energy: &Energy| Value::per(energy.layers_uj(), energy.requests as f64),
    )
    .given(Given::Measured)],
    hears_layers: true,
    new: Energy::new,
};

pub(super) struct Energy {
    standby: Standby,
    layers: Picojoules,
    policy: Picojoules,
    requests: u64,
    met: u64,
}

impl Energy {
    pub(super) fn new(context: &Context) -> Self {
        Self {
            standby: Standby::new(context),
            layers: Picojoules(0.0),
            policy: Picojoules(0.0),
            requests: 0,
            met: 0,
        }
    }

    fn layers_uj(&self) -> f64 {
        self.layers.0 / 1e6
    }

    fn static_uj(&self) -> f64 {
        self.standby.total_pj() / 1e6
    }

    fn policy_uj(&self) -> f64 {
        self.policy.0 / 1e6
    }

    fn total_uj(&self) -> f64 {
        self.layers_uj() + self.static_uj() + self.policy_uj()
    }

    /// The sum of the parts per measured request; NaN if there is none.
    pub(super) fn per_request_uj(&self) -> Value {
        Value::per(self.total_uj(), self.requests as f64)
    }
}

impl Recorder for Energy {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.standby.record(record, origin);
        match *record {
            Record::Arrival { .. } => self.requests += u64::from(origin.measured),
            Record::Finish { energy, .. } if origin.measured => self.layers += energy,
            Record::Done { .. } => self.met += u64::from(is_met(record, origin)),
            Record::Decision { time, energy, .. } if self.standby.has_begun_by(time) => self.policy += energy,
            _ => {}
        }
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
    fn requests_that_arrive_in_the_warm_up_time_are_not_measured() {
        let mut example = Example::new();
        (example.trace.measured, example.trace.span.warmup) = (0..6, crate::units::Time(5_001));
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
