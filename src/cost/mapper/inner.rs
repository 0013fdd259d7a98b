//! The second choice: the loops in time at the inner levels, from the MACs outwards.

use super::floor::{Floor, Least};
use super::goal::{Ingredients, Judge, Score, Slack};
use super::orders::{Order, Orders};
use super::outer::Outer;
use super::space::{Space, Unrolled, factors};
use super::spatial::Spatial;
use super::traffic::Traffic;
use crate::cost::access::Flat;
use crate::dims::{Dim, PerDim};
use crate::hw::Level;

/// One choice of all inner loops.
#[derive(Clone, Debug)]
pub(super) struct Inner {
    /// The places of its loops among those of all choices.
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

/// The most choices that are kept before they are tried. Our choice: a tenth as many do for shipped accelerators, and
/// this many take 20 MB.
const MOST: usize = 1 << 16;

/// The steps to find a first mapping with when the others are spent.
const FIRST_FIND: u64 = 10_000;

/// What is settled before the loops in time: the loops in space, and the bounds under them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settled<'a> {
    pub(super) space: &'a Space<'a>,
    pub(super) judge: &'a Judge<'a>,
    pub(super) orders: &'a Orders,
    pub(super) spatial: &'a Spatial,
    pub(super) unrolled: &'a Unrolled,
    pub(super) floor: &'a Floor<'a>,
    pub(super) traffic: &'a Traffic,
}

/// Tries all inner loops that are worth it, best bound first.
pub(super) fn search(settled: Settled, outer: &mut Outer) {
    let mut walk = Walk {
        settled,
        best: outer.known,
        outer,
        path: Vec::new(),
        inside: [1; 8],
        left: settled.spatial.left,
        loops: Vec::new(),
        found: Vec::new(),
    };
    walk.level(settled.space.accel.levels.len(), &mut Flat::new());
    walk.try_found();
}

/// Adds the loops in space of one level.
pub(super) fn unroll(flat: &mut Flat, bounds: &PerDim<u64>) {
    for dim in Dim::ALL {
        if bounds[dim as usize] > 1 {
            flat.push_spatial(dim, bounds[dim as usize]);
        }
    }
}

struct Walk<'a, 'b> {
    settled: Settled<'a>,
    outer: &'a mut Outer<'b>,
    /// The score to beat.
    best: Score,
    /// The loops chosen so far, innermost first.
    path: Vec<InnerLoop>,
    inside: PerDim<u64>,
    left: PerDim<u64>,
    /// The loops of all choices found.
    loops: Vec<InnerLoop>,
    found: Vec<Inner>,
}

impl Walk<'_, '_> {
    /// Continues outside `built`, the innermost level that is complete.
    fn level(&mut self, built: usize, flat: &mut Flat) {
        if built == self.settled.space.first_inner {
            self.finish(flat);
            return;
        }
        let level = built - 1;
        match &self.settled.space.accel.levels[level] {
            Level::Fanout(_) => {
                unroll(flat, &self.settled.unrolled[level]);
                flat.close(level);
                self.level(level, flat);
            }
            Level::Storage(_) => {
                let dims: Vec<Dim> = self.settled.space.temporal[level].iter().collect();
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
        let takes_rest = self.settled.space.takes_rest[level].has(dim);
        for bound in factors(left, left) {
            if self.outer.effort.spent {
                break;
            }
            let rest = left.div_ceil(bound);
            if takes_rest && rest > 1 {
                continue;
            }
            chosen[index] = bound;
            if !self.settled.space.fits(level, &extended(flat, chosen)) {
                break;
            }
            (self.left[index], self.inside[index]) = (rest, inside * bound);
            self.bounds(level, flat, others, chosen);
        }
        chosen[index] = 1;
        (self.left[index], self.inside[index]) = (left, inside);
    }

    fn order(&mut self, level: usize, flat: &mut Flat, bounds: &PerDim<u64>) {
        if !self.settled.space.fits(level, &extended(flat, bounds)) {
            return;
        }
        let Settled { orders, floor, judge, traffic, .. } = self.settled;
        for order in orders.of(level, bounds) {
            if self.outer.effort.spent || !self.outer.effort.take(1) {
                return;
            }
            let length = self.path.len();
            self.push(level, flat, order, bounds);
            let least = floor.least(flat, level, &self.inside, &self.left);
            if judge.floor(traffic.raise(least)).beats(self.best) && self.may_pay_off(level, flat, least) {
                self.level(level, flat);
            }
            self.path.truncate(length);
            flat.reopen(level + 1);
        }
    }

    /// Whether a bound holds no more than what is known, with the traffic that the tiles so far make necessary further out.
    /// Complete choices are left to [`Self::finish`].
    fn may_pay_off(&self, level: usize, flat: &Flat, least: Ingredients) -> bool {
        let Settled { space, judge, traffic, unrolled, .. } = self.settled;
        if level == space.first_inner {
            return true;
        }
        let mut extent = *flat.extent(level);
        for bounds in &unrolled[space.first_inner..level] {
            extent.iter_mut().zip(bounds).for_each(|(extent, bound)| *extent *= bound);
        }
        traffic.affords(space, unrolled, &extent, &self.left, judge.slack(least, self.best))
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
        let Settled { space, judge, floor, traffic, unrolled, .. } = self.settled;
        let level = space.first_inner;
        let leasts = floor.least_by_choice(flat, level, &self.inside, &self.left);
        let mut lowest = Score::WORST;
        let (mut promising, mut slack) = (false, Slack::NONE);
        for Least { total, .. } in leasts {
            let score = judge.floor(total);
            if score.order(&lowest).is_lt() {
                lowest = score;
            }
            if judge.floor(traffic.raise(total)).beats(self.best) {
                promising = true;
                slack = slack.max(judge.slack(total, self.best));
            }
        }
        if promising && traffic.affords(space, unrolled, flat.extent(level), &self.left, slack) {
            let first = self.loops.len();
            self.loops.extend_from_slice(&self.path);
            let last = self.loops.len();
            self.found.push(Inner { first, last, inside: self.inside, left: self.left, floor: lowest });
            if self.found.len() == MOST || self.outer.any {
                self.try_found();
            }
        }
    }

    /// Searches around the choices found so far.
    fn try_found(&mut self) {
        if self.outer.effort.spent && self.outer.best.is_none() {
            self.outer.effort.left = FIRST_FIND;
        }
        self.found.sort_by(|a, b| a.floor.order(&b.floor));
        for inner in std::mem::take(&mut self.found) {
            if inner.floor.beats(self.outer.known) {
                let flat = self.flat(&inner);
                self.outer.search(flat, &self.settled, &inner);
            }
        }
        self.loops.clear();
        self.best = self.outer.known;
    }

    /// The nest of all inner levels.
    fn flat(&self, inner: &Inner) -> Flat {
        let Settled { space, unrolled, .. } = self.settled;
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

/// The extents of the nest so far with further loops around it.
fn extended(flat: &Flat, bounds: &PerDim<u64>) -> PerDim<u64> {
    let mut extent = *flat.padded_bounds();
    extent.iter_mut().zip(bounds).for_each(|(extent, bound)| *extent *= bound);
    extent
}
