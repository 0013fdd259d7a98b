//! An experiment after reading and checking.

use std::ops::Range;
use std::path::PathBuf;

use super::drift::CellDrift;
use super::exclude::Exclude;
use super::keys::{Asked, KeyColumns};
use super::schedulers::SchedulerChoice;
use super::training::Training;
use super::window::Wanted;
use crate::files::Source;
use crate::workload::{Qos, TraceKeys};

/// A validated experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// The name: the stem of the file's name.
    pub name: String,
    /// The path of the file.
    pub path: PathBuf,
    /// Names or paths of systems, or of fleets.
    pub systems: Vec<String>,
    /// Whether they are fleets, and the schedulers are dispatchers.
    pub on_fleets: bool,
    /// Names or paths of scenarios.
    pub scenarios: Vec<String>,
    /// QoS levels.
    pub qos: Vec<Qos>,
    /// Loads relative to lambda*; `None` if the scenarios fix absolute arrival rates or a recording is replayed.
    pub loads: Option<Vec<f64>>,
    /// A recording that replaces the arrivals of the scenarios.
    pub trace: Option<TraceKeys>,
    /// Schedulers, or dispatchers, with their parameters.
    pub schedulers: Vec<SchedulerChoice>,
    /// Number of seeds.
    pub seeds: u64,
    /// The first seed.
    pub first_seed: u64,
    /// Requests per run, and which of them are measured.
    pub wanted: Wanted,
    /// Whether to bound the SLA rate of every trace.
    pub bound: bool,
    /// The product of the swept keys.
    pub asked: Vec<Asked>,
    /// How conditions change in the cells, one entry for each value of the axis `drifts`.
    pub drifts: Vec<CellDrift>,
    /// The table `[training]` for `mascot train`.
    pub training: Option<Training>,
    /// The cells that are left out.
    pub exclude: Vec<Exclude>,
    /// The cells that are added to the product.
    pub include: Vec<Include>,
    /// The text of the experiment, overrides included, from which it can be read again.
    pub source: Source,
}

impl Experiment {
    /// The columns of its files that identify a cell.
    pub fn key_columns(&self) -> KeyColumns {
        let includes = self.include.iter().flat_map(|include| &include.experiment.asked);
        KeyColumns::of(self.asked.iter().chain(includes), self.has_drifts())
    }

    /// Whether it has the axis `drifts`.
    pub fn has_drifts(&self) -> bool {
        self.drifts.iter().any(|drift| !drift.name.is_empty())
    }
}

/// An `[[include]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Include {
    /// Its position in the text.
    pub(crate) span: Range<usize>,
    /// The experiment with the values of the include in place of its own.
    pub(crate) experiment: Experiment,
    /// Its seeds.
    pub(crate) seeds: Vec<u64>,
}
