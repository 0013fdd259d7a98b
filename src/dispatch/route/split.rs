//! `split`: fixed shares of the requests to the sites, as a static optimum has them. In the order of the smallest deficit
//! the shares are kept as evenly as possible; at random every request is drawn on its own, which keeps a Poisson stream
//! Poisson at every site, as the formulas of static splitting suppose (Kleinrock, Queueing Systems II, section 5.8).

use rand::rngs::ChaCha8Rng;

use super::closest::closest;
use super::ways::draw;
use crate::dispatch::shares::most_behind;
use crate::dispatch::{Route, RuleEntry, parse};
use crate::files::Parameter;
use crate::rng;
use crate::serve::{FleetModel, FleetView, RequestView};
use crate::sim::Operations;

pub(super) const ENTRY: RuleEntry<dyn Route> = RuleEntry {
    name: "split",
    doc: "fixed shares of the requests to the sites",
    source: "ours",
    parameters: &[
        Parameter {
            name: "weights",
            default: "",
            doc: "share of each site, relative to each other, in the order of the fleet's file",
        },
        Parameter {
            name: "order",
            default: "\"deficit\"",
            doc: "`deficit`, always the site that is most behind its share, or `random`",
        },
    ],
    draws: true,
    build: |parameters, seed| {
        let Parameters { weights, order } = parse(parameters)?;
        for weight in &weights {
            if !(0.0..=LARGEST).contains(weight) {
                return Err(format!(
                    "`weights` has {weight}; weights have to be numbers from 0 to {LARGEST:e}"
                ));
            }
        }
        if weights.iter().all(|&weight| weight == 0.0) {
            return Err("`weights` are all 0; at least one site has to get requests".into());
        }
        let sent = vec![0; weights.len()];
        Ok(Box::new(Split { weights, order, sent, rng: rng::stream(seed, "route", "split") }))
    },
};

/// The largest weight. Our choice, because sums stay far from infinity.
const LARGEST: f64 = 1e9;

#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Order {
    #[default]
    Deficit,
    Random,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    weights: Vec<f64>,
    #[serde(default)]
    order: Order,
}

struct Split {
    weights: Vec<f64>,
    order: Order,
    /// The number of requests that each site got.
    sent: Vec<u64>,
    rng: ChaCha8Rng,
}

impl Route for Split {
    fn site(
        &mut self,
        view: &FleetView,
        request: &RequestView,
        sites: &[usize],
        spent: &mut Operations,
    ) -> usize {
        spent.comparisons += sites.len() as u64;
        let weight = |site: usize| self.weights.get(site).copied().unwrap_or(0.0);
        let weighted: Vec<_> =
            sites.iter().map(|&site| (site, weight(site))).filter(|(_, weight)| *weight > 0.0).collect();
        let chosen = match self.order {
            Order::Random => draw(&mut self.rng, &weighted),
            Order::Deficit => most_behind(&weighted, |site| self.sent[site]),
        };
        // The sites with a share may be none of those that serve this request.
        let Some(site) = chosen else { return closest(view, request, sites) };
        self.sent[site] += 1;
        site
    }

    fn check(&self, model: &FleetModel) -> Result<(), String> {
        let (given, sites) = (self.weights.len(), model.sites.len());
        if given == sites {
            return Ok(());
        }
        let names: Vec<&str> = model.sites.iter().map(|site| &site.name[..]).collect();
        Err(format!("`weights` has {given} numbers: expected {sites}, one per site ({})", names.join(", ")))
    }
}
