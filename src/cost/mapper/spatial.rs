//! The first choice of the search: which loops run in space.

use super::floor::Floor;
use super::goal::{Judge, Score};
use super::space::{Space, SpatialSlot, Unrolled, factors};
use crate::cost::access::Flat;
use crate::dims::PerDim;
use crate::hw::{Level, MAX_LEVELS};

/// The loops in space of every level.
#[derive(Clone, Debug)]
pub(super) struct Spatial {
    /// The bound in every slot of [`Space::spatial`].
    pub(super) bounds: Vec<u64>,
    /// Steps in time that each dimension needs at least.
    pub(super) left: PerDim<u64>,
    /// No mapping with these loops in space scores better.
    pub(super) floor: Score,
}

impl Spatial {
    /// The bounds of every level, both axes together.
    pub(super) fn unrolled(&self, space: &Space) -> Unrolled {
        let mut unrolled = [[1; 8]; MAX_LEVELS];
        for (slot, bound) in space.spatial.iter().zip(&self.bounds) {
            unrolled[slot.level][slot.dim as usize] *= bound;
        }
        unrolled
    }
}

/// All choices, best bound first.
pub(super) fn choices(space: &Space, judge: &Judge) -> Vec<Spatial> {
    let mut walk = Walk { space, judge, bounds: Vec::new(), left: space.nest.bounds, found: Vec::new() };
    walk.descend();
    walk.found.sort_by(|a, b| a.floor.order(&b.floor));
    walk.found
}

struct Walk<'a> {
    space: &'a Space<'a>,
    judge: &'a Judge<'a>,
    bounds: Vec<u64>,
    left: PerDim<u64>,
    found: Vec<Spatial>,
}

impl Walk<'_> {
    fn descend(&mut self) {
        let Some(&slot) = self.space.spatial.get(self.bounds.len()) else {
            self.found.push(self.finish());
            return;
        };
        let dim = slot.dim as usize;
        let left = self.left[dim];
        for bound in factors(left, self.room(slot)) {
            let rest = left.div_ceil(bound);
            if slot.takes_rest && rest > 1 {
                continue;
            }
            self.bounds.push(bound);
            self.left[dim] = rest;
            self.descend();
            self.bounds.pop();
        }
        self.left[dim] = left;
    }

    /// The largest bound that the axis and the lane count still allow.
    fn room(&self, slot: SpatialSlot) -> u64 {
        let Level::Fanout(fanout) = &self.space.accel.levels[slot.level] else {
            unreachable!("spatial slots belong to fan-out levels")
        };
        let used = |same: &dyn Fn(&SpatialSlot) -> bool| -> u64 {
            let chosen = self.space.spatial.iter().zip(&self.bounds);
            chosen
                .filter(|(other, _)| other.level == slot.level && same(other))
                .map(|(_, bound)| bound)
                .product()
        };
        let axis = fanout.extent[slot.axis] / used(&|other| other.axis == slot.axis);
        match fanout.max_factor[slot.dim as usize] {
            Some(lanes) => axis.min(lanes / used(&|other| other.dim == slot.dim)),
            None => axis,
        }
    }

    fn finish(&self) -> Spatial {
        let mut spatial = Spatial { bounds: self.bounds.clone(), left: self.left, floor: Score::WORST };
        let floor = Floor::new(self.space, &spatial.unrolled(self.space));
        let levels = self.space.accel.levels.len();
        let least = floor.least(&Flat::new(), levels, &[1; 8], &self.left);
        spatial.floor = self.judge.floor(least);
        spatial
    }
}
