//! Lower bounds on the cost of every mapping that completes a partial one.
//!
//! The partial mapping has all its loops in space, and its loops in time from the MACs outwards up to some level; `left`
//! says how many steps are still to come per dimension. Loops to come add at least that many steps. An edge (parent,
//! child, tensor) costs at least:
//!
//! - the MAC as child: exactly one word per step;
//! - a child inside the built part, with a loop that the tensor depends on outside it: fills so far x all steps to come;
//! - a child inside the built part without such a loop: its tile x the steps to come that the tensor depends on, if the
//!   loops to come keep it in place, else x all steps to come. Only one tensor is kept in place, that of the innermost
//!   loop to come: a [`Kept`] says which;
//! - a child in the part to come: every element that is touched, once per copy.
//!
//! Every bound uses the smallest padded extents that the remainders allow; counts grow with padding.

use super::goal::Ingredients;
use super::rates::{Above, EdgeRates, Flow};
use super::space::{Space, Unrolled};
use crate::cost::access::{Edge, Fills, Flat, Grid, new_elements, real_share, touched_elements};
use crate::dims::{Dim, DimSet, PerDim, Tensor};
use crate::hw::{Level, Residuals};
use crate::workload::tile_elements;

/// The effect of the innermost loop to come on the tensors that depend on no loop yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    /// The tensor that stays in place.
    tensor: Option<Tensor>,
    /// The dimension along which input windows slide.
    slide: Option<Dim>,
}

impl Kept {
    /// All that loops with `left` steps to come can do.
    pub(super) fn options(left: &PerDim<u64>, sliding: DimSet) -> impl Iterator<Item = Self> {
        let open: DimSet = Dim::ALL.into_iter().filter(|&dim| left[dim as usize] > 1).collect();
        let each = Tensor::ALL.into_iter().flat_map(move |tensor| {
            let block = open.without(tensor.dims());
            let slides = match tensor {
                Tensor::Inputs => sliding.and(open),
                _ => sliding.and(block),
            };
            let plain = (slides == DimSet::EMPTY).then_some(None);
            let some = block != DimSet::EMPTY;
            let slides = slides.iter().map(Some).chain(plain).filter(move |_| some);
            slides.map(move |slide| Self { tensor: Some(tensor), slide })
        });
        let blocked = open.without(DimSet::of(&[Dim::G])) == DimSet::EMPTY;
        each.chain(blocked.then_some(Self { tensor: None, slide: None }))
    }
}

/// A bound before the loops to come have been told apart.
struct Partial {
    steps: f64,
    /// The steps in time that each dimension takes, if loops make more of them.
    lengths: Option<PerDim<u64>>,
    /// Padded outputs.
    outputs: f64,
    /// DRAM words / padded elements by tensor.
    shares: [f64; 3],
    /// Over all edges but the open ones.
    sum: Sum,
    /// Edges whose child's tile may stay in place through loops to come, as a bit set of their places in the rates.
    open: u64,
}

impl Partial {
    fn share(&self, edge: Edge) -> f64 {
        if edge.parent == 0 { self.shares[edge.tensor as usize] } else { 1.0 }
    }
}

/// Steps to come that the tensor depends on.
fn passes(tensor: Tensor, left: &PerDim<u64>) -> u64 {
    tensor.dims().iter().map(|dim| left[dim as usize]).product()
}

/// A lower bound, with the part that grows if the kept tensor is kept over fewer loops than hoped.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Least {
    pub(super) total: Ingredients,
    pub(super) kept: Option<Tensor>,
    pub(super) kept_pj: f64,
    pub(super) kept_dram_pj: f64,
    pub(super) kept_dram_words: f64,
}

/// What the loops at DRAM add to a bound.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extra {
    pub(super) pj: f64,
    /// The part of it on chip, whatever DRAM takes.
    pub(super) chip_pj: f64,
    pub(super) dram_words: f64,
}

impl Extra {
    /// Adds what `more` costs beyond `less`.
    fn add(&mut self, more: Flow, less: Flow) {
        self.pj += more.pj - less.pj;
        self.chip_pj += (more.pj - more.dram_pj) - (less.pj - less.dram_pj);
        self.dram_words += more.dram_words - less.dram_words;
    }
}

/// An edge to the middle level or to a level around it.
#[derive(Debug)]
struct Around {
    /// The place of the edge in the rates.
    edge: usize,
    /// The loops in space from the child to the middle level.
    inside: PerDim<u64>,
    /// All loops in space inside the child.
    lanes: PerDim<u64>,
}

/// The traffic over several edges.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    pj: f64,
    dram_pj: f64,
    dram_words: f64,
    middle_reads: f64,
    middle_writes: f64,
}

impl Sum {
    fn add(&mut self, edge: Edge, flow: Flow, middle: Option<usize>) {
        self.pj += flow.pj;
        self.dram_pj += flow.dram_pj;
        self.dram_words += flow.dram_words;
        if Some(edge.parent) == middle {
            self.middle_reads += flow.parent_reads;
            self.middle_writes += flow.parent_writes;
        } else if Some(edge.child) == middle {
            self.middle_reads += flow.child_reads;
            self.middle_writes += flow.child_writes;
        }
    }
}

/// Bounds under one choice of loops in space.
#[derive(Debug)]
pub(super) struct Floor<'a> {
    space: &'a Space<'a>,
    pub(super) rates: Vec<EdgeRates>,
    around: Vec<Around>,
    /// The product of the loops in space of each dimension.
    spatial: PerDim<u64>,
    /// The steps in time that each dimension takes, if residuals are exact.
    lengths: Option<PerDim<u64>>,
    /// The same product over the loops outside the middle level.
    above_middle: PerDim<u64>,
    touched: [f64; 3],
    mac_pj: f64,
    leak_pj_per_cycle: f64,
    middle_instances: f64,
}

impl<'a> Floor<'a> {
    pub(super) fn new(space: &'a Space<'a>, unrolled: &Unrolled) -> Self {
        let accel = space.accel;
        let above = Above::new(unrolled);
        let product = |levels: &[PerDim<u64>]| -> PerDim<u64> {
            std::array::from_fn(|dim| levels.iter().map(|level| level[dim]).product())
        };
        let nest = space.nest;
        let rates = EdgeRates::of(space, &above);
        let middle = space.middle.unwrap_or(0);
        let around = rates.iter().enumerate().filter(|(_, rates)| rates.edge.child <= middle);
        let around = around.map(|(edge, rates)| {
            let child = rates.edge.child;
            Around { edge, inside: product(&unrolled[child..middle]), lanes: product(&unrolled[child..]) }
        });
        let leaks = accel.storages().map(|(level, s)| s.leak_pj_per_cycle * above.instances[level]);
        Self {
            space,
            around: around.collect(),
            rates,
            spatial: product(unrolled),
            lengths: (accel.residuals == Residuals::Exact).then(|| {
                let spatial = product(unrolled);
                std::array::from_fn(|d| nest.bounds[d].div_ceil(spatial[d]))
            }),
            above_middle: product(&unrolled[..space.middle.unwrap_or(0)]),
            touched: Tensor::ALL.map(|tensor| touched_elements(nest, &nest.bounds, tensor) as f64),
            mac_pj: space.lowered.mac_pj(accel),
            leak_pj_per_cycle: leaks.sum(),
            middle_instances: space.middle.map_or(1.0, |level| above.instances[level]),
        }
    }

    /// The least of every ingredient for mappings with these loops in space, which leave `left` steps in time.
    pub(super) fn before_time(&self, left: &PerDim<u64>) -> Ingredients {
        self.least(&Flat::new(), self.space.accel.levels.len(), &[1; 8], left)
    }

    /// The least of every ingredient for mappings that complete `flat`, built inwards of and including `level`, with
    /// `inside` steps in time so far and `left` to come, whatever the loops to come keep in place.
    pub(super) fn least(
        &self,
        flat: &Flat,
        level: usize,
        inside: &PerDim<u64>,
        left: &PerDim<u64>,
    ) -> Ingredients {
        let mut partial = self.partial(flat, level, inside, left);
        for rates in self.open(partial.open) {
            let words = self.whatever_is_kept(flat, rates.edge, left, partial.lengths.as_ref());
            partial.sum.add(rates.edge, self.flow(rates, words, &partial), self.space.middle);
        }
        self.ingredients(partial.steps, &partial.sum)
    }

    /// Like [`Self::least`], for each [`Kept`] that the loops to come can choose.
    pub(super) fn least_by_choice(
        &self,
        flat: &Flat,
        level: usize,
        inside: &PerDim<u64>,
        left: &PerDim<u64>,
    ) -> impl Iterator<Item = Least> {
        let partial = self.partial(flat, level, inside, left);
        let all: u64 = left.iter().product();
        Kept::options(left, self.space.sliding).map(move |Kept { tensor, slide }| {
            let (mut sum, mut grows) = (partial.sum, Sum::default());
            for rates in self.open(partial.open) {
                let edge = rates.edge;
                let slide = slide.filter(|_| edge.tensor == Tensor::Inputs);
                let relevant = passes(edge.tensor, left);
                let each = self.open_words(flat, edge, slide, relevant, partial.lengths.as_ref());
                let kept = tensor == Some(edge.tensor);
                let words = (each * if kept { 1 } else { all / relevant }) as f64;
                sum.add(edge, self.flow(rates, words, &partial), self.space.middle);
                if kept {
                    grows.add(edge, rates.flow(words, 0.0, partial.share(edge)), None);
                }
            }
            let total = self.ingredients(partial.steps, &sum);
            Least {
                total,
                kept: tensor,
                kept_pj: grows.pj,
                kept_dram_pj: grows.dram_pj,
                kept_dram_words: grows.dram_words,
            }
        })
    }

    /// The part of the bound that does not depend on the order of the loops to come.
    fn partial(&self, flat: &Flat, level: usize, inside: &PerDim<u64>, left: &PerDim<u64>) -> Partial {
        let nest = self.space.nest;
        let time: PerDim<u64> = std::array::from_fn(|d| inside[d] * left[d]);
        let lengths = self.lengths.filter(|&lengths| lengths != time);
        let time = lengths.unwrap_or(time);
        let padded: PerDim<u64> = std::array::from_fn(|d| self.spatial[d] * time[d]);
        let all: u64 = left.iter().product();
        let mut partial = Partial {
            steps: time.iter().product::<u64>() as f64,
            lengths,
            outputs: tile_elements(nest, &padded, Tensor::Outputs) as f64,
            shares: self.real_shares(&padded),
            sum: Sum { pj: self.mac_pj, ..Sum::default() },
            open: 0,
        };
        for (index, rates) in self.rates.iter().enumerate() {
            let edge = rates.edge;
            let flow = if edge.child < level {
                self.once(rates)
            } else if edge.child == self.space.accel.levels.len() {
                self.flow(rates, partial.steps, &partial)
            } else {
                let (Fills { least, settled, .. }, all) = match &lengths {
                    Some(lengths) => (flat.fills_exactly(nest, edge, lengths), 1),
                    None => (flat.fills_so_far(nest, edge), all),
                };
                if !settled {
                    partial.open |= 1 << index;
                    continue;
                }
                self.flow(rates, (least * all) as f64, &partial)
            };
            partial.sum.add(edge, flow, self.space.middle);
        }
        partial
    }

    /// Steps of the layer, where loops in time make `padded` of them.
    pub(super) fn steps(&self, padded: f64) -> f64 {
        self.lengths.map_or(padded, |lengths| lengths.iter().product::<u64>() as f64)
    }

    /// The edges in a bit set of their places.
    fn open(&self, bits: u64) -> impl Iterator<Item = &EdgeRates> {
        self.rates.iter().enumerate().filter(move |(index, _)| bits >> index & 1 == 1).map(|(_, rates)| rates)
    }

    fn flow(&self, rates: &EdgeRates, words: f64, partial: &Partial) -> Flow {
        rates.flow(words, partial.outputs * rates.parent_copies, partial.share(rates.edge))
    }

    /// Words that an instance of an unsettled child is filled with if each tensor is kept in place by the loops to come.
    fn whatever_is_kept(
        &self,
        flat: &Flat,
        edge: Edge,
        left: &PerDim<u64>,
        lengths: Option<&PerDim<u64>>,
    ) -> f64 {
        let sliding = match edge.tensor {
            Tensor::Inputs => self.space.sliding,
            Tensor::Weights | Tensor::Outputs => DimSet::EMPTY,
        };
        let relevant = passes(edge.tensor, left);
        let words = |slide| self.open_words(flat, edge, slide, relevant, lengths);
        let slides = sliding.iter().filter(|&dim| left[dim as usize] > 1);
        let least = slides.map(|dim| words(Some(dim))).min();
        least.unwrap_or_else(|| words(None)) as f64
    }

    /// Words that an instance of an unsettled child is filled with if it is filled once in each of the `relevant` steps to
    /// come that its tensor depends on, its window sliding along one dimension.
    fn open_words(
        &self,
        flat: &Flat,
        edge: Edge,
        slide: Option<Dim>,
        relevant: u64,
        lengths: Option<&PerDim<u64>>,
    ) -> u64 {
        let nest = self.space.nest;
        let Some(lengths) = lengths else {
            let tile = slide.map_or_else(|| flat.tile(nest, edge), |dim| flat.slide(nest, edge, dim));
            return tile * relevant;
        };
        let grid = flat.grid(edge.child, lengths);
        let found = slide.map_or(0, |dim| {
            let steps = lengths[dim as usize].div_ceil(flat.steps_of(dim)) - 1;
            steps * grid.overlap(nest, dim, flat.padded_bounds()[dim as usize])
        });
        grid.elements(nest, edge.tensor) - found
    }

    fn ingredients(&self, steps: f64, sum: &Sum) -> Ingredients {
        Ingredients {
            steps: self.space.lowered.working(steps),
            on_chip_cycles: self.middle_cycles(sum.middle_reads, sum.middle_writes),
            port_cycles: 0.0,
            dram_words: sum.dram_words,
            dynamic_pj: sum.pj,
            dram_pj: sum.dram_pj,
            leak_pj_per_cycle: self.leak_pj_per_cycle,
        }
    }

    /// Every touched element once per copy.
    fn once(&self, rates: &EdgeRates) -> Flow {
        self.again(rates, 1.0)
    }

    /// Every touched element so many times per copy.
    pub(super) fn again(&self, rates: &EdgeRates, times: f64) -> Flow {
        let elements = self.touched[rates.edge.tensor as usize];
        let first_writes = elements * rates.parent_copies;
        let scale =
            if rates.edge.parent == 0 { self.space.lowered.dram_share(rates.edge.tensor) } else { 1.0 };
        rates.flow(first_writes * times * rates.sharing / rates.child_instances, first_writes, scale)
    }

    /// DRAM words / padded elements by tensor.
    fn real_shares(&self, padded: &PerDim<u64>) -> [f64; 3] {
        let lowered = self.space.lowered;
        if *padded == self.space.nest.bounds {
            return Tensor::ALL.map(|tensor| lowered.dram_share(tensor));
        }
        Tensor::ALL.map(|tensor| {
            let (real, padded) = real_share(self.space.nest, padded, tensor);
            real as f64 / padded as f64 * lowered.dram_share(tensor)
        })
    }

    /// What the loops over `dram` outside the middle tile of extents `tile` add at least to [`Self::least`], which
    /// counts every element that enters the middle level once. Where the tile may yet be divided further (`open`), a
    /// strided window counts what it touches only: smaller tiles may leave out what lies between.
    pub(super) fn above_middle(&self, tile: &PerDim<u64>, dram: &PerDim<u64>, open: bool) -> Extra {
        let nest = self.space.nest;
        let lengths = self.lengths.as_ref();
        let padded: PerDim<u64> = std::array::from_fn(|d| match lengths {
            Some(lengths) => self.spatial[d] * lengths[d],
            None => tile[d] * dram[d] * self.above_middle[d],
        });
        let outputs = tile_elements(nest, &padded, Tensor::Outputs) as f64;
        let all: u64 = dram.iter().product();
        let shares = self.real_shares(&padded);
        let (mut extra, mut saved) = (Extra::default(), [Extra::default(); 3]);
        for around in &self.around {
            let (rates, tensor) = (&self.rates[around.edge], self.rates[around.edge].edge.tensor);
            let tile: PerDim<u64> = std::array::from_fn(|d| tile[d] * around.inside[d]);
            let passes: u64 = tensor.dims().iter().map(|dim| dram[dim as usize]).product();
            let mut words = match lengths {
                Some(lengths) => self.window_fills_exactly(tensor, &tile, dram, around, lengths),
                None => self.window_fills(tensor, &tile, dram, passes),
            };
            if open {
                let covered: PerDim<u64> = std::array::from_fn(|d| match lengths {
                    Some(lengths) => lengths[d] * around.lanes[d],
                    None => tile[d] * dram[d],
                });
                words = words.min(touched_elements(nest, &covered, tensor));
            }
            let share = if rates.edge.parent == 0 { shares[tensor as usize] } else { 1.0 };
            let flow = |words: f64| rates.flow(words, outputs * rates.parent_copies, share);
            let (once, kept) = (self.once(rates), flow(words as f64));
            let anew = flow((words * (all / passes)) as f64);
            extra.add(anew, once);
            saved[tensor as usize].add(anew, kept);
        }
        // One tensor at most stays in place, for each sum the one that saves the most of it.
        let most = |of: fn(&Extra) -> f64| saved.iter().map(of).fold(0.0, f64::max);
        Extra {
            pj: (extra.pj - most(|e| e.pj)).max(0.0),
            chip_pj: (extra.chip_pj - most(|e| e.chip_pj)).max(0.0),
            dram_words: (extra.dram_words - most(|e| e.dram_words)).max(0.0),
        }
    }

    /// Fills of the middle level, an input window sliding along the best of the loops around it.
    fn window_fills(&self, tensor: Tensor, tile: &PerDim<u64>, dram: &PerDim<u64>, passes: u64) -> u64 {
        let nest = self.space.nest;
        let whole = tile_elements(nest, tile, tensor);
        let slides =
            self.space.sliding.iter().filter(|&dim| tensor == Tensor::Inputs && dram[dim as usize] > 1);
        let sliding = slides.map(|dim| {
            let bound = dram[dim as usize];
            let new = new_elements(nest, tile, tensor, dim, tile[dim as usize]).unwrap_or(whole);
            (whole + (bound - 1) * new) * (passes / bound)
        });
        sliding.min().unwrap_or(u64::MAX).min(whole * passes)
    }

    /// The same where the last tile is shorter.
    fn window_fills_exactly(
        &self,
        tensor: Tensor,
        tile: &PerDim<u64>,
        dram: &PerDim<u64>,
        around: &Around,
        lengths: &PerDim<u64>,
    ) -> u64 {
        let nest = self.space.nest;
        let sums = std::array::from_fn(|d| lengths[d] * around.lanes[d]);
        let grid = Grid { tiles: *dram, sums, extent: *tile };
        let words = grid.elements(nest, tensor);
        if tensor != Tensor::Inputs {
            return words;
        }
        let slides = self.space.sliding.iter().filter(|&dim| dram[dim as usize] > 1);
        let found = slides.map(|dim| (dram[dim as usize] - 1) * grid.overlap(nest, dim, tile[dim as usize]));
        words - found.max().unwrap_or(0)
    }

    fn middle_cycles(&self, reads: f64, writes: f64) -> f64 {
        let Some(Level::Storage(middle)) = self.space.middle.map(|level| &self.space.accel.levels[level])
        else {
            return 0.0;
        };
        let cycles = |words: f64, bandwidth: Option<f64>| {
            bandwidth.map_or(0.0, |bandwidth| words / self.middle_instances / bandwidth)
        };
        cycles(reads, middle.read_bandwidth_words_per_cycle)
            .max(cycles(writes, middle.write_bandwidth_words_per_cycle))
            .max(cycles(reads + writes, middle.shared_bandwidth_words_per_cycle))
    }
}
