//! The last choice: the loops at the middle level and at DRAM, around complete inner loops.

use super::dominance::{movable, share_factor};
use super::floor::Least;
use super::goal::{Ingredients, Judge, Score};
use super::inner::{Inner, Settled, unroll};
use super::orders::{Order, Orders};
use super::space::{Space, Unrolled, factors};
use crate::cost::access::Flat;
use crate::cost::evaluate::{Evaluator, Summary};
use crate::dims::{Dim, DimSet, PerDim, Tensor};

/// The steps that the search may still take: choices whose bound is worked out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    pub(super) left: u64,
    /// Whether there was a step too many.
    pub(super) spent: bool,
}

impl Effort {
    pub(super) fn of(left: u64) -> Self {
        Self { left, spent: false }
    }

    /// Takes steps; false if they are not left.
    pub(super) fn take(&mut self, steps: u64) -> bool {
        let enough = self.left >= steps;
        self.left = self.left.saturating_sub(steps);
        self.spent |= !enough;
        enough
    }
}

/// A complete mapping.
#[derive(Clone, Debug)]
pub(super) struct Best {
    pub(super) score: Score,
    pub(super) spatial: Vec<u64>,
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
    /// The score to beat: that of the best mapping, or a lower limit.
    pub(super) known: Score,
    /// Mappings evaluated.
    pub(super) evaluated: u64,
    pub(super) effort: Effort,
    /// Whether any mapping will do.
    pub(super) any: bool,
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
    settled: &'a Settled<'a>,
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
        let (known, effort) = (Score::WORST, Effort::of(0));
        Self { space, judge, orders, evaluator, split, best: None, known, evaluated: 0, effort, any: false }
    }

    /// Starts anew with a limit that mappings must beat, and so many steps.
    pub(super) fn restart(&mut self, limit: Score, steps: u64) {
        let best = self.best.as_ref().map_or(Score::WORST, |best| best.score);
        self.known = if best.order(&limit).is_lt() { best } else { limit };
        self.effort = Effort::of(steps);
    }

    /// Tries all loops around `flat`, which holds the inner levels.
    pub(super) fn search(&mut self, flat: Flat, settled: &Settled, inner: &Inner) {
        let (level, traffic) = (self.space.first_inner, settled.traffic);
        let least = settled.floor.least_by_choice(&flat, level, &inner.inside, &inner.left);
        let least: Vec<Least> =
            least.filter(|least| self.judge.floor(traffic.raise(least.total)).beats(self.known)).collect();
        let steps = inner.inside.iter().product::<u64>() as f64;
        let movable = movable(self.space, &flat, &inner.left);
        let mut core = Core { flat, settled, least, steps, movable };
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
        if (self.any && self.effort.spent)
            || !self.effort.take(1)
            || !self.may_fit(core, next, bounds)
            || !self.promising(core, next, bounds)
        {
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
        (1..=middle).rev().all(|level| {
            let fits = self.space.fits(level, &tile);
            tile.iter_mut()
                .zip(&core.settled.unrolled[level - 1])
                .for_each(|(extent, bound)| *extent *= bound);
            fits
        })
    }

    /// Whether some completion may beat the best mapping; dimensions not yet divided stand at the middle level whole,
    /// which moves the least.
    fn promising(&self, core: &Core, next: usize, bounds: &Bounds) -> bool {
        if self.space.middle.is_none() {
            return true;
        }
        let inner = core.flat.extent(self.space.first_inner);
        let tile: PerDim<u64> = std::array::from_fn(|d| inner[d] * bounds.middle[d]);
        let extra = core.settled.floor.above_middle(&tile, &bounds.dram, next < self.split.len());
        let steps = bounds.dram.iter().chain(&bounds.middle).product::<u64>() as f64 * core.steps;
        let open: DimSet = self.split[next..].iter().copied().collect();
        let looped = Dim::ALL.into_iter().filter(|&dim| bounds.middle[dim as usize] > 1);
        let middle = looped.collect::<DimSet>().without(open);
        let known = self.known;
        core.least.iter().any(|least| {
            let again = self.times_again(least.kept, middle, &bounds.dram);
            let dynamic_pj = least.total.dynamic_pj + extra.pj + again * least.kept_pj;
            let chip_pj = least.total.dynamic_pj - least.total.dram_pj
                + extra.chip_pj
                + again * (least.kept_pj - least.kept_dram_pj);
            let total = Ingredients {
                steps: self.space.lowered.working(core.settled.floor.steps(steps)),
                dynamic_pj,
                dram_pj: dynamic_pj - chip_pj,
                dram_words: least.total.dram_words + extra.dram_words + again * least.kept_dram_words,
                ..least.total
            };
            self.judge.floor(core.settled.traffic.raise(total)).beats(known)
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
                wrap(flat, core.settled.unrolled, middle);
                push(flat, 0, order, &bounds.dram);
                self.offer(flat, core.settled);
            }
        }
    }

    fn offer(&mut self, flat: &Flat, settled: &Settled) {
        self.evaluated += 1;
        self.effort.take(1);
        let summary = self.evaluator.summary(flat);
        let score = self.judge.score(&Ingredients::of(&summary));
        if score.beats(self.known) {
            self.known = score;
            self.effort.spent |= self.any;
            self.best =
                Some(Best { score, spatial: settled.spatial.bounds.clone(), flat: flat.clone(), summary });
        }
    }
}

/// Adds the levels between DRAM and the middle level, which have no loops in time.
fn wrap(flat: &mut Flat, unrolled: &Unrolled, middle: usize) {
    for level in (1..middle).rev() {
        unroll(flat, &unrolled[level]);
        flat.close(level);
    }
}

fn push(flat: &mut Flat, level: usize, order: &Order, bounds: &PerDim<u64>) {
    for &dim in order.dims() {
        flat.push_temporal(dim, bounds[dim as usize]);
    }
    flat.close(level);
}
