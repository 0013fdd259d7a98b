//! `utilization_based`: to the cloud while the edge is full, else to the least loaded site of the edge. An orchestrator of
//! EdgeCloudSim; what is edge and cloud is in `tiers.rs`.

use super::tiers::{ABOVE, Tiers};
use crate::dispatch::{Route, RuleEntry};
use crate::files::Parameter;

const PARAMETERS: &[Parameter] = &[ABOVE];

pub(super) const ENTRY: RuleEntry<dyn Route> = RuleEntry {
    name: "utilization_based",
    doc: "the farthest site (the cloud) while the others are full, else the least loaded of these",
    source: "EdgeCloudSim (Sonmez et al., 2018), sample application",
    parameters: PARAMETERS,
    draws: false,
    build: |parameters, _| Tiers::build(parameters, PARAMETERS),
};
