//! The last choice: the loops at the middle level and at DRAM, around complete inner loops.

use super::goal::{Ingredients, Judge, Score};
use super::inner::{kept_inside, unroll};
use super::orders::{Order, candidates, sliding};
use super::space::{Space, factors};
use crate::cost::access::Flat;
use crate::cost::evaluate::{Evaluator, Summary};
use crate::dims::{Dim, DimSet, PerDim};

/// A complete mapping that was the best so far.
#[derive(Clone, Debug)]
pub(super) struct Best {
    pub(super) score: Score,
    pub(super) flat: Flat,
    pub(super) summary: Summary,
}

/// Tries all outer loops around inner ones.
#[derive(Debug)]
pub(super) struct Outer<'a> {
    space: &'a Space<'a>,
    judge: &'a Judge<'a>,
    evaluator: &'a Evaluator<'a>,
    sliding: DimSet,
    /// Dimensions that both the middle level and DRAM may loop over.
    split: Vec<Dim>,
    /// Mappings evaluated.
    pub(super) evaluated: u64,
}

/// The bounds at DRAM and at the middle level.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    dram: PerDim<u64>,
    middle: PerDim<u64>,
}

impl<'a> Outer<'a> {
    pub(super) fn new(space: &'a Space<'a>, judge: &'a Judge<'a>, evaluator: &'a Evaluator<'a>) -> Self {
        let middle = space.middle.map_or(DimSet::EMPTY, |level| space.temporal[level]);
        let split = middle.and(space.temporal[0]).iter().collect();
        Self { space, judge, evaluator, sliding: sliding(space.nest), split, evaluated: 0 }
    }

    /// Improves `best` by all mappings around `flat`, which holds the inner levels.
    pub(super) fn search(
        &mut self,
        flat: &mut Flat,
        unrolled: &[PerDim<u64>],
        left: &PerDim<u64>,
        best: &mut Option<Best>,
    ) {
        let mut bounds = Bounds { dram: [1; 8], middle: [1; 8] };
        for dim in Dim::ALL {
            let index = dim as usize;
            match self.space.middle {
                Some(level) if self.space.temporal[level].has(dim) => bounds.middle[index] = left[index],
                _ => bounds.dram[index] = left[index],
            }
        }
        let split = self.split.clone();
        self.divide(flat, unrolled, &split, &mut bounds, best);
    }

    /// Divides the steps of each dimension over DRAM and the middle level.
    fn divide(
        &mut self,
        flat: &mut Flat,
        unrolled: &[PerDim<u64>],
        dims: &[Dim],
        bounds: &mut Bounds,
        best: &mut Option<Best>,
    ) {
        let Some((&dim, others)) = dims.split_first() else {
            self.arrange(flat, unrolled, bounds, best);
            return;
        };
        let index = dim as usize;
        let left = bounds.middle[index];
        for dram in factors(left, left) {
            bounds.dram[index] = dram;
            bounds.middle[index] = left.div_ceil(dram);
            self.divide(flat, unrolled, others, bounds, best);
        }
        (bounds.dram[index], bounds.middle[index]) = (1, left);
    }

    /// Tries the orders of both levels.
    fn arrange(
        &mut self,
        flat: &mut Flat,
        unrolled: &[PerDim<u64>],
        bounds: &Bounds,
        best: &mut Option<Best>,
    ) {
        let middle = self.space.middle.unwrap_or(0);
        for inside in self.orders(middle, &bounds.middle) {
            if middle > 0 {
                flat.reopen(self.space.first_inner);
                push(flat, middle, &inside, &bounds.middle);
                if !self.space.fits(middle, flat.extent(middle)) {
                    return;
                }
            }
            for order in self.orders(0, &bounds.dram) {
                flat.reopen(self.space.first_inner.min(middle.max(1)));
                if !self.wrap(flat, unrolled, middle) {
                    return;
                }
                push(flat, 0, &order, &bounds.dram);
                self.offer(flat, best);
            }
        }
    }

    /// Adds the levels between DRAM and the middle level, which have no loops in time; false if a tile does not fit.
    fn wrap(&self, flat: &mut Flat, unrolled: &[PerDim<u64>], middle: usize) -> bool {
        for level in (1..middle).rev() {
            unroll(flat, &unrolled[level]);
            flat.close(level);
        }
        (1..middle).all(|level| self.space.fits(level, flat.extent(level)))
    }

    fn orders(&self, level: usize, bounds: &PerDim<u64>) -> Vec<Order> {
        let looped: DimSet = Dim::ALL.into_iter().filter(|&dim| bounds[dim as usize] > 1).collect();
        candidates(looped, kept_inside(self.space, level), self.sliding)
    }

    fn offer(&mut self, flat: &Flat, best: &mut Option<Best>) {
        self.evaluated += 1;
        let summary = self.evaluator.summary(flat);
        let score = self.judge.score(&Ingredients::of(&summary));
        if best.as_ref().is_none_or(|best| score.beats(best.score)) {
            *best = Some(Best { score, flat: flat.clone(), summary });
        }
    }
}

fn push(flat: &mut Flat, level: usize, order: &Order, bounds: &PerDim<u64>) {
    for &dim in order.dims() {
        flat.push_temporal(dim, bounds[dim as usize]);
    }
    flat.close(level);
}
