//! A vendor's own model of its accelerator, layer by layer: a file of `accel-models/silicon/` with `configuration`s.
//!
//! A sheet's figures per layer are DRAM KiB, cycles of the MACs, and cycles of the layer, which are the larger of those and
//! of the DRAM's. Here is the same from our model, under the mapping of least latency:
//!
//! - **Pooling and residual sums** run at the output of their layer as far as the accelerator has them (`post_ops`), else
//!   in passes of their own. Their time is left out, as in the sheet.
//! - **Batch**: figures of a batch are divided by its size. Images per second are those at batch 1.
//! - **The sheet's own way of counting** is part of the comparison, not of the accelerator: its unit of bandwidth
//!   (`bytes_per_kib`) always; cycles come both at the accelerator's MAC rate and at the sheet's (`mac_rate`).

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;
use serde::Deserialize;

use crate::cost::access::Flat;
use crate::cost::evaluate::Evaluator;
use crate::cost::layer_cost::stream_of;
use crate::cost::passes::{Pass, passes};
use crate::cost::{Goal, mapper};
use crate::dims::{PostOp, Tensor};
use crate::files::{Fraction, InputError, Positive, Source};
use crate::hw::{AccelSpec, Objective};
use crate::workload::{LoopNest, Op, Post, Work};

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
    /// Share of the MAC rate at which the sheet counts the layer.
    mac_rate: Option<Fraction>,
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

/// Cycles for one image of a layer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SheetTime {
    /// Cycles of the MACs.
    pub mac_cycles: f64,
    /// Cycles of the layer.
    pub cycles: f64,
}

impl SheetTime {
    /// What limits the layer.
    pub fn bound(&self) -> SheetBound {
        if self.cycles > self.mac_cycles { SheetBound::Dram } else { SheetBound::Mac }
    }
}

/// Our figures for one image of a layer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SheetFigures {
    /// DRAM traffic.
    pub dram_kib: f64,
    /// Cycles at the accelerator's MAC rate.
    pub model: SheetTime,
    /// Cycles at the MAC rate of the sheet.
    pub rated: SheetTime,
}

/// Our images per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SheetSpeed {
    /// At the accelerator's MAC rate.
    pub model: f64,
    /// At the MAC rates of the sheet.
    pub rated: f64,
}

fn one() -> u64 {
    1
}

/// Relative difference up to which cycles count as equal.
const CYCLES_TOLERANCE: f64 = 0.05;

impl SheetLayer {
    /// The loop nest of `batch` images. What of a window lies outside the input is padding.
    fn nest(&self, batch: u64) -> LoopNest {
        let ([c, h, w], [k, p, q], [r, s]) = (self.input, self.output, self.kernel);
        let bounds = [batch, 1, k, c, p, q, r, s];
        let mut nest = LoopNest { bounds, stride: [self.stride; 2], dilation: [1; 2], padding: [0; 2] };
        let beyond = |axis: usize, size: u64| nest.window(axis).unwrap_or(0).saturating_sub(size);
        nest.padding = [beyond(0, h), beyond(1, w)];
        nest
    }

    /// The layer with what runs at its output. Element operations are left out, as the sheet does not count their time.
    fn work(&self, batch: u64) -> Work {
        let nest = self.nest(batch);
        let outputs = nest.elements(Tensor::Outputs);
        let [k, ..] = self.output;
        let sum = Post { op: PostOp::Elementwise, reads: 2 * outputs, writes: outputs, ops: 0 };
        let pool = |[rows, columns]: [u64; 2]| Post {
            op: PostOp::Pool,
            reads: outputs,
            writes: batch * k * rows * columns,
            ops: 0,
        };
        let post = self.shortcut.then_some(sum).into_iter().chain(self.pooled.map(pool));
        Work { post: post.collect(), ..Work::from(Op::Conv(nest)) }
    }

    /// Whether our DRAM traffic is the published one to the byte.
    pub fn same_bytes(&self, ours: &SheetFigures) -> bool {
        (ours.dram_kib - self.dram_kib).abs() * 1024.0 < 0.5
    }

    /// Whether our cycles are within 5 % of the published ones.
    pub fn near_cycles(&self, ours: &SheetTime) -> bool {
        (ours.cycles / self.cycles - 1.0).abs() <= CYCLES_TOLERANCE
    }
}

/// What the mapper runs: a layer, and whether without Winograd.
type Task = (Work, bool);

/// Steps and DRAM words of one pass.
type Traffic = (u64, u64);

impl Sheet {
    /// Reads a sheet; the accesses of every layer must be countable.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        let source = Source::read(path)?;
        let read: Self = source.parse()?;
        for layer in &read.layers {
            let wrong = |e: String| source.error_at_top(format!("layer `{}`: {e}", layer.name));
            if layer.batch == 0 || layer.output.contains(&0) || layer.kernel.contains(&0) {
                return Err(wrong("`batch`, `output` and `kernel` must be at least 1".into()));
            }
            layer.work(layer.batch).check().map_err(wrong)?;
        }
        Ok(read)
    }

    /// Our figures for every layer on the sheet's accelerator, in the order of the sheet.
    pub fn figures(&self, accel: &AccelSpec) -> Result<Vec<SheetFigures>, String> {
        let layers: Vec<(&SheetLayer, u64)> = self.layers.iter().map(|layer| (layer, layer.batch)).collect();
        self.of_layers(accel, &layers, self.bandwidth_gbps.0)
    }

    /// Our images per second on the sheet's network, at batch 1 and the bandwidth of the accelerator's own port.
    pub fn images_per_s(&self, accel: &AccelSpec) -> Result<SheetSpeed, String> {
        let network = self.layers.iter().filter(|layer| layer.net == self.network);
        let layers: Vec<(&SheetLayer, u64)> = network.map(|layer| (layer, 1)).collect();
        let figures = self.of_layers(accel, &layers, accel.port_bytes_per_s() / 1e9)?;
        let per_s = |time: fn(&SheetFigures) -> SheetTime| {
            accel.clock_hz / figures.iter().map(|figures| time(figures).cycles).sum::<f64>()
        };
        Ok(SheetSpeed { model: per_s(|figures| figures.model), rated: per_s(|figures| figures.rated) })
    }

    fn of_layers(
        &self,
        accel: &AccelSpec,
        layers: &[(&SheetLayer, u64)],
        gbps: f64,
    ) -> Result<Vec<SheetFigures>, String> {
        let task = |&(layer, batch): &(&SheetLayer, u64)| (layer.work(batch), layer.direct);
        let mut tasks: Vec<Task> = layers.iter().map(task).collect();
        tasks.sort_unstable();
        tasks.dedup();
        let bandwidth_gbps = gbps * 1024.0 / self.bytes_per_kib.0;
        let run = |task: Task| run(accel, &task, bandwidth_gbps).map(|passes| (task, passes));
        let done: BTreeMap<Task, Vec<Traffic>> =
            tasks.into_par_iter().map(run).collect::<Result<_, String>>()?;
        let cycles_per_kib = self.bytes_per_kib.0 / (gbps * 1e9) * accel.clock_hz;
        let figures = layers.iter().map(|layer| {
            let (mac_rate, batch) = (layer.0.mac_rate.map_or(1.0, |rate| rate.0), layer.1 as f64);
            let mut sum = SheetFigures::default();
            for &(steps, words) in &done[&task(layer)] {
                let dram_kib = (words * accel.dram().word_bits) as f64 / 8.0 / 1024.0 / batch;
                let mac_cycles = steps as f64 / accel.array_efficiency / batch;
                sum.dram_kib += dram_kib;
                for (time, rate) in [(&mut sum.model, 1.0), (&mut sum.rated, mac_rate)] {
                    time.mac_cycles += mac_cycles / rate;
                    time.cycles += (mac_cycles / rate).max(dram_kib * cycles_per_kib);
                }
            }
            sum
        });
        Ok(figures.collect())
    }
}

fn run(accel: &AccelSpec, (work, direct): &Task, bandwidth_gbps: f64) -> Result<Vec<Traffic>, String> {
    let mut accel = accel.clone();
    accel.lowering.winograd &= !direct;
    let goal = Goal { objective: Objective::Latency, bandwidth_gbps };
    let passes = passes(&accel, work)
        .and_then(|passes| passes.iter().map(|pass| traffic(&accel, pass, goal)).collect::<Option<Vec<_>>>());
    passes.ok_or_else(|| format!("`{}` cannot run {work:?}", accel.name))
}

fn traffic(accel: &AccelSpec, pass: &Pass, goal: Goal) -> Option<Traffic> {
    if let Some(stream) = stream_of(accel, pass) {
        return Some((0, stream.reads + stream.writes));
    }
    let found = mapper::search_pass(accel, pass, goal)?;
    let evaluator = Evaluator::of_pass(accel, pass).ok()?;
    let summary = evaluator.summary(&Flat::of(&found.mapping));
    Some((summary.steps, summary.dram_words))
}
