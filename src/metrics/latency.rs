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

/// The latencies of finished measured requests, sorted once the run has ended. Those below 1.1 s take five bytes: with a
/// million requests, which are in four groups each, latencies are most of what a run keeps.
#[derive(Default)]
pub(super) struct Latency {
    short: Vec<[u8; SHORT]>,
    long: Vec<Time>,
}

/// Bytes of a short latency in picoseconds, the highest first, in which order arrays compare as the numbers do.
const SHORT: usize = 5;

impl Latency {
    fn add(&mut self, latency: Time) {
        match latency.0.to_be_bytes() {
            [0, 0, 0, short @ ..] => self.short.push(short),
            _ => self.long.push(latency),
        }
    }

    fn sort(&mut self) {
        self.short.sort_unstable();
        self.long.sort_unstable();
    }

    /// The smallest of the latencies, which are sorted, that at least `percent` % of them do not exceed.
    fn nearest_rank(&self, percent: usize) -> Option<Time> {
        let rank = (percent * (self.short.len() + self.long.len())).div_ceil(100);
        let place = rank.saturating_sub(1);
        match self.short.get(place) {
            Some(&[a, b, c, d, e]) => Some(Time(u64::from_be_bytes([0, 0, 0, a, b, c, d, e]))),
            None => self.long.get(place - self.short.len()).copied(),
        }
    }

    fn percentile_us(&self, percent: usize) -> Value {
        self.nearest_rank(percent).map_or(Value::NONE, |latency| Value::Real(latency.as_us()))
    }
}

impl Recorder for Latency {
    fn record(&mut self, record: &Record, origin: Origin) {
        if let Some(finished) = finished(record, origin) {
            self.add(finished.latency());
        }
        if let Record::End { .. } = record {
            self.sort();
        }
    }
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
        let ranks = |latencies: &[Time]| {
            let mut latency = Latency::default();
            latencies.iter().rev().for_each(|&of| latency.add(of));
            latency.sort();
            [50, 95, 99].map(|percent| latency.nearest_rank(percent))
        };
        let to = |last: u64| (1..=last).map(Time).collect::<Vec<_>>();
        // Of 10: ranks ceil(5) = 5, ceil(9.5) = 10, ceil(9.9) = 10. Of 200: 100, 190, 198.
        assert_eq!(ranks(&to(10)), [Some(Time(5)), Some(Time(10)), Some(Time(10))]);
        assert_eq!(ranks(&to(200)), [Some(Time(100)), Some(Time(190)), Some(Time(198))]);
        assert_eq!(ranks(&to(1)), [Some(Time(1)); 3]);
        assert_eq!(ranks(&[]), [None; 3]);
        // Either side of the largest latency of five bytes.
        let largest = (1 << 40) - 1;
        let around = [1, 255, 256, largest, largest + 1, u64::MAX].map(Time);
        for last in 1..=around.len() {
            let places = [last.div_ceil(2), last, last];
            assert_eq!(ranks(&around[..last]), places.map(|place| Some(around[place - 1])));
        }
    }
}
