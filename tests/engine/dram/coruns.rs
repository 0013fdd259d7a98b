//! Co-runs of the twin, as data for the contention model: layers of different demand on 2 to 8 cores.
//! `UPDATE=1 cargo test --release --test engine twin` writes them to tests/data/contention/twin.csv.

use super::{Core, DDR4, HBM2, LPDDR5, Layer, Memory, Run, System};

/// A kind of layer. Sizes are in nanoseconds that they take at the peak of the memory, so that a layer takes as long on
/// every memory.
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

const fn kind(
    name: &'static str,
    [inputs, weights, outputs]: [f64; 3],
    run_bytes: u64,
    reuse: u64,
    demand: f64,
) -> Kind {
    Kind { name, inputs, run_bytes, weights, reuse, outputs, demand }
}

/// Layers like those of corun.csv: the same spread of demands, fully connected ones all weights, early ones all
/// activations. Our choice.
const KINDS: [Kind; 12] = [
    kind("fc", [8.0, 500.0, 4.0], 1 << 20, 1, 1.5),
    kind("gemm", [200.0, 300.0, 25.0], 1 << 20, 1, 1.2),
    kind("c1_56", [250.0, 32.0, 200.0], 4096, 8, 1.1),
    kind("c1_28", [250.0, 64.0, 150.0], 2048, 4, 0.95),
    kind("c1_14", [128.0, 256.0, 64.0], 1024, 2, 0.8),
    kind("c1_14b", [256.0, 128.0, 64.0], 512, 1, 0.65),
    kind("depthwise", [250.0, 4.0, 250.0], 4096, 8, 0.7),
    kind("c3_56", [150.0, 20.0, 150.0], 4096, 8, 0.3),
    kind("c3_28", [125.0, 75.0, 75.0], 2048, 4, 0.28),
    kind("c3_28n", [150.0, 50.0, 50.0], 512, 2, 0.36),
    kind("c1_7", [64.0, 256.0, 32.0], 256, 1, 0.36),
    kind("c3_7", [32.0, 350.0, 16.0], 256, 2, 0.14),
];

/// How long a layer takes alone, about: four refresh intervals of DDR4, eight of the others.
const LAYER_NS: f64 = 32_000.0;

/// Co-runs of each memory.
pub(crate) const CORUNS: usize = 36;

impl Kind {
    fn layer(&self, memory: &Memory) -> Layer {
        let per_ns = memory.peak_bytes() / memory.burst_bytes as f64 / memory.clock_ns;
        let bursts = |ns: f64| (ns * per_ns).round().max(1.0) as u64;
        let load_ns = self.inputs + self.weights / self.reuse as f64 + self.outputs;
        let compute_ns = load_ns / self.demand;
        let tiles = LAYER_NS / compute_ns.max(load_ns);
        Layer {
            name: self.name,
            tiles: tiles.round() as u64,
            inputs: bursts(self.inputs),
            run: self.run_bytes / memory.burst_bytes,
            weights: bursts(self.weights),
            reuse: self.reuse,
            outputs: bursts(self.outputs),
            compute: (compute_ns / memory.clock_ns).round() as i64,
        }
    }
}

/// What runs on a core, and from when.
#[derive(Clone, Copy, Debug)]
struct Part {
    layer: Layer,
    start: i64,
    /// The burst at which its memory starts.
    base: u64,
}

/// A memory system of the data.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Config {
    pub(crate) name: &'static str,
    memory: Memory,
    /// Requests that a core may have outstanding.
    window: usize,
    /// Which of several draws of addresses the tensors have.
    addresses: u64,
    /// The share of the peak that is delivered while all layers run, in hundredths: the mean of `delivered` over the
    /// twelve co-runs of at least four layers that start together.
    pub(crate) efficiency: f64,
}

/// All memory systems of the data. Those named after DDR4 run the same layers: with unbounded queues; with tensors at other
/// addresses; without the gaps between reads and writes (`rows`); also without the times of rows (`refresh`); on a bus
/// that is never held up (`ideal`).
pub(crate) fn configs() -> [Config; 8] {
    let config = |name, memory: Memory, efficiency| {
        let (window, addresses) = (memory.window, 0);
        Config { name, memory, window, addresses, efficiency }
    };
    let rows = DDR4.without_turnarounds();
    let refresh = rows.without_rows();
    [
        config("ddr4", DDR4, 0.83),
        config("hbm2", HBM2, 0.81),
        config("lpddr5", LPDDR5, 0.77),
        Config { window: usize::MAX, ..config("ddr4_fifo", DDR4, 0.87) },
        Config { addresses: 1, ..config("ddr4_elsewhere", DDR4, 0.83) },
        config("ddr4_rows", rows, 0.85),
        config("ddr4_refresh", refresh, 0.96),
        config("ddr4_ideal", refresh.without_refresh(), 1.0),
    ]
}

impl Config {
    fn run(&self, parts: &[Part]) -> Run {
        let cores = parts.iter().map(|part| Core::new(part.layer, part.start, part.base)).collect();
        System::new(&self.memory, self.window, cores).run()
    }

    /// The layers of the `index`th co-run: as many, the same kinds and starts on every memory. One in three starts its layers
    /// one after the other.
    fn parts(&self, index: usize) -> Vec<Part> {
        let memory = &self.memory;
        let mut draws = Draws(index as u64);
        let mut places = Draws(1000 + 1000 * self.addresses + index as u64);
        let layers = [2, 3, 4, 6, 8, 2][index % 6];
        let staggered = index / 6 % 3 == 2;
        let part = |core: u64| {
            let layer = KINDS[draws.below(KINDS.len() as u64) as usize].layer(memory);
            let start = (draws.below(16_000) as f64 / memory.clock_ns) as i64;
            // Tensors start at random pages of 4 KiB, each core's in a region of its own.
            let base = (core << 32) + places.below(1 << 16) * (4096 / memory.burst_bytes);
            Part { layer, start: if staggered { start } else { 0 }, base }
        };
        (0..layers).map(part).collect()
    }

    /// The share of the peak that a co-run gets until its first layer ends.
    pub(crate) fn delivered(&self, index: usize) -> f64 {
        let run = self.run(&self.parts(index));
        let first = *run.ends.iter().min().expect("a layer");
        (run.until_first * self.memory.burst_bytes) as f64 / self.memory.peak_bytes() / first as f64
    }

    /// The rows of a co-run, in the format of `mascot contention verify`.
    pub(crate) fn rows(&self, index: usize) -> String {
        let parts = self.parts(index);
        let ends = self.run(&parts).ends;
        let row = |(core, (part, end)): (usize, (&Part, i64))| {
            let alone = self.run(&[Part { start: 0, ..*part }]).ends[0];
            let bytes = part.layer.bursts() * self.memory.burst_bytes;
            let (name, layer, n) = (self.name, part.layer.name, parts.len());
            let (start, per_tile, peak) = (part.start, bytes / part.layer.tiles, self.memory.peak_bytes());
            format!(
                "{name}-{index:03},{n},{layer},{core},{alone},{bytes},{per_tile},{start},{end},{peak},{name}\n"
            )
        };
        parts.iter().zip(ends).enumerate().map(row).collect()
    }
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
