//! All schedulers of a summary in one table: the means that papers quote, and what of the differences is more than noise.
//!
//! A cell is what schedulers are compared on: all keys but scheduler and seed. Means are taken over the cells seed by seed,
//! and then over the seeds, with a 95 % confidence interval by Student's t; differences are paired by cell and seed. Within a cell
//! a scheduler is above another if a paired, one-sided t-test over the seeds says so at 2.5 %, after Holm's correction
//! (Scandinavian Journal of Statistics, 1979) for the number of cells. Only what all schedulers ran is looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::results::{Row, has_own_pace, rows};
use crate::experiment::Error;
use crate::experiment::bound::BOUND;
use crate::experiment::columns::{KEYS, LOAD, SCHEDULER, SEED};
use crate::experiment::summary::{half_width_95, mean};
use crate::files::did_you_mean;

/// What to rank by.
pub struct Question<'a> {
    /// The column.
    pub metric: &'a str,
    /// The scheduler that the others are compared with; the best without one.
    pub over: Option<&'a str>,
    /// A key, for each value of which means are given on their own.
    pub by: Option<&'a str>,
    /// Keys that do not tell cells apart, but schedulers.
    pub with: &'a [String],
    /// Keys and the only values of theirs to look at.
    pub only: &'a [(String, String)],
    /// How far apart two schedulers have to be in a cell, in the unit of the metric.
    pub margin: f64,
}

/// The answer.
#[derive(Debug, Serialize)]
pub struct Ranking {
    /// The column.
    pub metric: String,
    /// What the others are compared with.
    pub over: String,
    /// The values of the key that means are split by.
    pub groups: Vec<String>,
    /// Cells that all schedulers ran in.
    pub cells: usize,
    /// Seeds of these.
    pub seeds: usize,
    /// Pairs of cell and seed that some scheduler did not run, or where its metric is empty.
    pub left_out: usize,
    /// The highest mean first.
    pub schedulers: Vec<Ranked>,
}

/// One scheduler.
#[derive(Debug, Serialize)]
pub struct Ranked {
    /// Its label, with the values of keys that tell it from others of that label.
    pub scheduler: String,
    /// By group.
    pub of_groups: Vec<Estimate>,
    /// Over all cells.
    pub all: Estimate,
    /// All less that of the reference; `None` for the reference itself.
    pub difference: Option<Estimate>,
    /// The same in percent of the reference's mean.
    pub difference_percent: Option<f64>,
    /// Cells in which it is above the reference.
    pub above: usize,
    /// Cells in which it is below.
    pub below: usize,
    /// All less the bound, where there is one.
    pub to_bound: Option<Estimate>,
    /// The share of the reference's distance to the bound that it closes, in percent.
    pub closed_percent: Option<f64>,
}

/// A mean over seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The mean.
    pub mean: Option<f64>,
    /// Half-width of its 95 % confidence interval; `None` below two seeds.
    pub ci95: Option<f64>,
}

/// By cell and seed.
type Values = BTreeMap<(usize, u64), f64>;

/// The values of all schedulers.
struct Sheet {
    /// The keys of each cell.
    cells: Vec<Vec<String>>,
    schedulers: Vec<(String, Values)>,
    bound: Values,
}

/// Ranks the schedulers of a summary.csv.
///
/// # Errors
/// The file cannot be read; it has no such column or scheduler; or no cell that all schedulers ran in.
pub fn rank(path: &Path, question: &Question) -> Result<Ranking, Error> {
    let mut rows = rows(path)?;
    let known: Vec<&str> = rows[0].metrics.keys().map(String::as_str).collect();
    check(path, "metric", question.metric, &known)?;
    let keys = question.by.into_iter().chain(question.with.iter().map(String::as_str));
    for key in keys.chain(question.only.iter().map(|(key, _)| &key[..])) {
        check(path, "key", key, KEYS)?;
    }
    for (key, value) in question.only {
        let values: BTreeSet<String> = rows.iter().map(|row| row.keys[place(key)].clone()).collect();
        check(path, key, value, &values.iter().map(String::as_str).collect::<Vec<_>>())?;
        rows.retain(|row| row.keys[place(key)] == *value);
    }
    let sheet = Sheet::new(&rows, question);
    if let Some(over) = question.over {
        check(
            path,
            "scheduler",
            over,
            &sheet.schedulers.iter().map(|(name, _)| &name[..]).collect::<Vec<_>>(),
        )?;
    }
    sheet
        .rank(question)
        .ok_or_else(|| Error::Usage(format!("{}: no cell was run by all its schedulers", path.display())))
}

fn check(path: &Path, what: &str, name: &str, known: &[&str]) -> Result<(), Error> {
    if known.contains(&name) {
        return Ok(());
    }
    let hint = did_you_mean(name, known);
    Err(Error::Usage(format!("{} has no {what} `{name}`{hint}; known: {}", path.display(), known.join(", "))))
}

/// Of a key that was checked.
fn place(key: &str) -> usize {
    KEYS.iter().position(|known| *known == key).expect("a key column")
}

impl Sheet {
    fn new(rows: &[Row], question: &Question) -> Self {
        let own_pace = has_own_pace(rows);
        let with: Vec<usize> = question.with.iter().map(|key| place(key)).collect();
        let values_of =
            |row: &Row| -> Vec<String> { with.iter().map(|&key| row.keys[key].clone()).collect() };
        let mut variants: BTreeMap<&str, BTreeSet<Vec<String>>> = BTreeMap::new();
        for row in rows {
            variants.entry(&row.keys[SCHEDULER]).or_default().insert(values_of(row));
        }
        let mut sheet = Self { cells: Vec::new(), schedulers: Vec::new(), bound: Values::new() };
        let mut places: BTreeMap<Vec<String>, usize> = BTreeMap::new();
        for row in rows {
            let mut keys = row.keys.clone();
            for place in with.iter().copied().chain([SCHEDULER, SEED]).chain(own_pace.then_some(LOAD)) {
                keys[place].clear();
            }
            let cell = *places.entry(keys.clone()).or_insert_with(|| {
                sheet.cells.push(keys);
                sheet.cells.len() - 1
            });
            let label = &row.keys[SCHEDULER];
            let values = if label == BOUND {
                &mut sheet.bound
            } else {
                let name = match variants[&label[..]].len() {
                    1 => label.clone(),
                    _ => format!("{label} ({})", values_of(row).join(", ")),
                };
                let known = sheet.schedulers.iter().position(|(known, _)| *known == name);
                let place = known.unwrap_or_else(|| {
                    sheet.schedulers.push((name, Values::new()));
                    sheet.schedulers.len() - 1
                });
                &mut sheet.schedulers[place].1
            };
            values.insert((cell, row.seed), row.metrics[question.metric]);
        }
        sheet
    }

    /// `None` if there is nothing that all schedulers ran.
    fn rank(&self, question: &Question) -> Option<Ranking> {
        let all: BTreeSet<(usize, u64)> =
            self.schedulers.iter().flat_map(|(_, of)| of.keys().copied()).collect();
        let is_shared = |at: &(usize, u64)| {
            self.schedulers.iter().all(|(_, of)| of.get(at).is_some_and(|value| value.is_finite()))
        };
        let shared: Vec<(usize, u64)> = all.iter().copied().filter(is_shared).collect();
        if shared.is_empty() {
            return None;
        }
        let mean_of = |values: &Values| over_seeds(&shared, |at| Some(values[at])).mean;
        let mut ranked: Vec<(&str, &Values)> =
            self.schedulers.iter().map(|(name, of)| (&name[..], of)).collect();
        ranked.sort_by(|a, b| mean_of(b.1).partial_cmp(&mean_of(a.1)).expect("finite numbers have means"));
        let by = question.by.map(place);
        let mut groups: Vec<String> = Vec::new();
        for cell in by.into_iter().flat_map(|by| self.cells.iter().map(move |cell| &cell[by])) {
            if !groups.contains(cell) {
                groups.push(cell.clone());
            }
        }
        let (over, reference) = match question.over {
            Some(over) => *ranked.iter().find(|(name, _)| *name == over)?,
            None => ranked[0],
        };
        let schedulers = ranked.iter().map(|&(name, values)| {
            let in_group = |group: &String| {
                over_seeds(&shared, |at| (Some(&self.cells[at.0][by?]) == Some(group)).then(|| values[at]))
            };
            let all = over_seeds(&shared, |at| Some(values[at]));
            let less = |other: &Values| over_seeds(&shared, |at| Some(values[at] - other.get(at)?));
            let to_bound = less(&self.bound);
            let difference = (name != over).then(|| less(reference));
            let at_reference = over_seeds(&shared, |at| Some(reference[at])).mean;
            let gains = over_seeds(&shared, |at| self.bound.get(at).map(|_| values[at] - reference[at])).mean;
            let room = over_seeds(&shared, |at| Some(self.bound.get(at)? - reference[at])).mean;
            let (above, below) = match name == over {
                true => (0, 0),
                false => told_apart(&shared, values, reference, question.margin),
            };
            let percent = |(part, whole): (f64, f64)| (whole > 0.0).then(|| 100.0 * part / whole);
            Ranked {
                scheduler: name.to_string(),
                of_groups: groups.iter().map(in_group).collect(),
                all,
                difference,
                difference_percent: difference.and_then(|of| of.mean).zip(at_reference).and_then(percent),
                above,
                below,
                to_bound: to_bound.mean.map(|_| to_bound),
                closed_percent: gains.zip(room).filter(|_| name != over).and_then(percent),
            }
        });
        Some(Ranking {
            metric: question.metric.to_string(),
            over: over.to_string(),
            schedulers: schedulers.collect(),
            groups,
            cells: shared.iter().map(|at| at.0).collect::<BTreeSet<_>>().len(),
            seeds: shared.iter().map(|at| at.1).collect::<BTreeSet<_>>().len(),
            left_out: all.len() - shared.len(),
        })
    }
}

/// The mean over cells of each seed, and then over the seeds.
fn over_seeds(shared: &[(usize, u64)], value: impl Fn(&(usize, u64)) -> Option<f64>) -> Estimate {
    let mut by_seed: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for at in shared {
        if let Some(value) = value(at) {
            by_seed.entry(at.1).or_default().push(value);
        }
    }
    let means: Vec<f64> = by_seed.values().filter_map(|values| mean(values)).collect();
    Estimate { mean: mean(&means), ci95: half_width_95(&means) }
}

/// Of a one-sided test; half of the 5 % that a 95 % interval leaves.
const LEVEL: f64 = 0.025;

/// The numbers of cells in which one is above and below the other by more than the margin.
fn told_apart(shared: &[(usize, u64)], own: &Values, other: &Values, margin: f64) -> (usize, usize) {
    let mut by_cell: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for at in shared {
        by_cell.entry(at.0).or_default().push(own[at] - other[at]);
    }
    let p_above: Vec<f64> = by_cell.values().map(|differences| p_value(differences, margin)).collect();
    let turned = |differences: &Vec<f64>| differences.iter().map(|d| -d).collect::<Vec<f64>>();
    let p_below: Vec<f64> =
        by_cell.values().map(|differences| p_value(&turned(differences), margin)).collect();
    (rejected(p_above, LEVEL), rejected(p_below, LEVEL))
}

/// Of the hypothesis that the mean is at most the margin, by a t-test; 1 below two samples.
fn p_value(samples: &[f64], margin: f64) -> f64 {
    let n = samples.len() as f64;
    let Some(mean) = mean(samples).filter(|_| samples.len() > 1) else { return 1.0 };
    let variance = samples.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    if variance == 0.0 {
        return if mean > margin { 0.0 } else { 1.0 };
    }
    let t = (mean - margin) / (variance / n).sqrt();
    1.0 - StudentsT::new(0.0, 1.0, n - 1.0).expect("at least one degree of freedom").cdf(t)
}

/// How many hypotheses Holm's procedure rejects: the k-th smallest of n values of p, counted from 0, has to be at most
/// level / (n - k), like all before it.
fn rejected(mut p: Vec<f64>, level: f64) -> usize {
    p.sort_by(f64::total_cmp);
    let n = p.len();
    p.iter().enumerate().take_while(|&(k, &p)| p <= level / (n - k) as f64).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holm_stops_at_the_first_that_is_too_large() {
        // Allowed: 0.01, 0.0125, 0.0167, 0.025, 0.05.
        assert_eq!(rejected(vec![0.04, 0.001, 0.012, 0.02, 0.5], 0.05), 2);
        assert_eq!(rejected(vec![0.011, 0.001], 0.05), 2);
        assert_eq!(rejected(vec![0.03, 0.03], 0.05), 0);
        assert_eq!(rejected(Vec::new(), 0.05), 0);
    }

    #[test]
    fn p_is_students() {
        // Mean 2, standard deviation 1: t = 2 sqrt(3) = 3.4641 with 2 degrees of freedom, p = (1 - t / sqrt(2 + t^2)) / 2.
        let t = 2.0 * 3f64.sqrt();
        let expected = (1.0 - t / (2.0 + t * t).sqrt()) / 2.0;
        assert!((p_value(&[1.0, 2.0, 3.0], 0.0) - expected).abs() < 1e-9);
        assert!((p_value(&[1.0, 2.0, 3.0], 2.0) - 0.5).abs() < 1e-9);
        assert_eq!(
            [p_value(&[0.1], 0.0), p_value(&[0.1, 0.1], 0.05), p_value(&[0.1, 0.1], 0.2)],
            [1.0, 0.0, 1.0]
        );
    }

    fn row(scheduler: &str, scenario: &str, cost: &str, seed: u64, rate: f64) -> Row {
        let mut keys = vec![String::new(); KEYS.len()];
        let cost_key = KEYS.iter().position(|key| *key == "decision_cost").unwrap();
        keys[1] = scenario.into();
        (keys[LOAD], keys[SCHEDULER], keys[SEED]) = ("0.9".into(), scheduler.into(), seed.to_string());
        keys[cost_key] = cost.into();
        Row { keys, seed, metrics: BTreeMap::from([("sla_rate".to_string(), rate)]) }
    }

    const PLAIN: Question =
        Question { metric: "sla_rate", over: None, by: None, with: &[], only: &[], margin: 0.0 };

    #[test]
    fn a_table_by_hand() {
        let mut all = Vec::new();
        for (seed, [a_light, a_mixed, b_light, b_mixed]) in
            [(1, [0.9, 0.7, 0.8, 0.4]), (2, [0.8, 0.8, 0.7, 0.5])]
        {
            all.push(row("a", "light", "host", seed, a_light));
            all.push(row("a", "mixed", "host", seed, a_mixed));
            all.push(row("b", "light", "host", seed, b_light));
            all.push(row("b", "mixed", "host", seed, b_mixed));
        }
        // Seed 3 was run by one of them, and the bound of seed 1 is known.
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
        // Light: 0.1 above with both seeds; mixed: 0.3 with both.
        assert_eq!((a.above, a.below, b.above, b.difference), (2, 0, 0, None));
        let wide = Question { margin: 0.15, ..question };
        assert_eq!(Sheet::new(&all, &wide).rank(&wide).unwrap().schedulers[0].above, 1);
        let best = Sheet::new(&all, &PLAIN).rank(&PLAIN).unwrap();
        assert_eq!((&best.over[..], best.schedulers[1].below), ("a", 2));
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
    }
}
