//! `diurnal`: a Poisson process whose rate follows a sine, such as day and night of a service on a short time scale.
//!
//! The rate at t is mean x (1 + amplitude x sin(2 pi (t / period + phase))), drawn exactly by thinning (Lewis and
//! Shedler, Naval Research Logistics 26, 1979). The period is in seconds of simulated time whatever the load, so that
//! tenants with the same period have their rush hours together.

use std::f64::consts::TAU;

use rand::RngExt;
use rand_distr::{Distribution, Exp1};
use serde::Deserialize;

use super::gaps::Gaps;
use super::{ArrivalKind, Law, Process, Rate, Setting};
use crate::files::{Parameter, Seconds, Share, parse_parameters};

pub(super) const ENTRY: ArrivalKind = ArrivalKind {
    name: "diurnal",
    doc: "a Poisson process whose rate follows a sine",
    source: "thinning: Lewis and Shedler, Naval Research Logistics 26, 1979",
    rate: Rate::Given,
    parameters: &[
        Parameter { name: "period_s", default: "", doc: "one day, in simulated seconds" },
        Parameter { name: "amplitude", default: "0.5", doc: "(peak - mean) / mean of the rate, from 0 to 1" },
        Parameter { name: "phase", default: "0", doc: "part of the day that is over at time 0, from 0 to 1" },
    ],
    read: |table| Ok(Box::new(parse_parameters::<Diurnal>(table)?)),
};

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Diurnal {
    period_s: Seconds,
    #[serde(default = "half")]
    amplitude: Share,
    #[serde(default = "none")]
    phase: Share,
}

fn half() -> Share {
    Share(0.5)
}

fn none() -> Share {
    Share(0.0)
}

impl Diurnal {
    /// The rate relative to its mean.
    fn relative_rate(&self, time_s: f64) -> f64 {
        1.0 + self.amplitude.0 * (TAU * (time_s / self.period_s.0 + self.phase.0)).sin()
    }
}

impl Law for Diurnal {
    fn start(&self, setting: &Setting) -> Box<dyn Process> {
        let (law, peak) = (*self, 1.0 + self.amplitude.0);
        let peak_per_s = setting.rate_per_s * peak;
        let mut now_s = 0.0;
        Gaps::process(move |rng| {
            let last_s = now_s;
            loop {
                let wait: f64 = Exp1.sample(rng);
                now_s += wait / peak_per_s;
                // A stream that has outlived the clock is over.
                if rng.random::<f64>() * peak < law.relative_rate(now_s) || !now_s.is_finite() {
                    return now_s - last_s;
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::arrivals::testing::{KS_CRITICAL, Sample, assert_near, estimate, ks_distance};

    const RATE_PER_S: f64 = 100.0;

    /// 50 days of 10 s.
    fn sample(seed: u64) -> Sample {
        let keys = "kind = 'diurnal'\nperiod_s = 10\namplitude = 0.8\nphase = 0.25";
        Sample::of(keys, RATE_PER_S, 50_000, seed)
    }

    #[test]
    fn arrivals_follow_the_sine_through_the_day() {
        // The integral of the rate from the phase of 1/4 on: x + 0.8 sin(2 pi x) / (2 pi).
        let law = |day: f64| day + 0.8 * (TAU * day).sin() / TAU;
        let hours: Vec<f64> = sample(1).times_s().iter().map(|time_s| (time_s / 10.0).fract()).collect();
        let distance = ks_distance(&hours, law);
        assert!(distance < KS_CRITICAL / (hours.len() as f64).sqrt(), "{distance}");
    }

    #[test]
    fn the_mean_rate_is_kept_and_counts_vary_within_the_day_only() {
        assert_near("mean gap", estimate(20, |seed| sample(seed).mean_gap_s()), 0.01, 0.01);
        // Whole days are alike: as Poisson.
        let days = estimate(40, |seed| sample(seed).dispersion(10.0));
        assert_near("dispersion of days", days, 1.0, 0.1);
    }

    #[test]
    fn days_and_nights_differ() {
        // From the morning on, half days have 500 (1 +- 2 x 0.8 / pi) requests in turn; 100 of them are a sample.
        let keys = "kind = 'diurnal'\nperiod_s = 10\namplitude = 0.8";
        let half_days = estimate(20, |seed| Sample::of(keys, RATE_PER_S, 50_000, seed).dispersion(5.0));
        let expected = 1.0 + 500.0 * (1.6 / std::f64::consts::PI).powi(2) * 100.0 / 99.0;
        assert_near("dispersion of half days", half_days, expected, 0.02);
    }
}
