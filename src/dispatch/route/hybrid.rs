//! `hybrid`: to the cloud while the edge is full and requests reach the cloud fast enough, else to the least loaded site
//! of the edge. An orchestrator of EdgeCloudSim; what is edge and cloud, and how the rate is known, is in `tiers.rs`.

use super::tiers::{ABOVE, ABOVE_MBPS, Tiers};
use crate::dispatch::{Route, RuleEntry};
use crate::files::Parameter;

const PARAMETERS: &[Parameter] = &[ABOVE_MBPS, ABOVE];

pub(super) const ENTRY: RuleEntry<dyn Route> = RuleEntry {
    name: "hybrid",
    doc: "the farthest site (the cloud) while the others are full and the last request reached it fast enough, else the least loaded other one",
    source: "EdgeCloudSim (Sonmez et al., 2018), sample application; the last rate in place of the simulator's own",
    parameters: PARAMETERS,
    draws: false,
    build: |parameters, _| Tiers::build(parameters, PARAMETERS),
};
