//! Processes that are defined by the gap to the next request.

use rand::rngs::ChaCha8Rng;

use super::{Point, Process};
use crate::units::Time;
use crate::workload::draw::Draws;

/// Adds up the gaps, in seconds, that a closure draws. Times are rounded to picoseconds; the process ends where the
/// clock does.
pub(super) struct Gaps<G> {
    last: Time,
    gap_s: G,
}

impl<G: FnMut(&mut ChaCha8Rng) -> f64 + Send + 'static> Gaps<G> {
    /// The first gap starts at time zero.
    pub(super) fn process(gap_s: G) -> Box<dyn Process> {
        Box::new(Self { last: Time::ZERO, gap_s })
    }
}

impl<G: FnMut(&mut ChaCha8Rng) -> f64 + Send> Process for Gaps<G> {
    fn next(&mut self, draws: &mut Draws) -> Option<Point> {
        self.last = after(self.last, (self.gap_s)(&mut draws.rng))?;
        Some(Point::at(self.last))
    }
}

/// The time after a gap; `None` beyond the end of the clock.
pub(super) fn after(time: Time, gap_s: f64) -> Option<Time> {
    time.0.checked_add(Time::from_s(gap_s).0).map(Time).filter(|&time| time < Time::MAX)
}
