//! `shortest_queue`: the site with the fewest requests queued and orders in service, by its report; of equals the first.
//! Join the shortest queue.

use crate::dispatch::{Route, RuleEntry, no_parameters};
use crate::serve::{FleetView, RequestView};
use crate::sim::Operations;

pub(super) const ENTRY: RuleEntry<dyn Route> = RuleEntry {
    name: "shortest_queue",
    doc: "the site with the fewest requests queued and orders in service",
    source: "textbook",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(ShortestQueue))
    },
};

struct ShortestQueue;

impl Route for ShortestQueue {
    fn site(&mut self, view: &FleetView, _: &RequestView, sites: &[usize], spent: &mut Operations) -> usize {
        spent.comparisons += sites.len() as u64;
        *sites.iter().min_by_key(|&&site| number(view, site)).expect("some site serves the request")
    }
}

/// The requests queued and the orders in service at a site.
pub(super) fn number(view: &FleetView, site: usize) -> u64 {
    let known = view.site(site);
    u64::from(known.queued) + u64::from(known.in_service)
}
