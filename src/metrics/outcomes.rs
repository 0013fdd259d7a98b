//! How measured requests ended, whatever their deadline: requests = finished + dropped, plus those that are unfinished
//! if the run ends at a fixed time.

use super::{Column, Metric, Value};
use crate::sim::{Origin, Record, Recorder};

pub(super) const ENTRY: Metric<Outcomes> = Metric {
    name: "outcomes",
    doc: "How measured requests ended, in time or not",
    columns: COLUMNS,
    of_groups: COLUMNS,
    hears_layers: false,
    new: |_| Outcomes::default(),
};

const COLUMNS: &[Column<Outcomes>] = &[
    Column::higher(
        "finished",
        "Measured requests that were finished, in time or late",
        |outcomes: &Outcomes| Value::Count(outcomes.finished),
    ),
    Column::lower(
        "dropped",
        "Measured requests given up, by the late rule or by the scheduler",
        |outcomes: &Outcomes| Value::Count(outcomes.dropped),
    ),
];

#[derive(Default)]
pub(super) struct Outcomes {
    finished: u64,
    dropped: u64,
}

impl Recorder for Outcomes {
    fn record(&mut self, record: &Record, origin: Origin) {
        match *record {
            Record::Done { .. } if origin.measured => self.finished += 1,
            Record::Drop { .. } if origin.measured => self.dropped += 1,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::testing::Example;

    #[test]
    fn measured_requests_are_finished_or_dropped() {
        // r1, r2 and r4 are finished, r3 is dropped; r0 and r5 are not measured.
        Example::new().assert(&[("finished", 3.0), ("dropped", 1.0)]);
    }
}
