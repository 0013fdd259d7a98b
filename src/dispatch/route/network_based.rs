//! `network_based`: to the cloud while requests reach it fast enough, else to the least loaded site of the edge. An
//! orchestrator of EdgeCloudSim; what is edge and cloud, and how the rate is known, is in `tiers.rs`.

use super::tiers::{ABOVE_MBPS, Thresholds, Uploads, cloud, edge};
use crate::dispatch::{Route, RuleEntry};
use crate::files::Parameter;
use crate::serve::{FleetView, Record, RequestView};
use crate::sim::Operations;

const PARAMETERS: &[Parameter] = &[ABOVE_MBPS];

pub(super) const ENTRY: RuleEntry<dyn Route> = RuleEntry {
    name: "network_based",
    doc: "the farthest site (the cloud) while the last request reached it fast enough, else the least loaded other one",
    source: "EdgeCloudSim (Sonmez et al., 2018), sample application; the last rate in place of the simulator's own",
    parameters: PARAMETERS,
    draws: false,
    build: |parameters, _| {
        let Thresholds { above_mbps, .. } = Thresholds::read(parameters, PARAMETERS)?;
        Ok(Box::new(NetworkBased { above_mbps, uploads: Uploads::default() }))
    },
};

struct NetworkBased {
    above_mbps: f64,
    uploads: Uploads,
}

impl Route for NetworkBased {
    fn site(
        &mut self,
        view: &FleetView,
        request: &RequestView,
        sites: &[usize],
        spent: &mut Operations,
    ) -> usize {
        spent.comparisons += 2 * sites.len() as u64 + 1;
        let cloud = cloud(view, request, sites);
        let is_near = self.uploads.mbps(view, request, cloud) > self.above_mbps;
        let site = if is_near { cloud } else { edge(view, sites, cloud) };
        self.uploads.note(view, request, site);
        site
    }

    fn observe(&mut self, record: &Record) {
        self.uploads.observe(record);
    }
}
