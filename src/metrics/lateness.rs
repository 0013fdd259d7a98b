//! Lateness: finish - deadline over finished measured requests; negative if they are early. Dropped requests have no
//! lateness, so read it beside the SLA rate.

use super::context::finished;
use super::{Column, Given, Metric, Value};
use crate::sim::{Origin, Record, Recorder};

pub(super) const ENTRY: Metric<Lateness> = Metric {
    name: "lateness",
    doc: "finish - deadline over finished measured requests",
    columns: &[MEAN, MAX],
    of_groups: &[MEAN],
    hears_layers: false,
    new: |_| Lateness { sum_us: 0.0, max_us: f64::NEG_INFINITY, finished: 0 },
};

const MEAN: Column<Lateness> = Column::lower(
    "lateness_mean_us",
    "Mean of finish - deadline over finished measured requests; negative is early",
    |lateness: &Lateness| Value::per(lateness.sum_us, lateness.finished as f64),
)
.given(Given::Finished);

const MAX: Column<Lateness> = Column::lower(
    "lateness_max_us",
    "Largest lateness of a finished measured request",
    |lateness: &Lateness| Value::Real(if lateness.finished == 0 { f64::NAN } else { lateness.max_us }),
)
.given(Given::Finished);

pub(super) struct Lateness {
    sum_us: f64,
    max_us: f64,
    finished: u64,
}

impl Recorder for Lateness {
    fn record(&mut self, record: &Record, origin: Origin) {
        if let Some(finished) = finished(record, origin) {
            let lateness_us = finished.lateness_us();
            self.sum_us += lateness_us;
            self.max_us = self.max_us.max(lateness_us);
            self.finished += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::testing::Example;
    use crate::units::Time;

    #[test]
    fn early_and_late_finishes_add_up_and_drops_do_not() {
        let mut example = Example::new();
        // r1 is 5 ns late, r2 just in time, r4 (at 65) 35 early; r3 is dropped.
        example.trace.requests[4].deadline = Time(100_000);
        example.assert(&[("lateness_mean_us", -0.03 / 3.0), ("lateness_max_us", 0.005)]);
    }
}
