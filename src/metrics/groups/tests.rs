//! Groups of the example run, worked out by hand.

use super::*;
use crate::metrics::testing::Example;
use crate::units::Time;
use crate::workload::{Firm, Qos};

fn rows(example: &Example, terms: &[Terms]) -> Vec<GroupRow> {
    let mut groups = Groups::new(&example.context().world, terms.to_vec());
    example.record(&mut groups);
    groups.rows()
}

fn value(rows: &[GroupRow], by: GroupBy, key: u32, column: &str) -> f64 {
    let place = Groups::columns().iter().position(|c| c.name == column).expect("the column exists");
    let row = rows.iter().find(|row| row.by == by && row.key == key).expect("the group exists");
    row.values[place].as_f64()
}

fn assert_values(rows: &[GroupRow], by: GroupBy, key: u32, expected: &[(&str, f64)]) {
    for &(column, expected) in expected {
        let actual = value(rows, by, key, column);
        assert!((actual - expected).abs() <= 1e-12 * expected.abs(), "{column}: {actual}, not {expected}");
    }
}

#[test]
fn tenants_by_hand() {
    let rows = rows(&Example::new(), &[]);
    // Tenant 0: r1 (latency 20, isolated 10, 5 late, 1 pJ, not slowed) and r3 (dropped, 1 pJ, slowed by 1.5).
    let expected = [
        ("requests", 2.0),
        ("met", 0.0),
        ("missed", 2.0),
        ("sla_rate", 0.0),
        ("finished", 1.0),
        ("dropped", 1.0),
        ("latency_p50_us", 0.02),
        ("latency_p99_us", 0.02),
        ("lateness_mean_us", 0.005),
        ("antt", 2.0),
        ("progress", 0.25),
        ("energy_layers_per_request_uj", 1e-6),
        ("slowdown_mean", 1.25),
    ];
    assert_values(&rows, GroupBy::Tenant, 0, &expected);
    // Tenant 1: r2 and r4 take 30 each, as if alone, two layers of 1 pJ.
    let expected = [
        ("met", 2.0),
        ("missed", 0.0),
        ("latency_p95_us", 0.03),
        ("antt", 1.0),
        ("progress", 1.0),
        ("energy_layers_per_request_uj", 2e-6),
        ("slowdown_mean", 1.0),
    ];
    assert_values(&rows, GroupBy::Tenant, 1, &expected);
    assert!(value(&rows, GroupBy::Tenant, 1, "target_reached").is_nan());
}

#[test]
fn every_split_covers_all_measured_requests_once() {
    let mut example = Example::new();
    // Of the measured r1 to r4, r1 and r3.
    let levels = [Qos::L, Qos::H, Qos::M, Qos::H, Qos::M, Qos::L];
    example.trace.requests.iter_mut().zip(levels).for_each(|(request, qos)| request.qos = qos);
    let rows = rows(&example, &[]);
    for by in GroupBy::ALL {
        let own = rows.iter().filter(|row| row.by == by);
        assert_eq!(own.map(|row| row.values[0].as_f64()).sum::<f64>(), 4.0, "{by:?}");
    }
    let keys = |by| rows.iter().filter(|row| row.by == by).map(|row| row.key).collect::<Vec<_>>();
    assert_eq!(keys(GroupBy::Network), [0, 1]);
    assert_eq!(keys(GroupBy::Qos), [Qos::H.index(), Qos::M.index()]);
    assert_eq!(keys(GroupBy::Priority), [1, 3, 4]);
    assert_values(&rows, GroupBy::Qos, Qos::H.index(), &[("met", 0.0), ("slowdown_mean", 1.25)]);
    assert_values(&rows, GroupBy::Priority, 4, &[("met", 2.0), ("antt", 1.0)]);
}

#[test]
fn targets_and_firm_terms_are_the_tenants_own() {
    let firm = |m, k| Some(Firm { m, k });
    let terms = [
        Terms { target_hit_rate: Some(0.1), firm: firm(1, 2) },
        Terms { target_hit_rate: Some(1.0), firm: firm(1, 1) },
    ];
    let rows = rows(&Example::new(), &terms);
    let of = |key, column| value(&rows, GroupBy::Tenant, key, column);
    assert_eq!((of(0, "target_hit_rate"), of(0, "target_reached")), (0.1, 0.0));
    assert_eq!((of(1, "target_reached"), of(1, "mk_violations")), (1.0, 0.0));
    assert_eq!(of(0, "mk_violations"), 1.0);
    assert!(value(&rows, GroupBy::Network, 0, "mk_violations").is_nan());
}

#[test]
fn what_is_unfinished_at_the_end_is_missed() {
    let mut example = Example::new();
    // r1 and r2 run, r3 and r4 have not arrived.
    example.trace.span.end = Time(10_000);
    let rows = rows(&example, &[]);
    let expected =
        [("requests", 1.0), ("missed", 1.0), ("finished", 0.0), ("energy_layers_per_request_uj", 0.0)];
    assert_values(&rows, GroupBy::Tenant, 0, &expected);
    let expected =
        [("requests", 1.0), ("missed", 1.0), ("finished", 0.0), ("dropped", 0.0), ("progress", 0.0)];
    assert_values(&rows, GroupBy::Tenant, 1, &expected);
    assert!(value(&rows, GroupBy::Tenant, 1, "latency_p50_us").is_nan());
}

#[test]
fn columns_keep_their_order() {
    let names: Vec<&str> = Groups::columns().iter().map(|heading| heading.name).collect();
    assert_eq!(names[..FIRST.len()], *FIRST);
}
