//! `hybrid`: to the cloud while the edge is full and requests reach the cloud fast enough, else to the least loaded site
//! of the edge. An orchestrator of EdgeCloudSim; what is edge and cloud, and how the rate is known, is in `tiers.rs`.

use super::tiers::{ABOVE, ABOVE_MBPS, Thresholds, Uploads, cloud, edge, utilization};
use crate::dispatch::{Route, RuleEntry};
use crate::files::Parameter;
use crate::serve::{FleetView, Record, RequestView};
use crate::sim::Operations;

const PARAMETERS: &[Parameter] = &[ABOVE_MBPS, ABOVE];

pub(super) const ENTRY: RuleEntry<dyn Route> = RuleEntry {
    name: "hybrid",
    doc: "the farthest site (the cloud) while the others are full and the last request reached it fast enough, else the least loaded other one",
    source: "EdgeCloudSim (Sonmez et al., 2018), sample application; the last rate in place of the simulator's own",
    parameters: PARAMETERS,
    draws: false,
    build: |parameters, _| {
        let thresholds = Thresholds::read(parameters, PARAMETERS)?;
        Ok(Box::new(Hybrid { thresholds, uploads: Uploads::default() }))
    },
};

struct Hybrid {
    thresholds: Thresholds,
    uploads: Uploads,
}

impl Route for Hybrid {
    fn site(
        &mut self,
        view: &FleetView,
        request: &RequestView,
        sites: &[usize],
        spent: &mut Operations,
    ) -> usize {
        spent.comparisons += 3 * sites.len() as u64 + 1;
        let cloud = cloud(view, request, sites);
        let is_full = utilization(view, sites, cloud) > self.thresholds.above;
        let is_near = self.uploads.mbps(view, request, cloud) > self.thresholds.above_mbps;
        let site = if is_full && is_near { cloud } else { edge(view, sites, cloud) };
        self.uploads.note(view, request, site);
        site
    }

    fn observe(&mut self, record: &Record) {
        self.uploads.observe(record);
    }
}
