//! Requests that all arrive at time 0.

use super::{Point, Process};
use crate::units::Time;
use crate::workload::draw::Draws;

/// The number of requests that are still to come.
pub(super) struct AtOnce(pub(super) u32);

impl Process for AtOnce {
    fn next(&mut self, _: &mut Draws) -> Option<Point> {
        self.0 = self.0.checked_sub(1)?;
        Some(Point::at(Time::ZERO))
    }
}
