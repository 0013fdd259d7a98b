//! `manifest.json`: what is needed to run a sweep again and to read its CSV. It lies beside the result files once they are
//! there, and before that beside the kept cells, where it says how far the sweep came.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cell::{Failure, Logs};
use super::columns::summary_columns;
use super::identity::{Identity, SOURCES_SHA256};
use crate::experiment::{DataRoot, Duration, Experiment, KEYS, Window, distinct};
use crate::files::{InputError, any_path};
use crate::metrics::{ACCELERATOR_COLUMNS, Groups, Heading};
use crate::plan::{Case, Plan, Site};

/// Its name.
pub const FILE: &str = "manifest.json";

/// Grows with every incompatible change of `manifest.json`.
const SCHEMA: u32 = 3;

/// What a program knows of itself and its surroundings.
#[derive(Clone, Debug, Serialize)]
pub struct Session {
    /// Its arguments.
    pub argv: Vec<String>,
    /// Relative paths start here.
    #[serde(with = "any_path")]
    pub working_folder: PathBuf,
    /// The machine.
    pub host: Host,
}

/// A machine.
#[derive(Clone, Debug, Serialize)]
pub struct Host {
    /// Its name, where it tells.
    pub name: Option<String>,
    /// As Rust calls it.
    pub os: &'static str,
    /// As Rust calls it.
    pub arch: &'static str,
    /// Logical processors.
    pub cpus: usize,
}

/// How far a sweep came.
#[derive(Debug, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State<'a> {
    /// It runs, or was stopped.
    Unfinished,
    /// All cells were tried.
    Failed {
        /// Those without a result.
        #[serde(serialize_with = "as_ids")]
        failed: &'a [Failure],
    },
    /// All files are there.
    Complete {
        /// Cells that this run of the program ran.
        cells_run: usize,
        /// Cells that were kept from before.
        cells_kept: usize,
        /// Wall time of all cells, kept ones included.
        cells_wall_s: f64,
        /// Wall time of this run of the program.
        wall_s: f64,
        /// Its processor time, where it can be told.
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

/// Whose other results are: the experiment, and how the program was called.
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
    let columns: Vec<_> = summary_columns().map(told).collect();
    let of_groups: Vec<_> = Groups::columns().into_iter().map(told).collect();
    let of_accelerators: Vec<_> = ACCELERATOR_COLUMNS.iter().map(|column| told(&column.heading)).collect();
    let git = option_env!("MASCOT_GIT_COMMIT")
        .map(|commit| json!({ "commit": commit, "dirty": option_env!("MASCOT_GIT_DIRTY") == Some("true") }));
    json!({
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
            "keys": KEYS,
            "metrics": columns,
            "groups": of_groups,
            "accelerators": of_accelerators,
        },
    })
}

fn input((path, sha256): (&PathBuf, &String)) -> Value {
    json!({ "path": any_path::to_json(path), "sha256": sha256 })
}

/// The swept keys of all cases, each combination once.
fn settings(plan: &Plan) -> Vec<BTreeMap<String, String>> {
    let setting = |case: &Case| -> BTreeMap<String, String> {
        case.setting.named().map(|(key, value)| (key.to_string(), value)).collect()
    };
    let mut seen = BTreeSet::new();
    plan.cases.iter().map(setting).filter(|setting| seen.insert(setting.clone())).collect()
}

/// How many requests a run has, in their parts, or how long it is.
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
            "dram_utilization": saturation.dram_utilization,
        })
    }))
}

/// What is read of a manifest to replay it.
#[derive(Clone, Debug, Deserialize)]
pub struct Manifest {
    /// The version of the program that wrote it.
    pub version: String,
    /// Its sources.
    pub sources_sha256: String,
    /// Where it found data files.
    #[serde(with = "any_path")]
    pub data_folder: PathBuf,
    /// Relative paths start here.
    #[serde(with = "any_path")]
    pub working_folder: PathBuf,
    /// Which logs were kept.
    pub logs: Logs,
    /// What was asked for.
    pub experiment: Recorded,
    /// The files, by content.
    pub inputs: Vec<Input>,
}

/// An experiment as a manifest has it.
#[derive(Clone, Debug, Deserialize)]
pub struct Recorded {
    /// The file.
    #[serde(with = "any_path")]
    pub path: PathBuf,
    /// Its text with all overrides in it.
    pub config: String,
    /// Whether there were none.
    pub verbatim: bool,
}

/// A data file as a manifest has it.
#[derive(Clone, Debug, Deserialize)]
pub struct Input {
    /// Relative to the data folder where it lies there, else absolute.
    #[serde(with = "any_path")]
    pub path: PathBuf,
    /// Its content.
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
                .map_err(|e| InputError::file(path, format!("not a manifest as mascot writes it: {e}"))),
            Some(schema) => Err(InputError::file(
                path,
                format!("a manifest of schema {schema}: this mascot replays those of schema {SCHEMA}"),
            )),
            None => Err(InputError::file(path, "no `schema`: expected the manifest.json of a run")),
        }
    }
}
