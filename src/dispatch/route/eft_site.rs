//! `eft_site`: the site with the earliest answer by what is known: the way there, the reported backlog spread over the
//! site's accelerators, the service alone, and the way back. The earliest-finish-time rule of list scheduling, one level
//! up; our construction, and the strongest of the simple routes.

use super::ways::{accelerators, alone};
use crate::dispatch::{Route, RuleEntry, no_parameters};
use crate::serve::{FleetView, RequestView};
use crate::sim::Operations;
use crate::units::Time;

pub(super) const ENTRY: RuleEntry<dyn Route> = RuleEntry {
    name: "eft_site",
    doc: "the site with the earliest answer: way there, backlog per accelerator, service of the fastest variant that will do, way back",
    source: "ours",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(EftSite))
    },
};

struct EftSite;

impl Route for EftSite {
    fn site(
        &mut self,
        view: &FleetView,
        request: &RequestView,
        sites: &[usize],
        spent: &mut Operations,
    ) -> usize {
        spent.comparisons += 2 * sites.len() as u64;
        let answer = |site: usize| {
            let waiting = view.site(site).backlog.0 / accelerators(view, site) as u64;
            alone(view, request, site).saturating_add(Time(waiting))
        };
        *sites.iter().min_by_key(|&&site| answer(site)).expect("some site serves the request")
    }
}
