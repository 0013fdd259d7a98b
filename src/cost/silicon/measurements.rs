//! Published measurements of a chip by layer: a file of `accel-models/silicon/` with `[[measured]]` layers.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::cost::{Goal, Mapping, mapper};
use crate::dims::Dim;
use crate::files::{InputError, Positive, Share, Source};
use crate::hw::{AccelSpec, Objective};
use crate::workload::LoopNest;

/// One network on one chip.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measurements {
    /// The network, and the name of the file.
    pub name: String,
    /// The accelerator model that stands for the chip.
    pub accelerator: String,
    /// Where the figures come from.
    pub source: String,
    /// The layers in order.
    #[serde(rename = "measured")]
    pub layers: Vec<Layer>,
}

/// One layer at the batch size that was measured.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// The layer's name.
    pub name: String,
    bounds: BTreeMap<Dim, u64>,
    #[serde(default = "one")]
    stride: u64,
    /// Shares of zeros in the layer's activations.
    pub zeros: Zeros,
    /// The published figures.
    pub published: Published,
    mapping: Option<Vec<NamedLevel>>,
}

/// Shares of zeros among the words of the activations.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zeros {
    /// The share in the inputs.
    pub inputs: Share,
    /// The share in the outputs.
    pub outputs: Share,
}

/// The loops of one level, outermost first; what is left out has none.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedLevel {
    name: String,
    #[serde(default)]
    temporal: Vec<(Dim, u64)>,
    #[serde(default)]
    spatial_x: Vec<(Dim, u64)>,
    #[serde(default)]
    spatial_y: Vec<(Dim, u64)>,
}

fn one() -> u64 {
    1
}

/// The measured figures; `None` where none is published or legible.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names say what and in which unit; MB are 10^6 bytes")]
pub struct Published {
    pub active_pes: Option<u64>,
    pub processing_ms: Option<Positive>,
    /// Processing time plus exposed DRAM time.
    pub total_ms: Option<Positive>,
    /// DRAM traffic after the chip's compression.
    pub dram_mb: Option<Positive>,
    pub glb_mb: Option<Positive>,
    /// Power of the chip without DRAM, averaged over the total time.
    pub power_mw: Option<Positive>,
}

impl Published {
    /// Energy of the layer on chip in mJ: power x total time.
    pub fn energy_mj(&self) -> Option<f64> {
        Some(self.power_mw?.0 * self.total_ms?.0 / 1e3)
    }
}

impl Measurements {
    /// Reads a file; the accesses of every layer must be countable.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        let source = Source::read(path)?;
        let read: Self = source.parse()?;
        for layer in &read.layers {
            let checked = layer.nest().check();
            checked.map_err(|e| source.error_at_top(format!("layer `{}`: {e}", layer.name)))?;
        }
        Ok(read)
    }
}

impl Layer {
    /// The loop nest of the layer.
    pub fn nest(&self) -> LoopNest {
        let bounds = Dim::ALL.map(|dim| self.bounds.get(&dim).copied().unwrap_or(1));
        LoopNest { bounds, stride: [self.stride; 2], dilation: [1; 2], padding: [0; 2] }
    }

    /// The published mapping, which `accel` must allow; `None` where there is none.
    pub fn published_mapping(&self, accel: &AccelSpec) -> Result<Option<Mapping>, String> {
        let Some(levels) = &self.mapping else { return Ok(None) };
        let named = levels.iter().map(|level| {
            let NamedLevel { name, temporal, spatial_x, spatial_y } = level;
            (name.as_str(), [&temporal[..], spatial_x, spatial_y])
        });
        let nest = self.nest();
        let mapping = Mapping::of_levels(named, accel, &nest)
            .and_then(|mapping| mapping.check_legal(accel, &nest).map(|()| mapping));
        mapping.map(Some).map_err(|e| self.on(accel, &e))
    }

    /// The published mapping, or, where there is none, the one of least energy x delay that the accelerator allows.
    pub fn mapping(&self, accel: &AccelSpec) -> Result<Mapping, String> {
        if let Some(published) = self.published_mapping(accel)? {
            return Ok(published);
        }
        // The model's own port limits DRAM; there is no other bandwidth to count.
        let goal = Goal { objective: Objective::Edp, bandwidth_gbps: f64::INFINITY };
        let found = mapper::search(accel, &self.nest(), goal);
        found.map(|found| found.mapping).ok_or_else(|| self.on(accel, "no mapping is legal"))
    }

    fn on(&self, accel: &AccelSpec, message: &str) -> String {
        format!("layer `{}` on `{}`: {message}", self.name, accel.name)
    }
}
