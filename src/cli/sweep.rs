//! The part that `run` and `replay` share: from a plan to result files, with a handler for Ctrl-C.

use std::path::Path;

use super::call::is_call;
use super::progress::Bars;
use super::session::{Stopwatch, cpu_s, session};
use crate::cost::Cache;
use crate::experiment::{DataRoot, Error, Experiment};
use crate::plan::Plan;
use crate::results::{Row, Summary};
use crate::sweep::{
    Cell, Identity, Inputs, Leftovers, Logs, Output, RUN, SOURCES_SHA256, Shard, Shared, State, Store, Sweep,
    failed, manifest,
};

/// The exit code after Ctrl-C, as shells report it (128 + SIGINT).
const INTERRUPTED: i32 = 130;

/// A plan with everything that its cells depend on.
pub(super) struct Job<'a> {
    pub(super) plan: &'a Plan,
    pub(super) inputs: &'a Inputs,
    pub(super) data: &'a DataRoot,
    pub(super) logs: Logs,
    pub(super) bars: &'a Bars,
    pub(super) started: Stopwatch,
    /// Whether finished cells are kept when the program ends.
    pub(super) resumable: bool,
    /// Whether results of another experiment may be overwritten.
    pub(super) overwrite: bool,
}

/// Prepares the plan of an experiment, with its bounds if it asks for them and `with_bounds` is set.
pub(super) fn prepare(
    experiment: Experiment,
    data: &DataRoot,
    with_bounds: bool,
    bars: &Bars,
) -> Result<Plan, Error> {
    let cache = Cache::from_env();
    let mut plan = Plan::prepare(experiment, data, &cache, bars)?;
    if plan.experiment.bound && with_bounds {
        plan.find_bounds(&cache, bars);
    }
    Ok(plan)
}

impl<'a> Job<'a> {
    pub(super) fn identity(&self) -> Identity<'a> {
        let experiment = &self.plan.experiment;
        Identity { experiment, logs: self.logs, inputs: self.inputs, sources: SOURCES_SHA256 }
    }

    /// Runs the cells that are not kept, writes the result files, and returns the rows of the table. `whole` is true if
    /// these are all cells of the plan; only then is the plan's manifest written.
    pub(super) fn carry_out(
        &self,
        cells: Vec<Cell<'a>>,
        folder: &Path,
        whole: bool,
    ) -> Result<Vec<Row>, Error> {
        let identity = self.identity();
        let sweep = Sweep::new(self.plan, cells, &identity);
        let leftovers = Leftovers::of(folder, &RUN, &self.plan.experiment, self.overwrite)?;
        let store = Store::open(folder)?;
        let clock = || self.started.wall_s();
        let manifest = |folder: &Path, state| match whole {
            true => self.write_manifest(&store, folder, &state),
            false => Ok(()),
        };
        let (kept, missing) = self.kept(&sweep, &store);
        manifest(store.folder(), State::Unfinished)?;
        let failures = sweep.run(&missing, &store, self.bars, &clock)?;
        if !failures.is_empty() {
            manifest(store.folder(), State::Failed { failed: &failures })?;
            return Err(failed(failures, kept.len(), self.resumable.then_some(&store)));
        }
        let mut output = Output::create(folder, &store, self.logs, &self.plan.experiment)?;
        let mut summary = Summary::new(self.plan);
        let cells_wall_s =
            sweep.collect(&store, &mut output, &clock, |cell, rows| summary.add(cell, rows))?;
        let changed = output.finish()?;
        let (cells_run, cells_kept) = (missing.len(), kept.len() - missing.len());
        let (wall_s, cpu_s) = (clock(), cpu_s());
        manifest(folder, State::Complete { cells_run, cells_kept, cells_wall_s, wall_s, cpu_s })?;
        store.finish()?;
        if changed {
            let keys: Vec<Vec<String>> = sweep.cells.iter().map(Cell::keys).collect();
            leftovers.remove(&keys)?.iter().for_each(|told| self.bars.note(told));
        }
        Ok(summary.rows())
    }
}

impl<'a> Job<'a> {
    fn write_manifest(&self, store: &Store, folder: &Path, state: &State) -> Result<(), Error> {
        let text = manifest::text(self.plan, &self.identity(), self.data, &session(), state);
        store.place(&folder.join(manifest::FILE), text.as_bytes())
    }

    /// The wall times of the kept cells, and the indices of the others.
    fn kept(&self, sweep: &Sweep, store: &Store) -> (Vec<Option<f64>>, Vec<usize>) {
        let kept = sweep.kept(store);
        let missing: Vec<usize> = (0..kept.len()).filter(|&place| kept[place].is_none()).collect();
        if missing.len() < kept.len() {
            let before = kept.len() - missing.len();
            self.bars.note(&format!("{before} of {} cells are kept from before", kept.len()));
        }
        (kept, missing)
    }

    /// Runs a share of the cells that are not kept, and what others have left; writes no result files. Returns a sentence
    /// about what is left.
    pub(super) fn carry_out_shard(
        &self,
        cells: Vec<Cell<'a>>,
        folder: &Path,
        shard: Shard,
    ) -> Result<String, Error> {
        let sweep = Sweep::new(self.plan, cells, &self.identity());
        Leftovers::of(folder, &RUN, &self.plan.experiment, self.overwrite)?;
        let store = Store::open_shared(folder)?;
        let clock = || self.started.wall_s();
        let (kept, missing) = self.kept(&sweep, &store);
        self.write_manifest(&store, store.folder(), &State::Unfinished)?;
        let Shared { failures, run, elsewhere } =
            sweep.run_shard(shard, &missing, &store, self.bars, &clock)?;
        if !failures.is_empty() {
            self.write_manifest(&store, store.folder(), &State::Failed { failed: &failures })?;
            return Err(failed(failures, kept.len(), Some(&store)));
        }
        let rest = match elsewhere {
            0 => "all are there".to_string(),
            _ => format!("{elsewhere} are at work in other shares"),
        };
        Ok(format!("shard {shard}: {run} of {} cells were run, {rest}", kept.len()))
    }
}

/// Installs the Ctrl-C handler of a sweep. Finished cells are already on disk, so the handler only reports how far the
/// sweep came.
pub(super) fn on_interrupt(bars: &Bars, results: &Path) {
    let folder = Store::peek(results).folder().to_path_buf();
    when_interrupted(bars, move |[done, of]| {
        format!(
            "interrupted: {done} of {of} cells were run and are kept in {}; the same command resumes there",
            folder.display()
        )
    });
}

/// Ends the program on Ctrl-C with the message that `told` makes of the position and the length of the bar. A call is
/// cancelled by whoever calls.
pub(super) fn when_interrupted(bars: &Bars, told: impl Fn([u64; 2]) -> String + Send + 'static) {
    if is_call() {
        return;
    }
    let bar = bars.handle();
    // Without a handler, Ctrl-C ends the program without a message.
    let _ = ctrlc::set_handler(move || {
        super::eprint(&told(bar.interrupt()));
        std::process::exit(INTERRUPTED);
    });
}
