//! A sub-accelerator: storage levels and fan-outs from DRAM inwards, then the MACs.
//!
//! Each accelerator is one TOML file in `accel-models/`. Its `[[level]]` tables come outermost (DRAM) first; `type` is
//! `storage` or `fanout`. Energies are per access of one entry of `entry_bits`; one access moves `entry_bits /
//! word_bits` words. Bandwidths are in words per cycle and instance; a bandwidth that is left out is unlimited.

mod lowering;
mod power;
mod read;
mod technology;

pub use lowering::Lowering;
pub use power::Gating;
pub use technology::{Technology, TechnologyNode};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dims::{DimSet, LayerKind, PerDim, PostOp, Tensor};
use crate::units::Bytes;

/// The most levels of an accelerator, the MACs excluded. Our choice, because the deepest published model has nine.
pub const MAX_LEVELS: usize = 12;

/// A validated sub-accelerator model.
///
/// The serialised form holds everything that decides the costs of layers, without names and sources. Policies identify
/// their system by a hash of it (`policy::system_sha256`), so a field that is renamed keeps its old name there with
/// `serde(rename)`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AccelSpec {
    /// The name by which systems refer to it.
    #[serde(skip)]
    pub name: String,
    /// What the accelerator models, and where its numbers come from.
    #[serde(skip)]
    pub source: String,
    /// How the energies were scaled from the file's to those below; `None` if they are the file's.
    #[serde(skip)]
    pub technology: Option<Technology>,
    /// Clock in Hz.
    pub clock_hz: f64,
    /// The kinds of layer it runs.
    pub kinds: Vec<LayerKind>,
    /// What it does with the output of a layer before the output leaves for DRAM.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub post_ops: Vec<PostOp>,
    /// Element operations per cycle, for layers without MACs and at the output of those with MACs.
    pub vector_lanes: u64,
    /// Energy of one element operation in pJ.
    pub vector_pj_per_op: f64,
    /// Share of the peak MAC rate that the array reaches (1: the model's ideal).
    pub array_efficiency: f64,
    /// Share of the DRAM time that hides behind compute: with 1 all of it, with 0 it is added to compute.
    pub dram_overlap: f64,
    /// Cycles to fill and drain the array, once per layer.
    pub fill_drain_cycles: u64,
    /// Cycles to dispatch a layer, once per layer.
    pub dispatch_cycles: u64,
    /// How it rewrites convolutions and lays tensors out.
    #[serde(skip_serializing_if = "Lowering::is_neutral")]
    pub lowering: Lowering,
    /// Capacity in KiB of the memory for tensors that stay on chip (`sim::residency`); `None` is that of the global
    /// buffer. It decides no cost of a layer.
    #[serde(skip)]
    pub resident_kib: Option<f64>,
    /// Power in mW of the clock tree and of whatever else runs as long as the accelerator is on. It decides no cost of a
    /// layer.
    #[serde(skip)]
    pub clock_mw: f64,
    /// When it is switched off; `None` is never. It decides no cost of a layer.
    #[serde(skip)]
    pub gating: Option<Gating>,
    /// How the last, shorter step of a loop in time is counted.
    pub residuals: Residuals,
    /// Levels from DRAM inwards, the MACs excluded; the first is the DRAM and keeps every tensor.
    pub levels: Vec<Level>,
    /// The innermost level.
    pub mac: Mac,
}

/// How the cost model counts the last step of a loop in time that does not divide its dimension.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Residuals {
    /// Like any other step, as Timeloop does: the dimension is padded.
    Padded,
    /// As short as it is. Loops in space still take whole steps.
    #[default]
    Exact,
}

/// One level of the hierarchy.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// A buffer.
    Storage(Storage),
    /// A network that spreads work over instances of everything inside it.
    Fanout(Fanout),
}

/// A buffer level. Sizes, bandwidths and leakage are per instance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Storage {
    /// The name.
    #[serde(skip)]
    pub name: String,
    /// Bits of one word (one tensor element).
    pub word_bits: u64,
    /// Bits moved by one access.
    pub entry_bits: u64,
    /// Number of one-word registers that share one physical entry.
    pub cluster_size: u64,
    /// Capacity in words; `None` is unlimited.
    pub capacity_words: Option<u64>,
    /// Whether the buffer keeps each tensor, by [`Tensor`].
    pub keeps: [bool; 3],
    /// Words read per cycle.
    pub read_bandwidth_words_per_cycle: Option<f64>,
    /// Words written (fills and updates) per cycle.
    pub write_bandwidth_words_per_cycle: Option<f64>,
    /// Words read or written per cycle.
    pub shared_bandwidth_words_per_cycle: Option<f64>,
    /// Energy of reading one entry in pJ.
    pub read_pj_per_access: f64,
    /// Energy of filling one entry in pJ.
    pub write_pj_per_access: f64,
    /// Energy of updating one entry (a partial sum) in pJ.
    pub update_pj_per_access: f64,
    /// Leakage in pJ per cycle.
    pub leak_pj_per_cycle: f64,
    /// Whether partial sums that leave for the level outside are read here. Timeloop charges the update there only.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub drain_reads: bool,
    /// Dimensions that may be looped here.
    pub temporal: DimSet,
    /// Dimensions whose whole remaining extent must be looped here.
    pub temporal_whole: DimSet,
}

/// A fan-out level: X x Y instances of all that is inside it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fanout {
    /// The name.
    #[serde(skip)]
    pub name: String,
    /// Instances along X and Y.
    pub extent: [u64; 2],
    /// Dimensions that may be unrolled along X and Y.
    pub spatial: [DimSet; 2],
    /// Dimensions whose whole remaining extent must be unrolled here.
    pub spatial_whole: DimSet,
    /// Upper limit on the unrolling of one dimension (a lane count).
    pub max_factor: PerDim<Option<u64>>,
}

/// The multiply-accumulate units.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mac {
    /// The name.
    #[serde(skip)]
    pub name: String,
    /// Energy of one MAC in pJ.
    pub energy_pj: f64,
}

impl Storage {
    /// Words moved by one charged access.
    pub fn words_per_access(&self) -> f64 {
        self.entry_bits as f64 / self.word_bits as f64 / self.cluster_size as f64
    }

    /// The words that hold a number of elements of so many bits; `None` is a word each.
    pub fn words(&self, elements: u64, bits: Option<u8>) -> u64 {
        match bits {
            Some(bits) if u64::from(bits) != self.word_bits => {
                (elements * u64::from(bits)).div_ceil(self.word_bits)
            }
            _ => elements,
        }
    }

    /// Words per element of so many bits.
    pub fn words_per_element(&self, bits: Option<u8>) -> f64 {
        bits.map_or(1.0, |bits| f64::from(bits) / self.word_bits as f64)
    }

    /// The size of a number of words in bytes, rounded up.
    pub fn bytes(&self, words: u64) -> Bytes {
        Bytes((words * self.word_bits).div_ceil(8))
    }
}

impl Level {
    /// The name of the level.
    pub fn name(&self) -> &str {
        match self {
            Self::Storage(storage) => &storage.name,
            Self::Fanout(fanout) => &fanout.name,
        }
    }
}

impl AccelSpec {
    /// The most that the DRAM port can load, in bytes per second; infinite if the model sets no limit.
    pub fn port_bytes_per_s(&self) -> f64 {
        let Level::Storage(dram) = &self.levels[0] else { return f64::INFINITY };
        let words = dram.shared_bandwidth_words_per_cycle.or(dram.read_bandwidth_words_per_cycle);
        words.map_or(f64::INFINITY, |words| words * dram.word_bits as f64 / 8.0 * self.clock_hz)
    }

    /// The outermost buffer that keeps inputs and outputs; `None` if there is none.
    pub fn global_buffer(&self) -> Option<&Storage> {
        self.levels[1..].iter().find_map(|level| match level {
            Level::Storage(storage)
                if [Tensor::Inputs, Tensor::Outputs].iter().all(|&tensor| storage.keeps[tensor as usize]) =>
            {
                Some(storage)
            }
            _ => None,
        })
    }

    /// Capacity in bytes of the memory for tensors that stay on chip.
    pub fn resident_bytes(&self) -> u64 {
        let of_buffer = |buffer: &Storage| {
            buffer.capacity_words.map_or(u64::MAX, |words| words.saturating_mul(buffer.word_bits) / 8)
        };
        match self.resident_kib {
            Some(kib) => (kib * 1024.0) as u64,
            None => self.global_buffer().map_or(0, of_buffer),
        }
    }

    /// Number of MAC units, which is the peak number of MACs per cycle.
    pub fn macs_per_cycle(&self) -> u64 {
        self.instances_below(self.levels.len())
    }

    /// Instances of the level at `index`: the product of the fan-outs above it.
    pub fn instances_below(&self, index: usize) -> u64 {
        let extents = self.levels[..index].iter().map(|level| match level {
            Level::Fanout(fanout) => fanout.extent[0] * fanout.extent[1],
            Level::Storage(_) => 1,
        });
        extents.product()
    }

    /// The place of a level by name.
    pub fn level_index(&self, name: &str) -> Result<usize, String> {
        let index = self.levels.iter().position(|level| level.name() == name);
        index.ok_or_else(|| format!("`{}` has no level named `{name}`", self.name))
    }

    /// The outermost level.
    pub fn dram(&self) -> &Storage {
        match &self.levels[0] {
            Level::Storage(dram) => dram,
            Level::Fanout(_) => unreachable!("validated: the first level is a storage level"),
        }
    }

    /// Storage levels inside DRAM with their index, outermost first.
    pub fn storages(&self) -> impl Iterator<Item = (usize, &Storage)> {
        self.levels.iter().enumerate().filter_map(|(i, level)| match level {
            Level::Storage(storage) => Some((i, storage)),
            Level::Fanout(_) => None,
        })
    }

    /// Leakage of all instances of all storage levels in pJ per cycle, as long as the accelerator is on.
    pub fn leak_pj_per_cycle(&self) -> f64 {
        self.storages().map(|(i, storage)| storage.leak_pj_per_cycle * self.instances_below(i) as f64).sum()
    }
}
