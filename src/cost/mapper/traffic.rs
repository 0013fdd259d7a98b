//! The least traffic that the buffers allow: bounds that know the layer, the capacities and the loops in space, but no
//! loops in time.
//!
//! The tile inside a boundary between levels must fit the buffers there, and a tile smaller than the layer is fetched
//! again: each tensor crosses the boundary once for every step of the loops outside it that the tensor does not depend
//! on, except for one tensor at most, which stays in place through the innermost of these loops. What is left to choose
//! are the steps outside, dimension by dimension, and the tensor that stays. The search looks at two boundaries:
//!
//! - outside the middle level: only DRAM loops over the tile that the levels from there to the middle hold;
//! - inside the middle level: it and DRAM loop over the tile that the inner levels hold.
//!
//! A tensor that the middle level does not keep crosses both with the same words from DRAM. Their price may be shared
//! out, so that both bounds hold together: [`INSIDE`] goes to the inner boundary.

use super::floor::Floor;
use super::goal::{Ingredients, Judge, Slack};
use super::rates::EdgeRates;
use super::space::{Space, Unrolled};
use crate::cost::access::Edge;
use crate::dims::{Dim, DimSet, PerDim, Tensor};
use crate::hw::{Level, MAX_LEVELS, Storage};

/// The share of the price of a word from DRAM to an inner level that counts at the inner boundary. Our choice: enough
/// to see there that such a tensor should stay in place.
const INSIDE: f64 = 0.125;

/// A lower bound on the energy of some accesses, and the part of it that other bounds contain.
#[derive(Clone, Copy, Debug, Default)]
struct Bound {
    least: f64,
    /// The same if every word crossed once.
    once: f64,
}

impl Bound {
    fn excess(self) -> f64 {
        (self.least - self.once).max(0.0)
    }
}

/// What the buffers make necessary under one choice of loops in space.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Traffic {
    dram_words: f64,
    dram_pj: f64,
    /// Energy beyond a bound in which every word crosses each boundary once.
    excess_pj: f64,
    /// What the tensors that the middle level and the levels around it keep cost, once and for each further time.
    around_pj: Prices,
    around_words: Prices,
}

/// The costs of the tensors that cross a boundary: of the first time and of each further time.
type Prices = [[f64; 2]; 3];

impl Traffic {
    /// The bound under one choice of loops in space, which leave `left` steps in time.
    pub(super) fn least(
        space: &Space,
        judge: &Judge,
        floor: &Floor,
        unrolled: &Unrolled,
        left: &PerDim<u64>,
    ) -> Self {
        let outer = space.middle.map(|middle| Boundary::new(space, unrolled, left, 1..middle + 1));
        let inner = Boundary::new(space, unrolled, left, space.first_inner..space.accel.levels.len());
        let prices = |crosses: &dyn Fn(Edge) -> bool, price: &dyn Fn(&EdgeRates, f64) -> f64| {
            Tensor::ALL.map(|tensor| {
                let of = |times: f64| {
                    let edges = floor.rates.iter().filter(|rates| rates.edge.tensor == tensor);
                    edges.filter(|rates| crosses(rates.edge)).map(|rates| price(rates, times)).sum::<f64>()
                };
                [of(1.0), of(2.0) - of(1.0)]
            })
        };
        let at = |matters: bool, boundary: &Boundary, price: &dyn Fn(&EdgeRates, f64) -> f64| match matters {
            true => boundary.least(prices(&|edge| boundary.crosses(edge), price)),
            false => Bound::default(),
        };
        let (energy, latency) = (judge.counts_energy(), judge.counts_latency());
        let words = |rates: &EdgeRates, times| floor.again(rates, times).dram_words;
        let dram = |rates: &EdgeRates, times| floor.again(rates, times).dram_pj;
        let both = |rates: &EdgeRates| rates.edge.parent == 0 && rates.edge.child >= space.first_inner;
        let outside = |rates: &EdgeRates, times| {
            let share = if both(rates) { 1.0 - INSIDE } else { 1.0 };
            share * floor.again(rates, times).dram_pj
        };
        let inside = |rates: &EdgeRates, times| {
            let flow = floor.again(rates, times);
            let share = if outer.is_some() && both(rates) { INSIDE } else { 1.0 };
            flow.pj - flow.dram_pj + share * flow.dram_pj
        };
        let crossing_inside = at(energy, &inner, &inside);
        match &outer {
            Some(outer) => Self {
                dram_words: at(latency, outer, &words).least,
                dram_pj: at(energy, outer, &dram).least,
                excess_pj: crossing_inside.excess() + at(energy, outer, &outside).excess(),
                around_pj: prices(&|edge| edge.child < space.first_inner, &|rates, times| {
                    floor.again(rates, times).pj
                }),
                around_words: prices(&|edge| edge.child < space.first_inner, &words),
            },
            None => Self { excess_pj: crossing_inside.excess(), ..Self::default() },
        }
    }

    /// Raises a bound under which tiles are not known yet.
    pub(super) fn raise_all(&self, least: Ingredients) -> Ingredients {
        let raised = self.raise(least);
        Ingredients { dynamic_pj: raised.dynamic_pj.max(least.dynamic_pj + self.excess_pj), ..raised }
    }

    /// Whether the middle level and the levels around it, with inner loops of the given extents and `left` steps to come,
    /// can do with so much beyond what they cost if every word moves once.
    pub(super) fn affords(
        &self,
        space: &Space,
        unrolled: &Unrolled,
        extent: &PerDim<u64>,
        left: &PerDim<u64>,
        slack: Slack,
    ) -> bool {
        let Some(middle) = space.middle else { return true };
        let boundary = Boundary::around(space, unrolled, extent, left, middle);
        [(self.around_pj, slack.pj), (self.around_words, slack.dram_words)].into_iter().all(
            |(prices, slack)| {
                let once: f64 = prices.iter().map(|[first, _]| first).sum();
                slack == f64::INFINITY || boundary.choose(prices, once + slack, true).found
            },
        )
    }

    /// Raises a bound to the traffic of DRAM.
    pub(super) fn raise(&self, least: Ingredients) -> Ingredients {
        Ingredients {
            dram_words: least.dram_words.max(self.dram_words),
            dynamic_pj: least.dynamic_pj + (self.dram_pj - least.dram_pj).max(0.0),
            ..least
        }
    }
}

/// A buffer inside a boundary.
struct Buffer<'a> {
    level: usize,
    storage: &'a Storage,
    /// The dimensions of which it holds all that is inside the boundary.
    whole: DimSet,
    /// The loops in space inside it.
    spatial: PerDim<u64>,
}

impl Buffer<'_> {
    fn extent(&self, tile: &PerDim<u64>) -> PerDim<u64> {
        std::array::from_fn(|dim| match self.whole.has(Dim::ALL[dim]) {
            true => tile[dim] * self.spatial[dim],
            false => self.spatial[dim],
        })
    }
}

/// A boundary between levels.
struct Boundary<'a> {
    space: &'a Space<'a>,
    /// The levels whose tiles are inside the boundary.
    first: usize,
    last: usize,
    buffers: Vec<Buffer<'a>>,
    /// For each tensor that crosses, the buffer inside that keeps it, as if it held the whole tile.
    places: Vec<(Tensor, Buffer<'a>)>,
    /// Dimensions that loops outside may run over.
    looped: DimSet,
    /// Steps in time of every dimension.
    steps: PerDim<u64>,
}

impl<'a> Boundary<'a> {
    fn new(
        space: &'a Space,
        unrolled: &Unrolled,
        left: &PerDim<u64>,
        levels: std::ops::Range<usize>,
    ) -> Self {
        let (first, last) = (levels.start, levels.end);
        let mut spatial: [PerDim<u64>; MAX_LEVELS + 1] = [[1; 8]; MAX_LEVELS + 1];
        for level in (0..space.accel.levels.len()).rev() {
            spatial[level] = std::array::from_fn(|dim| spatial[level + 1][dim] * unrolled[level][dim]);
        }
        let mut whole = DimSet::of(&Dim::ALL);
        let mut buffers = Vec::new();
        for level in levels {
            if let Level::Storage(storage) = &space.accel.levels[level] {
                if storage.capacity_words.is_some() {
                    buffers.push(Buffer { level, storage, whole, spatial: spatial[level] });
                }
                // What the middle level loops over is inside its own tile, and so is what is inside that.
                whole = whole.without(space.temporal[level]);
            }
        }
        let looped = (0..first).flat_map(|level| space.temporal[level].iter()).collect();
        let mut boundary = Self { space, first, last, buffers, places: Vec::new(), looped, steps: *left };
        for &edge in &space.edges {
            if !boundary.crosses(edge) {
                continue;
            }
            if let Level::Storage(storage) = &space.accel.levels[edge.child] {
                let (level, whole) = (edge.child, DimSet::of(&Dim::ALL));
                let buffer = Buffer { level, storage, whole, spatial: spatial[level] };
                boundary.places.push((edge.tensor, buffer));
            }
        }
        boundary
    }

    /// The boundary outside the middle level, around inner loops of known extents.
    fn around(
        space: &'a Space,
        unrolled: &Unrolled,
        extent: &PerDim<u64>,
        left: &PerDim<u64>,
        middle: usize,
    ) -> Self {
        let (mut spatial, whole, mut buffers) = (*extent, DimSet::of(&Dim::ALL), Vec::new());
        for level in (1..=middle).rev() {
            match &space.accel.levels[level] {
                Level::Storage(storage) if storage.capacity_words.is_some() => {
                    buffers.push(Buffer { level, storage, whole, spatial });
                }
                Level::Storage(_) => {}
                Level::Fanout(_) => {
                    spatial.iter_mut().zip(&unrolled[level]).for_each(|(extent, bound)| *extent *= bound);
                }
            }
        }
        let looped = space.temporal[0];
        Self { space, first: 1, last: middle + 1, buffers, places: Vec::new(), looped, steps: *left }
    }

    fn crosses(&self, edge: Edge) -> bool {
        edge.parent < self.first
            && edge.child >= self.first
            && edge.child < self.space.accel.levels.len()
            && (edge.child < self.last || edge.parent == 0)
    }

    /// The least cost of the tensors that cross.
    fn least(&self, prices: Prices) -> Bound {
        let once = prices.iter().map(|[first, _]| first).sum();
        Bound { least: self.choose(prices, f64::INFINITY, false).least, once }
    }

    /// The best choice that costs less than a limit, or any such choice.
    fn choose(&self, prices: Prices, limit: f64, any: bool) -> Choice<'_> {
        let mut choice = Choice { boundary: self, place: None, prices, least: limit, any, found: false };
        for kept in Tensor::ALL.into_iter().map(Some).chain([None]) {
            // Loops over these cost nothing, so that they divide the tile as far as they can.
            let irrelevant =
                kept.map_or(DimSet::EMPTY, |tensor| DimSet::of(&Dim::ALL).without(tensor.dims()));
            let free = irrelevant.with(Dim::G).and(self.looped);
            if kept.is_some() && irrelevant.and(self.looped).iter().all(|dim| self.steps[dim as usize] == 1) {
                continue;
            }
            let mut tile = self.steps;
            free.iter().for_each(|dim| tile[dim as usize] = 1);
            // What stays in place must fit the level that keeps it.
            choice.place = kept.and_then(|tensor| self.places.iter().find(|place| place.0 == tensor));
            // The dimension with the most choices comes last, where the best of them is found at once.
            let (mut dims, mut count) = (Dim::ALL, 0);
            for dim in self.looped.without(free).iter().filter(|&dim| self.steps[dim as usize] > 1) {
                (dims[count], count) = (dim, count + 1);
            }
            let dims = &mut dims[..count];
            dims.sort_by_key(|&dim| self.steps[dim as usize]);
            let mut smallest = tile;
            dims.iter().for_each(|&dim| smallest[dim as usize] = 1);
            if !(any && choice.found) && choice.fits(&smallest) {
                choice.divide(dims, Chosen { tile, times: [1; 3] });
            }
        }
        choice
    }

    /// Whether the buffers hold their parts of a tile of so many steps.
    fn fits(&self, tile: &PerDim<u64>) -> bool {
        self.buffers.iter().all(|buffer| {
            let held = self.space.lowered.held_words(buffer.level, buffer.storage, &buffer.extent(tile));
            buffer.storage.capacity_words.is_none_or(|words| held <= words)
        })
    }
}

/// The choice of steps outside a boundary.
struct Choice<'a> {
    boundary: &'a Boundary<'a>,
    place: Option<&'a (Tensor, Buffer<'a>)>,
    prices: Prices,
    /// The lowest cost so far.
    least: f64,
    /// Whether any choice will do.
    any: bool,
    found: bool,
}

/// The steps chosen so far.
#[derive(Clone, Copy)]
struct Chosen {
    tile: PerDim<u64>,
    /// How often each tensor crosses.
    times: [u64; 3],
}

impl Choice<'_> {
    /// Divides the dimensions; with all of them undivided to one step the tile fits.
    fn divide(&mut self, dims: &[Dim], chosen: Chosen) {
        if self.cost(&chosen.times) >= self.least {
            return;
        }
        let Some((&dim, others)) = dims.split_first() else {
            (self.least, self.found) = (self.cost(&chosen.times), true);
            return;
        };
        let (index, whole) = (dim as usize, chosen.tile[dim as usize]);
        let mut smallest = chosen.tile;
        others.iter().for_each(|&dim| smallest[dim as usize] = 1);
        let mut extent = self.largest(index, smallest);
        while extent > 0 {
            let steps = whole.div_ceil(extent);
            let mut next = chosen;
            next.tile[index] = whole.div_ceil(steps);
            for tensor in Tensor::ALL.into_iter().filter(|tensor| !tensor.dims().has(dim)) {
                next.times[tensor as usize] *= steps;
            }
            if self.cost(&next.times) >= self.least || (self.any && self.found) {
                return;
            }
            self.divide(others, next);
            extent = next.tile[index] - 1;
        }
    }

    fn fits(&self, tile: &PerDim<u64>) -> bool {
        self.boundary.fits(tile) && self.stays(tile)
    }

    /// The largest extent of a dimension that still fits; 0 if none does.
    fn largest(&self, index: usize, mut tile: PerDim<u64>) -> u64 {
        let (mut fits, mut beyond) = (0, tile[index] + 1);
        while beyond - fits > 1 {
            // The whole extent first: most of the time it fits.
            match self.fits(&tile) {
                true => fits = tile[index],
                false => beyond = tile[index],
            }
            tile[index] = fits.midpoint(beyond);
        }
        fits
    }

    /// Whether the tensor that shall stay in place can.
    fn stays(&self, tile: &PerDim<u64>) -> bool {
        self.place.is_none_or(|(tensor, buffer)| {
            let lowered = self.boundary.space.lowered;
            let words = lowered.held_words_of(*tensor, buffer.level, buffer.storage, &buffer.extent(tile));
            buffer.storage.capacity_words.is_none_or(|capacity| words <= capacity)
        })
    }

    fn cost(&self, times: &[u64; 3]) -> f64 {
        self.prices.iter().zip(times).map(|([first, more], &times)| first + more * (times - 1) as f64).sum()
    }
}
