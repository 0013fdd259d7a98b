//! `moca_stream`: streams that pace themselves by the latency of what they request, as in the artefact of MoCA.
//!
//! In each stream the next request comes at previous + isolated latency of the previous one x scale - jitter. The
//! artefact runs 4 streams that start 50,000 cycles apart and takes the jitter from 0 to 855,000 cycles in steps of
//! 45,000, here microseconds at 1 GHz and uniform in between. Two things differ: isolated latencies are those of the
//! system at hand, and a gap is never negative (the artefact's unsigned times would wrap).

use rand::RngExt;
use serde::Deserialize;

use super::gaps::after;
use super::{ArrivalKind, Law, Point, Process, Rate, Setting};
use crate::files::{MicrosecondsOrZero, Parameter, Positive, parse_parameters};
use crate::units::Time;
use crate::workload::draw::Draws;

pub(super) const ENTRY: ArrivalKind = ArrivalKind {
    name: "moca_stream",
    doc: "streams in which each gap is scale x isolated latency of the previous request - jitter",
    source: "MoCA (Kim et al., HPCA 2023), artefact, workload_mode_2",
    rate: Rate::Own,
    parameters: &[
        Parameter { name: "scale", default: "", doc: "gap per isolated latency; smaller is busier" },
        Parameter { name: "streams", default: "4", doc: "number of streams" },
        Parameter { name: "jitter_us", default: "855", doc: "the most by which a gap is shortened" },
        Parameter {
            name: "stagger_us",
            default: "50",
            doc: "time between the first requests of two streams",
        },
    ],
    read: |table| {
        let law: MocaStream = parse_parameters(table)?;
        if !(1..=MAX_STREAMS).contains(&law.streams) {
            return Err(format!("`streams` is {}: expected 1 to {MAX_STREAMS}", law.streams));
        }
        Ok(Box::new(law))
    },
};

/// The most streams. Our choice, because the next stream is found by a scan.
const MAX_STREAMS: usize = 1_000;

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MocaStream {
    scale: Positive,
    #[serde(default = "four")]
    streams: usize,
    #[serde(default = "jitter")]
    jitter_us: MicrosecondsOrZero,
    #[serde(default = "stagger")]
    stagger_us: MicrosecondsOrZero,
}

fn four() -> usize {
    4
}

fn jitter() -> MicrosecondsOrZero {
    MicrosecondsOrZero(855.0)
}

fn stagger() -> MicrosecondsOrZero {
    MicrosecondsOrZero(50.0)
}

impl Law for MocaStream {
    fn start(&self, setting: &Setting) -> Box<dyn Process> {
        let stagger = Time::from_us(self.stagger_us.0);
        let next = (0..self.streams).map(|stream| Time(stagger.0 * stream as u64)).collect();
        Box::new(Streams { law: *self, isolated: setting.isolated.to_vec(), next })
    }

    fn needs_latencies(&self) -> bool {
        true
    }
}

struct Streams {
    law: MocaStream,
    isolated: Vec<Time>,
    /// The next arrival of each stream; [`Time::MAX`] beyond the end of the clock.
    next: Vec<Time>,
}

impl Process for Streams {
    fn next(&mut self, draws: &mut Draws) -> Option<Point> {
        let (stream, &time) = self.next.iter().enumerate().min_by_key(|&(_, time)| time)?;
        if time == Time::MAX {
            return None;
        }
        let network = draws.networks.next();
        let jitter_s = draws.rng.random::<f64>() * self.law.jitter_us.0 / 1e6;
        let gap_s = self.isolated[network as usize].as_s() * self.law.scale.0 - jitter_s;
        self.next[stream] = after(time, gap_s.max(0.0)).unwrap_or(Time::MAX);
        Some(Point { network: Some(network), ..Point::at(time) })
    }
}

#[cfg(test)]
mod tests {
    use crate::units::Time;
    use crate::workload::arrivals::testing::{Sample, assert_near, estimate};

    /// Networks 0 and 1 take 2 and 6 ms and are asked for in equal shares.
    fn sample(keys: &str, requests: usize, seed: u64) -> Sample {
        Sample::of(&format!("kind = 'moca_stream'\n{keys}"), 1.0, requests, seed)
    }

    #[test]
    fn without_jitter_a_gap_is_the_scaled_latency_of_the_request_before() {
        let sample = sample("scale = 1.5\nstreams = 1\njitter_us = 0", 200, 1);
        for pair in sample.points.windows(2) {
            let latency_us = [2_000.0, 6_000.0][pair[0].network.unwrap() as usize];
            assert_eq!(pair[1].time - pair[0].time, Time::from_us(latency_us * 1.5));
        }
        let asked = sample.points.iter().filter(|point| point.network == Some(0)).count();
        assert!((70..130).contains(&asked), "{asked}");
    }

    #[test]
    fn four_streams_start_one_after_the_other_at_the_rate_of_their_mean_gap() {
        let times = sample("scale = 1", 20, 1).times();
        assert_eq!(times[..4], [0, 50, 100, 150].map(|us| Time::from_us(f64::from(us))));
        // 4 streams of mean gap (2 + 6) / 2 - 0.855 / 2 ms.
        let mean_gap_s = estimate(20, |seed| sample("scale = 1", 20_000, seed).mean_gap_s());
        assert_near("mean gap", mean_gap_s, (4.0 - 0.4275) / 4.0 / 1e3, 0.01);
        // One stream: gaps of 1.145 to 6 ms, variance 4 + 0.855^2 / 12 ms^2.
        let cv = estimate(20, |seed| sample("scale = 1\nstreams = 1", 20_000, seed).gap_cv());
        assert_near("gap CV", cv, (4.0f64 + 0.855 * 0.855 / 12.0).sqrt() / (4.0 - 0.4275), 0.01);
    }

    #[test]
    fn jitter_beyond_the_gap_leaves_no_gap() {
        let sample = sample("scale = 0.001\nstreams = 1", 100, 1);
        assert!(sample.times().is_sorted() && sample.times()[99] < Time::from_us(100.0));
    }
}
