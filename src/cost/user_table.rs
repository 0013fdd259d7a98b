//! A user's own costs instead of the model's, such as from Timeloop, ZigZag, silicon, or by hand.
//!
//! CSV with the columns `network,layer,accelerator,cycles,dram_bytes,energy_pj`, a row per layer and accelerator model,
//! and optionally `batch` (1 where left out), `weight_bytes` and `input_bytes`: how many of the DRAM bytes are reads of
//! weights, and of what other layers write (0 where left out, so that nothing is saved by `residency`); `dram_tiles`, into
//! as many parts of which a layer may be split (1), and `utilization`, MACs per cycle and MAC unit (from `cycles`).
//! `cycles` is c, without memory stall; `energy_pj` leaves leakage out. A model that cannot run the layer has cycles, bytes
//! and energy empty. Rows that nothing needs are allowed, and so are the other columns of `mascot cost table --csv`
//! ([`FOR_READERS`]): such a table reads back to the same costs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::LayerCost;
use super::timing::time;
use crate::files::{CsvFile, InputError, Record, Source};
use crate::hw::AccelSpec;
use crate::units::{Bytes, Cycles, Picojoules};
use crate::workload::{Layer, Network};

/// Network, layer, accelerator model, batch.
type Key = (String, String, String, u64);

#[derive(Clone, Copy, Debug)]
struct Given {
    cycles: u64,
    dram_bytes: u64,
    weight_bytes: u64,
    input_bytes: u64,
    energy_pj: f64,
    tiles: u64,
    utilization: Option<f64>,
}

/// A user's cost table.
#[derive(Debug)]
pub struct UserTable {
    path: PathBuf,
    rows: BTreeMap<Key, Option<Given>>,
}

impl UserTable {
    /// Reads and validates the file.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        let source = Source::read(path)?;
        let mut file = CsvFile::of(&source)?;
        let columns = Columns::of(&file)?;
        let (mut rows, mut record) = (BTreeMap::new(), Record::default());
        while file.read(&mut record)? {
            let key = columns.key(&file, &record)?;
            let given = columns.given(&file, &record)?;
            if rows.contains_key(&key) {
                let (network, layer, accelerator, _) = key;
                let message = format!("a second row for layer `{layer}` of `{network}` on `{accelerator}`");
                return Err(file.error(&record, message));
            }
            rows.insert(key, given);
        }
        Ok(Self { path: path.to_path_buf(), rows })
    }

    /// The cost of a layer on a model.
    pub fn cost(
        &self,
        network: &Network,
        layer: &Layer,
        accel: &AccelSpec,
        batch: u64,
    ) -> Result<Option<LayerCost>, InputError> {
        let key = (network.name.clone(), layer.name.clone(), accel.name.clone(), batch);
        let Some(given) = self.rows.get(&key) else {
            let mut message = format!(
                "no row for layer `{}` of network `{}` at batch {batch} on accelerator `{}`; \
                 leave its cycles, dram_bytes and energy_pj empty if it cannot run there",
                layer.name, network.name, accel.name
            );
            let is_part = |(name, row, ..): &Key| {
                *name == network.name && row.split('+').any(|part| part == layer.name)
            };
            if !layer.post.is_empty() {
                message += "; a table of layers as the network file has them goes with `fusion = \"none\"`";
            } else if self.rows.keys().any(is_part) {
                message += "; a table of fused layers goes with `fusion = \"post\"`";
            }
            return Err(InputError::file(&self.path, message));
        };
        Ok(given.map(|given| LayerCost {
            latency: time(accel, Cycles(given.cycles)),
            dram_bytes: Bytes(given.dram_bytes),
            weight_bytes: Bytes(given.weight_bytes),
            input_bytes: Bytes(given.input_bytes),
            energy: Picojoules(given.energy_pj),
            utilization: given.utilization.unwrap_or_else(|| {
                let macs = layer.op.with_batch(batch).macs().0 as f64;
                macs / (given.cycles as f64 * accel.macs_per_cycle() as f64)
            }),
            tiles: given.tiles,
            on_chip: None,
        }))
    }
}

const COLUMNS: [&str; 11] = [
    "network",
    "layer",
    "accelerator",
    "batch",
    "cycles",
    "dram_bytes",
    "energy_pj",
    "weight_bytes",
    "input_bytes",
    "dram_tiles",
    "utilization",
];

/// Columns of `mascot cost table --csv` that say nothing about a cost that others do not say.
const FOR_READERS: [&str; 8] =
    ["kind", "dims", "macs", "latency_us", "bound_by", "demand_gbps", "levels_pj", "mapping"];

/// The places of the columns.
struct Columns {
    names: [usize; 3],
    batch: Option<usize>,
    costs: [usize; 3],
    /// Weights and inputs.
    reads: [Option<usize>; 2],
    tiles: Option<usize>,
    utilization: Option<usize>,
}

impl Columns {
    fn of(file: &CsvFile<&[u8]>) -> Result<Self, InputError> {
        let [network, layer, accelerator, batch, cycles, dram_bytes, energy_pj, weights, inputs, ..] =
            COLUMNS;
        let [.., tiles, utilization] = COLUMNS;
        let place = |name| file.column(name);
        let names = [place(network)?, place(layer)?, place(accelerator)?];
        let costs = [place(cycles)?, place(dram_bytes)?, place(energy_pj)?];
        file.only(&[&COLUMNS[..], &FOR_READERS].concat())?;
        Ok(Self {
            names,
            batch: file.find(batch),
            costs,
            reads: [weights, inputs].map(|name| file.find(name)),
            tiles: file.find(tiles),
            utilization: file.find(utilization),
        })
    }

    fn key(&self, file: &CsvFile<&[u8]>, record: &Record) -> Result<Key, InputError> {
        let [network, layer, accelerator] = self.names.map(|place| file.text(record, place));
        let batch = self.batch.map_or(Ok(1), |place| file.whole(record, place))?;
        Ok((network?, layer?, accelerator?, batch))
    }

    /// The costs in a record; `None` if the model cannot run the layer.
    fn given(&self, file: &CsvFile<&[u8]>, record: &Record) -> Result<Option<Given>, InputError> {
        let [cycles, dram_bytes, energy_pj] = self.costs;
        let wrong = |place, least: u64, most: f64| {
            let message =
                format!("`{}` is not allowed: expected a number from {least} to {most:e}", record.get(place));
            Err(file.field_error(record, place, message))
        };
        let found = (
            file.some_whole(record, cycles)?,
            file.some_whole(record, dram_bytes)?,
            file.some_real(record, energy_pj)?,
        );
        match found {
            (None, None, None) => Ok(None),
            (Some(0), ..) => wrong(cycles, 1, MAX_CYCLES),
            (Some(many), ..) if many as f64 > MAX_CYCLES => wrong(cycles, 1, MAX_CYCLES),
            (_, Some(many), _) if many as f64 > MAX_BYTES => wrong(dram_bytes, 0, MAX_BYTES),
            (.., Some(pj)) if !(0.0..=MAX_PJ).contains(&pj) => wrong(energy_pj, 0, MAX_PJ),
            (Some(cycles), Some(dram_bytes), Some(energy_pj)) => {
                let [weight_bytes, input_bytes] = self.reads(file, record, dram_bytes)?;
                let tiles = self.tiles.map_or(Ok(None), |place| file.some_whole(record, place))?;
                if tiles.is_some_and(|tiles| tiles == 0 || tiles as f64 > MAX_BYTES) {
                    return wrong(self.tiles.unwrap_or_default(), 1, MAX_BYTES);
                }
                let utilization = self.utilization.map_or(Ok(None), |place| file.some_real(record, place))?;
                if utilization.is_some_and(|share| !(0.0..=MAX_UTILIZATION).contains(&share)) {
                    return wrong(self.utilization.unwrap_or_default(), 0, MAX_UTILIZATION);
                }
                let tiles = tiles.unwrap_or(1);
                Ok(Some(Given {
                    cycles,
                    dram_bytes,
                    weight_bytes,
                    input_bytes,
                    energy_pj,
                    tiles,
                    utilization,
                }))
            }
            _ => {
                let message = "give cycles, dram_bytes and energy_pj, or leave all three empty if the layer cannot run there";
                Err(file.error(record, message))
            }
        }
    }

    /// The reads of weights and inputs in a record.
    fn reads(&self, file: &CsvFile<&[u8]>, record: &Record, dram_bytes: u64) -> Result<[u64; 2], InputError> {
        let read = |place| file.some_whole(record, place).map(Option::unwrap_or_default);
        let [weights, inputs] = self.reads.map(|place| place.map_or(Ok(0), read));
        let (weights, inputs) = (weights?, inputs?);
        if u128::from(weights) + u128::from(inputs) > u128::from(dram_bytes) {
            let message = format!(
                "weight_bytes and input_bytes, {weights} and {inputs}, are more than dram_bytes, {dram_bytes}"
            );
            return Err(file.error(record, message));
        }
        Ok([weights, inputs])
    }
}

/// Our choice, because times must fit the 64-bit clock: a thousand seconds at 1 GHz, a petabyte, a kilojoule.
const MAX_CYCLES: f64 = 1e12;
const MAX_BYTES: f64 = 1e15;
const MAX_PJ: f64 = 1e15;

/// Our choice, because MACs that are skipped (sparsity, Winograd) may count, but hardly a hundred for one.
const MAX_UTILIZATION: f64 = 100.0;
