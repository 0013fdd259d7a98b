//! A cell of a sweep: its keys, the command that runs it alone, and what came out of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::experiment::{Duration, Error, Experiment, KEYS, Placed, SEED, SchedulerChoice, Window};
use crate::files::{quoted, quoted_path};
use crate::metrics::{
    AnswerRow, Batches, Crossing, EnergyRow, GroupRow, Lane, LayerRow, LinkTraffic, Metrics, RequestRow,
    ServingGroup, StepRow, Value,
};
use crate::plan::Case;

/// A cell that failed.
#[derive(Debug)]
pub struct Failure {
    /// The identifier of the cell.
    pub id: String,
    /// The error, with the command that runs the cell alone.
    pub error: Error,
}

/// Which logs a sweep keeps beside the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logs {
    /// One row per measured request.
    pub requests: bool,
    /// One row per layer run.
    pub layers: bool,
    /// The energy in parts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub energy: bool,
}

/// One cell: a case under one scheduler with one seed.
#[derive(Clone, Copy, Debug)]
pub struct Cell<'a> {
    /// The case.
    pub case: &'a Case,
    /// The scheduler.
    pub scheduler: &'a SchedulerChoice,
    /// The seed of arrivals and of the scheduler's own draws.
    pub seed: u64,
    /// The upper bound on the number of measured requests that meet their deadlines, if bounds were asked for.
    pub bound: Option<usize>,
    /// The policy, if the scheduler is a learned one.
    pub policy: Option<&'a Placed>,
}

/// The outcome of a cell.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The load that the requests of the run offered, relative to lambda*.
    pub offered_load: f64,
    /// One value per metric column.
    pub values: Vec<Value>,
    /// The gap of the SLA rate to its bound; NaN without a bound.
    pub gap_to_bound: f64,
    /// The numbers of requests that met their deadlines in equal parts of the run.
    pub batches: Batches,
    /// What crossed links between memories.
    pub crossing: Crossing,
    /// The metrics by tenant, network, QoS level and priority.
    pub groups: Vec<GroupRow>,
    /// The figures of each accelerator.
    pub accelerators: Vec<Lane>,
    /// The measured requests, if this log is kept.
    pub requests: Vec<RequestRow>,
    /// The layer runs, if this log is kept.
    pub layers: Vec<LayerRow>,
    /// The energy in parts, if it is asked for.
    pub energy: Vec<EnergyRow>,
    /// On a fleet, what became of the requests, in groups.
    pub serving: Vec<ServingGroup>,
    /// On a fleet, what became of each measured request, if the log of requests is kept.
    pub answers: Vec<AnswerRow>,
    /// On a fleet, the steps of each measured request, if the log of requests is kept.
    pub steps: Vec<StepRow>,
    /// On a fleet, what crossed each direction of each link, by the number of the wire.
    pub links: Vec<LinkTraffic>,
}

impl Outcome {
    /// The value of a metric column. Panics on a name that is not among [`Metrics::columns`].
    pub fn metric(&self, name: &str) -> f64 {
        let place = Metrics::columns().position(|column| column.name == name);
        self.values[place.unwrap_or_else(|| panic!("no metric column `{name}`"))].as_f64()
    }
}

impl Cell<'_> {
    /// The values of [`KEYS`].
    pub fn keys(&self) -> Vec<String> {
        self.case.keys().texts_of_cell(&self.scheduler.label, self.seed)
    }

    /// Whether the experiment has the axis `drifts`.
    pub fn has_drifts(&self) -> bool {
        !self.case.drift.name.is_empty()
    }

    /// The command that runs this cell alone, for a POSIX shell.
    pub fn command(&self, experiment: &Experiment) -> String {
        let [system, scenario] = &self.case.words;
        let list = |value: toml::Value| toml::Value::Array(vec![value]).to_string();
        let [systems, schedulers] = match self.case.fleet {
            Some(_) => ["fleets", "dispatchers"],
            None => ["systems", "schedulers"],
        };
        let mut sets = vec![
            format!("{systems}={}", list(system.as_str().into())),
            format!("scenarios={}", list(scenario.as_str().into())),
            format!("qos={}", self.case.qos.name()),
        ];
        sets.extend(match self.case.window {
            Window::Requests { warmup, measured, drain } => vec![
                format!("requests={measured}"),
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
        // The bound is not a scheduler: it comes with whatever the experiment runs.
        if !self.is_bound() {
            sets.push(format!("{schedulers}={}", list(toml::Value::Table(self.scheduler.to_table()))));
        }
        sets.extend(self.case.load.map(|load| format!("loads={load}")));
        let trace = |trace| toml::Value::try_from(trace).expect("its keys are plain data");
        sets.extend(experiment.trace.as_ref().map(|keys| format!("trace={}", trace(keys))));
        sets.extend(self.case.setting.told().map(|(key, value)| format!("{key}={value}")));
        if self.has_drifts() {
            sets.push(format!("drifts={}", list(self.case.drift.name.as_str().into())));
        }
        let path = quoted_path(&experiment.path);
        let sets: String = sets.iter().map(|set| format!(" --set {}", quoted(set))).collect();
        format!("mascot run {path} --first-seed {} --seeds 1 --jobs 1{sets}", self.seed)
    }
}

impl fmt::Display for Cell<'_> {
    /// Shows the most telling keys.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let keys = self.keys();
        let named = KEYS.iter().zip(&keys).take(SEED + 1).filter(|(_, value)| !value.is_empty());
        let named = named.map(|(key, value)| format!("{key}={value}"));
        f.write_str(&named.collect::<Vec<_>>().join(" "))
    }
}
