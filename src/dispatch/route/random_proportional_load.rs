//! `random_proportional_load`: a random site with a probability in inverse proportion to 1 + its load, which is its
//! reported backlog in services of this request alone. One of the static policies that ASET (2023) is compared with; our
//! reading of its name, and our unit of load, because a unit of time would make the rule depend on the scale of times.

use rand::rngs::ChaCha8Rng;

use super::ways::{draw, service};
use crate::dispatch::{Route, RuleEntry, no_parameters};
use crate::rng;
use crate::serve::{FleetView, RequestView};
use crate::sim::Operations;

pub(super) const ENTRY: RuleEntry<dyn Route> = RuleEntry {
    name: "random_proportional_load",
    doc: "a random site in inverse proportion to 1 + its backlog in services of this request alone",
    source: "a static policy of ASET (2023), by its name",
    parameters: &[],
    draws: true,
    build: |parameters, seed| {
        no_parameters(parameters)?;
        let rng = rng::stream(seed, "route", "random_proportional_load");
        Ok(Box::new(RandomProportionalLoad { rng }))
    },
};

struct RandomProportionalLoad {
    rng: ChaCha8Rng,
}

impl Route for RandomProportionalLoad {
    fn site(
        &mut self,
        view: &FleetView,
        request: &RequestView,
        sites: &[usize],
        spent: &mut Operations,
    ) -> usize {
        spent.comparisons += sites.len() as u64;
        let load =
            |site: usize| view.site(site).backlog.as_ps() / service(view, request, site).as_ps().max(1.0);
        let weighted: Vec<_> = sites.iter().map(|&site| (site, 1.0 / (1.0 + load(site)))).collect();
        draw(&mut self.rng, &weighted).unwrap_or(sites[0])
    }
}
