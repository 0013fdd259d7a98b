//! What a run was worth: one file per metric, each a fold over the record stream, and the registry of them.
//!
//! [`Metrics`] builds the whole registry, takes the [`Record`]s of one run and gives one [`Value`] per column; CSV
//! columns, help and docs iterate [`METRICS`]. Columns carry their unit in their name; a ratio has none. [`Groups`] gives
//! the figures of requests again by tenant, network, QoS level and priority, [`Accelerators`] those of each accelerator;
//! two logs keep rows instead of totals: [`RequestLog`] and [`LayerLog`]; [`Timeline`] draws
//! one run.
//!
//! Request metrics see counted requests only ([`crate::sim::Trace::counts`]). Integrals over time (static energy,
//! utilisation, decisions) run over the measurement window: from the arrival of the first counted request to
//! [`Record::End`]. Requests outside the count that run inside the window load the system, and are not judged.
//!
//! A request that is unfinished when its run ends is missed, like one that was dropped.
//!
//! A fold keeps no records, and state per request only where the metric needs it: the latency percentiles and the groups
//! hold one number per request. What is left out: anything that compares runs (gains, confidence intervals); it can be
//! had from the columns. [`Batches`] keeps what an interval from a single run is made of.

mod accel_utilization;
mod accelerators;
mod antt;
mod batches;
mod column;
mod context;
mod decisions;
mod dram_utilization;
mod edp;
mod energy;
mod fairness;
mod groups;
mod jain;
mod latency;
mod lateness;
mod layer_log;
mod outcomes;
mod pace;
mod progress;
#[cfg(test)]
mod properties;
mod request_log;
mod sla;
mod stp;
mod stretch;
#[cfg(test)]
mod testing;
mod timeline;

use std::fmt;

use crate::sim::{Origin, Record, Recorder};

pub use accelerators::{ACCELERATOR_COLUMNS, Accelerators};
pub use batches::{BATCH_COLUMNS, Batches};
pub use column::{Better, Column, Given};
pub use context::Context;
pub use groups::{GROUP_COLUMNS, GroupBy, GroupRow, Groups, Terms};
pub use layer_log::{LayerLog, LayerRow};
pub use request_log::{RequestLog, RequestRow, layer_energy_by_tenant};
pub use timeline::Timeline;

/// Every metric, in the order of the CSV columns. To add one: its file, its `mod` line and a line here.
pub const METRICS: &[MetricEntry] = &[
    sla::ENTRY,
    latency::ENTRY,
    antt::ENTRY,
    stp::ENTRY,
    fairness::ENTRY,
    energy::ENTRY,
    accel_utilization::ENTRY,
    dram_utilization::ENTRY,
    decisions::ENTRY,
    outcomes::ENTRY,
    stretch::ENTRY,
    lateness::ENTRY,
    jain::ENTRY,
    edp::ENTRY,
    pace::ENTRY,
];

/// A fold over the records of one run.
pub trait Metric: Recorder + Send {
    /// One value per column of its registry entry, in that order; final once [`Record::End`] was seen.
    fn values(&self) -> Vec<Value>;
}

/// A line of the registry.
pub struct MetricEntry {
    /// Unique, in snake_case.
    pub name: &'static str,
    /// What it measures and who defined it, in one line.
    pub doc: &'static str,
    /// What it adds to a row of results.
    pub columns: &'static [Column],
    /// A fresh fold for one run.
    pub new: for<'a> fn(Context<'a>) -> Box<dyn Metric + 'a>,
}

/// The content of a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// An exact count.
    Count(u64),
    /// A measure; not a number where the run gives none, such as a latency when nothing finished.
    Real(f64),
}

impl Value {
    /// `sum` per `count`: not a number, rather than infinite, where there is nothing to divide by.
    fn per(sum: f64, count: f64) -> Self {
        Self::Real(if count == 0.0 { f64::NAN } else { sum / count })
    }

    /// The value as a number.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Count(count) => count as f64,
            Self::Real(real) => real,
        }
    }
}

/// As in a CSV cell: the shortest digits that read back to the same number, and nothing for what is not a number. A measure
/// has a decimal point or an exponent also where it is whole, so that readers that guess a column's type from its first
/// rows do not take it for a count.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::Real(real) if real.is_nan() => Ok(()),
            Self::Real(real) => write!(f, "{real:?}"),
        }
    }
}

/// The whole registry at work on one run.
pub struct Metrics<'a> {
    folds: Vec<Box<dyn Metric + 'a>>,
}

impl<'a> Metrics<'a> {
    /// Fresh folds.
    pub fn new(context: Context<'a>) -> Self {
        Self { folds: METRICS.iter().map(|entry| (entry.new)(context)).collect() }
    }

    /// All columns in the order of the registry.
    pub fn columns() -> impl Iterator<Item = &'static Column> {
        METRICS.iter().flat_map(|entry| entry.columns)
    }

    /// One value per column.
    pub fn values(&self) -> Vec<Value> {
        self.folds.iter().flat_map(|fold| fold.values()).collect()
    }
}

impl Recorder for Metrics<'_> {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.folds.iter_mut().for_each(|fold| fold.record(record, origin));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::testing::Example;

    #[test]
    fn the_columns_that_others_read_come_first_and_in_order() {
        let first = [
            "requests",
            "met",
            "sla_rate",
            "latency_p50_us",
            "latency_p95_us",
            "latency_p99_us",
            "antt",
            "stp",
            "fairness",
            "energy_layers_uj",
            "energy_static_uj",
            "energy_policy_uj",
            "energy_per_request_uj",
            "energy_per_met_request_uj",
            "accel_utilization",
            "dram_utilization",
            "decisions",
        ];
        let names: Vec<&str> = Metrics::columns().map(|column| column.name).collect();
        assert_eq!(names[..first.len()], first);
        let mut unique = names.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), names.len(), "{names:?}");
    }

    #[test]
    fn every_metric_is_documented_and_fills_its_columns() {
        let example = Example::new();
        for entry in METRICS {
            let fold = (entry.new)(example.context());
            assert_eq!(fold.values().len(), entry.columns.len(), "{}", entry.name);
            let docs = entry.columns.iter().map(|column| column.doc).chain([entry.doc]);
            assert!(docs.into_iter().all(|doc| !doc.is_empty() && !doc.contains('\n')), "{}", entry.name);
        }
    }

    #[test]
    fn cells_read_back_to_the_same_number_and_are_empty_without_one() {
        assert_eq!(Value::Count(7).to_string(), "7");
        assert_eq!(Value::Real(0.1 + 0.2).to_string(), "0.30000000000000004");
        assert_eq!([1.0, 1e-9].map(|v| Value::Real(v).to_string()), ["1.0", "1e-9"]);
        assert_eq!(Value::per(0.0, 0.0).to_string(), "");
        assert_eq!(Value::per(5.0, 0.0).to_string(), "");
    }

    #[test]
    fn a_run_without_counted_requests_has_counts_of_zero_and_no_ratios() {
        let mut example = Example::new();
        example.trace.counted = 0..0;
        assert_eq!(example.value("requests"), 0.0);
        assert_eq!(example.value("energy_static_uj"), 0.0);
        for column in ["sla_rate", "latency_p50_us", "antt", "fairness", "accel_utilization"] {
            assert!(example.value(column).is_nan(), "{column}");
        }
    }
}
