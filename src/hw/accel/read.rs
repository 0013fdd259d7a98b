//! Reading an accelerator file: its keys, and what is checked before it is an [`AccelSpec`].

use std::collections::BTreeMap;
use std::path::Path;

use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use super::{AccelSpec, Fanout, Gating, Level, Lowering, MAX_LEVELS, Mac, Residuals, Storage, Technology};
use crate::dims::{Dim, DimSet, LayerKind, PostOp, Tensor};
use crate::files::{
    Bits, Count, Fraction, InputError, Instances, Megahertz, NonNegative, Positive, Source, Spanned,
    schema_of,
};

impl AccelSpec {
    /// The JSON Schema of an accelerator file.
    pub fn schema() -> Schema {
        schema_of::<RawAccel>()
    }

    /// Reads and validates an accelerator file.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        Self::parse(&Source::read(path)?)
    }

    /// Validates the text of an accelerator file.
    pub(crate) fn parse(source: &Source) -> Result<Self, InputError> {
        let raw: RawAccel = source.parse()?;
        raw.validate(source)
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "mascot: an accelerator model")]
struct RawAccel {
    /// The name by which systems refer to the accelerator; it must be the name of the file.
    name: String,
    /// What the file models, and where its numbers come from.
    source: String,
    /// Scales all energies on chip, leakage and clock power included, from the technology node to which the numbers of
    /// the file belong (`scale_from`) to that of the accelerator (`node`). DRAM and clock frequency stay as they are.
    technology: Option<Technology>,
    /// Clock in MHz.
    clock_mhz: Megahertz,
    /// The kinds of layer it runs.
    kinds: Vec<LayerKind>,
    /// What it does with the output of a layer before the output leaves for DRAM, where a system fuses
    /// post-processing; nothing if left out.
    #[serde(default)]
    post_ops: Vec<PostOp>,
    /// Element operations per cycle, for layers without MACs and at the output of those with MACs.
    #[serde(default)]
    vector_lanes: Count,
    /// Energy of one element operation in pJ.
    #[serde(default)]
    vector_pj_per_op: NonNegative,
    /// Share of the peak MAC rate that the array reaches; 1 is the model's ideal.
    #[serde(default = "one")]
    array_efficiency: Fraction,
    /// Share of the DRAM time that hides behind compute: with 1 all of it, with 0 it is added to compute.
    #[serde(default = "full")]
    dram_overlap: NonNegative,
    /// Cycles to fill and drain the array, once per layer.
    #[serde(default)]
    fill_drain_cycles: Count,
    /// Cycles to dispatch a layer, once per layer.
    #[serde(default)]
    dispatch_cycles: Count,
    /// How it rewrites convolutions and lays tensors out in DRAM; without it layers run as they are.
    #[serde(default)]
    lowering: Lowering,
    /// Capacity in KiB of a memory for tensors that stay on chip, where a system has `residency`; the capacity of the
    /// global buffer if left out, which the tiles of the running layer need as well.
    resident_kib: Option<NonNegative>,
    /// Power in mW of the clock tree and of whatever else runs as long as the accelerator is on, busy or idle, beside
    /// the leakage of its buffers; 0 if left out.
    #[serde(default)]
    clock_mw: NonNegative,
    /// Power gating: switches the accelerator off while it is idle; never if left out.
    gating: Option<Spanned<Gating>>,
    /// How the last step of a loop in time is counted that does not divide its dimension: `padded` like any other, as
    /// Timeloop does, or `exact`.
    #[serde(default)]
    residuals: Residuals,
    /// Levels from the DRAM inwards, the MACs excluded.
    level: Vec<Spanned<RawLevel>>,
    /// The multiply-accumulate units.
    mac: RawMac,
}

fn one() -> Fraction {
    Fraction(1.0)
}

fn full() -> NonNegative {
    NonNegative(1.0)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum LevelType {
    /// A buffer.
    Storage,
    /// A network that spreads work over instances of everything inside it.
    Fanout,
}

/// One `[[level]]` table. Flat rather than a tagged enum, because serde loses the line of a value inside one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawLevel {
    /// The name of the level, unique in the accelerator.
    name: String,
    /// The kind of level: a buffer, or a fan-out to several instances of everything inside it.
    r#type: LevelType,
    /// Bits of one word (one tensor element).
    word_bits: Option<Bits>,
    /// Bits moved by one access.
    entry_bits: Option<Bits>,
    /// Number of one-word registers that share one physical entry.
    cluster_size: Option<Count>,
    /// Capacity in words; unlimited if left out.
    capacity_words: Option<Count>,
    /// The tensors that it keeps.
    keeps: Option<Vec<Tensor>>,
    /// Words read per cycle.
    read_bandwidth_words_per_cycle: Option<Positive>,
    /// Words written (fills and updates) per cycle.
    write_bandwidth_words_per_cycle: Option<Positive>,
    /// Words read or written per cycle.
    shared_bandwidth_words_per_cycle: Option<Positive>,
    /// Energy of reading one entry in pJ.
    read_pj_per_access: Option<NonNegative>,
    /// Energy of filling one entry in pJ.
    write_pj_per_access: Option<NonNegative>,
    /// Energy of updating one entry (a partial sum) in pJ.
    update_pj_per_access: Option<NonNegative>,
    /// Leakage in pJ per cycle.
    leak_pj_per_cycle: Option<NonNegative>,
    /// Whether partial sums that leave for the level outside are read here (energy and bandwidth); false if left out, as
    /// in Timeloop.
    drain_reads: Option<bool>,
    /// Dimensions that may be looped here.
    temporal: Option<Vec<Dim>>,
    /// Dimensions whose whole remaining extent must be looped here.
    temporal_whole: Option<Vec<Dim>>,
    /// Instances along X.
    x: Option<Instances>,
    /// Instances along Y.
    y: Option<Instances>,
    /// Dimensions that may be unrolled along X.
    spatial_x: Option<Vec<Dim>>,
    /// Dimensions that may be unrolled along Y.
    spatial_y: Option<Vec<Dim>>,
    /// Dimensions whose whole remaining extent must be unrolled here.
    spatial_whole: Option<Vec<Dim>>,
    /// Upper limit on the unrolling of one dimension (a lane count).
    max_factor: Option<BTreeMap<Dim, Count>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawMac {
    /// The name of the MAC units.
    name: String,
    /// Energy of one MAC in pJ.
    energy_pj: NonNegative,
}

impl RawLevel {
    fn validate(&self) -> Result<Level, String> {
        match self.r#type {
            LevelType::Storage if self.has_fanout_keys() => {
                Err("a storage level has no x, y, spatial_x, spatial_y, spatial_whole or max_factor".into())
            }
            LevelType::Fanout if self.has_storage_keys() => {
                Err("a fanout level has only x, y, spatial_x, spatial_y, spatial_whole and max_factor".into())
            }
            LevelType::Storage => self.storage().map(Level::Storage),
            LevelType::Fanout => self.fanout().map(Level::Fanout),
        }
    }

    fn has_fanout_keys(&self) -> bool {
        let sets = [&self.spatial_x, &self.spatial_y, &self.spatial_whole];
        self.x.is_some()
            || self.y.is_some()
            || self.max_factor.is_some()
            || sets.iter().any(|set| set.is_some())
    }

    fn has_storage_keys(&self) -> bool {
        let counts = [self.cluster_size, self.capacity_words];
        let widths = [self.word_bits, self.entry_bits];
        let energies = [self.read_pj_per_access, self.write_pj_per_access, self.update_pj_per_access];
        counts.iter().any(Option::is_some)
            || widths.iter().any(Option::is_some)
            || energies.iter().any(Option::is_some)
            || self.bandwidths().iter().any(Option::is_some)
            || self.leak_pj_per_cycle.is_some()
            || self.drain_reads.is_some()
            || self.keeps.is_some()
            || self.temporal.is_some()
            || self.temporal_whole.is_some()
    }

    /// Read, write and shared bandwidth.
    fn bandwidths(&self) -> [Option<f64>; 3] {
        [
            self.read_bandwidth_words_per_cycle,
            self.write_bandwidth_words_per_cycle,
            self.shared_bandwidth_words_per_cycle,
        ]
        .map(|bandwidth| bandwidth.map(|words| words.0))
    }

    fn storage(&self) -> Result<Storage, String> {
        let missing = |key: &str| format!("a storage level needs `{key}`");
        let at_least_one = |key: &str, value: Count| match value {
            Count(0) => Err(format!("`{key}` must be at least 1")),
            Count(value) => Ok(value),
        };
        let width = |key: &str, value: Option<Bits>| value.map(|bits| bits.0).ok_or_else(|| missing(key));
        let energy = |key: &str, value: Option<NonNegative>| value.map(|pj| pj.0).ok_or_else(|| missing(key));
        let [read, write, shared] = self.bandwidths();
        if shared.is_some() && (read.is_some() || write.is_some()) {
            return Err("give a shared bandwidth, or a read and a write bandwidth, not both".into());
        }
        let temporal = DimSet::of(self.temporal.as_ref().ok_or_else(|| missing("temporal"))?);
        let temporal_whole = DimSet::of(self.temporal_whole.as_deref().unwrap_or_default());
        if let Some(dim) = temporal_whole.iter().find(|&dim| !temporal.has(dim)) {
            return Err(format!("`temporal_whole` names {dim:?}, which `temporal` does not allow"));
        }
        let keeps = self.keeps.as_ref().ok_or_else(|| missing("keeps"))?;
        Ok(Storage {
            name: self.name.clone(),
            word_bits: width("word_bits", self.word_bits)?,
            entry_bits: width("entry_bits", self.entry_bits)?,
            cluster_size: at_least_one("cluster_size", self.cluster_size.unwrap_or(Count(1)))?,
            capacity_words: self
                .capacity_words
                .map(|words| at_least_one("capacity_words", words))
                .transpose()?,
            keeps: Tensor::ALL.map(|tensor| keeps.contains(&tensor)),
            read_bandwidth_words_per_cycle: read,
            write_bandwidth_words_per_cycle: write,
            shared_bandwidth_words_per_cycle: shared,
            read_pj_per_access: energy("read_pj_per_access", self.read_pj_per_access)?,
            write_pj_per_access: energy("write_pj_per_access", self.write_pj_per_access)?,
            update_pj_per_access: energy("update_pj_per_access", self.update_pj_per_access)?,
            leak_pj_per_cycle: self.leak_pj_per_cycle.map_or(0.0, |pj| pj.0),
            drain_reads: self.drain_reads.unwrap_or_default(),
            temporal,
            temporal_whole,
        })
    }

    fn fanout(&self) -> Result<Fanout, String> {
        let [x, y] = [self.x, self.y].map(|extent| extent.map_or(1, |instances| instances.0));
        if x * y > MAX_FANOUT {
            return Err(format!("the product of `x` and `y` is {}: expected at most {MAX_FANOUT}", x * y));
        }
        let set = |dims: &Option<Vec<Dim>>| DimSet::of(dims.as_deref().unwrap_or_default());
        let spatial = [set(&self.spatial_x), set(&self.spatial_y)];
        let spatial_whole = set(&self.spatial_whole);
        if let Some(dim) = spatial_whole.iter().find(|&dim| !spatial.iter().any(|axis| axis.has(dim))) {
            return Err(format!("`spatial_whole` names {dim:?}, which no axis allows"));
        }
        let limits = self.max_factor.clone().unwrap_or_default();
        if let Some((dim, _)) = limits.iter().find(|&(_, &limit)| limit == Count(0)) {
            return Err(format!("`max_factor` of {dim:?} must be at least 1"));
        }
        let max_factor = Dim::ALL.map(|dim| limits.get(&dim).map(|limit| limit.0));
        Ok(Fanout { name: self.name.clone(), extent: [x, y], spatial, spatial_whole, max_factor })
    }
}

/// The most instances of a fan-out: as many as one axis may have.
const MAX_FANOUT: u64 = 1 << 20;

/// The largest multiple of channels. Our choice, because no memory holds channels in larger groups.
const MAX_CHANNEL_MULTIPLE: u64 = 1 << 8;

impl RawAccel {
    fn validate(self, source: &Source) -> Result<AccelSpec, InputError> {
        let fail = |message: &str| Err(source.error_at_top(message));
        if self.kinds.is_empty() {
            return fail("`kinds` is empty: list the layer kinds that the accelerator runs");
        }
        if self.vector_lanes == Count(0) && self.kinds.contains(&LayerKind::Vector) {
            return fail("`vector_lanes` must be at least 1 when `kinds` lists vector");
        }
        let computes = |op: &PostOp| *op != PostOp::Concat;
        if self.vector_lanes == Count(0) && self.post_ops.iter().any(computes) {
            return fail("`vector_lanes` must be at least 1 when `post_ops` lists elementwise or pool");
        }
        if self.dram_overlap.0 > 1.0 {
            return fail("`dram_overlap` must lie between 0 (added to compute) and 1 (hidden behind it)");
        }
        if !(1..=MAX_CHANNEL_MULTIPLE).contains(&self.lowering.channel_multiple) {
            return fail(&format!("`channel_multiple` must lie between 1 and {MAX_CHANNEL_MULTIPLE}"));
        }
        if self.level.len() > MAX_LEVELS {
            return fail(&format!("an accelerator has at most {MAX_LEVELS} levels"));
        }
        let mut levels: Vec<Level> = Vec::with_capacity(self.level.len());
        for raw in &self.level {
            let name = &raw.get_ref().name;
            let at_level = |message: String| source.error(&raw.span(), format!("level `{name}`: {message}"));
            if levels.iter().any(|level| level.name() == name) {
                return Err(at_level("another level has this name".into()));
            }
            levels.push(raw.get_ref().validate().map_err(at_level)?);
        }
        match levels.first() {
            Some(Level::Storage(dram)) if dram.keeps == [true; 3] && dram.capacity_words.is_none() => {}
            _ => {
                return fail(
                    "the first level must be the DRAM: storage without capacity_words that keeps all tensors",
                );
            }
        }
        let spec = AccelSpec {
            name: self.name,
            source: self.source,
            technology: None,
            clock_hz: self.clock_mhz.0 * 1e6,
            kinds: self.kinds,
            post_ops: self.post_ops,
            vector_lanes: self.vector_lanes.0,
            vector_pj_per_op: self.vector_pj_per_op.0,
            array_efficiency: self.array_efficiency.0,
            dram_overlap: self.dram_overlap.0,
            fill_drain_cycles: self.fill_drain_cycles.0,
            dispatch_cycles: self.dispatch_cycles.0,
            lowering: self.lowering,
            resident_kib: self.resident_kib.map(|kib| kib.0),
            clock_mw: self.clock_mw.0,
            gating: self.gating.as_ref().map(|gating| *gating.get_ref()),
            residuals: self.residuals,
            levels,
            mac: Mac { name: self.mac.name, energy_pj: self.mac.energy_pj.0 },
        };
        if let Some(gating) = &self.gating
            && spec.clock_mw + spec.leak_pj_per_cycle() == 0.0
        {
            let message =
                "`gating` would save nothing: give `clock_mw`, or `leak_pj_per_cycle` of a level, above 0";
            return Err(source.error(&gating.span(), message));
        }
        Ok(match self.technology {
            Some(technology) => spec.scaled(technology),
            None => spec,
        })
    }
}
