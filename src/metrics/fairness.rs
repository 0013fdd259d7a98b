//! Fairness: the smallest ratio of two co-running networks' proportional progress; 1 is fair, 0 is starvation.
//!
//! Proportional progress PP_i = progress_i / (priority_i / sum of priorities), and the metric is min over i, j of PP_i
//! / PP_j, in which the sum of priorities cancels; i and j are tasks, of one network each: a tenant's requests for one
//! network. PREMA gives a task one priority; here it is drawn per request, so a task's is the mean over its measured
//! requests. A task of priority 0 is owed nothing and left out, as is a task without measured requests.

use super::progress::{Part, Progress};
use super::{Column, Metric, Value};
use crate::sim::{Origin, Record, Recorder};

pub(super) const ENTRY: Metric<Fairness> = Metric {
    name: "fairness",
    doc: "Smallest ratio of two co-running networks' progress per priority (PREMA, HPCA 2020; MoCA, HPCA 2023)",
    columns: &[Column::higher(
        "fairness",
        "Smallest / largest progress per mean priority over tenants and their networks; empty if none progresses",
        Fairness::smallest_ratio,
    )
    .share()],
    of_groups: &[],
    hears_layers: false,
    new: |context| Fairness(Progress::of_programs(&context.world)),
};

pub(super) struct Fairness(Progress);

impl Fairness {
    fn smallest_ratio(&self) -> Value {
        let shares = || self.0.parts.iter().filter_map(proportional_progress);
        Value::per(shares().fold(f64::INFINITY, f64::min), shares().fold(0.0, f64::max))
    }
}

impl Recorder for Fairness {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.0.record(record, origin);
    }
}

/// PP_i but for the sum of priorities, which is the same for all.
fn proportional_progress(part: &Part) -> Option<f64> {
    let priority = part.priority().filter(|&priority| priority > 0.0)?;
    part.progress().map(|progress| progress / priority)
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
    fn the_networks_of_one_tenant_are_told_apart() {
        let mut example = Example::new();
        example.trace.requests.iter_mut().for_each(|request| request.tenant = 0);
        example.assert(&[("fairness", 0.5), ("jain", 1.0)]);
    }

    #[test]
    fn tenants_of_one_network_are_told_apart() {
        let mut example = Example::new();
        // r1 and r3 ask for network 0: r1, of priority 1, has half its progress; r3, now tenant 1's, is dropped.
        example.trace.requests[3].tenant = 1;
        assert_eq!(example.value("fairness"), 0.0);
        // Finished at 50 after 15 where 10 are needed, with priority 3: PP = 2/9; r1 1/2; r2 and r4 1/4.
        example.drops = false;
        example.assert(&[("fairness", 4.0 / 9.0), ("stp", 0.5 + 2.0 / 3.0 + 1.0)]);
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
