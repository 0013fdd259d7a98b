//! Access counting: how often each level reads, fills and updates each tensor under a given mapping.
//!
//! The conventions are Timeloop's (Parashar et al., ISPASS 2019), as checked on its own results:
//!
//! - A level's **tile** is the projection of its own loops and all inside it. The **child** of a level is the next level
//!   inwards that keeps the tensor; the innermost child is the MAC, which stores nothing and asks for one word of
//!   each tensor in each step.
//! - **Fills** of a child = tile x the product of the temporal loops above it, from the outermost down to the
//!   innermost one that the tensor depends on: loops inside that one find the tile in place.
//! - **Sliding windows**: where that innermost loop runs over P, Q, R or S (bound b), the input tile moves by `shift`
//!   along one axis and only what is new is filled: full + (b - 1) new, with new = min(full, shift) along that axis.
//!   Directly nested loops of one dimension slide on as one while every inner one has bound 2; otherwise, and where
//!   another loop in time stands between them, each outer step starts afresh. A step across a loop in space between them
//!   reaches further than the window slides: it is filled with what is new there.
//! - **Multicast and reduction**: loops in space that the tensor does not depend on let one parent access serve
//!   several children, or several children's partial sums merge into one update. Halos of neighbours are not shared.
//! - **Outputs**: parent updates = child drains / reduction; reads = updates - first writes (a first write needs no
//!   partial sum), child fills = reads x reduction. A drain is not counted as a read of the child.
//!
//! - **Residuals**: a factor in time that does not divide pads its dimension, or the last step is counted as short as it is
//!   ([`Residuals`](crate::hw::Residuals), [`grid`]). A level reads the sums that it drains if its `drain_reads` says so.
//!
//! Left out: the words that a level really still holds after its window moved on (the conventions may over-count, but
//! never under-count). A padded (ceil) factor counts padded words everywhere except at DRAM, which holds only the real
//! tensor: its words are scaled by real / padded elements, and by what lowering makes of an element. Counts are words, summed over used instances.

mod elements;
mod grid;
#[cfg(test)]
mod twin;

pub use elements::touched_elements;
pub(super) use elements::{new_elements, real_share};
pub(super) use grid::Grid;

use super::lowering::Lowered;
use super::mapping::{Loop, MAX_LOOPS, Mapping};
use crate::dims::{Dim, PerDim, Tensor};
use crate::hw::{AccelSpec, MAX_LEVELS};
use crate::workload::{LoopNest, tile_elements};

/// Words that one level moves of one tensor, over all used instances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accesses {
    /// Words read for the child.
    pub reads: u64,
    /// Words filled from the parent.
    pub fills: u64,
    /// Words updated by the child (partial and final sums).
    pub updates: u64,
}

/// Accesses by level and [`Tensor`].
pub(super) type Counts = [[Accesses; 3]; MAX_LEVELS];

/// Consecutive levels that keep a tensor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub(super) tensor: Tensor,
    pub(super) parent: usize,
    /// Index of the child level; the index after the last level stands for the MAC.
    pub(super) child: usize,
    /// Whether the child reads what it drains to the parent.
    pub(super) drain_reads: bool,
}

/// All edges of an accelerator, by tensor, from DRAM inwards.
pub(super) fn edges(accel: &AccelSpec) -> Vec<Edge> {
    let mut edges = Vec::new();
    for tensor in Tensor::ALL {
        let mut parent = 0;
        for (child, storage) in accel.storages().filter(|&(child, s)| child > 0 && s.keeps[tensor as usize]) {
            let drain_reads = tensor == Tensor::Outputs && storage.drain_reads;
            edges.push(Edge { tensor, parent, child, drain_reads });
            parent = child;
        }
        edges.push(Edge { tensor, parent, child: accel.levels.len(), drain_reads: false });
    }
    edges
}

/// Words that one instance of a child is filled with per pass of the loops still to come outside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fills {
    pub(super) words: u64,
    /// The least that the fills can become if a window slides on into the loops to come.
    pub(super) least: u64,
    /// Whether a loop that the tensor depends on already stands outside the child, so that every pass of the loops to
    /// come fills it anew.
    pub(super) settled: bool,
}

#[derive(Clone, Copy, Debug)]
struct FlatLoop {
    dim: Dim,
    bound: u64,
    /// The extent of the dimension that one step of this loop advances.
    inside: u64,
}

/// A mapping without allocation: its loops above 1 from the innermost outwards, and what each level sees of them.
/// Built from the inside out, level by level; the search cuts it back to a level and builds on.
#[derive(Clone, Debug)]
pub(super) struct Flat {
    loops: [FlatLoop; MAX_LOOPS],
    len: usize,
    extent: PerDim<u64>,
    unrolled: Unrolled,
    levels: [AtLevel; MAX_LEVELS + 1],
}

/// The loops at and inside a level.
#[derive(Clone, Copy, Debug)]
struct AtLevel {
    loops: usize,
    extent: PerDim<u64>,
    /// The level's own loops in space.
    unrolled: Unrolled,
}

/// Products of the loops in space of one level.
#[derive(Clone, Copy, Debug)]
struct Unrolled {
    all: u64,
    /// For each tensor, the product over the dimensions that it does not depend on.
    shared: [u64; 3],
    /// For each tensor, the product over the dimensions that it depends on.
    relevant: [u64; 3],
}

impl Unrolled {
    const NONE: Self = Self { all: 1, shared: [1; 3], relevant: [1; 3] };
}

const MAC_ALONE: AtLevel = AtLevel { loops: 0, extent: [1; 8], unrolled: Unrolled::NONE };

/// Used instances by level.
pub(super) type Instances = [u64; MAX_LEVELS + 1];

impl Flat {
    /// The empty nest inside the innermost of `levels` levels.
    pub(super) fn new() -> Self {
        let idle = FlatLoop { dim: Dim::N, bound: 1, inside: 1 };
        Self {
            loops: [idle; MAX_LOOPS],
            len: 0,
            extent: [1; 8],
            unrolled: Unrolled::NONE,
            levels: [MAC_ALONE; MAX_LEVELS + 1],
        }
    }

    /// The flat form of a mapping of the right shape ([`Mapping::check_shape`]).
    pub(super) fn of(mapping: &Mapping) -> Self {
        let mut flat = Self::new();
        for (index, level) in mapping.levels.iter().enumerate().rev() {
            for each in level.spatial.iter().flatten() {
                flat.push_spatial(each.dim, each.bound);
            }
            for each in level.temporal.iter().rev() {
                flat.push_temporal(each.dim, each.bound);
            }
            flat.close(index);
        }
        flat
    }

    /// Adds a temporal loop outside all others.
    pub(super) fn push_temporal(&mut self, dim: Dim, bound: u64) {
        if bound > 1 {
            self.loops[self.len] = FlatLoop { dim, bound, inside: self.extent[dim as usize] };
            self.len += 1;
            self.extent[dim as usize] *= bound;
        }
    }

    /// Unrolls a dimension outside all other loops.
    pub(super) fn push_spatial(&mut self, dim: Dim, bound: u64) {
        self.extent[dim as usize] *= bound;
        self.unrolled.all *= bound;
        for tensor in Tensor::ALL {
            let depends = tensor.dims().has(dim);
            let product = if depends { &mut self.unrolled.relevant } else { &mut self.unrolled.shared };
            product[tensor as usize] *= bound;
        }
    }

    /// Completes the loops of `level`.
    pub(super) fn close(&mut self, level: usize) {
        let Self { len: loops, extent, unrolled, .. } = *self;
        self.levels[level] = AtLevel { loops, extent, unrolled };
        self.unrolled = Unrolled::NONE;
    }

    /// Cuts all loops outside `level` (its own and those inside it stay).
    pub(super) fn reopen(&mut self, level: usize) {
        let AtLevel { loops, extent, .. } = self.levels[level];
        (self.len, self.extent, self.unrolled) = (loops, extent, Unrolled::NONE);
    }

    /// The temporal loops of `level`, outermost first.
    pub(super) fn temporal(&self, level: usize) -> impl Iterator<Item = Loop> {
        let inner = self.levels[level + 1].loops;
        let loops = &self.loops[inner..self.levels[level].loops];
        loops.iter().rev().map(|each| Loop { dim: each.dim, bound: each.bound })
    }

    /// Whether a temporal loop at or inside `level` and outside `child` runs over a dimension of the tensor.
    pub(super) fn depends_between(&self, level: usize, child: usize, tensor: Tensor) -> bool {
        let loops = &self.loops[self.levels[child].loops..self.levels[level].loops];
        loops.iter().any(|each| tensor.dims().has(each.dim))
    }

    /// The extents of all loops at and inside `level`.
    pub(super) fn extent(&self, level: usize) -> &PerDim<u64> {
        &self.levels[level].extent
    }

    /// The extents of all loops so far.
    pub(super) fn padded_bounds(&self) -> &PerDim<u64> {
        &self.extent
    }

    /// Used instances of each level and of the MAC: all loops in space outside it.
    pub(super) fn instances(&self, mac_level: usize) -> Instances {
        let mut instances = [1; MAX_LEVELS + 1];
        for level in 0..mac_level {
            instances[level + 1] = instances[level] * self.levels[level].unrolled.all;
        }
        instances
    }

    /// Steps: the product of all temporal loops.
    pub(super) fn steps(&self) -> u64 {
        self.loops[..self.len].iter().map(|each| each.bound).product()
    }

    /// Steps in time by dimension of the innermost `loops` loops.
    fn time(&self, loops: usize) -> PerDim<u64> {
        let mut time = [1; 8];
        self.loops[..loops].iter().for_each(|each| time[each.dim as usize] *= each.bound);
        time
    }

    /// Steps in time of one dimension so far.
    pub(super) fn steps_of(&self, dim: Dim) -> u64 {
        self.loops[..self.len].iter().filter(|each| each.dim == dim).map(|each| each.bound).product()
    }

    /// Steps in time that the dimensions of `nest` really take, if that is less than the loops make of them.
    pub(super) fn lengths(&self, nest: &LoopNest) -> Option<PerDim<u64>> {
        if self.extent == nest.bounds {
            return None;
        }
        let time = self.time(self.len);
        let lengths = std::array::from_fn(|d| nest.bounds[d].div_ceil(self.extent[d] / time[d]));
        (lengths != time).then_some(lengths)
    }

    /// Words that one instance of a storage child is filled with by the loops so far, and what loops still to come outside
    /// may change.
    pub(super) fn fills_so_far(&self, nest: &LoopNest, edge: Edge) -> Fills {
        let AtLevel { loops: inner, extent, .. } = &self.levels[edge.child];
        let tile = tile_elements(nest, extent, edge.tensor);
        let outer = &self.loops[*inner..self.len];
        let relevant = edge.tensor.dims();
        let Some(first) = outer.iter().position(|each| relevant.has(each.dim)) else {
            return Fills { words: tile, least: tile, settled: false };
        };
        let times = |loops: &[FlatLoop]| loops.iter().map(|each| each.bound).product::<u64>();
        let FlatLoop { dim, inside, bound } = outer[first];
        let Some(new) = new_elements(nest, extent, edge.tensor, dim, inside) else {
            let words = tile * times(&outer[first..]);
            return Fills { words, least: words, settled: true };
        };
        // What slides in after the first tile, and how far from it the last one is.
        let (mut slid, mut reach, mut last) = ((bound - 1) * new, (bound - 1) * inside, first);
        while outer[last].bound == 2 && outer.get(last + 1).is_some_and(|next| next.dim == dim) {
            last += 1;
            let FlatLoop { inside, bound, .. } = outer[last];
            // Further than a step of the inner loops where one in space stands between them.
            let step = new_elements(nest, extent, edge.tensor, dim, inside - reach).unwrap_or(tile);
            slid = slid * bound + (bound - 1) * step;
            reach += (bound - 1) * inside;
        }
        let words = (tile + slid) * times(&outer[last + 1..]);
        let slides_on = last + 1 == outer.len() && outer[last].bound == 2;
        Fills { words, least: if slides_on { slid + new } else { words }, settled: true }
    }

    /// Words that one instance of a storage child is filled with in all, where the dimensions take `lengths` steps. Loops
    /// still to come change that only if they go on with the child's window, or if no loop so far stands outside that
    /// the tensor depends on.
    pub(super) fn fills_exactly(&self, nest: &LoopNest, edge: Edge, lengths: &PerDim<u64>) -> Fills {
        let AtLevel { loops: inner, .. } = self.levels[edge.child];
        let grid = self.grid(edge.child, lengths);
        let mut words = grid.elements(nest, edge.tensor);
        let outer = &self.loops[inner..self.len];
        let relevant = edge.tensor.dims();
        let Some(first) = outer.iter().position(|each| relevant.has(each.dim)) else {
            return Fills { words, least: words, settled: false };
        };
        let time = self.time(inner + first);
        let irrelevant = Dim::ALL.into_iter().filter(|&dim| !relevant.has(dim)).map(|dim| dim as usize);
        let times: u64 = irrelevant.map(|d| lengths[d].div_ceil(time[d])).product();
        let mut slides_on = 0;
        if edge.tensor == Tensor::Inputs {
            let (dim, mut last, mut reach) = (outer[first].dim, first, 0);
            let length = lengths[dim as usize];
            let mut steps = time[dim as usize];
            loop {
                let FlatLoop { bound, inside, .. } = outer[last];
                // The tiles that a step of this loop leads to.
                let reached = length.div_ceil(steps) - length.div_ceil(steps * bound);
                words -= reached * grid.overlap(nest, dim, inside - reach);
                steps *= bound;
                reach += (bound - 1) * inside;
                if bound != 2 || outer.get(last + 1).is_none_or(|next| next.dim != dim) {
                    break;
                }
                last += 1;
            }
            if last + 1 == outer.len() && outer[last].bound == 2 {
                let more = length.div_ceil(steps) - 1;
                slides_on = more * grid.overlap(nest, dim, self.extent[dim as usize] - reach);
            }
        }
        Fills { words: words * times, least: (words - slides_on) * times, settled: true }
    }

    /// The tiles of one instance of a level.
    pub(super) fn grid(&self, level: usize, lengths: &PerDim<u64>) -> Grid {
        let AtLevel { loops, extent, .. } = &self.levels[level];
        Grid::new(lengths, &self.time(*loops), extent)
    }

    /// Words that one instance of a child holds.
    pub(super) fn tile(&self, nest: &LoopNest, edge: Edge) -> u64 {
        tile_elements(nest, &self.levels[edge.child].extent, edge.tensor)
    }

    /// Words new to an instance of an input child when a loop over `dim` outside all others takes a step.
    pub(super) fn slide(&self, nest: &LoopNest, edge: Edge, dim: Dim) -> u64 {
        let extent = &self.levels[edge.child].extent;
        new_elements(nest, extent, edge.tensor, dim, self.extent[dim as usize])
            .unwrap_or_else(|| tile_elements(nest, extent, edge.tensor))
    }

    /// All accesses, in words, DRAM's scaled to the real tensors; `lengths` are [`Self::lengths`] if residuals are exact. From
    /// DRAM inwards and, where loops divide, with products only: divisions would take most of the time of the search.
    /// Returns the steps.
    pub(super) fn count(
        &self,
        lowered: &Lowered,
        edges: &[Edge],
        instances: &Instances,
        mac_level: usize,
        lengths: Option<&PerDim<u64>>,
        counts: &mut Counts,
    ) -> u64 {
        let nest = &lowered.nest;
        let steps = lengths.map_or_else(|| self.steps(), |lengths| lengths.iter().product());
        let covered = lengths.map_or(self.extent, |lengths| {
            let time = self.time(self.len);
            std::array::from_fn(|d| self.extent[d] / time[d] * lengths[d])
        });
        let outputs = tile_elements(nest, &covered, Tensor::Outputs);
        let mut copies = 1;
        for &edge in edges {
            let tensor = edge.tensor as usize;
            let per_instance = match edge.child == mac_level {
                true => steps,
                false => match lengths {
                    Some(lengths) => self.fills_exactly(nest, edge, lengths).words,
                    None => self.fills_so_far(nest, edge).words,
                },
            };
            let between = || self.levels[edge.parent..edge.child].iter().map(|level| &level.unrolled);
            let sharing: u64 = between().map(|unrolled| unrolled.shared[tensor]).product();
            let relevant: u64 = between().map(|unrolled| unrolled.relevant[tensor]).product();
            let asked = per_instance * instances[edge.parent] * relevant;
            // A tensor's edges come from DRAM inwards.
            copies = if edge.parent == 0 { 1 } else { copies };
            let parent = &mut counts[edge.parent][tensor];
            let (updates, read) = match edge.tensor {
                Tensor::Outputs => (asked, asked - outputs * copies),
                Tensor::Weights | Tensor::Inputs => (0, asked),
            };
            parent.updates = updates;
            // Beside what it drains itself.
            parent.reads += read;
            if edge.child < mac_level {
                let child = &mut counts[edge.child][tensor];
                child.fills = read * sharing;
                child.reads = if edge.drain_reads { updates * sharing } else { 0 };
            }
            copies *= sharing;
        }
        if covered != nest.bounds {
            scale_to_real(nest, &covered, &mut counts[0]);
        }
        if !lowered.is_plain_in_dram() {
            for (tensor, Accesses { reads, updates, .. }) in Tensor::ALL.into_iter().zip(&mut counts[0]) {
                match tensor {
                    // What is read was not complete, and is written again.
                    Tensor::Outputs => {
                        *updates = lowered.output_words(*updates, *reads);
                        *reads = lowered.psum_words(*reads);
                    }
                    Tensor::Weights | Tensor::Inputs => *reads = lowered.dram_words(tensor, *reads),
                }
            }
        }
        steps
    }
}

fn scale_to_real(nest: &LoopNest, padded: &PerDim<u64>, dram: &mut [Accesses; 3]) {
    for tensor in Tensor::ALL {
        let (real, padded) = real_share(nest, padded, tensor);
        let scale = |words: u64| match words.checked_mul(real) {
            Some(product) => product.div_ceil(padded),
            None => (u128::from(words) * u128::from(real)).div_ceil(u128::from(padded)) as u64,
        };
        let Accesses { reads, updates, .. } = &mut dram[tensor as usize];
        (*reads, *updates) = (scale(*reads), scale(*updates));
    }
}
