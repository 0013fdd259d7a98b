//! Measured co-runs: CSV with a row per layer and experiment.
//!
//! Columns: `experiment,n,layer,alone_cycles,dram_bytes,start_cycle,end_cycle,bandwidth_bytes_per_cycle,config`, and
//! optionally `bytes_per_tile` (what a layer asks for at once). The rows of a `config` (a memory system) and an
//! `experiment` ran together, one per core; `n` is their number, so that a cut file is noticed. Other columns, such as
//! `core`, are not read.

use std::collections::BTreeMap;
use std::path::Path;

use crate::files::{CsvFile, InputError, Record, Source};

/// A layer in a co-run.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// The name of the layer.
    pub name: String,
    /// Latency in cycles when it runs alone on the same memory system.
    pub alone_cycles: u64,
    /// The DRAM bytes that it moves.
    pub dram_bytes: u64,
    /// The DRAM bytes that it requests at once.
    pub bytes_per_tile: Option<f64>,
    /// The cycle in which it started.
    pub start_cycle: u64,
    /// The cycle in which it ended.
    pub end_cycle: u64,
}

/// Layers that ran together, each on a core of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct CoRun {
    /// The identifier, unique within the memory system.
    pub experiment: String,
    /// Peak bandwidth of the shared DRAM.
    pub bandwidth_bytes_per_cycle: f64,
    /// The layers in the order of the file.
    pub layers: Vec<Layer>,
}

/// All co-runs of a file, by memory system and experiment.
#[derive(Clone, Debug, Default)]
pub struct CoRuns(BTreeMap<String, Vec<CoRun>>);

/// The most layers among which the engine shares bandwidth.
const MAX_LAYERS: u64 = 64;

/// The largest cycle: simulated time is in picoseconds and must fit 64 bits.
const MAX_CYCLE: u64 = 1_000_000_000_000;

#[derive(Debug)]
struct Row {
    experiment: String,
    n: u64,
    layer: String,
    alone_cycles: u64,
    dram_bytes: u64,
    bytes_per_tile: Option<f64>,
    start_cycle: u64,
    end_cycle: u64,
    bandwidth_bytes_per_cycle: f64,
    config: String,
}

/// The indices of the columns of a [`Row`], in its order.
struct Columns {
    texts: [usize; 3],
    wholes: [usize; 5],
    bytes_per_tile: Option<usize>,
    bandwidth_bytes_per_cycle: usize,
}

impl Columns {
    fn of(file: &CsvFile<&[u8]>) -> Result<Self, InputError> {
        let place = |name| file.column(name);
        Ok(Self {
            texts: [place("experiment")?, place("layer")?, place("config")?],
            wholes: [
                place("n")?,
                place("alone_cycles")?,
                place("dram_bytes")?,
                place("start_cycle")?,
                place("end_cycle")?,
            ],
            bytes_per_tile: file.find("bytes_per_tile"),
            bandwidth_bytes_per_cycle: place("bandwidth_bytes_per_cycle")?,
        })
    }

    fn row(&self, file: &CsvFile<&[u8]>, record: &Record) -> Result<Row, InputError> {
        let [experiment, layer, config] = self.texts.map(|place| file.text(record, place));
        let [n, alone, dram_bytes, start, end] = self.wholes.map(|place| file.whole(record, place));
        Ok(Row {
            experiment: experiment?,
            n: n?,
            layer: layer?,
            alone_cycles: alone?,
            dram_bytes: dram_bytes?,
            bytes_per_tile: self.bytes_per_tile.map_or(Ok(None), |place| file.some_real(record, place))?,
            start_cycle: start?,
            end_cycle: end?,
            bandwidth_bytes_per_cycle: file.real(record, self.bandwidth_bytes_per_cycle)?,
            config: config?,
        })
    }
}

impl CoRuns {
    /// Reads and validates the file.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        let source = Source::read(path)?;
        if source.text.trim().is_empty() {
            return Err(InputError::file(path, "is empty: expected a header and a row per layer"));
        }
        let mut file = CsvFile::of(&source)?;
        let columns = Columns::of(&file)?;
        let mut coruns: BTreeMap<(String, String), Open> = BTreeMap::new();
        let mut record = Record::default();
        while file.read(&mut record)? {
            let row = columns.row(&file, &record)?;
            row.check().map_err(|message| file.error(&record, message))?;
            let key = (row.config.clone(), row.experiment.clone());
            let open = coruns.entry(key).or_insert_with(|| Open::new(&row, record.line()));
            open.add(row).map_err(|message| file.error(&record, message))?;
        }
        let mut all = Self::default();
        for ((config, experiment), open) in coruns {
            let corun = open.close(&experiment).map_err(|(line, m)| InputError::at_line(path, line, m))?;
            all.0.entry(config).or_default().push(corun);
        }
        if all.0.is_empty() {
            return Err(InputError::file(path, "has no rows: expected one per layer of a co-run"));
        }
        Ok(all)
    }

    /// The co-runs of each memory system, by its name.
    pub fn by_config(&self) -> impl Iterator<Item = (&str, &[CoRun])> {
        self.0.iter().map(|(config, coruns)| (config.as_str(), coruns.as_slice()))
    }
}

/// A co-run that is still being read: rows may be missing.
struct Open {
    line: usize,
    n: u64,
    corun: CoRun,
}

impl Open {
    fn new(row: &Row, line: usize) -> Self {
        let (experiment, bandwidth_bytes_per_cycle) = (row.experiment.clone(), row.bandwidth_bytes_per_cycle);
        Self { line, n: row.n, corun: CoRun { experiment, bandwidth_bytes_per_cycle, layers: Vec::new() } }
    }

    fn add(&mut self, row: Row) -> Result<(), String> {
        let first = (self.n, self.corun.bandwidth_bytes_per_cycle);
        if (row.n, row.bandwidth_bytes_per_cycle) != first {
            return Err(format!(
                "`n` is {} and `bandwidth_bytes_per_cycle` {}, but {} and {} in line {} of the same experiment",
                row.n, row.bandwidth_bytes_per_cycle, first.0, first.1, self.line
            ));
        }
        self.corun.layers.push(Layer {
            name: row.layer,
            alone_cycles: row.alone_cycles,
            dram_bytes: row.dram_bytes,
            bytes_per_tile: row.bytes_per_tile,
            start_cycle: row.start_cycle,
            end_cycle: row.end_cycle,
        });
        Ok(())
    }

    fn close(self, experiment: &str) -> Result<CoRun, (usize, String)> {
        let rows = self.corun.layers.len() as u64;
        if rows == self.n {
            Ok(self.corun)
        } else {
            Err((self.line, format!("`n` is {}, but experiment `{experiment}` has {rows} rows", self.n)))
        }
    }
}

impl Row {
    fn check(&self) -> Result<(), String> {
        let positive = |v: f64| v.is_finite() && v > 0.0;
        if !(1..=MAX_LAYERS).contains(&self.n) {
            Err(format!("`n` is {}: expected 1 to {MAX_LAYERS} layers", self.n))
        } else if !(1..=MAX_CYCLE).contains(&self.alone_cycles) {
            Err(format!("`alone_cycles` is {}: expected 1 to {MAX_CYCLE}", self.alone_cycles))
        } else if !(self.start_cycle.saturating_add(1)..=MAX_CYCLE).contains(&self.end_cycle) {
            Err(format!(
                "`end_cycle` is {}: expected more than `start_cycle`, {}, and at most {MAX_CYCLE}",
                self.end_cycle, self.start_cycle
            ))
        } else if !positive(self.bandwidth_bytes_per_cycle) {
            Err(format!(
                "`bandwidth_bytes_per_cycle` is {}: expected a number > 0",
                self.bandwidth_bytes_per_cycle
            ))
        } else if !self.bytes_per_tile.is_none_or(positive) {
            Err(format!("`bytes_per_tile` is {:?}: expected a number > 0, or nothing", self.bytes_per_tile))
        } else {
            Ok(())
        }
    }
}
