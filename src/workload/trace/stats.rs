//! What a trace is like: how much, how bursty, how high.

use serde::Serialize;

use crate::units::Time;
use crate::workload::burstiness::{dispersion, gap_cv, rate_per_s};

/// Figures of the requests of a trace or of one tenant; `None` where there are too few requests to tell.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TraceStats {
    /// Requests.
    pub requests: usize,
    /// From the first to the last.
    pub span_s: f64,
    /// Gaps / span.
    pub rate_per_s: Option<f64>,
    /// Coefficient of variation of the gaps.
    pub gap_cv: Option<f64>,
    /// Variance / mean of the numbers of requests in windows of 1 s.
    pub dispersion_1s: Option<f64>,
    /// In windows of 10 s.
    pub dispersion_10s: Option<f64>,
    /// In windows of 60 s.
    pub dispersion_60s: Option<f64>,
    /// The most requests in any second.
    pub peak_per_s: usize,
}

impl TraceStats {
    /// Of sorted times.
    pub fn of(times: &[Time]) -> Self {
        let span_s = match (times.first(), times.last()) {
            (Some(&first), Some(&last)) => (last - first).as_s(),
            _ => 0.0,
        };
        let dispersion = |window_s| dispersion(times, Time::from_s(window_s));
        Self {
            requests: times.len(),
            span_s,
            rate_per_s: rate_per_s(times),
            gap_cv: gap_cv(times),
            dispersion_1s: dispersion(1.0),
            dispersion_10s: dispersion(10.0),
            dispersion_60s: dispersion(60.0),
            peak_per_s: peak(times, Time::from_s(1.0)),
        }
    }
}

/// The most requests in any window of this length, its end left out.
fn peak(times: &[Time], window: Time) -> usize {
    let mut first = 0;
    let counts = times.iter().enumerate().map(|(last, &time)| {
        while time - times[first] >= window {
            first += 1;
        }
        last + 1 - first
    });
    counts.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(seconds: &[f64]) -> TraceStats {
        TraceStats::of(&seconds.iter().map(|&s| Time::from_s(s)).collect::<Vec<_>>())
    }

    #[test]
    fn figures_by_hand() {
        let stats = of(&[2.0, 2.5, 2.9, 3.0, 6.0]);
        assert_eq!((stats.requests, stats.span_s, stats.rate_per_s), (5, 4.0, Some(1.0)));
        // 2.0, 2.5 and 2.9 lie within less than a second, as do 2.5, 2.9 and 3.0.
        assert_eq!(stats.peak_per_s, 3);
        // Gaps 0.5, 0.4, 0.1, 3: mean 1, variance (0.25 + 0.36 + 0.81 + 4) / 3.
        assert!((stats.gap_cv.unwrap() - (5.42f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!((stats.dispersion_1s, stats.dispersion_60s), (None, None));
    }

    #[test]
    fn few_or_simultaneous_requests_have_no_rate() {
        assert_eq!((of(&[]).rate_per_s, of(&[]).peak_per_s), (None, 0));
        assert_eq!((of(&[1.0]).rate_per_s, of(&[1.0]).peak_per_s), (None, 1));
        assert_eq!((of(&[1.0, 1.0]).rate_per_s, of(&[1.0, 1.0]).peak_per_s), (None, 2));
    }
}
