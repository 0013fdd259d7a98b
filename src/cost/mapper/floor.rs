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
use crate::cost::access::{Edge, Fills, Flat, new_elements, real_share, touched_elements};
use crate::dims::{Dim, DimSet, PerDim, Tensor};
use crate::hw::Level;
use crate::workload::layer::tile_elements;

/// What the innermost loop to come does for the tensors that depend on no loop yet.
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

/// Fills of one child instance.
struct FillsBound {
    words: f64,
    /// Whether they rely on the tensor being kept in place by loops to come.
    kept: bool,
}

/// A lower bound, with the part that grows if the kept tensor is kept over fewer loops than hoped.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Least {
    pub(super) total: Ingredients,
    pub(super) kept: Option<Tensor>,
    pub(super) kept_pj: f64,
    pub(super) kept_dram_words: f64,
}

/// What loops at DRAM add to a bound.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extra {
    pub(super) pj: f64,
    pub(super) dram_words: f64,
}

/// What moves over several edges.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    pj: f64,
    dram_words: f64,
    middle_reads: f64,
    middle_writes: f64,
}

impl Sum {
    fn add(&mut self, edge: Edge, flow: Flow, middle: Option<usize>) {
        self.pj += flow.pj;
        self.dram_words += flow.dram_words;
        if Some(edge.parent) == middle {
            self.middle_reads += flow.parent_reads;
            self.middle_writes += flow.parent_writes;
        } else if Some(edge.child) == middle {
            self.middle_writes += flow.child_writes;
        }
    }
}

/// Bounds under one choice of loops in space.
#[derive(Debug)]
pub(super) struct Floor<'a> {
    space: &'a Space<'a>,
    rates: Vec<EdgeRates>,
    /// The product of the loops in space of each dimension.
    spatial: PerDim<u64>,
    /// The same of those outside the middle level.
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
        let leaks = accel.storages().map(|(level, s)| s.leak_pj_per_cycle * above.instances[level]);
        Self {
            space,
            rates: EdgeRates::of(space, &above),
            spatial: product(unrolled),
            above_middle: product(&unrolled[..space.middle.unwrap_or(0)]),
            touched: Tensor::ALL.map(|tensor| touched_elements(nest, &nest.bounds, tensor) as f64),
            mac_pj: nest.macs().0 as f64 * accel.mac.energy_pj,
            leak_pj_per_cycle: leaks.sum(),
            middle_instances: space.middle.map_or(1.0, |level| above.instances[level]),
        }
    }

    /// The least of every ingredient for mappings that complete `flat`, built inwards of and including `level`, with
    /// `inside` steps in time so far and `left` to come; `kept` is `None` where no choice has been made yet.
    pub(super) fn least(
        &self,
        flat: &Flat,
        level: usize,
        inside: &PerDim<u64>,
        left: &PerDim<u64>,
        kept: Option<Kept>,
    ) -> Least {
        let padded: PerDim<u64> = std::array::from_fn(|d| self.spatial[d] * inside[d] * left[d]);
        let steps = inside.iter().chain(left).product::<u64>() as f64;
        let outputs = tile_elements(self.space.nest, &padded, Tensor::Outputs) as f64;
        let mut sum = Sum { pj: self.mac_pj, ..Sum::default() };
        let mut grows = Sum::default();
        for rates in &self.rates {
            let edge = rates.edge;
            if edge.child < level {
                sum.add(edge, self.once(rates), self.space.middle);
                continue;
            }
            let fills = match edge.child == self.space.accel.levels.len() {
                true => FillsBound { words: steps, kept: false },
                false => self.fills(flat, edge, left, kept),
            };
            let share = self.real_share(edge, &padded);
            let flow = rates.flow(fills.words, outputs * rates.parent_copies, share);
            sum.add(edge, flow, self.space.middle);
            if fills.kept {
                grows.add(edge, rates.flow(fills.words, 0.0, share), None);
            }
        }
        let total = Ingredients {
            steps,
            on_chip_cycles: self.middle_cycles(sum.middle_reads, sum.middle_writes),
            port_cycles: 0.0,
            dram_words: sum.dram_words,
            dynamic_pj: sum.pj,
            leak_pj_per_cycle: self.leak_pj_per_cycle,
        };
        let kept = kept.and_then(|kept| kept.tensor);
        Least { total, kept, kept_pj: grows.pj, kept_dram_words: grows.dram_words }
    }

    /// Every touched element once per copy.
    fn once(&self, rates: &EdgeRates) -> Flow {
        let elements = self.touched[rates.edge.tensor as usize];
        let first_writes = elements * rates.parent_copies;
        rates.flow(first_writes * rates.sharing / rates.child_instances, first_writes, 1.0)
    }

    /// Fills of one child instance in the built part.
    fn fills(&self, flat: &Flat, edge: Edge, left: &PerDim<u64>, kept: Option<Kept>) -> FillsBound {
        let nest = self.space.nest;
        let all: u64 = left.iter().product();
        let Fills { words, least, settled } = flat.fills_so_far(nest, edge);
        if settled {
            return FillsBound { words: (least * all) as f64, kept: false };
        }
        let depends = || edge.tensor.dims().iter().map(|dim| left[dim as usize]).product::<u64>();
        let Some(Kept { tensor, slide }) = kept else {
            let slides = Dim::ALL.into_iter().filter(|&dim| left[dim as usize] > 1);
            let least = slides.map(|dim| flat.slide(nest, edge, dim)).min().unwrap_or(words);
            return FillsBound { words: (least.min(words) * depends()) as f64, kept: false };
        };
        let words = slide.map_or(words, |dim| flat.slide(nest, edge, dim));
        let kept = tensor == Some(edge.tensor);
        let passes = if kept { depends() } else { all };
        FillsBound { words: (words * passes) as f64, kept }
    }

    /// Real / padded elements of a tensor that comes from DRAM.
    fn real_share(&self, edge: Edge, padded: &PerDim<u64>) -> f64 {
        if edge.parent > 0 || *padded == self.space.nest.bounds {
            return 1.0;
        }
        let (real, padded) = real_share(self.space.nest, padded, edge.tensor);
        real as f64 / padded as f64
    }

    /// What the loops over `dram` outside the middle tile of extents `tile` add at least to [`Self::least`], which
    /// counts every element that enters the middle level once. Where the tile may yet be divided further (`open`), a
    /// strided window counts what it touches only: smaller tiles may leave out what lies between.
    pub(super) fn above_middle(&self, tile: &PerDim<u64>, dram: &PerDim<u64>, open: bool) -> Extra {
        let nest = self.space.nest;
        let covered: PerDim<u64> = std::array::from_fn(|d| tile[d] * dram[d]);
        let padded: PerDim<u64> = std::array::from_fn(|d| covered[d] * self.above_middle[d]);
        let outputs = tile_elements(nest, &padded, Tensor::Outputs) as f64;
        let all: u64 = dram.iter().product();
        let (mut pj, mut dram_words) = (0.0, 0.0);
        let (mut saved_pj, mut saved_words) = (0.0f64, 0.0f64);
        for rates in self.rates.iter().filter(|rates| Some(rates.edge.child) == self.space.middle) {
            let tensor = rates.edge.tensor;
            let passes: u64 = tensor.dims().iter().map(|dim| dram[dim as usize]).product();
            let mut words = self.window_fills(tensor, tile, dram, passes);
            if open {
                words = words.min(touched_elements(nest, &covered, tensor));
            }
            let share = self.real_share(rates.edge, &padded);
            let flow = |words: f64| rates.flow(words, outputs * rates.parent_copies, share);
            let (once, kept) = (self.once(rates), flow(words as f64));
            let anew = flow((words * (all / passes)) as f64);
            pj += anew.pj - once.pj;
            dram_words += anew.dram_words - once.dram_words;
            saved_pj = saved_pj.max(anew.pj - kept.pj);
            saved_words = saved_words.max(anew.dram_words - kept.dram_words);
        }
        Extra { pj: (pj - saved_pj).max(0.0), dram_words: (dram_words - saved_words).max(0.0) }
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
