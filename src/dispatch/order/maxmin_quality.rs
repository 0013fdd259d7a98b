//! `maxmin_quality`: of the tenants with a request that can still be in time, the one with the smallest mean quality so
//! far. The greedy way to max-min fairness; the limit of `weighted` for a large alpha.

use super::achieved::{Achieved, feasible};
use crate::dispatch::{Order, RuleEntry, no_parameters};
use crate::serve::{FleetView, QueuedView, Record};
use crate::sim::Operations;

pub(super) const ENTRY: RuleEntry<dyn Order> = RuleEntry {
    name: "maxmin_quality",
    doc: "first the tenant with the smallest mean quality that it got at this site",
    source: "ours",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(MaxMin(Achieved::default())))
    },
};

struct MaxMin(Achieved);

impl Order for MaxMin {
    fn rank(
        &mut self,
        view: &FleetView,
        site: usize,
        of: &QueuedView,
        spent: &mut Operations,
    ) -> Option<f64> {
        let mean = self.0.mean(view, site, of.tenant);
        Some(if feasible(view, site, of, spent) { mean } else { f64::INFINITY })
    }

    fn observe(&mut self, record: &Record) {
        self.0.observe(record);
    }
}
