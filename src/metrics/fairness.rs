//! Fairness: the smallest ratio of two tenants' proportional progress; 1 is fair, 0 is starvation.
//!
//! Proportional progress PP_i = progress_i / (priority_i / sum of priorities), and the metric is min over i, j of
//! PP_i / PP_j, in which the sum of priorities cancels. PREMA gives a task one priority; here it is drawn per request,
//! so a tenant's is the mean over its counted requests. A tenant of priority 0 is owed nothing and left out, as is one
//! without counted requests.

use super::progress::{Progress, Tenant};
use super::{Column, Metric, MetricEntry, Value};
use crate::sim::{Origin, Record, Recorder};

pub(super) const ENTRY: MetricEntry = MetricEntry {
    name: "fairness",
    doc: "Smallest ratio of two tenants' progress per priority (PREMA, HPCA 2020; MoCA, HPCA 2023)",
    columns: &[Column {
        name: "fairness",
        doc: "Smallest / largest progress per mean priority over tenants; empty if no tenant progresses",
    }],
    new: |context| Box::new(Fairness(Progress::new(context))),
};

struct Fairness<'a>(Progress<'a>);

impl Recorder for Fairness<'_> {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.0.record(record, origin);
    }
}

impl Metric for Fairness<'_> {
    fn values(&self) -> Vec<Value> {
        let shares = || self.0.tenants.iter().filter_map(proportional_progress);
        vec![Value::per(shares().fold(f64::INFINITY, f64::min), shares().fold(0.0, f64::max))]
    }
}

/// PP_i but for the sum of priorities, which is the same for all.
fn proportional_progress(tenant: &Tenant) -> Option<f64> {
    let priority = tenant.priority().filter(|&priority| priority > 0.0)?;
    tenant.progress().map(|progress| progress / priority)
}

#[cfg(test)]
mod tests {
    use crate::metrics::testing::Example;

    #[test]
    fn progress_is_weighed_by_the_mean_priority() {
        // Tenant 0: progress 1/4, priority (1 + 3) / 2 = 2, of a sum of 6: PP = 3/4.
        // Tenant 1: progress 1, priority 4: PP = 3/2.
        Example::new().assert(&[("fairness", 0.5)]);
    }

    #[test]
    fn a_tenant_that_gets_nothing_makes_it_zero_and_one_that_is_owed_nothing_is_left_out() {
        let mut example = Example::new();
        // r3, which is dropped, becomes the only request of tenant 2: PP = 0.
        example.trace.requests[3].tenant = 2;
        assert_eq!(example.value("fairness"), 0.0);
        example.trace.requests[3].priority = 0;
        // Tenant 0: progress 1/2, priority 1. Tenant 1: progress 1, priority 4.
        assert_eq!(example.value("fairness"), 0.5);
    }
}
