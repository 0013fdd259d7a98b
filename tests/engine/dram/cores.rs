//! Cores that run one layer each, tile by tile, and the system of cores and channels.

use std::collections::BTreeMap;

use super::{Channel, Memory, Request};

/// A layer as its core sees it: a loop over equal tiles. Of each it reads inputs and, every `reuse` tiles, weights; it
/// computes while the next tile is read (double buffering); then it writes outputs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layer {
    pub(crate) name: &'static str,
    pub(crate) tiles: u64,
    /// Bursts of a tile's inputs.
    pub(crate) inputs: u64,
    /// Bursts of the inputs that are contiguous; the next lie eight times as far on.
    pub(crate) run: u64,
    /// Bursts of weights, contiguous.
    pub(crate) weights: u64,
    pub(crate) reuse: u64,
    /// Bursts of a tile's outputs, contiguous.
    pub(crate) outputs: u64,
    /// Clocks for which a tile is computed.
    pub(crate) compute: i64,
}

/// How much farther on the next run of inputs lies: a tile takes this part of a row of its tensor.
const STRIDE: u64 = 8;

/// Bursts between the tensors of a core: more than any of them has.
const TENSOR: u64 = 1 << 26;

impl Layer {
    /// Bursts that a tile reads.
    fn reads(&self, tile: u64) -> u64 {
        self.inputs + if tile.is_multiple_of(self.reuse) { self.weights } else { 0 }
    }

    /// Bursts of all tiles, read and written.
    pub(crate) fn bursts(&self) -> u64 {
        (0..self.tiles).map(|tile| self.reads(tile) + self.outputs).sum()
    }

    /// The burst that the i-th read of a tile takes.
    fn read(&self, tile: u64, i: u64) -> u64 {
        let Some(weight) = i.checked_sub(self.inputs) else {
            let input = tile * self.inputs + i;
            return input / self.run * self.run * STRIDE + input % self.run;
        };
        TENSOR + tile / self.reuse * self.weights + weight
    }

    fn write(&self, tile: u64, i: u64) -> u64 {
        2 * TENSOR + tile * self.outputs + i
    }
}

/// A core and the progress of its layer.
#[derive(Clone, Debug)]
pub(crate) struct Core {
    layer: Layer,
    /// The clock at which the layer starts.
    start: i64,
    /// The burst at which the core's memory starts.
    base: u64,
    /// Tile and place in it of the next read and the next write.
    next_read: (u64, u64),
    next_write: (u64, u64),
    /// Bursts read of the two tiles that may be under way, by parity.
    read: [u64; 2],
    /// Tiles that are read, and that are computed.
    loaded: u64,
    computed: u64,
    computing_until: Option<i64>,
    outstanding: usize,
    /// When the last output was written.
    end: Option<i64>,
}

impl Core {
    /// A core whose layer starts at `start` and whose tensors begin at the burst `base`.
    pub(crate) fn new(layer: Layer, start: i64, base: u64) -> Self {
        Self {
            layer,
            start,
            base,
            next_read: (0, 0),
            next_write: (0, 0),
            read: [0; 2],
            loaded: 0,
            computed: 0,
            computing_until: None,
            outstanding: 0,
            end: None,
        }
    }

    /// Ends and starts the computation of tiles.
    fn compute(&mut self, now: i64) {
        if self.computing_until.is_some_and(|until| until <= now) {
            self.computing_until = None;
            self.computed += 1;
        }
        if self.computing_until.is_none() && self.computed < self.loaded {
            self.computing_until = Some(now + self.layer.compute);
        }
        if self.next_write.0 == self.layer.tiles && self.outstanding == 0 {
            self.end = self.end.or(Some(now));
        }
    }

    /// Whether there is a next request; if so, its tile, its burst, and whether it writes. Writes go first, because they
    /// are older. A tile is read while the one before it is computed, not earlier.
    fn next(&mut self) -> Option<(u64, u64, bool)> {
        let (tile, i) = self.next_write;
        if tile < self.computed {
            self.next_write = if i + 1 == self.layer.outputs { (tile + 1, 0) } else { (tile, i + 1) };
            return Some((tile, self.base + self.layer.write(tile, i), true));
        }
        let (tile, i) = self.next_read;
        if tile == self.layer.tiles.min(self.computed + 2) {
            return None;
        }
        self.next_read = if i + 1 == self.layer.reads(tile) { (tile + 1, 0) } else { (tile, i + 1) };
        Some((tile, self.base + self.layer.read(tile, i), false))
    }

    /// A request of a tile is done. Tiles are complete in their order.
    fn done(&mut self, tile: u64, write: bool) {
        self.outstanding -= 1;
        self.read[(tile % 2) as usize] += u64::from(!write);
        while self.loaded < self.layer.tiles {
            let read = &mut self.read[(self.loaded % 2) as usize];
            if *read < self.layer.reads(self.loaded) {
                break;
            }
            (*read, self.loaded) = (0, self.loaded + 1);
        }
    }
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Run {
    /// The clock at which each layer ends.
    pub(crate) ends: Vec<i64>,
    /// Bursts moved until the first of them ends.
    pub(crate) until_first: u64,
}

/// Cores that share a memory.
#[derive(Debug)]
pub(crate) struct System<'a> {
    memory: &'a Memory,
    window: usize,
    channels: Vec<Channel>,
    cores: Vec<Core>,
    /// Requests that are done at a clock: reads whose data have been moved, writes that were accepted.
    returns: BTreeMap<i64, Vec<Request>>,
}

impl<'a> System<'a> {
    /// `window` limits the outstanding requests of each core.
    pub(crate) fn new(memory: &'a Memory, window: usize, cores: Vec<Core>) -> Self {
        let channels = (0..memory.channels).map(|_| Channel::new(memory)).collect();
        Self { memory, window, channels, cores, returns: BTreeMap::new() }
    }

    /// Runs until all layers have ended.
    pub(crate) fn run(mut self) -> Run {
        let (mut now, mut until_first) = (0, None);
        while self.cores.iter().any(|core| core.end.is_none()) {
            self.clock(now);
            if until_first.is_none() && self.cores.iter().any(|core| core.end.is_some()) {
                until_first = Some(self.channels.iter().map(|channel| channel.bursts).sum());
            }
            now += 1;
        }
        Run {
            ends: self.cores.iter().map(|core| core.end.expect("all have ended")).collect(),
            until_first: until_first.expect("one has ended"),
        }
    }

    fn clock(&mut self, now: i64) {
        for Request { core, tile, write, .. } in self.returns.remove(&now).unwrap_or_default() {
            self.cores[core].done(tile, write);
        }
        // Each core may send what the memory moves at its peak, but at least one request per clock.
        let per_clock = (self.memory.channels as usize / self.memory.timing.burst as usize).max(1);
        for (i, core) in self.cores.iter_mut().enumerate().filter(|(_, core)| core.start <= now) {
            core.compute(now);
            for _ in 0..per_clock.min(self.window - core.outstanding) {
                let Some((tile, burst, write)) = core.next() else { break };
                core.outstanding += 1;
                let place = self.memory.place(burst);
                self.channels[place.channel].push(Request { place, write, core: i, tile });
            }
        }
        for channel in &mut self.channels {
            let moved = channel.tick(now).filter(|(request, _)| !request.write);
            let accepted = channel.accepted.drain(..).map(|request| (request, now + 1));
            for (request, at) in accepted.chain(moved) {
                self.returns.entry(at).or_default().push(request);
            }
        }
    }
}
