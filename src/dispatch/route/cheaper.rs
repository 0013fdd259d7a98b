//! `cheaper`: the site whose answer costs least among those that can answer in time if nothing delays the request; among
//! all if none can. One of the static policies that ASET (2023) is compared with; our reading of its name.
//!
//! An answer costs `cost_per_s` of the site times the service alone, by the fastest variant that is accurate enough. If no
//! site says what it costs, the answer costs the energy of its layers.

use std::collections::BTreeMap;

use super::ways::{fastest, fits};
use crate::dispatch::{Route, RuleEntry, no_parameters};
use crate::serve::{FleetModel, FleetView, RequestView};
use crate::sim::Operations;

pub(super) const ENTRY: RuleEntry<dyn Route> = RuleEntry {
    name: "cheaper",
    doc: "the site with the cheapest answer, `cost_per_s` of the site times the service or else its energy, among those that fit the deadline",
    source: "a static policy of ASET (2023), by its name",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(Cheaper::default()))
    },
};

#[derive(Default)]
struct Cheaper {
    /// What an answer costs, by site, model and variant.
    costs: BTreeMap<[usize; 3], f64>,
}

impl Route for Cheaper {
    fn site(
        &mut self,
        view: &FleetView,
        request: &RequestView,
        sites: &[usize],
        spent: &mut Operations,
    ) -> usize {
        spent.comparisons += 2 * sites.len() as u64;
        let mut fitting: Vec<usize> =
            sites.iter().copied().filter(|&site| fits(view, request, site)).collect();
        if fitting.is_empty() {
            fitting = sites.to_vec();
        }
        let mut cost = |site: usize| {
            let variant = fastest(view, request, site);
            let cost = || cost(view.model(), site, request.model, variant);
            *self.costs.entry([site, request.model, variant]).or_insert_with(cost)
        };
        let costs: Vec<f64> = fitting.iter().map(|&site| cost(site)).collect();
        let least = (0..fitting.len()).min_by(|&a, &b| costs[a].total_cmp(&costs[b]));
        fitting[least.expect("some site serves the request")]
    }

    fn check(&self, model: &FleetModel) -> Result<(), String> {
        let without = model.sites.iter().filter(|site| site.cost_per_s.is_none());
        let without: Vec<&str> = without.map(|site| &site.name[..]).collect();
        if without.is_empty() || without.len() == model.sites.len() {
            return Ok(());
        }
        let names = without.join(", ");
        Err(format!("route rule `cheaper` needs `cost_per_s` at all sites or at none; without: {names}"))
    }
}

/// What an answer alone costs.
fn cost(model: &FleetModel, site: usize, of: usize, variant: usize) -> f64 {
    match model.sites[site].cost_per_s {
        Some(per_s) => per_s * model.service(site, of, variant, 1).as_s(),
        None => model.energy(site, of, variant, 1).0,
    }
}
