//! `closest`: the site with the shortest way there and back; of equals the first. One of the static policies that ASET
//! (2023) is compared with; our reading of its name.

use super::ways::round_trip;
use crate::dispatch::{Route, RuleEntry, no_parameters};
use crate::serve::{FleetView, RequestView};
use crate::sim::Operations;

pub(super) const ENTRY: RuleEntry<dyn Route> = RuleEntry {
    name: "closest",
    doc: "the site with the shortest way there and back, without any other traffic",
    source: "a static policy of ASET (2023), by its name",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(Closest))
    },
};

struct Closest;

impl Route for Closest {
    fn site(
        &mut self,
        view: &FleetView,
        request: &RequestView,
        sites: &[usize],
        spent: &mut Operations,
    ) -> usize {
        spent.comparisons += sites.len() as u64;
        closest(view, request, sites)
    }
}

pub(super) fn closest(view: &FleetView, request: &RequestView, sites: &[usize]) -> usize {
    let nearest = sites.iter().min_by_key(|&&site| round_trip(view, request, site));
    *nearest.expect("some site serves the request")
}
