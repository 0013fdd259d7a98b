//! `infaas`: the site that is least loaded by its report, and there the cheapest variant that is accurate enough and of
//! whose throughput 95 % are above the rate of arrivals. What is cheap is a parameter: INFaaS compares what instances cost,
//! here the `service` alone, and without an accuracy asked for that is the smallest variant; the code of Proteus, which
//! rebuilds INFaaS for a fixed cluster, counts what is lost of the `accuracy` of the best variant. Orders are whatever
//! waits, up to the limit.
//!
//! With `cost = "service"`, variants are those of the variant rule `infaas`.

use super::part;
use crate::dispatch::load::{Rates, USABLE, fastest, throughput};
use crate::dispatch::{BATCHES, Composed, MAX, Queue, ROUTES, RuleEntry, VARIANTS, Variant, parse};
use crate::files::Parameter;
use crate::serve::{Dispatcher, FleetView, Record};
use crate::sim::Operations;

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
        let none = &toml::Table::new();
        let limit = toml::Table::from_iter([("max".to_string(), (max as i64).into())]);
        Ok(Box::new(Composed {
            route: part(ROUTES, "load_balancing", none)?,
            variant: match cost {
                Cost::Accuracy => Box::new(MostAccurate { rates: Rates::new(WEIGHT) }),
                Cost::Service => part(VARIANTS, "infaas", none)?,
            },
            batch: part(BATCHES, "greedy", &limit)?,
            order: None,
        }))
    },
};

/// The weight of a new gap in the rate, as the variant rule `infaas` has it.
const WEIGHT: f64 = 0.1;

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

/// The most accurate variant that has room for the rate of arrivals.
struct MostAccurate {
    rates: Rates,
}

impl Variant for MostAccurate {
    fn variant(
        &mut self,
        view: &FleetView,
        queue: &Queue,
        _: usize,
        allowed: &[usize],
        spent: &mut Operations,
    ) -> usize {
        spent.comparisons += (allowed.len() * queue.served.batches.len()) as u64;
        let rate = self.rates.of(view, queue);
        let has_room = |variant: &usize| USABLE * throughput(view, queue, *variant) > rate;
        allowed.iter().copied().find(has_room).unwrap_or_else(|| fastest(view, queue, allowed))
    }

    fn observe(&mut self, record: &Record) {
        self.rates.observe(record);
    }
}
