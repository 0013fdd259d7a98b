//! The attributes of a storage component: its width, its size and its bandwidth, as Timeloop reads them.

use super::super::draft::Bandwidth;
use super::super::notes::Notes;
use super::Component;
use crate::files::InputError;

/// Bits of a word if the source has none: Timeloop's own default (buffer.hpp, kDefaultWordBits).
pub(super) const WORD_BITS: u64 = 16;

/// The sizes of a storage component.
pub(super) struct Size {
    pub(super) word_bits: u64,
    pub(super) entry_bits: u64,
    pub(super) cluster_size: u64,
    pub(super) capacity_words: Option<u64>,
    pub(super) bandwidth: Bandwidth,
    /// What they follow from.
    pub(super) remark: String,
}

/// Reads the sizes of a component; the outermost must be a DRAM.
pub(super) fn size(component: &Component, is_outermost: bool, notes: &Notes) -> Result<Size, InputError> {
    let scope = &component.scope;
    let whole = |names: &[&str], most: u64| -> Result<Option<u64>, InputError> {
        scope.find(names)?.map(|node| scope.whole(node, 1..=most)).transpose()
    };
    let mut remark = vec![];
    let mut told = |name: &str, value: Option<u64>| {
        remark.extend(value.map(|value| format!("{name} {value}")));
        value
    };
    let word_bits = told("datawidth", whole(&["datawidth", "word-bits", "word_bits", "word_width"], 4096)?);
    let width = told("width", whole(&["width", "memory_width"], 4096)?);
    let block = told("block size", whole(&["block-size", "block_size", "n_words"], 4096)?);
    let cluster =
        told("cluster size", whole(&["cluster-size", "cluster_size"], 4096)?.filter(|&size| size > 1));
    let depth = whole(&["depth", "memory_depth"], 1_000_000_000_000)?;
    let (entries, kilobytes) = (whole(&["entries"], 1_000_000_000_000)?, whole(&["sizeKB"], 1_000_000_000)?);
    let word = word_bits.unwrap_or(WORD_BITS);
    let uneven = |width: u64, per: u64| {
        component.node.error(format!(
            "its width of {width} bits is no multiple of {per} bits (words, blocks, clusters)"
        ))
    };
    // Words of a block are accessed together; a cluster is made of registers that share an entry.
    let (block, cluster) = match (width, block) {
        (Some(width), Some(block)) => {
            let cluster = cluster.unwrap_or(width / (word * block));
            (block, cluster.max(1))
        }
        (Some(width), None) => {
            let cluster = cluster.unwrap_or(1);
            (width / (word * cluster), cluster)
        }
        (None, block) => (block.unwrap_or(1), cluster.unwrap_or(1)),
    };
    let entry_bits = word.saturating_mul(block).saturating_mul(cluster);
    if let Some(width) = width.filter(|&width| width != entry_bits) {
        return Err(uneven(width, word * cluster));
    }
    if entry_bits > 4096 {
        return Err(component.node.error(format!("an entry of {entry_bits} bits: expected at most 4096")));
    }
    let words = match (entries, depth, kilobytes) {
        (Some(entries), ..) => told("entries", Some(entries)),
        (_, Some(depth), _) => told("depth", Some(depth)).map(|depth| depth * block),
        (_, _, Some(kilobytes)) => told("sizeKB", Some(kilobytes)).map(|kilobytes| kilobytes * 8192 / word),
        _ => None,
    };
    let words = match scope.find(&["multiple_buffering", "multiple-buffering"])? {
        Some(node) => {
            let buffers = scope.number(node)?;
            if !(1.0..=1e6).contains(&buffers) {
                return Err(node.expected("a number from 1 to 1e6"));
            }
            if buffers > 1.0 {
                remark.push(format!("multiple_buffering {buffers}: a tile has that share of the size"));
            }
            words.map(|words| (words as f64 / buffers).floor() as u64)
        }
        None => words,
    };
    let is_dram = component.class.contains("DRAM");
    let words = match (is_outermost, is_dram, words) {
        (true, true, Some(_)) => {
            let size = scope.find(&["entries", "depth", "memory_depth", "sizeKB"])?;
            size.iter().for_each(|node| notes.add(node, "DRAM is unlimited here"));
            None
        }
        (true, false, Some(_)) => {
            return Err(component.node.error(
                "the outermost storage has a limited size and is no DRAM: expected a component of the class DRAM \
                 around it",
            ));
        }
        (_, _, Some(words)) if !(1..=1_000_000_000_000).contains(&words) => {
            return Err(component.node.error(format!("a size of {words} words: expected 1 to 1e12")));
        }
        (_, _, words) => words,
    };
    if word_bits.is_none() {
        remark.push(format!("no datawidth: Timeloop's default of {WORD_BITS} bits"));
    }
    if words.is_none() && !is_outermost {
        remark.push("no size in the source: unlimited".into());
    }
    let bandwidth = bandwidth(component, notes)?;
    let remark = format!("{}.", remark.join(", "));
    Ok(Size { word_bits: word, entry_bits, cluster_size: cluster, capacity_words: words, bandwidth, remark })
}

/// Words per cycle and instance.
fn bandwidth(component: &Component, notes: &Notes) -> Result<Bandwidth, InputError> {
    let scope = &component.scope;
    let find = |name: &str| -> Result<Option<f64>, InputError> {
        let Some(node) = scope.find(&[name])? else { return Ok(None) };
        let words = scope.number(node)?;
        match (1e-9..=1e12).contains(&words) {
            true => Ok(Some(words)),
            false => Err(node.expected("words per cycle from 1e-9 to 1e12")),
        }
    };
    // Timeloop halves it for reads and writes, and calls it deprecated.
    let half = find("bandwidth")?.map(|words| words / 2.0);
    let (read, write) = (find("read_bandwidth")?.or(half), find("write_bandwidth")?.or(half));
    let shared = find("shared_bandwidth")?;
    if let (Some(_), Some(node)) = (read.or(write), scope.find(&["shared_bandwidth"])?) {
        notes.add(node, "a level has a shared bandwidth, or one for reads and one for writes, not both");
        return Ok(Bandwidth { read, write, shared: None });
    }
    Ok(Bandwidth { read, write, shared })
}
