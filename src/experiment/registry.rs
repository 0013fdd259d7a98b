//! The schedulers that an experiment may name: the built-in rules, the learned policies, and a caller's own.
//!
//! The registry is a value. A [`DataRoot`](super::data::DataRoot) carries it beside the folders in which all other
//! names are looked up. A caller's own entry works like a built-in one everywhere: parameters and lists of them,
//! sweeps, kept cells, `rank`, `report`, bounds.
//!
//! ```
//! use mascot::experiment::DataRoot;
//! use mascot::experiment::{Entry, Registry};
//! use mascot::sim::{Decision, Scheduler, View};
//!
//! struct First;
//!
//! impl Scheduler for First {
//!     fn decide(&mut self, view: &View, out: &mut Decision) {
//!         for sub in view.sub_jobs() {
//!             let able = (0..view.accelerators().len()).find(|&m| view.alone(sub, m).is_some());
//!             out.assign(sub.id, able.expect("some accelerator runs every layer"), 0.0);
//!         }
//!     }
//! }
//!
//! let first = Entry::new("first", "the first accelerator that is able", "1", |_, _| Ok(Box::new(First)));
//! let data = DataRoot::find(None)?.with_registry(Registry::built_in().with(first));
//! # assert!(data.registry().find("first").is_ok() && data.registry().find("gated").is_ok());
//! # Ok::<(), mascot::experiment::Error>(())
//! ```
//! Finished cells are kept under the hash of this crate's sources, which does not cover the caller's.
//! [`Entry::version`] stands for the caller's code: it must change whenever decisions may change.

use std::fmt;
use std::sync::Arc;

use schemars::{Schema, json_schema};
use toml::Table;

use super::keys::BOUND;
use crate::files::{Parameter, any_of, did_you_mean, entry_table};
use crate::policy::{POLICIES, PolicyEntry};
use crate::scheduler::{SCHEDULERS, SchedulerEntry};
use crate::sim::Scheduler;

/// Makes a scheduler from its parameters for a run with the given seed; the error says which parameter is wrong.
pub type Build = dyn Fn(&Table, u64) -> Result<Box<dyn Scheduler>, String> + Send + Sync;

/// One scheduler that experiments may name.
#[derive(Clone)]
pub struct Entry {
    /// The name in experiments.
    pub name: String,
    /// Its rule in one sentence.
    pub doc: String,
    /// Where the rule comes from.
    pub source: String,
    /// Its TOML parameters.
    pub parameters: &'static [Parameter],
    /// Whether its decisions depend on the seed. If not, it is run once where all seeds bring the same requests.
    pub draws: bool,
    /// The version of a caller's code, which is part of the identity of its cells: a number that the caller raises, or
    /// a hash of the code and its inputs. Built-in entries leave it empty, as the hash of this crate's sources covers
    /// them.
    pub version: String,
    /// The way to make the scheduler.
    pub maker: Maker,
}

/// The ways to make a scheduler.
#[derive(Clone)]
pub enum Maker {
    /// A function of its parameters and the seed.
    Rule(Arc<Build>),
    /// A kind of learned policy, from files for each system.
    Policy(&'static PolicyEntry),
    /// Not a scheduler: a dispatcher for fleets, from its rules (`dispatchers.rs`).
    Dispatch,
}

impl Entry {
    /// An entry for a rule without parameters and random draws; the other fields can be set afterwards.
    pub fn new(
        name: impl Into<String>,
        doc: impl Into<String>,
        version: impl Into<String>,
        build: impl Fn(&Table, u64) -> Result<Box<dyn Scheduler>, String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            doc: doc.into(),
            source: "the caller's own".into(),
            parameters: &[],
            draws: false,
            version: version.into(),
            maker: Maker::Rule(Arc::new(build)),
        }
    }

    /// Whether a parameter takes a list, which its default shows.
    pub(super) fn takes_list(&self, key: &str) -> bool {
        self.parameters.iter().any(|parameter| parameter.name == key && parameter.default.starts_with('['))
    }

    fn schemas(&self) -> [Schema; 2] {
        let Self { name, doc, parameters, .. } = self;
        [
            json_schema!({ "const": name, "description": doc }),
            entry_table("name", name, doc, parameters, &[("label", "the name in tables")]),
        ]
    }
}

impl From<&'static SchedulerEntry> for Entry {
    fn from(entry: &'static SchedulerEntry) -> Self {
        let SchedulerEntry { name, doc, source, parameters, draws, build } = *entry;
        Self { source: source.into(), parameters, draws, ..Self::new(name, doc, "", build) }
    }
}

impl From<&'static PolicyEntry> for Entry {
    fn from(entry: &'static PolicyEntry) -> Self {
        Self {
            name: entry.name.into(),
            doc: entry.doc.into(),
            source: entry.source.into(),
            parameters: entry.parameters,
            draws: false,
            version: String::new(),
            maker: Maker::Policy(entry),
        }
    }
}

/// Entries are equal if their names and versions are.
impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.version) == (&other.name, &other.version)
    }
}

impl Eq for Entry {}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { name, version, .. } = self;
        f.debug_struct("Entry").field("name", name).field("version", version).finish_non_exhaustive()
    }
}

/// All schedulers that experiments may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registry(Vec<Arc<Entry>>);

impl Registry {
    /// The rules and the kinds of learned policies of this crate.
    pub fn built_in() -> Self {
        let rules = SCHEDULERS.iter().map(Entry::from);
        Self(rules.chain(POLICIES.iter().map(Entry::from)).map(Arc::new).collect())
    }

    /// Adds an entry. Panics if its name is taken.
    #[must_use]
    pub fn with(mut self, entry: Entry) -> Self {
        let taken = self.0.iter().map(|known| &known.name[..]).chain([BOUND]).any(|name| name == entry.name);
        assert!(!taken, "there is a scheduler `{}` already", entry.name);
        self.0.push(Arc::new(entry));
        self
    }

    /// All entries: rules, policies, and the caller's.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// The entry of a name.
    ///
    /// # Errors
    /// There is no such entry; the error lists the known names.
    pub fn find(&self, name: &str) -> Result<&Arc<Entry>, String> {
        self.0.iter().find(|entry| entry.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.entries().map(|entry| &entry.name[..]).collect();
            let hint = did_you_mean(name, &known);
            format!("no scheduler `{name}`{hint}; known: {}", known.join(", "))
        })
    }

    /// The JSON Schema of an entry of `schedulers`: a name, or a table with it.
    pub(super) fn schema(&self) -> Schema {
        any_of(self.entries().flat_map(Entry::schemas))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::Cache;
    use crate::experiment::config::Experiment;
    use crate::experiment::data::DataRoot;
    use crate::experiment::progress::Silent;
    use crate::plan::Plan;
    use crate::scheduler;
    use crate::sweep::{Identity, Inputs, Logs, SOURCES_SHA256, cells, run_cell};

    /// `fcfs` under another name, with a parameter and a version.
    fn own(version: &str) -> Entry {
        const PARAMETERS: &[Parameter] = &[Parameter { name: "unused", default: "0", doc: "nothing" }];
        let fcfs =
            |_: &Table, seed| (scheduler::find("fcfs").expect("registered").build)(&Table::new(), seed);
        Entry { parameters: PARAMETERS, ..Entry::new("own", "as fcfs", version, fcfs) }
    }

    fn plan(version: &str, schedulers: &str) -> (Plan, DataRoot) {
        let data = DataRoot::find(None).expect("the data is in the source tree");
        let data = data.with_registry(Registry::built_in().with(own(version)));
        let keys = [("scenarios", "'light'"), ("loads", "0.6"), ("seeds", "1"), ("requests", "20")];
        let keys = keys.into_iter().chain([("schedulers", schedulers)]).map(|(key, value)| {
            let table: Table = format!("value = {value}").parse().expect("TOML");
            (key.to_string(), table["value"].clone())
        });
        let keys: Vec<_> = keys.collect();
        let experiment = Experiment::read("experiments/quickstart.toml".as_ref(), &keys, &data);
        let experiment = experiment.expect("the registry knows them");
        (Plan::prepare(experiment, &data, &Cache::from_env(), &Silent).expect("shipped data"), data)
    }

    #[test]
    fn a_callers_own_is_swept_and_does_what_it_does() {
        let (plan, _) = plan("1", "['fcfs', { name = 'own', unused = [1, 2] }]");
        let labels: Vec<&str> = plan.schedulers.iter().map(|choice| &choice.label[..]).collect();
        assert_eq!(labels, ["fcfs", "own(unused=1)", "own(unused=2)"]);
        let run = |cell| run_cell(&plan.experiment, cell, Logs::default()).expect("fcfs is legal");
        let rates: Vec<f64> = cells(&plan).iter().map(run).map(|of| of.metric("latency_p50_us")).collect();
        assert!(rates[0] > 0.0 && rates.iter().all(|rate| *rate == rates[0]), "{rates:?}");
    }

    #[test]
    fn another_version_is_another_cell() {
        let id = |version| {
            let (plan, data) = plan(version, "'own'");
            let inputs = Inputs::of(&plan, &data).expect("just read");
            let (experiment, logs) = (&plan.experiment, Logs::default());
            let identity = Identity { experiment, logs, inputs: &inputs, sources: SOURCES_SHA256 };
            identity.of(&cells(&plan)[0])
        };
        assert_eq!(id("1"), id("1"));
        assert_ne!(id("1"), id("2"));
    }

    #[test]
    #[should_panic(expected = "there is a scheduler `gated` already")]
    fn a_name_is_given_once() {
        let _ = Registry::built_in().with(Entry { name: "gated".into(), ..own("1") });
    }
}
