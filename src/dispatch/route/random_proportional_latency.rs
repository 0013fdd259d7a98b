//! `random_proportional_latency`: a random site among those that can answer in time if nothing delays the request, with a
//! probability in inverse proportion to the time of that answer; among all if none can. One of the static policies that
//! ASET (2023) is compared with; our reading of its name.

use rand::rngs::ChaCha8Rng;

use super::ways::{alone, draw, fits};
use crate::dispatch::{Route, RuleEntry, no_parameters};
use crate::rng;
use crate::serve::{FleetView, RequestView};
use crate::sim::Operations;

pub(super) const ENTRY: RuleEntry<dyn Route> = RuleEntry {
    name: "random_proportional_latency",
    doc: "a random site in inverse proportion to the time of way there, service and way back, among those that fit the deadline",
    source: "a static policy of ASET (2023), by its name",
    parameters: &[],
    draws: true,
    build: |parameters, seed| {
        no_parameters(parameters)?;
        let rng = rng::stream(seed, "route", "random_proportional_latency");
        Ok(Box::new(RandomProportionalLatency { rng }))
    },
};

struct RandomProportionalLatency {
    rng: ChaCha8Rng,
}

impl Route for RandomProportionalLatency {
    fn site(
        &mut self,
        view: &FleetView,
        request: &RequestView,
        sites: &[usize],
        spent: &mut Operations,
    ) -> usize {
        spent.comparisons += 2 * sites.len() as u64;
        let weight = |site: usize| (site, 1.0 / alone(view, request, site).as_ps().max(1.0));
        let mut weighted: Vec<_> =
            sites.iter().copied().filter(|&site| fits(view, request, site)).map(weight).collect();
        if weighted.is_empty() {
            weighted = sites.iter().copied().map(weight).collect();
        }
        draw(&mut self.rng, &weighted).unwrap_or(sites[0])
    }
}
