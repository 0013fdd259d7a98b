//! The experiment file: lists whose product is the sweep. Every key except the counts takes a list; keys that name
//! neither files nor schedulers also take a single value.
//!
//! ```toml
//! systems = ["hetero-6"]
//! scenarios = ["light", "mixed"]
//! loads = [0.6, 0.9]
//! schedulers = ["fcfs", { name = "gated", alpha = [0.3, 0.4] }]
//! seeds = 5
//! requests = 500                 # window.rs says which are measured; or duration_s = 10, the time of a run
//! bound = true                   # a row with the bound of each trace's SLA rate (limits::bound)
//! dram_bandwidth_gbps = [16, 32]
//!
//! [[exclude]]                    # cells that are left out (exclude.rs), [[include]]: cells beside the product (include.rs)
//! scenario = "mixed"
//! load = 0.9
//! ```
//! `loads` is left out if the scenarios fix absolute arrival rates, and if a recording is replayed:
//! `trace = { file = "trace.csv", speedup = 2, map = { "name in the file" = "name here" } }`, from the working folder.

use std::path::Path;

use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use super::config::Experiment;
use super::data::{DataRoot, Kind};
use super::dispatchers::RawDispatcher;
use super::drift::RawDrift;
use super::error::Error;
use super::exclude::{self, RawExclude};
use super::keys::{Asked, CostKind, TriggerKind, with_swept_keys};
use super::list::List;
use super::or_own::OrOwn;
use super::sla_reference::SlaReference;
use super::training::Training;
use super::window::{Duration, Wanted};
use super::{dispatchers, drift, include, overrides, schedulers};
use crate::files::{
    Fraction, Gbps, InputError, Load, Microseconds, MicrosecondsOrInf, MicrosecondsOrZero, NonNegative,
    Positive, Requests, RequestsOrNone, Seconds, Seed, Seeds, Share, Source, Spanned, Variability, schema_of,
};
use crate::hw::{Fusion, Objective, Placement, Residency, Sharing};
use crate::precision::Precision;
use crate::sim::{Distribution, Estimates, Preemption, Unassigned};
use crate::units::Time;
use crate::workload::{Late, Qos, SlaRule, TraceKeys};

/// The fields of an experiment file: first those before the table of swept keys, then those of the table, each a value
/// or a list.
macro_rules! raw_experiment {
    ($($(#[doc = $doc:literal])+ $key:ident: $read:ty as $value:ty = $default:tt;)+) => {
        #[derive(Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        #[schemars(title = "mascot: an experiment: lists whose product is the sweep")]
        struct RawExperiment {
            /// Systems: names, or paths to .toml files; or `fleets`.
            #[serde(default)]
            systems: Vec<Spanned<String>>,
            /// Fleets of sites, whose requests are dispatched by `dispatchers`: names, or paths to .toml files.
            #[serde(default)]
            fleets: Vec<Spanned<String>>,
            /// Scenarios: names, or paths to .toml files.
            scenarios: Vec<Spanned<String>>,
            /// Strictness of deadlines: H, M and L multiply them by 0.8, 1.0 and 1.2. Default: M.
            qos: Option<List<Qos>>,
            /// Loads relative to lambda*; left out where the scenario fixes absolute arrival rates.
            loads: Option<List<Load>>,
            /// A recording of arrivals that replaces those of the scenarios.
            trace: Option<TraceKeys>,
            /// Schedulers of the layers of `systems`: names, or tables with `name` and parameters.
            #[serde(default)]
            schedulers: Vec<Spanned<schedulers::Raw>>,
            /// Dispatchers of the requests to `fleets`: tables with `route`, `variant` and `batch`.
            #[serde(default)]
            dispatchers: Vec<Spanned<RawDispatcher>>,
            /// Number of seeds. Default: 1.
            seeds: Option<Seeds>,
            /// The first seed. Default: 1.
            first_seed: Option<Seed>,
            /// Measured requests per run. Default: 1000, or every request where arrivals end.
            requests: Option<Requests>,
            /// Requests before the measured ones. Default: a tenth of all up to the last measured one.
            warmup_requests: Option<RequestsOrNone>,
            /// Requests after the measured ones, which keep the load up. Default: as many as warm up, or as are measured if
            /// late requests finish.
            drain_requests: Option<RequestsOrNone>,
            /// Duration of a run in seconds, in place of numbers of requests.
            duration_s: Option<Spanned<Seconds>>,
            /// The first seconds of a run with `duration_s`, whose requests are not measured. Default: a tenth of it.
            warmup_s: Option<Spanned<NonNegative>>,
            /// Whether to compute the upper bound on the SLA rate of every trace. Default: false.
            bound: Option<Spanned<bool>>,
            $($(#[doc = $doc])+ $key: Option<Spanned<List<$read>>>,)+
            /// Changes of conditions during a run, which nobody knows beforehand.
            #[serde(default)]
            drift: Vec<Spanned<RawDrift>>,
            /// Which entries of `drift` apply: a cell for each name, or `none`. Default: all entries, in every cell.
            drifts: Option<Spanned<List<String>>>,
            /// How `mascot train` trains on its cells.
            training: Option<Spanned<Training>>,
            /// Cells that are left out: those that have one of the values for each of the keys.
            #[serde(default)]
            #[schemars(schema_with = "exclude::schema")]
            exclude: Vec<Spanned<RawExclude>>,
            /// Cells that are added: the experiment with these values in place of its own.
            #[serde(default)]
            #[schemars(schema_with = "exclude::schema")]
            include: Vec<Spanned<toml::Table>>,
        }

        impl RawExperiment {
            /// The product of the swept keys, the last varying fastest.
            fn product(&self) -> Vec<Asked> {
                let mut product = vec![Asked::default()];
                $(vary(&mut product, &self.$key, |asked, value| asked.$key = Some(value.into()));)+
                product
            }
        }
    };
}
with_swept_keys!(raw_experiment);

/// Multiplies a product by the values of one key.
fn vary<T: Clone>(product: &mut Vec<Asked>, values: &Option<Spanned<List<T>>>, set: impl Fn(&mut Asked, T)) {
    let Some(values) = values else { return };
    let with = |asked: &Asked, value: &T| {
        let mut asked = asked.clone();
        set(&mut asked, value.clone());
        asked
    };
    let values = &values.get_ref().0;
    *product = product
        .iter()
        .flat_map(|asked| values.iter().map(|value| with(asked, value)).collect::<Vec<_>>())
        .collect();
}

impl Experiment {
    /// The JSON Schema of an experiment file.
    pub fn schema() -> Schema {
        schema_of::<RawExperiment>()
    }

    /// Reads an experiment, with `key = value` overrides (`overrides.rs`), and checks every name in it. Results name it by
    /// the path that was given, wherever the file [was found](DataRoot::located).
    pub fn read(path: &Path, overrides: &[(String, toml::Value)], data: &DataRoot) -> Result<Self, Error> {
        let source = Source::read(&data.located(path))?;
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
        let asked = self.product();
        self.check_level(&source)?;
        let on_fleets = !self.fleets.is_empty();
        let schedulers = match on_fleets {
            true => dispatchers::choices(&self.dispatchers, &source)?,
            false => schedulers::choices(&self.schedulers, &source, data.registry())?,
        };
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
        let systems = match on_fleets {
            true => named(Kind::Fleet, self.fleets)?,
            false => named(Kind::System, self.systems)?,
        };
        check_references(&self.sla_reference, &source, data)?;
        let end_s = self.duration_s.as_ref().map(|end| end.get_ref().0);
        let entries = drift::entries(&self.drift, &self.drifts, on_fleets, end_s, &source)?;
        let speeds_up = |entry: &drift::DriftEntry| {
            entry.dram_bandwidth_gbps.is_some() || entry.speed.is_some_and(|speed| speed > 1.0)
        };
        if let (Some(entry), Some(true)) =
            (entries.iter().find(|entry| speeds_up(entry)), self.bound.as_ref().map(|bound| *bound.get_ref()))
        {
            let message = "`bound` is that of the system without drift, which a faster one may exceed: leave `bound` out";
            let keys = ["speed", "dram_bandwidth_gbps"];
            return Err(source.error_in("drift", entry.place, &keys, message).into());
        }
        let spreads = [&self.execution_cv, &self.execution_bias_cv];
        check_variation(spreads, on_fleets, &self.bound, &source)?;
        check_estimates(&self.estimates, spreads, on_fleets, &source)?;
        let scenarios = named(Kind::Scenario, self.scenarios)?;
        if let Some(training) = &self.training {
            training.get_ref().check().map_err(|(span, problem)| source.error(&span, problem))?;
        }
        let mut experiment = Experiment {
            name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            path: path.to_path_buf(),
            systems,
            on_fleets,
            scenarios,
            qos: self.qos.map_or(vec![Qos::M], |list| list.0),
            loads: self.loads.map(|loads| loads.0.iter().map(|load| load.0).collect()),
            trace: self.trace,
            schedulers,
            seeds: self.seeds.map_or(1, |seeds| seeds.0),
            first_seed: self.first_seed.map_or(1, |seed| seed.0),
            wanted,
            bound: self.bound.is_some_and(Spanned::into_inner),
            asked,
            drifts: drift::axis(entries, self.drifts.map(|drifts| drifts.into_inner().0)),
            training: self.training.map(Spanned::into_inner),
            exclude: self
                .exclude
                .iter()
                .map(|raw| RawExclude::check(raw, &source))
                .collect::<Result<_, _>>()?,
            include: Vec::new(),
            source,
        };
        let parse = |source: Source| Experiment::parse(&experiment.path, source, data);
        experiment.include = include::includes(&self.include, &experiment, &parse)?;
        Ok(experiment)
    }

    /// Checks that the experiment is one on systems or one on fleets.
    fn check_level(&self, source: &Source) -> Result<(), InputError> {
        let is_of_systems = !self.systems.is_empty() || !self.schedulers.is_empty();
        let is_of_fleets = !self.fleets.is_empty() || !self.dispatchers.is_empty();
        if is_of_systems && is_of_fleets {
            let message = "`systems` and `schedulers` are one kind of experiment, `fleets` and `dispatchers` another: give \
                           one of the pairs (the schedulers of a fleet's sites are in its file)";
            // The keys of fleets are the newer ones: they are where the mistake is seen.
            let spans =
                self.fleets.iter().map(Spanned::span).chain(self.dispatchers.iter().map(Spanned::span));
            let first = spans.min_by_key(|span| span.start).expect("one of them has an entry");
            return Err(source.error(&first, message));
        }
        if is_of_fleets
            && (self.fleets.is_empty() || self.scenarios.is_empty() || self.dispatchers.is_empty())
        {
            let message = "`fleets`, `scenarios` and `dispatchers` need at least one entry each";
            return Err(source.error_at_top(message));
        }
        if !is_of_fleets
            && (self.systems.is_empty() || self.scenarios.is_empty() || self.schedulers.is_empty())
        {
            let message = "`systems`, `scenarios` and `schedulers` need at least one entry each";
            return Err(source.error_at_top(message));
        }
        if let Some(bound) = self.bound.as_ref().filter(|bound| is_of_fleets && *bound.get_ref()) {
            let message = "`bound` is true: there is no bound of each trace on a fleet (`mascot validate` prints the \
                           most quality at each load); expected false, or `systems`";
            return Err(source.error(&bound.span(), message));
        }
        Ok(())
    }

    /// The length of runs.
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
}

/// Whether a coefficient of variation takes a value above 0.
fn varies(values: &Spanned<List<Variability>>) -> bool {
    values.get_ref().0.iter().any(|cv| cv.0 > 0.0)
}

/// Checks that estimates are corrected only where they err.
fn check_estimates(
    estimates: &Option<Spanned<List<Estimates>>>,
    spreads: [&Option<Spanned<List<Variability>>>; 2],
    on_fleets: bool,
    source: &Source,
) -> Result<(), InputError> {
    let learns = |asked: &&Spanned<List<Estimates>>| asked.get_ref().0.contains(&Estimates::Ewma);
    let Some(asked) = estimates.as_ref().filter(learns) else { return Ok(()) };
    let message = if on_fleets {
        "estimates are corrected on `systems` only: on `fleets`, expected \"model\""
    } else if spreads.into_iter().flatten().any(varies) {
        return Ok(());
    } else {
        "`ewma` corrects estimates, and without `execution_cv` or `execution_bias_cv` above 0 there is nothing to correct: \
         give one of them, or \"model\""
    };
    Err(source.error(&asked.span(), message))
}

/// Checks that execution times vary only where they can.
fn check_variation(
    keys: [&Option<Spanned<List<Variability>>>; 2],
    on_fleets: bool,
    bound: &Option<Spanned<bool>>,
    source: &Source,
) -> Result<(), InputError> {
    let Some(values) = keys.into_iter().flatten().find(|values| varies(values)) else { return Ok(()) };
    let message = if on_fleets {
        "execution times vary on `systems` only: on `fleets`, expected 0"
    } else if bound.as_ref().is_some_and(|bound| *bound.get_ref()) {
        "`bound` is that of the cost tables, which layers that are faster than these may exceed: leave `bound` out"
    } else {
        return Ok(());
    };
    Err(source.error(&values.span(), message))
}

/// Checks that the reference systems of deadlines exist.
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

/// The length of a run that ends at a time; its warm-up defaults to a tenth of it.
fn duration(
    end: &Option<Spanned<Seconds>>,
    warmup: &Option<Spanned<NonNegative>>,
    source: &Source,
) -> Result<Option<Duration>, InputError> {
    let end_s = end.as_ref().map(|end| end.get_ref().0);
    let problem = warmup.as_ref().and_then(|warmup| match (warmup.get_ref().0, end_s) {
        (_, None) => Some(
            "`warmup_s` needs `duration_s`, of which it is a part; without `duration_s`, use \
             `warmup_requests`"
                .into(),
        ),
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
