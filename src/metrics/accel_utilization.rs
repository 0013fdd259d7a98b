//! Utilisation of the accelerators: the share of the window in which they execute a layer, slowed by contention or not.
//! Layers of requests that are not measured count here, and so do layers that still run when the run ends. The share of
//! its MACs that a busy accelerator uses is another quantity.

use super::accelerators::Accelerators;
use super::{Column, Metric};
use crate::sim::{Origin, Record, Recorder};

pub(super) const ENTRY: Metric<AccelUtilization> = Metric {
    name: "accel_utilization",
    doc: "Busy time of the accelerators within the window / (accelerators x window)",
    columns: &[Column::undirected(
        "accel_utilization",
        "Mean share of the window in which an accelerator is busy",
        |utilization: &AccelUtilization| utilization.0.mean_utilization(),
    )
    .share()],
    of_groups: &[],
    hears_layers: true,
    new: |context| AccelUtilization(Accelerators::new(context)),
};

pub(super) struct AccelUtilization(Accelerators);

impl Recorder for AccelUtilization {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.0.record(record, origin);
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
