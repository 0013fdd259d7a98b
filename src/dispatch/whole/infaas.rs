//! `infaas`: the site that is least loaded by its report, and there the cheapest variant that is accurate enough and of
//! whose throughput 95 % are above the rate of arrivals. What is cheap is a parameter: INFaaS compares what instances cost,
//! here the `service` alone, and without an accuracy asked for that is the smallest variant; the code of Proteus, which
//! rebuilds INFaaS for a fixed cluster, counts what is lost of the `accuracy` of the best variant. Orders are whatever
//! waits, up to the limit.
//!
//! Variants are those of the variant rule `infaas` with `cost = "service"`, else those of `rate` with a headroom of 1 / 0.95.

use toml::Table;

use super::part;
use crate::dispatch::load::USABLE;
use crate::dispatch::{BATCHES, Composed, MAX, ROUTES, RuleEntry, VARIANTS, parse};
use crate::files::Parameter;
use crate::serve::Dispatcher;

pub(super) const ENTRY: RuleEntry<dyn Dispatcher> = RuleEntry {
    name: "infaas",
    doc: "the least loaded site, and there the cheapest variant that is accurate enough with 95 % of its throughput above the rate of arrivals, in orders of all that wait",
    source: "INFaaS (Romero et al., ATC 2021), without scaling; the costs and the threshold as in Proteus (Ahmad et al., ASPLOS 2024)",
    parameters: &[
        Parameter {
            name: "cost",
            default: "\"accuracy\"",
            doc: "what is cheap: little loss of `accuracy`, or a short `service` alone",
        },
        MAX,
    ],
    draws: false,
    build: |parameters, _| {
        let Parameters { cost, max } = parse(parameters)?;
        let none = &Table::new();
        let limit = Table::from_iter([("max".to_string(), (max as i64).into())]);
        let headroom = Table::from_iter([("headroom".to_string(), (1.0 / USABLE).into())]);
        Ok(Box::new(Composed {
            route: part(ROUTES, "load_balancing", none)?,
            variant: match cost {
                Cost::Accuracy => part(VARIANTS, "rate", &headroom)?,
                Cost::Service => part(VARIANTS, "infaas", none)?,
            },
            batch: part(BATCHES, "greedy", &limit)?,
            order: None,
        }))
    },
};

#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Cost {
    #[default]
    Accuracy,
    Service,
}

#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    cost: Cost,
    max: usize,
}
