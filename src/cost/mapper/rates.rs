//! The cost of one word over each edge (parent, child, tensor) under one choice of loops in space, in real numbers.
//! This is the arithmetic of `cost::access` and `cost::evaluate` without rounding to whole accesses, so it is never
//! above it.

use super::space::{Space, Unrolled};
use crate::cost::access::Edge;
use crate::dims::{Dim, Tensor};
use crate::hw::{AccelSpec, Level, MAX_LEVELS, Storage};

/// The rates of one edge under one choice of loops in space.
#[derive(Clone, Copy, Debug)]
pub(super) struct EdgeRates {
    pub(super) edge: Edge,
    pub(super) child_instances: f64,
    /// Children served by one parent access.
    pub(super) sharing: f64,
    /// Loops in space above the parent that the tensor does not depend on.
    pub(super) parent_copies: f64,
    /// Words per element at the parent, unless it is DRAM, and at the child.
    parent_words: f64,
    child_words: f64,
    /// DRAM words of a partial sum relative to those of a complete output; 1 inside DRAM.
    psums: f64,
    child_read_pj: f64,
    child_write_pj: f64,
    parent_read_pj: f64,
    parent_update_pj: f64,
}

/// Products of the loops in space above each level.
#[derive(Debug)]
pub(super) struct Above {
    pub(super) instances: [f64; MAX_LEVELS + 1],
    /// For each tensor, the product over the dimensions that it does not depend on.
    pub(super) copies: [[f64; 3]; MAX_LEVELS + 1],
}

impl Above {
    pub(super) fn new(unrolled: &Unrolled) -> Self {
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

/// The traffic over an edge.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flow {
    pub(super) pj: f64,
    /// The part of it that DRAM takes.
    pub(super) dram_pj: f64,
    pub(super) dram_words: f64,
    pub(super) parent_reads: f64,
    pub(super) parent_writes: f64,
    pub(super) child_reads: f64,
    pub(super) child_writes: f64,
}

impl EdgeRates {
    /// The rates of all edges.
    pub(super) fn of(space: &Space, above: &Above) -> Vec<Self> {
        let rates = space.edges.iter().map(|&edge| {
            let copies = |level: usize| above.copies[level][edge.tensor as usize];
            // How many words DRAM holds is the business of whoever calls `flow`.
            let words = |level: usize| match space.accel.levels.get(level) {
                Some(Level::Storage(storage)) if level > 0 => {
                    space.lowered.words_per_element(storage, edge.tensor)
                }
                _ => 1.0,
            };
            let pj = |level: usize, energy: fn(&Storage) -> f64| match space.accel.levels.get(level) {
                Some(Level::Storage(storage)) => {
                    let charged = above.charged(space.accel, level, storage);
                    energy(storage) / storage.words_per_access() * charged * words(level)
                }
                _ => 0.0,
            };
            Self {
                edge,
                child_instances: above.instances[edge.child],
                sharing: copies(edge.child) / copies(edge.parent),
                parent_copies: copies(edge.parent),
                parent_words: words(edge.parent),
                child_words: words(edge.child),
                psums: match (edge.tensor, edge.parent) {
                    (Tensor::Outputs, 0) => space.lowered.psum_share(),
                    _ => 1.0,
                },
                child_read_pj: if edge.drain_reads { pj(edge.child, |s| s.read_pj_per_access) } else { 0.0 },
                child_write_pj: pj(edge.child, |s| s.write_pj_per_access),
                parent_read_pj: pj(edge.parent, |s| s.read_pj_per_access),
                parent_update_pj: pj(edge.parent, |s| s.update_pj_per_access),
            }
        });
        rates.collect()
    }

    /// `words`: fills of each child instance; `first_writes`: outputs over all parents; `scale`: real / padded at DRAM.
    pub(super) fn flow(&self, words: f64, first_writes: f64, scale: f64) -> Flow {
        let moved = words * self.child_instances;
        let asked = moved / self.sharing;
        let at_parent = if self.edge.parent == 0 { scale } else { 1.0 };
        let (updates, reads, fills) = match self.edge.tensor {
            Tensor::Outputs => {
                let partial = (asked - first_writes).max(0.0);
                (asked + partial * (self.psums - 1.0), partial * self.psums, partial * self.sharing)
            }
            Tensor::Weights | Tensor::Inputs => (0.0, asked, moved),
        };
        let (updates, reads) = (updates * at_parent, reads * at_parent);
        let drained = if self.edge.drain_reads { moved } else { 0.0 };
        let from_dram = self.edge.parent == 0;
        Flow {
            pj: updates * self.parent_update_pj
                + reads * self.parent_read_pj
                + fills * self.child_write_pj
                + drained * self.child_read_pj,
            dram_pj: match from_dram {
                true => updates * self.parent_update_pj + reads * self.parent_read_pj,
                false => 0.0,
            },
            dram_words: if from_dram { updates + reads } else { 0.0 },
            parent_reads: reads * self.parent_words,
            parent_writes: updates * self.parent_words,
            child_reads: drained * self.child_words,
            child_writes: fills * self.child_words,
        }
    }
}
