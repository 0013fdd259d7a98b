//! ZigZag's accelerator: memories from the MACs outwards, an array of MACs, and a dataflow; a mapping file may give the
//! dataflow.
//!
//! A memory of ZigZag serves dimensions of the array and is unrolled over the others, so memories of different operands
//! may be unrolled differently. Levels here form one chain: `chain` finds the order of fan-outs that comes closest.

mod chain;
mod dataflow;
mod memory;
mod ports;

use super::draft::{Draft, Fanout, Level, Storage};
use super::expression::Scope;
use super::notes::Notes;
use super::technology;
use super::yaml::Node;
use crate::dims::{Dim, DimSet};
use crate::files::InputError;
use chain::Chain;
use dataflow::Dataflow;
use memory::Memory;

/// Bits of weights and activations if the source has none: the default of ZigZag's ONNX parser, which takes twice as
/// many for partial sums.
const PRECISION: u64 = 8;
/// The most dimensions of an array. Our choice, because all orders of fan-outs are tried and the public arrays have at
/// most four.
const MAX_DIMENSIONS: usize = 6;

/// A dimension of the array.
pub(super) struct Axis {
    name: String,
    size: u64,
}

/// Whether a document is an accelerator of ZigZag.
pub(super) fn is_accelerator(document: &Node) -> bool {
    document.has("memories")
}

/// Reads an accelerator, with its DRAM as a core of its own or not, and its mapping file or not.
pub(super) fn import(documents: &[Node], notes: &Notes) -> Result<Draft, InputError> {
    let (accelerators, others): (Vec<&Node>, Vec<&Node>) =
        documents.iter().partition(|node| is_accelerator(node));
    let (dram_cores, cores): (Vec<&Node>, Vec<&Node>) =
        accelerators.into_iter().partition(|node| is_dram_core(node));
    let core = match cores.as_slice() {
        [core] => *core,
        [] => return Err(dram_cores[0].error("a core without an array: give the core with the array, too")),
        [_, second, ..] => return Err(second.error("a second accelerator: import one at a time")),
    };
    let array = core.need(&["operational_array", "multipliers"])?;
    let axes = axes(array)?;
    let precision = precision(array, notes)?;
    let dataflow = Dataflow::read(core, &others, &axes, notes)?;
    let mut memories = memory::read(core.need(&["memories"])?, &axes, precision, &dataflow)?;
    for dram_core in dram_cores {
        let outer = memory::read_outermost(dram_core.need(&["memories"])?, precision, &dataflow)?;
        memories.extend(outer);
        if let Some(array) = dram_core.find(&["operational_array", "multipliers"])? {
            array.take_all();
        }
    }
    // The source goes from the MACs outwards.
    memories.reverse();
    check_dram(&memories, core)?;
    let chain = Chain::closest(&axes, &memories);
    let levels = levels(&axes, &memories, &chain, &dataflow, notes)?;
    let mac_bits = precision.iter().copied().max().unwrap_or(PRECISION);
    let (mac_pj, mac_is_ours, mac_remark) = match array.find(&["unit_energy", "multiplier_energy"])? {
        Some(node) => (memory::pj(node)?, false, "The source's energy of an operation.".to_string()),
        None => {
            let remark = format!("No energy in the source: our technology basis, {mac_bits} bits.");
            (technology::mac_pj(mac_bits), true, remark)
        }
    };
    core.find(&["name"])?;
    let free = "ZigZag limits no loops: every level may loop over every dimension. A narrower `temporal` makes the \
                search faster.";
    let remarks = [dataflow.remarks, vec![free.into()]].concat();
    documents.iter().for_each(|document| notes.add_untaken(document, why));
    Ok(Draft {
        format: "ZigZag".into(),
        clock_mhz: 1000.0,
        clock_remark: "1 GHz is our choice, because ZigZag has no clock.".into(),
        levels,
        mac_name: "mac".into(),
        mac_pj,
        mac_is_ours,
        mac_remark,
        remarks,
    })
}

/// Whether a core only has memories: Stream's DRAM is one.
fn is_dram_core(core: &Node) -> bool {
    let kind = core.peek("type").and_then(|node| node.text().ok()).unwrap_or_default();
    kind.ends_with("memory") || kind.ends_with("offchip")
}

fn axes(array: &Node) -> Result<Vec<Axis>, InputError> {
    if let Some(node) = array.find(&["is_imc"])?
        && node.text()?.eq_ignore_ascii_case("true")
    {
        return Err(node.error("an array that computes in memory, which the accelerator model does not have"));
    }
    let (names, sizes) = (array.need(&["dimensions"])?, array.need(&["sizes"])?);
    if names.list()?.len() != sizes.list()?.len() {
        return Err(sizes.error("expected one size for each of the dimensions"));
    }
    if names.list()?.len() > MAX_DIMENSIONS {
        return Err(names.error(format!("expected at most {MAX_DIMENSIONS} dimensions")));
    }
    let mut axes: Vec<Axis> = vec![];
    for (name, size) in names.list()?.iter().zip(sizes.list()?) {
        let axis = Axis { name: name.text()?.to_string(), size: Scope::default().whole(size, 1..=1 << 20)? };
        if axes.iter().any(|other| other.name == axis.name) {
            return Err(name.error("a dimension that is there twice"));
        }
        axes.push(axis);
    }
    Ok(axes)
}

/// Bits of I1 and I2.
fn precision(array: &Node, notes: &Notes) -> Result<[u64; 2], InputError> {
    let Some(node) = array.find(&["input_precision"])? else { return Ok([PRECISION; 2]) };
    match node.list()? {
        [a, b] => {
            let bits = [Scope::default().whole(a, 1..=64)?, Scope::default().whole(b, 1..=64)?];
            if bits[0] != bits[1] {
                notes.add(node, "memories that hold both operands have the wider words");
            }
            Ok(bits)
        }
        _ => Err(node.expected("two widths in bits")),
    }
}

/// The outermost memory must be what a DRAM is here.
fn check_dram(memories: &[Memory], core: &Node) -> Result<(), InputError> {
    let Some(dram) = memories.first() else { return Err(core.error("no memories")) };
    match dram.keeps == [true; 3] && dram.unserved.is_empty() {
        true => Ok(()),
        false => Err(dram.node.error(
            "the last memory must be the DRAM, which holds I1, I2 and O and serves all dimensions; one in a file of \
             its own can be given as a further argument",
        )),
    }
}

fn levels(
    axes: &[Axis],
    memories: &[Memory],
    chain: &Chain,
    dataflow: &Dataflow,
    notes: &Notes,
) -> Result<Vec<Level>, InputError> {
    let mut levels = vec![];
    for depth in 0..=chain.order.len() {
        if depth > 0 {
            let axis = chain.order[depth - 1];
            let unrolled = &dataflow.unrolled[axis];
            levels.push(Level::Fanout(Fanout {
                name: axes[axis].name.clone(),
                extent: [axes[axis].size, 1],
                spatial: [unrolled.dims, DimSet::EMPTY],
                whole: DimSet::EMPTY,
                max_factor: unrolled.at_most,
                remarks: vec![],
            }));
        }
        for (memory, _) in memories.iter().zip(&chain.depths).filter(|&(_, &at)| at == depth) {
            levels.push(Level::Storage(storage(memory, axes, &chain.order[..depth], notes)?));
        }
    }
    Ok(levels)
}

fn storage(memory: &Memory, axes: &[Axis], above: &[usize], notes: &Notes) -> Result<Storage, InputError> {
    let is_dram = memory.keeps == [true; 3] && above.is_empty() && memory.is_outermost;
    let extra: Vec<usize> = above.iter().copied().filter(|axis| !memory.unserved.contains(axis)).collect();
    let mut remarks = vec![];
    if !extra.is_empty() {
        let names: Vec<&str> = extra.iter().map(|&axis| axes[axis].name.as_str()).collect();
        let times: u64 = extra.iter().map(|&axis| axes[axis].size).product();
        let why = format!(
            "one memory for all of {}, but levels form a chain: {times} memories here, each of the full size",
            names.join(" and ")
        );
        notes.add(memory.served, why.clone());
        remarks.push(format!("In the source {why}."));
    }
    if is_dram {
        notes.add(memory.size, "DRAM is unlimited here");
    }
    Ok(Storage {
        name: memory.name.clone(),
        word_bits: memory.word_bits,
        entry_bits: memory.energy_bits,
        cluster_size: 1,
        capacity_words: (!is_dram).then_some(memory.capacity_words),
        size_remark: memory.size_remark(is_dram),
        keeps: memory.keeps,
        bandwidth: memory.bandwidth.clone(),
        energy: memory.energy(is_dram)?,
        temporal: DimSet::of(&Dim::ALL),
        temporal_whole: DimSet::EMPTY,
        remarks,
    })
}

/// Why a key is not taken.
fn why(key: &str) -> &'static str {
    match key {
        "area" | "unit_area" | "multiplier_area" => "areas are not modelled",
        "latency" => "a level has a bandwidth, and no latency",
        "r_port" | "w_port" | "rw_port" => "`ports` names them",
        "r_bw" | "w_bw" => "no port uses it",
        "min_r_granularity" | "min_w_granularity" | "bandwidth_min" => {
            "partial accesses cost their share of an access"
        }
        "auto_cost_extraction" | "mem_type" => "costs are given, or on our technology basis",
        "core_allocation" | "type" => "there is one core",
        "operator_types" => "see `kinds` of the accelerator file",
        "temporal_ordering" => "the order of loops is searched",
        "double_buffering_support" => "loads hide behind compute, see dram_overlap",
        "adc_resolution" | "bit_serial_precision" | "imc_type" => {
            "only arrays that compute in memory have it"
        }
        _ => "not known to the importer",
    }
}
