//! Latency percentiles: finish - arrival over finished measured requests, exact by the nearest rank (the smallest
//! latency that at least p % of them do not exceed). Dropped requests have no latency, so read the percentiles beside
//! the SLA rate.

use super::context::finished;
use super::{Column, Given, Metric, Value};
use crate::sim::{Origin, Record, Recorder};
use crate::units::Time;

pub(super) const ENTRY: Metric<Latency> = Metric {
    name: "latency",
    doc: "Percentiles of finish - arrival over finished measured requests, by the nearest rank",
    columns: COLUMNS,
    of_groups: COLUMNS,
    hears_layers: false,
    new: |_| Latency::default(),
};

const COLUMNS: &[Column<Latency>] = &[
    Column::lower(
        "latency_p50_us",
        "Median of finish - arrival over finished measured requests",
        |latency: &Latency| latency.percentile_us(50),
    )
    .given(Given::Finished),
    Column::lower(
        "latency_p95_us",
        "Latency that 95 % of the finished measured requests do not exceed",
        |latency: &Latency| latency.percentile_us(95),
    )
    .given(Given::Finished),
    Column::lower(
        "latency_p99_us",
        "Latency that 99 % of the finished measured requests do not exceed",
        |latency: &Latency| latency.percentile_us(99),
    )
    .given(Given::Finished),
];

/// The latencies of finished measured requests, sorted once the run has ended.
#[derive(Default)]
pub(super) struct Latency(Vec<Time>);

impl Latency {
    fn percentile_us(&self, percent: usize) -> Value {
        nearest_rank(&self.0, percent).map_or(Value::NONE, |latency| Value::Real(latency.as_us()))
    }
}

impl Recorder for Latency {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.0.extend(finished(record, origin).map(|finished| finished.latency()));
        if let Record::End { .. } = record {
            self.0.sort_unstable();
        }
    }
}

/// The smallest of the sorted values that at least `percent` % of them do not exceed.
fn nearest_rank(sorted: &[Time], percent: usize) -> Option<Time> {
    let rank = (percent * sorted.len()).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::testing::Example;

    #[test]
    fn over_finished_measured_requests() {
        // r1 20 ns, r2 30, r4 30; r3 is dropped. Ranks: ceil(1.5) = 2, ceil(2.85) = 3.
        Example::new().assert(&[("latency_p50_us", 0.03), ("latency_p95_us", 0.03)]);
    }

    #[test]
    fn the_nearest_rank_is_a_latency_that_occurred() {
        let to = |last: u64| (1..=last).map(Time).collect::<Vec<_>>();
        let ranks = |sorted: &[Time]| [50, 95, 99].map(|percent| nearest_rank(sorted, percent));
        // Of 10: ranks ceil(5) = 5, ceil(9.5) = 10, ceil(9.9) = 10. Of 200: 100, 190, 198.
        assert_eq!(ranks(&to(10)), [Some(Time(5)), Some(Time(10)), Some(Time(10))]);
        assert_eq!(ranks(&to(200)), [Some(Time(100)), Some(Time(190)), Some(Time(198))]);
        assert_eq!(ranks(&to(1)), [Some(Time(1)); 3]);
        assert_eq!(ranks(&[]), [None; 3]);
    }
}
