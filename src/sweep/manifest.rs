//! `manifest.json`: everything needed to repeat a sweep and to read its CSV files. It lies beside the result files once
//! they exist; before that it lies beside the kept cells and records the progress of the sweep.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cell::{Failure, Logs};
use super::columns::{Extent, summary_columns};
use super::identity::{Identity, SOURCES_SHA256};
use super::topology::topologies;
use crate::experiment::{DataRoot, Duration, Experiment, KEYS, Window, distinct};
use crate::files::{InputError, any_path};
use crate::metrics::{ACCELERATOR_COLUMNS, CROSSING_COLUMNS, Groups, Heading};
use crate::plan::{Case, Plan, Site};

/// The name of the file.
pub const FILE: &str = "manifest.json";

/// Grows with every incompatible change of `manifest.json`.
const SCHEMA: u32 = 3;

/// Facts about a run of the program and its environment.
#[derive(Clone, Debug, Serialize)]
pub struct Session {
    /// The arguments of the program.
    pub argv: Vec<String>,
    /// The working folder, to which relative paths refer.
    #[serde(with = "any_path")]
    pub working_folder: PathBuf,
    /// The machine.
    pub host: Host,
}

/// A machine.
#[derive(Clone, Debug, Serialize)]
pub struct Host {
    /// The host name, if it is known.
    pub name: Option<String>,
    /// The operating system, by Rust's name for it.
    pub os: &'static str,
    /// The processor architecture, by Rust's name for it.
    pub arch: &'static str,
    /// The number of logical processors.
    pub cpus: usize,
}

/// The state of a sweep.
#[derive(Debug, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State<'a> {
    /// The sweep is running or was stopped.
    Unfinished,
    /// All cells were tried, and some failed.
    Failed {
        /// The failed cells.
        #[serde(serialize_with = "as_ids")]
        failed: &'a [Failure],
    },
    /// All result files exist.
    Complete {
        /// The number of cells that this run of the program ran.
        cells_run: usize,
        /// The number of cells that were kept from before.
        cells_kept: usize,
        /// Wall time of all cells, kept ones included.
        cells_wall_s: f64,
        /// Wall time of this run of the program.
        wall_s: f64,
        /// Processor time of this run of the program, if it is known.
        cpu_s: Option<f64>,
    },
}

fn as_ids<S: serde::Serializer>(failures: &&[Failure], serializer: S) -> Result<S::Ok, S::Error> {
    let told = |failure: &Failure| json!({ "cell": failure.id, "error": failure.error.to_string() });
    serializer.collect_seq(failures.iter().map(told))
}

/// The manifest of a plan, as text.
pub fn text(plan: &Plan, identity: &Identity, data: &DataRoot, session: &Session, state: &State) -> String {
    let mut manifest = manifest(plan, identity, data);
    let entries = manifest.as_object_mut().expect("it is made as one");
    for part in [json!(session), json!(state)] {
        entries.extend(part.as_object().cloned().into_iter().flatten());
    }
    serde_json::to_string_pretty(&manifest).expect("a JSON value is written without fail") + "\n"
}

/// The manifest of results of other commands: the experiment, and how the program was called.
pub fn of_experiment(experiment: &Experiment, session: &Session) -> String {
    let mut manifest = json!({
        "tool": env!("CARGO_PKG_NAME"),
        "version": env!("CARGO_PKG_VERSION"),
        "experiment": { "name": experiment.name, "path": any_path::to_json(&experiment.path), "config": experiment.source.text },
    });
    let entries = manifest.as_object_mut().expect("it is made as one");
    entries.extend(json!(session).as_object().cloned().into_iter().flatten());
    serde_json::to_string_pretty(&manifest).expect("a JSON value is written without fail") + "\n"
}

/// Configuration, inputs by content, lambda*, columns.
fn manifest(plan: &Plan, identity: &Identity, data: &DataRoot) -> Value {
    let experiment = &plan.experiment;
    let told = |c: &Heading| json!({ "name": c.name, "doc": c.doc });
    let crossing = CROSSING_COLUMNS.iter().filter(|_| Extent::of(experiment).crossing);
    let columns: Vec<_> = summary_columns().chain(crossing.map(|column| &column.heading)).map(told).collect();
    let of_groups: Vec<_> = Groups::columns().into_iter().map(told).collect();
    let of_accelerators: Vec<_> = ACCELERATOR_COLUMNS.iter().map(|column| told(&column.heading)).collect();
    let git = option_env!("MASCOT_GIT_COMMIT")
        .map(|commit| json!({ "commit": commit, "dirty": option_env!("MASCOT_GIT_DIRTY") == Some("true") }));
    let mut manifest = json!({
        "schema": SCHEMA,
        "tool": env!("CARGO_PKG_NAME"),
        "version": env!("CARGO_PKG_VERSION"),
        "sources_sha256": SOURCES_SHA256,
        "git": git,
        "data_folder": any_path::to_json(data.path_of_root()),
        "logs": identity.logs,
        "experiment": {
            "name": experiment.name,
            "path": any_path::to_json(&experiment.path),
            "config": experiment.source.text,
            "verbatim": experiment.source.verbatim,
            "systems": experiment.systems,
            "scenarios": experiment.scenarios,
            "qos": experiment.qos,
            "loads": experiment.loads,
            "trace": experiment.trace,
            "schedulers": plan.schedulers,
            "first_seed": experiment.first_seed,
            "seeds": experiment.seeds,
            "bound": experiment.bound,
            "windows": distinct(plan.cases.iter().map(window_of)),
            "settings": settings(plan),
        },
        "inputs": identity.inputs.sha256.iter().map(input).collect::<Vec<_>>(),
        "saturation_rates": saturation_rates(plan),
        "columns": {
            "keys": experiment.key_columns().places().map(|place| KEYS[place]).collect::<Vec<_>>(),
            "metrics": columns,
            "groups": of_groups,
            "accelerators": of_accelerators,
        },
    });
    let fleets = topologies(plan);
    if !fleets.is_empty() {
        manifest["fleets"] = fleets.into();
    }
    manifest
}

fn input((path, sha256): (&PathBuf, &String)) -> Value {
    json!({ "path": any_path::to_json(path), "sha256": sha256 })
}

/// The swept keys of all cases, each combination once.
fn settings(plan: &Plan) -> Vec<BTreeMap<String, String>> {
    let setting = |case: &Case| -> BTreeMap<String, String> {
        case.setting.told().map(|(key, value)| (key.to_string(), value)).collect()
    };
    let mut seen = BTreeSet::new();
    plan.cases.iter().map(setting).filter(|setting| seen.insert(setting.clone())).collect()
}

/// The length of a run: its requests in parts, or its duration.
fn window_of(case: &Case) -> Value {
    match case.window {
        Window::Requests { warmup, measured, drain } => {
            json!({ "warmup_requests": warmup, "requests": measured, "drain_requests": drain })
        }
        Window::Duration(Duration { warmup, end }) => {
            json!({ "warmup_s": warmup.as_s(), "duration_s": end.as_s() })
        }
    }
}

fn saturation_rates(plan: &Plan) -> Vec<Value> {
    let mut seen: BTreeSet<*const Site> = BTreeSet::new();
    let first = plan.cases.iter().filter(|case| seen.insert(Arc::as_ptr(&case.site)));
    distinct(first.map(|case| {
        let saturation = &case.site.saturation;
        json!({
            "system": case.system,
            "scenario": case.workload.scenario.name,
            "dram_bandwidth_gbps": case.site.dram.bandwidth_gbps.to_string(),
            "lambda_star_requests_per_s": saturation.requests_per_s,
            "dram_utilization": match &saturation.dram_utilization[..] {
                [one] => json!(one),
                of_each => json!(of_each),
            },
        })
    }))
}

/// The parts of a manifest that a replay reads.
#[derive(Clone, Debug, Deserialize)]
pub struct Manifest {
    /// The version of the program that wrote the manifest.
    pub version: String,
    /// The hash of the sources of that program.
    pub sources_sha256: String,
    /// The folder in which it found data files.
    #[serde(with = "any_path")]
    pub data_folder: PathBuf,
    /// The working folder, to which relative paths refer.
    #[serde(with = "any_path")]
    pub working_folder: PathBuf,
    /// The logs that were kept.
    pub logs: Logs,
    /// The experiment.
    pub experiment: Recorded,
    /// The data files, with the hashes of their contents.
    pub inputs: Vec<Input>,
}

/// An experiment as a manifest records it.
#[derive(Clone, Debug, Deserialize)]
pub struct Recorded {
    /// The path of the experiment file.
    #[serde(with = "any_path")]
    pub path: PathBuf,
    /// The text of the experiment, with all overrides applied.
    pub config: String,
    /// Whether there were no overrides.
    pub verbatim: bool,
}

/// A data file as a manifest records it.
#[derive(Clone, Debug, Deserialize)]
pub struct Input {
    /// The path, relative to the data folder if the file lies there, else absolute.
    #[serde(with = "any_path")]
    pub path: PathBuf,
    /// The SHA-256 of its content.
    pub sha256: String,
}

impl Manifest {
    /// Reads a manifest of this schema.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        let text = std::fs::read_to_string(path).map_err(|e| InputError::file(path, e))?;
        let json: Value = serde_json::from_str(&text)
            .map_err(|e| InputError::at_line(path, e.line(), format!("no JSON: {e}")))?;
        match json["schema"].as_u64() {
            Some(schema) if schema == u64::from(SCHEMA) => serde_json::from_value(json)
                .map_err(|e| InputError::file(path, format!("not a manifest that mascot wrote: {e}"))),
            Some(schema) => Err(InputError::file(
                path,
                format!("a manifest of schema {schema}: this mascot replays those of schema {SCHEMA}"),
            )),
            None => Err(InputError::file(path, "no `schema`: expected the manifest.json of a run")),
        }
    }
}
