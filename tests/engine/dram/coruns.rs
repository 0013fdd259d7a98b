//! Co-runs of the twin, as data for the contention model: layers of different demand on 2 to 8 cores.

use std::fmt::Write as _;

use rayon::prelude::*;

use super::{Core, Layer, Memory, System};

/// A kind of layer. Its sizes are in 8192nds of a refresh interval at the peak bandwidth of the memory: so its tiles, and
/// the whole of it, take as long on every memory, and several refreshes pass.
struct Kind {
    name: &'static str,
    inputs: f64,
    /// Bytes of the inputs that are contiguous: a part of the rows or channels of a tensor.
    run_bytes: u64,
    weights: f64,
    /// Tiles for which weights stay.
    reuse: u64,
    outputs: f64,
    /// Bandwidth that it asks for, as a share of the peak.
    demand: f64,
}

const fn kind(name: &'static str, [inputs, weights, outputs]: [f64; 3], run_bytes: u64, reuse: u64, demand: f64) -> Kind {
    Kind { name, inputs, run_bytes, weights, reuse, outputs, demand }
}

/// Layers like those of corun.csv: the same spread of demands, fully connected ones all weights, early ones all
/// activations. Our choice.
const KINDS: [Kind; 12] = [
    kind("fc", [16.0, 1000.0, 8.0], 1 << 20, 1, 1.5),
    kind("gemm", [400.0, 600.0, 50.0], 1 << 20, 1, 1.2),
    kind("c1_56", [500.0, 64.0, 400.0], 4096, 8, 1.1),
    kind("c1_28", [500.0, 128.0, 300.0], 2048, 4, 0.95),
    kind("c1_14", [256.0, 512.0, 128.0], 1024, 2, 0.8),
    kind("c1_14b", [512.0, 256.0, 128.0], 512, 1, 0.65),
    kind("depthwise", [500.0, 8.0, 500.0], 4096, 8, 0.7),
    kind("c3_56", [300.0, 40.0, 300.0], 4096, 8, 0.3),
    kind("c3_28", [250.0, 150.0, 150.0], 2048, 4, 0.28),
    kind("c3_28n", [300.0, 100.0, 100.0], 512, 2, 0.36),
    kind("c1_7", [128.0, 512.0, 64.0], 256, 1, 0.36),
    kind("c3_7", [64.0, 700.0, 32.0], 256, 2, 0.14),
];

/// Refresh intervals that a layer takes alone, about.
const INTERVALS: f64 = 4.0;

/// Co-runs of each memory.
pub const CORUNS: usize = 36;

impl Kind {
    fn layer(&self, memory: &Memory) -> Layer {
        let per_clock = memory.peak_bytes() / memory.burst_bytes as f64;
        let interval = memory.timing.refi as f64;
        let bursts = |size: f64| (size / 8192.0 * interval * per_clock).round().max(1.0) as u64;
        let (inputs, weights, outputs) = (bursts(self.inputs), bursts(self.weights), bursts(self.outputs));
        let of_tile = inputs as f64 + weights as f64 / self.reuse as f64 + outputs as f64;
        let compute = of_tile / per_clock / self.demand;
        let tiles = (INTERVALS * interval / compute.max(of_tile / per_clock)).round();
        Layer {
            name: self.name,
            tiles: tiles as u64,
            inputs,
            run: self.run_bytes / memory.burst_bytes,
            weights,
            reuse: self.reuse,
            outputs,
            compute: compute.round() as i64,
        }
    }
}

/// What runs on a core, and from when.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    pub layer: Layer,
    pub start: i64,
    /// The burst at which its memory starts.
    pub base: u64,
}

/// The layers of the `index`th co-run: as many, the same kinds and starts on every memory. One in three starts its layers
/// one after the other.
pub fn parts(memory: &Memory, index: usize, addresses: u64) -> Vec<Part> {
    let mut draws = Draws(index as u64);
    let mut places = Draws(1000 * addresses + index as u64);
    let layers = [2, 3, 4, 6, 8, 2][index % 6];
    let staggered = index / 6 % 3 == 2;
    let part = |core: u64| {
        let layer = KINDS[draws.below(KINDS.len() as u64) as usize].layer(memory);
        let start = draws.below(2 * memory.timing.refi as u64) as i64;
        // Tensors start at random pages of 4 KiB, each core's in a region of its own.
        let base = (core << 32) + places.below(1 << 16) * (4096 / memory.burst_bytes);
        Part { layer, start: if staggered { start } else { 0 }, base }
    };
    (0..layers).map(part).collect()
}

/// When each part ends. `window` limits the outstanding requests of each core.
pub fn ends(memory: &Memory, window: usize, parts: &[Part]) -> Vec<i64> {
    let cores = parts.iter().map(|part| Core::new(part.layer, part.start, part.base)).collect();
    System::new(memory, window, cores).run()
}

/// The rows of all co-runs of a memory, in the format of `mascot contention verify`.
pub fn rows(config: &str, memory: &Memory, window: usize) -> String {
    let corun = |index: usize| {
        let parts = parts(memory, index, 0);
        let ends = ends(memory, window, &parts);
        let mut rows = String::new();
        for (core, (part, end)) in parts.iter().zip(ends).enumerate() {
            let alone = self::ends(memory, window, &[Part { start: 0, ..*part }])[0];
            let bytes = part.layer.bursts() * memory.burst_bytes;
            let (name, n, per_tile) = (part.layer.name, parts.len(), bytes / part.layer.tiles);
            let (start, peak) = (part.start, memory.peak_bytes());
            writeln!(
                rows,
                "{config}-{index:03},{n},{name},{core},{alone},{bytes},{per_tile},{start},{end},{peak},{config}"
            )
            .expect("a string");
        }
        rows
    };
    (0..CORUNS).into_par_iter().map(corun).collect::<Vec<_>>().concat()
}

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
struct Draws(u64);

impl Draws {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ z >> 31) % end
    }
}
