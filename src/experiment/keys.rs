//! The keys of an experiment that identify a cell, in ONE table from which all code that deals with them follows.
//!
//! A row of `with_swept_keys` is a key that takes a value or a list of values: its meaning, its name with the unit at
//! the end, the type that reads a value and checks its range, the type that the program computes with, and its default.
//! From the table come [`Asked`] (the values that an experiment gives), [`Setting`] (the values on a system), the keys
//! of the file and of its JSON Schema (`read.rs`), the product (`read.rs`), the columns ([`KEYS`]), `exclude` and
//! `include`, the command that runs a cell alone, and the table of the guide ([`swept_keys`]). To add a key, add a row
//! here (and the import of its range type in `read.rs`, if no key has it yet) and use its value: in `plan::rules`, in
//! `plan::requests`, or in `Dram`. A key whose default is the system's own and whose column files may lack is an `OrOwn`.
//!
//! System, scenario, QoS level, load, scheduler and seed are not in the table: they identify a cell as well, but each
//! is read in its own way.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Value;

use super::or_own::OrOwn;
use super::sla_reference::SlaReference;
use crate::files::Gbps;
use crate::hw::{Fusion, Objective, Placement, Residency, Sharing, SystemSpec};
use crate::precision::Precision;
use crate::sim::{Distribution, Estimates, Preemption, Unassigned};
use crate::workload::{Late, Qos, SlaRule};

/// When decisions are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TriggerKind {
    /// Every `period_us`.
    Periodic,
    /// When an accelerator is idle and a layer is ready.
    OnIdle,
    /// At every arrival and completion.
    OnChange,
}

/// What decisions cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CostKind {
    /// Decisions are free.
    Ideal,
    /// The host is charged for counted operations.
    Host,
}

/// Hands the table to a macro. A default is a value, or `own`, the value of the system, whose field has the name of the
/// key.
///
/// The defaults of `period_us` and `deadline_factor` are our choice, because they lie within the range of the papers;
/// so is that of `decision_base_us`, because a decision on a host takes microseconds. Optional effects are off by
/// default. Files have the columns of the keys from [`FIRST_RARE`] on only where an experiment gives these keys.
macro_rules! with_swept_keys {
    ($consumer:ident) => {
        $consumer! {
            /// Peak DRAM bandwidth in GB/s; the system's own if left out.
            dram_bandwidth_gbps: Gbps as f64 = (own);
            /// Share of the peak that the DRAM delivers; the system's own if left out.
            dram_efficiency: Fraction as f64 = (own);
            /// How bandwidth is shared; the system's own if left out.
            sharing: Sharing as Sharing = (own);
            /// Whether outputs stay on chip for the layer that runs next; the system's own if left out.
            forwarding: bool as bool = (own);
            /// Which tensors stay on chip across layers and requests; the system's own if left out.
            residency: Residency as Residency = (own);
            /// What of a network runs at the output of the layer before it; the system's own if left out.
            fusion: Fusion as Fusion = (own);
            /// Bits per element where networks say nothing, such as `w4a8`: weights `w`, inputs and outputs `a` (or `i` and
            /// `o`), partial sums `p`; the system's own if left out.
            precision: Precision as Precision = (own);
            /// What the mapper minimises for every layer: its latency, its energy, or their product; the system's own if
            /// left out.
            objective: Objective as Objective = (own);
            /// The deadline rule.
            sla: SlaRule as SlaRule = (SlaRule::Factor);
            /// Multiple of the isolated latency.
            deadline_factor: Positive as f64 = (4.0);
            /// The system whose isolated latency is meant: `own`, the system that serves the requests; `SYSTEM`,
            /// another system; or `SYSTEM@GBPS`, a system with another DRAM bandwidth.
            sla_reference: SlaReference as SlaReference = (SlaReference::Own);
            /// When decisions are taken.
            trigger: TriggerKind as TriggerKind = (TriggerKind::Periodic);
            /// The period of decisions in microseconds.
            period_us: Microseconds as f64 = (100.0);
            /// What decisions cost.
            decision_cost: CostKind as CostKind = (CostKind::Host);
            /// Base latency of a charged decision in microseconds.
            decision_base_us: MicrosecondsOrZero as f64 = (2.0);
            /// What happens to late requests.
            late: Late as Late = (Late::Abort);
            /// What happens to layers without an assignment.
            unassigned: Unassigned as Unassigned = (Unassigned::Sticky);
            /// Longest sub-job in microseconds; `inf` turns splitting off.
            max_sub_job_us: MicrosecondsOrInf as f64 = (f64::INFINITY);
            /// Whether a layer's bandwidth demand changes from phase to phase; if not, it is the mean.
            phases: bool as bool = (false);
            /// Coefficient of variation of execution times: each layer of each request takes a random factor of mean 1
            /// times its latency in the cost tables, and schedulers know the tables only.
            execution_cv: Variability as f64 = (0.0);
            /// The distribution of that factor.
            execution_distribution: Distribution as Distribution = (Distribution::Lognormal);
            /// How much the factors of a request's layers have in common: 0, nothing; 1, all have the same factor.
            execution_correlation: Share as f64 = (0.0);
            /// Coefficient of variation of a factor of mean 1 that each pair of a network and an accelerator model has in
            /// all of a run: by so much its estimates are wrong throughout.
            execution_bias_cv: Variability as f64 = (0.0);
            /// What schedulers take the latencies of layers for: `model`, those of the cost tables; `ewma`, these times a moving
            /// average of what the network's layers have taken on that model of accelerators.
            estimates: Estimates as Estimates = (Estimates::Model);
            /// What happens to a layer that another one interrupts between its parts (`max_sub_job_us`): `free`, it goes on at
            /// no cost; `checkpoint`, its activations are written to DRAM and read back; `kill`, it begins again; `drain`,
            /// it is not interrupted.
            preemption: Preemption as Preemption = (Preemption::Free);
            /// What an accelerator takes to change from one network to another, in microseconds.
            switch_us: MicrosecondsOrZero as f64 = (0.0);
            /// What it loads from DRAM then, in KiB.
            switch_kib: NonNegative as f64 = (0.0);
            /// Where the data of networks live on a system with several memories: `local`, in that of the accelerator that
            /// runs the layer; `home`, in one memory for each network; `interleaved`, in all of them; `own`, as the system
            /// says.
            data_placement: OrOwn<Placement> as OrOwn<Placement> = (OrOwn(None));
            /// Bandwidth in GB/s of every link between memories, both directions together; `own` is that of the system.
            link_gbps: OrOwn<Gbps> as OrOwn<Gbps> = (OrOwn(None));
        }
    };
}
pub(super) use with_swept_keys;

/// The default of a key on a system.
macro_rules! default_on {
    ($system:ident, $key:ident, (own)) => {
        $system.$key.clone()
    };
    ($system:ident, $key:ident, ($value:expr)) => {
        $value
    };
}

/// The default of a key as text; `None` is the system's own value.
macro_rules! default_text {
    ($type:ty, (own)) => {
        None
    };
    ($type:ty, ($value:expr)) => {
        Some(text_of::<$type>(&$value))
    };
}

macro_rules! keys {
    ($($(#[doc = $doc:literal])+ $key:ident: $read:ty as $value:ty = $default:tt;)+) => {
        /// One point of the swept keys as an experiment gives it; `None` for keys that it does not name.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Asked {
            $($(#[doc = $doc])+ pub $key: Option<$value>,)+
        }

        /// The swept keys of a cell.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Setting {
            $($(#[doc = $doc])+ pub $key: $value,)+
        }

        impl Asked {
            /// The setting on a system, with the default of every key that is not named.
            pub fn on(&self, system: &SystemSpec) -> Setting {
                Setting { $($key: self.$key.clone().unwrap_or_else(|| default_on!(system, $key, $default)),)+ }
            }

            /// The columns that files have if an experiment gives the keys of this point.
            fn columns(&self) -> KeyColumns {
                let given = [$(self.$key.is_some(),)+];
                KeyColumns::at((FIRST_RARE..DRIFT).filter(|key| given[key - SEED - 1]))
            }
        }

        impl Setting {
            /// The values as CSV files show them, in the order of the table.
            pub fn texts(&self) -> Vec<String> {
                vec![$(text_of(&self.$key),)+]
            }

            /// The names of the keys with their values.
            pub fn named(&self) -> impl Iterator<Item = (&'static str, String)> {
                KEYS[SEED + 1..].iter().copied().zip(self.texts())
            }

            /// Like [`Self::named`], without the rare keys that have their default.
            pub fn told(&self) -> impl Iterator<Item = (&'static str, String)> {
                let is_rare = |key: &str| KEYS[FIRST_RARE..].contains(&key);
                self.named().filter(move |(key, value)| !is_rare(key) || *value != unsaid(key))
            }
        }

        /// The columns that identify a cell, in order; the metrics follow. [`KeyColumns`] says which of them a file has.
        pub const KEYS: &[&str] = &["system", "scenario", "qos", "load", "scheduler", "seed", $(stringify!($key),)+ "drift"];

        /// The defaults of the keys as text, in the order of the table; `None` is the system's own.
        const DEFAULTS: &[fn() -> Option<String>] = &[$(|| default_text!($value, $default),)+];

        /// The rows of the table, in the order of their columns.
        pub fn swept_keys() -> Vec<SweptKey> {
            vec![$(SweptKey {
                name: stringify!($key),
                doc: concat!($($doc),+).trim(),
                default: default_text!($value, $default),
            },)+]
        }
    };
}
with_swept_keys!(keys);

/// A row of the table, for documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweptKey {
    /// The name of the key in the file and of the column.
    pub name: &'static str,
    /// Its meaning.
    pub doc: &'static str,
    /// Its default; `None` is the system's own.
    pub default: Option<String>,
}

/// The index of the system in [`KEYS`].
pub const SYSTEM: usize = 0;
/// The index of the scenario in [`KEYS`].
pub const SCENARIO: usize = 1;
/// The index of the load in [`KEYS`].
pub const LOAD: usize = 3;
/// The index of the scheduler in [`KEYS`].
pub const SCHEDULER: usize = 4;
/// The index of the seed in [`KEYS`], the last before the swept keys.
pub const SEED: usize = 5;

/// The index of the first key in [`KEYS`] whose column files may lack; all after it are such keys, too.
const FIRST_RARE: usize = KEYS.len() - 11;
/// The index of the axis `drifts` in [`KEYS`].
const DRIFT: usize = KEYS.len() - 1;

/// Which of [`KEYS`] are columns of the files of an experiment: all before `FIRST_RARE`, and the others that it gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyColumns(u64);

impl KeyColumns {
    /// All of them.
    pub const ALL: Self = Self(u64::MAX);

    /// Those of an experiment with these points of the swept keys, with or without the axis `drifts`.
    pub(super) fn of<'a>(asked: impl Iterator<Item = &'a Asked>, has_drifts: bool) -> Self {
        let drift = Self::at(has_drifts.then_some(DRIFT).into_iter());
        asked.fold(drift, |all, asked| Self(all.0 | asked.columns().0))
    }

    /// Those before [`FIRST_RARE`], and those at these places.
    fn at(rare: impl Iterator<Item = usize>) -> Self {
        Self(rare.fold(0, |all, key| all | 1 << key))
    }

    /// Those in which any of several cells differs from the default, given the values of [`KEYS`] of each.
    pub fn told<'a>(cells: impl Iterator<Item = &'a [String]>) -> Self {
        let differing =
            |cell: &'a [String]| (FIRST_RARE..KEYS.len()).filter(|&key| cell[key] != unsaid(KEYS[key]));
        Self::at(cells.flat_map(differing))
    }

    /// The places of the columns in [`KEYS`], in order.
    pub fn places(self) -> impl Iterator<Item = usize> {
        (0..KEYS.len()).filter(move |&key| key < FIRST_RARE || self.0 >> key & 1 == 1)
    }
}

/// The names of lists in an experiment file that differ from the column of their values.
pub(super) const PLURALS: [(&str, &str); 5] = [
    ("system", "systems"),
    ("scenario", "scenarios"),
    ("load", "loads"),
    ("scheduler", "schedulers"),
    ("drift", "drifts"),
];

/// The keys that identify the cells of a case.
#[derive(Clone, Copy, Debug)]
pub struct CaseKeys<'a> {
    /// The system's name.
    pub system: &'a str,
    /// The scenario's name.
    pub scenario: &'a str,
    /// The QoS level.
    pub qos: Qos,
    /// The load; `None` where none is given.
    pub load: Option<f64>,
    /// All swept keys.
    pub setting: &'a Setting,
    /// The value of the axis `drifts`; empty without the axis.
    pub drift: &'a str,
}

impl CaseKeys<'_> {
    /// The values of [`KEYS`]; scheduler and seed are empty, and so is a load that is not given.
    pub fn texts(&self) -> Vec<String> {
        let load = self.load.map_or(String::new(), |load| load.to_string());
        let mut keys =
            vec![self.system.to_string(), self.scenario.to_string(), self.qos.name().to_string(), load];
        keys.extend([String::new(), String::new()]);
        keys.extend(self.setting.texts());
        keys.push(self.drift.to_string());
        keys
    }

    /// The values of [`KEYS`] with scheduler and seed.
    pub fn texts_of_cell(&self, scheduler: &str, seed: u64) -> Vec<String> {
        let mut keys = self.texts();
        keys[SCHEDULER] = scheduler.to_string();
        keys[SEED] = seed.to_string();
        keys
    }
}

/// The value of a key for cells in files without its column: its default for keys that files may lack; of others, where
/// the file is older than the key, empty if it is not known.
pub fn unsaid(key: &str) -> String {
    let place = KEYS.iter().position(|known| *known == key);
    match place.filter(|place| (FIRST_RARE..DRIFT).contains(place)) {
        Some(place) => DEFAULTS[place - SEED - 1]().unwrap_or_default(),
        None if key == "sla_reference" => SlaReference::Own.to_string(),
        None => String::new(),
    }
}

/// A value as the column of its key shows it; `None` for a value that no key can have.
pub(super) fn shown(value: &Value) -> Option<String> {
    match value {
        Value::String(word) => Some(word.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn text_of<T: Serialize>(value: &T) -> String {
    let value = Value::try_from(value).expect("the types of keys are plain values");
    shown(&value).expect("a key has no tables")
}

/// The entry of the column `scheduler` in a row with a bound.
pub const BOUND: &str = "bound";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_without_a_rare_column_have_its_default() {
        assert_eq!(KEYS[FIRST_RARE], "execution_cv");
        assert_eq!(
            ["execution_cv", "execution_distribution", "switch_us", "data_placement"].map(unsaid),
            ["0", "lognormal", "0", "own"]
        );
        assert_eq!(["drift", "objective", "sla_reference"].map(unsaid), ["", "", "own"]);
        let mut keys: Vec<String> = KEYS.iter().map(|key| unsaid(key)).collect();
        assert_eq!(KeyColumns::told([&keys[..]].into_iter()), KeyColumns::default());
        keys[FIRST_RARE] = "0.5".into();
        let places: Vec<usize> = KeyColumns::told([&keys[..]].into_iter()).places().collect();
        assert_eq!(places, (0..=FIRST_RARE).collect::<Vec<_>>());
    }
}
