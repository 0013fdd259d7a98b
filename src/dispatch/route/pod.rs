//! `pod`: the power of d choices. The best of `d` sites drawn at random, by the reported number of requests there, or by
//! backlog and way; of equals the one drawn first.

use rand::rngs::ChaCha8Rng;
use rand::seq::index;

use super::shortest_queue::number;
use super::ways::round_trip;
use crate::dispatch::{Route, RuleEntry, parse};
use crate::files::Parameter;
use crate::rng;
use crate::serve::{FleetView, RequestView};
use crate::sim::Operations;

pub(super) const ENTRY: RuleEntry<dyn Route> = RuleEntry {
    name: "pod",
    doc: "the best of d random sites (power of d choices)",
    source: "Vvedenskaya, Dobrushin and Karpelevich 1996; Mitzenmacher, TPDS 2001",
    parameters: &[
        Parameter { name: "d", default: "2", doc: "number of sites drawn, at least 1" },
        Parameter {
            name: "by",
            default: "\"backlog\"",
            doc: "what makes a site good: `backlog`, the least backlog with the way there and back, or `number`, the fewest requests",
        },
    ],
    draws: true,
    build: |parameters, seed| {
        let Parameters { d, by } = parse(parameters)?;
        if d == 0 {
            return Err("`d` is 0; it has to be at least 1".into());
        }
        Ok(Box::new(PowerOfChoices { d, by, rng: rng::stream(seed, "route", "pod") }))
    },
};

#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum By {
    #[default]
    Backlog,
    Number,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    d: usize,
    by: By,
}

impl Default for Parameters {
    /// Two choices give most of the gain (Mitzenmacher).
    fn default() -> Self {
        Self { d: 2, by: By::default() }
    }
}

struct PowerOfChoices {
    d: usize,
    by: By,
    rng: ChaCha8Rng,
}

impl Route for PowerOfChoices {
    fn site(
        &mut self,
        view: &FleetView,
        request: &RequestView,
        sites: &[usize],
        spent: &mut Operations,
    ) -> usize {
        let d = self.d.min(sites.len());
        spent.comparisons += d as u64;
        let drawn = index::sample(&mut self.rng, sites.len(), d).into_iter().map(|place| sites[place]);
        let cost = |&site: &usize| match self.by {
            By::Number => number(view, site),
            By::Backlog => view.site(site).backlog.saturating_add(round_trip(view, request, site)).0,
        };
        drawn.min_by_key(cost).expect("some site serves the request")
    }
}
