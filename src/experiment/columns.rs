//! The columns of the result files: what identifies a cell, in one place for rows, tables and replay commands.

use std::fmt;
use std::path::Path;

use super::bound::BOUND_COLUMNS;
use super::config::{Experiment, Setting};
use super::plan::Dram;
use super::reference::{OWN, SlaReference};
use super::requests::OFFERED_COLUMNS;
use super::sweep::Cell;
use super::window::{Duration, Window};
use crate::metrics::{BATCH_COLUMNS, Heading, Metrics};
use crate::workload::Qos;

/// The columns of `summary.csv` after [`KEYS`]; the last is text.
pub fn summary_columns() -> impl Iterator<Item = &'static Heading> {
    let of_outcomes = BOUND_COLUMNS.iter().chain(OFFERED_COLUMNS).map(|column| &column.heading);
    Metrics::columns().chain(of_outcomes).chain(BATCH_COLUMNS.iter().map(|column| &column.heading))
}

/// The columns that identify a cell, in order; the metrics follow.
pub const KEYS: &[&str] = &[
    "system",
    "scenario",
    "qos",
    "load",
    "scheduler",
    "seed",
    "dram_bandwidth_gbps",
    "dram_efficiency",
    "sharing",
    "forwarding",
    "sla",
    "deadline_factor",
    "sla_reference",
    "trigger",
    "period_us",
    "decision_cost",
    "decision_base_us",
    "late",
    "unassigned",
    "max_sub_job_us",
    "phases",
];

/// What cells have of a key in files that are older than the key; empty where that is not known.
pub fn unsaid(key: &str) -> &'static str {
    if key == "sla_reference" { OWN } else { "" }
}

/// Where the scenario stands among [`KEYS`].
pub const SCENARIO: usize = 1;
/// Where the load stands.
pub const LOAD: usize = 3;
/// Where the scheduler stands.
pub const SCHEDULER: usize = 4;
/// Where the seed stands: the last of those that every cell is told by.
pub const SEED: usize = 5;

/// The values of [`KEYS`] that a case has; scheduler and seed are empty, and so is a load that is not given.
pub(super) fn case_keys(
    [system, scenario]: [&str; 2],
    qos: Qos,
    load: Option<f64>,
    setting: &Setting,
    dram: &Dram,
) -> Vec<String> {
    let load = load.map_or(String::new(), |load| load.to_string());
    let mut keys = vec![system.to_string(), scenario.to_string(), qos.name().to_string(), load];
    keys.extend([String::new(), String::new()]);
    keys.extend(setting_keys(setting, dram).into_iter().map(|(_, value)| value));
    keys
}

impl Cell<'_> {
    /// The values of [`KEYS`].
    pub fn keys(&self) -> Vec<String> {
        let case = self.case;
        let names = [case.system.as_str(), case.workload.scenario.name.as_str()];
        let mut keys = case_keys(names, case.qos, Some(case.nominal_load()), &case.setting, &case.site.dram);
        keys[SCHEDULER] = self.scheduler.label.clone();
        keys[SEED] = self.seed.to_string();
        keys
    }

    /// Names and values of the swept keys.
    pub fn setting_keys(&self) -> Vec<(String, String)> {
        setting_keys(&self.case.setting, &self.case.site.dram)
    }

    /// The command that runs this cell alone, for a POSIX shell.
    pub fn command(&self, experiment: &Experiment) -> String {
        let [system, scenario] = &self.case.words;
        let list = |value: toml::Value| toml::Value::Array(vec![value]).to_string();
        let mut sets = vec![
            format!("systems={}", list(system.as_str().into())),
            format!("scenarios={}", list(scenario.as_str().into())),
            format!("qos={}", self.case.qos.name()),
        ];
        sets.extend(match self.case.window {
            Window::Requests { warmup, counted, drain } => vec![
                format!("requests={counted}"),
                format!("warmup_requests={warmup}"),
                format!("drain_requests={drain}"),
            ],
            Window::Duration(Duration { warmup, end }) => {
                vec![format!("duration_s={}", end.as_s()), format!("warmup_s={}", warmup.as_s())]
            }
        });
        if experiment.bound {
            sets.push("bound=true".into());
        }
        let empty = |(key, is_empty): (&str, bool)| (!is_empty).then(|| format!("{key}=[]"));
        let selected =
            [("exclude", experiment.exclude.is_empty()), ("include", experiment.include.is_empty())];
        sets.extend(selected.into_iter().filter_map(empty));
        // The bound is no scheduler: it comes with whatever the experiment runs.
        if !self.is_bound() {
            sets.push(format!("schedulers={}", list(toml::Value::Table(self.scheduler.to_table()))));
        }
        sets.extend(self.case.load.map(|load| format!("loads={load}")));
        let trace = |trace| toml::Value::try_from(trace).expect("its keys are plain data");
        sets.extend(experiment.trace.as_ref().map(|keys| format!("trace={}", trace(keys))));
        sets.extend(self.setting_keys().into_iter().map(|(key, value)| format!("{key}={value}")));
        let path = quoted_path(&experiment.path);
        let sets: String = sets.iter().map(|set| format!(" --set {}", quoted(set))).collect();
        format!("mascot run {path} --first-seed {} --seeds 1 --jobs 1{sets}", self.seed)
    }
}

/// Names and values of the swept keys, the system's own values filled in.
pub fn setting_keys(setting: &Setting, dram: &Dram) -> Vec<(String, String)> {
    let values = [
        dram.bandwidth_gbps.to_string(),
        dram.efficiency.to_string(),
        word(dram.sharing),
        dram.forwarding.to_string(),
        word(setting.sla),
        setting.deadline_factor.to_string(),
        setting.sla_reference.as_ref().map_or(OWN.to_string(), SlaReference::to_string),
        word(setting.trigger),
        setting.period_us.to_string(),
        word(setting.decision_cost),
        setting.decision_base_us.to_string(),
        word(setting.late),
        word(setting.unassigned),
        setting.max_sub_job_us.to_string(),
        setting.phases.to_string(),
    ];
    KEYS[SEED + 1..].iter().map(ToString::to_string).zip(values).collect()
}

/// A word for the shell, in quotes where it needs them.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=+".contains(c);
    if word.chars().all(plain) { word.to_string() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// A path for the shell: bytes that are no text are escaped, as POSIX has it since 2024.
fn quoted_path(path: &Path) -> String {
    if let Some(text) = path.to_str() {
        return quoted(text);
    }
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    let escaped = bytes.map(|&byte| match byte {
        byte if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) => char::from(byte).to_string(),
        byte => format!("\\{byte:03o}"),
    });
    format!("$'{}'", escaped.collect::<String>())
}

impl fmt::Display for Cell<'_> {
    /// The keys that say most.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let keys = self.keys();
        let named = KEYS.iter().zip(&keys).take(SEED + 1).filter(|(_, value)| !value.is_empty());
        let named = named.map(|(key, value)| format!("{key}={value}"));
        f.write_str(&named.collect::<Vec<_>>().join(" "))
    }
}

/// The word that a data file uses for an enum value.
fn word(value: impl serde::Serialize) -> String {
    match toml::Value::try_from(value) {
        Ok(toml::Value::String(word)) => word,
        other => unreachable!("these enums are written as one word, not {other:?}"),
    }
}
