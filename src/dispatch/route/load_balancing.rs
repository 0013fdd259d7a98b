//! `load_balancing`: the site with the least reported backlog per accelerator, whatever the way. One of the static
//! policies that ASET (2023) is compared with; our reading of its name. The backlog is in time on that site, so that its
//! speed is in it.

use super::ways::accelerators;
use crate::dispatch::{Route, RuleEntry, no_parameters};
use crate::serve::{FleetView, RequestView};
use crate::sim::Operations;

pub(super) const ENTRY: RuleEntry<dyn Route> = RuleEntry {
    name: "load_balancing",
    doc: "the site with the least backlog per accelerator, whatever the way",
    source: "a static policy of ASET (2023), by its name",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(LoadBalancing))
    },
};

struct LoadBalancing;

impl Route for LoadBalancing {
    fn site(&mut self, view: &FleetView, _: &RequestView, sites: &[usize], spent: &mut Operations) -> usize {
        spent.comparisons += sites.len() as u64;
        let load = |site: usize| view.site(site).backlog.0 / accelerators(view, site) as u64;
        *sites.iter().min_by_key(|&&site| load(site)).expect("some site serves the request")
    }
}
