//! The second choice: the loops in time at the inner levels, from the MACs outwards.

use super::floor::Floor;
use super::goal::{Judge, Score};
use super::orders::{Order, Orders};
use super::space::{Space, Unrolled, factors};
use super::spatial::Spatial;
use crate::cost::access::Flat;
use crate::dims::{Dim, PerDim};
use crate::hw::Level;

/// One choice of all inner loops.
#[derive(Clone, Debug)]
pub(super) struct Inner {
    /// The place of its first loop in [`InnerChoices::loops`].
    first: usize,
    last: usize,
    /// Steps of the inner loops, by dimension.
    pub(super) inside: PerDim<u64>,
    /// Steps still to come, by dimension.
    pub(super) left: PerDim<u64>,
    /// No mapping with these loops scores better.
    pub(super) floor: Score,
}

#[derive(Clone, Copy, Debug)]
struct InnerLoop {
    level: usize,
    dim: Dim,
    bound: u64,
}

/// The choices worth trying under one choice of loops in space, best bound first.
#[derive(Debug)]
pub(super) struct InnerChoices {
    loops: Vec<InnerLoop>,
    pub(super) found: Vec<Inner>,
}

impl InnerChoices {
    pub(super) fn new(
        space: &Space,
        judge: &Judge,
        orders: &Orders,
        floor: &Floor,
        spatial: &Spatial,
        best: Score,
    ) -> Self {
        let mut walk = Walk {
            space,
            judge,
            orders,
            floor,
            unrolled: &spatial.unrolled(space),
            best,
            path: Vec::new(),
            inside: [1; 8],
            left: spatial.left,
            choices: Self { loops: Vec::new(), found: Vec::new() },
        };
        walk.level(space.accel.levels.len(), &mut Flat::new());
        walk.choices.found.sort_by(|a, b| a.floor.order(&b.floor));
        walk.choices
    }

    /// The nest of all inner levels.
    pub(super) fn flat(&self, space: &Space, unrolled: &Unrolled, inner: &Inner) -> Flat {
        let mut flat = Flat::new();
        let loops = &self.loops[inner.first..inner.last];
        for level in (space.first_inner..space.accel.levels.len()).rev() {
            unroll(&mut flat, &unrolled[level]);
            for each in loops.iter().filter(|each| each.level == level) {
                flat.push_temporal(each.dim, each.bound);
            }
            flat.close(level);
        }
        flat
    }
}

/// Adds the loops in space of one level.
pub(super) fn unroll(flat: &mut Flat, bounds: &PerDim<u64>) {
    for dim in Dim::ALL {
        if bounds[dim as usize] > 1 {
            flat.push_spatial(dim, bounds[dim as usize]);
        }
    }
}

struct Walk<'a> {
    space: &'a Space<'a>,
    judge: &'a Judge<'a>,
    floor: &'a Floor<'a>,
    unrolled: &'a Unrolled,
    best: Score,
    orders: &'a Orders,
    /// The loops chosen so far, innermost first.
    path: Vec<InnerLoop>,
    inside: PerDim<u64>,
    left: PerDim<u64>,
    choices: InnerChoices,
}

impl Walk<'_> {
    /// Continues outside `built`, the innermost level that is complete.
    fn level(&mut self, built: usize, flat: &mut Flat) {
        if built == self.space.first_inner {
            self.finish(flat);
            return;
        }
        let level = built - 1;
        match &self.space.accel.levels[level] {
            Level::Fanout(_) => {
                unroll(flat, &self.unrolled[level]);
                flat.close(level);
                self.level(level, flat);
            }
            Level::Storage(_) => {
                let dims: Vec<Dim> = self.space.temporal[level].iter().collect();
                self.bounds(level, flat, &dims, &mut [1; 8]);
            }
        }
        flat.reopen(built);
    }

    /// Chooses the bounds of the loops over `dims` at `level`, then their order.
    fn bounds(&mut self, level: usize, flat: &mut Flat, dims: &[Dim], chosen: &mut PerDim<u64>) {
        let Some((&dim, others)) = dims.split_first() else {
            self.order(level, flat, chosen);
            return;
        };
        let index = dim as usize;
        let (left, inside) = (self.left[index], self.inside[index]);
        let takes_rest = self.space.takes_rest[level].has(dim);
        for bound in factors(left, left) {
            let rest = left.div_ceil(bound);
            if takes_rest && rest > 1 {
                continue;
            }
            chosen[index] = bound;
            if !self.space.fits(level, &extended(flat, chosen)) {
                break;
            }
            (self.left[index], self.inside[index]) = (rest, inside * bound);
            self.bounds(level, flat, others, chosen);
        }
        chosen[index] = 1;
        (self.left[index], self.inside[index]) = (left, inside);
    }

    fn order(&mut self, level: usize, flat: &mut Flat, bounds: &PerDim<u64>) {
        if !self.space.fits(level, &extended(flat, bounds)) {
            return;
        }
        for order in self.orders.of(level, bounds) {
            let length = self.path.len();
            self.push(level, flat, order, bounds);
            let least = self.floor.least(flat, level, &self.inside, &self.left);
            if self.judge.floor(least).beats(self.best) {
                self.level(level, flat);
            }
            self.path.truncate(length);
            flat.reopen(level + 1);
        }
    }

    fn push(&mut self, level: usize, flat: &mut Flat, order: &Order, bounds: &PerDim<u64>) {
        for &dim in order.dims() {
            let bound = bounds[dim as usize];
            flat.push_temporal(dim, bound);
            self.path.push(InnerLoop { level, dim, bound });
        }
        flat.close(level);
    }

    fn finish(&mut self, flat: &Flat) {
        let level = self.space.first_inner;
        let leasts = self.floor.least_by_choice(flat, level, &self.inside, &self.left);
        let scores = leasts.map(|least| self.judge.floor(least.total));
        let floor = scores.min_by(Score::order).expect("there is at least one choice");
        if floor.beats(self.best) {
            let first = self.choices.loops.len();
            self.choices.loops.extend_from_slice(&self.path);
            let last = self.choices.loops.len();
            self.choices.found.push(Inner { first, last, inside: self.inside, left: self.left, floor });
        }
    }
}

/// The extents of the nest so far with further loops around it.
fn extended(flat: &Flat, bounds: &PerDim<u64>) -> PerDim<u64> {
    let mut extent = *flat.padded_bounds();
    extent.iter_mut().zip(bounds).for_each(|(extent, bound)| *extent *= bound);
    extent
}
