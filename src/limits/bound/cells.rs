//! The intervals between consecutive arrivals and deadlines, in each of which prices are constant.
//!
//! Where a request spans more intervals than the program needs to see when time is scarce, neighbours are merged. A
//! request may then use the whole of a cell that its window touches, so the program allows more, and its bound still
//! holds.

use std::ops::Range;

use super::Wish;
use crate::units::Time;

/// The cells in order of time.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    /// The borders of the cells, ascending: one more than there are cells; empty without requests.
    borders: Vec<Time>,
}

/// The largest mean number of cells in a request's window. Our choice, because with deadlines of 7 isolated latencies
/// the shipped scenarios have 52 at load 1.2, and the time to solve the program grows with it.
const MOST_PER_WISH: usize = 64;

impl Cells {
    pub(super) fn of(wishes: &[Wish]) -> Self {
        let mut borders: Vec<Time> = wishes.iter().flat_map(|wish| [wish.arrival, wish.deadline]).collect();
        borders.sort_unstable();
        borders.dedup();
        let mut cells = Self { borders };
        while wishes.iter().map(|wish| cells.touched(wish).len()).sum::<usize>()
            > MOST_PER_WISH * wishes.len()
        {
            cells.merge_pairs();
        }
        cells
    }

    fn merge_pairs(&mut self) {
        let last = self.borders.len() - 1;
        let mut place = 0;
        self.borders.retain(|_| {
            place += 1;
            (place - 1) % 2 == 0 || place - 1 == last
        });
    }

    pub(super) fn len(&self) -> usize {
        self.borders.len().saturating_sub(1)
    }

    /// The cell in which an instant lies, or which it begins.
    pub(super) fn at(&self, time: Time) -> usize {
        self.borders.partition_point(|&border| border <= time) - 1
    }

    /// The cells that share time with the window of a request.
    pub(super) fn touched(&self, wish: &Wish) -> Range<usize> {
        self.at(wish.arrival)..self.borders.partition_point(|&border| border < wish.deadline)
    }

    pub(super) fn length_ps(&self, cell: usize) -> f64 {
        (self.borders[cell + 1] - self.borders[cell]).as_ps()
    }
}
