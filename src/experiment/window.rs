//! Which requests of a run are counted: those after the warm-up and before the drain.
//!
//! Requests come in order of arrival. The first `warmup_requests` fill the system, the next `requests` are judged, and
//! `drain_requests` more keep the load up until the last judged one has ended; then arrivals stop, so that a run under a
//! rule that starves requests ends. Left out in an experiment:
//!
//! - `requests`: 1,000, or all that there are where the scenario's arrivals end (`batch`, traces);
//! - `warmup_requests`: a tenth of the requests up to the last judged one, or none where `requests` is left out and
//!   arrivals end;
//! - `drain_requests`: as many as warm up where deadlines end all requests (`late = "abort"`), as many as are judged
//!   where late ones finish and a backlog may build up; again none where all requests of a trace are judged.

use crate::workload::Late;

/// What an experiment says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Judged requests.
    pub requests: Option<usize>,
    /// Requests before them.
    pub warmup: Option<usize>,
    /// Requests after them.
    pub drain: Option<usize>,
}

/// The parts of a run, in requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Requests that warm the system up.
    pub warmup: usize,
    /// Judged requests.
    pub counted: usize,
    /// Requests that keep the load up afterwards.
    pub drain: usize,
}

/// At least this many requests in published tables (DESIGN.md section 4).
const DEFAULT_REQUESTS: usize = 1_000;

/// Chosen here: ten times the longest run in sight; its requests take a gigabyte.
pub const MAX_REQUESTS: usize = 10_000_000;

impl Window {
    /// The window of a run with the given rule for late requests, of `total` requests if arrivals end. The error says
    /// what does not fit.
    pub fn of(wanted: Wanted, late: Late, total: Option<usize>) -> Result<Self, String> {
        let window = match (wanted.requests, total) {
            (None, Some(total)) => {
                let (warmup, drain) = (wanted.warmup.unwrap_or(0), wanted.drain.unwrap_or(0));
                Self { warmup, counted: total.saturating_sub(warmup + drain), drain }
            }
            (requests, _) => {
                let counted = requests.unwrap_or(DEFAULT_REQUESTS);
                let warmup = wanted.warmup.unwrap_or(counted.div_ceil(9));
                let drain = wanted.drain.unwrap_or(match late {
                    Late::Abort => warmup,
                    Late::Finish => counted,
                });
                Self { warmup, counted, drain }
            }
        };
        if window.counted > MAX_REQUESTS {
            return Err(format!(
                "sends {} requests: expected at most {MAX_REQUESTS}, so set `requests`",
                window.counted
            ));
        }
        match total {
            Some(total) if window.counted == 0 || window.requests() > total => Err(format!(
                "sends {total} requests in all, too few for {} of warm-up, {} counted and {} of drain: leave `requests` \
                 out to count all, or set `requests`, `warmup_requests` and `drain_requests`",
                window.warmup, window.counted, window.drain
            )),
            _ => Ok(window),
        }
    }

    /// All requests of the run.
    pub fn requests(&self) -> usize {
        self.warmup + self.counted + self.drain
    }

    /// The judged ones, by their place in the order of arrival.
    pub fn range(&self) -> std::ops::Range<usize> {
        self.warmup..self.warmup + self.counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(wanted: Wanted, late: Late, total: Option<usize>) -> Result<[usize; 3], String> {
        Window::of(wanted, late, total).map(|w| [w.warmup, w.counted, w.drain])
    }

    const LEFT_OUT: Wanted = Wanted { requests: None, warmup: None, drain: None };

    #[test]
    fn endless_arrivals_get_a_tenth_of_warm_up() {
        assert_eq!(window(LEFT_OUT, Late::Abort, None), Ok([112, 1_000, 112]));
        assert_eq!(window(LEFT_OUT, Late::Finish, None), Ok([112, 1_000, 1_000]));
        let some = Wanted { requests: Some(90), drain: Some(0), ..LEFT_OUT };
        assert_eq!(window(some, Late::Finish, None), Ok([10, 90, 0]));
    }

    #[test]
    fn arrivals_that_end_are_counted_whole_unless_told_otherwise() {
        assert_eq!(window(LEFT_OUT, Late::Finish, Some(100)), Ok([0, 100, 0]));
        let margins = Wanted { warmup: Some(10), drain: Some(5), ..LEFT_OUT };
        assert_eq!(window(margins, Late::Abort, Some(100)), Ok([10, 85, 5]));
        let some = Wanted { requests: Some(81), ..LEFT_OUT };
        assert_eq!(window(some, Late::Abort, Some(99)), Ok([9, 81, 9]));
        assert!(window(some, Late::Abort, Some(98)).unwrap_err().contains("98 requests"));
        assert!(window(margins, Late::Abort, Some(15)).is_err());
        assert!(window(LEFT_OUT, Late::Abort, Some(MAX_REQUESTS + 1)).unwrap_err().contains("at most"));
    }
}
