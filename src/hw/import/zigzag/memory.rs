//! The memories of a source: what they hold, how large they are, what an access costs.

use super::super::draft::{Bandwidth, Energy};
use super::super::expression::Scope;
use super::super::yaml::Node;
use super::dataflow::{Dataflow, operand};
use super::ports::Ports;
use super::{Axis, ports};
use crate::dims::Tensor;
use crate::files::InputError;

/// The widest entry that an accelerator file may have, in bits.
const MAX_ENTRY_BITS: u64 = 4096;

pub(super) struct Memory<'a> {
    pub(super) name: String,
    pub(super) node: &'a Node,
    /// The values of `served_dimensions` and of `size`.
    pub(super) served: &'a Node,
    pub(super) size: &'a Node,
    pub(super) keeps: [bool; 3],
    /// Axes over which the memory is unrolled.
    pub(super) unserved: Vec<usize>,
    /// Whether it is the last of its source.
    pub(super) is_outermost: bool,
    pub(super) word_bits: u64,
    pub(super) capacity_words: u64,
    pub(super) bandwidth: Bandwidth,
    /// Bits of the access that energies are given for.
    pub(super) energy_bits: u64,
    ports: Ports,
    costs: [Option<f64>; 2],
}

/// An energy in pJ.
pub(super) fn pj(node: &Node) -> Result<f64, InputError> {
    let value = node.number()?;
    match (0.0..=1e12).contains(&value) {
        true => Ok(value),
        false => Err(node.expected("an energy from 0 to 1e12 pJ")),
    }
}

/// The memories of a core, from the MACs outwards.
pub(super) fn read<'a>(
    table: &'a Node,
    axes: &[Axis],
    precision: [u64; 2],
    dataflow: &Dataflow,
) -> Result<Vec<Memory<'a>>, InputError> {
    each(table, precision, dataflow, |served| {
        let mut names = vec![];
        for name in served.list()? {
            let text = name.text()?;
            if axes.iter().all(|axis| axis.name != text) {
                let known: Vec<&str> = axes.iter().map(|axis| axis.name.as_str()).collect();
                return Err(name.expected(format!("a dimension of the array: {}", known.join(", "))));
            }
            names.push(text);
        }
        let is_served = |axis: &Axis| names.contains(&axis.name.as_str());
        Ok((0..axes.len()).filter(|&axis| axes[axis].size > 1 && !is_served(&axes[axis])).collect())
    })
}

/// The memories of a core without an array: they serve everything.
pub(super) fn read_outermost<'a>(
    table: &'a Node,
    precision: [u64; 2],
    dataflow: &Dataflow,
) -> Result<Vec<Memory<'a>>, InputError> {
    each(table, precision, dataflow, |_| Ok(vec![]))
}

/// The memories of a table, given the axes of the array that each does not serve.
fn each<'a>(
    table: &'a Node,
    precision: [u64; 2],
    dataflow: &Dataflow,
    unserved: impl Fn(&'a Node) -> Result<Vec<usize>, InputError>,
) -> Result<Vec<Memory<'a>>, InputError> {
    let mut memories = vec![];
    for entry in table.table()? {
        let node = entry.take();
        let served = node.need(&["served_dimensions"])?;
        memories.push(memory(&entry.key, node, served, unserved(served)?, precision, dataflow)?);
    }
    memories.last_mut().iter_mut().for_each(|memory| memory.is_outermost = true);
    Ok(memories)
}

fn memory<'a>(
    name: &str,
    node: &'a Node,
    served: &'a Node,
    unserved: Vec<usize>,
    precision: [u64; 2],
    dataflow: &Dataflow,
) -> Result<Memory<'a>, InputError> {
    let list = node.need(&["operands"])?;
    let mut operands = [false; 3];
    for name in list.list()? {
        operands[operand(name.text()?, name)?] = true;
    }
    if operands == [false; 3] {
        return Err(list.expected("at least one of I1, I2 and O"));
    }
    let keeps = Tensor::ALL
        .map(|tensor| (0..3).any(|operand| operands[operand] && dataflow.operands[operand] == tensor));
    let word_bits = match operands {
        // Partial sums have twice the bits of activations, see `PRECISION`.
        [false, false, true] => 2 * precision[0],
        [true, false, _] => precision[0],
        [false, true, _] => precision[1],
        [true, true, _] => precision[0].max(precision[1]),
        [false, false, false] => unreachable!("at least one operand"),
    };
    let size = node.need(&["size"])?;
    let bits = Scope::default().whole(size, 1..=8_000_000_000_000)?;
    if bits < word_bits {
        return Err(size.error(format!("less than one word of {word_bits} bits")));
    }
    let ports = ports::read(node)?;
    let mut costs = [None; 2];
    for (key, cost) in ["r_cost", "w_cost"].into_iter().zip(&mut costs) {
        *cost = node.find(&[key])?.map(pj).transpose()?;
    }
    Ok(Memory {
        name: name.to_string(),
        node,
        served,
        size,
        keeps,
        unserved,
        is_outermost: false,
        word_bits,
        capacity_words: bits / word_bits,
        bandwidth: ports.words_per_cycle(word_bits),
        energy_bits: ports.read_bits.min(MAX_ENTRY_BITS),
        ports,
        costs,
    })
}

impl Memory<'_> {
    /// Where the size comes from.
    pub(super) fn size_remark(&self, is_dram: bool) -> String {
        let (size, bits) = (self.size.shown(), self.word_bits);
        let only_sums = self.keeps == [false, false, true];
        let word = if only_sums { ", twice the precision for partial sums" } else { "" };
        match is_dram {
            true => format!("Words of {bits} bits."),
            false => format!("size {size} bits in words of {bits} bits{word}."),
        }
    }

    /// Energies per access of `energy_bits`.
    pub(super) fn energy(&self, is_dram: bool) -> Result<Energy, InputError> {
        let [Some(read), Some(write)] = self.costs else {
            let kib = (self.capacity_words * self.word_bits) as f64 / 8192.0;
            return Ok(if is_dram {
                Energy::of_dram(self.energy_bits)
            } else {
                Energy::of_buffer(kib, self.energy_bits, 1000.0)
            });
        };
        let Ports { read_bits, write_bits, .. } = self.ports;
        let scale = |pj: f64, bits: u64| {
            if bits == self.energy_bits { pj } else { pj * self.energy_bits as f64 / bits as f64 }
        };
        let mut remark = format!("r_cost {read} per {read_bits} bits, w_cost {write} per {write_bits} bits");
        if read_bits != self.energy_bits || write_bits != self.energy_bits {
            remark += &format!(", here per {} bits", self.energy_bits);
        }
        remark += "; the source has no leakage.";
        let (read, write) = (scale(read, read_bits), scale(write, write_bits));
        Ok(Energy { read, write, update: write, leak: 0.0, remark, is_ours: false })
    }
}
