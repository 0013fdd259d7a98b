//! The metrics of a run: one file per metric, each a fold over the record stream, and the registry of them.
//!
//! [`Metrics`] builds the whole registry, takes the [`Record`](crate::sim::Record)s of one run and gives one [`Value`]
//! per column; CSV columns, help and docs iterate [`METRICS`]. Columns carry their unit in their name; a ratio has
//! none. [`Groups`] runs the registry again per tenant, network, QoS level and priority, and [`Accelerators`] has the
//! totals of each accelerator. Two logs keep rows instead of totals: [`RequestLog`] and [`LayerLog`]; [`EnergyLog`] keeps sums. [`Timeline`]
//! draws one run.
//!
//! Request metrics see measured requests only ([`crate::sim::Trace::is_measured`]). Integrals over time (static energy,
//! utilisation, decisions) run over the measurement window: from the arrival of the first measured request to
//! [`Record::End`](crate::sim::Record::End). Other requests that run inside the window only load the system.
//!
//! A request that is unfinished when its run ends counts as missed, like one that was dropped.
//!
//! A fold keeps no records, and keeps state per request only where its metric needs it: the latency percentiles hold
//! one number per request, and the groups hold one per request and group. Comparisons of runs (gains, confidence
//! intervals) are not metrics: they follow from the columns. [`Batches`] keeps the numbers from which an interval for a
//! single run is computed.

mod accel_utilization;
mod accelerators;
mod adapt;
mod antt;
mod batches;
mod column;
mod context;
mod crossing;
mod decisions;
mod dram_utilization;
mod edp;
mod energy;
mod energy_log;
mod fairness;
mod firm;
mod groups;
mod jain;
mod latency;
mod lateness;
mod layer_log;
mod links;
mod outcomes;
mod pace;
mod progress;
#[cfg(test)]
mod properties;
mod registry;
mod request_log;
mod serving;
mod shares;
mod sla;
mod slowdown;
mod standby;
mod stp;
mod target;
#[cfg(test)]
mod testing;
mod timeline;

pub use accelerators::{ACCELERATOR_COLUMNS, Accelerators, Lane};
pub use adapt::{ADAPT_COLUMNS, adapt_s};
pub use batches::{BATCH_COLUMNS, Batches};
pub use column::{Better, Column, Given, Heading, Value};
pub use context::{Context, Terms};
pub use crossing::{CROSSING_COLUMNS, Crossing, CrossingFold};
pub use energy_log::{EnergyLog, EnergyRow, Part};
pub use groups::{GroupBy, GroupRow, Groups};
pub use layer_log::{LayerLog, LayerRow};
pub use links::{LINK_COLUMNS, LinkTraffic, Links};
pub use registry::{Fold, Metric, MetricEntry, Metrics, Scope};
pub use request_log::{RequestLog, RequestRow, layer_energy_by_tenant};
pub use serving::{
    Answer, AnswerRow, Aside, MemberShares, OrderOf, SERVING_COLUMNS, ServedBy, Serving, ServingGroup, Step,
    StepRow, Steps,
};
pub use shares::Shares;
pub use timeline::Timeline;

/// Every metric, in the order of the CSV columns. To add one, add its file, its `mod` line and a line here; summary.csv
/// and, if it has columns for groups, groups.csv follow.
pub const METRICS: &[&dyn MetricEntry] = &[
    &sla::ENTRY,
    &latency::ENTRY,
    &antt::ENTRY,
    &stp::ENTRY,
    &fairness::ENTRY,
    &energy::ENTRY,
    &accel_utilization::ENTRY,
    &dram_utilization::ENTRY,
    &decisions::ENTRY,
    &outcomes::ENTRY,
    &slowdown::ENTRY,
    &lateness::ENTRY,
    &jain::ENTRY,
    &edp::ENTRY,
    &pace::ENTRY,
    &progress::ENTRY,
    &target::ENTRY,
    &firm::ENTRY,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::testing::Example;
    use crate::sim::{Origin, Record};

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
        for (entry, scope) in
            METRICS.iter().flat_map(|entry| [Scope::Run, Scope::Group].map(|scope| (entry, scope)))
        {
            let headings = entry.headings(scope);
            let values = entry.fold(scope, &example.context()).map_or(0, |fold| fold.values().len());
            assert_eq!(values, headings.len(), "{}", entry.name());
            let docs = headings.iter().map(|heading| heading.doc).chain([entry.doc()]);
            assert!(docs.into_iter().all(|doc| !doc.is_empty() && !doc.contains('\n')), "{}", entry.name());
        }
    }

    /// A metric that uses layers must say so, or the registry does not pass layers to it.
    #[test]
    fn folds_that_are_told_nothing_of_layers_make_nothing_of_them() {
        let example = Example::new();
        for entry in METRICS.iter().filter(|entry| !entry.hears_layers()) {
            let [mut all, mut rest] = [(); 2].map(|()| entry.fold(Scope::Run, &example.context()));
            let (Some(all), Some(rest)) = (&mut all, &mut rest) else { continue };
            let mut records: Vec<(Record, Origin)> = Vec::new();
            example.record(&mut records);
            for (record, origin) in &records {
                all.record(record, *origin);
                if !matches!(record, Record::Start { .. } | Record::Finish { .. }) {
                    rest.record(record, *origin);
                }
            }
            let told = [all.values(), rest.values()].map(|values| format!("{values:?}"));
            assert_eq!(told[0], told[1], "{}", entry.name());
        }
    }

    /// A group of all requests has the same values as the run in the columns that both have.
    #[test]
    fn columns_of_one_name_are_the_same_of_a_run_and_of_a_group() {
        let of = |scope| METRICS.iter().flat_map(move |entry| entry.headings(scope));
        for group in of(Scope::Group) {
            assert!(of(Scope::Run).all(|run| run.name != group.name || run == group), "{}", group.name);
        }
    }

    #[test]
    fn a_run_without_measured_requests_has_counts_of_zero_and_no_ratios() {
        let mut example = Example::new();
        example.trace.measured = 0..0;
        assert_eq!(example.value("requests"), 0.0);
        assert_eq!(example.value("energy_static_uj"), 0.0);
        for column in ["sla_rate", "latency_p50_us", "antt", "fairness", "accel_utilization"] {
            assert!(example.value(column).is_nan(), "{column}");
        }
    }
}
