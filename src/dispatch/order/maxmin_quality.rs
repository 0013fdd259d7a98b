//! `maxmin_quality`: of the tenants with a request that can still be in time, the one with the smallest mean quality so
//! far, as `deficit` with equal targets. The greedy way to max-min fairness; the limit of `weighted` for a large alpha.

use super::achieved::Achieved;
use super::deficit::Behind;
use crate::dispatch::{Order, RuleEntry, no_parameters};

pub(super) const ENTRY: RuleEntry<dyn Order> = RuleEntry {
    name: "maxmin_quality",
    doc: "first the tenant with the smallest mean quality that it got at this site",
    source: "ours",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(Behind { achieved: Achieved::default(), has_targets: false }))
    },
};
