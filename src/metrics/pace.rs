//! Requests per second that arrived, and that were met: the load in absolute terms instead of relative to lambda*.

use super::context::{Window, arrived, is_met};
use super::{Column, Metric, Value};
use crate::sim::{Origin, Record, Recorder};
use crate::units::Time;

pub(super) const ENTRY: Metric<Pace> = Metric {
    name: "pace",
    doc: "Requests per second that arrived, and that were met",
    columns: &[
        Column::undirected(
            "requests_per_s",
            "Measured requests per second, from the first one's arrival to the last one's",
            Pace::requests_per_s,
        ),
        Column::higher("met_per_s", "met / length of the measurement window", |pace: &Pace| {
            Value::per(pace.met as f64, pace.window.length().as_s())
        }),
    ],
    of_groups: &[],
    hears_layers: false,
    new: |_| Pace { window: Window::new(), first: Time::MAX, last: Time::ZERO, requests: 0, met: 0 },
};

pub(super) struct Pace {
    window: Window,
    first: Time,
    last: Time,
    requests: u64,
    met: u64,
}

impl Pace {
    /// The rate of requests: n requests have n - 1 gaps between them.
    fn requests_per_s(&self) -> Value {
        let gaps = self.requests.saturating_sub(1) as f64;
        Value::per(gaps, self.last.saturating_sub(self.first).as_s())
    }
}

impl Recorder for Pace {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.window.follow(record, origin);
        if let Some(asked) = arrived(record, origin) {
            self.first = self.first.min(asked.arrival);
            self.last = asked.arrival;
            self.requests += 1;
        }
        self.met += u64::from(is_met(record, origin));
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::testing::Example;

    #[test]
    fn paces_by_hand() {
        // Measured arrivals at 5, 5, 35, 35 ns: 3 in 30 ns. Met: r2 and r4, in the window of 60 ns.
        Example::new().assert(&[("requests_per_s", 0.1e9), ("met_per_s", 2e9 / 60.0)]);
    }

    #[test]
    fn a_single_request_has_no_pace() {
        let mut example = Example::new();
        example.trace.measured = 1..2;
        assert!(example.value("requests_per_s").is_nan());
    }
}
