//! Several memories: which accelerators are attached to which, where the data of networks live, and the links over which
//! they are reached. A platform with one memory has none of this, and pays nothing for it.
//!
//! The bytes of a layer are one flow that takes several resources: in each memory that holds a part of its data that part
//! of the flow, and as much on every link between that memory and the accelerator. Both directions of a link share its
//! bandwidth, as reads and writes share that of a DRAM. The parts move in step: a layer takes as long as the slowest
//! needs. `bandwidth/paths.rs` shares the resources.
//!
//! Left out: the latency of a hop, contention inside a memory's own network, and copies: data do not move when a job goes
//! elsewhere, and weights that live in several memories are there from the start.

use crate::hw::{Placement, route};

/// The memories of a platform and the links between them. The default is one memory, which all accelerators share.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memories {
    /// Their names.
    pub names: Vec<String>,
    /// The part of the platform's bandwidth that each memory delivers; together 1. Empty if there is one memory.
    pub shares: Vec<f64>,
    /// The memory to which each accelerator is attached.
    pub of: Vec<usize>,
    /// The links.
    pub links: Vec<Link>,
    /// Where the data of networks live.
    pub placement: Placement,
}

/// A link of an on-package network, between two memories.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// The memories that it joins.
    pub between: [usize; 2],
    /// Bandwidth of both directions together, in bytes per picosecond; may be infinite.
    pub bytes_per_ps: f64,
    /// Energy in pJ of moving a byte over it, with all its hops.
    pub pj_per_byte: f64,
}

/// How the bytes of a network reach an accelerator.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    /// The most bandwidth that a layer gets, in bytes per picosecond; may be infinite.
    pub bandwidth_bytes_per_ps: f64,
    /// The part of the bytes that lie in other memories than the accelerator's.
    pub crossing: f64,
    /// Energy in pJ of moving a byte over the links; what the DRAM takes is part of the layer's costs.
    pub link_pj_per_byte: f64,
    /// The part of the bytes that each resource carries: the memories, then the links. Empty if there is one memory.
    pub uses: Vec<f64>,
}

impl Way {
    /// To the only memory of a platform.
    pub fn to_one(bandwidth_bytes_per_ps: f64) -> Self {
        Self { bandwidth_bytes_per_ps, crossing: 0.0, link_pj_per_byte: 0.0, uses: Vec::new() }
    }
}

impl Memories {
    /// Whether there is one memory only.
    #[inline]
    pub fn is_one(&self) -> bool {
        self.shares.is_empty()
    }

    /// Whether layers may use more than the memory of their accelerator.
    pub fn crosses(&self) -> bool {
        !self.is_one() && self.placement != Placement::Local
    }

    /// The bandwidth of each resource in bytes per picosecond, if the memories together deliver so much: the memories, then
    /// the links.
    pub fn capacities(&self, bandwidth_bytes_per_ps: f64) -> Vec<f64> {
        let memories = self.shares.iter().map(|share| share * bandwidth_bytes_per_ps);
        memories.chain(self.links.iter().map(|link| link.bytes_per_ps)).collect()
    }

    /// The names of the resources: the memories, then the links.
    pub fn resources(&self) -> Vec<String> {
        let link = |link: &Link| link.between.map(|end| self.names[end].as_str()).join("-");
        match self.is_one() {
            true => vec!["DRAM".to_string()],
            false => self.names.iter().cloned().chain(self.links.iter().map(link)).collect(),
        }
    }

    /// The way of the data of the network with a number to an accelerator. Homes are given in turn: network i lives in
    /// memory i modulo their number. Panics if no link leads there.
    pub fn way(&self, network: usize, accelerator: usize, bandwidth_bytes_per_ps: f64) -> Way {
        if self.is_one() {
            return Way::to_one(bandwidth_bytes_per_ps);
        }
        let own = self.of[accelerator];
        let parts: Vec<(usize, f64)> = match self.placement {
            Placement::Local => vec![(own, 1.0)],
            Placement::Home => vec![(network % self.shares.len(), 1.0)],
            Placement::Interleaved => self.shares.iter().copied().enumerate().collect(),
        };
        let memories = self.shares.len();
        let links: Vec<[usize; 2]> = self.links.iter().map(|link| link.between).collect();
        let mut uses = vec![0.0; memories + links.len()];
        for (memory, part) in parts {
            uses[memory] += part;
            let route = route(memories, &links, own, memory);
            let route = route.expect("what is not joined is found when a system is read");
            route.into_iter().for_each(|link| uses[memories + link] += part);
        }
        let capacities = self.capacities(bandwidth_bytes_per_ps);
        let used = capacities.iter().zip(&uses).filter(|(_, part)| **part > 0.0);
        let of_links = self.links.iter().zip(&uses[memories..]);
        Way {
            bandwidth_bytes_per_ps: used.map(|(all, part)| all / part).fold(f64::INFINITY, f64::min),
            crossing: 1.0 - uses[own],
            link_pj_per_byte: of_links.map(|(link, part)| link.pj_per_byte * part).sum(),
            uses,
        }
    }
}

#[cfg(test)]
mod tests;
