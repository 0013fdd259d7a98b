//! The last choice: the loops at the middle level and at DRAM, around complete inner loops.

use super::dominance::{movable, share_factor};
use super::floor::{Floor, Least};
use super::goal::{Ingredients, Judge, Score};
use super::inner::{Inner, unroll};
use super::orders::{Order, Orders};
use super::space::{Space, Unrolled, factors};
use crate::cost::access::Flat;
use crate::cost::evaluate::{Evaluator, Summary};
use crate::dims::{Dim, DimSet, PerDim, Tensor};

/// A complete mapping.
#[derive(Clone, Debug)]
pub(super) struct Best {
    pub(super) score: Score,
    pub(super) flat: Flat,
    pub(super) summary: Summary,
}

/// The state of the search of a layer.
#[derive(Debug)]
pub(super) struct Outer<'a> {
    space: &'a Space<'a>,
    judge: &'a Judge<'a>,
    orders: &'a Orders,
    evaluator: &'a Evaluator<'a>,
    /// Dimensions that both the middle level and DRAM may loop over.
    split: Vec<Dim>,
    /// The best mapping so far.
    pub(super) best: Option<Best>,
    /// Mappings evaluated.
    pub(super) evaluated: u64,
}

/// The bounds at DRAM and at the middle level.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    dram: PerDim<u64>,
    middle: PerDim<u64>,
}

/// The inner loops that the search is around.
#[derive(Debug)]
struct Core<'a> {
    flat: Flat,
    unrolled: &'a Unrolled,
    floor: &'a Floor<'a>,
    /// The bound under everything that the innermost outer loop can do.
    least: Vec<Least>,
    /// Steps in time of the inner loops.
    steps: f64,
    /// Primes that must not stay at the middle level, by dimension.
    movable: PerDim<u64>,
}

impl<'a> Outer<'a> {
    pub(super) fn new(
        space: &'a Space<'a>,
        judge: &'a Judge<'a>,
        orders: &'a Orders,
        evaluator: &'a Evaluator<'a>,
    ) -> Self {
        let middle = space.middle.map_or(DimSet::EMPTY, |level| space.temporal[level]);
        let split = middle.and(space.temporal[0]).iter().collect();
        Self { space, judge, orders, evaluator, split, best: None, evaluated: 0 }
    }

    /// The score to beat.
    pub(super) fn known(&self) -> Score {
        self.best.as_ref().map_or(Score::WORST, |best| best.score)
    }

    /// Tries all loops around `flat`, which holds the inner levels.
    pub(super) fn search(&mut self, flat: Flat, unrolled: &Unrolled, floor: &Floor, inner: &Inner) {
        let level = self.space.first_inner;
        let least = floor.least_by_choice(&flat, level, &inner.inside, &inner.left);
        let least: Vec<Least> =
            least.filter(|least| self.judge.floor(least.total).beats(self.known())).collect();
        let steps = inner.inside.iter().product::<u64>() as f64;
        let movable = movable(self.space, &flat, &inner.left);
        let mut core = Core { flat, unrolled, floor, least, steps, movable };
        let mut bounds = Bounds { dram: [1; 8], middle: [1; 8] };
        for dim in Dim::ALL {
            let index = dim as usize;
            match self.space.middle {
                Some(level) if self.space.temporal[level].has(dim) => {
                    bounds.middle[index] = inner.left[index];
                }
                _ => bounds.dram[index] = inner.left[index],
            }
        }
        let whole = |dim: &Dim| !self.split.contains(dim);
        let dominated = |dim: &Dim| share_factor(bounds.middle[*dim as usize], core.movable[*dim as usize]);
        if !Dim::ALL.iter().filter(|dim| whole(dim)).any(dominated) {
            self.divide(&mut core, 0, &mut bounds);
        }
    }

    /// Divides the steps of each dimension over DRAM and the middle level, from the `next` one on.
    fn divide(&mut self, core: &mut Core, next: usize, bounds: &mut Bounds) {
        if !self.may_fit(core, next, bounds) || !self.promising(core, next, bounds) {
            return;
        }
        let Some(&dim) = self.split.get(next) else {
            self.arrange(core, bounds);
            return;
        };
        let index = dim as usize;
        let left = bounds.middle[index];
        for dram in factors(left, left) {
            bounds.dram[index] = dram;
            bounds.middle[index] = left.div_ceil(dram);
            if share_factor(bounds.middle[index], core.movable[index]) {
                continue;
            }
            self.divide(core, next + 1, bounds);
        }
        (bounds.dram[index], bounds.middle[index]) = (1, left);
    }

    /// Whether the middle tile fits if dimensions not yet divided leave it as small as they can.
    fn may_fit(&self, core: &Core, next: usize, bounds: &Bounds) -> bool {
        let Some(middle) = self.space.middle else { return true };
        let mut tile = *core.flat.extent(self.space.first_inner);
        for dim in Dim::ALL.into_iter().filter(|dim| !self.split[next..].contains(dim)) {
            tile[dim as usize] *= bounds.middle[dim as usize];
        }
        self.space.fits(middle, &tile)
    }

    /// Whether some completion may beat the best mapping; dimensions not yet divided stand at the middle level whole,
    /// which moves the least.
    fn promising(&self, core: &Core, next: usize, bounds: &Bounds) -> bool {
        if self.space.middle.is_none() {
            return true;
        }
        let inner = core.flat.extent(self.space.first_inner);
        let tile: PerDim<u64> = std::array::from_fn(|d| inner[d] * bounds.middle[d]);
        let extra = core.floor.above_middle(&tile, &bounds.dram, next < self.split.len());
        let steps = bounds.dram.iter().chain(&bounds.middle).product::<u64>() as f64 * core.steps;
        let open: DimSet = self.split[next..].iter().copied().collect();
        let looped = Dim::ALL.into_iter().filter(|&dim| bounds.middle[dim as usize] > 1);
        let middle = looped.collect::<DimSet>().without(open);
        let known = self.known();
        core.least.iter().any(|least| {
            let again = self.times_again(least.kept, middle, &bounds.dram);
            let total = Ingredients {
                steps: self.space.lowered.working(steps),
                dynamic_pj: least.total.dynamic_pj + extra.pj + again * least.kept_pj,
                dram_words: least.total.dram_words + extra.dram_words + again * least.kept_dram_words,
                ..least.total
            };
            self.judge.floor(total).beats(known)
        })
    }

    /// How many times more often than assumed the kept tensor is filled anew: if it depends on the loops over `middle`,
    /// those at DRAM no longer find it in place.
    fn times_again(&self, kept: Option<Tensor>, middle: DimSet, dram: &PerDim<u64>) -> f64 {
        match kept {
            Some(tensor) if middle.and(tensor.dims()) != DimSet::EMPTY => {
                let beyond = DimSet::of(&Dim::ALL).without(tensor.dims());
                beyond.iter().map(|dim| dram[dim as usize]).product::<u64>() as f64 - 1.0
            }
            _ => 0.0,
        }
    }

    /// Tries the orders of both levels.
    fn arrange(&mut self, core: &mut Core, bounds: &Bounds) {
        let middle = self.space.middle.unwrap_or(0);
        let orders = self.orders;
        let flat = &mut core.flat;
        for inside in orders.of(middle, if middle > 0 { &bounds.middle } else { &[1; 8] }) {
            if middle > 0 {
                flat.reopen(self.space.first_inner);
                push(flat, middle, inside, &bounds.middle);
            }
            for order in orders.of(0, &bounds.dram) {
                flat.reopen(if middle > 0 { middle } else { self.space.first_inner });
                if !self.wrap(flat, core.unrolled, middle) {
                    return;
                }
                push(flat, 0, order, &bounds.dram);
                self.offer(flat);
            }
        }
    }

    /// Adds the levels between DRAM and the middle level, which have no loops in time; false if a tile does not fit.
    fn wrap(&self, flat: &mut Flat, unrolled: &Unrolled, middle: usize) -> bool {
        for level in (1..middle).rev() {
            unroll(flat, &unrolled[level]);
            flat.close(level);
        }
        (1..middle).all(|level| self.space.fits(level, flat.extent(level)))
    }

    fn offer(&mut self, flat: &Flat) {
        self.evaluated += 1;
        let summary = self.evaluator.summary(flat);
        let score = self.judge.score(&Ingredients::of(&summary));
        if score.beats(self.known()) {
            self.best = Some(Best { score, flat: flat.clone(), summary });
        }
    }
}

fn push(flat: &mut Flat, level: usize, order: &Order, bounds: &PerDim<u64>) {
    for &dim in order.dims() {
        flat.push_temporal(dim, bounds[dim as usize]);
    }
    flat.close(level);
}
