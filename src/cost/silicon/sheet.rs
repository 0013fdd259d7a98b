//! A vendor's own model of its accelerator, layer by layer: a file of `accel-models/silicon/` with `configuration`s.
//!
//! A sheet's figures per layer are DRAM KiB, cycles of the MACs, and cycles of the layer, which are the larger of those and
//! of the DRAM's. Here is the same from our model: the mapping of least latency, lowered as the accelerator says.
//!
//! - **DRAM words** are those of the layer alone, changed by what runs on the way out: pooling writes fewer outputs, a
//!   residual sum reads its shortcut of the size of the layer's outputs ([`on_the_way_out`]).
//! - **Cycles**: the sheet's own unit of bandwidth is used (`bytes_per_kib`), and its parts overlap completely.
//! - **Batch**: figures of a batch are divided by its size.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;
use serde::Deserialize;

use crate::cost::{Goal, evaluate, mapper};
use crate::files::{InputError, Positive, Source};
use crate::hw::{AccelSpec, Objective};
use crate::workload::LoopNest;

/// The sheet of one accelerator.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    /// The accelerator's family, and the name of the file.
    pub name: String,
    /// The accelerator model whose layers the sheet lists.
    pub accelerator: String,
    /// Where the figures come from.
    pub source: String,
    /// The DRAM bandwidth of the layers' figures.
    pub bandwidth_gbps: Positive,
    /// The bytes that the sheet takes for a KiB when it divides by GB/s.
    pub bytes_per_kib: Positive,
    /// The network whose images per second are published for each configuration.
    pub network: String,
    /// The layers in order.
    pub layers: Vec<SheetLayer>,
    /// Published configurations.
    #[serde(rename = "configuration")]
    pub configurations: Vec<Configuration>,
}

/// The speed of one accelerator model on the sheet's network.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// The accelerator model; its own port is the DRAM bandwidth.
    pub accelerator: String,
    /// Published images per second at batch 1.
    pub images_per_s: Positive,
}

/// One layer with its published figures.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SheetLayer {
    /// The network.
    pub net: String,
    /// The layer's name, with what is fused into it.
    pub name: String,
    /// Channels, rows and columns.
    input: [u64; 3],
    /// Channels, rows and columns before pooling.
    output: [u64; 3],
    kernel: [u64; 2],
    #[serde(default = "one")]
    stride: u64,
    /// Rows and columns that are written, if pooling runs on the way out.
    pooled: Option<[u64; 2]>,
    /// Whether a residual sum reads its shortcut on the way out.
    #[serde(default)]
    shortcut: bool,
    /// Images among which the published figures are divided.
    #[serde(default = "one")]
    batch: u64,
    /// Whether the layer runs without Winograd although the accelerator has it.
    #[serde(default)]
    direct: bool,
    /// Published DRAM traffic of one image.
    pub dram_kib: f64,
    /// Published cycles of the MACs for one image.
    pub mac_cycles: f64,
    /// Published cycles of the layer for one image.
    pub cycles: f64,
    /// What the sheet says limits the layer.
    pub bound: SheetBound,
    /// What the sheet counts differently here.
    pub note: Option<String>,
}

/// What limits a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the names say it")]
pub enum SheetBound {
    Mac,
    Dram,
}

impl SheetBound {
    /// The name, as in the sheet.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mac => "MAC",
            Self::Dram => "DRAM",
        }
    }
}

/// Our figures for one image of a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SheetFigures {
    /// DRAM traffic.
    pub dram_kib: f64,
    /// Cycles of the MACs.
    pub mac_cycles: f64,
    /// Cycles of the DRAM.
    pub dram_cycles: f64,
}

impl SheetFigures {
    /// Cycles of the layer.
    pub fn cycles(&self) -> f64 {
        self.mac_cycles.max(self.dram_cycles)
    }

    /// What limits the layer.
    pub fn bound(&self) -> SheetBound {
        if self.dram_cycles > self.mac_cycles { SheetBound::Dram } else { SheetBound::Mac }
    }
}

fn one() -> u64 {
    1
}

/// Relative difference up to which cycles count as equal.
const CYCLES_TOLERANCE: f64 = 0.05;

impl SheetLayer {
    /// The loop nest at the batch of the published figures. What of a window lies outside the input is padding.
    fn nest(&self) -> LoopNest {
        let ([c, h, w], [k, p, q], [r, s]) = (self.input, self.output, self.kernel);
        let bounds = [self.batch, 1, k, c, p, q, r, s];
        let mut nest = LoopNest { bounds, stride: [self.stride; 2], dilation: [1; 2], padding: [0; 2] };
        let sizes = [h, w].into_iter().enumerate();
        let padding: Vec<u64> =
            sizes.map(|(axis, size)| nest.window(axis).unwrap_or(0).saturating_sub(size)).collect();
        nest.padding = [padding[0], padding[1]];
        nest
    }

    /// DRAM words of one image, from those of the layer alone at its batch.
    fn on_the_way_out(&self, words: [u64; 3]) -> f64 {
        let [weights, inputs, outputs] = words.map(|words| words as f64 / self.batch as f64);
        let [_, p, q] = self.output;
        let written = self.pooled.map_or(1.0, |[rows, columns]| (rows * columns) as f64 / (p * q) as f64);
        let shortcut = if self.shortcut { outputs } else { 0.0 };
        weights + inputs + outputs * written + shortcut
    }

    /// Whether our DRAM traffic is the published one to the byte.
    pub fn same_bytes(&self, ours: &SheetFigures) -> bool {
        (ours.dram_kib - self.dram_kib).abs() * 1024.0 < 0.5
    }

    /// Whether our cycles are within 5 % of the published ones.
    pub fn near_cycles(&self, ours: &SheetFigures) -> bool {
        (ours.cycles() / self.cycles - 1.0).abs() <= CYCLES_TOLERANCE
    }
}

/// A layer as far as the mapper looks at it.
type Task = (LoopNest, bool);

impl Sheet {
    /// Reads a sheet; the accesses of every layer must be countable.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        let source = Source::read(path)?;
        let read: Self = source.parse()?;
        for layer in &read.layers {
            let wrong = |e: String| source.error_at_top(format!("layer `{}`: {e}", layer.name));
            if layer.batch == 0 || layer.output.contains(&0) {
                return Err(wrong("`batch` and the numbers of `output` must be at least 1".into()));
            }
            layer.nest().check().map_err(wrong)?;
        }
        Ok(read)
    }

    /// Our figures for every layer on the sheet's accelerator, in the order of the sheet.
    pub fn figures(&self, accel: &AccelSpec) -> Result<Vec<SheetFigures>, String> {
        let layers: Vec<&SheetLayer> = self.layers.iter().collect();
        self.of_layers(accel, &layers, self.bandwidth_gbps.0)
    }

    /// Our images per second on the sheet's network, at the bandwidth of the accelerator's own port.
    pub fn images_per_s(&self, accel: &AccelSpec) -> Result<f64, String> {
        let layers: Vec<&SheetLayer> = self.layers.iter().filter(|layer| layer.net == self.network).collect();
        let figures = self.of_layers(accel, &layers, accel.port_bytes_per_s() / 1e9)?;
        let cycles: f64 = figures.iter().map(SheetFigures::cycles).sum();
        Ok(accel.clock_hz / cycles)
    }

    fn of_layers(
        &self,
        accel: &AccelSpec,
        layers: &[&SheetLayer],
        gbps: f64,
    ) -> Result<Vec<SheetFigures>, String> {
        let mut tasks: Vec<Task> = layers.iter().map(|layer| (layer.nest(), layer.direct)).collect();
        tasks.sort_unstable();
        tasks.dedup();
        let run = |task: &Task| Ok((*task, run(accel, task, gbps * 1024.0 / self.bytes_per_kib.0)?));
        let done: BTreeMap<Task, (u64, [u64; 3])> =
            tasks.par_iter().map(run).collect::<Result<_, String>>()?;
        let figures = layers.iter().map(|layer| {
            let (steps, words) = done[&(layer.nest(), layer.direct)];
            let dram_kib = layer.on_the_way_out(words) * accel.dram().word_bits as f64 / 8.0 / 1024.0;
            let ns_per_kib = self.bytes_per_kib.0 / gbps;
            SheetFigures {
                dram_kib,
                mac_cycles: steps as f64 / accel.array_efficiency / layer.batch as f64,
                dram_cycles: dram_kib * ns_per_kib * accel.clock_hz / 1e9,
            }
        });
        Ok(figures.collect())
    }
}

/// Steps and DRAM words by tensor under the mapping of least latency.
fn run(accel: &AccelSpec, (nest, direct): &Task, gbps: f64) -> Result<(u64, [u64; 3]), String> {
    let mut accel = accel.clone();
    accel.lowering.winograd &= !direct;
    let goal = Goal { objective: Objective::Latency, bandwidth_gbps: gbps };
    let found = mapper::search(&accel, nest, goal)
        .ok_or_else(|| format!("`{}` cannot run {nest:?}: no mapping is legal", accel.name))?;
    let evaluation = evaluate(&accel, nest, &found.mapping)?;
    let words = evaluation.accesses[0].map(|words| words.reads + words.updates);
    Ok((evaluation.steps, words))
}
