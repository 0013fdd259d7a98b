//! `rate`: the most accurate variant whose throughput carries the present rate of arrivals; if none does, the one with
//! the highest throughput. Our reconstruction of the rule by which Fang et al. (2017) choose. The rate is estimated at the
//! queue, by a moving average of the gaps between arrivals.
//!
//! With a headroom of 1 the rule runs at full utilisation just where the queue needs room most: 1.3 is a fairer opponent.

use crate::dispatch::load::{Rates, fastest, throughput};
use crate::dispatch::{Queue, RuleEntry, Variant, check_weight, parse};
use crate::files::Parameter;
use crate::serve::{FleetView, Record};
use crate::sim::Operations;

pub(super) const ENTRY: RuleEntry<dyn Variant> = RuleEntry {
    name: "rate",
    doc: "the most accurate variant whose throughput carries the rate of arrivals, else the one with the highest throughput",
    source: "Fang et al. (2017), our reconstruction",
    parameters: &[
        Parameter {
            name: "headroom",
            default: "1.0",
            doc: "multiple of the rate that the throughput has to carry",
        },
        Parameter {
            name: "weight",
            default: "0.1",
            doc: "weight of a new gap in the moving average, above 0, at most 1",
        },
    ],
    draws: false,
    build: |parameters, _| {
        let Parameters { headroom, weight } = parse(parameters)?;
        if !(headroom > 0.0 && headroom.is_finite()) {
            return Err(format!("`headroom` is {headroom}; it has to be above 0"));
        }
        let weight = check_weight(weight)?;
        Ok(Box::new(Rate { headroom, rates: Rates::new(weight) }))
    },
};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    headroom: f64,
    weight: f64,
}

impl Default for Parameters {
    /// No headroom, as the rule reads; the weight is our choice, because ten arrivals are a burst.
    fn default() -> Self {
        Self { headroom: 1.0, weight: 0.1 }
    }
}

struct Rate {
    headroom: f64,
    rates: Rates,
}

impl Variant for Rate {
    fn variant(
        &mut self,
        view: &FleetView,
        queue: &Queue,
        _: usize,
        allowed: &[usize],
        spent: &mut Operations,
    ) -> usize {
        spent.comparisons += (allowed.len() * queue.served.batches.len()) as u64;
        let needed = self.headroom * self.rates.of(view, queue);
        let enough = |variant: &usize| throughput(view, queue, *variant) >= needed;
        allowed.iter().copied().find(enough).unwrap_or_else(|| fastest(view, queue, allowed))
    }

    fn observe(&mut self, record: &Record) {
        self.rates.observe(record);
    }
}
