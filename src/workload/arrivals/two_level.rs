//! `two_level`: a Poisson process whose rate alternates between two absolute levels, each kept for a gamma-distributed
//! time: load that is either low or high, such as a service with and without a crowd.
//!
//! Unlike `mmpp2`, rates and times are absolute, and dwell times may be more regular than exponential ones; with
//! `dwell_cv = 1` it is `mmpp2`. A run starts in the stationary state: in a level with the share of time that it takes,
//! and within a dwell time that is drawn in proportion to its length (gamma of one shape more), at a uniform place.
//!
//! The defaults are fitted by hand to the bursty workload of Proteus (Ahmad et al., ASPLOS 2024), without its data: rates
//! of 169 and 1,130 requests/s, and the index of dispersion in windows of 1, 10 and 60 s.
//!
//! | | gap CV | 1 s | 10 s | 60 s |
//! |---|---|---|---|---|
//! | published | 2.0 | 362 | 3,061 | 3,791 |
//! | `two_level` | 1.85 | 357 | 2,900 | 3,890 |
//!
//! Windows much shorter than a level have the dispersion 1 + w (r1 - r0)^2 p0 p1 / mean, so that the first figure sets
//! the shares of time p0 and p1, and its loss up to 10 s the dwell times. That it grows no more up to 60 s says that
//! levels are far more regular than exponential ones, with which it would be 8,800: a gamma distribution of CV 0.5.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, Gamma};
use serde::Deserialize;

use super::pieces::{self, Piece};
use super::{ArrivalKind, Law, Process, Rate, Setting};
use crate::files::{Parameter, PerSecondOrZero, Seconds, Variation, parse_parameters};

pub(super) const ENTRY: ArrivalKind = ArrivalKind {
    name: "two_level",
    doc: "a Poisson process whose rate alternates between two levels, at absolute rates",
    source: "fitted to the bursty workload of Proteus (Ahmad et al., ASPLOS 2024)",
    rate: Rate::Own,
    parameters: &[
        Parameter { name: "rates_per_s", default: "[169, 1130]", doc: "the two rates; one may be 0" },
        Parameter { name: "dwell_s", default: "[34, 32]", doc: "mean time at each rate" },
        Parameter {
            name: "dwell_cv",
            default: "0.5",
            doc: "standard deviation / mean of these times; 1 is exponential, as in mmpp2",
        },
    ],
    read: |table| Ok(Box::new(TwoLevel::new(&parse_parameters(table)?)?)),
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Keys {
    rates_per_s: [PerSecondOrZero; 2],
    dwell_s: [Seconds; 2],
    dwell_cv: Variation,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            rates_per_s: [PerSecondOrZero(169.0), PerSecondOrZero(1_130.0)],
            dwell_s: [Seconds(34.0), Seconds(32.0)],
            dwell_cv: Variation(0.5),
        }
    }
}

/// The most changes of level per request. Our choice, because no run would see more, and each takes time.
const MAX_CHANGES: f64 = 1_000.0;

#[derive(Clone, Copy, Debug)]
struct TwoLevel {
    rates_per_s: [f64; 2],
    dwell_s: [f64; 2],
    dwell_cv: f64,
}

impl TwoLevel {
    fn new(keys: &Keys) -> Result<Self, String> {
        let rates_per_s = keys.rates_per_s.map(|rate| rate.0);
        let dwell_s = keys.dwell_s.map(|seconds| seconds.0);
        let law = Self { rates_per_s, dwell_s, dwell_cv: keys.dwell_cv.0 };
        let shortest_s = 2.0 / (MAX_CHANGES * law.mean_per_s());
        match law.mean_per_s() {
            0.0 => Err("`rates_per_s` is [0, 0]: expected one above 0".into()),
            _ if dwell_s[0] + dwell_s[1] < shortest_s => Err(format!(
                "`dwell_s` is {dwell_s:?}: expected a sum of at least {shortest_s:.3e} s, {MAX_CHANGES} changes per \
                 request"
            )),
            _ => Ok(law),
        }
    }

    fn mean_per_s(&self) -> f64 {
        let [low, high] = self.dwell_s;
        (self.rates_per_s[0] * low + self.rates_per_s[1] * high) / (low + high)
    }

    /// A dwell time; within a run that began long ago, the one that it is in is longer than others (`is_running`).
    fn dwell_s(&self, level: usize, is_running: bool, rng: &mut ChaCha8Rng) -> f64 {
        let shape = self.dwell_cv.powi(-2);
        let scale = self.dwell_s[level] / shape;
        let lengths_s = Gamma::new(shape + f64::from(u8::from(is_running)), scale);
        lengths_s.expect("shape and scale are above zero and finite").sample(rng)
    }
}

impl Law for TwoLevel {
    fn start(&self, _: &Setting) -> Box<dyn Process> {
        let (law, mut level) = (*self, None);
        pieces::process(move |rng| {
            let (now, length_s) = match level {
                Some(before) => (1 - before, law.dwell_s(1 - before, false, rng)),
                None => {
                    let first = law.dwell_s[0] / (law.dwell_s[0] + law.dwell_s[1]);
                    let now = usize::from(rng.random::<f64>() >= first);
                    (now, rng.random::<f64>() * law.dwell_s(now, true, rng))
                }
            };
            level = Some(now);
            Piece { rate_per_s: law.rates_per_s[now], length_s }
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::workload::arrivals::Arrivals;
    use crate::workload::arrivals::mmpp2::Mmpp2;
    use crate::workload::arrivals::testing::{Estimate, Sample, assert_near, assert_published, estimate};

    fn sample(keys: &str, requests: usize, seed: u64) -> Sample {
        Sample::of(&format!("kind = 'two_level'\n{keys}"), 1.0, requests, seed)
    }

    fn dispersion(keys: &str, requests: usize, window_s: f64) -> Estimate {
        estimate(30, |seed| sample(keys, requests, seed).dispersion(window_s))
    }

    /// Each seed has about 70 times each level.
    #[test]
    fn the_defaults_have_the_published_variation_and_dispersion() {
        assert_published(16, |seed| sample("", 3_000_000, seed), [2.0, 362.0, 3_061.0, 3_791.0]);
    }

    #[test]
    fn with_exponential_times_it_is_mmpp2() {
        let keys = "rates_per_s = [300, 50]\ndwell_s = [0.2, 0.6]\ndwell_cv = 1";
        // (0.2 x 300 + 0.6 x 50) / 0.8 = 112.5 in the mean.
        let mean_gap = estimate(30, |seed| sample(keys, 100_000, seed).mean_gap_s());
        assert_near("mean gap", mean_gap, 1.0 / 112.5, 0.01);
        let law = Mmpp2::new([300.0, 50.0], [0.2 * 112.5, 0.6 * 112.5]);
        for window_s in [0.02, 0.2, 2.0] {
            assert_near(
                "dispersion",
                dispersion(keys, 100_000, window_s),
                law.dispersion(window_s * 112.5),
                0.02,
            );
        }
    }

    /// A window of a period, which is nearly fixed, holds the same time at each rate wherever it begins.
    #[test]
    fn with_regular_times_whole_periods_are_alike() {
        let keys = "rates_per_s = [300, 50]\ndwell_s = [0.5, 0.5]\ndwell_cv = 0.01";
        assert!((dispersion(keys, 10_000, 1.0).mean - 1.0).abs() < 0.2);
        assert!(dispersion(keys, 10_000, 0.5).mean > 10.0);
    }

    /// The number of requests up to a time is its mean times the rate from the start, for any distribution of the levels.
    #[test]
    fn a_run_starts_in_the_stationary_state() {
        for cv in [0.1, 0.5, 1.0, 2.0] {
            let keys = format!("rates_per_s = [400, 20]\ndwell_s = [0.3, 0.1]\ndwell_cv = {cv}");
            let early = |seed| {
                let times_s = sample(&keys, 100, seed).times_s();
                times_s.iter().filter(|&&time_s| time_s < 0.1).count() as f64
            };
            assert_near("requests in 0.1 s", estimate(4_000, early), 0.1 * 305.0, 0.01);
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (keys, part) in [
            ("rates_per_s = [0, 0]", "`rates_per_s` is [0, 0]: expected one above 0"),
            ("rates_per_s = [-1, 5]", "rates_per_s"),
            ("rates_per_s = [5]", "rates_per_s"),
            ("dwell_s = [0, 5]", "dwell_s"),
            ("dwell_cv = 0", "dwell_cv"),
            ("rates_per_s = [1, 1]\ndwell_s = [1e-6, 1e-6]", "expected a sum of at least 2.000e-3 s"),
        ] {
            let table = format!("kind = 'two_level'\n{keys}").parse().expect("valid TOML");
            let error = Arrivals::read(&table).unwrap_err();
            assert!(error.contains("two_level") && error.contains(part), "{error}");
        }
    }
}
