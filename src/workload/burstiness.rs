//! The rate and the burstiness of arrivals: the figures by which traces are compared.

use crate::units::Time;

/// The fewest windows from which a variance is estimated. Our choice, because with 10 the standard error is half of the
/// variance.
const MIN_WINDOWS: u64 = 10;

/// Gaps per second from the first request to the last; `None` where all come at once.
pub fn rate_per_s(times: &[Time]) -> Option<f64> {
    let span_s = (*times.last()? - *times.first()?).as_s();
    (span_s > 0.0).then(|| (times.len() - 1) as f64 / span_s)
}

/// The gaps of requests in order of arrival.
#[derive(Clone, Debug, Default)]
pub struct Gaps {
    requests: usize,
    first: Time,
    last: Time,
    mean_ps: f64,
    /// Sum of the squares of the differences from the mean (Welford, Technometrics, 1962).
    squares: f64,
}

impl Gaps {
    /// Adds the next request.
    pub fn add(&mut self, time: Time) {
        if self.requests == 0 {
            self.first = time;
        } else {
            let gap_ps = (time - self.last).as_ps();
            let difference = gap_ps - self.mean_ps;
            self.mean_ps += difference / self.requests as f64;
            self.squares += difference * (gap_ps - self.mean_ps);
        }
        self.last = time;
        self.requests += 1;
    }

    /// Number of requests.
    pub fn requests(&self) -> usize {
        self.requests
    }

    /// Time from the first request to the last.
    pub fn span(&self) -> Time {
        self.last - self.first
    }

    /// Gaps per second from the first request to the last; `None` where all come at once.
    pub fn rate_per_s(&self) -> Option<f64> {
        let span_s = self.span().as_s();
        (span_s > 0.0).then(|| (self.requests - 1) as f64 / span_s)
    }

    /// The coefficient of variation: standard deviation / mean; 0 for a clock, 1 for a Poisson process. `None` without two
    /// gaps, or where all requests come at once.
    pub fn cv(&self) -> Option<f64> {
        let gaps = self.requests.checked_sub(1).filter(|&gaps| gaps >= 2)? as f64;
        (self.mean_ps > 0.0).then(|| (self.squares / (gaps - 1.0)).sqrt() / self.mean_ps)
    }
}

/// Numbers of requests in consecutive windows, from the first request on.
#[derive(Clone, Debug)]
pub struct Windows {
    window: Time,
    first: Option<Time>,
    /// The window of the last request, and the number of requests in it.
    current: u64,
    requests: f64,
    /// Sums of the numbers of requests over all earlier windows, and of their squares.
    sum: f64,
    squares: f64,
}

impl Windows {
    /// Windows of this length.
    pub fn of(window: Time) -> Self {
        Self { window, first: None, current: 0, requests: 0.0, sum: 0.0, squares: 0.0 }
    }

    /// Adds the next request, no earlier than those before.
    pub fn add(&mut self, time: Time) {
        let place = (time - *self.first.get_or_insert(time)).0 / self.window.0;
        if place > self.current {
            self.current = place;
            self.sum += self.requests;
            self.squares += self.requests * self.requests;
            self.requests = 0.0;
        }
        self.requests += 1.0;
    }

    /// The index of dispersion: variance / mean of the numbers of requests in windows; 1 for a Poisson process at every
    /// window. `None` where fewer than ten whole windows fit.
    pub fn dispersion(&self) -> Option<f64> {
        // The last request is in a window that is not whole.
        if self.current < MIN_WINDOWS {
            return None;
        }
        let n = self.current as f64;
        let mean = self.sum / n;
        Some((self.squares - n * mean * mean) / (n - 1.0) / mean)
    }
}

#[cfg(test)]
pub(super) mod of_times {
    use super::*;

    /// The coefficient of variation of the gaps of sorted times.
    pub(in crate::workload) fn gap_cv(times: &[Time]) -> Option<f64> {
        let mut gaps = Gaps::default();
        times.iter().for_each(|&time| gaps.add(time));
        gaps.cv()
    }

    /// The index of dispersion of sorted times.
    pub(in crate::workload) fn dispersion(times: &[Time], window: Time) -> Option<f64> {
        let mut windows = Windows::of(window);
        times.iter().for_each(|&time| windows.add(time));
        windows.dispersion()
    }
}

#[cfg(test)]
mod tests {
    use super::of_times::{dispersion, gap_cv};
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
