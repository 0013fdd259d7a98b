//! `utilization_based`: to the cloud while the edge is full, else to the least loaded site of the edge. An orchestrator of
//! EdgeCloudSim; what is edge and cloud is in `tiers.rs`.

use super::tiers::{ABOVE, Thresholds, cloud, edge, utilization};
use crate::dispatch::{Route, RuleEntry};
use crate::files::Parameter;
use crate::serve::{FleetView, RequestView};
use crate::sim::Operations;

const PARAMETERS: &[Parameter] = &[ABOVE];

pub(super) const ENTRY: RuleEntry<dyn Route> = RuleEntry {
    name: "utilization_based",
    doc: "the farthest site (the cloud) while the others are full, else the least loaded of these",
    source: "EdgeCloudSim (Sonmez et al., 2018), sample application",
    parameters: PARAMETERS,
    draws: false,
    build: |parameters, _| {
        let Thresholds { above, .. } = Thresholds::read(parameters, PARAMETERS)?;
        Ok(Box::new(UtilizationBased { above }))
    },
};

struct UtilizationBased {
    above: f64,
}

impl Route for UtilizationBased {
    fn site(
        &mut self,
        view: &FleetView,
        request: &RequestView,
        sites: &[usize],
        spent: &mut Operations,
    ) -> usize {
        spent.comparisons += 3 * sites.len() as u64;
        let cloud = cloud(view, request, sites);
        if utilization(view, sites, cloud) > self.above { cloud } else { edge(view, sites, cloud) }
    }
}
