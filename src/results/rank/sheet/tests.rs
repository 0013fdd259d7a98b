//! Sheets small enough to work out by hand.

use super::super::apart;
use super::*;
use crate::experiment::KEYS;
use crate::metrics::Better;

pub(in crate::results::rank) fn row(
    scheduler: &str,
    scenario: &str,
    cost: &str,
    seed: u64,
    rate: f64,
) -> Row {
    let mut keys = vec![String::new(); KEYS.len()];
    let cost_key = KEYS.iter().position(|key| *key == "decision_cost").unwrap();
    keys[1] = scenario.into();
    (keys[LOAD], keys[SCHEDULER], keys[SEED]) = ("0.9".into(), scheduler.into(), seed.to_string());
    keys[cost_key] = cost.into();
    let values = [(RATE.to_string(), rate), ("latency_p99_us".to_string(), 1e3 * rate)].into();
    Row { keys, seed, run: Measured { values, ..Measured::default() }, is_for_every_seed: false }
}

pub(in crate::results::rank) const PLAIN: Question =
    Question { metric: "sla_rate", over: None, by: None, with: &[], only: &[], margin: 0.0 };

#[test]
fn a_table_by_hand() {
    let mut all = Vec::new();
    for (seed, [a_light, a_mixed, b_light, b_mixed]) in [(1, [0.9, 0.7, 0.8, 0.4]), (2, [0.8, 0.8, 0.7, 0.5])]
    {
        all.push(row("a", "light", "host", seed, a_light));
        all.push(row("a", "mixed", "host", seed, a_mixed));
        all.push(row("b", "light", "host", seed, b_light));
        all.push(row("b", "mixed", "host", seed, b_mixed));
    }
    // Seed 3 was run by one scheduler only, and only the bound of seed 1 is known.
    all.push(row("a", "light", "host", 3, 0.1));
    all.push(row(BOUND, "light", "host", 1, 1.0));
    all.push(row(BOUND, "mixed", "host", 1, 0.9));
    let question = Question { over: Some("b"), by: Some("scenario"), ..PLAIN };
    let ranking = Sheet::new(&all, &question).rank(&question).unwrap();
    assert_eq!((ranking.cells, ranking.seeds, ranking.left_out), (2, 2, 1));
    assert_eq!(ranking.groups, ["light", "mixed"]);
    let [a, b] = &ranking.schedulers[..] else { panic!("{ranking:?}") };
    let near = |value: Option<f64>, expected: f64| (value.unwrap() - expected).abs() < 1e-12;
    // a: 0.8 with either seed; b: 0.6 with either.
    assert!(near(a.all.mean, 0.8) && near(b.all.mean, 0.6), "{ranking:?}");
    assert!(near(a.of_groups[0].mean, 0.85) && near(b.of_groups[1].mean, 0.45));
    assert!(near(a.difference.unwrap().mean, 0.2) && near(a.difference_percent, 100.0 / 3.0));
    // With seed 1: b is at 0.6 and a at 0.8 under a bound of 0.95.
    assert!(near(a.to_bound.unwrap().mean, -0.15) && near(a.closed_percent, 20.0 / 35.0 * 100.0));
    assert_eq!(
        (a.above, a.below, b.above, b.difference),
        (0, 0, 0, None),
        "two seeds do not tell them apart"
    );
    assert_eq!(Sheet::new(&all, &PLAIN).rank(&PLAIN).unwrap().over, "a");
}

#[test]
fn cells_are_told_apart_beyond_the_margin() {
    // 0.15 above in one cell, p nearly 0, and 0.05 below with each of 8 seeds in the other, p 1/256.
    let own: Values =
        (1..=8).flat_map(|seed| [((0, seed), 0.9 + 1e-4 * seed as f64), ((1, seed), 0.7)]).collect();
    let other: Values = own.keys().map(|&at| (at, 0.75)).collect();
    let grid: Vec<At> = own.keys().copied().collect();
    let [own, other] = [own, other].map(|values| Column { values, ..Column::default() });
    let beyond = |margin| {
        told_apart(&grid, &own, &other, &Question { margin, ..PLAIN })
            .into_values()
            .collect::<Vec<Ordering>>()
    };
    assert_eq!(beyond(0.0), [Ordering::Greater, Ordering::Less]);
    assert_eq!(beyond(0.1), [Ordering::Greater, Ordering::Equal]);
    assert_eq!(beyond(0.2), [Ordering::Equal; 2]);
    let latency = told_apart(&grid, &own, &other, &Question { metric: "latency_p99_us", ..PLAIN });
    assert_eq!(latency.into_values().collect::<Vec<_>>(), [Ordering::Less, Ordering::Greater]);
}

#[test]
fn the_best_comes_first_whatever_is_good() {
    let all = [row("a", "light", "host", 1, 0.5), row("b", "light", "host", 1, 0.6)];
    let first = |metric| {
        let question = Question { metric, ..PLAIN };
        let ranking = Sheet::new(&all, &question).rank(&question).unwrap();
        (ranking.over.clone(), ranking.better)
    };
    assert_eq!(first(RATE), ("b".into(), Better::Higher));
    assert_eq!(first("latency_p99_us"), ("a".into(), Better::Lower));
}

#[test]
fn a_run_alone_is_ranked_by_its_parts() {
    let all = [("a", [10, 9, 10, 9]), ("b", [5, 4, 4, 5])].map(|(scheduler, met)| {
        let rate = met.iter().sum::<usize>() as f64 / 40.0;
        let mut row = row(scheduler, "light", "host", 1, rate);
        row.run.values.insert("requests".into(), 40.0);
        row.run.met_by_batch = met.to_vec();
        row
    });
    let ranking = Sheet::new(&all, &PLAIN).rank(&PLAIN).unwrap();
    assert_eq!((ranking.replicates, ranking.seeds, ranking.cells), (Replicates::Batches, 1, 1));
    let [a, b] = &ranking.schedulers[..] else { panic!("{ranking:?}") };
    // Rates 1, 0.9, 1, 0.9: standard deviation 0.0577, t(0.975, 3) = 3.1824.
    assert!((a.all.ci95.unwrap() - 3.1824 * 0.0577 / 2.0).abs() < 1e-4, "{a:?}");
    assert_eq!(a.all.high95, Some(1.0));
    // Differences -0.5, -0.5, -0.6, -0.4 in four pairs.
    assert!((b.difference.unwrap().mean.unwrap() + 0.5).abs() < 1e-12 && b.below == 1, "{b:?}");
}

#[test]
fn a_run_that_stands_for_every_seed_is_beside_each_and_one_replicate() {
    let alone = |scheduler: &str, rate| {
        let row = row(scheduler, "light", "host", 1, rate);
        Row { is_for_every_seed: true, ..row }
    };
    let drawn = (1..=8).map(|seed| row("drawn", "light", "host", seed, 0.1 * seed as f64));
    let all: Vec<Row> = drawn.chain([alone("a", 0.9), alone("b", 0.8)]).collect();
    let ranking = Sheet::new(&all, &PLAIN).rank(&PLAIN).unwrap();
    assert_eq!((ranking.replicates, ranking.seeds, ranking.left_out), (Replicates::Draws, 8, 0));
    let [a, b, drawn] = &ranking.schedulers[..] else { panic!("{ranking:?}") };
    assert!((drawn.all.mean.unwrap() - 0.45).abs() < 1e-12 && drawn.below == 1, "{drawn:?}");
    assert!((drawn.difference.unwrap().mean.unwrap() + 0.45).abs() < 1e-12, "{drawn:?}");
    // Eight seeds of one pair of runs are a single difference, which is not enough for a test.
    assert_eq!((a.all.mean, b.all.ci95, b.below), (Some(0.9), None, 0));
}

#[test]
fn a_grid_is_complete() {
    let square: Vec<At> = vec![(0, 1), (0, 2), (1, 1), (1, 2)];
    let with = |more: At| complete(square.iter().copied().chain([more]).collect());
    // One seed exists in one cell only, and one cell lacks a seed: the larger grid is kept.
    assert_eq!([complete(square.clone()), with((0, 3)), with((2, 1))], [(); 3].map(|()| square.clone()));
    assert!(complete(vec![(0, 1), (1, 2)]).is_empty());
}

#[test]
fn bounds_are_those_of_the_variant() {
    let all = [
        row("a", "light", "host", 1, 0.5),
        row("a", "light", "ideal", 1, 0.5),
        row(BOUND, "light", "host", 1, 0.75),
        row(BOUND, "light", "ideal", 1, 1.0),
    ];
    let with = ["decision_cost".to_string()];
    let question = Question { with: &with, ..PLAIN };
    let ranking = Sheet::new(&all, &question).rank(&question).unwrap();
    let gaps: Vec<_> =
        ranking.schedulers.iter().map(|of| (&of.scheduler[..], of.to_bound.unwrap().mean)).collect();
    assert_eq!(gaps, [("a (host)", Some(-0.25)), ("a (ideal)", Some(-0.5))]);
}

#[test]
fn a_key_may_tell_schedulers_apart() {
    let all = [
        row("a", "light", "host", 1, 0.5),
        row("b", "light", "host", 1, 0.6),
        row("b", "light", "ideal", 1, 0.7),
    ];
    assert_eq!(Sheet::new(&all, &PLAIN).rank(&PLAIN).unwrap().left_out, 1);
    let with = ["decision_cost".to_string()];
    let question = Question { with: &with, ..PLAIN };
    let ranking = Sheet::new(&all, &question).rank(&question).unwrap();
    let names: Vec<&str> = ranking.schedulers.iter().map(|of| &of.scheduler[..]).collect();
    assert_eq!(names, ["b (ideal)", "b (host)", "a"]);
    let alone = [row("a", "light", "host", 1, 0.5), row("b", "mixed", "host", 1, 0.6)];
    assert!(Sheet::new(&alone, &PLAIN).rank(&PLAIN).is_none());
    assert_eq!((apart(&alone), apart(&all)), (vec!["scenario"], vec!["decision_cost"]));
}
