//! Tensors that stay on chip: each accelerator has a memory in which outputs wait for the layers that read them and
//! weights for the next request, whichever tenants these belong to.
//!
//! What enters and leaves is decided when a layer starts (`engine/residents.rs` keeps the state):
//!
//! 1. Weights of the layer that are in the memory are not read from DRAM; nor is the part of its input that is there.
//!    A predecessor's part of the input is its part of the elements that all predecessors write.
//! 2. Otherwise its weights are read, and stay. So does its output, if some layer reads it: it needs its room from now
//!    on. It is written to DRAM as well, because other layers may need it elsewhere.
//! 3. To make room, what was used least recently leaves, but neither pinned weights nor what this layer uses. What
//!    finds no room even so does not enter, and nothing leaves for it. A layer uses its inputs first, then its weights,
//!    then its output.
//!
//! An output leaves when the last layer that reads it has ended, on whatever accelerator, or when its request is dropped.
//!
//! A tensor that is there saves its reads: their bytes, their part of the bandwidth demand, and the energy of the DRAM
//! accesses. The layer's uncontended latency c stays, because it contains no stalls for shared DRAM.
//!
//! Left out: the tiles of the running layer, which use the same buffers unless the accelerator has a memory for
//! residents of its own (`resident_kib`); transfers between accelerators; parts of tensors; tensors that several layers
//! or batch sizes share (each time step of an RNN has weights of its own). Isolated latencies, deadlines and lambda* are
//! those of the costs without hits, so a load of 1 may be exceeded.

use std::sync::Arc;

use ndarray::Array2;

use super::model::{NetworkModel, PairCost};

/// The data of a network that residency needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Residency {
    /// The tensors of layer l on accelerator m at `[[l, m]]`.
    pub tensors: Array2<Tensors>,
    /// Elements of each layer's output.
    pub outputs: Vec<u64>,
    /// Whether the network's weights are never evicted.
    pub pinned: bool,
    /// The memory of each accelerator, which all networks share.
    pub memories: Arc<[Memory]>,
}

/// The tensors of a layer on an accelerator. Zeros where the layer cannot run, and for tensors that may not stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tensors {
    /// Size of the weights in bytes.
    pub weights: u64,
    /// DRAM bytes of reading the weights, which may be read several times.
    pub weight_reads: u64,
    /// Size of the output in bytes, 0 also if no layer reads it.
    pub output: u64,
    /// DRAM bytes of reading what other layers write.
    pub input_reads: u64,
}

/// The memory of an accelerator for residents.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Memory {
    /// Capacity in bytes.
    pub bytes: u64,
    /// Energy in pJ of reading one byte from DRAM.
    pub dram_pj_per_byte: f64,
}

/// The DRAM reads that a layer is spared because the tensors are on chip.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Found {
    /// Bytes of its input.
    pub inputs: f64,
    /// Bytes of its weights.
    pub weights: f64,
}

impl Found {
    /// All bytes.
    pub fn bytes(&self) -> f64 {
        self.inputs + self.weights
    }
}

impl Residency {
    /// The bytes of a layer's input that it need not read on an accelerator, given which predecessors' outputs are there.
    pub(super) fn inputs(
        &self,
        layer: u32,
        accelerator: usize,
        predecessors: &[u32],
        is_there: impl Fn(u32) -> bool,
    ) -> f64 {
        let reads = self.tensors[[layer as usize, accelerator]].input_reads;
        let (mut there, mut all) = (0, 0);
        for &before in predecessors {
            let elements = self.outputs[before as usize];
            all += elements;
            there += if is_there(before) { elements } else { 0 };
        }
        if there == 0 { 0.0 } else { reads as f64 * (there as f64 / all as f64) }
    }

    /// The most that a layer can find on an accelerator: everything that fits there.
    fn most(&self, layer: u32, accelerator: usize, predecessors: &[u32]) -> Found {
        let capacity = self.memories[accelerator].bytes;
        let fits = |bytes: u64| 0 < bytes && bytes <= capacity;
        let Tensors { weights, weight_reads, .. } = self.tensors[[layer as usize, accelerator]];
        Found {
            inputs: self.inputs(layer, accelerator, predecessors, |before| {
                fits(self.tensors[[before as usize, accelerator]].output)
            }),
            weights: if fits(weights) { weight_reads as f64 } else { 0.0 },
        }
    }
}

impl NetworkModel {
    /// The cost of a layer on an accelerator without the DRAM reads of what it finds there; `None` where it cannot run.
    pub fn cost_finding(&self, layer: u32, accelerator: usize, found: Found) -> Option<PairCost> {
        let cost = *self.cost(layer, accelerator)?;
        let bytes = found.bytes().min(cost.dram_bytes());
        let Some(residency) = self.residency.as_ref().filter(|_| bytes > 0.0) else { return Some(cost) };
        let way = &self.ways[accelerator];
        // A user's energies may leave DRAM out.
        let beside_links = cost.energy.0 - cost.dram_bytes() * way.link_pj_per_byte;
        let dram_pj = (bytes * residency.memories[accelerator].dram_pj_per_byte).min(beside_links);
        Some(cost.without(bytes, dram_pj, way))
    }

    /// The cost of a layer on an accelerator with every hit that is possible, and right after the predecessor that forwards
    /// most: no run moves fewer bytes or takes less time. `None` where it cannot run.
    pub fn least_cost(&self, layer: u32, accelerator: usize) -> Option<PairCost> {
        if self.forwarding.is_some() {
            return self.cost_forwarded(layer, accelerator);
        }
        let most =
            |residency: &Residency| residency.most(layer, accelerator, &self.predecessors[layer as usize]);
        self.cost_finding(layer, accelerator, self.residency.as_ref().map(most).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
