//! `infaas`: the cheapest variant that is accurate enough and still has room for the present rate of arrivals, where
//! cheap means a short service alone; if none has room, the one with the highest throughput.
//!
//! INFaaS takes the cheapest variant that meets what the user asked for, and another once a variant's load passes 95 % of
//! its throughput. Its scaling of instances and its choice of hardware have no place here: a site's accelerators are fixed.

use crate::dispatch::load::{Rates, USABLE, fastest, throughput};
use crate::dispatch::{Queue, RuleEntry, Variant, check_weight, parse};
use crate::files::Parameter;
use crate::serve::{FleetView, Record};
use crate::sim::Operations;

pub(super) const ENTRY: RuleEntry<dyn Variant> = RuleEntry {
    name: "infaas",
    doc: "the shortest service of those accurate enough with 95 % of their throughput above the rate of arrivals, else the highest throughput",
    source: "INFaaS (Romero et al., ATC 2021), its choice of variants only; the threshold as in its code",
    parameters: &[Parameter {
        name: "weight",
        default: "0.1",
        doc: "weight of a new gap in the moving average of the rate, above 0, at most 1",
    }],
    draws: false,
    build: |parameters, _| {
        let Parameters { weight } = parse(parameters)?;
        let weight = check_weight(weight)?;
        Ok(Box::new(Infaas { rates: Rates::new(weight) }))
    },
};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    weight: f64,
}

impl Default for Parameters {
    /// As `rate`.
    fn default() -> Self {
        Self { weight: 0.1 }
    }
}

struct Infaas {
    rates: Rates,
}

impl Variant for Infaas {
    fn variant(
        &mut self,
        view: &FleetView,
        queue: &Queue,
        _: usize,
        allowed: &[usize],
        spent: &mut Operations,
    ) -> usize {
        spent.comparisons += (allowed.len() * (queue.served.batches.len() + 1)) as u64;
        let rate = self.rates.of(view, queue);
        let roomy = allowed.iter().copied().filter(|&v| USABLE * throughput(view, queue, v) > rate);
        let service = |variant: usize| view.model().service(queue.site, queue.model, variant, 1);
        roomy.min_by_key(|&variant| service(variant)).unwrap_or_else(|| fastest(view, queue, allowed))
    }

    fn observe(&mut self, record: &Record) {
        self.rates.observe(record);
    }
}
