//! System throughput: the sum over tenants of their progress, the number of tenants when all run as if alone.

use super::progress::{Progress, Tenant};
use super::{Column, Metric, MetricEntry, Value};
use crate::sim::{Origin, Record, Recorder};

pub(super) const ENTRY: MetricEntry = MetricEntry {
    name: "stp",
    doc: "System throughput (Eyerman and Eeckhout, IEEE Micro 28(3), 2008) over tenants, dropped requests at 0",
    columns: &[Column {
        name: "stp",
        doc: "Sum over tenants of their progress: mean isolated latency / latency of counted requests",
    }],
    new: |context| Box::new(Stp(Progress::new(context))),
};

struct Stp<'a>(Progress<'a>);

impl Recorder for Stp<'_> {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.0.record(record, origin);
    }
}

impl Metric for Stp<'_> {
    fn values(&self) -> Vec<Value> {
        vec![Value::Real(self.0.tenants.iter().filter_map(Tenant::progress).sum())]
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::testing::Example;

    #[test]
    fn the_sum_of_progress_with_dropped_requests_at_zero() {
        // Tenant 0: (r1 10/20 + r3 0) / 2 = 1/4. Tenant 1: (r2 30/30 + r4 30/30) / 2 = 1.
        Example::new().assert(&[("stp", 1.25)]);
    }

    #[test]
    fn a_tenant_without_counted_requests_adds_nothing() {
        let mut example = Example::new();
        example.trace.requests[5].tenant = 9;
        example.assert(&[("stp", 1.25)]);
    }
}
