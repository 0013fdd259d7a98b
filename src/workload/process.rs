//! Arrival processes: the law of the gaps between the requests of one tenant.
//!
//! Each process is a variant of [`Arrivals`], tagged `kind` in TOML, and a small struct with its parameters and state.
//! All of them are open: a gap depends on the process, the rate and its own random numbers, never on what became of
//! earlier requests. Rates are requests per second, gaps are seconds.

use rand::Rng;
use rand_distr::{Distribution, Exp1};
use serde::Deserialize;

/// The arrival process of one tenant.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Arrivals {
    /// Independent exponential gaps: many users who know nothing of each other.
    Poisson(Poisson),
}

impl Default for Arrivals {
    fn default() -> Self {
        Self::Poisson(Poisson {})
    }
}

impl Arrivals {
    /// The seconds from one arrival to the next at a mean rate above zero.
    pub fn next_gap_s(&mut self, rate_per_s: f64, rng: &mut impl Rng) -> f64 {
        match self {
            Self::Poisson(process) => process.next_gap_s(rate_per_s, rng),
        }
    }
}

/// A Poisson process; its only parameter is the rate.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Poisson {}

impl Poisson {
    fn next_gap_s(&self, rate_per_s: f64, rng: &mut impl Rng) -> f64 {
        let gap: f64 = Exp1.sample(rng);
        gap / rate_per_s
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng;

    const RATE_PER_S: f64 = 250.0;
    const GAPS: usize = 20_000;

    fn poisson_gaps_s() -> Vec<f64> {
        let mut rng = rng::stream(7, "arrival", "test");
        let mut process = Arrivals::default();
        (0..GAPS).map(|_| process.next_gap_s(RATE_PER_S, &mut rng)).collect()
    }

    #[test]
    fn poisson_gaps_have_the_mean_and_the_variation_of_an_exponential() {
        let gaps = poisson_gaps_s();
        let n = GAPS as f64;
        let mean = gaps.iter().sum::<f64>() / n;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / (n - 1.0);
        // Both estimators have a standard error of 1 / sqrt(n) for an exponential law; 3.3 of them is 1 in 1,000.
        let tolerance = 3.3 / n.sqrt();
        assert!((mean * RATE_PER_S - 1.0).abs() < tolerance, "mean gap {mean} s");
        assert!((variance.sqrt() / mean - 1.0).abs() < tolerance, "CV {}", variance.sqrt() / mean);
    }

    #[test]
    fn poisson_gaps_pass_kolmogorov_smirnov() {
        let mut gaps = poisson_gaps_s();
        gaps.sort_by(f64::total_cmp);
        let n = GAPS as f64;
        let distance = gaps.iter().enumerate().map(|(i, gap)| {
            let law = 1.0 - (-gap * RATE_PER_S).exp();
            (law - i as f64 / n).max((i + 1) as f64 / n - law)
        });
        let distance = distance.fold(0.0, f64::max);
        // 1.95 / sqrt(n) is the 0.1 % critical value of the Kolmogorov distribution.
        assert!(distance < 1.95 / n.sqrt(), "KS distance {distance}");
    }
}
