//! How measured requests ended, whatever their deadline: requests = finished + dropped, plus those that are unfinished
//! if the run ends at a fixed time.

use super::{Column, Metric, Value};
use crate::sim::{DropReason, Origin, Record, Recorder};

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
        |outcomes: &Outcomes| Value::Count(outcomes.dropped()),
    ),
    Column::lower(
        "dropped_late",
        "Of `dropped`, those given up at their deadline by the rule `late = abort`",
        |outcomes: &Outcomes| Value::Count(outcomes.late),
    ),
    Column::lower(
        "rejected",
        "Of `dropped`, those that the scheduler or the dispatcher gave up before any of their layers had started",
        |outcomes: &Outcomes| Value::Count(outcomes.rejected),
    ),
    Column::lower(
        "given_up",
        "Of `dropped`, those that the scheduler gave up when some of their layers had started, which are wasted",
        |outcomes: &Outcomes| Value::Count(outcomes.given_up),
    ),
];

#[derive(Default)]
pub(super) struct Outcomes {
    finished: u64,
    late: u64,
    rejected: u64,
    given_up: u64,
}

impl Outcomes {
    fn dropped(&self) -> u64 {
        self.late + self.rejected + self.given_up
    }
}

impl Recorder for Outcomes {
    fn record(&mut self, record: &Record, origin: Origin) {
        match *record {
            Record::Done { .. } if origin.measured => self.finished += 1,
            Record::Drop { reason, begun, .. } if origin.measured => match (reason, begun) {
                (DropReason::Late, _) => self.late += 1,
                (DropReason::Scheduler, false) => self.rejected += 1,
                (DropReason::Scheduler, true) => self.given_up += 1,
            },
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::testing::Example;

    #[test]
    fn measured_requests_are_finished_or_dropped() {
        // r1, r2 and r4 are finished, the scheduler drops r3, which runs; r0 and r5 are not measured.
        let parts = [("dropped_late", 0.0), ("rejected", 0.0), ("given_up", 1.0)];
        Example::new().assert(&[("finished", 3.0), ("dropped", 1.0)]);
        Example::new().assert(&parts);
    }
}
