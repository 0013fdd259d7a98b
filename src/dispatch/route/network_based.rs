//! `network_based`: to the cloud while requests reach it fast enough, else to the least loaded site of the edge. An
//! orchestrator of EdgeCloudSim; what is edge and cloud, and how the rate is known, is in `tiers.rs`.

use super::tiers::{ABOVE_MBPS, Tiers};
use crate::dispatch::{Route, RuleEntry};
use crate::files::Parameter;

const PARAMETERS: &[Parameter] = &[ABOVE_MBPS];

pub(super) const ENTRY: RuleEntry<dyn Route> = RuleEntry {
    name: "network_based",
    doc: "the farthest site (the cloud) while the last request reached it fast enough, else the least loaded other one",
    source: "EdgeCloudSim (Sonmez et al., 2018), sample application; the last rate in place of the simulator's own",
    parameters: PARAMETERS,
    draws: false,
    build: |parameters, _| Tiers::build(parameters, PARAMETERS),
};
