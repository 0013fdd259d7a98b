//! Which requests of a run are measured, and when it ends.
//!
//! By number of requests: in the order in which they arrive, the first `warmup_requests` fill the system, the next
//! `requests` are measured, and `drain_requests` more keep the load up until the last measured one has ended; then
//! arrivals stop, so that a run under a rule that starves requests ends. Stages of cascades are measured as they come
//! and do not count towards these numbers. The defaults are:
//!
//! - `requests`: 1,000, or all requests if the scenario's arrivals end (`batch`, traces);
//! - `warmup_requests`: a tenth of the requests up to the last measured one, or none if `requests` is left out and
//!   arrivals end;
//! - `drain_requests`: as many as warm up if deadlines end all requests (`late = "abort"`), as many as are measured if
//!   late requests finish and a backlog may build up; again none if all requests of a trace are measured.
//!
//! By time: the run ends after `duration_s`. Requests that arrive after the first `warmup_s` of it (default: a tenth)
//! are measured, and count as missed if they are not finished at the end.

use std::ops::Range;

use crate::sim::Span;
use crate::units::Time;
use crate::workload::{Extent, Late, MAX_REQUESTS, Reach};

/// The length of runs that an experiment asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The number of measured requests.
    pub requests: Option<usize>,
    /// The number of requests before them.
    pub warmup: Option<usize>,
    /// The number of requests after them.
    pub drain: Option<usize>,
    /// The end of the run, in place of numbers of requests.
    pub duration: Option<Duration>,
}

/// The parts of a run that ends at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duration {
    /// The warm-up: requests that arrive before this time are not measured.
    pub warmup: Time,
    /// The end of the run.
    pub end: Time,
}

/// The parts of a run: warm-up, measured part, and drain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The parts are given in requests.
    Requests {
        /// Requests that warm the system up.
        warmup: usize,
        /// Measured requests.
        measured: usize,
        /// Requests that keep the load up afterwards.
        drain: usize,
    },
    /// The parts are given in time.
    Duration(Duration),
}

/// Our choice, because all our published tables have at least this many.
const DEFAULT_REQUESTS: usize = 1_000;

impl Window {
    /// The window of a run with the given rule for late requests, of `total` requests if arrivals end. The error names
    /// the numbers that do not fit.
    pub fn of(wanted: Wanted, late: Late, total: Option<usize>) -> Result<Self, String> {
        if let Some(duration) = wanted.duration {
            return Ok(Self::Duration(duration));
        }
        let [warmup, measured, drain] = match (wanted.requests, total) {
            (None, Some(total)) => {
                let (warmup, drain) = (wanted.warmup.unwrap_or(0), wanted.drain.unwrap_or(0));
                [warmup, total.saturating_sub(warmup + drain), drain]
            }
            (requests, _) => {
                let measured = requests.unwrap_or(DEFAULT_REQUESTS);
                let warmup = wanted.warmup.unwrap_or(measured.div_ceil(9));
                let drain = wanted.drain.unwrap_or(match late {
                    Late::Abort => warmup,
                    Late::Finish => measured,
                });
                [warmup, measured, drain]
            }
        };
        if measured > MAX_REQUESTS {
            return Err(format!(
                "sends more than {MAX_REQUESTS} requests, the most of a run: set `requests`"
            ));
        }
        match total {
            Some(total) if measured == 0 || warmup + measured + drain > total => Err(format!(
                "sends {total} requests in all, too few for {warmup} of warm-up, {measured} measured and {drain} of drain: \
                 leave `requests` out to count all, or set `requests`, `warmup_requests` and `drain_requests`"
            )),
            _ => Ok(Self::Requests { warmup, measured, drain }),
        }
    }

    /// The part of a recording that is read for the run, before the number of its requests is known.
    pub fn reach(wanted: Wanted) -> Reach {
        let whole = Reach::default();
        match (wanted.duration, Self::of(wanted, Late::Finish, None)) {
            (Some(duration), _) => Reach { until: duration.end, ..whole },
            // The upper limit: aborting late requests needs fewer.
            (None, Ok(window)) if wanted.requests.is_some() => Reach { requests: window.requests(), ..whole },
            _ => whole,
        }
    }

    /// Checks that all requests fit in memory.
    pub fn check_size(&self) -> Result<(), String> {
        match self.requests() <= MAX_REQUESTS {
            true => Ok(()),
            false => Err(format!(
                "sends more than {MAX_REQUESTS} requests in a run, with those of warm-up and drain: set `requests`, \
                 `warmup_requests` and `drain_requests`"
            )),
        }
    }

    /// The total number of requests; 0 if the run ends at a time.
    fn requests(&self) -> usize {
        match *self {
            Self::Requests { warmup, measured, drain } => warmup + measured + drain,
            Self::Duration(_) => 0,
        }
    }

    /// The extent of the requests of the run.
    pub fn extent(&self) -> Extent {
        match *self {
            Self::Requests { .. } => Extent::Requests(self.requests()),
            Self::Duration(Duration { end, .. }) => Extent::Until(end),
        }
    }

    /// The measured ones among `all` requests, by their number in the order of arrival, before time leaves any out. If
    /// arrivals end and there is no drain, all are measured up to the last one, stages included.
    pub fn measured(&self, all: usize, arrivals_end: bool) -> Range<usize> {
        match *self {
            Self::Requests { warmup, drain: 0, .. } if arrivals_end => warmup.min(all)..all,
            Self::Requests { warmup, measured, .. } => warmup.min(all)..(warmup + measured).min(all),
            Self::Duration(_) => 0..all,
        }
    }

    /// The span of time that decides about the run.
    pub fn span(&self) -> Span {
        match *self {
            Self::Requests { .. } => Span::default(),
            Self::Duration(Duration { warmup, end }) => Span { warmup, end },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(wanted: Wanted, late: Late, total: Option<usize>) -> Result<[usize; 3], String> {
        Window::of(wanted, late, total).map(|window| match window {
            Window::Requests { warmup, measured, drain } => [warmup, measured, drain],
            Window::Duration(_) => panic!("no duration is wanted"),
        })
    }

    const LEFT_OUT: Wanted = Wanted { requests: None, warmup: None, drain: None, duration: None };

    #[test]
    fn endless_arrivals_get_a_tenth_of_warm_up() {
        assert_eq!(window(LEFT_OUT, Late::Abort, None), Ok([112, 1_000, 112]));
        assert_eq!(window(LEFT_OUT, Late::Finish, None), Ok([112, 1_000, 1_000]));
        let some = Wanted { requests: Some(90), drain: Some(0), ..LEFT_OUT };
        assert_eq!(window(some, Late::Finish, None), Ok([10, 90, 0]));
    }

    #[test]
    fn arrivals_that_end_are_measured_whole_unless_told_otherwise() {
        assert_eq!(window(LEFT_OUT, Late::Finish, Some(100)), Ok([0, 100, 0]));
        let margins = Wanted { warmup: Some(10), drain: Some(5), ..LEFT_OUT };
        assert_eq!(window(margins, Late::Abort, Some(100)), Ok([10, 85, 5]));
        let some = Wanted { requests: Some(81), ..LEFT_OUT };
        assert_eq!(window(some, Late::Abort, Some(99)), Ok([9, 81, 9]));
        assert!(window(some, Late::Abort, Some(98)).unwrap_err().contains("98 requests"));
        assert!(window(margins, Late::Abort, Some(15)).is_err());
        assert!(
            window(LEFT_OUT, Late::Abort, Some(MAX_REQUESTS + 1)).unwrap_err().contains("more than 10000000")
        );
    }

    #[test]
    fn a_duration_takes_the_place_of_numbers() {
        let duration = Duration { warmup: Time(10), end: Time(100) };
        let window =
            Window::of(Wanted { duration: Some(duration), ..LEFT_OUT }, Late::Abort, Some(3)).unwrap();
        assert_eq!((window.extent(), window.measured(7, true)), (Extent::Until(Time(100)), 0..7));
        assert_eq!(window.span(), Span { warmup: Time(10), end: Time(100) });
    }

    #[test]
    fn stages_of_arrivals_that_end_are_measured_to_the_last() {
        let window = Window::of(LEFT_OUT, Late::Abort, Some(5)).unwrap();
        assert_eq!((window.extent(), window.measured(8, true)), (Extent::Requests(5), 0..8));
        let window = Window::of(Wanted { requests: Some(5), ..LEFT_OUT }, Late::Abort, None).unwrap();
        assert_eq!(window.measured(80, false), 1..6);
    }
}
