//! The search space: the slots of every dimension that the accelerator's constraints leave.
//!
//! A dimension has a slot at each storage level that may loop over it and at each fan-out axis that may unroll it. Where
//! a level must cover the whole dimension, the slots outside it are gone. The levels fall into three parts:
//!
//! - **outer**: the loops at DRAM;
//! - **middle**: the loops at the outermost on-chip storage level that allows any (none if there is no such level);
//! - **inner**: all loops further inside.
//!
//! A factor need not divide what is left of its dimension; what remains is then rounded up (a ceil factor), and the
//! dimension is padded. Of the factors that leave the same remainder only the smallest is a choice: it needs the
//! smallest tile and the fewest instances for the same number of outer steps. (At DRAM, where padded inputs are scaled
//! on average, a larger factor can look a little cheaper, because the halo that its padded tiles share is not real.)

use crate::cost::access::{Edge, edges};
use crate::cost::lowering::Lowered;
use crate::dims::{Dim, DimSet, PerDim};
use crate::hw::{AccelSpec, Level, MAX_LEVELS};
use crate::workload::LoopNest;

/// One axis of one fan-out that may unroll one dimension.
#[derive(Clone, Copy, Debug)]
pub(super) struct SpatialSlot {
    pub(super) level: usize,
    pub(super) axis: usize,
    pub(super) dim: Dim,
    /// Whether no other slot can take what it leaves.
    pub(super) takes_rest: bool,
}

/// The slots of one layer on one accelerator.
#[derive(Debug)]
pub(super) struct Space<'a> {
    pub(super) accel: &'a AccelSpec,
    /// The layer as the accelerator runs it.
    pub(super) lowered: &'a Lowered,
    /// Its nest.
    pub(super) nest: &'a LoopNest,
    /// The middle level.
    pub(super) middle: Option<usize>,
    /// Levels from here inwards are inner.
    pub(super) first_inner: usize,
    /// Inner levels first.
    pub(super) spatial: Vec<SpatialSlot>,
    /// Dimensions above 1 that may be looped at each level.
    pub(super) temporal: [DimSet; MAX_LEVELS],
    /// At each inner level, the dimensions for which no slot further out is left.
    pub(super) takes_rest: [DimSet; MAX_LEVELS],
    /// The edges between levels: which level fills which.
    pub(super) edges: Vec<Edge>,
    /// Dimensions along which an input window can find a part of itself in place.
    pub(super) sliding: DimSet,
}

/// The loops in space of every level, both axes together.
pub(super) type Unrolled = [PerDim<u64>; MAX_LEVELS];

impl<'a> Space<'a> {
    /// The space, or `None` if some dimension cannot be covered at all.
    pub(super) fn new(accel: &'a AccelSpec, lowered: &'a Lowered) -> Option<Self> {
        let nest = &lowered.nest;
        let mut open = DimSet::from_iter(Dim::ALL.into_iter().filter(|&dim| nest.bound(dim) > 1));
        let needed = open;
        let mut temporal = [DimSet::EMPTY; MAX_LEVELS];
        let mut spatial = Vec::new();
        for (index, level) in accel.levels.iter().enumerate().rev() {
            match level {
                Level::Storage(storage) => {
                    temporal[index] = storage.temporal.and(open);
                    open = open.without(storage.temporal_whole);
                }
                Level::Fanout(fanout) => {
                    for (axis, allowed) in fanout.spatial.iter().enumerate() {
                        let slot = |dim| SpatialSlot { level: index, axis, dim, takes_rest: false };
                        spatial.extend(allowed.and(open).iter().map(slot));
                    }
                    open = open.without(fanout.spatial_whole);
                }
            }
        }
        let middle = (1..accel.levels.len()).find(|&level| temporal[level] != DimSet::EMPTY);
        let first_inner = middle.unwrap_or(0) + 1;
        let mut space = Self {
            accel,
            lowered,
            nest,
            middle,
            first_inner,
            spatial,
            temporal,
            takes_rest: [DimSet::EMPTY; MAX_LEVELS],
            edges: edges(accel),
            sliding: sliding(nest),
        };
        needed.iter().all(|dim| space.settle_rest(dim)).then_some(space)
    }

    /// Decides which slot takes what all others leave of a dimension; false if it has no slot.
    fn settle_rest(&mut self, dim: Dim) -> bool {
        let outer = self.temporal[..self.first_inner].iter().any(|dims| dims.has(dim));
        if outer {
            return true;
        }
        let inner = (self.first_inner..self.accel.levels.len()).find(|&level| self.temporal[level].has(dim));
        if let Some(level) = inner {
            self.takes_rest[level] = self.takes_rest[level].with(dim);
            return true;
        }
        match self.spatial.iter_mut().rev().find(|slot| slot.dim == dim) {
            Some(slot) => {
                slot.takes_rest = true;
                true
            }
            None => false,
        }
    }

    /// The level whose loops leave the most choices; of equal ones the innermost.
    pub(super) fn widest(&self) -> usize {
        let choices = |dims: DimSet, limit: u64| -> f64 {
            let bounds = dims.iter().map(|dim| self.nest.bound(dim));
            bounds.map(|bound| factors(bound, limit).count() as f64).product()
        };
        let of_level = |level: usize| match &self.accel.levels[level] {
            Level::Storage(_) => choices(self.temporal[level], u64::MAX),
            Level::Fanout(fanout) => {
                let axis = |axis: usize| choices(fanout.spatial[axis], fanout.extent[axis]);
                axis(0) * axis(1)
            }
        };
        let levels = 1..self.accel.levels.len();
        levels.max_by(|&a, &b| of_level(a).total_cmp(&of_level(b))).unwrap_or(0)
    }

    /// Whether a tile of the given extents fits a level.
    pub(super) fn fits(&self, level: usize, extent: &PerDim<u64>) -> bool {
        match &self.accel.levels[level] {
            Level::Storage(storage) => storage
                .capacity_words
                .is_none_or(|words| self.lowered.held_words(level, storage, extent) <= words),
            Level::Fanout(_) => true,
        }
    }
}

fn sliding(nest: &LoopNest) -> DimSet {
    let overlaps = |dim: &Dim| match dim {
        Dim::P => nest.bound(Dim::R) > 1,
        Dim::Q => nest.bound(Dim::S) > 1,
        Dim::R => nest.bound(Dim::P) > 1,
        Dim::S => nest.bound(Dim::Q) > 1,
        Dim::N | Dim::G | Dim::K | Dim::C => false,
    };
    Dim::ALL.into_iter().filter(overlaps).collect()
}

/// The choices of a factor for a dimension with `left` steps to go: for each remainder ceil(left / factor) the
/// smallest factor that leaves it, up to `limit`, in ascending order.
pub(super) fn factors(left: u64, limit: u64) -> impl Iterator<Item = u64> {
    let mut next = Some(1);
    std::iter::from_fn(move || {
        let factor = next.filter(|&factor| factor <= limit)?;
        let rest = left.div_ceil(factor);
        next = (rest > 1).then(|| left.div_ceil(rest - 1));
        Some(factor)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_remainder_comes_once_with_its_smallest_factor() {
        for left in 1..200u64 {
            let chosen: Vec<u64> = factors(left, u64::MAX).collect();
            let literal: Vec<u64> =
                (1..=left).filter(|&f| f == 1 || left.div_ceil(f) < left.div_ceil(f - 1)).collect();
            assert_eq!(chosen, literal);
        }
        assert_eq!(factors(9, 4).collect::<Vec<_>>(), [1, 2, 3]);
    }
}
