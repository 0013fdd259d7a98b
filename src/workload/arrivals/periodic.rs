//! `periodic`: frames at a fixed rate, each a little off its time: cameras, microphones, displays.
//!
//! Frame k arrives at phase + k / fps + a jitter, uniform from -jitter / 2 to jitter / 2 (never before time 0). With
//! `sla = "period"`, the deadline is the next frame's nominal time, without jitter.

use rand::RngExt;
use serde::Deserialize;

use super::{ArrivalKind, Law, Point, Process, Rate, Setting};
use crate::files::{MicrosecondsOrZero, Parameter, PerSecond, parse_parameters};
use crate::units::Time;
use crate::workload::draw::Draws;

pub(super) const ENTRY: ArrivalKind = ArrivalKind {
    name: "periodic",
    doc: "frames at a fixed rate, with jitter; the next frame can be the deadline",
    source: "XRBench (Kwon et al., MLSys 2023), its load generator",
    rate: Rate::Own,
    parameters: &[
        Parameter { name: "fps", default: "", doc: "frames per second" },
        Parameter { name: "jitter_us", default: "0", doc: "width of the uniform jitter, at most the period" },
        Parameter { name: "phase_us", default: "0", doc: "arrival of the first frame" },
    ],
    read: |table| {
        let keys: Keys = parse_parameters(table)?;
        let period_us = 1e6 / keys.fps.0;
        if keys.jitter_us.0 > period_us {
            return Err(format!(
                "`jitter_us` exceeds the period of {period_us} us: frames would overtake each other"
            ));
        }
        Ok(Box::new(Periodic { fps: keys.fps.0, jitter_us: keys.jitter_us.0, phase_us: keys.phase_us.0 }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    fps: PerSecond,
    #[serde(default)]
    jitter_us: MicrosecondsOrZero,
    #[serde(default)]
    phase_us: MicrosecondsOrZero,
}

#[derive(Clone, Copy, Debug)]
struct Periodic {
    fps: f64,
    jitter_us: f64,
    phase_us: f64,
}

impl Law for Periodic {
    fn start(&self, _: &Setting) -> Box<dyn Process> {
        Box::new(Frames { law: *self, frame: 0, last: Time::ZERO })
    }

    fn frames_per_s(&self) -> Option<f64> {
        Some(self.fps)
    }
}

struct Frames {
    law: Periodic,
    frame: u64,
    last: Time,
}

impl Frames {
    fn nominal(&self, frame: u64) -> Time {
        Time::from_s(self.law.phase_us / 1e6 + frame as f64 / self.law.fps)
    }
}

impl Process for Frames {
    fn next(&mut self, draws: &mut Draws) -> Option<Point> {
        let (nominal, next_frame) = (self.nominal(self.frame), self.nominal(self.frame + 1));
        if next_frame == Time::MAX {
            return None;
        }
        self.frame += 1;
        let late = Time::from_us(draws.rng.random::<f64>() * self.law.jitter_us);
        let time = Time(nominal.0 + late.0).saturating_sub(Time::from_us(self.law.jitter_us / 2.0));
        // Jitter as wide as the period, rounded, must not swap two frames.
        self.last = time.max(self.last);
        Some(Point { next_frame: Some(next_frame), ..Point::at(self.last) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::arrivals::Arrivals;
    use crate::workload::arrivals::testing::{KS_CRITICAL, Sample, ks_distance};

    const KEYS: &str = "kind = 'periodic'\nfps = 60\njitter_us = 2000\nphase_us = 5000";

    #[test]
    fn frames_without_jitter_come_on_time_and_are_due_with_the_next_one() {
        let sample = Sample::of("kind = 'periodic'\nfps = 60", 1.0, 61, 1);
        let expected: Vec<Time> = (0..=60).map(|frame| Time::from_s(f64::from(frame) / 60.0)).collect();
        assert_eq!(sample.times(), expected);
        assert_eq!(sample.points[59].next_frame, Some(Time::from_s(1.0)));
        assert!(sample.gap_cv() < 1e-9);
    }

    #[test]
    fn jitter_is_uniform_and_moves_no_deadline() {
        let sample = Sample::of(KEYS, 1.0, 20_000, 1);
        let offsets: Vec<f64> = sample
            .times_s()
            .iter()
            .enumerate()
            .map(|(frame, time_s)| (time_s - (0.005 + frame as f64 / 60.0)) / 2e-3 + 0.5)
            .collect();
        let distance = ks_distance(&offsets, |share| share.clamp(0.0, 1.0));
        assert!(distance < KS_CRITICAL / (offsets.len() as f64).sqrt(), "{distance}");
        for (frame, point) in sample.points.iter().enumerate() {
            assert_eq!(point.next_frame, Some(Time::from_s(0.005 + (frame + 1) as f64 / 60.0)));
        }
        // The counts of whole seconds differ by one frame at most: far from Poisson's 1.
        assert!(sample.dispersion(1.0) < 0.02);
        // Gaps differ by the difference of two uniform offsets: standard deviation 2 ms / sqrt(6) on 1/60 s. The sample
        // CV of 20,000 gaps is within 3 % of that.
        let expected = 2e-3 / 6f64.sqrt() * 60.0;
        assert!((sample.gap_cv() / expected - 1.0).abs() < 0.03, "{}", sample.gap_cv());
    }

    #[test]
    fn jitter_above_the_period_is_refused() {
        let table = "kind = 'periodic'\nfps = 1000\njitter_us = 1001".parse().unwrap();
        assert!(Arrivals::read(&table).unwrap_err().contains("overtake"));
    }
}
