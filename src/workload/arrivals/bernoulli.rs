//! `bernoulli`: time in slots, and at the beginning of each slot at most one request, independently with probability p.
//!
//! The discrete-time counterpart of `poisson`, for problems in slots, whose optimum can be computed exactly. No request
//! comes at time 0: the first slot begins one slot later.

use rand_distr::{Distribution, Geometric};
use serde::Deserialize;

use super::{ArrivalKind, Law, Point, Process, Rate, Setting};
use crate::files::{Fraction, Microseconds, Parameter, parse_parameters};
use crate::units::Time;
use crate::workload::draw::Draws;

pub(super) const ENTRY: ArrivalKind = ArrivalKind {
    name: "bernoulli",
    doc: "at most one request at the beginning of each slot, with probability `p`",
    source: "textbook: the arrivals of Geo/G/1 queues",
    rate: Rate::Own,
    parameters: &[
        Parameter { name: "p", default: "", doc: "probability of a request in a slot, above 0" },
        Parameter { name: "slot_us", default: "1000", doc: "length of a slot" },
    ],
    read: |table| {
        let Keys { p, slot_us } = parse_parameters(table)?;
        Ok(Box::new(Bernoulli { p: p.0, slot: Time::from_us(slot_us.0) }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    p: Fraction,
    #[serde(default = "millisecond")]
    slot_us: Microseconds,
}

fn millisecond() -> Microseconds {
    Microseconds(1_000.0)
}

#[derive(Clone, Copy, Debug)]
struct Bernoulli {
    p: f64,
    slot: Time,
}

impl Law for Bernoulli {
    fn start(&self, _: &Setting) -> Box<dyn Process> {
        let empty_slots = Geometric::new(self.p).expect("p is from 1e-6 to 1");
        Box::new(Slots { empty_slots, length: self.slot, slot: 0 })
    }
}

struct Slots {
    /// The number of slots without a request before one that has one.
    empty_slots: Geometric,
    length: Time,
    /// The slot of the last request.
    slot: u64,
}

impl Process for Slots {
    fn next(&mut self, draws: &mut Draws) -> Option<Point> {
        let gap = self.empty_slots.sample(&mut draws.rng).checked_add(1)?;
        self.slot = self.slot.checked_add(gap)?;
        let time = self.slot.checked_mul(self.length.0).map(Time)?;
        (time < Time::MAX).then(|| Point::at(time))
    }
}

#[cfg(test)]
mod tests {
    use crate::workload::arrivals::testing::{Sample, assert_near, estimate};

    fn sample(p: f64, seed: u64) -> Sample {
        Sample::of(&format!("kind = 'bernoulli'\np = {p}\nslot_us = 500"), 1.0, 20_000, seed)
    }

    #[test]
    fn requests_come_at_slots_with_geometric_gaps() {
        let slot_ps = 500_000_000;
        let times = sample(0.4, 1).times();
        assert!(times.iter().all(|time| time.0 > 0 && time.0.is_multiple_of(slot_ps)));
        assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "at most one a slot");
        // Gaps of 1 / p slots in the mean, with a coefficient of variation of sqrt(1 - p).
        assert_near("mean gap", estimate(20, |seed| sample(0.4, seed).mean_gap_s()), 500e-6 / 0.4, 0.01);
        assert_near("gap CV", estimate(20, |seed| sample(0.4, seed).gap_cv()), 0.6_f64.sqrt(), 0.01);
    }

    #[test]
    fn with_probability_one_every_slot_has_a_request() {
        let times = sample(1.0, 1).times();
        assert!(times.iter().zip(1..).all(|(time, slot)| time.0 == slot * 500_000_000));
    }
}
