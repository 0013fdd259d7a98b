//! `closed_loop`: a fixed number of requests circulate; the next one arrives a think time after one of them has ended,
//! whether it was done or dropped. Examples are users who wait for the answer, pipelines with a bounded buffer, and
//! saturation tests.
//!
//! The first requests arrive at time 0. Which request is next, and how long its user thinks, is drawn beforehand, so it
//! is the same for every scheduler; when the request arrives is not. A think time is fixed, or exponential with the
//! given mean. With exponential service times on one accelerator this is the machine-repairman model (M/M/1//n).

use rand_distr::{Distribution, Exp1};
use serde::Deserialize;

use super::at_once::AtOnce;
use super::{ArrivalKind, Law, Process, Rate, Setting};
use crate::files::{MicrosecondsOrZero, Parameter, parse_parameters};
use crate::units::Time;
use crate::workload::draw::Draws;

pub(super) const ENTRY: ArrivalKind = ArrivalKind {
    name: "closed_loop",
    doc: "in_flight requests at time 0; whenever one ends, another one arrives after a think time",
    source: "Schroeder, Wierman and Harchol-Balter, Open Versus Closed: A Cautionary Tale, NSDI 2006",
    rate: Rate::Own,
    parameters: &[
        Parameter { name: "in_flight", default: "", doc: "number of requests, 1 to 100,000" },
        Parameter { name: "think_us", default: "0", doc: "mean time from an end to the next request" },
        Parameter {
            name: "think",
            default: "'fixed'",
            doc: "distribution of the think time: 'fixed' or 'exponential'",
        },
    ],
    read: |table| {
        let law: ClosedLoop = parse_parameters(table)?;
        if !(1..=MAX_IN_FLIGHT).contains(&law.in_flight) {
            return Err(format!("`in_flight` is {}: expected 1 to {MAX_IN_FLIGHT}", law.in_flight));
        }
        Ok(Box::new(law))
    },
};

/// The most requests in flight. Our choice, because no client keeps as many open.
const MAX_IN_FLIGHT: u32 = 100_000;

/// The law of a closed loop.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosedLoop {
    /// Number of requests that are in flight or in their think time.
    pub in_flight: u32,
    #[serde(default)]
    think_us: MicrosecondsOrZero,
    #[serde(default)]
    think: Think,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Think {
    #[default]
    Fixed,
    Exponential,
}

impl ClosedLoop {
    /// Mean time from an end to the next request.
    pub fn mean_think(&self) -> Time {
        Time::from_us(self.think_us.0)
    }

    /// The time from an end to the next request.
    pub(in crate::workload) fn think(&self, draws: &mut Draws) -> Time {
        let share: f64 = match self.think {
            Think::Fixed => 1.0,
            Think::Exponential => Exp1.sample(&mut draws.rng),
        };
        Time::from_us(share * self.think_us.0)
    }
}

impl Law for ClosedLoop {
    fn start(&self, _: &Setting) -> Box<dyn Process> {
        // Later requests have no fixed times.
        Box::new(AtOnce(self.in_flight))
    }

    fn closed_loop(&self) -> Option<&ClosedLoop> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng;
    use crate::workload::arrivals::Arrivals;
    use crate::workload::arrivals::testing::{KS_CRITICAL, Sample, ks_distance};
    use crate::workload::draw::Draw;
    use crate::workload::tenant::Weighted;

    fn thinks(keys: &str) -> Vec<f64> {
        let arrivals = Arrivals::read(&keys.parse().expect("valid TOML")).expect("valid keys");
        let networks = Draw::new(&[Weighted { value: 0, weight: 1.0 }], rng::stream(1, "network", "test"));
        let mut draws = Draws { rng: rng::stream(1, "arrival", "test"), networks };
        let law = arrivals.closed_loop().expect("it is one");
        (0..20_000).map(|_| law.think(&mut draws).as_us()).collect()
    }

    #[test]
    fn the_first_requests_come_at_once() {
        let sample = Sample::of("kind = 'closed_loop'\nin_flight = 3\nthink_us = 9", 1.0, 100, 1);
        assert_eq!(sample.times(), [Time::ZERO; 3]);
    }

    #[test]
    fn users_think_for_a_fixed_or_an_exponential_time() {
        let keys = "kind = 'closed_loop'\nin_flight = 1\nthink_us = 50\nthink = ";
        assert!(thinks(&format!("{keys}'fixed'")).iter().all(|&us| us == 50.0));
        let drawn = thinks(&format!("{keys}'exponential'"));
        let distance = ks_distance(&drawn, |us| 1.0 - (-us / 50.0).exp());
        assert!(distance < KS_CRITICAL / (drawn.len() as f64).sqrt(), "{distance}");
    }

    #[test]
    fn a_loop_of_nobody_is_refused() {
        let table = "kind = 'closed_loop'\nin_flight = 0".parse().unwrap();
        assert!(Arrivals::read(&table).unwrap_err().contains("expected 1 to 100000"));
    }
}
