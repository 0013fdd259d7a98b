//! A system: the accelerator models, the number of each, and the DRAM that they share.

use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::accel::AccelSpec;
use super::memory::{LinkSpec, MemorySpec, Placement, Raw, RawLink, RawMemory, route};
use crate::dims::{LayerKind, PostOp};
use crate::files::{
    Folders, Fraction, Gbps, InputError, NonNegative, Source, Spanned, did_you_mean, schema_of,
};
use crate::precision::Precision;

/// How co-running layers share the DRAM bandwidth: the weights of the one water-filling routine, or its soft knee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sharing {
    /// Max-min fairness (weight 1): small demands are met first. Within 5 % of cycle-level DDR4 in the mean
    /// (`src/guide/model.md`).
    MaxMin,
    /// Weight = demand: every layer is slowed by the same factor, as in the RELMAS family's model.
    Proportional,
    /// Weight = bytes per DRAM tile: unbounded queues served first come, first served, to which a layer adds a tile's
    /// requests at once.
    Fifo,
    /// Weights that the scheduler sets, as in MoCA: above a threshold of the total demand, and with a floor. Max-min
    /// below the threshold, and for schedulers that set no weights.
    Score,
    /// Max-min for layers that load in bursts, which slow down a little before the bandwidth is used up
    /// (`sim::bandwidth::knee`).
    Knee,
}

/// What of a network runs at the output of the layer before it, instead of reading that output back from DRAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fusion {
    /// Nothing but what the network file lists as `fused`.
    None,
    /// What the accelerators list as `post_ops` (`Network::fused`).
    Post,
}

/// Which tensors stay on chip across layers and requests (`sim::residency`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Residency {
    /// None.
    None,
    /// Outputs, until the layers that read them have ended.
    Outputs,
    /// Weights, until others take their place.
    Weights,
    /// Outputs and weights.
    All,
}

impl Residency {
    /// Whether outputs stay.
    pub fn keeps_outputs(self) -> bool {
        matches!(self, Self::Outputs | Self::All)
    }

    /// Whether weights stay.
    pub fn keeps_weights(self) -> bool {
        matches!(self, Self::Weights | Self::All)
    }
}

/// The objective that the mapper minimises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// Latency alone at the reference bandwidth.
    Latency,
    /// Energy alone.
    Energy,
    /// Energy x latency.
    Edp,
}

/// A validated system with its accelerator models.
#[derive(Clone, Debug, PartialEq)]
pub struct SystemSpec {
    /// The name by which experiments refer to it.
    pub name: String,
    /// What the system models, and where its numbers come from.
    pub source: String,
    /// Peak DRAM bandwidth in GB/s (10^9 bytes), of all memories together; may be infinite.
    pub dram_bandwidth_gbps: f64,
    /// Share of the peak that the DRAM delivers.
    pub dram_efficiency: f64,
    /// Power in mW of the DRAM on standby, whatever it transfers.
    pub dram_background_mw: f64,
    /// Mean power in mW of its refresh.
    pub dram_refresh_mw: f64,
    /// How the bandwidth is shared.
    pub sharing: Sharing,
    /// Whether outputs stay on chip for the layer that runs next (`sim::forwarding`).
    pub forwarding: bool,
    /// Which tensors stay on chip across layers and requests.
    pub residency: Residency,
    /// What runs at the output of the layer before it.
    pub fusion: Fusion,
    /// The bits of elements where networks say nothing.
    pub precision: Precision,
    /// What the mapper minimises.
    pub objective: Objective,
    /// The bandwidth in GB/s at which the mapper counts latency. Fixed per system, so that a sweep over the DRAM
    /// bandwidth compares the same mappings.
    pub mapping_bandwidth_gbps: f64,
    /// A user's own cost table instead of the cost model.
    pub cost: Option<PathBuf>,
    /// The distinct models.
    pub models: Vec<AccelSpec>,
    /// The sub-accelerators m = 1..M, in file order.
    pub accelerators: Vec<Accelerator>,
    /// The memories, if there are several or one has a name; their bandwidths add up to that of the DRAM.
    pub memories: Vec<MemorySpec>,
    /// The links between memories.
    pub links: Vec<LinkSpec>,
    /// Where the data of networks live.
    pub data_placement: Placement,
}

/// One sub-accelerator of a system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accelerator {
    /// Unique in the system: the model's name and a number.
    pub name: String,
    /// Index into [`SystemSpec::models`].
    pub model: usize,
    /// Its memory: an index into [`SystemSpec::memories`], or 0 if there is only one.
    pub memory: usize,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "mascot: a system: accelerators that share DRAM")]
struct RawSystem {
    /// The name by which experiments refer to the system; it must be the name of the file.
    name: String,
    /// What the system models, and where its numbers come from.
    source: String,
    /// Peak DRAM bandwidth in GB/s (10^9 bytes); `inf` is allowed. Left out where `memory` gives it.
    dram_bandwidth_gbps: Option<Spanned<Gbps>>,
    /// Share of the peak that the DRAM delivers.
    #[serde(default = "default_efficiency")]
    dram_efficiency: Fraction,
    /// Power in mW that the whole DRAM draws on standby, whatever it transfers; 0 if left out.
    #[serde(default)]
    dram_background_mw: NonNegative,
    /// Mean power in mW of refreshing the whole DRAM; 0 if left out. The time that refresh takes is part of
    /// `dram_efficiency`.
    #[serde(default)]
    dram_refresh_mw: NonNegative,
    /// How co-running layers share the bandwidth.
    #[serde(default = "default_sharing")]
    sharing: Sharing,
    /// Whether outputs stay on chip for the layer that runs next.
    #[serde(default)]
    forwarding: bool,
    /// Which tensors stay on chip across layers and requests, in the memories of the accelerators (`resident_kib`).
    #[serde(default = "no_residency")]
    residency: Residency,
    /// What runs at the output of the layer before it; `post` if left out, or `none` where `cost` gives a table, whose
    /// rows are layers as the network file has them.
    fusion: Option<Fusion>,
    /// Bits per element of the tensors of all layers whose network does not say otherwise, such as w4a8; `native` (the
    /// words of the accelerators) if left out. Costs of your own (`cost`) know of none.
    #[serde(default)]
    precision: Precision,
    /// What the mapper minimises.
    #[serde(default = "default_objective")]
    objective: Objective,
    /// The bandwidth in GB/s at which the mapper counts latency; `dram_bandwidth_gbps` if left out.
    mapping_bandwidth_gbps: Option<Gbps>,
    /// A CSV file with costs of your own instead of the cost model, from the folder of this file.
    cost: Option<PathBuf>,
    /// The sub-accelerators, in order.
    accelerator: Vec<RawInstance>,
    /// Several memories (DRAM channels or stacks), each with a bandwidth of its own, in place of `dram_bandwidth_gbps`.
    #[serde(default)]
    memory: Vec<Spanned<RawMemory>>,
    /// The links of the on-package network that joins the memories.
    #[serde(default)]
    link: Vec<Spanned<RawLink>>,
    /// Where the data of networks live, if there are several memories; `local` if left out.
    data_placement: Option<Spanned<Placement>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawInstance {
    /// The accelerator model: the name of a file in accel-models/.
    model: Spanned<String>,
    /// Number of accelerators of this model.
    #[serde(default = "one")]
    count: Spanned<u64>,
    /// The memory to which they are attached, where the file has several.
    memory: Option<Spanned<String>>,
}

fn one() -> Spanned<u64> {
    Spanned::nowhere(1)
}

/// With it, max-min sharing is within 5 % of cycle-level DDR4 in the mean (`src/guide/model.md`).
fn default_efficiency() -> Fraction {
    Fraction(0.88)
}

fn default_sharing() -> Sharing {
    Sharing::MaxMin
}

fn no_residency() -> Residency {
    Residency::None
}

fn default_objective() -> Objective {
    Objective::Edp
}

/// Our choice, because no published system has as many sub-accelerators, and dense tables of so many fit the memory of a
/// small machine.
pub const MAX_ACCELERATORS: usize = 1_024;

impl RawSystem {
    /// The bandwidth of the DRAM, given either as a whole or by memory.
    fn bandwidth_gbps(&self, memories: &[MemorySpec], source: &Source) -> Result<f64, InputError> {
        match (&self.dram_bandwidth_gbps, memories) {
            (Some(gbps), []) => Ok(gbps.get_ref().0),
            (None, [_, ..]) => Ok(memories.iter().map(|memory| memory.bandwidth_gbps).sum()),
            (Some(gbps), _) => {
                let message = "`dram_bandwidth_gbps` is the sum of the `bandwidth_gbps` of all `[[memory]]`: leave it out";
                Err(source.error(&gbps.span(), message))
            }
            (None, []) => {
                Err(source.error_at_top("`dram_bandwidth_gbps` is missing, e.g. dram_bandwidth_gbps = 32"))
            }
        }
    }
}

/// The accelerators of a file, read one by one.
struct Instances<'a> {
    source: &'a Source,
    known: Folders,
    models: Vec<AccelSpec>,
    all: Vec<Accelerator>,
}

impl Instances<'_> {
    fn add(&mut self, raw: &RawInstance, given: &Raw, memories: &[MemorySpec]) -> Result<(), InputError> {
        let model = self.model(&raw.model)?;
        let memory = Self::memory(raw, given, memories)?;
        let count = *raw.count.get_ref();
        if count == 0 || self.all.len() as u64 + count > MAX_ACCELERATORS as u64 {
            let message = format!("a system has 1 to {MAX_ACCELERATORS} accelerators in all");
            return Err(self.source.error(&raw.count.span(), message));
        }
        for _ in 0..count {
            let number = self.all.iter().filter(|a| a.model == model).count();
            self.all.push(Accelerator { name: format!("{}.{number}", raw.model.get_ref()), model, memory });
        }
        Ok(())
    }

    /// The index of a model, which is read when it comes first.
    fn model(&mut self, name: &Spanned<String>) -> Result<usize, InputError> {
        if let Some(model) = self.models.iter().position(|m| m.name == *name.get_ref()) {
            return Ok(model);
        }
        let name_is = name.get_ref();
        let file = self.known.find(name_is).ok_or_else(|| {
            let hint = did_you_mean(name_is, self.known.names());
            let expected = self.known.expected(name_is);
            let message = format!("no accelerator model `{name_is}`{hint}: expected {}", expected.display());
            self.source.error(&name.span(), message)
        })?;
        let model = AccelSpec::read(&file)?;
        if model.name != *name_is {
            let message = format!("`name` is `{}`: expected `{name_is}`, the name of the file", model.name);
            return Err(InputError::file(&file, message));
        }
        self.models.push(model);
        Ok(self.models.len() - 1)
    }

    /// The index of the memory of accelerators.
    fn memory(raw: &RawInstance, given: &Raw, memories: &[MemorySpec]) -> Result<usize, InputError> {
        let wrong = |span, message: String| given.source.error(&span, message);
        match (&raw.memory, memories) {
            (Some(name), [_, ..]) => {
                given.find(memories, name.get_ref()).map_err(|message| wrong(name.span(), message))
            }
            (None, [] | [_]) => Ok(0),
            (Some(name), []) => Err(wrong(name.span(), "`memory` needs `[[memory]]` in this file".into())),
            (None, _) => {
                let known: Vec<&str> = memories.iter().map(|memory| memory.name.as_str()).collect();
                let message = format!("`memory` is missing: expected one of {}", known.join(", "));
                Err(wrong(raw.model.span(), message))
            }
        }
    }
}

impl SystemSpec {
    /// The JSON Schema of a system file.
    pub fn schema() -> Schema {
        schema_of::<RawSystem>()
    }

    /// Reads and validates a system file; models are looked for in `known` as `<model>.toml`.
    pub fn read(path: &Path, known: impl Into<Folders>) -> Result<Self, InputError> {
        let source = Source::read(path)?;
        let raw: RawSystem = source.parse()?;
        let given = Raw { source: &source, memories: &raw.memory, links: &raw.link };
        let memories = given.memories()?;
        let links = given.links(&memories)?;
        let mut instances =
            Instances { source: &source, known: known.into(), models: Vec::new(), all: Vec::new() };
        raw.accelerator.iter().try_for_each(|raw| instances.add(raw, &given, &memories))?;
        let Instances { models, all: accelerators, .. } = instances;
        if accelerators.is_empty() {
            return Err(source.error_at_top("`accelerator` is empty: a system has at least one"));
        }
        let dram_bandwidth_gbps = raw.bandwidth_gbps(&memories, &source)?;
        let mapping_bandwidth_gbps = raw.mapping_bandwidth_gbps.map_or(dram_bandwidth_gbps, |v| v.0);
        let folder = path.parent().unwrap_or(Path::new("."));
        let data_placement = raw.data_placement.as_ref().map(|placement| *placement.get_ref());
        let system = Self {
            name: raw.name,
            source: raw.source,
            dram_bandwidth_gbps,
            dram_efficiency: raw.dram_efficiency.0,
            dram_background_mw: raw.dram_background_mw.0,
            dram_refresh_mw: raw.dram_refresh_mw.0,
            sharing: raw.sharing,
            forwarding: raw.forwarding,
            residency: raw.residency,
            precision: raw.precision,
            fusion: raw.fusion.unwrap_or(if raw.cost.is_some() { Fusion::None } else { Fusion::Post }),
            objective: raw.objective,
            mapping_bandwidth_gbps,
            cost: raw.cost.map(|table| folder.join(table)),
            models,
            accelerators,
            memories,
            links,
            data_placement: data_placement.unwrap_or_default(),
        };
        let problem = data_placement.and_then(|placement| system.check_placement(placement).err());
        match (raw.data_placement, problem) {
            (Some(key), Some(problem)) => Err(source.error(&key.span(), problem)),
            _ => Ok(system),
        }
    }

    /// Checks that data may live there: there are several memories and, where layers read other than their own, links.
    ///
    /// # Errors
    /// What is missing.
    pub fn check_placement(&self, placement: Placement) -> Result<(), String> {
        if self.memories.len() < 2 {
            return Err("`data_placement` needs several memories (`[[memory]]`): leave it out".into());
        }
        let links: Vec<[usize; 2]> = self.links.iter().map(|link| link.between).collect();
        let lonely = |&other: &usize| route(self.memories.len(), &links, 0, other).is_none();
        match (1..self.memories.len()).find(lonely).filter(|_| placement != Placement::Local) {
            None => Ok(()),
            Some(other) => Err(format!(
                "no links lead from memory `{}` to `{}`: data that do not stay local need a `[[link]]`",
                self.memories[0].name, self.memories[other].name
            )),
        }
    }

    /// Number of MAC units of all accelerators together.
    pub fn macs_per_cycle(&self) -> u64 {
        self.accelerators.iter().map(|a| self.models[a.model].macs_per_cycle()).sum()
    }
}

/// Whether a vector operation may become a part of the layer before it, which is of the given kind, where these models
/// share the work: some model that runs the layer has the operation in its post-processor, and every other one that runs
/// the layer can run the operation as well, in a pass of its own. A join must cost none of them a copy.
pub fn fuses(models: &[AccelSpec], host: LayerKind, op: PostOp) -> bool {
    let has = |model: &AccelSpec| model.post_ops.contains(&op);
    if op == PostOp::Concat {
        return models.iter().all(has);
    }
    let mut hosts = models.iter().filter(|model| model.kinds.contains(&host));
    let able = |model: &AccelSpec| has(model) || model.kinds.contains(&LayerKind::Vector);
    hosts.clone().any(has) && hosts.all(able)
}
