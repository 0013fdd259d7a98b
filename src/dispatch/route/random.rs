//! `random`: any of the sites, with equal probability.

use rand::rngs::ChaCha8Rng;
use rand::seq::IndexedRandom;

use crate::dispatch::{Route, RuleEntry, no_parameters};
use crate::rng;
use crate::serve::{FleetView, RequestView};
use crate::sim::Operations;

pub(super) const ENTRY: RuleEntry<dyn Route> = RuleEntry {
    name: "random",
    doc: "any site, with equal probability",
    source: "sanity floor",
    parameters: &[],
    draws: true,
    build: |parameters, seed| {
        no_parameters(parameters)?;
        Ok(Box::new(Random { rng: rng::stream(seed, "route", "random") }))
    },
};

struct Random {
    rng: ChaCha8Rng,
}

impl Route for Random {
    fn site(&mut self, _: &FleetView, _: &RequestView, sites: &[usize], spent: &mut Operations) -> usize {
        spent.comparisons += 1;
        *sites.choose(&mut self.rng).expect("some site serves the request")
    }
}
