//! Is a mean more than noise: the tests behind [`super::rank`].

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::experiment::summary::mean;

/// Of a one-sided test; half of the 5 % that a 95 % interval leaves.
const LEVEL: f64 = 0.025;

/// Rates are shares of counts: what is this near to a margin differs from it by rounding. Chosen here.
const ROUNDING: f64 = 1e-9;

/// Of the hypothesis that the mean is at most the margin, by a t-test; where all samples are equal, which leaves nothing to
/// estimate a spread from, by a sign test. 1 below two samples.
pub(super) fn p_value(samples: &[f64], margin: f64) -> f64 {
    let n = samples.len() as f64;
    let Some(mean) = mean(samples).filter(|_| samples.len() > 1) else { return 1.0 };
    let variance = samples.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    if variance.sqrt() <= ROUNDING * (1.0 + mean.abs()) {
        return if mean > margin + ROUNDING { 0.5f64.powf(n) } else { 1.0 };
    }
    let t = (mean - margin) / (variance / n).sqrt();
    1.0 - StudentsT::new(0.0, 1.0, n - 1.0).expect("at least one degree of freedom").cdf(t)
}

/// Which hypotheses Holm's procedure (Scandinavian Journal of Statistics, 1979) rejects at the level: the k-th smallest
/// of n values of p, counted from 0, has to be at most level / (n - k), like all before it.
pub(super) fn rejected(p: &[f64]) -> Vec<bool> {
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
