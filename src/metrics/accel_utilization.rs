//! Utilisation of the accelerators: how much of the window they have a layer in execution, stretched by contention or
//! not. Layers of requests that are not counted count here, and so does what still runs when the run ends. How many of
//! its MACs a busy accelerator keeps busy is another question.

use super::accelerators::Accelerators;
use super::{Column, Metric, MetricEntry, Value};
use crate::sim::{Origin, Record, Recorder};

pub(super) const ENTRY: MetricEntry = MetricEntry {
    name: "accel_utilization",
    doc: "Busy time of the accelerators within the window / (accelerators x window)",
    columns: &[Column::undirected(
        "accel_utilization",
        "Mean share of the window in which an accelerator is busy",
    )
    .share()],
    new: |context| Box::new(AccelUtilization(Accelerators::new(context))),
};

struct AccelUtilization(Accelerators);

impl Recorder for AccelUtilization {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.0.record(record, origin);
    }
}

impl Metric for AccelUtilization {
    fn values(&self) -> Vec<Value> {
        vec![self.0.mean_utilization()]
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::testing::Example;

    #[test]
    fn busy_time_is_cut_to_the_window_at_both_ends() {
        // m0: r0 5-15, r1 15-25, r3 35-50, r5 60-65, in all 40. m1: r2 5-35, r4 35-65. 100 of 2 x 60.
        Example::new().assert(&[("accel_utilization", 100.0 / 120.0)]);
    }
}
