//! The pace at which requests were asked for and met, per second: what a load relative to lambda* is in absolute terms.

use super::context::Window;
use super::{Column, Context, Metric, MetricEntry, Value};
use crate::sim::{Origin, Record, Recorder};
use crate::units::Time;

pub(super) const ENTRY: MetricEntry = MetricEntry {
    name: "pace",
    doc: "Requests that came, and that were met, per second",
    columns: &[
        Column::undirected(
            "requests_per_s",
            "Counted requests per second, from the first one's arrival to the last one's",
        ),
        Column::higher("met_per_s", "met / length of the measurement window"),
    ],
    new: |context| {
        Box::new(Pace {
            context,
            window: Window::new(),
            last: Time::ZERO,
            first: Time::MAX,
            requests: 0,
            met: 0,
        })
    },
};

struct Pace<'a> {
    context: Context<'a>,
    window: Window,
    first: Time,
    last: Time,
    requests: u64,
    met: u64,
}

impl Recorder for Pace<'_> {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.window.follow(record, origin);
        if let Some(request) = self.context.arrived(record, origin) {
            self.first = self.first.min(request.arrival);
            self.last = request.arrival;
            self.requests += 1;
        }
        self.met +=
            u64::from(self.context.finished(record, origin).is_some_and(|finished| finished.is_met()));
    }
}

impl Metric for Pace<'_> {
    fn values(&self) -> Vec<Value> {
        // n requests have n - 1 times between them.
        let gaps = self.requests.saturating_sub(1) as f64;
        vec![
            Value::per(gaps, self.last.saturating_sub(self.first).as_s()),
            Value::per(self.met as f64, self.window.length().as_s()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::testing::Example;

    #[test]
    fn paces_by_hand() {
        // Counted arrivals at 5, 5, 35, 35 ns: 3 in 30 ns. Met: r2 and r4, in the window of 60 ns.
        Example::new().assert(&[("requests_per_s", 0.1e9), ("met_per_s", 2e9 / 60.0)]);
    }

    #[test]
    fn a_single_request_has_no_pace() {
        let mut example = Example::new();
        example.trace.counted = 1..2;
        assert!(example.value("requests_per_s").is_nan());
    }
}
