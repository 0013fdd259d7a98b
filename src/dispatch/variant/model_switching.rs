//! `model_switching`: the variant with the highest effective accuracy at the rate of arrivals in the last period, its
//! accuracy times the share of answers in time; chosen anew each period, and at every decision of the first one.
//! Model-Switching (Zhang et al., HotCloud 2020) measures the share in advance, by rate and variant. Here it is estimated
//! from service times, so that the rule needs no runs of its own and can be moved to any fleet:
//!
//! Orders of k requests come at rate / k to c servers with the service s(k), and wait as if one server was c times as
//! fast: with the probability rho = rate s(k) / (k c) for a time that is exponential with mean s(k) / (2 c (1 - rho)).
//! For one server and single requests the mean is that of the queue M/D/1. An order is in time if wait and service fit
//! what a request has left when it is queued, in the mean of those that wait; at rho >= 1 none is. Of all sizes k of
//! orders the best counts. Orders are not made to wait until they are full.

use std::collections::BTreeMap;

use crate::dispatch::load::{Rates, fastest};
use crate::dispatch::{Queue, RuleEntry, Variant, check_period, parse};
use crate::exp::exp;
use crate::files::Parameter;
use crate::serve::{FleetView, Record};
use crate::sim::Operations;
use crate::units::Time;

pub(super) const ENTRY: RuleEntry<dyn Variant> = RuleEntry {
    name: "model_switching",
    doc: "the highest accuracy times estimated share in time at the rate of arrivals in the last period, chosen anew each period",
    source: "Model-Switching (Zhang et al., HotCloud 2020); the period from memory, the share estimated by a queue in place of profiles",
    parameters: &[Parameter {
        name: "period_us",
        default: "1000000.0",
        doc: "time between choices in microseconds, above 0",
    }],
    draws: false,
    build: |parameters, _| {
        let Parameters { period_us } = parse(parameters)?;
        let period = check_period(period_us)?;
        Ok(Box::new(ModelSwitching { period, rates: Rates::new(1.0), chosen: BTreeMap::new() }))
    },
};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    period_us: f64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { period_us: 1e6 }
    }
}

struct ModelSwitching {
    period: Time,
    rates: Rates,
    /// By site and model.
    chosen: BTreeMap<(usize, usize), Chosen>,
}

/// A choice, and the window in which arrivals are counted for the next one.
#[derive(Clone, Copy)]
struct Chosen {
    variant: usize,
    since: Time,
    /// The arrivals before it.
    arrived: u64,
    is_first: bool,
}

impl Variant for ModelSwitching {
    fn variant(
        &mut self,
        view: &FleetView,
        queue: &Queue,
        _: usize,
        allowed: &[usize],
        spent: &mut Operations,
    ) -> usize {
        spent.comparisons += 1;
        let arrived = self.rates.arrived(view, queue);
        let new = Chosen { variant: 0, since: view.now(), arrived, is_first: true };
        let chosen = self.chosen.get(&(queue.site, queue.model)).copied();
        let Chosen { variant, since, arrived: before, is_first } = chosen.unwrap_or(new);
        let passed = view.now() - since;
        let is_over = passed >= self.period;
        let variant = if is_first || is_over {
            let rate = (arrived - before) as f64 / passed.as_ps().max(1.0);
            let variant = most_effective(view, queue, rate, spent);
            let next = match is_over {
                true => Chosen { variant, is_first: false, ..new },
                false => Chosen { variant, since, arrived: before, is_first },
            };
            self.chosen.insert((queue.site, queue.model), next);
            variant
        } else {
            variant
        };
        // What is not accurate enough for these requests gives way to the least accurate one that is.
        if allowed.contains(&variant) { variant } else { allowed[allowed.len() - 1] }
    }

    fn observe(&mut self, record: &Record) {
        self.rates.observe(record);
    }
}

/// The variant with the highest effective accuracy; the one with the highest throughput if none is ever in time.
fn most_effective(view: &FleetView, queue: &Queue, rate: f64, spent: &mut Operations) -> usize {
    let all = queue.served.from_best(0.0);
    spent.comparisons += (all.len() * queue.served.batches.len() + queue.len()) as u64;
    let left = queue.iter().filter(|of| of.due < Time::MAX).map(|of| of.due.saturating_sub(of.queued_at));
    let (sum, count) = left.fold((0.0, 0), |(sum, count), left| (sum + left.as_ps(), count + 1));
    let budget = if count == 0 { f64::INFINITY } else { sum / f64::from(count) };
    let servers = view.model().sites[queue.site].at_once() as f64;
    let share = |variant: usize| {
        let of_batch = |&batch: &u32| {
            let service = view.model().service(queue.site, queue.model, variant, batch as usize).as_ps();
            in_time(rate / f64::from(batch), servers, service, budget)
        };
        queue.served.batches.iter().map(of_batch).fold(0.0, f64::max)
    };
    let mut best = (fastest(view, queue, &all), 0.0);
    for variant in all {
        let effective = queue.served.variants[variant].accuracy * share(variant);
        if effective > best.1 {
            best = (variant, effective);
        }
    }
    best.0
}

/// The estimated share of orders that are done within a budget of their arrival.
fn in_time(rate: f64, servers: f64, service: f64, budget: f64) -> f64 {
    let rho = rate * service / servers;
    if rho >= 1.0 || service > budget {
        return 0.0;
    }
    1.0 - rho * exp(-2.0 * (1.0 - rho) * (budget - service) * servers / service)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half full, with one more service to spare: half of the orders wait, for half a service in the mean; e^-1 of them
    /// for more than one.
    #[test]
    fn shares_in_time_by_hand() {
        assert!((in_time(0.05, 1.0, 10.0, 20.0) - (1.0 - 0.5 / std::f64::consts::E)).abs() < 1e-12);
        assert_eq!([in_time(0.05, 1.0, 10.0, 9.0), in_time(0.1, 1.0, 10.0, 99.0)], [0.0, 0.0]);
        assert_eq!(in_time(0.0, 1.0, 10.0, 10.0), 1.0);
        // Two servers at twice the rate: the wait is half as long.
        let two = in_time(0.1, 2.0, 10.0, 15.0);
        assert!((two - (1.0 - 0.5 / std::f64::consts::E)).abs() < 1e-12);
    }
}
