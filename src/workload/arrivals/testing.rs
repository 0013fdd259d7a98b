//! Samples of arrival processes, and what tests ask of them.

use super::{Arrivals, Point, Setting};
use crate::rng;
use crate::units::Time;
use crate::workload::burstiness::of_times::{dispersion, gap_cv};
use crate::workload::draw::{Draw, Draws};
use crate::workload::tenant::Weighted;

/// The 0.1 % critical value of the Kolmogorov distribution, to be divided by sqrt(n).
pub(super) const KS_CRITICAL: f64 = 1.95;

/// The first requests of a run.
pub(super) struct Sample {
    pub(super) points: Vec<Point>,
}

impl Sample {
    /// At most `requests` points of the process with these keys (TOML). Its tenant asks for networks 0 and 1 in equal
    /// shares, which take 2 and 6 ms.
    pub(super) fn of(keys: &str, rate_per_s: f64, requests: usize, seed: u64) -> Self {
        let arrivals = Arrivals::read(&keys.parse().expect("valid TOML")).expect("valid keys");
        let isolated = [2_000.0, 6_000.0].map(Time::from_us);
        let mut process = arrivals.start(&Setting { rate_per_s, isolated: &isolated });
        let mix = [0, 1].map(|value| Weighted { value, weight: 1.0 });
        let networks = Draw::new(&mix, rng::stream(seed, "network", "test"));
        let mut draws = Draws { rng: rng::stream(seed, "arrival", "test"), networks };
        let points: Vec<Point> = std::iter::from_fn(|| process.next(&mut draws)).take(requests).collect();
        assert!(points.is_sorted_by_key(|point| point.time));
        Self { points }
    }

    pub(super) fn times(&self) -> Vec<Time> {
        self.points.iter().map(|point| point.time).collect()
    }

    pub(super) fn times_s(&self) -> Vec<f64> {
        self.points.iter().map(|point| point.time.as_s()).collect()
    }

    pub(super) fn gaps_s(&self) -> Vec<f64> {
        self.times().windows(2).map(|pair| (pair[1] - pair[0]).as_s()).collect()
    }

    pub(super) fn mean_gap_s(&self) -> f64 {
        let times = self.times();
        (times[times.len() - 1] - times[0]).as_s() / (times.len() - 1) as f64
    }

    pub(super) fn gap_cv(&self) -> f64 {
        gap_cv(&self.times()).expect("a sample has gaps")
    }

    pub(super) fn dispersion(&self, window_s: f64) -> f64 {
        dispersion(&self.times(), Time::from_s(window_s)).expect("a sample has enough windows")
    }
}

/// A mean over seeds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Estimate {
    pub(super) mean: f64,
    /// Standard error of the mean, from the spread over seeds.
    pub(super) error: f64,
}

pub(super) fn estimate(seeds: u64, of: impl Fn(u64) -> f64) -> Estimate {
    let values: Vec<f64> = (1..=seeds).map(of).collect();
    let n = seeds as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    Estimate { mean, error: (variance / n).sqrt() }
}

/// The expectation lies within 4 standard errors (1 in 1,000 at 20 seeds would not), and these are small enough for the
/// test to mean something: `widest` relative to the expectation.
pub(super) fn assert_near(what: &str, found: Estimate, expected: f64, widest: f64) {
    assert!((found.mean - expected).abs() <= 4.0 * found.error, "{what}: {found:?}, not {expected}");
    assert!(found.error <= widest * expected.abs(), "{what}: {found:?} is too vague about {expected}");
}

/// Gap CV and the index of dispersion in windows of 1, 10 and 60 s, pooled over seeds, are within 15 % of the published
/// figures. Standard errors are checked to be a third of that or less.
pub(super) fn assert_published(seeds: u64, sample: impl Fn(u64) -> Sample, published: [f64; 4]) {
    let figures = |sample: Sample| {
        [sample.gap_cv(), sample.dispersion(1.0), sample.dispersion(10.0), sample.dispersion(60.0)]
    };
    let of_seeds: Vec<[f64; 4]> = (1..=seeds).map(|seed| figures(sample(seed))).collect();
    for (figure, published) in published.into_iter().enumerate() {
        let found = estimate(seeds, |seed| of_seeds[seed as usize - 1][figure]);
        assert!((found.mean / published - 1.0).abs() < 0.15, "{found:?}, not {published}");
        assert!(found.error < 0.05 * published, "{found:?} is too vague about {published}");
    }
}

/// The largest distance of the sample's distribution from a law, given by its distribution function.
pub(super) fn ks_distance(sample: &[f64], law: impl Fn(f64) -> f64) -> f64 {
    let mut sorted = sample.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let distance = sorted.iter().enumerate().map(|(i, &value)| {
        let expected = law(value);
        (expected - i as f64 / n).max((i + 1) as f64 / n - expected)
    });
    distance.fold(0.0, f64::max)
}
