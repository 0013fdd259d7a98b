//! Rows of a file in order of time. The file may be larger than memory, because only a bounded part of it is sorted at
//! once.

use super::Raw;
use crate::files::InputError;

/// The number of rows in memory. Our choice, because they take 50 MB. A file of at most that many rows may have any
/// order; in a longer file a row may be at most half as many rows from its place.
pub(super) const HELD: usize = 1 << 20;

/// Sorts the rows of a reader.
pub(super) struct Sorter {
    capacity: usize,
    /// The rows in memory, sorted except for those read last.
    rows: Vec<Raw>,
    /// The next row to return, and the end of those that may be returned.
    next: usize,
    ready: usize,
    last_ps: i128,
}

/// A row that is earlier than one that was already returned.
pub(super) struct TooLate(pub(super) Raw);

impl Sorter {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, rows: Vec::new(), next: 0, ready: 0, last_ps: i128::MIN }
    }

    /// The next row in order of time, and in the order of the file at one instant; reads on if necessary.
    pub(super) fn next(
        &mut self,
        mut read: impl FnMut() -> Result<Option<Raw>, InputError>,
    ) -> Result<Option<Result<Raw, TooLate>>, InputError> {
        if self.next == self.ready {
            self.fill(&mut read)?;
        }
        let Some(&row) = self.rows[..self.ready].get(self.next) else { return Ok(None) };
        self.next += 1;
        let is_late = row.time_ps < self.last_ps;
        self.last_ps = row.time_ps;
        Ok(Some(if is_late { Err(TooLate(row)) } else { Ok(row) }))
    }

    fn fill(&mut self, read: &mut impl FnMut() -> Result<Option<Raw>, InputError>) -> Result<(), InputError> {
        self.rows.drain(..self.ready);
        self.next = 0;
        let mut ended = false;
        while self.rows.len() < self.capacity && !ended {
            match read()? {
                Some(row) => self.rows.push(row),
                None => ended = true,
            }
        }
        self.rows.sort_by_key(|row| row.time_ps);
        self.ready = if ended { self.rows.len() } else { self.capacity / 2 };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sorts times with four rows in memory; a time before one that was already returned is an error.
    fn sorted(times: &[i128]) -> Result<Vec<i128>, i128> {
        let row =
            |&time_ps| Raw { time_ps, within_ps: None, priority: None, tenant: None, network: None, line: 0 };
        let mut rows = times.iter().map(row);
        let (mut sorter, mut given) = (Sorter::new(4), Vec::new());
        while let Some(row) = sorter.next(|| Ok(rows.next())).expect("reading does not fail") {
            given.push(row.map_err(|late| late.0.time_ps)?.time_ps);
        }
        Ok(given)
    }

    #[test]
    fn short_files_may_have_any_order() {
        assert_eq!(sorted(&[4, 3, 2, 1]), Ok(vec![1, 2, 3, 4]));
        assert_eq!(sorted(&[]), Ok(vec![]));
    }

    #[test]
    fn in_long_files_a_row_may_stand_half_as_many_from_its_place() {
        assert_eq!(sorted(&[3, 1, 2, 6, 4, 5, 9, 7, 8, 10]), Ok((1..=10).collect()));
        assert_eq!(sorted(&[2, 3, 4, 5, 6, 7, 8, 1]), Err(1));
    }
}
