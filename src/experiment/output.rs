//! What a run leaves behind: `summary.csv` with a row per cell, `groups.csv` with one per cell and group of requests,
//! `accelerators.csv` with one per cell and accelerator, on request `requests.csv` and `layers.csv`, and `manifest.json`.
//!
//! Everything is written to temporary files beside the results and renamed at the end: a run that fails leaves
//! nothing. The CSV depends on configuration and seeds only, to the byte.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::Error;
use super::bound::BOUND_COLUMNS;
use super::columns::{KEYS, setting_keys};
use super::data::{DataRoot, Kind};
use super::list::distinct;
use super::plan::{Case, Plan};
use super::sweep::{Cell, Logs, Outcome};
use super::window::{Duration, Window};
use crate::files::{sha256, temporary_in, write_atomic};
use crate::metrics::{ACCELERATOR_COLUMNS, Column, GROUP_COLUMNS, GroupBy, GroupRow, Metrics, Value};
use crate::units::Time;
use crate::workload::Qos;

/// Columns of `requests.csv` after the keys.
const REQUEST_COLUMNS: &[&str] = &[
    "request",
    "job",
    "tenant",
    "network",
    "priority",
    "qos",
    "arrival_us",
    "start_us",
    "finish_us",
    "deadline_us",
    "met",
    "dropped",
    "energy_uj",
    "after",
];

/// Columns of `layers.csv` after the keys.
const LAYER_COLUMNS: &[&str] = &[
    "request",
    "job",
    "network",
    "layer",
    "accelerator",
    "counted",
    "start_us",
    "end_us",
    "stretch",
    "dram_bytes",
    "forwarded_bytes",
    "energy_uj",
];

type CsvFile = csv::Writer<NamedTempFile>;

/// The result files of a run in the making.
pub struct Output {
    folder: PathBuf,
    summary: CsvFile,
    groups: CsvFile,
    accelerators: CsvFile,
    requests: Option<CsvFile>,
    layers: Option<CsvFile>,
    /// Last, so that the temporary files are gone when it is dropped.
    _made: MadeFolder,
}

/// A folder that goes again if nothing is left in it.
struct MadeFolder(Option<PathBuf>);

impl Drop for MadeFolder {
    fn drop(&mut self) {
        if let Some(folder) = &self.0 {
            // Fails when there are results in it, which is when it shall stay.
            let _ = fs::remove_dir(folder);
        }
    }
}

impl Output {
    /// Opens temporary files in the folder, which is made if need be.
    pub fn create(folder: &Path, logs: Logs) -> Result<Self, Error> {
        let made = MadeFolder((!folder.exists()).then(|| folder.to_path_buf()));
        let metrics: Vec<&str> = Metrics::columns().chain(BOUND_COLUMNS).map(|column| column.name).collect();
        let of_groups = GROUP_COLUMNS.iter().map(|column| column.name);
        let groups: Vec<&str> = ["group", "name"].into_iter().chain(of_groups).collect();
        let of_accelerators = ACCELERATOR_COLUMNS.iter().map(|column| column.name);
        let accelerators: Vec<&str> = ["accelerator"].into_iter().chain(of_accelerators).collect();
        Ok(Self {
            folder: folder.to_path_buf(),
            summary: open(folder, &metrics)?,
            groups: open(folder, &groups)?,
            accelerators: open(folder, &accelerators)?,
            requests: logs.requests.then(|| open(folder, REQUEST_COLUMNS)).transpose()?,
            layers: logs.layers.then(|| open(folder, LAYER_COLUMNS)).transpose()?,
            _made: made,
        })
    }

    /// Adds the rows of a cell.
    pub fn add(&mut self, cell: &Cell, outcome: &Outcome) -> Result<(), Error> {
        self.add_rows(cell, outcome).map_err(|e| write_error(&self.folder, e.into()))
    }

    fn add_rows(&mut self, cell: &Cell, outcome: &Outcome) -> Result<(), csv::Error> {
        let keys = cell.keys(outcome.load);
        let row = |own: Vec<String>| keys.iter().cloned().chain(own);
        let of_bound = [Value::Real(outcome.gap_to_bound)];
        self.summary.write_record(row(outcome
            .values
            .iter()
            .chain(&of_bound)
            .map(ToString::to_string)
            .collect()))?;
        for group in &outcome.groups {
            let names = vec![group.by.name().to_string(), name(cell, group)];
            let values = group.values.iter().map(ToString::to_string);
            self.groups.write_record(row(names.into_iter().chain(values).collect()))?;
        }
        let tenants = &cell.case.workload.scenario.tenants;
        let world = &cell.case.site.world;
        for (accelerator, values) in world.platform.accelerators.iter().zip(&outcome.accelerators) {
            let values = values.iter().map(ToString::to_string);
            let own = std::iter::once(accelerator.name.clone()).chain(values);
            self.accelerators.write_record(row(own.collect()))?;
        }
        if let Some(file) = &mut self.requests {
            for r in &outcome.requests {
                file.write_record(row(vec![
                    r.request.0.to_string(),
                    r.job.0.to_string(),
                    tenants[r.tenant as usize].name.clone(),
                    world.networks[r.network as usize].name.clone(),
                    r.priority.to_string(),
                    r.qos.to_string(),
                    us(r.arrival),
                    r.start.map_or(String::new(), us),
                    r.finish.map_or(String::new(), us),
                    us(r.deadline),
                    u8::from(r.is_met()).to_string(),
                    u8::from(r.dropped.is_some()).to_string(),
                    real(r.energy.0 / 1e6),
                    r.after.map_or(String::new(), |leader| leader.0.to_string()),
                ]))?;
            }
        }
        if let Some(file) = &mut self.layers {
            for r in &outcome.layers {
                let network = &world.networks[r.network as usize];
                file.write_record(row(vec![
                    r.request.0.to_string(),
                    r.job.0.to_string(),
                    network.name.clone(),
                    network.layers[r.layer as usize].clone(),
                    world.platform.accelerators[r.accelerator].name.clone(),
                    u8::from(r.counted).to_string(),
                    us(r.start),
                    us(r.end),
                    real(r.stretch),
                    real(r.dram_bytes),
                    real(r.forwarded_bytes),
                    real(r.energy.0 / 1e6),
                ]))?;
            }
        }
        Ok(())
    }

    /// Writes the manifest and gives every file its name.
    pub fn finish(self, plan: &Plan, inputs: &[PathBuf], argv: &[String]) -> Result<(), Error> {
        let Self { folder, summary, groups, accelerators, requests, layers, _made } = self;
        let named = [
            ("summary.csv", Some(summary)),
            ("groups.csv", Some(groups)),
            ("accelerators.csv", Some(accelerators)),
            ("requests.csv", requests),
            ("layers.csv", layers),
        ];
        for (name, file) in named {
            let path = folder.join(name);
            match file {
                Some(file) => persist(file, &path).map_err(|source| write_error(&path, source))?,
                // A log of an earlier run would not belong to this summary.
                None if path.exists() => {
                    fs::remove_file(&path).map_err(|source| write_error(&path, source))?
                }
                None => {}
            }
        }
        let path = folder.join("manifest.json");
        let manifest = manifest(plan, inputs, argv);
        let text =
            serde_json::to_string_pretty(&manifest).expect("a JSON value is written without fail") + "\n";
        write_atomic(&path, text.as_bytes()).map_err(|source| write_error(&path, source))
    }
}

/// What a group is called in its scenario.
fn name(cell: &Cell, group: &GroupRow) -> String {
    let place = group.key as usize;
    match group.by {
        GroupBy::Tenant => cell.case.workload.scenario.tenants[place].name.clone(),
        GroupBy::Network => cell.case.site.world.networks[place].name.clone(),
        GroupBy::Qos => Qos::ALL[place].to_string(),
        GroupBy::Priority => group.key.to_string(),
    }
}

fn open(folder: &Path, columns: &[&str]) -> Result<CsvFile, Error> {
    let file = temporary_in(folder).map_err(|source| write_error(folder, source))?;
    let mut writer = csv::Writer::from_writer(file);
    writer.write_record(KEYS.iter().chain(columns)).map_err(|e| write_error(folder, e.into()))?;
    Ok(writer)
}

fn persist(file: CsvFile, path: &Path) -> io::Result<()> {
    let file = file.into_inner().map_err(|e| io::Error::other(e.to_string()))?;
    file.persist(path)?;
    Ok(())
}

fn write_error(path: &Path, source: io::Error) -> Error {
    Error::Write { path: path.display().to_string(), source }
}

fn us(time: Time) -> String {
    real(time.as_us())
}

/// A measure in a cell.
fn real(value: f64) -> String {
    Value::Real(value).to_string()
}

/// The data files that an experiment read.
pub fn inputs(plan: &Plan, data: &DataRoot) -> Result<Vec<PathBuf>, Error> {
    let experiment = &plan.experiment;
    let mut paths = vec![experiment.path.clone()];
    let mut tables = Vec::new();
    let mut add = |kind, name: &str| data.path(kind, name).map(|path| paths.push(path));
    for name in &experiment.systems {
        add(Kind::System, name)?;
        let system = data.system(name)?;
        tables.extend(system.cost);
        for model in system.models {
            add(Kind::Accelerator, &model.name)?;
        }
    }
    experiment.scenarios.iter().try_for_each(|name| add(Kind::Scenario, name))?;
    for case in &plan.cases {
        case.workload
            .scenario
            .networks
            .iter()
            .try_for_each(|variant| add(Kind::Network, &variant.network))?;
    }
    paths.extend(tables);
    paths.extend(plan.policies.files());
    let files = plan.cases.iter().flat_map(|case| &case.workload.scenario.tenants);
    paths.extend(files.filter_map(|tenant| tenant.arrivals.file()).map(Path::to_path_buf));
    paths.extend(experiment.trace.as_ref().map(|trace| trace.file.clone()));
    paths.sort_unstable();
    paths.dedup();
    Ok(paths)
}

/// Grows with every incompatible change of `manifest.json`.
const MANIFEST_SCHEMA: u32 = 2;

/// What is needed to run it again and to read the CSV: configuration, inputs by content, lambda*, columns.
fn manifest(plan: &Plan, inputs: &[PathBuf], argv: &[String]) -> serde_json::Value {
    let experiment = &plan.experiment;
    let hashes = inputs.iter().map(|path| {
        let sha256 = fs::read(path).map(|bytes| sha256(&bytes)).unwrap_or_default();
        serde_json::json!({ "path": path.display().to_string(), "sha256": sha256 })
    });
    let setting = |case: &Case| -> BTreeMap<String, String> {
        setting_keys(&case.setting, &case.site.dram).into_iter().collect()
    };
    let settings = distinct(plan.cases.iter().map(setting));
    let capacities = distinct(plan.cases.iter().map(capacity_of));
    let told = |c: &Column| serde_json::json!({ "name": c.name, "doc": c.doc });
    let columns: Vec<_> = Metrics::columns().chain(BOUND_COLUMNS).map(told).collect();
    let of_groups: Vec<_> = GROUP_COLUMNS.iter().map(told).collect();
    let of_accelerators: Vec<_> = ACCELERATOR_COLUMNS.iter().map(told).collect();
    serde_json::json!({
        "schema": MANIFEST_SCHEMA,
        "tool": env!("CARGO_PKG_NAME"),
        "version": env!("CARGO_PKG_VERSION"),
        "argv": argv,
        "experiment": {
            "name": experiment.name,
            "systems": experiment.systems,
            "scenarios": experiment.scenarios,
            "qos": experiment.qos,
            "loads": experiment.loads,
            "trace": experiment.trace,
            "schedulers": experiment.schedulers,
            "first_seed": experiment.first_seed,
            "seeds": experiment.seeds,
            "bound": experiment.bound,
            "windows": distinct(plan.cases.iter().map(window_of)),
            "settings": settings,
        },
        "inputs": hashes.collect::<Vec<_>>(),
        "capacities": capacities,
        "columns": {
            "keys": KEYS,
            "metrics": columns,
            "groups": of_groups,
            "accelerators": of_accelerators,
        },
    })
}

/// How many requests a run has, in their parts, or how long it is.
fn window_of(case: &Case) -> serde_json::Value {
    match case.window {
        Window::Requests { warmup, counted, drain } => {
            serde_json::json!({ "warmup_requests": warmup, "requests": counted, "drain_requests": drain })
        }
        Window::Duration(Duration { warmup, end }) => {
            serde_json::json!({ "warmup_s": warmup.as_s(), "duration_s": end.as_s() })
        }
    }
}

fn capacity_of(case: &Case) -> serde_json::Value {
    let capacity = &case.site.capacity;
    serde_json::json!({
        "system": case.system,
        "scenario": case.workload.scenario.name,
        "dram_bandwidth_gbps": case.site.dram.bandwidth_gbps.to_string(),
        "lambda_star_requests_per_s": capacity.requests_per_s,
        "dram_utilization": capacity.dram_utilization,
    })
}
