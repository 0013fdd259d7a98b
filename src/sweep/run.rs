//! Runs the cells of a plan over cores and hands their results on in the order of the plan, so that the output does not
//! depend on the number of threads. Results stay in memory; `resume.rs` keeps a file per finished cell instead.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::bound_rows as bound;
use super::cell::{Cell, Logs, Outcome};
use crate::experiment::{Error, Experiment, Progress, reason};
use crate::metrics::{
    Accelerators, Aside, Batches, Context, CrossingFold, EnergyLog, Groups, LayerLog, Links, MemberShares,
    Metrics, RequestLog, ServedBy, Serving, Steps, Terms, adapt_s,
};
use crate::plan::{Came, Case, Fleet, Plan, Run, offered_load, requests, rules};
use crate::serve::{self, Dispatcher, Projection};
use crate::sim::{Engine, Origin, Record, Recorder, RunError, Scheduler, Trace, run as run_engine};
use crate::units::Picojoules;

/// The number of cells that are computed before their results are handed on. Our choice, because they keep the cores
/// busy while the logs of long runs still fit in memory.
const CHUNK: usize = 64;

/// All cells of a plan in the order of its rows: case, scheduler, seed. Bounds come after the schedulers of their case.
pub fn cells(plan: &Plan) -> Vec<Cell<'_>> {
    let mut cells = Vec::new();
    for (place, case) in plan.cases.iter().enumerate() {
        let bounds = plan.bounds.get(place);
        let bound = |seed| bounds.and_then(|bounds| bounds.get(&seed).copied());
        cells.extend(case.runs.iter().map(|&Run { scheduler, seed }| {
            let scheduler = &plan.schedulers[scheduler];
            let policy = plan.policies.of(scheduler, &case.system);
            Cell { case, scheduler, seed, bound: bound(seed), policy }
        }));
        let of_bound =
            |(&seed, &met)| Cell { case, scheduler: &bound::CHOICE, seed, bound: Some(met), policy: None };
        let distinct = if case.has_same_requests { 1 } else { usize::MAX };
        cells.extend(bounds.into_iter().flatten().take(distinct).map(of_bound));
    }
    cells
}

/// Runs all cells on the current rayon pool; `take` gets them in order.
pub fn run(
    plan: &Plan,
    logs: Logs,
    progress: &dyn Progress,
    mut take: impl FnMut(&Cell, Outcome) -> Result<(), Error>,
) -> Result<(), Error> {
    let cells = cells(plan);
    progress.begin("running cells", cells.len());
    let done = AtomicUsize::new(0);
    for chunk in cells.chunks(CHUNK) {
        let one = |cell: &Cell| {
            let outcome = run_cell(&plan.experiment, cell, logs);
            progress.advance(done.fetch_add(1, Ordering::Relaxed) + 1);
            outcome
        };
        let outcomes: Vec<_> = chunk.par_iter().map(one).collect();
        for (cell, outcome) in chunk.iter().zip(outcomes) {
            take(cell, outcome?)?;
        }
    }
    Ok(())
}

/// Runs one cell. A failed assertion of the simulator becomes an error with the command that reproduces it.
pub fn run_cell(experiment: &Experiment, cell: &Cell, logs: Logs) -> Result<Outcome, Error> {
    attempt(experiment, cell, || simulate(cell, logs))
}

/// Runs one cell with a caller's scheduler in place of the cell's. If panics are
/// [remembered](crate::experiment::remember_panics), the error of a panic names its file and line.
pub fn run_cell_with(
    experiment: &Experiment,
    cell: &Cell,
    scheduler: &mut dyn Scheduler,
    logs: Logs,
) -> Result<Outcome, Error> {
    if cell.case.fleet.is_some() {
        return Err(Error::Usage(format!("{cell} is of a fleet: it takes a dispatcher (`serve_with`)")));
    }
    let requests = || requests::requests(cell.case, &cell.case.window, cell.seed);
    attempt(experiment, cell, || {
        run_on(cell.case, requests(), cell.seed, scheduler, logs).map_err(|e| e.to_string())
    })
}

/// Runs one cell of a fleet with a caller's dispatcher in place of the cell's, as [`run_cell_with`] does.
pub fn serve_cell_with(
    experiment: &Experiment,
    cell: &Cell,
    dispatcher: &mut dyn Dispatcher,
    logs: Logs,
) -> Result<Outcome, Error> {
    let Some(fleet) = &cell.case.fleet else {
        return Err(Error::Usage(format!("{cell} is of a system: it takes a scheduler (`run_cell_with`)")));
    };
    let requests = || requests::requests(cell.case, &cell.case.window, cell.seed);
    attempt(experiment, cell, || {
        dispatcher.check(&fleet.model)?;
        serve_on(cell.case, fleet, requests(), cell.seed, dispatcher, logs)
    })
}

fn attempt(
    experiment: &Experiment,
    cell: &Cell,
    run: impl FnOnce() -> Result<Outcome, String>,
) -> Result<Outcome, Error> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(reason)) => {
            Err(Error::Run { cell: cell.to_string(), reason, command: cell.command(experiment) })
        }
        Err(panic) => Err(Error::Invariant {
            cell: cell.to_string(),
            reason: reason(&*panic),
            command: cell.command(experiment),
        }),
    }
}

fn simulate(cell: &Cell, logs: Logs) -> Result<Outcome, String> {
    let requests = requests::requests(cell.case, &cell.case.window, cell.seed);
    if cell.is_bound() {
        return Ok(bound::outcome(cell, &requests));
    }
    if let Some(fleet) = &cell.case.fleet {
        let mut dispatcher = cell.scheduler.dispatcher(cell.seed)?;
        return serve_on(cell.case, fleet, requests, cell.seed, dispatcher.as_mut(), logs);
    }
    let mut scheduler = cell.scheduler.build(cell.policy, cell.seed)?;
    let outcome =
        run_on(cell.case, requests, cell.seed, scheduler.as_mut(), logs).map_err(|e| e.to_string())?;
    Ok(Outcome { gap_to_bound: bound::gap(cell, &outcome), ..outcome })
}

/// Runs any scheduler on a case. This is the entry point for schedulers outside this crate.
///
/// # Errors
/// The scheduler takes an illegal action, or leaves requests waiting for ever.
pub fn run_with(
    case: &Case,
    requests: usize,
    seed: u64,
    scheduler: &mut dyn Scheduler,
    logs: Logs,
) -> Result<Outcome, RunError> {
    let trace = requests::requests(case, &requests::window(case, requests), seed);
    run_on(case, trace, seed, scheduler, logs)
}

fn run_on(
    case: &Case,
    trace: Trace,
    seed: u64,
    scheduler: &mut dyn Scheduler,
    logs: Logs,
) -> Result<Outcome, RunError> {
    let trace = Arc::new(trace);
    let engine = Engine::new(Arc::clone(&case.site.world), Arc::clone(&trace), rules(case, seed));
    let mut recorder = Recorders::new(case, logs);
    run_engine(engine, scheduler, &mut recorder)?;
    Ok(recorder.outcome(case, &trace))
}

/// Runs any dispatcher on a case of a fleet. This is the entry point for dispatchers outside this crate.
///
/// # Errors
/// The case is of a system, the dispatcher takes an illegal action, or requests wait for ever.
pub fn serve_with(
    case: &Case,
    requests: usize,
    seed: u64,
    dispatcher: &mut dyn Dispatcher,
    logs: Logs,
) -> Result<Outcome, String> {
    let fleet = case.fleet.as_ref().ok_or("the case is of a system: expected one of a fleet")?;
    dispatcher.check(&fleet.model)?;
    let trace = requests::requests(case, &requests::window(case, requests), seed);
    serve_on(case, fleet, trace, seed, dispatcher, logs)
}

fn serve_on(
    case: &Case,
    fleet: &Fleet,
    trace: Trace,
    seed: u64,
    dispatcher: &mut dyn Dispatcher,
    logs: Logs,
) -> Result<Outcome, String> {
    let trace = Arc::new(trace);
    let schedulers = fleet.schedulers(seed)?;
    let mut recorder = Recorders::new(case, logs);
    let change = case.drift.entries.iter().map(|entry| entry.at).max();
    let mut of_fleet = OfFleet {
        plain: Projection::new(&fleet.model, &mut recorder),
        serving: Serving::new(Arc::clone(&fleet.model), logs.requests || change.is_some()),
        links: Links::new(&fleet.model),
        steps: logs.requests.then(Steps::default),
        shares: logs.requests.then(MemberShares::default),
    };
    serve::run(Arc::clone(&fleet.model), Arc::clone(&trace), schedulers, dispatcher, &mut of_fleet)
        .map_err(|e| e.to_string())?;
    let OfFleet { serving, links, steps, shares, .. } = of_fleet;
    let links = links.into_wires();
    let crossed = links.iter().zip(fleet.pj_per_bit());
    let network = Picojoules(crossed.map(|(link, pj_per_bit)| 8.0 * link.bytes * pj_per_bit).sum());
    let aside = Aside { network, quality_bound: case.quality_bound() };
    let (mut serving, mut answers) = serving.finish(aside);
    if let Some(change) = change {
        let all = serving.iter_mut().filter(|group| group.by == ServedBy::All);
        all.for_each(|group| group.adapt_s = adapt_s(&answers, change));
        answers.retain(|_| logs.requests);
    }
    let mut outcome = recorder.outcome(case, &trace);
    if let Some(shares) = shares {
        outcome.requests.iter_mut().for_each(|row| row.shares = shares.of(row.request));
    }
    let steps = steps.map(Steps::into_rows).unwrap_or_default();
    Ok(Outcome { serving, answers, links, steps, ..outcome })
}

/// The metrics of plain runs and those of fleets.
struct OfFleet<'a> {
    plain: Projection<'a>,
    serving: Serving,
    links: Links,
    steps: Option<Steps>,
    shares: Option<MemberShares>,
}

impl serve::Recorder for OfFleet<'_> {
    fn record(&mut self, record: &serve::Record, origin: Origin) {
        self.plain.record(record, origin);
        self.serving.record(record, origin);
        self.links.record(record, origin);
        if let Some(steps) = &mut self.steps {
            steps.record(record, origin);
        }
        if let Some(shares) = &mut self.shares {
            shares.record(record, origin);
        }
    }
}

struct Recorders {
    metrics: Metrics,
    batches: Batches,
    crossing: CrossingFold,
    groups: Groups,
    accelerators: Accelerators,
    requests: Option<RequestLog>,
    layers: Option<LayerLog>,
    energy: Option<EnergyLog>,
    came: Came,
}

impl Recorders {
    fn new(case: &Case, logs: Logs) -> Self {
        let world = &case.site.world;
        let context = Context::of_run(world);
        let terms = case.workload.scenario.tenants.iter().map(Terms::of).collect();
        Self {
            metrics: Metrics::new(&context),
            batches: Batches::default(),
            crossing: CrossingFold::new(context.clone()),
            groups: Groups::new(world, terms),
            accelerators: Accelerators::new(&context),
            requests: logs.requests.then(RequestLog::default),
            layers: logs.layers.then(LayerLog::default),
            energy: logs.energy.then(|| EnergyLog::new(context)),
            came: Came::default(),
        }
    }

    fn outcome(self, case: &Case, trace: &Trace) -> Outcome {
        let measured = |log: &RequestLog| log.rows().iter().filter(|row| row.measured).copied().collect();
        Outcome {
            offered_load: offered_load(case, trace, self.came),
            values: self.metrics.values(),
            gap_to_bound: f64::NAN,
            batches: self.batches,
            crossing: self.crossing.sum(),
            groups: self.groups.rows(),
            accelerators: self.accelerators.lanes().to_vec(),
            requests: self.requests.as_ref().map(measured).unwrap_or_default(),
            layers: self.layers.map(|log| log.rows().to_vec()).unwrap_or_default(),
            energy: self.energy.map(|log| log.rows()).unwrap_or_default(),
            serving: Vec::new(),
            answers: Vec::new(),
            steps: Vec::new(),
            links: Vec::new(),
        }
    }
}

impl Recorder for Recorders {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.metrics.record(record, origin);
        self.batches.record(record, origin);
        self.crossing.record(record, origin);
        self.groups.record(record, origin);
        self.accelerators.record(record, origin);
        self.came.record(record);
        if let Some(requests) = &mut self.requests {
            requests.record(record, origin);
        }
        if let Some(layers) = &mut self.layers {
            layers.record(record, origin);
        }
        if let Some(energy) = &mut self.energy {
            energy.record(record, origin);
        }
    }
}
