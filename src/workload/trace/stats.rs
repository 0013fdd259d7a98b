//! Statistics of a trace: rate, burstiness and peak.

use std::collections::VecDeque;

use serde::Serialize;

use crate::units::Time;
use crate::workload::burstiness::{Gaps, Windows};

/// Statistics of the requests of a trace or of one tenant; `None` if there are too few requests.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TraceStats {
    /// Number of requests.
    pub requests: usize,
    /// Time from the first request to the last.
    pub span_s: f64,
    /// Mean rate: number of gaps / span.
    pub rate_per_s: Option<f64>,
    /// Coefficient of variation of the gaps.
    pub gap_cv: Option<f64>,
    /// Index of dispersion: variance / mean of the numbers of requests in windows of 1 s.
    pub dispersion_1s: Option<f64>,
    /// Index of dispersion in windows of 10 s.
    pub dispersion_10s: Option<f64>,
    /// Index of dispersion in windows of 60 s.
    pub dispersion_60s: Option<f64>,
    /// The most requests in any second.
    pub peak_per_s: usize,
}

/// Computes the statistics while requests come in order of time. It holds the times of the last second.
#[derive(Clone, Debug)]
pub struct Tally {
    gaps: Gaps,
    windows: [Windows; 3],
    peak: Peak,
}

impl Default for Tally {
    fn default() -> Self {
        let windows = [1.0, 10.0, 60.0].map(|window_s| Windows::of(Time::from_s(window_s)));
        Self { gaps: Gaps::default(), windows, peak: Peak::default() }
    }
}

impl Tally {
    /// Adds the next request.
    pub fn add(&mut self, time: Time) {
        self.gaps.add(time);
        self.windows.iter_mut().for_each(|windows| windows.add(time));
        self.peak.add(time);
    }

    /// The statistics of the requests so far.
    pub fn stats(&self) -> TraceStats {
        let [dispersion_1s, dispersion_10s, dispersion_60s] =
            self.windows.each_ref().map(Windows::dispersion);
        TraceStats {
            requests: self.gaps.requests(),
            span_s: self.gaps.span().as_s(),
            rate_per_s: self.gaps.rate_per_s(),
            gap_cv: self.gaps.cv(),
            dispersion_1s,
            dispersion_10s,
            dispersion_60s,
            peak_per_s: self.peak.highest,
        }
    }
}

/// The most requests in any half-open second.
#[derive(Clone, Debug, Default)]
struct Peak {
    /// The distinct times of the last second, with the number of requests at each.
    recent: VecDeque<(Time, usize)>,
    inside: usize,
    highest: usize,
}

impl Peak {
    fn add(&mut self, time: Time) {
        let second = Time::from_s(1.0);
        while let Some(&(first, requests)) = self.recent.front().filter(|(first, _)| time - *first >= second)
        {
            debug_assert!(first <= time, "requests come in order");
            self.recent.pop_front();
            self.inside -= requests;
        }
        match self.recent.back_mut().filter(|(last, _)| *last == time) {
            Some((_, requests)) => *requests += 1,
            None => self.recent.push_back((time, 1)),
        }
        self.inside += 1;
        self.highest = self.highest.max(self.inside);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(seconds: &[f64]) -> TraceStats {
        let mut tally = Tally::default();
        seconds.iter().for_each(|&s| tally.add(Time::from_s(s)));
        tally.stats()
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
