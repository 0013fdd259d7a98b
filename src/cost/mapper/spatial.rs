//! The first choice of the search: which loops run in space.

use super::floor::Floor;
use super::goal::{Ingredients, Judge, Score};
use super::space::{Space, SpatialSlot, Unrolled, factors};
use crate::cost::access::touched_elements;
use crate::dims::{PerDim, Tensor};
use crate::hw::{Level, MAX_LEVELS, Storage};

/// The loops in space of every level.
#[derive(Clone, Debug)]
pub(super) struct Spatial {
    /// The bound in every slot of [`Space::spatial`].
    pub(super) bounds: Vec<u64>,
    /// Steps in time that each dimension needs at least.
    pub(super) left: PerDim<u64>,
    /// No mapping with these loops in space scores better, even if every word moved once only: the order of the search.
    pub(super) floor: Score,
    /// The same with the traffic that the buffers make necessary, once it is known.
    pub(super) bound: Option<Score>,
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

/// The most choices that are looked at. Our choice: no shipped accelerator has more than 10,000, and this many take
/// 50 MB.
const MOST: usize = 1 << 18;

/// All choices, best bound first, and whether there are no others. Of more than [`MOST`] those remain that unroll the
/// most first.
pub(super) fn choices(space: &Space, judge: &Judge) -> (Vec<Spatial>, bool) {
    let mut walk = Walk { space, judge, bounds: Vec::new(), left: space.nest.bounds, found: Vec::new() };
    let complete = walk.descend();
    // Of equal bounds the one that unrolls least comes first.
    walk.found.reverse();
    walk.found.sort_by(|a, b| a.floor.order(&b.floor));
    (walk.found, complete)
}

/// The objective that no mapping undercuts, whatever its loops in space: every MAC works in every step, every word passes
/// DRAM once, and the buffers next to the MACs serve as many of them at once as the fan-outs between allow.
pub(super) fn lower_bound(space: &Space, judge: &Judge) -> f64 {
    let Space { accel, lowered, nest, .. } = *space;
    let (dram, macs) = (accel.dram(), nest.macs().0 as f64);
    let mut least = Ingredients {
        steps: lowered.working(macs / accel.macs_per_cycle() as f64),
        dynamic_pj: lowered.mac_pj(accel),
        ..Ingredients::default()
    };
    let pj = |storage: &Storage, tensor: Tensor| match tensor {
        Tensor::Outputs => storage.update_pj_per_access,
        Tensor::Weights | Tensor::Inputs => storage.read_pj_per_access,
    };
    for edge in &space.edges {
        let Level::Storage(parent) = &accel.levels[edge.parent] else { continue };
        if edge.parent == 0 {
            let words =
                touched_elements(nest, &nest.bounds, edge.tensor) as f64 * lowered.dram_share(edge.tensor);
            least.dram_words += words;
            least.dynamic_pj += words * pj(dram, edge.tensor) / dram.words_per_access();
        } else if edge.child == accel.levels.len() {
            let served = accel.macs_per_cycle() / accel.instances_below(edge.parent) * parent.cluster_size;
            let words = macs / served as f64 * lowered.words_per_element(parent, edge.tensor);
            least.dynamic_pj += words * pj(parent, edge.tensor) / parent.words_per_access();
        }
    }
    judge.floor(least).first()
}

struct Walk<'a> {
    space: &'a Space<'a>,
    judge: &'a Judge<'a>,
    bounds: Vec<u64>,
    left: PerDim<u64>,
    found: Vec<Spatial>,
}

impl Walk<'_> {
    /// Chooses the bounds of all slots to come; false if there are too many choices.
    fn descend(&mut self) -> bool {
        let Some(&slot) = self.space.spatial.get(self.bounds.len()) else {
            if self.found.len() == MOST {
                return false;
            }
            self.found.push(self.finish());
            return true;
        };
        let dim = slot.dim as usize;
        let left = self.left[dim];
        let bounds: Vec<u64> = factors(left, self.room(slot)).collect();
        let mut complete = true;
        for bound in bounds.into_iter().rev() {
            let rest = left.div_ceil(bound);
            if slot.takes_rest && rest > 1 {
                continue;
            }
            self.bounds.push(bound);
            self.left[dim] = rest;
            complete = self.descend();
            self.bounds.pop();
            if !complete {
                break;
            }
        }
        self.left[dim] = left;
        complete
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
        let mut spatial =
            Spatial { bounds: self.bounds.clone(), left: self.left, floor: Score::WORST, bound: None };
        let floor = Floor::new(self.space, &spatial.unrolled(self.space));
        spatial.floor = self.judge.floor(floor.before_time(&self.left));
        spatial
    }
}
