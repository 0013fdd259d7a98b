//! A mapping: which loops run at which level, and the check that an accelerator allows it.

use super::lowering::Lowered;
use crate::dims::{Dim, DimSet, PerDim};
use crate::hw::{AccelSpec, Fanout, Level, Storage};
use crate::workload::LoopNest;

/// One loop of a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loop {
    /// The dimension that the loop runs over.
    pub dim: Dim,
    /// The trip count, at least 1.
    pub bound: u64,
}

/// The loops at one level.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LevelLoops {
    /// Loops in time, outermost first.
    pub temporal: Vec<Loop>,
    /// Loops in space along X and Y.
    pub spatial: [Vec<Loop>; 2],
}

impl LevelLoops {
    pub(super) fn all(&self) -> impl Iterator<Item = &Loop> {
        self.temporal.iter().chain(self.spatial.iter().flatten())
    }
}

/// The loops of one layer on one accelerator, one entry per level of [`AccelSpec::levels`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// The loops of each level, outermost level first.
    pub levels: Vec<LevelLoops>,
}

/// More loops above 1 than any mapping needs: their bounds multiply to at most [`MAX_STEPS`].
pub(super) const MAX_LOOPS: usize = 64;

/// Products of all bounds stay at or below this, so that access counts fit 64 bits.
const MAX_STEPS: u64 = 1 << 56;

impl Mapping {
    /// The mapping of the given loops at named levels, which must have the right shape for `accel` and `nest`: per level
    /// the loops in time, along X and along Y, each outermost first. Levels that are not named have no loops.
    pub(super) fn of_levels<'a>(
        named: impl Iterator<Item = (&'a str, [&'a [(Dim, u64)]; 3])>,
        accel: &AccelSpec,
        nest: &LoopNest,
    ) -> Result<Self, String> {
        let mut mapping = Self { levels: vec![LevelLoops::default(); accel.levels.len()] };
        for (name, pairs) in named {
            let [temporal, x, y] =
                pairs.map(|pairs| pairs.iter().map(|&(dim, bound)| Loop { dim, bound }).collect());
            mapping.levels[accel.level_index(name)?] = LevelLoops { temporal, spatial: [x, y] };
        }
        mapping.check_shape(accel, nest)?;
        let padded = LoopNest { bounds: mapping.padded_bounds(), ..Lowered::new(accel, nest)?.nest };
        padded.check().map_err(|e| format!("padded: {e}"))?;
        Ok(mapping)
    }

    /// The product of all bounds of each dimension: the layer's own bound, or more where a loop is padded.
    pub fn padded_bounds(&self) -> PerDim<u64> {
        let mut bounds = [1; 8];
        for each in self.levels.iter().flat_map(LevelLoops::all) {
            bounds[each.dim as usize] *= each.bound;
        }
        bounds
    }

    /// The extents of all loops at and inside each level, outermost first.
    pub fn tiles(&self) -> Vec<PerDim<u64>> {
        let mut extent = [1; 8];
        let mut tiles: Vec<PerDim<u64>> = Vec::with_capacity(self.levels.len());
        for level in self.levels.iter().rev() {
            level.all().for_each(|each| extent[each.dim as usize] *= each.bound);
            tiles.push(extent);
        }
        tiles.reverse();
        tiles
    }

    /// Whether the numbers can be counted at all: as many levels as the accelerator, time only in storage levels,
    /// space only in fan-outs, the layer covered, and products that fit.
    pub fn check_shape(&self, accel: &AccelSpec, nest: &LoopNest) -> Result<(), String> {
        self.check_covers(accel, &Lowered::new(accel, nest)?.nest)
    }

    /// [`Self::check_shape`] for a nest that is lowered already.
    pub(super) fn check_covers(&self, accel: &AccelSpec, nest: &LoopNest) -> Result<(), String> {
        if self.levels.len() != accel.levels.len() {
            return Err(format!("{} levels, the accelerator has {}", self.levels.len(), accel.levels.len()));
        }
        for (loops, level) in self.levels.iter().zip(&accel.levels) {
            let wrong = match level {
                Level::Storage(_) => !loops.spatial.iter().all(Vec::is_empty),
                Level::Fanout(_) => !loops.temporal.is_empty(),
            };
            if wrong {
                return Err(format!("level `{}`: wrong kind of loops", level.name()));
            }
        }
        let all = || self.levels.iter().flat_map(LevelLoops::all);
        let product = all().try_fold(1u64, |product, each| product.checked_mul(each.bound));
        if product.is_none_or(|p| p == 0 || p > MAX_STEPS) {
            return Err(format!("the loop bounds must be at least 1 and multiply to at most {MAX_STEPS}"));
        }
        let padded = self.padded_bounds();
        match Dim::ALL.into_iter().find(|&dim| padded[dim as usize] < nest.bound(dim)) {
            Some(dim) => Err(format!("{dim:?} covers {} of {}", padded[dim as usize], nest.bound(dim))),
            None => Ok(()),
        }
    }

    /// Whether the accelerator's constraints and capacities allow this mapping.
    pub fn check_legal(&self, accel: &AccelSpec, nest: &LoopNest) -> Result<(), String> {
        self.check_legal_of(accel, &Lowered::new(accel, nest)?)
    }

    /// [`Self::check_legal`] for a nest that is lowered already.
    pub(super) fn check_legal_of(&self, accel: &AccelSpec, lowered: &Lowered) -> Result<(), String> {
        self.check_covers(accel, &lowered.nest)?;
        let mut inside: PerDim<u64> = [1; 8];
        for (index, (loops, level)) in self.levels.iter().zip(&accel.levels).enumerate().rev() {
            for each in loops.all() {
                inside[each.dim as usize] *= each.bound;
            }
            let checked = match level {
                Level::Storage(storage) => check_storage(index, storage, loops, &inside, lowered),
                Level::Fanout(fanout) => check_fanout(fanout, loops, &inside, &lowered.nest),
            };
            checked.map_err(|message| format!("level `{}`: {message}", level.name()))?;
        }
        Ok(())
    }
}

fn check_storage(
    level: usize,
    storage: &Storage,
    loops: &LevelLoops,
    inside: &PerDim<u64>,
    lowered: &Lowered,
) -> Result<(), String> {
    check_allowed(&loops.temporal, storage.temporal)?;
    check_whole(storage.temporal_whole, inside, &lowered.nest)?;
    let words = lowered.held_words(level, storage, inside);
    match storage.capacity_words {
        Some(capacity) if words > capacity => Err(format!("{words} words do not fit {capacity}")),
        _ => Ok(()),
    }
}

fn check_fanout(
    fanout: &Fanout,
    loops: &LevelLoops,
    inside: &PerDim<u64>,
    nest: &LoopNest,
) -> Result<(), String> {
    check_whole(fanout.spatial_whole, inside, nest)?;
    let mut unrolled: PerDim<u64> = [1; 8];
    for axis in 0..2 {
        check_allowed(&loops.spatial[axis], fanout.spatial[axis])?;
        let used: u64 = loops.spatial[axis].iter().map(|each| each.bound).product();
        if used > fanout.extent[axis] {
            return Err(format!("{used} instances used of {}", fanout.extent[axis]));
        }
        loops.spatial[axis].iter().for_each(|each| unrolled[each.dim as usize] *= each.bound);
    }
    let limited = |dim: &Dim| fanout.max_factor[*dim as usize].is_some_and(|m| unrolled[*dim as usize] > m);
    match Dim::ALL.into_iter().find(limited) {
        Some(dim) => Err(format!("{dim:?} is unrolled {} times", unrolled[dim as usize])),
        None => Ok(()),
    }
}

fn check_allowed(loops: &[Loop], allowed: DimSet) -> Result<(), String> {
    match loops.iter().find(|each| each.bound > 1 && !allowed.has(each.dim)) {
        Some(each) => Err(format!("{:?} may not be looped here", each.dim)),
        None => Ok(()),
    }
}

fn check_whole(whole: DimSet, inside: &PerDim<u64>, nest: &LoopNest) -> Result<(), String> {
    match whole.iter().find(|&dim| inside[dim as usize] < nest.bound(dim)) {
        Some(dim) => Err(format!("{dim:?} must be covered here")),
        None => Ok(()),
    }
}
