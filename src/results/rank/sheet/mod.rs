//! The values of all schedulers side by side, by cell and seed, and the ranking computed from them.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::super::choice::place;
use super::cells::of_cells;
use super::{Question, Ranked, Ranking};
use crate::experiment::{BOUND, LOAD, SCHEDULER, SEED};
use crate::metrics::Given;
use crate::results::compare::direction;
use crate::results::folder::OwnPace;
use crate::results::rows::Row;
use crate::sweep::{Estimate, Measured, RATE, Range, Replicates, column, mean, p_value, range, rejected};

/// The index of a cell, and a seed or the number of a part of the only run there.
pub(super) type At = (usize, u64);
pub(super) type Values = BTreeMap<At, f64>;

/// The values of all schedulers in a summary.
pub(super) struct Sheet {
    /// The keys of each cell.
    pub(super) cells: Vec<Vec<String>>,
    pub(super) schedulers: Vec<Column>,
    /// The bounds, by the values of the keys that tell schedulers apart.
    pub(super) bounds: BTreeMap<Vec<String>, Values>,
}

/// The values of one scheduler.
#[derive(Default)]
pub(super) struct Column {
    pub(super) name: String,
    /// The values of the keys that tell schedulers apart.
    pub(super) variant: Vec<String>,
    pub(super) values: Values,
    /// SLA rates in equal parts of each run; filled only if SLA rates are ranked.
    parts: BTreeMap<At, Vec<f64>>,
    /// The values of the column shown beside the metric.
    beside: Values,
    /// The cells in which one run stands for every seed.
    fixed: BTreeSet<usize>,
}

impl Column {
    /// Whether no seed changes any run of a grid.
    fn is_fixed(&self, grid: &[At]) -> bool {
        grid.iter().all(|at| self.fixed.contains(&at.0))
    }

    /// Replaces each run of a grid by its parts; `None` if some run has a different number of parts, or none.
    fn in_parts(&self, grid: &[At], parts: usize) -> Option<Values> {
        let mut values = Values::new();
        for at in grid {
            let rates = self.parts.get(at).filter(|rates| rates.len() == parts && parts > 1)?;
            values.extend((0..).zip(rates).map(|(part, &rate)| ((at.0, part), rate)));
        }
        Some(values)
    }
}

/// The paired values of two columns on a grid, with every run once: if no seed changes the runs of either column, a
/// single seed is used, and parts of its runs take the place of seeds.
pub(super) fn pairs(own: &Column, other: &Column, grid: &[At]) -> Vec<(At, [f64; 2])> {
    let beside = |own: &Values, other: &Values, grid: &[At]| {
        grid.iter().map(|at| (*at, [own[at], other[at]])).collect::<Vec<_>>()
    };
    let Some(first) = grid.first().filter(|_| own.is_fixed(grid) && other.is_fixed(grid)) else {
        return beside(&own.values, &other.values, grid);
    };
    let once: Vec<At> = grid.iter().copied().filter(|at| at.1 == first.1).collect();
    let parts = own.parts.get(first).map_or(0, Vec::len);
    match own.in_parts(&once, parts).zip(other.in_parts(&once, parts)) {
        Some((own, other)) => beside(&own, &other, &own.keys().copied().collect::<Vec<_>>()),
        None => beside(&own.values, &other.values, &once),
    }
}

/// The mean of a column over a grid.
pub(super) fn own_estimate(own: &Column, grid: &[At], range: Range) -> Estimate {
    of_pairs(&pairs(own, own, grid), range, |[own, _]| own)
}

/// The mean difference of two columns.
pub(super) fn difference(own: &Column, other: &Column, grid: &[At], range: Range) -> Estimate {
    of_pairs(&pairs(own, other, grid), range.of_differences(), |[own, other]| own - other)
}

fn of_pairs(pairs: &[(At, [f64; 2])], range: Range, value: impl Fn([f64; 2]) -> f64) -> Estimate {
    let values: Values = pairs.iter().map(|&(at, pair)| (at, value(pair))).collect();
    over_seeds(&values.keys().copied().collect::<Vec<_>>(), range, |at| Some(values[at]))
}

/// The column shown beside a metric over some of the requests, and a function for its value.
type Beside = (&'static str, fn(&Measured) -> f64);

fn beside(metric: &str) -> Option<Beside> {
    match column(metric)?.given {
        Given::Finished => Some(("finished", |run| run.value("finished") / run.value("requests"))),
        Given::Measured => Some((PER_MET, |run| run.value(PER_MET))),
        Given::All | Given::Met => None,
    }
}

const PER_MET: &str = "energy_per_met_request_uj";

impl Sheet {
    pub(super) fn new(rows: &[Row], question: &Question) -> Self {
        let with: Vec<usize> = question.with.iter().map(|key| place(key)).collect();
        let variant_of =
            |row: &Row| -> Vec<String> { with.iter().map(|&key| row.keys[key].clone()).collect() };
        let mut variants: BTreeMap<&str, BTreeSet<Vec<String>>> = BTreeMap::new();
        for row in rows {
            variants.entry(&row.keys[SCHEDULER]).or_default().insert(variant_of(row));
        }
        let (cells, cell_of) = cells(rows, &with);
        let mut sheet = Self { cells, schedulers: Vec::new(), bounds: BTreeMap::new() };
        let mut seeds: BTreeMap<usize, BTreeSet<u64>> = BTreeMap::new();
        for (row, &cell) in rows.iter().zip(&cell_of).filter(|(row, _)| !row.is_for_every_seed) {
            seeds.entry(cell).or_default().insert(row.seed);
        }
        for (row, cell) in rows.iter().zip(cell_of) {
            let of_every = seeds.get(&cell).filter(|_| row.is_for_every_seed);
            let ats: Vec<At> = match of_every {
                Some(seeds) => seeds.iter().map(|&seed| (cell, seed)).collect(),
                None => vec![(cell, row.seed)],
            };
            let (label, variant) = (&row.keys[SCHEDULER], variant_of(row));
            let value = row.run.value(question.metric);
            if label == BOUND {
                sheet.bounds.entry(variant).or_default().extend(ats.iter().map(|&at| (at, value)));
                continue;
            }
            let column = sheet.column(label, variant, variants[&label[..]].len() > 1);
            column.fixed.extend(of_every.map(|_| cell));
            for at in ats {
                column.values.insert(at, value);
                if question.metric == RATE {
                    column.parts.insert(at, row.run.batch_rates());
                }
                column.beside.extend(beside(question.metric).map(|(_, of)| (at, of(&row.run))));
            }
        }
        sheet
    }

    /// The column of a scheduler; a label may stand for several schedulers.
    fn column(&mut self, label: &str, variant: Vec<String>, has_variants: bool) -> &mut Column {
        let name = match has_variants {
            true => format!("{label} ({})", variant.join(", ")),
            false => label.to_string(),
        };
        let known = self.schedulers.iter().position(|column| column.name == name);
        let place = known.unwrap_or_else(|| {
            self.schedulers.push(Column { name, variant, ..Column::default() });
            self.schedulers.len() - 1
        });
        &mut self.schedulers[place]
    }

    /// The sheet with parts of runs in place of the only seed of a grid; `None` if some run has a different number of
    /// parts, or none.
    fn of_parts(&self, grid: &[At]) -> Option<Self> {
        let all = || self.schedulers.iter().flat_map(|of| grid.iter().map(|at| of.parts.get(at)));
        let parts = all().next()??.len();
        if parts < 2 || !all().all(|of| of.is_some_and(|of| of.len() == parts)) {
            return None;
        }
        let numbered = |&(cell, _): &At| (0..parts).map(move |part| (cell, part as u64));
        let split = |of: &Column| {
            let of_run = |at: &At| numbered(at).zip(of.parts[at].iter().copied());
            let (name, variant) = (of.name.clone(), of.variant.clone());
            let values = grid.iter().flat_map(of_run).collect();
            Column { name, variant, values, ..Column::default() }
        };
        // A bound holds for the whole run and stands for each of its parts.
        let spread = |bounds: &Values| {
            let known = bounds.iter().filter(|(at, _)| grid.contains(at));
            known.flat_map(|(at, &bound)| numbered(at).map(move |at| (at, bound))).collect()
        };
        let bounds = self.bounds.iter().map(|(variant, bounds)| (variant.clone(), spread(bounds)));
        Some(Self {
            cells: self.cells.clone(),
            schedulers: self.schedulers.iter().map(split).collect(),
            bounds: bounds.collect(),
        })
    }

    /// Answers the question; `None` if there is no cell that all schedulers ran.
    pub(super) fn rank(&self, question: &Question) -> Option<Ranking> {
        let all: BTreeSet<At> = self.schedulers.iter().flat_map(|of| of.values.keys().copied()).collect();
        let is_shared =
            |at: &At| self.schedulers.iter().all(|of| of.values.get(at).is_some_and(|v| v.is_finite()));
        let grid = complete(all.iter().copied().filter(is_shared).collect());
        let seeds = grid.iter().map(|at| at.1).collect::<BTreeSet<_>>().len();
        let left_out = all.len() - grid.len();
        let (replicates, parts) = match seeds {
            0 => return None,
            1 => match self.of_parts(&grid) {
                Some(parts) => (Replicates::Batches, Some(parts)),
                None => (Replicates::One, None),
            },
            _ if self.schedulers.iter().any(|of| of.is_fixed(&grid)) => (Replicates::Draws, None),
            _ => (Replicates::Seeds, None),
        };
        let sheet = parts.as_ref().unwrap_or(self);
        let grid = match &parts {
            Some(parts) => parts.schedulers[0].values.keys().copied().collect(),
            None => grid,
        };
        sheet.ranking(&grid, question).map(|ranking| Ranking { seeds, left_out, replicates, ..ranking })
    }

    /// The ranking on a grid that all schedulers ran; `None` if the reference is not among them.
    fn ranking(&self, grid: &[At], question: &Question) -> Option<Ranking> {
        let better = direction(question.metric);
        let place =
            |of: &Column| over_seeds(grid, Range::ANY, |at| Some(-better.sign() * of.values[at])).mean;
        let mut ranked: Vec<&Column> = self.schedulers.iter().collect();
        ranked.sort_by(|a, b| place(a).partial_cmp(&place(b)).expect("finite numbers have means"));
        let reference = match question.over {
            Some(over) => ranked.iter().find(|of| of.name == over)?,
            None => ranked[0],
        };
        let groups = question.by.map_or(Vec::new(), |by| self.groups(by, grid));
        Some(Ranking {
            metric: question.metric.to_string(),
            better,
            over: reference.name.clone(),
            schedulers: ranked.iter().map(|of| self.ranked(of, reference, grid, &groups, question)).collect(),
            of_cells: of_cells(self, &ranked, reference, grid, question),
            groups: groups.into_iter().map(|(value, _)| value).collect(),
            cells: grid.iter().map(|at| at.0).collect::<BTreeSet<_>>().len(),
            seeds: 0,
            replicates: Replicates::Seeds,
            copies: 0,
            beside: beside(question.metric).map(|(name, _)| name),
            left_out: 0,
        })
    }

    /// The values of a key in order of appearance, each with the part of the grid that has it.
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
        let (values, theirs, range) = (&own.values, &reference.values, range(question.metric));
        let is_other = own.name != reference.name;
        let less = |at: &At| Some(values[at] - theirs[at]);
        let difference = is_other.then(|| difference(own, reference, grid, range));
        let apart = told_apart(grid, own, reference, question);
        let count = |order| apart.values().filter(|&&of| of == order).count();
        let percent = |(part, whole): (f64, f64)| (whole > 0.0).then(|| 100.0 * part / whole);
        let at_reference = over_seeds(grid, range, |at| Some(theirs[at])).mean;
        let bound = self.bounds.get(&own.variant).map(|bound| {
            let has_bound = |at: &At| bound.get(at).is_some_and(|bound| bound.is_finite());
            (bound, complete(grid.iter().copied().filter(has_bound).collect()))
        });
        let bound = bound.filter(|(_, grid)| !grid.is_empty());
        let closed = bound.as_ref().filter(|_| is_other).and_then(|(bound, grid)| {
            let gain = over_seeds(grid, Range::ANY, less).mean;
            gain.zip(over_seeds(grid, Range::ANY, |at| Some(bound[at] - theirs[at])).mean).and_then(percent)
        });
        let below = if question.metric == RATE { Range::BELOW_BOUND } else { Range::ANY };
        Ranked {
            scheduler: own.name.clone(),
            of_groups: groups.iter().map(|(_, of)| own_estimate(own, of, range)).collect(),
            all: own_estimate(own, grid, range),
            difference,
            difference_percent: difference.and_then(|of| of.mean).zip(at_reference).and_then(percent),
            beside: over_seeds(grid, Range::ANY, |at| own.beside.get(at).copied()).mean,
            above: count(Ordering::Greater),
            below: count(Ordering::Less),
            to_bound: bound.map(|(bound, grid)| over_seeds(&grid, below, |at| Some(values[at] - bound[at]))),
            closed_percent: closed,
        }
    }
}

/// The keys of each cell, and the index of the cell of each row.
fn cells(rows: &[Row], with: &[usize]) -> (Vec<Vec<String>>, Vec<usize>) {
    let paced = OwnPace::of(rows);
    let (mut cells, mut places) = (Vec::new(), BTreeMap::new());
    let number = |row: &Row| {
        let mut keys = row.keys.clone();
        let load = paced.has(&keys).then_some(LOAD);
        for place in with.iter().copied().chain([SCHEDULER, SEED]).chain(load) {
            keys[place].clear();
        }
        *places.entry(keys.clone()).or_insert_with(|| {
            cells.push(keys);
            cells.len() - 1
        })
    };
    let numbers = rows.iter().map(number).collect();
    (cells, numbers)
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
pub(super) fn over_seeds(grid: &[At], range: Range, value: impl Fn(&At) -> Option<f64>) -> Estimate {
    let mut by_seed: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for at in grid {
        if let Some(value) = value(at) {
            by_seed.entry(at.1).or_default().push(value);
        }
    }
    let means: Vec<f64> = by_seed.values().filter_map(|values| mean(values)).collect();
    Estimate::of(&means, range)
}

/// Whether one column beats the other by more than the margin, cell by cell: `Greater` if it does, `Less` if it is
/// beaten.
pub(super) fn told_apart(
    grid: &[At],
    own: &Column,
    other: &Column,
    &Question { metric, margin, .. }: &Question,
) -> BTreeMap<usize, Ordering> {
    let sign = direction(metric).sign();
    let mut by_cell: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for of_cell in grid.chunk_by(|one, next| one.0 == next.0) {
        let differences =
            pairs(own, other, of_cell).into_iter().map(|(_, [own, other])| sign * (own - other));
        by_cell.entry(of_cell[0].0).or_default().extend(differences);
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
pub(super) mod tests;
