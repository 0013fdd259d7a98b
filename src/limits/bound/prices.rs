//! Any prices give a bound: weak duality, in closed form.
//!
//! At a price per picosecond of every resource in every cell, let a request buy its work where and when that is cheapest
//! in its window. A solution of the program meets at most what all capacity costs, plus what is left of each request's
//! worth of 1 after that purchase, if anything is: the work of the fractions that it accepts costs no less, and all that
//! it buys no more than all capacity does.

use super::cells::Cells;
use super::kinds::{Choice, Kind};
use super::{Relaxation, Wish};

/// Prices of time.
#[derive(Debug)]
pub(super) struct Prices {
    pub(super) cells: Cells,
    /// The price in each cell of each resource, in requests per picosecond; not negative.
    per_ps: Vec<Vec<f64>>,
}

impl Prices {
    pub(super) fn zero(cells: Cells, resources: usize) -> Self {
        Self { per_ps: vec![vec![0.0; resources]; cells.len()], cells }
    }

    /// Takes over prices from a cell on. A value that is not a valid price becomes zero.
    pub(super) fn replace(&mut self, from: usize, found: &[Found]) {
        self.per_ps[from..].iter_mut().flatten().for_each(|price| *price = 0.0);
        for &Found { cell, resource, per_ps } in found.iter().filter(|found| found.cell >= from) {
            self.per_ps[cell][resource] = if per_ps.is_finite() { per_ps.max(0.0) } else { 0.0 };
        }
    }

    /// The bound at these prices: the most requests that any schedule can meet.
    pub(super) fn bound(&self, relaxation: &Relaxation) -> f64 {
        let paid = |(cell, prices): (usize, &Vec<f64>)| {
            let at_once: f64 = prices
                .iter()
                .enumerate()
                .map(|(resource, price)| price * relaxation.capacity(resource))
                .sum();
            at_once * self.cells.length_ps(cell)
        };
        let capacity: f64 = self.per_ps.iter().enumerate().map(paid).sum();
        let left = |wish: &Wish| (1.0 - self.cheapest(wish, &relaxation.kinds[wish.kind])).max(0.0);
        capacity + relaxation.wishes.iter().map(left).sum::<f64>()
    }

    /// The lowest cost of a request's work.
    fn cheapest(&self, wish: &Wish, kind: &Kind) -> f64 {
        let window = &self.per_ps[self.cells.touched(wish)];
        let mut lowest = window[0].clone();
        for prices in window {
            lowest.iter_mut().zip(prices).for_each(|(lowest, price)| *lowest = lowest.min(*price));
        }
        let (dram, models) = lowest.split_last().expect("DRAM is the last resource");
        let cost = |choice: &Choice| choice.busy_ps * models[choice.model] + choice.dram_ps * dram;
        let cheapest = |choices: &Vec<Choice>| choices.iter().map(cost).fold(f64::INFINITY, f64::min);
        kind.layers.iter().map(cheapest).sum()
    }
}

/// A price, as the solver gives it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) cell: usize,
    pub(super) resource: usize,
    pub(super) per_ps: f64,
}
