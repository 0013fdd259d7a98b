//! `deficit`: of the tenants with a request that can still be in time, the one that is most behind its target. What is
//! behind is the target less the mean quality that the site has given the tenant so far; the target is the tenant's
//! `target_hit_rate`, or 1. Requests that cannot be in time come last. Ours, after the largest-deficit-first scheduling of
//! traffic with delivery ratios (Hou, Borkar and Kumar, INFOCOM 2009).

use super::achieved::{Achieved, feasible};
use crate::dispatch::{Order, RuleEntry, no_parameters};
use crate::serve::{FleetView, QueuedView, Record};
use crate::sim::Operations;

pub(super) const ENTRY: RuleEntry<dyn Order> = RuleEntry {
    name: "deficit",
    doc: "first the tenant that is most behind its target (`target_hit_rate`, else 1) with the mean quality it got at this site",
    source: "ours, after largest-deficit-first (Hou et al., INFOCOM 2009)",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(Behind { achieved: Achieved::default(), has_targets: true }))
    },
};

/// The tenant that is most behind first.
pub(super) struct Behind {
    pub(super) achieved: Achieved,
    /// Whether tenants have targets of their own; else all have the same.
    pub(super) has_targets: bool,
}

impl Order for Behind {
    fn rank(
        &mut self,
        view: &FleetView,
        site: usize,
        of: &QueuedView,
        spent: &mut Operations,
    ) -> Option<f64> {
        let own = view.model().clients[of.tenant].terms.target_hit_rate.filter(|_| self.has_targets);
        let target = own.unwrap_or(1.0);
        let behind = target - self.achieved.mean(view, site, of.tenant);
        Some(if feasible(view, site, of, spent) { -behind } else { f64::INFINITY })
    }

    fn observe(&mut self, record: &Record) {
        self.achieved.observe(record);
    }
}
