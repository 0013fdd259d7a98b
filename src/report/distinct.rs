//! The rows of a summary.csv, every run once: what was run twice, or under seeds that change nothing, or stands in the file
//! twice, says no more than the first row of it.

use std::collections::{BTreeMap, BTreeSet};

use super::results::{Row, Rows};
use crate::experiment::bound::BOUND;
use crate::experiment::columns::{SCHEDULER, SEED};
use crate::experiment::runs::Fingerprint;

/// Rows as they come.
#[derive(Default)]
pub(super) struct Distinct {
    rows: Vec<Row>,
    copies: usize,
    /// By all keys: line and content.
    by_keys: BTreeMap<Vec<String>, (usize, Fingerprint)>,
    /// Runs by all keys but the seed.
    runs: BTreeSet<(Vec<String>, Fingerprint)>,
    /// The cases of which some seeds gave one run.
    copied: BTreeSet<Vec<String>>,
}

impl Distinct {
    /// Takes a row, if it is of a new run; the error is the line of another result for the same keys.
    pub(super) fn add(&mut self, row: Row, line: usize) -> Result<(), usize> {
        let content = row.run.content();
        match self.by_keys.get(&row.keys) {
            Some((_, earlier)) if *earlier == content => self.copies += 1,
            Some(&(earlier, _)) => return Err(earlier),
            None => {
                self.by_keys.insert(row.keys.clone(), (line, content));
                let fingerprint = row.run.fingerprint().filter(|_| row.keys[SCHEDULER] != BOUND);
                match fingerprint.is_none_or(|of| self.runs.insert((without(&row.keys, &[SEED]), of))) {
                    true => self.rows.push(row),
                    false => {
                        self.copied.insert(case(&row));
                        self.copies += 1;
                    }
                }
            }
        }
        Ok(())
    }

    /// The rows that are left. A bound goes with the last run of its seed; of seeds that gave one run it is one, too.
    pub(super) fn rows(self) -> Rows {
        let Self { mut rows, copies, copied, .. } = self;
        let runs = rows.iter().filter(|row| row.keys[SCHEDULER] != BOUND);
        let run: BTreeSet<(Vec<String>, Option<u64>)> =
            runs.flat_map(|row| [(case(row), Some(row.seed)), (case(row), None)]).collect();
        let mut bounds = BTreeSet::new();
        let is_left = |row: &Row| {
            let of = case(row);
            row.keys[SCHEDULER] != BOUND
                || !run.contains(&(of.clone(), None))
                || run.contains(&(of.clone(), Some(row.seed)))
                    && (!copied.contains(&of) || bounds.insert((of, row.run.content())))
        };
        rows.retain(is_left);
        Rows { all: rows, copies }
    }
}

/// The keys that runs of other schedulers and seeds share.
fn case(row: &Row) -> Vec<String> {
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
    use crate::experiment::columns::KEYS;
    use crate::experiment::runs::Measured;

    fn row(scheduler: &str, seed: u64, latency_us: f64) -> Row {
        let mut keys = vec![String::new(); KEYS.len()];
        (keys[SCHEDULER], keys[SEED]) = (scheduler.into(), seed.to_string());
        let values = [("sla_rate".to_string(), 0.5), ("latency_p99_us".to_string(), latency_us)];
        Row { keys, seed, run: Measured { values: values.into(), ..Measured::default() } }
    }

    fn distinct(rows: Vec<Row>) -> Result<(Vec<(String, u64)>, usize), usize> {
        let mut distinct = Distinct::default();
        for (line, row) in (2..).zip(rows) {
            distinct.add(row, line)?;
        }
        let Rows { all, copies } = distinct.rows();
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
        // One that draws beside one that does not: requests are the same, and so is their bound.
        let rows =
            vec![row("a", 1, 9.5), row("a", 2, 9.5), row("b", 1, 8.5), row("b", 2, 7.5), bound(1), bound(2)];
        let left = [("a", 1), ("b", 1), ("b", 2), (BOUND, 1)].map(|(name, seed)| (name.to_string(), seed));
        assert_eq!(distinct(rows), Ok((left.to_vec(), 1)));
    }

    #[test]
    fn a_row_that_stands_twice_counts_once_and_one_that_contradicts_is_refused() {
        assert_eq!(distinct(vec![row("a", 1, 9.5), row("a", 1, 9.5)]), Ok((vec![("a".into(), 1)], 1)));
        assert_eq!(distinct(vec![row("a", 1, 9.5), row("b", 1, 9.5), row("a", 1, 9.75)]), Err(2));
    }
}
