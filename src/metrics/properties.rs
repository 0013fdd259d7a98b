//! Properties on random runs: the columns agree with the two logs, and stay within their bounds.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::{
    Context, GroupBy, Groups, LayerLog, LayerRow, Metrics, RequestLog, RequestRow, layer_energy_by_tenant,
};
use crate::check::{Case, any_case, any_case_with_everything, record_chaos};
use crate::sim::{DropReason, Origin, Record, Recorder, RequestId};
use crate::units::{Picojoules, Time};

/// The columns and the measured rows of both logs.
struct Results {
    columns: Vec<(&'static str, f64)>,
    requests: Vec<RequestRow>,
    layers: Vec<LayerRow>,
}

impl Results {
    fn of(case: &Case) -> Self {
        let mut metrics = Metrics::new(&Context::of_run(&Arc::new(case.world())));
        let (mut requests, mut layers) = (RequestLog::default(), LayerLog::default());
        let folds: [&mut dyn Recorder; 3] = [&mut metrics, &mut requests, &mut layers];
        folds.into_iter().for_each(|fold| record_chaos(case, fold));
        let names = Metrics::columns().map(|column| column.name);
        Self {
            columns: names.zip(metrics.values().into_iter().map(|value| value.as_f64())).collect(),
            requests: requests.rows().iter().filter(|row| row.measured).copied().collect(),
            layers: layers.rows().iter().filter(|row| row.measured).copied().collect(),
        }
    }

    fn column(&self, name: &str) -> f64 {
        self.columns.iter().find(|(column, _)| *column == name).expect("the column exists").1
    }

    fn count(&self, is: impl Fn(&&RequestRow) -> bool) -> f64 {
        self.requests.iter().filter(is).count() as f64
    }
}

/// The instants of a span at which a layer of a request runs, from all records: the sum of the gaps between starts and ends
/// in which at least one does.
fn busy(records: &[(Record, Origin)], id: RequestId, until: Time) -> Time {
    let (mut running, mut since, mut busy) = (0, Time::ZERO, Time::ZERO);
    for (record, _) in records.iter().filter(|(record, _)| record.request() == Some(id)) {
        let change = match record {
            Record::Start { .. } => 1,
            Record::Finish { .. } => -1,
            _ => 0,
        };
        let now = record.time().min(until);
        busy += if running > 0 { now - since } else { Time::ZERO };
        (running, since) = (running + change, now);
    }
    if running > 0 { busy + (until - since) } else { busy }
}

/// Equal to rounding, or neither a number.
fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * b.abs() || (a.is_nan() && b.is_nan())
}

proptest! {
    #[test]
    fn request_columns_count_the_rows(case in any_case(1..=4)) {
        let results = Results::of(&case);
        prop_assert_eq!(results.column("requests"), case.trace.measured.len() as f64);
        prop_assert_eq!(results.column("met"), results.count(|row| row.is_met()));
        prop_assert_eq!(results.column("finished"), results.count(|row| row.finish.is_some()));
        prop_assert_eq!(results.column("dropped"), results.count(|row| row.dropped.is_some()));
        prop_assert_eq!(results.column("requests"), results.column("finished") + results.column("dropped"));
        let scheduler = |row: &RequestRow| row.dropped == Some(DropReason::Scheduler);
        prop_assert_eq!(results.column("dropped_late"), results.count(|row| row.dropped == Some(DropReason::Late)));
        prop_assert_eq!(results.column("rejected"), results.count(|row| scheduler(row) && row.start.is_none()));
        prop_assert_eq!(results.column("given_up"), results.count(|row| scheduler(row) && row.start.is_some()));
        prop_assert!(results.column("met") <= results.column("finished"));
    }

    #[test]
    fn the_shares_of_a_request_add_up_to_its_time(case in any_case_with_everything()) {
        let mut log = RequestLog::default();
        record_chaos(&case, &mut log);
        let mut records: Vec<(Record, Origin)> = Vec::new();
        record_chaos(&case, &mut records);
        let end = records.last().expect("a run ends").0.time();
        for row in log.rows() {
            let until = row.end.expect("the run has ended");
            let is_open = row.finish.is_none() && row.dropped.is_none();
            prop_assert!(row.finish.is_none_or(|finish| finish == until) && (!is_open || until == end), "{:?}", row);
            let shares = row.shares;
            let sum = shares.waiting + shares.running + shares.slowed;
            prop_assert_eq!(sum, until - row.asked.arrival, "{:?}", row);
            prop_assert_eq!(shares.running + shares.slowed, busy(&records, row.request, until), "{:?}", row);
        }
    }

    #[test]
    fn layers_wait_in_order_and_one_by_one_explain_what_is_slowed(case in any_case_with_everything()) {
        let (mut requests, mut layers) = (RequestLog::default(), LayerLog::default());
        record_chaos(&case, &mut requests);
        record_chaos(&case, &mut layers);
        for row in layers.rows() {
            prop_assert!(row.decided <= row.assigned && row.assigned <= row.start, "{:?}", row);
            prop_assert!(row.ready <= row.queued() && row.queued() <= row.start, "{:?}", row);
        }
        for request in requests.rows().iter().filter(|row| row.finish.is_some()) {
            let own: Vec<&LayerRow> = layers.rows().iter().filter(|row| row.request == request.request).collect();
            let excess: Time = own.iter().map(|row| (row.end - row.start).saturating_sub(row.alone)).sum();
            if own.windows(2).all(|pair| pair[0].end <= pair[1].start) {
                prop_assert_eq!(request.shares.slowed, excess, "{:?}", request);
            }
            prop_assert!(request.shares.slowed <= excess);
        }
    }

    #[test]
    fn the_energy_of_layers_requests_and_tenants_is_the_same(case in any_case(1..=4)) {
        let results = Results::of(&case);
        let of_layers: Picojoules = results.layers.iter().map(|row| row.energy).sum();
        let of_tenants: Picojoules = layer_energy_by_tenant(&results.requests).into_iter().sum();
        let column_pj = results.column("energy_layers_uj") * 1e6;
        prop_assert!(close(of_layers.0, column_pj) && close(of_tenants.0, column_pj));
        let total_pj = column_pj + (results.column("energy_static_uj") + results.column("energy_policy_uj")) * 1e6;
        let per_request_pj = results.column("energy_per_request_uj") * 1e6;
        prop_assert!(close(per_request_pj * results.column("requests"), total_pj));
    }

    #[test]
    fn permuting_tenants_permutes_what_they_get(case in any_case(1..=4)) {
        let mut permuted = case.clone();
        let last = case.trace.requests.iter().map(|request| request.tenant).max().unwrap_or(0);
        permuted.trace.requests.iter_mut().for_each(|request| request.tenant = last - request.tenant);
        let (results, permuted) = (Results::of(&case), Results::of(&permuted));
        for (&(column, expected), &(_, actual)) in results.columns.iter().zip(&permuted.columns) {
            prop_assert!(close(actual, expected), "{column} is {actual}, not {expected}");
        }
        for tenant in 0..=last {
            let energy = |results: &Results, tenant: u32| {
                let mine = results.requests.iter().filter(|row| row.asked.tenant == tenant);
                mine.map(|row| row.energy).sum::<Picojoules>()
            };
            prop_assert_eq!(energy(&permuted, last - tenant), energy(&results, tenant));
        }
    }

    /// To the bit, whichever request ends first.
    #[test]
    fn groups_add_up_in_the_order_of_arrival(case in any_case(1..=4)) {
        let mut groups = Groups::new(&Arc::new(case.world()), Vec::new());
        record_chaos(&case, &mut groups);
        let requests = Results::of(&case).requests;
        let place = Groups::columns().iter().position(|column| column.name == "lateness_mean_us");
        for group in groups.rows().iter().filter(|group| group.by == GroupBy::Tenant) {
            let own = requests.iter().filter(|row| row.asked.tenant == group.key);
            let late_us = own.filter_map(|row| Some(row.finish?.as_us() - row.asked.deadline.as_us()));
            let late_us: Vec<f64> = late_us.collect();
            // From a positive zero, which `sum` does not begin with.
            let mean = late_us.iter().fold(0.0, |sum, us| sum + us) / late_us.len() as f64;
            let told = group.values[place.expect("there is such a column")].as_f64();
            prop_assert!(told == mean || (told.is_nan() && mean.is_nan()), "{told}, not {mean}");
        }
    }

    #[test]
    fn means_are_those_of_the_rows(case in any_case(1..=4)) {
        let results = Results::of(&case);
        let slowdown: f64 = results.layers.iter().map(|row| row.slowdown).sum();
        prop_assert!(close(results.column("slowdown_mean"), slowdown / results.layers.len() as f64));
        let world = case.world();
        let ntt = |row: &RequestRow| {
            let isolated = world.networks[row.asked.network as usize].isolated;
            row.finish.map(|finish| (finish - row.asked.arrival).as_ps() / isolated.as_ps())
        };
        let ntts: Vec<f64> = results.requests.iter().filter_map(ntt).collect();
        prop_assert!(close(results.column("antt"), ntts.iter().sum::<f64>() / ntts.len() as f64));
    }

    #[test]
    fn ratios_stay_within_their_bounds(case in any_case(1..=4)) {
        let results = Results::of(&case);
        for column in ["sla_rate", "fairness", "accel_utilization", "dram_utilization"] {
            let ratio = results.column(column);
            prop_assert!((0.0..=1.0 + 1e-9).contains(&ratio) || ratio.is_nan(), "{column} {ratio}");
        }
        let programs: BTreeSet<(u32, u32)> = results.requests.iter().map(|row| (row.asked.tenant, row.asked.network)).collect();
        prop_assert!((0.0..=programs.len() as f64 * (1.0 + 1e-9)).contains(&results.column("stp")));
        let none_finished = results.column("finished") == 0.0;
        prop_assert!(results.column("antt") >= 1.0 - 1e-9 || none_finished);
        let median_us = results.column("latency_p50_us");
        prop_assert!(results.column("latency_p99_us") >= median_us || none_finished);
    }
}
