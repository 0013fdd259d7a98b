//! Costs on disk, so that a second run maps nothing.
//!
//! One text file per (accelerator specification, goal, mapper version), named by the content hash of the three, in
//! `$MASCOT_CACHE_DIR`, else `$XDG_CACHE_HOME/mascot`, else `~/.cache/mascot`. A line is `<layer> = <cost> #
//! <checksum>`; floating-point numbers are stored as their bits, so that a cached cost equals the computed one exactly.
//! Files appear whole (written under another name, then renamed), and what others wrote meanwhile is kept. A line that
//! does not check is dropped, to be computed again, with a warning; a cache that cannot be read or written is a
//! warning, too. Only the first problem of each kind is reported, because the others tend to be the same. Other results
//! of long computations are kept beside them (`cache/kept.rs`).

mod inventory;
mod kept;

pub use inventory::CacheFile;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::mapper::{Goal, VERSION};
use super::{LayerCost, OnChip};
use crate::dims::PostOp;
use crate::files::{sha256, write_atomic};
use crate::hw::AccelSpec;
use crate::precision::Precision;
use crate::units::{Bytes, Picojoules, Time};
use crate::workload::{Op, Post, Work};

/// Costs by layer; `None` if the accelerator cannot run the layer.
pub type Entries = BTreeMap<Work, Option<LayerCost>>;

/// A folder of cached costs.
#[derive(Debug, Default)]
pub struct Cache {
    folder: Option<PathBuf>,
    warnings: Mutex<Warnings>,
}

/// The kinds of problems with a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    Reading,
    Writing,
    Damage,
}

#[derive(Debug, Default)]
struct Warnings {
    /// The warnings that nobody has taken yet.
    new: Vec<String>,
    told: BTreeSet<Trouble>,
}

impl Cache {
    /// A cache that keeps nothing.
    pub fn off() -> Self {
        Self::default()
    }

    /// A cache in `folder`, which need not exist yet.
    pub fn at(folder: &Path) -> Self {
        Self { folder: Some(folder.to_path_buf()), ..Self::default() }
    }

    /// A cache in the folder that the environment names; without one it keeps nothing.
    pub fn from_env() -> Self {
        let variable =
            |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = variable("MASCOT_CACHE_DIR")
            .or_else(|| variable("XDG_CACHE_HOME").map(|base| base.join("mascot")))
            .or_else(|| variable("HOME").map(|home| home.join(".cache/mascot")));
        Self { folder, ..Self::default() }
    }

    /// The folder of the cache, if there is one.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// The warnings since the last call. None of the problems changes a result.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut self.warnings.lock().expect("no thread panics while it warns").new)
    }

    /// Warns about a file, unless another file had a problem of the same kind.
    fn warn(&self, trouble: Trouble, path: &Path, problem: impl fmt::Display) {
        let mut warnings = self.warnings.lock().expect("no thread panics while it warns");
        if warnings.told.insert(trouble) {
            let consequence = match trouble {
                Trouble::Reading | Trouble::Damage => {
                    "costs that cannot be read from the cache are computed again"
                }
                Trouble::Writing => "computed costs are not kept",
            };
            warnings.new.push(format!("{}: {problem}; {consequence}", path.display()));
        }
    }

    /// All cached costs of an accelerator.
    pub fn load(&self, accel: &AccelSpec, goal: Goal) -> Entries {
        let Some(path) = self.path(accel, goal) else { return Entries::new() };
        let text = match std::fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Entries::new(),
            Err(e) => {
                self.warn(Trouble::Reading, &path, e);
                return Entries::new();
            }
        };
        let mut entries = Entries::new();
        for (number, line) in text.lines().enumerate() {
            match parse(line) {
                Some((work, cost)) => {
                    entries.insert(work, cost);
                }
                None => self.warn(Trouble::Damage, &path, format!("line {} is damaged", number + 1)),
            }
        }
        entries
    }

    /// Adds costs to the cache.
    pub fn store(&self, accel: &AccelSpec, goal: Goal, entries: &Entries) {
        let Some(path) = self.path(accel, goal) else { return };
        let mut all = self.load(accel, goal);
        all.extend(entries.iter().map(|(work, cost)| (work.clone(), *cost)));
        let text: String = all.iter().map(|(work, cost)| format(work, cost.as_ref())).collect();
        if let Err(e) = write_atomic(&path, text.as_bytes()) {
            self.warn(Trouble::Writing, &path, e);
        }
    }

    fn path(&self, accel: &AccelSpec, goal: Goal) -> Option<PathBuf> {
        let readable: String =
            accel.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        Some(self.folder.as_ref()?.join(format!("{readable}-{}.costs", key(accel, goal))))
    }
}

/// The version of what a line says.
const FORMAT: u32 = 2;

/// Number of bytes of the hash in a file's name.
const KEY_BYTES: usize = 16;

/// The content hash of everything that decides costs, apart from the layer.
fn key(accel: &AccelSpec, goal: Goal) -> String {
    // Its serialised form leaves out what is neutral, names, sources, and what decides no cost.
    let spec = serde_json::to_string(accel).expect("numbers and words are written without fail");
    digest(&format!("{VERSION} {FORMAT} {goal:?} {spec}"), KEY_BYTES)
}

/// The first `bytes` of the SHA-256 hash, in hexadecimal.
fn digest(text: &str, bytes: usize) -> String {
    sha256(text.as_bytes())[..2 * bytes].to_string()
}

fn format(work: &Work, cost: Option<&LayerCost>) -> String {
    let cost =
        cost.map_or("none".to_owned(), |cost| {
            let LayerCost {
                latency,
                dram_bytes,
                weight_bytes,
                input_bytes,
                energy,
                utilization,
                tiles,
                on_chip,
            } = cost;
            let (energy, utilization) = (energy.0.to_bits(), utilization.to_bits());
            let [all, weights, inputs] = [dram_bytes, weight_bytes, input_bytes].map(|bytes| bytes.0);
            let on_chip = on_chip.map_or(String::new(), |on_chip| on_chip_text(&on_chip));
            format!("{} {all} {weights} {inputs} {energy:x} {utilization:x} {tiles}{on_chip}", latency.0)
        });
    let content = format!("{} = {cost}", work_text(work));
    format!("{content} # {}\n", digest(&content, 8))
}

fn parse(line: &str) -> Option<(Work, Option<LayerCost>)> {
    let (content, checksum) = line.rsplit_once(" # ")?;
    if digest(content, 8) != checksum {
        return None;
    }
    let (work, cost) = content.split_once(" = ")?;
    let work = parse_work(work)?;
    if cost == "none" {
        return Some((work, None));
    }
    let fields: Vec<&str> = cost.split(' ').collect();
    let [latency, dram_bytes, weight_bytes, input_bytes, energy, utilization, tiles, on_chip @ ..] =
        fields.as_slice()
    else {
        return None;
    };
    let bytes = |text: &str| text.parse().ok().map(Bytes);
    let bits = |text: &str| u64::from_str_radix(text, 16).ok().map(f64::from_bits);
    let cost = LayerCost {
        latency: Time(latency.parse().ok()?),
        dram_bytes: bytes(dram_bytes)?,
        weight_bytes: bytes(weight_bytes)?,
        input_bytes: bytes(input_bytes)?,
        energy: Picojoules(bits(energy)?),
        utilization: bits(utilization)?,
        tiles: tiles.parse().ok()?,
        on_chip: parse_on_chip(on_chip)?,
    };
    Some((work, Some(cost)))
}

/// The energies on chip behind a space each, without the zeros at the end.
fn on_chip_text(OnChip { compute_pj, levels_pj }: &OnChip) -> String {
    let used = levels_pj.iter().rposition(|pj| *pj != 0.0).map_or(0, |last| last + 1);
    let energies = std::iter::once(compute_pj).chain(&levels_pj[..used]);
    energies.map(|pj| format!(" {:x}", pj.to_bits())).collect()
}

fn parse_on_chip(fields: &[&str]) -> Option<Option<OnChip>> {
    let energy = |text: &&str| u64::from_str_radix(text, 16).ok().map(f64::from_bits);
    let Some((compute_pj, levels)) = fields.split_first() else { return Some(None) };
    let mut on_chip = OnChip { compute_pj: energy(compute_pj)?, ..OnChip::default() };
    for (place, text) in levels.iter().enumerate() {
        *on_chip.levels_pj.get_mut(place)? = energy(text)?;
    }
    Some(Some(on_chip))
}

/// The layer, then each operation at its output behind a `+`, then the precision behind an `@` unless it is native.
fn work_text(work: &Work) -> String {
    let post = work
        .post
        .iter()
        .map(|Post { op, reads, writes, ops }| format!(" + {} {reads} {writes} {ops}", op.name()));
    let precision = work.precision.set().map_or(String::new(), |precision| format!(" @ {precision}"));
    op_text(&work.op) + &post.collect::<String>() + &precision
}

fn parse_work(text: &str) -> Option<Work> {
    let (text, precision) = match text.split_once(" @ ") {
        Some((text, precision)) => (text, precision.parse().ok()?),
        None => (text, Precision::NATIVE),
    };
    let mut parts = text.split(" + ");
    let op = parse_op(parts.next()?)?;
    let post = parts.map(|part| {
        let mut words = part.split(' ');
        let name = words.next()?;
        let op = PostOp::ALL.into_iter().find(|each| each.name() == name)?;
        let numbers = words.map(|word| word.parse().ok()).collect::<Option<Vec<u64>>>()?;
        let &[reads, writes, ops] = numbers.as_slice() else { return None };
        Some(Post { op, reads, writes, ops })
    });
    Some(Work { op, post: post.collect::<Option<_>>()?, precision })
}

fn op_text(op: &Op) -> String {
    let numbers: Vec<String> = match op {
        Op::Conv(nest) | Op::Gemm(nest) | Op::Matmul(nest) => {
            let padding: &[u64] = if nest.padding == [0; 2] { &[] } else { &nest.padding };
            let numbers = nest.bounds.iter().chain(&nest.stride).chain(&nest.dilation).chain(padding);
            numbers.map(u64::to_string).collect()
        }
        Op::Vector { reads, writes, ops } => [reads, writes, ops].map(u64::to_string).to_vec(),
        Op::Lookup { reads, writes } => [reads, writes].map(u64::to_string).to_vec(),
    };
    format!("{} {}", op.kind().name(), numbers.join(" "))
}

fn parse_op(text: &str) -> Option<Op> {
    use crate::dims::LayerKind;
    let mut words = text.split(' ');
    let kind = words.next()?;
    let kind = LayerKind::ALL.into_iter().find(|each| each.name() == kind)?;
    let numbers = words.map(|word| word.parse().ok()).collect::<Option<Vec<u64>>>()?;
    match (kind, numbers.as_slice()) {
        (LayerKind::Conv, numbers) => nest(numbers).map(Op::Conv),
        (LayerKind::Gemm, numbers) => nest(numbers).map(Op::Gemm),
        (LayerKind::Matmul, numbers) => nest(numbers).map(Op::Matmul),
        (LayerKind::Vector, &[reads, writes, ops]) => Some(Op::Vector { reads, writes, ops }),
        (LayerKind::Lookup, &[reads, writes]) => Some(Op::Lookup { reads, writes }),
        _ => None,
    }
}

fn nest(numbers: &[u64]) -> Option<crate::workload::LoopNest> {
    let (bounds, rest) = numbers.split_at_checked(8)?;
    let (steps, padding) = rest.split_at_checked(4)?;
    let &[stride_p, stride_q, dilation_r, dilation_s] = steps else { return None };
    let padding = if padding.is_empty() { [0; 2] } else { padding.try_into().ok()? };
    Some(crate::workload::LoopNest {
        bounds: bounds.try_into().ok()?,
        stride: [stride_p, stride_q],
        dilation: [dilation_r, dilation_s],
        padding,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::LoopNest;

    #[test]
    fn a_line_gives_back_every_bit_and_a_changed_one_nothing() {
        let conv =
            LoopNest { bounds: [1, 2, 3, 4, 5, 6, 7, 8], stride: [1, 2], dilation: [3, 4], padding: [0; 2] };
        let cost = LayerCost {
            latency: Time(12_345),
            dram_bytes: Bytes(678),
            weight_bytes: Bytes(500),
            input_bytes: Bytes(78),
            energy: Picojoules(0.1 + 0.2),
            utilization: 1.0 / 3.0,
            tiles: 9,
            on_chip: None,
        };
        let mut on_chip = OnChip { compute_pj: 0.1, ..OnChip::default() };
        let without_levels = LayerCost { on_chip: Some(on_chip), ..cost };
        on_chip.levels_pj[2] = 0.2;
        let with_levels = LayerCost { on_chip: Some(on_chip), ..cost };
        let ops = [
            Op::Conv(conv),
            Op::Conv(LoopNest { padding: [2, 0], ..conv }),
            Op::Gemm(conv),
            Op::Matmul(conv),
            Op::Vector { reads: 1, writes: 2, ops: 3 },
            Op::Lookup { reads: 1, writes: 2 },
        ];
        let post = PostOp::ALL.map(|op| Post { op, reads: 5, writes: 6, ops: 7 }).to_vec();
        let precision = "w4i8o16p32".parse().unwrap();
        let fused = Work { post: post.clone(), ..Work::from(ops[0]) };
        let narrow = Work { precision, ..fused.clone() };
        let works = ops.map(Work::from).into_iter().chain([fused, narrow]);
        for work in works {
            for cost in [Some(cost), Some(without_levels), Some(with_levels), None] {
                let line = format(&work, cost.as_ref());
                assert_eq!(parse(line.trim_end()), Some((work.clone(), cost)));
                assert_eq!(parse(&line.trim_end()[..line.len() - 3]), None);
                assert_eq!(parse(&line.trim_end().replacen('1', "7", 1)), None);
            }
        }
    }
}
