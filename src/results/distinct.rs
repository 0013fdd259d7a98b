//! The rows of one or several summary.csv, with every run once: a row that the files hold twice counts once, and so do
//! runs that are copies of others ([`firsts`]). Rows of two files are matched before copies are removed from what remains.

use std::collections::{BTreeMap, BTreeSet};

use super::rows::{Row, Rows};
use crate::experiment::{BOUND, SCHEDULER, SEED};
use crate::sweep::firsts;

/// Where a row is: the place of its file among those that are read, and its line, counted from 1.
pub(super) type At = (usize, usize);

/// Collects rows in the order of the files.
#[derive(Default)]
pub(super) struct Distinct {
    rows: Vec<Row>,
    copies: usize,
    /// By its keys, where each row is and its index in `rows`.
    by_keys: BTreeMap<Vec<String>, (At, usize)>,
}

impl Distinct {
    /// Adds a row unless one with the same values was added; files may differ in their columns. The error is the place of
    /// a different result for the same keys.
    pub(crate) fn add(&mut self, row: Row, at: At) -> Result<(), At> {
        match self.by_keys.get(&row.keys) {
            Some(&(_, index)) if self.rows[index].run.agrees_with(&row.run) => self.copies += 1,
            Some(&(earlier, _)) => return Err(earlier),
            None => {
                self.by_keys.insert(row.keys.clone(), (at, self.rows.len()));
                self.rows.push(row);
            }
        }
        Ok(())
    }

    /// The collected rows; no two have the same keys.
    pub(crate) fn rows(self) -> Rows {
        Rows { all: self.rows, copies: self.copies }
    }
}

impl Rows {
    /// Removes rows that are copies of others.
    pub(super) fn without_copies(mut self) -> Self {
        let Told { is_told, copies } = told(&self.all, |_| false);
        let mut is_told = is_told.into_iter();
        self.all.retain(|_| is_told.next().expect("an answer for every row"));
        Self { copies: self.copies + copies, ..self }
    }
}

/// The information in a list of rows.
pub(super) struct Told {
    /// For each row, whether it is not a copy of another.
    pub(super) is_told: Vec<bool>,
    /// The number of runs that are copies.
    pub(crate) copies: usize,
}

/// Finds the rows that are copies of earlier or of known rows; a known row is not a copy. A bound is a copy if a run of
/// its seed is one.
pub(super) fn told(rows: &[Row], is_known: impl Fn(&Row) -> bool) -> Told {
    let firsts = first_places(rows);
    let mut seen: BTreeSet<usize> =
        rows.iter().zip(&firsts).filter(|(row, _)| is_known(row)).map(|(_, first)| *first).collect();
    let mut copied = BTreeSet::new();
    let mut is_told: Vec<bool> = Vec::with_capacity(rows.len());
    for (row, first) in rows.iter().zip(firsts) {
        is_told.push(seen.insert(first) || is_known(row));
        if is_told.last() == Some(&false) {
            copied.insert((case(row), row.seed));
        }
    }
    let copies = is_told.iter().filter(|is_told| !**is_told).count();
    for (row, is_told) in rows.iter().zip(&mut is_told).filter(|(row, _)| row.keys[SCHEDULER] == BOUND) {
        *is_told = is_known(row) || !copied.contains(&(case(row), row.seed));
    }
    Told { is_told, copies }
}

/// For each row, the index of the first row that it is a copy of, or its own index.
fn first_places(rows: &[Row]) -> Vec<usize> {
    let mut places: BTreeMap<Vec<String>, Vec<usize>> = BTreeMap::new();
    for (place, row) in rows.iter().enumerate() {
        places.entry(without(&row.keys, &[SEED])).or_default().push(place);
    }
    let mut first_of: Vec<usize> = (0..rows.len()).collect();
    for of in places.values().filter(|of| rows[of[0]].keys[SCHEDULER] != BOUND) {
        let outcomes: Vec<_> = of.iter().map(|&place| rows[place].run.fingerprint()).collect();
        of.iter().zip(firsts(&outcomes)).for_each(|(&place, first)| first_of[place] = of[first]);
    }
    first_of
}

/// The keys without scheduler and seed.
pub(super) fn case(row: &Row) -> Vec<String> {
    without(&row.keys, &[SCHEDULER, SEED])
}

fn without(keys: &[String], places: &[usize]) -> Vec<String> {
    let mut keys = keys.to_vec();
    places.iter().for_each(|&place| keys[place].clear());
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::KEYS;
    use crate::sweep::Measured;

    fn row(scheduler: &str, seed: u64, latency_us: f64) -> Row {
        let mut keys = vec![String::new(); KEYS.len()];
        (keys[SCHEDULER], keys[SEED]) = (scheduler.into(), seed.to_string());
        let values = [("sla_rate".to_string(), 0.5), ("latency_p99_us".to_string(), latency_us)];
        Row {
            keys,
            seed,
            run: Measured { values: values.into(), ..Measured::default() },
            is_for_every_seed: false,
        }
    }

    fn distinct(rows: Vec<Row>) -> Result<(Vec<(String, u64)>, usize), At> {
        let mut distinct = Distinct::default();
        for (line, row) in (2..).zip(rows) {
            distinct.add(row, (0, line))?;
        }
        let Rows { all, copies } = distinct.rows().without_copies();
        Ok((all.into_iter().map(|row| (row.keys[SCHEDULER].clone(), row.seed)).collect(), copies))
    }

    #[test]
    fn seeds_that_change_nothing_are_one_run_and_its_bound_is_one() {
        let bound = |seed| row(BOUND, seed, f64::NAN);
        let rows = vec![row("a", 1, 9.5), row("a", 2, 9.5), row("a", 3, 9.5), bound(1), bound(2), bound(3)];
        assert_eq!(distinct(rows), Ok((vec![("a".into(), 1), (BOUND.into(), 1)], 2)));
        let rows = vec![row("a", 1, 9.5), row("a", 2, 8.5), row("b", 1, 9.5), bound(1), bound(2)];
        let (left, copies) = distinct(rows).expect("nothing contradicts anything");
        assert_eq!((left.len(), copies), (5, 0));
        // A scheduler that draws beside one that does not: the requests are the same, and so is their bound.
        let rows =
            vec![row("a", 1, 9.5), row("a", 2, 9.5), row("b", 1, 8.5), row("b", 2, 7.5), bound(1), bound(2)];
        let left = [("a", 1), ("b", 1), ("b", 2), (BOUND, 1)].map(|(name, seed)| (name.to_string(), seed));
        assert_eq!(distinct(rows), Ok((left.to_vec(), 1)));
    }

    #[test]
    fn a_row_that_stands_twice_counts_once_and_one_that_contradicts_is_refused() {
        assert_eq!(distinct(vec![row("a", 1, 9.5), row("a", 1, 9.5)]), Ok((vec![("a".into(), 1)], 1)));
        assert_eq!(distinct(vec![row("a", 1, 9.5), row("b", 1, 9.5), row("a", 1, 9.75)]), Err((0, 2)));
    }

    #[test]
    fn seeds_that_agree_by_chance_are_runs_of_their_own() {
        let bound = |seed| row(BOUND, seed, f64::NAN);
        let rows = vec![row("a", 1, 9.5), row("a", 2, 9.5), row("a", 3, 8.5), bound(1), bound(2), bound(3)];
        let (left, copies) = distinct(rows).expect("nothing contradicts anything");
        assert_eq!((left.len(), copies), (6, 0));
        // The same rows under other seeds.
        let again = [(1, 9.5), (2, 8.5), (11, 9.5), (12, 8.5)].map(|(seed, us)| row("a", seed, us));
        let rows = again.into_iter().chain([1, 2, 11, 12].map(bound)).collect();
        let left = [("a", 1), ("a", 2), (BOUND, 1), (BOUND, 2)].map(|(name, seed)| (name.to_string(), seed));
        assert_eq!(distinct(rows), Ok((left.to_vec(), 2)));
    }

    #[test]
    fn copies_of_what_is_known_say_nothing() {
        let rows = [row("a", 1, 9.5), row("a", 2, 9.5), row("a", 3, 9.5)];
        let of = |known: u64| told(&rows, |row| row.seed == known).is_told;
        assert_eq!([of(1), of(3), of(7)], [[true, false, false], [false, false, true], [true, false, false]]);
    }
}
