//! Lateness: finish - deadline over finished counted requests; negative where they are early. Dropped requests have
//! none: read it beside the SLA rate.

use super::{Column, Context, Given, Metric, MetricEntry, Value};
use crate::sim::{Origin, Record, Recorder};

pub(super) const ENTRY: MetricEntry = MetricEntry {
    name: "lateness",
    doc: "finish - deadline over finished counted requests",
    columns: &[
        Column::lower(
            "lateness_mean_us",
            "Mean of finish - deadline over finished counted requests; negative is early",
        )
        .given(Given::Finished),
        Column::lower("lateness_max_us", "Largest lateness of a finished counted request")
            .given(Given::Finished),
    ],
    new: |context| Box::new(Lateness { context, sum_us: 0.0, max_us: f64::NEG_INFINITY, finished: 0 }),
};

struct Lateness<'a> {
    context: Context<'a>,
    sum_us: f64,
    max_us: f64,
    finished: u64,
}

impl Recorder for Lateness<'_> {
    fn record(&mut self, record: &Record, origin: Origin) {
        if let Some(finished) = self.context.finished(record, origin) {
            let lateness_us = finished.time.as_us() - finished.request.deadline.as_us();
            self.sum_us += lateness_us;
            self.max_us = self.max_us.max(lateness_us);
            self.finished += 1;
        }
    }
}

impl Metric for Lateness<'_> {
    fn values(&self) -> Vec<Value> {
        let max_us = if self.finished == 0 { f64::NAN } else { self.max_us };
        vec![Value::per(self.sum_us, self.finished as f64), Value::Real(max_us)]
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
