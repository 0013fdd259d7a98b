//! The isolated latencies on a reference system ([`SlaReference`]), for deadlines that are multiples of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::catalogue::{Catalogue, Form};
use super::points::Point;
use super::workload::isolated;
use crate::cost::Cache;
use crate::experiment::{Asked, DataRoot, Dram, Error, Progress, SlaReference, distinct};
use crate::units::Time;
use crate::workload::Scenario;

/// The isolated latencies of networks on all references of a sweep.
pub(super) struct References(BTreeMap<(String, usize), Arc<Vec<Time>>>);

impl References {
    /// Computes the latencies on the references that the points name, for their scenarios.
    ///
    /// # Errors
    /// A reference cannot be read, or does not run a network.
    pub(super) fn of(
        points: &[Point],
        scenarios: &[Arc<Scenario>],
        data: &DataRoot,
        cache: &Cache,
        progress: &dyn Progress,
    ) -> Result<Self, Error> {
        let mut latencies = BTreeMap::new();
        for reference in distinct(points.iter().map(|point| point.setting.sla_reference.clone())) {
            let named = |point: &&Point| point.setting.sla_reference == reference;
            let places: BTreeSet<usize> = points.iter().filter(named).map(|point| point.scenario).collect();
            let used: Vec<Arc<Scenario>> =
                places.iter().map(|&place| Arc::clone(&scenarios[place])).collect();
            let found = latencies_on(&reference, &used, data, cache, progress);
            let found = found.map_err(|e| Error::Usage(format!("`sla_reference = \"{reference}\"`: {e}")))?;
            latencies.extend(places.into_iter().map(|place| (reference.to_string(), place)).zip(found));
        }
        Ok(Self(latencies))
    }

    /// The latencies by network of the point's scenario; `None` if the system that serves the requests is the
    /// reference.
    pub(super) fn latencies(&self, point: &Point) -> Option<Arc<Vec<Time>>> {
        self.0.get(&(point.setting.sla_reference.to_string(), point.scenario)).map(Arc::clone)
    }
}

/// The latencies on one reference, by scenario and network; empty if the reference is the system that serves the
/// requests.
fn latencies_on(
    reference: &SlaReference,
    scenarios: &[Arc<Scenario>],
    data: &DataRoot,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Vec<Arc<Vec<Time>>>, Error> {
    let SlaReference::System { name, dram_bandwidth_gbps } = reference else { return Ok(Vec::new()) };
    let system = data.system(name)?;
    let setting = Asked { dram_bandwidth_gbps: *dram_bandwidth_gbps, ..Asked::default() }.on(&system);
    let forms = BTreeSet::from([Form::of(&setting)]);
    let catalogue = Catalogue::new(&system, &forms, scenarios, data, cache, progress)?;
    let dram = Dram::of(&setting);
    let of = |scenario: &Arc<Scenario>| Ok(Arc::new(isolated(&catalogue.world(&system, scenario, &dram)?)));
    scenarios.iter().map(of).collect()
}
