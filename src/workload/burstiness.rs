//! How many arrivals there are and how far they are from regular: the figures by which traces are compared.

use crate::units::Time;

/// Fewer windows say nothing about a variance. Chosen here: with 10 its standard error is half of it.
const MIN_WINDOWS: u64 = 10;

/// Gaps per second from the first request to the last; `None` where all come at once.
pub fn rate_per_s(times: &[Time]) -> Option<f64> {
    let span_s = (*times.last()? - *times.first()?).as_s();
    (span_s > 0.0).then(|| (times.len() - 1) as f64 / span_s)
}

/// The coefficient of variation of the gaps: standard deviation / mean; 0 for a clock, 1 for a Poisson process. `None`
/// without two gaps, or where all requests come at once.
pub fn gap_cv(times: &[Time]) -> Option<f64> {
    let gaps = || times.windows(2).map(|pair| (pair[1] - pair[0]).as_ps());
    let n = times.len().checked_sub(1).filter(|&gaps| gaps >= 2)? as f64;
    let mean = gaps().sum::<f64>() / n;
    let variance = gaps().map(|gap| (gap - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean > 0.0).then(|| variance.sqrt() / mean)
}

/// The index of dispersion: variance / mean of the numbers of requests in consecutive windows, from the first request
/// on; 1 for a Poisson process at every window. `None` where fewer than ten whole windows fit. Times are sorted.
pub fn dispersion(times: &[Time], window: Time) -> Option<f64> {
    let (first, last) = (*times.first()?, *times.last()?);
    let windows = (last - first).0 / window.0;
    if windows < MIN_WINDOWS {
        return None;
    }
    let (mut sum, mut squares) = (0.0, 0.0);
    let inside = times.partition_point(|&time| (time - first).0 < windows * window.0);
    for count in times[..inside].chunk_by(|a, b| (*a - first).0 / window.0 == (*b - first).0 / window.0) {
        let count = count.len() as f64;
        sum += count;
        squares += count * count;
    }
    let n = windows as f64;
    let mean = sum / n;
    Some((squares - n * mean * mean) / (n - 1.0) / mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(seconds: &[f64]) -> Vec<Time> {
        seconds.iter().map(|&s| Time::from_s(s)).collect()
    }

    #[test]
    fn a_clock_has_no_variation() {
        let clock: Vec<f64> = (0..100).map(f64::from).collect();
        assert_eq!(gap_cv(&times(&clock)), Some(0.0));
        assert_eq!(dispersion(&times(&clock), Time::from_s(5.0)), Some(0.0));
        assert_eq!(rate_per_s(&times(&clock)), Some(1.0));
    }

    #[test]
    fn pairs_by_hand() {
        // Gaps 0, 2, 0, 2, .. of a mean of 1: 20 of either, and one more 0. Variance 41 / 40 or so: 1.
        let pairs: Vec<f64> = (0..42).map(|i| f64::from(i / 2 * 2)).collect();
        let cv = gap_cv(&times(&pairs)).unwrap();
        assert!((cv - 1.025).abs() < 0.03, "{cv}");
        // 40 windows of a second, every other with 2 requests: mean 1, variance 40 / 39.
        let found = dispersion(&times(&pairs), Time::from_s(1.0)).unwrap();
        assert!((found - 40.0 / 39.0).abs() < 1e-12, "{found}");
    }

    #[test]
    fn too_few_requests_or_windows_have_no_figures() {
        assert_eq!(gap_cv(&times(&[1.0, 2.0])), None);
        assert_eq!(gap_cv(&times(&[1.0, 1.0, 1.0])), None);
        assert_eq!(dispersion(&times(&[0.0, 9.9]), Time::from_s(1.0)), None);
        assert_eq!(dispersion(&[], Time::from_s(1.0)), None);
        assert_eq!((rate_per_s(&times(&[3.0, 3.0])), rate_per_s(&[])), (None, None));
    }
}
