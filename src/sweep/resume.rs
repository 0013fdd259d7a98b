//! A sweep that can be stopped at any time: every cell is [kept](super::store) as soon as it is done, and the result
//! files are assembled when all are done.
//!
//! Kept cells are not run again. A failing cell does not affect the others; the sweep then has no result files, and
//! running it again tries only the failed cells. At most one cell per thread is in memory.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::cell::{Cell, Failure, Logs};
use super::columns::Extent;
use super::identity::{Identity, short};
use super::manifest;
use super::output::Output;
use super::rows::Rows;
use super::run::run_cell;
use super::store::{Kept, Store};
use crate::experiment::{Error, Experiment, Progress};
use crate::files::quoted_path;
use crate::plan::Plan;

/// A clock that returns the seconds since some moment. The library has no clock of its own.
pub type Clock<'a> = &'a (dyn Fn() -> f64 + Sync);

/// Cells of a plan with their identifiers.
pub struct Sweep<'a> {
    plan: &'a Plan,
    /// The cells, in the order of the result files.
    pub cells: Vec<Cell<'a>>,
    /// The identifiers under which they are kept.
    pub ids: Vec<String>,
    logs: Logs,
}

impl<'a> Sweep<'a> {
    /// A sweep over some cells of a plan.
    pub fn new(plan: &'a Plan, cells: Vec<Cell<'a>>, identity: &Identity) -> Self {
        let ids = cells.par_iter().map(|cell| identity.of(cell)).collect();
        Self { plan, cells, ids, logs: identity.logs }
    }

    /// The experiment that the cells belong to.
    pub(crate) fn experiment(&self) -> &Experiment {
        &self.plan.experiment
    }

    /// The wall time of each cell that is kept.
    pub fn kept(&self, store: &Store) -> Vec<Option<f64>> {
        self.ids.par_iter().map(|id| store.load(id).map(|kept| kept.wall_s)).collect()
    }

    /// Runs the cells with these indices on the current rayon pool, keeps them, and returns the failures in their
    /// order.
    ///
    /// # Errors
    /// A cell cannot be written.
    pub fn run(
        &self,
        places: &[usize],
        store: &Store,
        progress: &dyn Progress,
        clock: Clock,
    ) -> Result<Vec<Failure>, Error> {
        progress.begin("running cells", places.len());
        let done = AtomicUsize::new(0);
        let one = |&place: &usize| {
            let failure = self.run_and_keep(place, store, clock)?;
            progress.advance(done.fetch_add(1, Ordering::Relaxed) + 1);
            Ok(failure)
        };
        let failures: Vec<Option<Failure>> = places.par_iter().map(one).collect::<Result<_, Error>>()?;
        Ok(failures.into_iter().flatten().collect())
    }

    /// Runs a cell and keeps it; a failure is not kept.
    pub(super) fn run_and_keep(
        &self,
        place: usize,
        store: &Store,
        clock: Clock,
    ) -> Result<Option<Failure>, Error> {
        match self.run_one(place, clock) {
            Ok(kept) => store.keep(&self.ids[place], &kept).map(|()| None),
            Err(error) => Ok(Some(Failure { id: self.ids[place].clone(), error })),
        }
    }

    fn run_one(&self, place: usize, clock: Clock) -> Result<Kept, Error> {
        let start_s = clock();
        let cell = &self.cells[place];
        let outcome = run_cell(&self.plan.experiment, cell, self.logs)?;
        Ok(Kept {
            wall_s: clock() - start_s,
            rows: Rows::new(cell, &outcome, Extent::of(&self.plan.experiment)),
        })
    }

    /// Assembles the kept cells in order, and passes each to `take`. A cell that has disappeared meanwhile is run
    /// again. Returns the total wall time.
    pub fn collect(
        &self,
        store: &Store,
        output: &mut Output,
        clock: Clock,
        mut take: impl FnMut(&Cell, &Rows),
    ) -> Result<f64, Error> {
        let mut wall_s = 0.0;
        for (place, (cell, id)) in self.cells.iter().zip(&self.ids).enumerate() {
            let kept = store.load(id).map_or_else(|| self.run_one(place, clock), Ok)?;
            output.add(&kept.rows)?;
            take(cell, &kept.rows);
            wall_s += kept.wall_s;
        }
        Ok(wall_s)
    }

    /// The index of the only cell whose identifier begins with `prefix`.
    ///
    /// # Errors
    /// No cell, or several cells, begin with it.
    pub fn find(&self, prefix: &str) -> Result<usize, Error> {
        let prefix = prefix.to_lowercase();
        let matching: Vec<usize> =
            (0..self.ids.len()).filter(|&i| self.ids[i].starts_with(&prefix)).collect();
        match matching[..] {
            [place] => Ok(place),
            [] => Err(Error::Usage(format!("no cell `{prefix}` among {}", self.ids.len()))),
            [one, other, ..] => Err(Error::Usage(format!(
                "{} cells begin with `{prefix}`, among them {} and {}: give more digits",
                matching.len(),
                short(&self.ids[one]),
                short(&self.ids[other])
            ))),
        }
    }
}

/// The most failures that an error shows. Our choice, because failures tend to be alike.
const MOST_SHOWN: usize = 10;

/// One error for all failures of a sweep; `kept` is the folder of the other cells, if they are kept.
pub fn failed(mut failures: Vec<Failure>, cells: usize, kept: Option<&Store>) -> Error {
    if cells == 1 && failures.len() == 1 {
        return failures.remove(0).error;
    }
    let invariant = failures.iter().any(|failure| matches!(failure.error, Error::Invariant { .. }));
    let mut lines: Vec<String> = failures
        .iter()
        .take(MOST_SHOWN)
        .map(|failure| format!("cell {}: {}", short(&failure.id), failure.error))
        .collect();
    if failures.len() > MOST_SHOWN {
        lines.push(format!("... and {} more", failures.len() - MOST_SHOWN));
    }
    lines.push(format!("{} of {cells} cells failed, so no CSV files are written", failures.len()));
    if let Some(store) = kept {
        lines.push(format!(
            "the others are kept: the same command tries only the failed ones again; `mascot replay {} --cell ID` \
             runs one alone",
            quoted_path(&store.folder().join(manifest::FILE))
        ));
    }
    Error::Cells { message: lines.join("\n"), invariant }
}
