//! An accelerator between its source and its file: levels from DRAM inwards, each number with where it comes from.

use std::fmt::Write;

use super::notes::Note;
use super::technology;
use crate::dims::{Dim, DimSet, PerDim, Tensor};
use crate::files::visible_line;

/// The widest line of a comment.
const WIDTH: usize = 120;

/// What an importer makes of its source.
pub(super) struct Draft {
    /// The format of the source and its version, e.g. `Timeloop v0.4`.
    pub(super) format: String,
    pub(super) clock_mhz: f64,
    /// Where the clock comes from.
    pub(super) clock_remark: String,
    /// From DRAM inwards.
    pub(super) levels: Vec<Level>,
    pub(super) mac_name: String,
    pub(super) mac_pj: f64,
    /// Whether it is on our technology basis.
    pub(super) mac_is_ours: bool,
    /// Where the energy of a MAC comes from.
    pub(super) mac_remark: String,
    /// What else a reader of the file should know.
    pub(super) remarks: Vec<String>,
}

pub(super) enum Level {
    Storage(Storage),
    Fanout(Fanout),
}

/// A buffer; the keys of the accelerator file say what each field is.
pub(super) struct Storage {
    pub(super) name: String,
    pub(super) word_bits: u64,
    pub(super) entry_bits: u64,
    pub(super) cluster_size: u64,
    /// `None` is unlimited.
    pub(super) capacity_words: Option<u64>,
    /// Where sizes come from.
    pub(super) size_remark: String,
    pub(super) keeps: [bool; 3],
    pub(super) bandwidth: Bandwidth,
    pub(super) energy: Energy,
    pub(super) temporal: DimSet,
    pub(super) temporal_whole: DimSet,
    /// What else a reader of the file should know.
    pub(super) remarks: Vec<String>,
}

/// Words per cycle; `None` is unlimited.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Bandwidth {
    pub(super) read: Option<f64>,
    pub(super) write: Option<f64>,
    pub(super) shared: Option<f64>,
}

/// Energies per access of one entry, and leakage per cycle, in pJ.
pub(super) struct Energy {
    pub(super) read: f64,
    pub(super) write: f64,
    pub(super) update: f64,
    pub(super) leak: f64,
    /// Where they come from.
    pub(super) remark: String,
    /// Whether they are on our technology basis.
    pub(super) is_ours: bool,
}

pub(super) struct Fanout {
    pub(super) name: String,
    pub(super) extent: [u64; 2],
    pub(super) spatial: [DimSet; 2],
    pub(super) whole: DimSet,
    pub(super) max_factor: PerDim<Option<u64>>,
    pub(super) remarks: Vec<String>,
}

impl Draft {
    /// Takes away the loops that cannot fit: those over the dimensions of its tensors at a level with room for one word
    /// of each. The mappings that remain are the same, and are found sooner.
    pub(super) fn without_loops_that_cannot_fit(mut self) -> Self {
        for level in &mut self.levels {
            let Level::Storage(storage) = level else { continue };
            let tensors = Tensor::ALL.into_iter().filter(|&tensor| storage.keeps[tensor as usize]);
            let (count, dims) = (tensors.clone().count(), tensors.flat_map(|tensor| tensor.dims().iter()));
            let dims: DimSet = dims.collect();
            let is_tight = storage.capacity_words.is_some_and(|words| words <= count as u64);
            let narrower = storage.temporal.without(dims);
            if is_tight && narrower != storage.temporal && storage.temporal_whole.and(dims) == DimSet::EMPTY {
                storage
                    .remarks
                    .push("Room for one word of each tensor: only loops that reuse it fit.".into());
                storage.temporal = narrower;
            }
        }
        self
    }

    /// MACs of the array.
    pub(super) fn macs(&self) -> u64 {
        self.levels.iter().fold(1, |macs, level| match level {
            Level::Fanout(fanout) => macs.saturating_mul(fanout.extent[0]).saturating_mul(fanout.extent[1]),
            Level::Storage(_) => macs,
        })
    }

    /// One lane per column of the outermost fan-out, as the accelerators that ship have it.
    fn vector_lanes(&self) -> u64 {
        let outermost = self.levels.iter().find_map(|level| match level {
            Level::Fanout(Fanout { extent: [x, y], .. }) => Some(if *x > 1 { *x } else { *y }),
            Level::Storage(_) => None,
        });
        outermost.unwrap_or(1)
    }

    /// The accelerator file; its bytes depend on nothing but the arguments.
    pub(super) fn to_toml(&self, name: &str, command: &str, sources: &str, notes: &[Note]) -> String {
        let mut file = File(String::new());
        file.comment(&format!("Written by `{command}`. It is complete, and yours to change."));
        let is_ours = |level: &Level| matches!(level, Level::Storage(storage) if storage.energy.is_ours);
        if self.mac_is_ours || self.levels.iter().any(is_ours) {
            file.comment(technology::BASIS);
        }
        self.remarks.iter().for_each(|remark| file.comment(remark));
        if !notes.is_empty() {
            file.comment("What the source has and this file has not, or has in another form:");
            notes.iter().for_each(|note| file.comment(&format!("- {}", note.with_file_name())));
        }
        file.text("name", name);
        file.text("source", &format!("Imported from {}: {sources}", self.format));
        file.comment(&self.clock_remark);
        file.value("clock_mhz", self.clock_mhz);
        file.value("kinds", "[\"conv\", \"gemm\", \"matmul\", \"vector\", \"lookup\"]");
        file.comment(
            "Our choice, because the source has no vector unit: one lane per column of the outermost fan-out. An \
             element operation costs one MAC.",
        );
        file.value("vector_lanes", self.vector_lanes());
        file.value("vector_pj_per_op", self.mac_pj);
        for level in &self.levels {
            file.0.push_str("\n[[level]]\n");
            match level {
                Level::Storage(storage) => file.storage(storage),
                Level::Fanout(fanout) => file.fanout(fanout),
            }
        }
        file.0.push_str("\n[mac]\n");
        file.text("name", &self.mac_name);
        file.comment(&self.mac_remark);
        file.value("energy_pj", self.mac_pj);
        file.0
    }
}

/// The text of a file.
struct File(String);

impl File {
    /// Lines of a comment, wrapped.
    fn comment(&mut self, text: &str) {
        for line in text.lines().map(visible_line) {
            let indent = if line.starts_with("- ") { "#  " } else { "#" };
            let mut shown = String::from("#");
            for word in line.split(' ') {
                if shown.len() > 3 && shown.chars().count() + word.chars().count() >= WIDTH {
                    self.line(&shown);
                    shown = String::from(indent);
                }
                shown.push(' ');
                shown.push_str(word);
            }
            self.line(&shown);
        }
    }

    fn line(&mut self, line: &str) {
        self.0.push_str(line.trim_end());
        self.0.push('\n');
    }

    fn value(&mut self, key: &str, value: impl std::fmt::Display) {
        writeln!(self.0, "{key} = {value}").expect("a string takes everything");
    }

    fn text(&mut self, key: &str, text: &str) {
        self.value(key, toml::Value::from(text));
    }

    fn optional(&mut self, key: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.value(key, value);
        }
    }

    fn names(&mut self, key: &str, names: impl Iterator<Item = String>) {
        let quoted: Vec<String> = names.map(|name| format!("{name:?}")).collect();
        self.value(key, format!("[{}]", quoted.join(", ")));
    }

    fn dims(&mut self, key: &str, dims: DimSet) {
        self.names(key, dims.iter().map(|dim| format!("{dim:?}")));
    }

    fn storage(&mut self, storage: &Storage) {
        self.text("name", &storage.name);
        self.text("type", "storage");
        self.comment(&storage.size_remark);
        if let Some(words) = storage.capacity_words {
            self.value("capacity_words", words);
        }
        self.value("word_bits", storage.word_bits);
        self.value("entry_bits", storage.entry_bits);
        if storage.cluster_size > 1 {
            self.value("cluster_size", storage.cluster_size);
        }
        let kept = Tensor::ALL.into_iter().filter(|&tensor| storage.keeps[tensor as usize]);
        self.names("keeps", kept.map(|tensor| format!("{tensor:?}")));
        let Bandwidth { read, write, shared } = storage.bandwidth;
        self.optional("read_bandwidth_words_per_cycle", read);
        self.optional("write_bandwidth_words_per_cycle", write);
        self.optional("shared_bandwidth_words_per_cycle", shared);
        let Energy { read, write, update, leak, remark, .. } = &storage.energy;
        self.comment(remark);
        self.value("read_pj_per_access", read);
        self.value("write_pj_per_access", write);
        self.value("update_pj_per_access", update);
        if *leak > 0.0 {
            self.value("leak_pj_per_cycle", leak);
        }
        storage.remarks.iter().for_each(|remark| self.comment(remark));
        self.dims("temporal", storage.temporal);
        if storage.temporal_whole != DimSet::EMPTY {
            self.dims("temporal_whole", storage.temporal_whole);
        }
    }

    fn fanout(&mut self, fanout: &Fanout) {
        self.text("name", &fanout.name);
        self.text("type", "fanout");
        fanout.remarks.iter().for_each(|remark| self.comment(remark));
        for (axis, extent) in ["x", "y"].into_iter().zip(fanout.extent) {
            if extent > 1 {
                self.value(axis, extent);
            }
        }
        for (key, dims) in ["spatial_x", "spatial_y"].into_iter().zip(fanout.spatial) {
            if dims != DimSet::EMPTY {
                self.dims(key, dims);
            }
        }
        if fanout.whole != DimSet::EMPTY {
            self.dims("spatial_whole", fanout.whole);
        }
        let limits = Dim::ALL
            .into_iter()
            .filter_map(|dim| fanout.max_factor[dim as usize].map(|limit| format!("{dim:?} = {limit}")));
        let limits: Vec<String> = limits.collect();
        if !limits.is_empty() {
            self.value("max_factor", format!("{{ {} }}", limits.join(", ")));
        }
    }
}
