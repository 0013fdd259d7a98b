//! What `mascot validate` says about an experiment on fleets: the rates that they sustain, the latencies of their tenants
//! alone, and the quality that no dispatcher exceeds.

use std::sync::Arc;

use super::table::Listing;
use crate::plan::{Alone, Case, Fleet, Plan};
use crate::results::number;
use crate::workload::Tenant;

const RATES: [(&str, &str); 6] = [
    ("fleet", "fleet"),
    ("scenario", "scenario"),
    ("DRAM GB/s", "dram_bandwidth_gbps"),
    ("lambda* 1/s", "lambda_star_per_s"),
    ("any variant and batch, 1/s", "lambda_max_per_s"),
    ("lambda* bound by", "bound_by"),
];

const ALONE: [(&str, &str); 6] = [
    ("fleet", "fleet"),
    ("scenario", "scenario"),
    ("tenant", "tenant"),
    ("site", "site"),
    ("links there and back, us", "network_us"),
    ("most accurate variant alone, us", "service_us"),
];

const LOADS: [(&str, &str); 5] = [
    ("fleet", "fleet"),
    ("scenario", "scenario"),
    ("load", "load"),
    ("requests/s", "requests_per_s"),
    ("quality at most", "quality_bound"),
];

/// The tables of a plan on fleets.
pub(super) fn tables(plan: &Plan) -> Vec<(&'static str, Listing)> {
    let (mut rates, mut alone, mut loads) = (Vec::new(), Vec::new(), Vec::new());
    let mut seen: Vec<(&Arc<Fleet>, Option<f64>)> = Vec::new();
    for case in &plan.cases {
        let fleet = case.fleet.as_ref().expect("all cases are on fleets");
        if !seen.iter().any(|(other, _)| Arc::ptr_eq(other, fleet)) {
            rates.push(rates_row(case, fleet));
            alone.extend(alone_rows(case, fleet));
        }
        if !seen.iter().any(|(other, load)| Arc::ptr_eq(other, fleet) && *load == case.load) {
            loads.push(load_row(case, fleet));
            seen.push((fleet, case.load));
        }
    }
    vec![
        ("rates", Listing { columns: &RATES, numbers: 2..5, rows: rates }),
        ("alone", Listing { columns: &ALONE, numbers: 4..6, rows: alone }),
        ("loads", Listing { columns: &LOADS, numbers: 2..5, rows: loads }),
    ]
}

fn names(case: &Case) -> Vec<String> {
    vec![case.system.clone(), case.workload.scenario.name.clone()]
}

fn rates_row(case: &Case, fleet: &Fleet) -> Vec<String> {
    let mut row = names(case);
    row.push(case.site.dram.bandwidth_gbps.to_string());
    row.extend([fleet.lambda_best, fleet.lambda_max].map(|rate| number(Some(rate), 1)));
    row.push(fleet.bound_by.join(", "));
    row
}

/// Each tenant's requests alone.
fn alone_rows(case: &Case, fleet: &Fleet) -> Vec<Vec<String>> {
    let row = |(tenant, alone): (&Tenant, &Alone)| {
        let mut row = names(case);
        row.push(tenant.name.clone());
        row.push(fleet.model.sites[alone.site].name.clone());
        row.extend([alone.network, alone.service].map(|time| number(Some(time.as_us()), 1)));
        row
    };
    case.workload.scenario.tenants.iter().zip(&fleet.alone).map(row).collect()
}

fn load_row(case: &Case, fleet: &Fleet) -> Vec<String> {
    let (load, rate) = (case.nominal_load(), case.nominal_load() * fleet.lambda_best);
    let mut row = names(case);
    row.push(number(Some(load), 3));
    row.push(number(Some(rate), 1));
    row.push(number(Some(case.quality_bound()).filter(|bound| bound.is_finite()), 4));
    row
}
