//! What an experiment asks for, read and checked.

use std::ops::Range;
use std::path::PathBuf;

use super::exclude::Exclude;
use super::keys::Asked;
use super::schedulers::SchedulerChoice;
use super::training::Training;
use super::window::Wanted;
use crate::files::Source;
use crate::workload::{Qos, TraceKeys};

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
    /// A recording that stands in for the scenarios' arrivals.
    pub trace: Option<TraceKeys>,
    /// Schedulers with their parameters.
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
    /// How `mascot train` trains on its cells.
    pub training: Option<Training>,
    /// Cells that are left out.
    pub exclude: Vec<Exclude>,
    /// Cells beside the product.
    pub include: Vec<Include>,
    /// The text that says all this, overrides included: what is needed to read it again.
    pub source: Source,
}

/// An `[[include]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Include {
    /// Where it stands in the text.
    pub(crate) span: Range<usize>,
    /// The experiment with the values of the include in place of its own.
    pub(crate) experiment: Experiment,
    /// Its seeds.
    pub(crate) seeds: Vec<u64>,
}
