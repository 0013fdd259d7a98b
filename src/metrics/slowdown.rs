//! Slowdown by contention: actual time / uncontended latency c of a layer run, over the layer runs of measured
//! requests. It is 1 without contention, and more where layers share the DRAM or a single layer demands more than the
//! DRAM delivers.

use super::{Column, Metric, Value};
use crate::sim::{Origin, Record, Recorder};

pub(super) const ENTRY: Metric<Slowdown> = Metric {
    name: "slowdown",
    doc: "Slowdown of layers by the shared DRAM: (end - start) / c",
    columns: COLUMNS,
    of_groups: COLUMNS,
    hears_layers: true,
    new: |_| Slowdown::default(),
};

const COLUMNS: &[Column<Slowdown>] = &[Column::lower(
    "slowdown_mean",
    "Mean (end - start) / c over layer runs of measured requests",
    |slowdown: &Slowdown| Value::per(slowdown.sum, slowdown.layer_runs as f64),
)];

#[derive(Default)]
pub(super) struct Slowdown {
    sum: f64,
    layer_runs: u64,
}

impl Recorder for Slowdown {
    fn record(&mut self, record: &Record, origin: Origin) {
        let Record::Finish { time, start, uncontended_ps, .. } = *record else { return };
        if origin.measured {
            self.sum += (time - start).as_ps() / uncontended_ps;
            self.layer_runs += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::testing::Example;

    #[test]
    fn the_mean_over_layer_runs_of_measured_requests() {
        // r3 takes 15 ns for c 10; r1 and both layers of r2 and of r4 are not slowed.
        Example::new().assert(&[("slowdown_mean", 6.5 / 6.0)]);
    }

    #[test]
    fn infinite_bandwidth_gives_one() {
        let mut example = Example::new();
        example.world.platform.bandwidth_bytes_per_ps = f64::INFINITY;
        assert_eq!(example.value("slowdown_mean"), 1.0);
    }
}
