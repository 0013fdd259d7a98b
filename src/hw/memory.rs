//! The memories of a system, where it has several, and the links between them, as files give them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::files::{Gbps, InputError, NonNegative, Source, Spanned, did_you_mean};

/// Where the data of networks live on a system with several memories.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// In the memory of the accelerator that runs the layer: every memory holds all weights, and activations are where
    /// they are needed.
    #[default]
    Local,
    /// In a home memory: that of the scenario's i-th network is memory i modulo their number. Elsewhere its layers take the
    /// links.
    Home,
    /// In all memories, in proportion to their bandwidth, as with interleaved addresses.
    Interleaved,
}

/// A memory of a system: a DRAM channel or stack with a bandwidth of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct MemorySpec {
    /// Unique in the system.
    pub name: String,
    /// Peak bandwidth in GB/s (10^9 bytes).
    pub bandwidth_gbps: f64,
}

/// A link of the on-package network between two memories.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkSpec {
    /// The memories that it joins: indices into [`SystemSpec::memories`](super::SystemSpec::memories).
    pub between: [usize; 2],
    /// Bandwidth in GB/s (10^9 bytes) of both directions together; may be infinite.
    pub bandwidth_gbps: f64,
    /// Energy in pJ of a bit on all hops of the link.
    pub pj_per_bit: f64,
}

/// The links from one memory to another, as few as possible, and of several such ways one whose links come first; `None` if
/// there is no way.
pub fn route(memories: usize, links: &[[usize; 2]], from: usize, to: usize) -> Option<Vec<usize>> {
    let mut routes: Vec<Option<Vec<usize>>> = vec![None; memories];
    routes[from] = Some(Vec::new());
    let mut next = vec![from];
    while routes[to].is_none() && !next.is_empty() {
        for here in std::mem::take(&mut next) {
            let route = routes[here].clone().unwrap_or_default();
            for (number, between) in links.iter().enumerate().filter(|(_, between)| between.contains(&here)) {
                let there = if between[0] == here { between[1] } else { between[0] };
                if routes[there].is_none() {
                    routes[there] = Some([&route[..], &[number]].concat());
                    next.push(there);
                }
            }
        }
    }
    routes.swap_remove(to)
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMemory {
    /// The name by which accelerators and links refer to the memory.
    name: Spanned<String>,
    /// Peak bandwidth in GB/s (10^9 bytes).
    bandwidth_gbps: Spanned<Gbps>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLink {
    /// The two memories that the link joins.
    between: Spanned<[String; 2]>,
    /// Bandwidth in GB/s (10^9 bytes) of both directions together; `inf` is allowed.
    bandwidth_gbps: Gbps,
    /// Energy in pJ of moving a bit over one hop; 0 if left out.
    #[serde(default)]
    pj_per_bit_hop: NonNegative,
    /// Number of hops, which only energy counts; 1 if left out.
    #[serde(default = "one_hop")]
    hops: Spanned<u64>,
}

fn one_hop() -> Spanned<u64> {
    Spanned::nowhere(1)
}

/// Our choice, because no published package has as many, and every layer has a number for each memory and link.
const MAX_MEMORIES: usize = 16;
/// Our choice, because it is more than a mesh of so many memories has.
const MAX_LINKS: usize = 64;
/// Our choice, because it is more than any package has.
const MAX_HOPS: u64 = 1_000;

/// The memories and links of a file.
pub(super) struct Raw<'a> {
    pub(super) source: &'a Source,
    pub(super) memories: &'a [Spanned<RawMemory>],
    pub(super) links: &'a [Spanned<RawLink>],
}

impl Raw<'_> {
    /// The memories, none if the file gives none.
    pub(super) fn memories(&self) -> Result<Vec<MemorySpec>, InputError> {
        let mut memories: Vec<MemorySpec> = Vec::new();
        for raw in self.memories {
            let RawMemory { name, bandwidth_gbps } = raw.get_ref();
            if memories.len() == MAX_MEMORIES {
                let message = format!("a system has at most {MAX_MEMORIES} memories");
                return Err(self.source.error(&raw.span(), message));
            }
            if memories.iter().any(|other| other.name == *name.get_ref()) {
                let message = format!("there are two memories `{}`: names are unique", name.get_ref());
                return Err(self.source.error(&name.span(), message));
            }
            let gbps = bandwidth_gbps.get_ref().0;
            if gbps.is_infinite() {
                let message = "`bandwidth_gbps` of one of several memories is a number from 0.001 to 1e9";
                return Err(self.source.error(&bandwidth_gbps.span(), message));
            }
            memories.push(MemorySpec { name: name.get_ref().clone(), bandwidth_gbps: gbps });
        }
        Ok(memories)
    }

    /// The index of a memory.
    pub(super) fn find(&self, memories: &[MemorySpec], name: &str) -> Result<usize, String> {
        memories.iter().position(|memory| memory.name == name).ok_or_else(|| {
            let known: Vec<&str> = memories.iter().map(|memory| memory.name.as_str()).collect();
            let hint = did_you_mean(name, &known);
            format!("no memory `{name}`{hint}: expected one of {}", known.join(", "))
        })
    }

    /// The links.
    pub(super) fn links(&self, memories: &[MemorySpec]) -> Result<Vec<LinkSpec>, InputError> {
        if let Some(link) = self.links.get(MAX_LINKS) {
            let message = format!("a system has at most {MAX_LINKS} links");
            return Err(self.source.error(&link.span(), message));
        }
        self.links.iter().map(|link| self.link(link.get_ref(), memories)).collect()
    }

    fn link(&self, raw: &RawLink, memories: &[MemorySpec]) -> Result<LinkSpec, InputError> {
        let [one, other] = raw.between.get_ref();
        let wrong = |message| self.source.error(&raw.between.span(), message);
        let between = [self.find(memories, one).map_err(wrong)?, self.find(memories, other).map_err(wrong)?];
        if between[0] == between[1] {
            return Err(wrong(format!("a link joins two memories: expected another one than `{one}`")));
        }
        let hops = *raw.hops.get_ref();
        if !(1..=MAX_HOPS).contains(&hops) {
            let message = format!("`hops` is {hops}: expected a number from 1 to {MAX_HOPS}");
            return Err(self.source.error(&raw.hops.span(), message));
        }
        let pj_per_bit = raw.pj_per_bit_hop.0 * hops as f64;
        Ok(LinkSpec { between, bandwidth_gbps: raw.bandwidth_gbps.0, pj_per_bit })
    }
}
