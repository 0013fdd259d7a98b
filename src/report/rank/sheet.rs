//! The values of all schedulers side by side, by cell and seed, and what is made of them.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::cells::of_cells;
use super::{Estimate, Question, Ranked, Ranking, place};
use crate::experiment::bound::BOUND;
use crate::experiment::columns::{LOAD, SCHEDULER, SEED};
use crate::experiment::summary::{half_width_95, mean};
use crate::report::results::{OwnPace, Row};
use crate::report::significance::{p_value, rejected};

/// A cell, by its number, and a seed.
pub(super) type At = (usize, u64);
pub(super) type Values = BTreeMap<At, f64>;

/// The values of all schedulers.
pub(super) struct Sheet {
    /// The keys of each cell.
    pub(super) cells: Vec<Vec<String>>,
    pub(super) schedulers: Vec<Column>,
    /// By the values of the keys that tell schedulers apart.
    pub(super) bounds: BTreeMap<Vec<String>, Values>,
}

/// One scheduler's.
pub(super) struct Column {
    pub(super) name: String,
    /// Its values of the keys that tell schedulers apart.
    pub(super) variant: Vec<String>,
    pub(super) values: Values,
}

impl Sheet {
    pub(super) fn new(rows: &[Row], question: &Question) -> Self {
        let paced = OwnPace::of(rows);
        let with: Vec<usize> = question.with.iter().map(|key| place(key)).collect();
        let variant_of =
            |row: &Row| -> Vec<String> { with.iter().map(|&key| row.keys[key].clone()).collect() };
        let mut variants: BTreeMap<&str, BTreeSet<Vec<String>>> = BTreeMap::new();
        for row in rows {
            variants.entry(&row.keys[SCHEDULER]).or_default().insert(variant_of(row));
        }
        let mut sheet = Self { cells: Vec::new(), schedulers: Vec::new(), bounds: BTreeMap::new() };
        let mut places: BTreeMap<Vec<String>, usize> = BTreeMap::new();
        for row in rows {
            let mut keys = row.keys.clone();
            let load = paced.has(&keys).then_some(LOAD);
            for place in with.iter().copied().chain([SCHEDULER, SEED]).chain(load) {
                keys[place].clear();
            }
            let cell = *places.entry(keys.clone()).or_insert_with(|| {
                sheet.cells.push(keys);
                sheet.cells.len() - 1
            });
            let (label, variant) = (&row.keys[SCHEDULER], variant_of(row));
            let values = match label == BOUND {
                true => sheet.bounds.entry(variant).or_default(),
                false => sheet.column(label, variant, variants[&label[..]].len() > 1),
            };
            values.insert((cell, row.seed), row.metrics[question.metric]);
        }
        sheet
    }

    /// The values of a scheduler, whose label may stand for several.
    fn column(&mut self, label: &str, variant: Vec<String>, has_variants: bool) -> &mut Values {
        let name = match has_variants {
            true => format!("{label} ({})", variant.join(", ")),
            false => label.to_string(),
        };
        let known = self.schedulers.iter().position(|column| column.name == name);
        let place = known.unwrap_or_else(|| {
            self.schedulers.push(Column { name, variant, values: Values::new() });
            self.schedulers.len() - 1
        });
        &mut self.schedulers[place].values
    }

    /// `None` if there is nothing that all schedulers ran.
    pub(super) fn rank(&self, question: &Question) -> Option<Ranking> {
        let all: BTreeSet<At> = self.schedulers.iter().flat_map(|of| of.values.keys().copied()).collect();
        let is_shared =
            |at: &At| self.schedulers.iter().all(|of| of.values.get(at).is_some_and(|v| v.is_finite()));
        let grid = complete(all.iter().copied().filter(is_shared).collect());
        if grid.is_empty() {
            return None;
        }
        let mean_of = |of: &Column| over_seeds(&grid, |at| Some(of.values[at])).mean;
        let mut ranked: Vec<&Column> = self.schedulers.iter().collect();
        ranked.sort_by(|a, b| mean_of(b).partial_cmp(&mean_of(a)).expect("finite numbers have means"));
        let reference = match question.over {
            Some(over) => ranked.iter().find(|of| of.name == over)?,
            None => ranked[0],
        };
        let groups = question.by.map_or(Vec::new(), |by| self.groups(by, &grid));
        Some(Ranking {
            metric: question.metric.to_string(),
            over: reference.name.clone(),
            schedulers: ranked
                .iter()
                .map(|of| self.ranked(of, reference, &grid, &groups, question))
                .collect(),
            of_cells: of_cells(self, &ranked, reference, &grid, question.margin),
            groups: groups.into_iter().map(|(value, _)| value).collect(),
            cells: grid.iter().map(|at| at.0).collect::<BTreeSet<_>>().len(),
            seeds: grid.iter().map(|at| at.1).collect::<BTreeSet<_>>().len(),
            left_out: all.len() - grid.len(),
        })
    }

    /// The values of a key, as they come, with what of the grid has them.
    fn groups(&self, by: &str, grid: &[At]) -> Vec<(String, Vec<At>)> {
        let mut groups: Vec<(String, Vec<At>)> = Vec::new();
        for &at in grid {
            let value = &self.cells[at.0][place(by)];
            match groups.iter_mut().find(|(known, _)| known == value) {
                Some((_, of)) => of.push(at),
                None => groups.push((value.clone(), vec![at])),
            }
        }
        groups
    }

    fn ranked(
        &self,
        own: &Column,
        reference: &Column,
        grid: &[At],
        groups: &[(String, Vec<At>)],
        question: &Question,
    ) -> Ranked {
        let (values, theirs) = (&own.values, &reference.values);
        let is_other = own.name != reference.name;
        let difference = is_other.then(|| over_seeds(grid, |at| Some(values[at] - theirs[at])));
        let apart = told_apart(grid, values, theirs, question.margin);
        let count = |order| apart.values().filter(|&&of| of == order).count();
        let percent = |(part, whole): (f64, f64)| (whole > 0.0).then(|| 100.0 * part / whole);
        let at_reference = over_seeds(grid, |at| Some(theirs[at])).mean;
        let bound = self.bounds.get(&own.variant).map(|bound| {
            (bound, complete(grid.iter().copied().filter(|at| bound.contains_key(at)).collect()))
        });
        let bound = bound.filter(|(_, grid)| !grid.is_empty());
        let closed = bound.as_ref().filter(|_| is_other).and_then(|(bound, grid)| {
            let gain = over_seeds(grid, |at| Some(values[at] - theirs[at])).mean;
            gain.zip(over_seeds(grid, |at| Some(bound[at] - theirs[at])).mean).and_then(percent)
        });
        Ranked {
            scheduler: own.name.clone(),
            of_groups: groups.iter().map(|(_, of)| over_seeds(of, |at| Some(values[at]))).collect(),
            all: over_seeds(grid, |at| Some(values[at])),
            difference,
            difference_percent: difference.and_then(|of| of.mean).zip(at_reference).and_then(percent),
            above: count(Ordering::Greater),
            below: count(Ordering::Less),
            to_bound: bound.map(|(bound, grid)| over_seeds(&grid, |at| Some(values[at] - bound[at]))),
            closed_percent: closed,
        }
    }
}

/// The larger of two complete grids of cells and seeds: the cells that have all seeds, or the seeds that all cells have.
fn complete(pairs: Vec<At>) -> Vec<At> {
    let (mut seeds_of, mut cells_of): (BTreeMap<usize, usize>, BTreeMap<u64, usize>) = Default::default();
    for &(cell, seed) in &pairs {
        *seeds_of.entry(cell).or_default() += 1;
        *cells_of.entry(seed).or_default() += 1;
    }
    let (cells, seeds) = (seeds_of.len(), cells_of.len());
    let with_all_seeds: Vec<At> = pairs.iter().copied().filter(|at| seeds_of[&at.0] == seeds).collect();
    let of_all_cells: Vec<At> = pairs.into_iter().filter(|at| cells_of[&at.1] == cells).collect();
    if with_all_seeds.len() > of_all_cells.len() { with_all_seeds } else { of_all_cells }
}

/// The mean over cells of each seed, and then over the seeds.
pub(super) fn over_seeds(grid: &[At], value: impl Fn(&At) -> Option<f64>) -> Estimate {
    let mut by_seed: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for at in grid {
        if let Some(value) = value(at) {
            by_seed.entry(at.1).or_default().push(value);
        }
    }
    let means: Vec<f64> = by_seed.values().filter_map(|values| mean(values)).collect();
    Estimate { mean: mean(&means), ci95: half_width_95(&means) }
}

/// Whether one is above or below the other by more than the margin, cell by cell.
pub(super) fn told_apart(
    grid: &[At],
    own: &Values,
    other: &Values,
    margin: f64,
) -> BTreeMap<usize, Ordering> {
    let mut by_cell: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for at in grid {
        by_cell.entry(at.0).or_default().push(own[at] - other[at]);
    }
    let turned = |differences: &Vec<f64>| differences.iter().map(|d| -d).collect::<Vec<f64>>();
    let p_above: Vec<f64> = by_cell.values().map(|differences| p_value(differences, margin)).collect();
    let p_below: Vec<f64> =
        by_cell.values().map(|differences| p_value(&turned(differences), margin)).collect();
    let tests = rejected(&p_above).into_iter().zip(rejected(&p_below));
    let orders = tests.map(|(is_above, is_below)| is_above.cmp(&is_below));
    by_cell.into_keys().zip(orders).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::apart;
    use super::*;
    use crate::experiment::columns::KEYS;

    pub(in crate::report::rank) fn row(
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
        Row { keys, seed, metrics: BTreeMap::from([("sla_rate".to_string(), rate)]) }
    }

    pub(in crate::report::rank) const PLAIN: Question =
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
        let beyond =
            |margin| told_apart(&grid, &own, &other, margin).into_values().collect::<Vec<Ordering>>();
        assert_eq!(beyond(0.0), [Ordering::Greater, Ordering::Less]);
        assert_eq!(beyond(0.1), [Ordering::Greater, Ordering::Equal]);
        assert_eq!(beyond(0.2), [Ordering::Equal; 2]);
    }

    #[test]
    fn a_grid_is_complete() {
        let square: Vec<At> = vec![(0, 1), (0, 2), (1, 1), (1, 2)];
        let with = |more: At| complete(square.iter().copied().chain([more]).collect());
        // A seed that one cell has, and a cell that lacks a seed: what keeps more is kept.
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
}
