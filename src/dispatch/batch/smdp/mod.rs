//! `smdp`: waits for so many requests as are best in the long run at the present rate, then takes as many as there are; an
//! order is launched early where a request would otherwise miss its deadline. Xu, Zhou and Niu (2023) show that the best
//! policy of a batch queue for a sum of delay and power has this form, a control limit, and find it by solving a
//! semi-Markov decision process; here the exact chain of each limit is solved (`bulk.rs`), and the best limit taken.
//!
//! A site with several servers counts as one queue each, with its share of the rate. The power is that of the layers
//! alone; it falls with the limit where a larger batch takes less energy for each request.

mod bulk;

use std::collections::BTreeMap;

use self::bulk::Bulk;
use super::limit::{MAX, largest};
use super::size::wait_for;
use crate::dispatch::load::Rates;
use crate::dispatch::{Batch, Batching, Queue, RuleEntry, check_weight, parse};
use crate::files::Parameter;
use crate::serve::{FleetView, Record};
use crate::sim::Operations;
use crate::units::Time;

pub(super) const ENTRY: RuleEntry<dyn Batch> = RuleEntry {
    name: "smdp",
    doc: "waits for the number of requests that is best for delay and power at the present rate, or until the first deadline presses",
    source: "Xu, Zhou and Niu (arXiv 2301.12865), the limit from exact chains; deadlines and several servers are ours",
    parameters: &[
        Parameter {
            name: "us_per_w",
            default: "0.0",
            doc: "microseconds of mean delay that a watt of mean power is worth; 0 for delay alone",
        },
        Parameter {
            name: "step",
            default: "0.1",
            doc: "relative change of the rate, above 0, at which the limit is computed anew",
        },
        Parameter {
            name: "weight",
            default: "0.1",
            doc: "weight of a new gap in the moving average of the rate, above 0, at most 1",
        },
        MAX,
    ],
    draws: false,
    build: |parameters, _| {
        let Parameters { us_per_w, step, weight, max } = parse(parameters)?;
        if !(us_per_w >= 0.0 && us_per_w.is_finite()) {
            return Err(format!("`us_per_w` is {us_per_w}; it has to be at least 0"));
        }
        if !(step > 0.0 && step.is_finite()) {
            return Err(format!("`step` is {step}; it has to be above 0"));
        }
        let rates = Rates::new(check_weight(weight)?);
        Ok(Box::new(Smdp { us_per_w, step, max, rates, solved: BTreeMap::new() }))
    },
};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    us_per_w: f64,
    step: f64,
    weight: f64,
    max: usize,
}

impl Default for Parameters {
    /// Delay alone, and a tenth, below which the best limit hardly changes; both our choice. The weight as `rate`.
    fn default() -> Self {
        Self { us_per_w: 0.0, step: 0.1, weight: 0.1, max: 0 }
    }
}

struct Smdp {
    us_per_w: f64,
    step: f64,
    max: usize,
    rates: Rates,
    /// By site and model.
    solved: BTreeMap<(usize, usize), Solved>,
}

/// What the limit was computed for, and the limit.
struct Solved {
    rate: f64,
    alone: Time,
    limit: usize,
}

impl Batch for Smdp {
    fn batch(
        &mut self,
        view: &FleetView,
        queue: &Queue,
        service: &mut dyn FnMut(usize) -> Time,
        spent: &mut Operations,
    ) -> Batching {
        let largest = largest(self.max, queue);
        let place = (queue.site, queue.model);
        let rate = self.rates.of(view, queue);
        let alone = service(1);
        spent.comparisons += 2;
        let holds = |of: &&Solved| of.alone == alone && (rate - of.rate).abs() <= self.step * of.rate;
        let limit = match self.solved.get(&place).filter(holds) {
            Some(solved) => solved.limit,
            None => {
                let bulk = self.bulk(view, queue, rate, largest, service);
                let (limit, operations) = bulk.best_limit();
                spent.macs += operations;
                self.solved.insert(place, Solved { rate, alone, limit });
                limit
            }
        };
        wait_for(view, queue, limit, largest, service, spent)
    }

    fn observe(&mut self, record: &Record) {
        self.rates.observe(record);
    }
}

impl Smdp {
    /// The queue of one server.
    fn bulk(
        &self,
        view: &FleetView,
        queue: &Queue,
        rate: f64,
        largest: usize,
        service: &mut dyn FnMut(usize) -> Time,
    ) -> Bulk {
        let model = view.model();
        // The energy is that of the variant with this service; of several, of the first.
        let mut energy = |count: usize| {
            let wanted = service(count);
            let mut variants = 0..queue.served.variants.len();
            let runs = |&v: &usize| model.service(queue.site, queue.model, v, count) == wanted;
            let variant = variants.find(runs).unwrap_or(0);
            model.energy(queue.site, queue.model, variant, count).0
        };
        // A picojoule per picosecond is a watt.
        Bulk {
            rate: rate / model.sites[queue.site].at_once() as f64,
            costs: (1..=largest).map(|count| self.us_per_w * 1e6 * energy(count)).collect(),
            services: (1..=largest).map(|count| service(count).as_ps()).collect(),
        }
    }
}
