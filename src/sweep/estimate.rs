//! Statistics over runs: a mean with its 95 % confidence interval, and tests of significance.
//!
//! Replicates are runs under several seeds, taken as independent, with an interval by Student's t. For a single run,
//! because it was run once or because no seed changes it, the replicates of its SLA rate are the rates in equal parts
//! of it: batch means (Law, Simulation Modeling and Analysis, 5th ed., 2015, section 9.5.3). This assumes that one part
//! is nearly independent of the next. Other metrics of a single run have no interval.
//!
//! The interval of a metric with a bounded range, such as a rate or a difference of rates, is Student's interval cut to
//! the range. The true mean is in the range as well, so the cut loses no coverage. With two seeds, or near 0 and 1, the
//! sides of the interval may be unequal.

use std::fmt;

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// The range in which a mean can lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    low: f64,
    high: f64,
}

impl Range {
    /// No limits.
    pub const ANY: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY };
    /// The range of quantities that are not negative.
    pub const POSITIVE: Self = Self { low: 0.0, ..Self::ANY };
    /// The range of a rate.
    pub const SHARE: Self = Self { low: 0.0, high: 1.0 };
    /// The range of the difference of a rate to its upper bound.
    pub const BELOW_BOUND: Self = Self { low: -1.0, high: 0.0 };

    /// Whether a value is in the range, up to rounding.
    pub fn holds(self, value: f64) -> bool {
        (self.low - ROUNDING..=self.high + ROUNDING).contains(&value)
    }

    /// The range of the difference of two such means.
    pub fn of_differences(self) -> Self {
        Self { low: self.low - self.high, high: self.high - self.low }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "from {} to {}", self.low, self.high)
    }
}

/// A mean over replicates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Estimate {
    /// The mean.
    pub mean: Option<f64>,
    /// Half-width of Student's 95 % confidence interval; `None` below two replicates, or if all are equal.
    pub ci95: Option<f64>,
    /// Lower end of the interval, cut to the range of the mean.
    pub low95: Option<f64>,
    /// Upper end of the interval, cut likewise.
    pub high95: Option<f64>,
}

impl Estimate {
    /// The estimate from replicates; those without a value do not count.
    pub fn of(samples: &[f64], range: Range) -> Self {
        let (mean, ci95) = (mean(samples), half_width_95(samples));
        let end = |sign: f64| Some((mean? + sign * ci95?).clamp(range.low, range.high));
        Self { mean, ci95, low95: end(-1.0), high95: end(1.0) }
    }

    /// The estimate in another unit: all figures times `factor`.
    pub fn times(self, factor: f64) -> Self {
        let Self { mean, ci95, low95, high95 } = self;
        let [mean, ci95, low95, high95] = [mean, ci95, low95, high95].map(|value| value.map(|v| v * factor));
        Self { mean, ci95, low95, high95 }
    }

    /// Both ends of the interval.
    pub fn interval(&self) -> Option<[f64; 2]> {
        Some([self.low95?, self.high95?])
    }
}

/// The kinds of replicates that an estimate can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Replicates {
    /// Runs under several seeds.
    Seeds,
    /// Runs under several seeds with the same requests, because no seed changes them: schedulers without random draws
    /// have one run.
    Draws,
    /// Equal parts of one run.
    Batches,
    /// One run, without an interval.
    One,
}

impl Replicates {
    /// A note on the interval, if it is not over seeds.
    pub fn note(self) -> Option<&'static str> {
        match self {
            Self::Seeds => None,
            Self::Draws => Some(
                "several seeds beside one run: intervals over what these seeds draw, for the same arrivals",
            ),
            Self::Batches => Some(
                "one run: intervals by batch means over its requests in order of arrival; none where all parts are alike",
            ),
            Self::One => Some("one run: no interval"),
        }
    }
}

/// The rates in equal parts of a run, with the mean moved to that of the run: parts may differ by a request.
pub fn batch_rates(met: &[usize], requests: usize) -> Vec<f64> {
    let parts = met.len();
    let size = |part: usize| (part + 1) * requests / parts - part * requests / parts;
    let rates: Vec<f64> = met.iter().enumerate().map(|(part, &met)| met as f64 / size(part) as f64).collect();
    let all = met.iter().sum::<usize>() as f64 / requests as f64;
    let off = mean(&rates).map_or(0.0, |mean| all - mean);
    rates.into_iter().map(|rate| rate + off).collect()
}

/// The mean over replicates that have a value.
pub fn mean(samples: &[f64]) -> Option<f64> {
    let (sum, n) = samples.iter().filter(|v| v.is_finite()).fold((0.0, 0), |(sum, n), v| (sum + v, n + 1));
    (n > 0).then(|| sum / f64::from(n))
}

/// Half-width of Student's 95 % confidence interval of the mean over replicates that have a value. `None` if all are
/// equal: a width of zero would claim that the next one is equal, too.
fn half_width_95(samples: &[f64]) -> Option<f64> {
    let samples: Vec<f64> = samples.iter().copied().filter(|v| v.is_finite()).collect();
    let n = samples.len() as f64;
    let deviation = deviation(&samples).filter(|of| *of > 0.0)?;
    Some(students(n).inverse_cdf(0.975) * deviation / n.sqrt())
}

/// The standard deviation of a sample, 0 where its values differ by rounding; `None` below two values.
fn deviation(samples: &[f64]) -> Option<f64> {
    let (mean, n) = (mean(samples)?, samples.len() as f64);
    let squares = || samples.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
    let deviation = (samples.len() > 1).then(|| (squares() / (n - 1.0)).sqrt())?;
    Some(if deviation <= ROUNDING * (1.0 + mean.abs()) { 0.0 } else { deviation })
}

/// The distribution of the mean of n values divided by its standard error.
fn students(n: f64) -> StudentsT {
    StudentsT::new(0.0, 1.0, n - 1.0).expect("at least one degree of freedom")
}

/// The significance level of a one-sided test: half of the 5 % that a 95 % interval leaves.
const LEVEL: f64 = 0.025;

/// A difference to the margin below this is due to rounding. Our choice, because shares of a million requests differ by
/// more.
const ROUNDING: f64 = 1e-9;

/// The p-value of the hypothesis that the mean is at most the margin, by a t-test. If all samples are equal, so that
/// there is no spread to estimate, by a sign test. 1 below two samples.
pub fn p_value(samples: &[f64], margin: f64) -> f64 {
    let n = samples.len() as f64;
    let (Some(mean), Some(deviation)) = (mean(samples), deviation(samples)) else { return 1.0 };
    if deviation == 0.0 {
        return if mean > margin + ROUNDING { 0.5f64.powf(n) } else { 1.0 };
    }
    1.0 - students(n).cdf((mean - margin) * n.sqrt() / deviation)
}

/// Which hypotheses Holm's procedure (Scandinavian Journal of Statistics, 1979) rejects at the level: the k-th smallest
/// of n values of p, counted from 0, has to be at most level / (n - k), like all before it.
pub fn rejected(p: &[f64]) -> Vec<bool> {
    let n = p.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut rejected = vec![false; n];
    let small = order.iter().enumerate().take_while(|&(k, &place)| p[place] <= LEVEL / (n - k) as f64);
    small.for_each(|(_, &place)| rejected[place] = true);
    rejected
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(value: Option<f64>, expected: f64) -> bool {
        (value.expect("a number") - expected).abs() < 1e-4
    }

    #[test]
    fn the_interval_is_students() {
        // Mean 2, standard deviation 1, t(0.975, 2) = 4.3027: 4.3027 / sqrt(3) = 2.4841.
        assert!(near(half_width_95(&[1.0, 2.0, 3.0]), 2.4841));
        assert_eq!(half_width_95(&[1.0]), None);
        assert_eq!(half_width_95(&[1.0, f64::NAN, 2.0, 3.0]), half_width_95(&[1.0, 2.0, 3.0]));
        assert_eq!(half_width_95(&[1.0, f64::NAN]), None);
        assert_eq!(half_width_95(&[0.9; 5]), None, "no spread, no interval");
        assert_eq!(mean(&[1.0, f64::NAN, 3.0]), Some(2.0));
        assert_eq!(mean(&[f64::NAN]), None);
    }

    #[test]
    fn the_interval_of_a_rate_is_one_of_rates_also_with_two_seeds() {
        // Mean 0.99, t(0.975, 1) = 12.7062, standard error 0.005: 0.0635 to either side, of which only 0.01 fit above.
        let two = Estimate::of(&[0.985, 0.995], Range::SHARE);
        assert!(near(two.ci95, 0.0635) && near(two.low95, 0.9265), "{two:?}");
        assert_eq!(two.high95, Some(1.0));
        let far = Estimate::of(&[0.1, 0.9], Range::SHARE);
        assert_eq!(far.interval(), Some([0.0, 1.0]));
        let differences = Estimate::of(&[0.1, 0.9], Range::SHARE.of_differences());
        assert_eq!(differences.interval(), Some([-1.0, 1.0]));
        let points = differences.times(100.0);
        assert_eq!((points.mean, points.high95), (Some(50.0), Some(100.0)));
        assert_eq!(Estimate::of(&[0.5], Range::SHARE).interval(), None);
    }

    #[test]
    fn batch_means_by_hand() {
        // Rates 0.5, 1, 0.75, 0.75: mean 0.75, standard deviation 0.2041, t(0.975, 3) = 3.1824.
        let rates = batch_rates(&[2, 4, 3, 3], 16);
        assert_eq!(rates, [0.5, 1.0, 0.75, 0.75]);
        assert!(near(Estimate::of(&rates, Range::SHARE).ci95, 3.1824 * 0.2041 / 2.0));
        // Parts of 2 and 3 requests: the mean is that of the run.
        assert!(near(mean(&batch_rates(&[2, 1], 5)), 0.6));
    }

    #[test]
    fn holm_stops_at_the_first_that_is_too_large() {
        // Allowed: 0.005, 0.00625, 0.00833, 0.0125, 0.025.
        assert_eq!(rejected(&[0.02, 0.0005, 0.006, 0.01, 0.5]), [false, true, true, false, false]);
        assert_eq!(rejected(&[0.0055, 0.0005]), [true; 2]);
        assert_eq!(rejected(&[0.015, 0.015]), [false; 2]);
        assert!(rejected(&[]).is_empty());
    }

    #[test]
    fn p_is_students() {
        // Mean 2, standard deviation 1: t = 2 sqrt(3) = 3.4641 with 2 degrees of freedom, p = (1 - t / sqrt(2 + t^2)) / 2.
        let t = 2.0 * 3f64.sqrt();
        let expected = (1.0 - t / (2.0 + t * t).sqrt()) / 2.0;
        assert!((p_value(&[1.0, 2.0, 3.0], 0.0) - expected).abs() < 1e-9);
        assert!((p_value(&[1.0, 2.0, 3.0], 2.0) - 0.5).abs() < 1e-9);
        assert_eq!(
            [p_value(&[0.1], 0.0), p_value(&[0.1, 0.1], 0.05), p_value(&[0.1, 0.1], 0.2)],
            [1.0, 0.25, 1.0]
        );
        assert_eq!(p_value(&[0.905 - 0.9; 3], 0.005), 1.0, "a margin is no difference");
    }
}
