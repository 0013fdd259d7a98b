//! `mmpp2`: a Poisson process whose rate jumps between two values, each kept for an exponential time: bursts with a
//! length (a Markov-modulated Poisson process with two states).
//!
//! Only the ratio of the two rates counts: they are scaled so that the mean is the tenant's. Dwell times are in mean
//! gaps of the tenant, so that the process looks alike at every rate. With stationary probabilities p0, p1, relative
//! rates r0, r1 (p0 r0 + p1 r1 = 1) and s = 1 / dwell0 + 1 / dwell1, the index of dispersion over t mean gaps is
//! 1 + 2 (r0 - r1)^2 p0 p1 / s x (1 - (1 - e^(-s t)) / (s t)) (Fischer and Meier-Hellstern, Performance Evaluation 18,
//! 1993). A run starts in the stationary state.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, Exp1};
use serde::Deserialize;

use super::gaps::Gaps;
use super::{ArrivalKind, Law, Process, Rate, Setting};
use crate::files::{MeanGaps, Parameter, WeightOrZero, parse_parameters};

pub(super) const ENTRY: ArrivalKind = ArrivalKind {
    name: "mmpp2",
    doc: "a Poisson process whose rate jumps between two values",
    source: "Fischer and Meier-Hellstern, Performance Evaluation 18, 1993",
    rate: Rate::Given,
    parameters: &[
        Parameter { name: "rates", default: "", doc: "the two rates, relative to each other; one may be 0" },
        Parameter { name: "dwell", default: "", doc: "mean time in each state, in mean gaps of the tenant" },
    ],
    read: |table| {
        let Keys { rates, dwell } = parse_parameters(table)?;
        if rates[0].0 + rates[1].0 == 0.0 {
            return Err("one of the `rates` must be above 0".into());
        }
        Ok(Box::new(Mmpp2::new(rates.map(|rate| rate.0), dwell.map(|gaps| gaps.0))))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    rates: [WeightOrZero; 2],
    dwell: [MeanGaps; 2],
}

/// The process in units of mean gaps, in which the two rates have the mean 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mmpp2 {
    rates: [f64; 2],
    dwell: [f64; 2],
}

impl Mmpp2 {
    pub(super) fn new(rates: [f64; 2], dwell: [f64; 2]) -> Self {
        let mean = (rates[0] * dwell[0] + rates[1] * dwell[1]) / (dwell[0] + dwell[1]);
        Self { rates: rates.map(|rate| rate / mean), dwell }
    }

    /// The gap to the next request, and the state in which it comes: arrivals race against the end of the dwell time,
    /// which forgets how long it has lasted.
    fn gap(&self, state: &mut usize, rng: &mut ChaCha8Rng) -> f64 {
        let mut gap = 0.0;
        loop {
            let rate = self.rates[*state];
            let events = rate + 1.0 / self.dwell[*state];
            let wait: f64 = Exp1.sample(rng);
            gap += wait / events;
            if rng.random::<f64>() * events < rate {
                return gap;
            }
            *state = 1 - *state;
        }
    }
}

impl Law for Mmpp2 {
    fn start(&self, setting: &Setting) -> Box<dyn Process> {
        let (law, rate_per_s) = (*self, setting.rate_per_s);
        let mut state = None;
        Gaps::process(move |rng| {
            let first = law.dwell[0] / (law.dwell[0] + law.dwell[1]);
            let state = state.get_or_insert_with(|| usize::from(rng.random::<f64>() >= first));
            law.gap(state, rng) / rate_per_s
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::arrivals::testing::{KS_CRITICAL, Sample, assert_near, estimate, ks_distance};

    impl Mmpp2 {
        /// Squared coefficient of variation of the gaps: moments n! phi (-D0)^-n 1 of the phase-type law, phi being the
        /// state that an arrival finds.
        fn gap_cv(&self) -> f64 {
            let [r0, r1] = self.rates;
            let [q0, q1] = self.dwell.map(|gaps| 1.0 / gaps);
            let determinant = (r0 + q0) * (r1 + q1) - q0 * q1;
            let inverse = |[a, b]: [f64; 2]| {
                [(a * (r1 + q1) + b * q1) / determinant, (a * q0 + b * (r0 + q0)) / determinant]
            };
            let phi = [q1 * r0 / (q1 * r0 + q0 * r1), q0 * r1 / (q1 * r0 + q0 * r1)];
            let first = inverse(phi);
            let second = inverse(first);
            let (mean, square) = (first[0] + first[1], 2.0 * (second[0] + second[1]));
            (square / mean.powi(2) - 1.0).sqrt()
        }

        /// The index of dispersion by the formula in the module's documentation.
        pub(in crate::workload::arrivals) fn dispersion(&self, gaps: f64) -> f64 {
            let [p0, p1] = self.dwell.map(|dwell| dwell / (self.dwell[0] + self.dwell[1]));
            let s = 1.0 / self.dwell[0] + 1.0 / self.dwell[1];
            let jump = self.rates[0] - self.rates[1];
            1.0 + 2.0 * jump * jump * p0 * p1 / s * (1.0 - (1.0 - (-s * gaps).exp()) / (s * gaps))
        }
    }

    const RATE_PER_S: f64 = 100.0;

    fn sample(keys: &str, seed: u64) -> Sample {
        Sample::of(&format!("kind = 'mmpp2'\n{keys}"), RATE_PER_S, 100_000, seed)
    }

    #[test]
    fn rates_variation_and_dispersion_are_those_of_the_closed_forms() {
        let keys = "rates = [9, 1]\ndwell = [20, 60]";
        let law = Mmpp2::new([9.0, 1.0], [20.0, 60.0]);
        // (20 x 9 + 60 x 1) / 80 = 3: relative rates 3 and 1/3.
        assert_eq!(law.rates, [3.0, 1.0 / 3.0]);
        assert_near("mean gap", estimate(30, |seed| sample(keys, seed).mean_gap_s()), 0.01, 0.01);
        assert_near("gap CV", estimate(30, |seed| sample(keys, seed).gap_cv()), law.gap_cv(), 0.01);
        for gaps in [2.0, 20.0, 200.0] {
            let found = estimate(30, |seed| sample(keys, seed).dispersion(gaps / RATE_PER_S));
            assert_near("dispersion", found, law.dispersion(gaps), 0.02);
        }
    }

    /// With one rate 0 the gaps are independent and hyperexponential.
    #[test]
    fn an_interrupted_process_has_hyperexponential_gaps() {
        let [rate, end, begin] = [4.0, 1.0 / 20.0, 1.0 / 60.0];
        // Roots of x^2 + (rate + end + begin) x + rate x begin: the two phases; the density at 0 is the rate.
        let sum: f64 = rate + end + begin;
        let root = (sum * sum - 4.0 * rate * begin).sqrt();
        let (fast, slow) = ((sum + root) / 2.0, (sum - root) / 2.0);
        let share = (rate - slow) / (fast - slow);
        let law = |gap_s: f64| {
            let x = gap_s * RATE_PER_S;
            1.0 - share * (-fast * x).exp() - (1.0 - share) * (-slow * x).exp()
        };
        let gaps_s = sample("rates = [1, 0]\ndwell = [20, 60]", 5).gaps_s();
        let distance = ks_distance(&gaps_s, law);
        assert!(distance < KS_CRITICAL / (gaps_s.len() as f64).sqrt(), "{distance}");
    }

    #[test]
    fn a_process_without_any_rate_is_refused() {
        let table = "kind = 'mmpp2'\nrates = [0, 0]\ndwell = [1, 1]".parse().unwrap();
        let error = super::super::Arrivals::read(&table).unwrap_err();
        assert!(error.contains("above 0"), "{error}");
    }
}
