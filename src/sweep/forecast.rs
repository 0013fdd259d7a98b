//! Estimates how long the cells that are not kept will take.
//!
//! The estimate uses the wall time of kept cells under the same scheduler, else of all kept cells. Without any, it uses
//! one short run per scheduler and scales its time by the number of requests. Both are rough: time per request grows
//! with the queue, and so with load.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::cell::{Cell, Logs};
use super::resume::{Clock, Sweep};
use super::run::run_cell;
use crate::plan::{Case, requests, window};

/// The measured requests of a short run. Our choice, because they take milliseconds under most schedulers.
const SAMPLE: usize = 100;

/// An estimate of the run time.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// Wall time in seconds on the given number of threads.
    pub wall_s: f64,
    /// The source of the estimate, for the user.
    pub source: String,
}

/// A number of cells, and their total time.
#[derive(Clone, Copy, Default)]
struct Taken {
    cells: usize,
    wall_s: f64,
}

impl Taken {
    fn mean_s(self) -> Option<f64> {
        (self.cells > 0).then(|| self.wall_s / self.cells as f64)
    }
}

/// Estimates the time of the cells whose entry in `kept` is empty; `None` if there is nothing to estimate from.
pub fn forecast(sweep: &Sweep, kept: &[Option<f64>], threads: usize, clock: Clock) -> Option<Forecast> {
    let label = |place: usize| sweep.cells[place].scheduler.label.as_str();
    let missing: Vec<usize> = (0..kept.len()).filter(|&place| kept[place].is_none()).collect();
    let mut of_label: BTreeMap<&str, Taken> = BTreeMap::new();
    let mut source = "kept cells".to_string();
    let told = (0..kept.len()).filter_map(|place| Some((label(place), kept[place]?)));
    told.for_each(|(label, wall_s)| add(&mut of_label, label, wall_s));
    if of_label.is_empty() {
        let samples = samples(sweep, &missing, clock);
        source = format!("short runs, one for each of {} schedulers", samples.len());
        samples.into_iter().for_each(|(label, wall_s)| add(&mut of_label, label, wall_s));
    }
    let all = of_label.values().fold(Taken::default(), |all, of| Taken {
        cells: all.cells + of.cells,
        wall_s: all.wall_s + of.wall_s,
    });
    let mean_s = all.mean_s()?;
    let one = |&place: &usize| of_label.get(label(place)).copied().and_then(Taken::mean_s).unwrap_or(mean_s);
    let (sum_s, longest_s) = missing
        .iter()
        .map(one)
        .fold((0.0, 0.0_f64), |(sum, longest), wall_s| (sum + wall_s, longest.max(wall_s)));
    Some(Forecast { wall_s: longest_s.max(sum_s / threads as f64), source })
}

fn add<'a>(of_label: &mut BTreeMap<&'a str, Taken>, label: &'a str, wall_s: f64) {
    let taken = of_label.entry(label).or_default();
    taken.cells += 1;
    taken.wall_s += wall_s;
}

/// For each scheduler, the estimated time of a cell from the middle of its list.
fn samples<'a>(sweep: &'a Sweep, missing: &[usize], clock: Clock) -> Vec<(&'a str, f64)> {
    let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for &place in missing {
        places.entry(sweep.cells[place].scheduler.label.as_str()).or_default().push(place);
    }
    let middle: Vec<(&str, usize)> =
        places.into_iter().map(|(label, of)| (label, of[of.len() / 2])).collect();
    let one = |&(label, place): &(&'a str, usize)| Some((label, sample(sweep, &sweep.cells[place], clock)?));
    middle.par_iter().filter_map(one).collect()
}

/// The time of a short run, scaled to the whole run; `None` if it fails.
fn sample(sweep: &Sweep, cell: &Cell, clock: Clock) -> Option<f64> {
    let case = Case { window: window(cell.case, SAMPLE), ..cell.case.clone() };
    let number = |case: &Case| requests(case, &case.window, cell.seed).requests.len() as f64;
    let scale = number(cell.case) / number(&case);
    let start_s = clock();
    run_cell(sweep.experiment(), &Cell { case: &case, bound: None, ..*cell }, Logs::default()).ok()?;
    Some((clock() - start_s) * scale)
}
