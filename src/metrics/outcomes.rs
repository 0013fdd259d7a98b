//! How counted requests ended, whatever their deadline: requests = finished + dropped once the run has ended, and those
//! that are unfinished where it ends at a time of its own.

use super::{Column, Metric, MetricEntry, Value};
use crate::sim::{Origin, Record, Recorder};

pub(super) const ENTRY: MetricEntry = MetricEntry {
    name: "outcomes",
    doc: "How counted requests ended, in time or not",
    columns: &[
        Column::higher("finished", "Counted requests that were finished, in time or late"),
        Column::lower("dropped", "Counted requests given up, by the late rule or by the scheduler"),
    ],
    new: |_| Box::new(Outcomes { finished: 0, dropped: 0 }),
};

struct Outcomes {
    finished: u64,
    dropped: u64,
}

impl Recorder for Outcomes {
    fn record(&mut self, record: &Record, origin: Origin) {
        match *record {
            Record::Done { .. } if origin.counted => self.finished += 1,
            Record::Drop { .. } if origin.counted => self.dropped += 1,
            _ => {}
        }
    }
}

impl Metric for Outcomes {
    fn values(&self) -> Vec<Value> {
        vec![Value::Count(self.finished), Value::Count(self.dropped)]
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::testing::Example;

    #[test]
    fn counted_requests_are_finished_or_dropped() {
        // r1, r2 and r4 are finished, r3 is dropped; r0 and r5 are not counted.
        Example::new().assert(&[("finished", 3.0), ("dropped", 1.0)]);
    }
}
