//! `twitter_like`: a Poisson process whose rate has days, rush hours and noise, as tweets have.
//!
//! The logarithm of the rate is the sum of two sines and of an Ornstein-Uhlenbeck process X (Gaussian noise with the
//! autocovariance sigma^2 e^(-t / relaxation)):
//! rate(t) = mean / c x exp(a1 sin(2 pi t / day + phase1) + a2 sin(8 pi t / day + phase2) + X(t)),
//! where c = I0(a1) I0(a2) e^(sigma^2 / 2) makes `mean` the mean rate (I0: modified Bessel function). The phases are
//! drawn for each run, so that a run may begin at any hour. The fast sine has a quarter of the day as its period, and
//! noise relaxes in 1 / 288 of a day. Between requests at times apart by u the covariance of the relative rates is
//! C(u) = exp(sigma^2 e^(-u / relaxation)) x product of I0(2 a cos(pi u / period)) / I0(a)^2 - 1 over the sines, and the
//! index of dispersion in windows of w is 1 + 2 mean / w x the integral of (w - u) C(u) over u from 0 to w (Cox and
//! Isham, Point Processes, 1980, section 3.3).
//!
//! The defaults are fitted by hand to figures of the Twitter trace that Proteus (Ahmad et al., ASPLOS 2024) replays,
//! without its data: 387 requests/s in the mean, the index of dispersion in windows of 1, 10 and 60 s, and the
//! quantiles of the requests per second. A day of 1,440 s (a minute a second) and its form are our choice.
//!
//! | | gap CV | 1 s | 10 s | 60 s | 5 % | median | 95 % |
//! |---|---|---|---|---|---|---|---|
//! | published | 1.72 | 226 | 2,039 | 10,270 | 92 | 279 | 999 |
//! | `twitter_like` | 1.55 | 227 | 2,036 | 10,373 | 87 | 296 | 994 |
//!
//! The day is in seconds of simulated time whatever the load, as in `diurnal`. A run that is shorter sees one hour of it:
//! choose `day_s` so that a run has several. The rate is held for a tenth of the relaxation time, or for a hundredth of a
//! mean gap if that is longer; our choice, because windows that are longer do not show it.

use std::f64::consts::TAU;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::Deserialize;

use super::pieces::{self, Piece};
use super::{ArrivalKind, Law, Process, Rate, Setting};
use crate::files::{LogSwing, Parameter, Seconds, parse_parameters};

pub(super) const ENTRY: ArrivalKind = ArrivalKind {
    name: "twitter_like",
    doc: "a Poisson process whose log rate is two sines and noise",
    source: "fitted to the Twitter workload of Proteus (Ahmad et al., ASPLOS 2024) at 387 requests/s",
    rate: Rate::Given,
    parameters: &[
        Parameter {
            name: "day_s",
            default: "1440",
            doc: "period of the slow sine; a quarter is the fast one's",
        },
        Parameter { name: "amplitudes", default: "[0.8, 0.5]", doc: "of the sines, in the log of the rate" },
        Parameter {
            name: "sigma",
            default: "0.32",
            doc: "standard deviation of the noise, in the log of the rate",
        },
    ],
    read: |table| Ok(Box::new(parse_parameters::<TwitterLike>(table)?)),
};

/// Days in the relaxation time of the noise.
const RELAXATION: f64 = 1.0 / 288.0;

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct TwitterLike {
    day_s: Seconds,
    amplitudes: [LogSwing; 2],
    sigma: LogSwing,
}

impl Default for TwitterLike {
    fn default() -> Self {
        Self { day_s: Seconds(1_440.0), amplitudes: [LogSwing(0.8), LogSwing(0.5)], sigma: LogSwing(0.32) }
    }
}

/// The modified Bessel function of the first kind of order 0, by its series.
fn bessel_i0(x: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..100 {
        term *= (x / (2.0 * f64::from(k))).powi(2);
        sum += term;
    }
    sum
}

impl TwitterLike {
    /// Periods of the sines.
    fn periods_s(&self) -> [f64; 2] {
        [self.day_s.0, self.day_s.0 / 4.0]
    }

    fn relaxation_s(&self) -> f64 {
        self.day_s.0 * RELAXATION
    }

    /// The mean of the exponential of sines and noise.
    fn mean_swing(&self) -> f64 {
        let sines: f64 = self.amplitudes.iter().map(|a| bessel_i0(a.0)).product();
        sines * (self.sigma.0.powi(2) / 2.0).exp()
    }
}

/// Where a run is in its days, and its noise.
struct Hour {
    turns: [f64; 2],
    /// In units of sigma.
    noise: f64,
}

impl Hour {
    fn draw(rng: &mut ChaCha8Rng) -> Self {
        Self { turns: [rng.random(), rng.random()], noise: StandardNormal.sample(rng) }
    }

    /// The hour after a time in which the noise keeps the share `kept`.
    fn pass(&mut self, turns: [f64; 2], kept: f64, rng: &mut ChaCha8Rng) {
        self.turns.iter_mut().zip(turns).for_each(|(turn, more)| *turn = (*turn + more).fract());
        let fresh: f64 = StandardNormal.sample(rng);
        self.noise = kept * self.noise + (1.0 - kept * kept).sqrt() * fresh;
    }
}

impl Law for TwitterLike {
    fn start(&self, setting: &Setting) -> Box<dyn Process> {
        let law = *self;
        let length_s = (law.relaxation_s() / 10.0).max(0.01 / setting.rate_per_s);
        let (turns, kept) =
            (law.periods_s().map(|period_s| length_s / period_s), (-length_s / law.relaxation_s()).exp());
        let base_per_s = setting.rate_per_s / law.mean_swing();
        let mut hour = None;
        pieces::process(move |rng| {
            let hour = hour.get_or_insert_with(|| Hour::draw(rng));
            let sines = law.amplitudes.iter().zip(hour.turns).map(|(a, turn)| a.0 * (TAU * turn).sin());
            let rate_per_s = base_per_s * (sines.sum::<f64>() + law.sigma.0 * hour.noise).exp();
            hour.pass(turns, kept, rng);
            Piece { rate_per_s, length_s }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::arrivals::Arrivals;
    use crate::workload::arrivals::testing::{Sample, assert_near, assert_published, estimate};

    impl TwitterLike {
        /// The index of dispersion by the formula in the module's documentation, by Simpson's rule.
        fn dispersion(&self, rate_per_s: f64, window_s: f64) -> f64 {
            let covariance = |u: f64| {
                let noise = (self.sigma.0.powi(2) * (-u / self.relaxation_s()).exp()).exp();
                let sine = |(a, period_s): (&LogSwing, f64)| {
                    bessel_i0(2.0 * a.0 * (TAU / 2.0 * u / period_s).cos()) / bessel_i0(a.0).powi(2)
                };
                noise * self.amplitudes.iter().zip(self.periods_s()).map(sine).product::<f64>() - 1.0
            };
            let steps = 2_000;
            let h = window_s / f64::from(steps);
            let terms = (0..=steps).map(|i| {
                let weight = [2.0, 4.0][i as usize % 2] / if i % steps == 0 { 2.0 } else { 1.0 };
                let u = f64::from(i) * h;
                weight * (window_s - u) * covariance(u)
            });
            1.0 + 2.0 * rate_per_s / window_s * terms.sum::<f64>() * h / 3.0
        }
    }

    const PUBLISHED: [(f64, f64); 3] = [(1.0, 226.0), (10.0, 2_039.0), (60.0, 10_270.0)];

    #[test]
    fn the_bessel_function_has_its_tabulated_values() {
        // Abramowitz and Stegun, table 9.8.
        for (x, expected) in [(0.0, 1.0), (1.0, 1.266_065_878), (6.0, 67.234_406_976)] {
            assert!((bessel_i0(x) - expected).abs() < 1e-8, "{x}: {}", bessel_i0(x));
        }
    }

    #[test]
    fn the_defaults_have_the_published_dispersion_by_the_closed_form() {
        for ((window_s, published), documented) in PUBLISHED.into_iter().zip([227.0, 2_036.0, 10_373.0]) {
            let found = TwitterLike::default().dispersion(387.0, window_s);
            assert!((found / published - 1.0).abs() < 0.05, "{window_s} s: {found}");
            assert!((found / documented - 1.0).abs() < 0.01, "{window_s} s: {found}");
        }
    }

    /// Two days per seed: 48 of the longest windows.
    #[test]
    fn drawn_requests_have_the_published_variation_and_dispersion() {
        let two_days = |seed| Sample::of("kind = 'twitter_like'", 387.0, 2 * 1_440 * 387, seed);
        let [second, ten, minute] = PUBLISHED.map(|(_, published)| published);
        assert_published(12, two_days, [1.72, second, ten, minute]);
    }

    #[test]
    fn mean_rate_and_dispersion_are_those_of_the_closed_forms() {
        let law = TwitterLike {
            day_s: Seconds(10.0),
            amplitudes: [LogSwing(0.5), LogSwing(0.3)],
            sigma: LogSwing(0.6),
        };
        // 200 days.
        let sample = |seed| {
            let keys = "kind = 'twitter_like'\nday_s = 10\namplitudes = [0.5, 0.3]\nsigma = 0.6";
            Sample::of(keys, 100.0, 200_000, seed)
        };
        assert_near("mean gap", estimate(20, |seed| sample(seed).mean_gap_s()), 0.01, 0.01);
        for window_s in [0.02, 0.2, 1.0] {
            let found = estimate(20, |seed| sample(seed).dispersion(window_s));
            assert_near("dispersion", found, law.dispersion(100.0, window_s), 0.02);
        }
    }

    #[test]
    fn without_swings_it_is_poisson() {
        let sample =
            |seed| Sample::of("kind = 'twitter_like'\namplitudes = [0, 0]\nsigma = 0", 100.0, 50_000, seed);
        assert_near("gap CV", estimate(20, |seed| sample(seed).gap_cv()), 1.0, 0.01);
        assert_near("dispersion", estimate(20, |seed| sample(seed).dispersion(1.0)), 1.0, 0.03);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (keys, part) in [
            ("day_s = 0", "day_s"),
            ("amplitudes = [1, 2, 3]", "amplitudes"),
            ("amplitudes = [4, 0]", "expected a number from 0 to 3"),
            ("sigma = -1", "expected a number from 0 to 3"),
        ] {
            let table = format!("kind = 'twitter_like'\n{keys}").parse().expect("valid TOML");
            let error = Arrivals::read(&table).unwrap_err();
            assert!(error.contains("twitter_like") && error.contains(part), "{error}");
        }
    }
}
