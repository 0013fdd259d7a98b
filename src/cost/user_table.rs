//! A user's own costs instead of the model's: from Timeloop, ZigZag, silicon, or by hand.
//!
//! CSV with the columns `network,layer,accelerator,cycles,dram_bytes,energy_pj`, a row per layer and accelerator model,
//! and optionally `batch` (1 where left out). `cycles` is c, without memory stall; `energy_pj` leaves leakage out. A model that
//! cannot run the layer has its last three fields empty. Rows that nothing needs are allowed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::LayerCost;
use super::timing::time;
use crate::files::{CsvLines, InputError, Source, csv_error, csv_field_error};
use crate::hw::AccelSpec;
use crate::units::{Bytes, Cycles, Picojoules};
use crate::workload::{Layer, Network};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    network: String,
    layer: String,
    accelerator: String,
    #[serde(default = "one")]
    batch: u64,
    cycles: Option<u64>,
    dram_bytes: Option<u64>,
    energy_pj: Option<f64>,
}

fn one() -> u64 {
    1
}

/// Network, layer, accelerator model, batch.
type Key = (String, String, String, u64);

#[derive(Clone, Copy, Debug)]
struct Given {
    cycles: u64,
    dram_bytes: u64,
    energy_pj: f64,
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
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(source.text.as_bytes());
        let header = reader.headers().map_err(|e| csv_error(&source, &e))?.clone();
        let (mut rows, mut lines) = (BTreeMap::new(), CsvLines::new(&source.text));
        for record in reader.records() {
            let record = record.map_err(|e| csv_error(&source, &e))?;
            let line = lines.of(record.position());
            let fail = |message: String| InputError::at_line(path, line, message);
            let row: Row =
                record.deserialize(Some(&header)).map_err(|e| csv_field_error(path, line, &e, &header))?;
            let given = row.given().map_err(fail)?;
            let key = (row.network, row.layer, row.accelerator, row.batch);
            if rows.contains_key(&key) {
                return Err(fail(format!(
                    "a second row for layer `{}` of `{}` on `{}`",
                    key.1, key.0, key.2
                )));
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
            let message = format!(
                "no row for layer `{}` of network `{}` at batch {batch} on accelerator `{}`; \
                 leave its cycles, dram_bytes and energy_pj empty if it cannot run there",
                layer.name, network.name, accel.name
            );
            return Err(InputError::file(&self.path, message));
        };
        Ok(given.map(|given| LayerCost {
            latency: time(accel, Cycles(given.cycles)),
            dram_bytes: Bytes(given.dram_bytes),
            energy: Picojoules(given.energy_pj),
            utilization: layer.op.with_batch(batch).macs().0 as f64
                / (given.cycles as f64 * accel.macs_per_cycle() as f64),
            tiles: 1,
        }))
    }
}

impl Row {
    fn given(&self) -> Result<Option<Given>, String> {
        match (self.cycles, self.dram_bytes, self.energy_pj) {
            (None, None, None) => Ok(None),
            (Some(cycles), Some(dram_bytes), Some(energy_pj)) => {
                if cycles == 0 {
                    Err("`cycles` must be at least 1".into())
                } else if !(energy_pj.is_finite() && energy_pj >= 0.0) {
                    Err(format!("`energy_pj` is {energy_pj}: expected a number >= 0"))
                } else {
                    Ok(Some(Given { cycles, dram_bytes, energy_pj }))
                }
            }
            _ => Err("give cycles, dram_bytes and energy_pj, or none of them if it cannot run".into()),
        }
    }
}
