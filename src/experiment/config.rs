//! The experiment file: lists whose product is the sweep. Every key but the counts takes a list; those that name no
//! files or schedulers take a single value as well.
//!
//! ```toml
//! systems = ["relmas-6"]
//! scenarios = ["light", "mixed"]
//! loads = [0.6, 0.9]
//! schedulers = ["fcfs", { name = "gated", alpha = [0.3, 0.4] }]
//! seeds = 5
//! requests = 500                 # window.rs says which are counted; or duration_s = 10, the time of a run
//! bound = true                   # a row with the bound of each trace's SLA rate (sim::bound)
//! dram_bandwidth_gbps = [16, 32]
//!
//! [[exclude]]                    # cells that are left out, [[include]]: cells beside the product (select.rs)
//! scenario = "mixed"
//! load = 0.9
//! ```
//! `loads` is left out where the requests of the scenarios come at their own pace, and where a recording is replayed:
//! `trace = { file = "trace.csv", speedup = 2, map = { "name in the file" = "name here" } }`, from the working folder.

use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::Error;
use super::data::{DataRoot, Kind};
use super::list::List;
use super::overrides;
use super::reference::SlaReference;
use super::schedulers::{self, SchedulerChoice};
use super::select::{self, Exclude, Include, RawExclude};
use super::train::Training;
use super::window::{Duration, Wanted};
use crate::files::{
    Fraction, Gbps, InputError, Load, Microseconds, MicrosecondsOrInf, MicrosecondsOrZero, NonNegative,
    Positive, Requests, RequestsOrNone, Seconds, Seed, Seeds, Source, Spanned, schema_of,
};
use crate::hw::Sharing;
use crate::sim::{Late, Unassigned};
use crate::units::Time;
use crate::workload::trace::TraceKeys;
use crate::workload::{Qos, SlaRule};

/// A validated experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// Its name: the file's stem.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// Names or paths of systems.
    pub systems: Vec<String>,
    /// Names or paths of scenarios.
    pub scenarios: Vec<String>,
    /// QoS levels.
    pub qos: Vec<Qos>,
    /// Loads relative to lambda*; `None` where requests come at their own pace.
    pub loads: Option<Vec<f64>>,
    /// A recording that is replayed in place of the scenarios' arrivals.
    pub trace: Option<TraceKeys>,
    /// Schedulers with their parameters.
    pub schedulers: Vec<SchedulerChoice>,
    /// Number of seeds.
    pub seeds: u64,
    /// The first seed.
    pub first_seed: u64,
    /// Requests per run, and which of them are counted.
    pub wanted: Wanted,
    /// Whether to bound the SLA rate of every trace.
    pub bound: bool,
    /// The product of all other keys.
    pub settings: Vec<Setting>,
    /// How `mascot train` trains on its cells.
    pub training: Option<Training>,
    /// Cells that are left out.
    pub exclude: Vec<Exclude>,
    /// Cells beside the product.
    pub include: Vec<Include>,
    /// The text that says all this, overrides included: what is needed to read it again.
    pub source: Source,
}

/// When decisions are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TriggerKind {
    /// Every `period_us`.
    Periodic,
    /// When an accelerator and a layer wait.
    OnIdle,
    /// At every arrival and completion.
    OnChange,
}

/// What decisions cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CostKind {
    /// Nothing.
    Ideal,
    /// Charged to the host, by counted operations.
    Host,
}

/// One point of the swept keys; each is a column of the CSV.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Setting {
    /// Peak DRAM bandwidth in GB/s; `None` is the system's own.
    pub dram_bandwidth_gbps: Option<f64>,
    /// Share of the peak that the DRAM delivers; `None` is the system's own.
    pub dram_efficiency: Option<f64>,
    /// How bandwidth is shared; `None` is the system's own.
    pub sharing: Option<Sharing>,
    /// Whether outputs stay on chip for the layer that runs next; `None` is the system's own.
    pub forwarding: Option<bool>,
    /// The deadline rule.
    pub sla: SlaRule,
    /// Multiple of the isolated latency.
    pub deadline_factor: f64,
    /// Of that on which system; `None`, where nothing is said, is the system that serves the requests.
    pub sla_reference: Option<SlaReference>,
    /// When decisions are taken.
    pub trigger: TriggerKind,
    /// T_s in microseconds.
    pub period_us: f64,
    /// What decisions cost.
    pub decision_cost: CostKind,
    /// Base latency of a charged decision in microseconds.
    pub decision_base_us: f64,
    /// What happens to late requests.
    pub late: Late,
    /// What happens to layers without an assignment.
    pub unassigned: Unassigned,
    /// Longest sub-job in microseconds; infinite is off.
    pub max_sub_job_us: f64,
    /// Whether a layer's demand changes from phase to phase (`sim::phases`) instead of being a mean.
    pub phases: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "mascot: an experiment: lists whose product is the sweep")]
struct RawExperiment {
    /// Systems: names, or paths to .toml files.
    systems: Vec<Spanned<String>>,
    /// Scenarios: names, or paths to .toml files.
    scenarios: Vec<Spanned<String>>,
    /// How strict deadlines are.
    qos: Option<List<Qos>>,
    /// Loads relative to lambda*; left out where requests come at their own pace.
    loads: Option<List<Load>>,
    /// A recording that is replayed in place of the scenarios' arrivals.
    trace: Option<TraceKeys>,
    /// Schedulers: names, or tables with `name` and parameters.
    schedulers: Vec<Spanned<schedulers::Raw>>,
    /// How many seeds.
    seeds: Option<Seeds>,
    /// The first seed.
    first_seed: Option<Seed>,
    /// Requests of a run that are counted.
    requests: Option<Requests>,
    /// Requests before them.
    warmup_requests: Option<RequestsOrNone>,
    /// Requests after them.
    drain_requests: Option<RequestsOrNone>,
    /// The time of a run, in place of numbers of requests.
    duration_s: Option<Spanned<Seconds>>,
    /// The part of it whose requests are not counted; a tenth if left out.
    warmup_s: Option<Spanned<NonNegative>>,
    /// Whether to bound the SLA rate of every trace.
    bound: Option<bool>,
    /// Peak DRAM bandwidth in GB/s; the system's own if left out.
    dram_bandwidth_gbps: Option<List<Gbps>>,
    /// Share of the peak that the DRAM delivers; the system's own if left out.
    dram_efficiency: Option<List<Fraction>>,
    /// How bandwidth is shared; the system's own if left out.
    sharing: Option<List<Sharing>>,
    /// Whether outputs stay on chip for the layer that runs next; the system's own if left out.
    forwarding: Option<List<bool>>,
    /// The deadline rule.
    sla: Option<List<SlaRule>>,
    /// Multiple of the isolated latency.
    deadline_factor: Option<List<Positive>>,
    /// Whose isolated latency that is: `own`, that of the system that serves the requests; a system's, `SYSTEM`; or that
    /// of a system behind another DRAM bandwidth, `SYSTEM@GBPS`.
    sla_reference: Option<Spanned<List<SlaReference>>>,
    /// When decisions are taken.
    trigger: Option<List<TriggerKind>>,
    /// The period of decisions in microseconds.
    period_us: Option<List<Microseconds>>,
    /// What decisions cost.
    decision_cost: Option<List<CostKind>>,
    /// Base latency of a charged decision in microseconds.
    decision_base_us: Option<List<MicrosecondsOrZero>>,
    /// What happens to late requests.
    late: Option<List<Late>>,
    /// What happens to layers without an assignment.
    unassigned: Option<List<Unassigned>>,
    /// Longest sub-job in microseconds; `inf` is off.
    max_sub_job_us: Option<List<MicrosecondsOrInf>>,
    /// Whether a layer's demand changes from phase to phase instead of being a mean.
    phases: Option<List<bool>>,
    /// How `mascot train` trains on its cells.
    training: Option<Spanned<Training>>,
    /// Cells that are left out: those that have one of the values for each of the keys.
    #[serde(default)]
    #[schemars(schema_with = "select::schema")]
    exclude: Vec<Spanned<RawExclude>>,
    /// Cells that are added: the experiment with these values in place of its own.
    #[serde(default)]
    #[schemars(schema_with = "select::schema")]
    include: Vec<Spanned<toml::Table>>,
}

/// Defaults of DESIGN.md section 4 where the design names one; the rest is chosen here.
impl Default for Setting {
    fn default() -> Self {
        Self {
            dram_bandwidth_gbps: None,
            dram_efficiency: None,
            sharing: None,
            forwarding: None,
            sla: SlaRule::Factor,
            deadline_factor: 4.0,
            sla_reference: None,
            trigger: TriggerKind::Periodic,
            period_us: 100.0,
            decision_cost: CostKind::Host,
            decision_base_us: 2.0,
            late: Late::Abort,
            unassigned: Unassigned::Sticky,
            max_sub_job_us: f64::INFINITY,
            phases: false,
        }
    }
}

impl Experiment {
    /// The JSON Schema of its file.
    pub fn schema() -> Schema {
        schema_of::<RawExperiment>()
    }

    /// Reads an experiment, with `key = value` overrides (`overrides.rs`), and checks every name in it.
    pub fn read(path: &Path, overrides: &[(String, toml::Value)], data: &DataRoot) -> Result<Self, Error> {
        let source = Source::read(path)?;
        source.parse::<RawExperiment>()?;
        Self::parse(path, overrides::merged::<RawExperiment>(source, overrides)?, data)
    }

    /// An experiment from its text, under the name of a file that need not exist.
    pub fn parse(path: &Path, source: Source, data: &DataRoot) -> Result<Self, Error> {
        let raw: RawExperiment = source.parse()?;
        raw.validate(path, source, data)
    }
}

impl RawExperiment {
    fn validate(self, path: &Path, source: Source, data: &DataRoot) -> Result<Experiment, Error> {
        let settings = self.settings();
        let schedulers = schedulers::choices(&self.schedulers, &source, data.registry())?;
        let wanted = self.wanted(&source)?;
        let named = |kind: Kind, names: Vec<Spanned<String>>| {
            let check = |name: Spanned<String>| match data.path(kind, name.get_ref()) {
                Ok(_) => Ok(name.into_inner()),
                Err(e) => Err(source.error(&name.span(), e)),
            };
            for (i, name) in names.iter().enumerate() {
                if names[..i].iter().any(|earlier| earlier.get_ref() == name.get_ref()) {
                    return Err(source.error(&name.span(), format!("`{}` is listed twice", name.get_ref())));
                }
            }
            names.into_iter().map(check).collect::<Result<Vec<_>, InputError>>()
        };
        if self.systems.is_empty() || self.scenarios.is_empty() || self.schedulers.is_empty() {
            let message = "`systems`, `scenarios` and `schedulers` need at least one entry each";
            return Err(source.error_at_top(message).into());
        }
        let systems = named(Kind::System, self.systems)?;
        check_references(&self.sla_reference, &source, data)?;
        let scenarios = named(Kind::Scenario, self.scenarios)?;
        if let Some(training) = &self.training {
            training.get_ref().check().map_err(|problem| source.error(&training.span(), problem))?;
        }
        let mut experiment = Experiment {
            name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            path: path.to_path_buf(),
            systems,
            scenarios,
            qos: self.qos.map_or(vec![Qos::M], |list| list.0),
            loads: self.loads.map(|loads| loads.0.iter().map(|load| load.0).collect()),
            trace: self.trace,
            schedulers,
            seeds: self.seeds.map_or(1, |seeds| seeds.0),
            first_seed: self.first_seed.map_or(1, |seed| seed.0),
            wanted,
            bound: self.bound.unwrap_or(false),
            settings,
            training: self.training.map(Spanned::into_inner),
            exclude: self
                .exclude
                .iter()
                .map(|raw| RawExclude::check(raw, &source))
                .collect::<Result<_, _>>()?,
            include: Vec::new(),
            source,
        };
        experiment.include = select::includes(&self.include, &experiment, data)?;
        Ok(experiment)
    }

    /// How long runs are.
    fn wanted(&self, source: &Source) -> Result<Wanted, InputError> {
        let wanted = Wanted {
            requests: self.requests.map(|requests| requests.0 as usize),
            warmup: self.warmup_requests.map(|requests| requests.0 as usize),
            drain: self.drain_requests.map(|requests| requests.0 as usize),
            duration: duration(&self.duration_s, &self.warmup_s, source)?,
        };
        let by_number = Wanted { duration: None, ..wanted } != Wanted::default();
        if wanted.duration.is_some() && by_number {
            let message = "`duration_s` ends the run at a time: leave `requests`, `warmup_requests` and \
                           `drain_requests` out (`warmup_s` is its warm-up)";
            return Err(source.error_at_top(message));
        }
        Ok(wanted)
    }

    /// The product of the optional keys, the last varying fastest.
    fn settings(&self) -> Vec<Setting> {
        let mut settings = vec![Setting::default()];
        vary(&mut settings, &self.dram_bandwidth_gbps, |s, v| s.dram_bandwidth_gbps = Some(v.0));
        vary(&mut settings, &self.dram_efficiency, |s, v| s.dram_efficiency = Some(v.0));
        vary(&mut settings, &self.sharing, |s, v| s.sharing = Some(v));
        vary(&mut settings, &self.forwarding, |s, v| s.forwarding = Some(v));
        vary(&mut settings, &self.sla, |s, v| s.sla = v);
        vary(&mut settings, &self.deadline_factor, |s, v| s.deadline_factor = v.0);
        let references = self.sla_reference.as_ref().map(|list| list.get_ref().clone());
        vary(&mut settings, &references, |s, v| s.sla_reference = Some(v));
        vary(&mut settings, &self.trigger, |s, v| s.trigger = v);
        vary(&mut settings, &self.period_us, |s, v| s.period_us = v.0);
        vary(&mut settings, &self.decision_cost, |s, v| s.decision_cost = v);
        vary(&mut settings, &self.decision_base_us, |s, v| s.decision_base_us = v.0);
        vary(&mut settings, &self.late, |s, v| s.late = v);
        vary(&mut settings, &self.unassigned, |s, v| s.unassigned = v);
        vary(&mut settings, &self.max_sub_job_us, |s, v| s.max_sub_job_us = v.0);
        vary(&mut settings, &self.phases, |s, v| s.phases = v);
        settings
    }
}

/// Multiplies `settings` by the values of one key.
fn vary<T: Clone>(settings: &mut Vec<Setting>, values: &Option<List<T>>, set: impl Fn(&mut Setting, T)) {
    let Some(values) = values else { return };
    let with = |setting: &Setting, value: &T| {
        let mut setting = setting.clone();
        set(&mut setting, value.clone());
        setting
    };
    *settings =
        settings.iter().flat_map(|s| values.0.iter().map(|v| with(s, v)).collect::<Vec<_>>()).collect();
}

/// The systems that deadlines are relative to have to be known.
fn check_references(
    references: &Option<Spanned<List<SlaReference>>>,
    source: &Source,
    data: &DataRoot,
) -> Result<(), InputError> {
    let Some(references) = references else { return Ok(()) };
    for system in references.get_ref().0.iter().filter_map(SlaReference::system) {
        data.path(Kind::System, system).map_err(|e| source.error(&references.span(), e))?;
    }
    Ok(())
}

/// A run that ends at a time; its warm-up, left out, is a tenth of it.
fn duration(
    end: &Option<Spanned<Seconds>>,
    warmup: &Option<Spanned<NonNegative>>,
    source: &Source,
) -> Result<Option<Duration>, InputError> {
    let end_s = end.as_ref().map(|end| end.get_ref().0);
    let problem = warmup.as_ref().and_then(|warmup| match (warmup.get_ref().0, end_s) {
        (_, None) => {
            Some("`warmup_s` needs `duration_s`, of which it is a part; `warmup_requests` does not".into())
        }
        (warmup_s, Some(end_s)) if warmup_s >= end_s => {
            Some(format!("`warmup_s` is {warmup_s}: expected less than `duration_s`"))
        }
        _ => None,
    });
    if let (Some(warmup), Some(problem)) = (warmup, problem) {
        return Err(source.error(&warmup.span(), problem));
    }
    let Some(end_s) = end_s else { return Ok(None) };
    let warmup_s = warmup.as_ref().map_or(end_s / 10.0, |warmup| warmup.get_ref().0);
    Ok(Some(Duration { warmup: Time::from_s(warmup_s), end: Time::from_s(end_s) }))
}
