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
use super::space::{Space, Unrolled};
use crate::cost::access::{Edge, Fills, Flat, new_elements, touched_elements};
use crate::dims::{Dim, DimSet, PerDim, Tensor};
use crate::hw::accel::MAX_LEVELS;
use crate::hw::{AccelSpec, Level, Storage};
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

/// The rates of one edge under one choice of loops in space.
#[derive(Clone, Copy, Debug)]
struct EdgeRates {
    edge: Edge,
    child_instances: f64,
    /// Children served by one parent access.
    sharing: f64,
    /// Loops in space above the parent that the tensor does not depend on.
    parent_copies: f64,
    child_write_pj: f64,
    parent_read_pj: f64,
    parent_update_pj: f64,
}

/// Fills of one child instance.
struct FillsBound {
    words: f64,
    /// Whether they rely on the tensor being kept in place by loops to come.
    kept: bool,
}

/// Products of the loops in space above each level.
struct Above {
    instances: [f64; MAX_LEVELS + 1],
    /// Those of dimensions that each tensor does not depend on.
    copies: [[f64; 3]; MAX_LEVELS + 1],
}

impl Above {
    fn new(unrolled: &Unrolled) -> Self {
        let mut above = Self { instances: [1.0; MAX_LEVELS + 1], copies: [[1.0; 3]; MAX_LEVELS + 1] };
        for (level, bounds) in unrolled.iter().enumerate() {
            above.instances[level + 1] = above.instances[level];
            above.copies[level + 1] = above.copies[level];
            for dim in Dim::ALL.into_iter().filter(|&dim| bounds[dim as usize] > 1) {
                let bound = bounds[dim as usize] as f64;
                above.instances[level + 1] *= bound;
                for tensor in Tensor::ALL.into_iter().filter(|tensor| !tensor.dims().has(dim)) {
                    above.copies[level + 1][tensor as usize] *= bound;
                }
            }
        }
        above
    }

    /// The share of the used instances that pays for accesses.
    fn charged(&self, accel: &AccelSpec, level: usize, storage: &Storage) -> f64 {
        match storage.cluster_size {
            1 => 1.0,
            size => (((accel.instances_below(level) / size).max(1)) as f64 / self.instances[level]).min(1.0),
        }
    }
}

/// What moves over an edge.
#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    pj: f64,
    dram_words: f64,
    parent_reads: f64,
    parent_writes: f64,
    child_writes: f64,
}

impl EdgeRates {
    /// `words`: fills of each child instance; `first_writes`: outputs over all parents; `scale`: real / padded at DRAM.
    fn flow(&self, words: f64, first_writes: f64, scale: f64) -> Flow {
        let moved = words * self.child_instances;
        let asked = moved / self.sharing;
        let at_parent = if self.edge.parent == 0 { scale } else { 1.0 };
        let (updates, reads, fills) = match self.edge.tensor {
            Tensor::Outputs => (asked, asked - first_writes, (asked - first_writes) * self.sharing),
            Tensor::Weights | Tensor::Inputs => (0.0, asked, moved),
        };
        let (updates, reads) = (updates * at_parent, reads.max(0.0) * at_parent);
        Flow {
            pj: updates * self.parent_update_pj
                + reads * self.parent_read_pj
                + fills.max(0.0) * self.child_write_pj,
            dram_words: if self.edge.parent == 0 { updates + reads } else { 0.0 },
            parent_reads: reads,
            parent_writes: updates,
            child_writes: fills.max(0.0),
        }
    }
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

/// Bounds under one choice of loops in space.
#[derive(Debug)]
pub(super) struct Floor<'a> {
    space: &'a Space<'a>,
    rates: Vec<EdgeRates>,
    /// The product of the loops in space of each dimension.
    spatial: PerDim<u64>,
    touched: [f64; 3],
    mac_pj: f64,
    leak_pj_per_cycle: f64,
    middle_instances: f64,
}

impl<'a> Floor<'a> {
    pub(super) fn new(space: &'a Space<'a>, unrolled: &Unrolled) -> Self {
        let accel = space.accel;
        let above = Above::new(unrolled);
        let pj = |level: usize, energy: fn(&Storage) -> f64| match accel.levels.get(level) {
            Some(Level::Storage(storage)) => {
                energy(storage) / storage.words_per_access() * above.charged(accel, level, storage)
            }
            _ => 0.0,
        };
        let rates = space.edges.iter().map(|&edge| {
            let copies = |level: usize| above.copies[level][edge.tensor as usize];
            EdgeRates {
                edge,
                child_instances: above.instances[edge.child],
                sharing: copies(edge.child) / copies(edge.parent),
                parent_copies: copies(edge.parent),
                child_write_pj: pj(edge.child, |s| s.write_pj_per_access),
                parent_read_pj: pj(edge.parent, |s| s.read_pj_per_access),
                parent_update_pj: pj(edge.parent, |s| s.update_pj_per_access),
            }
        });
        let nest = space.nest;
        let leaks = accel.storages().map(|(level, s)| s.leak_pj_per_cycle * above.instances[level]);
        Self {
            space,
            rates: rates.collect(),
            spatial: std::array::from_fn(|dim| unrolled.iter().map(|level| level[dim]).product()),
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
        let steps: u64 = inside.iter().chain(left).product();
        let outputs: u64 = Tensor::Outputs.dims().iter().map(|dim| padded[dim as usize]).product();
        let mut least = Least { kept: kept.and_then(|kept| kept.tensor), ..Least::default() };
        let mut pj = self.mac_pj;
        let (mut dram_words, mut reads, mut writes) = (0.0, 0.0, 0.0);
        for rates in &self.rates {
            let edge = rates.edge;
            let flow = if edge.child < level {
                self.once(rates)
            } else {
                let fills = match edge.child == self.space.accel.levels.len() {
                    true => FillsBound { words: steps as f64, kept: false },
                    false => self.fills(flat, edge, left, kept),
                };
                let flow = rates.flow(
                    fills.words,
                    outputs as f64 * rates.parent_copies,
                    self.real_share(edge, &padded),
                );
                if fills.kept {
                    let grows = rates.flow(fills.words, 0.0, self.real_share(edge, &padded));
                    least.kept_pj += grows.pj;
                    least.kept_dram_words += grows.dram_words;
                }
                flow
            };
            pj += flow.pj;
            dram_words += flow.dram_words;
            if Some(edge.parent) == self.space.middle {
                reads += flow.parent_reads;
                writes += flow.parent_writes;
            } else if Some(edge.child) == self.space.middle {
                writes += flow.child_writes;
            }
        }
        least.total = Ingredients {
            steps: steps as f64,
            on_chip_cycles: self.middle_cycles(reads, writes),
            port_cycles: 0.0,
            dram_words,
            dynamic_pj: pj,
            leak_pj_per_cycle: self.leak_pj_per_cycle,
        };
        least
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
        self.touched[edge.tensor as usize] / touched_elements(self.space.nest, padded, edge.tensor) as f64
    }

    /// What the loops over `dram` outside the middle tile of extents `tile` add at least to [`Self::least`], which
    /// counts every element that enters the middle level once. Where the tile may yet be divided further (`open`), a
    /// strided window counts what it touches only: smaller tiles may leave out what lies between.
    pub(super) fn above_middle(&self, tile: &PerDim<u64>, dram: &PerDim<u64>, open: bool) -> Extra {
        let padded: PerDim<u64> = std::array::from_fn(|d| tile[d] * dram[d]);
        let all: u64 = dram.iter().product();
        let mut extra = Extra::default();
        let mut saved_pj: f64 = 0.0;
        let mut saved_words: f64 = 0.0;
        for rates in self.rates.iter().filter(|rates| Some(rates.edge.child) == self.space.middle) {
            let tensor = rates.edge.tensor;
            let passes: u64 = tensor.dims().iter().map(|dim| dram[dim as usize]).product();
            let mut words = self.window_fills(tensor, tile, dram, passes);
            if open {
                words = words.min(touched_elements(self.space.nest, &padded, tensor));
            }
            let words = words as f64;
            let outputs =
                tile_elements(self.space.nest, &padded, Tensor::Outputs) as f64 * rates.parent_copies;
            let flow = |words: f64| rates.flow(words, outputs, self.real_share(rates.edge, &padded));
            let (once, kept) = (self.once(rates), flow(words));
            let anew = flow(words * (all / passes) as f64);
            extra.pj += anew.pj - once.pj;
            extra.dram_words += anew.dram_words - once.dram_words;
            saved_pj = saved_pj.max(anew.pj - kept.pj);
            saved_words = saved_words.max(anew.dram_words - kept.dram_words);
        }
        Extra { pj: (extra.pj - saved_pj).max(0.0), dram_words: (extra.dram_words - saved_words).max(0.0) }
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
