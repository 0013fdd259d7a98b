//! `mascot cost table`: shows the cost of every layer of a network on an accelerator.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Args;
use rayon::prelude::*;

use super::choice::{Choice, Chosen};
use crate::cli::progress::Bars;
use crate::cli::table::{csv, render};
use crate::cost::{Breakdown, LayerCost, advice, breakdown, loop_nest, loop_summary};
use crate::dims::Dim;
use crate::experiment::{Error, Progress};
use crate::files::read_value;
use crate::hw::{AccelSpec, Fusion};
use crate::metrics::Value;
use crate::precision::Precision;
use crate::results::number;
use crate::workload::{LoopNest, Op, Work};

#[derive(Args)]
pub(in crate::cli) struct Options {
    #[command(flatten)]
    choice: Choice,
    /// What runs at the output of the layer before it: post, what the accelerator lists as `post_ops`; or none
    #[arg(long, value_name = "none|post", default_value = "post", value_parser = fusion)]
    fusion: Fusion,
    /// Bits per element of layers whose network does not say otherwise, such as w4a8 or w8i8o16p32: weights (w), inputs
    /// and outputs (a, or i and o), partial sums (p) [default: the words of the accelerator]
    #[arg(long, value_name = "BITS", default_value_t = Precision::NATIVE, hide_default_value = true)]
    precision: Precision,
    /// Print CSV with all digits and more columns, such as the mapping on one line; a system reads it as `cost`
    #[arg(long)]
    csv: bool,
    /// Print each mapping as a loop nest, the way Timeloop does, before the table
    #[arg(long, conflicts_with = "csv")]
    mapping: bool,
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let chosen = options.choice.read(options.precision, options.fusion)?;
    let known = breakdowns(&chosen);
    let layers = chosen.network.layers.iter().zip(&chosen.works);
    let text = if options.csv {
        let batch = options.choice.batch.to_string();
        let rows: Vec<_> = layers
            .map(|(layer, work)| csv_row(&chosen, &layer.name, &batch, work, known[work].as_ref()))
            .collect();
        csv(&CSV_COLUMNS, &rows)
    } else {
        let nests = if options.mapping { loop_nests(&chosen, &known) } else { String::new() };
        let rows = layers.map(|(layer, work)| row(&layer.name, work, known[work].as_ref(), &chosen.accel));
        let header = header(&chosen.accel);
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        nests + &render(&header, MACS_COLUMN..header.len(), rows.collect()) + &total(&chosen, &known)
    };
    for (layer, op) in chosen.network.layers.iter().zip(&chosen.works) {
        let advice = known[op].as_ref().and_then(|found| advice(&chosen.accel, found.gap, found.widest));
        if let Some(advice) = advice {
            crate::cli::eprint(&format!("warning: layer `{}`: {advice}", layer.name));
        }
    }
    crate::cli::print(&text)
}

fn fusion(text: &str) -> Result<Fusion, String> {
    read_value(&text.into()).map_err(|_| "expected none or post".to_string())
}

/// The breakdown of each distinct layer; `None` if the accelerator cannot run it.
type Known = BTreeMap<Work, Option<Breakdown>>;

/// Maps each distinct layer once. The cache does not help here: it keeps costs, not mappings.
fn breakdowns(chosen: &Chosen) -> Known {
    let mut works = chosen.works.clone();
    works.sort_unstable();
    works.dedup();
    let bars = Bars::new(false);
    bars.begin(&format!("mapping layers on {}", chosen.accel.name), works.len());
    let done = AtomicUsize::new(0);
    let found = works.into_par_iter().map(|work| {
        let found = breakdown(&chosen.accel, &work, chosen.goal);
        bars.advance(done.fetch_add(1, Ordering::Relaxed) + 1);
        (work, found)
    });
    found.collect()
}

/// The first column that holds numbers.
const MACS_COLUMN: usize = 3;

/// The columns of the CSV file, the same for all accelerators, so that tables can be joined into one.
const CSV_COLUMNS: [&str; 19] = [
    "network",
    "layer",
    "accelerator",
    "batch",
    "kind",
    "dims",
    "macs",
    "cycles",
    "latency_us",
    "utilization",
    "bound_by",
    "dram_bytes",
    "weight_bytes",
    "input_bytes",
    "demand_gbps",
    "dram_tiles",
    "energy_pj",
    "levels_pj",
    "mapping",
];

/// One cell per column of the CSV file; what a layer that the accelerator cannot run does not have is empty.
fn csv_row(
    Chosen { network, accel, .. }: &Chosen,
    name: &str,
    batch: &str,
    work: &Work,
    found: Option<&Breakdown>,
) -> Vec<String> {
    let op = &work.op;
    let known = [&network.name, name, &accel.name, batch, op.kind().name(), &shape(work)];
    let mut cells: Vec<String> = known.map(String::from).to_vec();
    cells.push(op.macs().0.to_string());
    let Some(Breakdown { cost, cycles, bound, energy_pj, mapping, .. }) = found else {
        cells.resize(CSV_COLUMNS.len(), String::new());
        return cells;
    };
    let real = |value: f64| Value::Real(value).to_string();
    let levels = accel.storages().map(|(level, storage)| (&storage.name, energy_pj[level]));
    let levels = levels.chain([(&accel.mac.name, energy_pj[accel.levels.len()])]);
    cells.extend([
        cycles.0.to_string(),
        real(cost.latency.as_us()),
        real(cost.utilization),
        bound.name(accel).to_string(),
        cost.dram_bytes.0.to_string(),
        cost.weight_bytes.0.to_string(),
        cost.input_bytes.0.to_string(),
        real(demand_gbps(cost)),
        cost.tiles.to_string(),
        real(cost.energy.0),
        levels.map(|(name, pj)| format!("{name} {}", real(pj))).collect::<Vec<_>>().join(", "),
        mapping.as_ref().map_or(String::new(), |mapping| loop_summary(accel, mapping)),
    ]);
    cells
}

fn demand_gbps(cost: &LayerCost) -> f64 {
    cost.dram_bytes.0 as f64 / cost.latency.as_s() / 1e9
}

fn header(accel: &AccelSpec) -> Vec<String> {
    let fixed = [
        "layer",
        "kind",
        "dims",
        "macs",
        "cycles",
        "latency_us",
        "utilization",
        "bound_by",
        "dram_bytes",
        "demand_gbps",
        "dram_tiles",
        "energy_uj",
    ];
    let storages = accel.storages().map(|(_, storage)| &storage.name);
    let levels = storages.chain([&accel.mac.name]).map(|name| format!("{name}_uj"));
    fixed.map(String::from).into_iter().chain(levels).collect()
}

/// One cell per column of the header; a layer that the accelerator cannot run has dashes.
fn row(name: &str, work: &Work, found: Option<&Breakdown>, accel: &AccelSpec) -> Vec<String> {
    let op = &work.op;
    let mut cells =
        vec![name.to_string(), op.kind().name().to_string(), shape(work), op.macs().0.to_string()];
    let Some(Breakdown { cost, cycles, bound, energy_pj, .. }) = found else {
        cells.resize(header(accel).len(), "-".to_string());
        return cells;
    };
    let uj = |pj: f64| number(Some(pj / 1e6), 3);
    cells.extend([
        cycles.0.to_string(),
        number(Some(cost.latency.as_us()), 3),
        number(Some(cost.utilization), 4),
        bound.name(accel).to_string(),
        cost.dram_bytes.0.to_string(),
        number(Some(demand_gbps(cost)), 3),
        cost.tiles.to_string(),
        uj(cost.energy.0),
    ]);
    let levels = accel.storages().map(|(level, _)| level).chain([accel.levels.len()]);
    cells.extend(levels.map(|level| uj(energy_pj[level])));
    cells
}

/// The shape of a layer with its precision, and behind each `+` what an operation at its output reads, writes and does.
fn shape(work: &Work) -> String {
    let post =
        work.post.iter().map(|post| format!(" + {} -> {} in {} ops", post.reads, post.writes, post.ops));
    let bits = work.precision.set().map_or(String::new(), |precision| format!(" {precision}"));
    dims(&work.op) + &bits + &post.collect::<String>()
}

/// The shape of a layer alone: its sizes above 1, stride and dilation; or, without a loop nest, what it reads and writes.
fn dims(op: &Op) -> String {
    match op {
        Op::Conv(nest) | Op::Gemm(nest) | Op::Matmul(nest) => nest_dims(nest),
        Op::Vector { reads, writes, ops } => format!("{reads} -> {writes} in {ops} ops"),
        Op::Lookup { reads, writes } => format!("{reads} -> {writes}"),
    }
}

fn nest_dims(nest: &LoopNest) -> String {
    let above_one = Dim::ALL.into_iter().filter(|&dim| nest.bound(dim) > 1);
    let mut words: Vec<String> = above_one.map(|dim| format!("{dim:?}{}", nest.bound(dim))).collect();
    for (what, [along_p, along_q]) in [("stride", nest.stride), ("dilation", nest.dilation)] {
        if [along_p, along_q] != [1, 1] {
            words.push(format!("{what} {along_p}x{along_q}"));
        }
    }
    words.join(" ")
}

fn loop_nests(chosen: &Chosen, known: &Known) -> String {
    let Chosen { network, works, accel, .. } = chosen;
    let nests = network.layers.iter().zip(works).filter_map(|(layer, work)| {
        let mapping = known[work].as_ref()?.mapping.as_ref()?;
        let nest = work.op.nest()?;
        Some(format!("{}: {}\n\n{}\n", layer.name, shape(work), loop_nest(accel, nest, mapping)))
    });
    nests.collect()
}

/// The sums over all layers. If the accelerator cannot run some layer, the number of such layers instead.
fn total(chosen: &Chosen, known: &Known) -> String {
    let name = &chosen.network.name;
    let unable = chosen.works.iter().filter(|work| known[*work].is_none()).count();
    if unable > 0 {
        let (layers, accel) = (chosen.works.len(), &chosen.accel.name);
        return format!("\n{name}: {unable} of {layers} layers cannot run on {accel}\n");
    }
    let sum =
        |of: fn(&Breakdown) -> f64| chosen.works.iter().flat_map(|work| &known[work]).map(of).sum::<f64>();
    let scaled = chosen.accel.technology.map(|told| format!("{}: {told}\n", chosen.accel.name));
    format!(
        "\n{name}: {} MACs, {:.1} us in sequence, {:.3} MB of DRAM traffic, {:.1} uJ\n{}",
        chosen.works.iter().map(|work| work.op.macs().0).sum::<u64>(),
        sum(|each| each.cost.latency.as_us()),
        sum(|each| each.cost.dram_bytes.0 as f64) / 1e6,
        sum(|each| each.cost.energy.0) / 1e6,
        scaled.unwrap_or_default()
    )
}
