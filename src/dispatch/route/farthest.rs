//! `farthest`: the site with the longest way that can still answer in time, else the closest. It loads a remote cloud
//! first and spares the edge. One of the static policies that ASET (2023) is compared with; our reading of its name.

use std::cmp::Reverse;

use super::closest::closest;
use super::ways::{fits, round_trip};
use crate::dispatch::{Route, RuleEntry, no_parameters};
use crate::serve::{FleetView, RequestView};
use crate::sim::Operations;

pub(super) const ENTRY: RuleEntry<dyn Route> = RuleEntry {
    name: "farthest",
    doc: "the site with the longest way that can still answer in time if nothing delays it; else the closest",
    source: "a static policy of ASET (2023), by its name",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(Farthest))
    },
};

struct Farthest;

impl Route for Farthest {
    fn site(
        &mut self,
        view: &FleetView,
        request: &RequestView,
        sites: &[usize],
        spent: &mut Operations,
    ) -> usize {
        spent.comparisons += 2 * sites.len() as u64;
        let fitting = sites.iter().copied().filter(|&site| fits(view, request, site));
        // Of equals the first.
        let farthest = fitting.min_by_key(|&site| Reverse(round_trip(view, request, site)));
        farthest.unwrap_or_else(|| closest(view, request, sites))
    }
}
