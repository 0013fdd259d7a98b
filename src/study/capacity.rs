//! The load that a scheduler sustains: the largest below which the SLA rate, or on a fleet the mean quality, stays at a
//! target, by bisection. What follows of the SLA rate holds for the quality as well.
//!
//! For each case, scheduler and seed, the search bisects between a load that meets the target and one that misses it,
//! until they are `tolerance` apart; the lower one is the answer. The draws of a seed are the same at every load, only
//! stretched in time, so one seed's SLA rate falls nearly without noise as the load grows, and schedulers are compared
//! on the same requests. Seeds are independent, so the mean over them has an interval by Student's t, cut at 0. A
//! single seed has none.
//!
//! The SLA rate need not fall monotonically with load. If it crosses the target several times, the answer is one of the
//! crossings: the target was met at the answer, and missed `tolerance` above it. If the target is missed even at the
//! lowest load (`tolerance`), the answer is 0; if it is met at the highest load, the answer is that load.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use serde::Serialize;

use crate::experiment::{Error, KEYS, KeyColumns, LOAD, Progress, SCHEDULER, SEED};
use crate::metrics::{Column, Value};
use crate::plan::{Case, Plan};
use crate::sweep::{Cell, Estimate, Logs, QUALITY, RATE, Range, cells, mean, run_cell};

/// The parameters of a search.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    /// What has to reach the target.
    pub by: Goal,
    /// The value to be reached.
    pub target: f64,
    /// The precision of the answer, in load.
    pub tolerance: f64,
    /// The highest load that is tried.
    pub highest: f64,
}

/// What a load is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The SLA rate.
    SlaRate,
    /// The mean quality of the requests of a fleet.
    Quality,
}

impl Goal {
    /// The name of its column.
    pub fn column(self) -> &'static str {
        match self {
            Self::SlaRate => RATE,
            Self::Quality => QUALITY,
        }
    }
}

/// The load that a scheduler sustains in a case under one seed: a row of capacity.csv.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// The values of [`KEYS`] without the load.
    #[serde(skip)]
    pub keys: Vec<String>,
    /// The largest load found to meet the target; 0 if there is none.
    pub load: f64,
    /// That load in requests per second.
    pub requests_per_s: f64,
    /// The SLA rate, or the quality, at that load; NaN if it is 0.
    pub sla_rate: f64,
    /// The smallest load above it that was found to miss the target; NaN if there is none.
    pub missed_load: f64,
    /// The SLA rate, or the quality, at the missed load.
    pub missed_sla_rate: f64,
}

/// A case under a scheduler, over seeds.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// System, scenario, QoS level and the swept keys that vary, by name.
    pub case: Vec<(&'static str, String)>,
    /// The label of the scheduler.
    pub scheduler: String,
    /// Mean of the sustained load.
    pub load: f64,
    /// Half-width of its 95 % confidence interval by Student's t; `None` with a single seed.
    pub load_ci95: Option<f64>,
    /// The interval, cut at 0.
    pub load_interval95: Option<[f64; 2]>,
    /// Mean of the sustained rate.
    pub requests_per_s: f64,
    /// The number of seeds.
    pub seeds: usize,
    /// The number of seeds that miss the target even at the lowest load.
    pub below: usize,
    /// The number of seeds that meet the target at the highest load; if there are any, the mean is a lower bound.
    pub above: usize,
}

/// Columns of capacity.csv after the keys; `quality` takes the place of `sla_rate` if the search is for that.
pub const CAPACITY_COLUMNS: &[Column<Found>] = &[
    Column::higher("sustained_load", "Largest load found to meet the target; 0 if there is none", |found| {
        Value::Real(found.load)
    }),
    Column::higher("sustained_requests_per_s", "That load in requests per second", |found| {
        Value::Real(found.requests_per_s)
    }),
    Column::higher("sla_rate", "SLA rate at that load; empty if it is 0", |found: &Found| {
        Value::Real(found.sla_rate)
    })
    .share(),
    Column::higher(
        "missed_load",
        "Smallest load above it found to miss the target; empty if there is none",
        |found| Value::Real(found.missed_load),
    ),
    Column::higher("missed_sla_rate", "SLA rate at the missed load", |found: &Found| {
        Value::Real(found.missed_sla_rate)
    })
    .share(),
];

/// Searches for every case, scheduler and seed of a plan, whatever the loads of its cases, on the current rayon pool.
///
/// # Errors
/// A scenario fixes absolute arrival rates, or a run fails.
pub fn find(plan: &Plan, search: Search, progress: &dyn Progress) -> Result<Vec<Found>, Error> {
    if plan.experiment.loads.is_none() {
        let path = plan.experiment.path.display();
        return Err(Error::Usage(format!(
            "{path}: the scenario fixes absolute arrival rates, which no load scales: there is no capacity to look for"
        )));
    }
    if search.by == Goal::Quality && plan.cases.iter().any(|case| case.fleet.is_none()) {
        let path = plan.experiment.path.display();
        return Err(Error::Usage(format!(
            "{path}: only requests to fleets have a quality: expected --sla for `systems`"
        )));
    }
    let mut seen = BTreeSet::new();
    let searches: Vec<Cell> =
        cells(plan).into_iter().filter(|cell| !cell.is_bound() && seen.insert(without_load(cell))).collect();
    progress.begin("bisecting loads", searches.len());
    let done = AtomicUsize::new(0);
    let one = |cell: &Cell| {
        let found = bisect(plan, cell, search);
        progress.advance(done.fetch_add(1, Ordering::Relaxed) + 1);
        found
    };
    searches.par_iter().map(one).collect()
}

fn without_load(cell: &Cell) -> Vec<String> {
    let mut keys = cell.keys();
    keys[LOAD].clear();
    keys
}

fn bisect(plan: &Plan, cell: &Cell, search: Search) -> Result<Found, Error> {
    let rate_at = |load: f64| -> Result<f64, Error> {
        let case = Case { load: Some(load), ..cell.case.clone() };
        let outcome = run_cell(&plan.experiment, &Cell { case: &case, ..*cell }, Logs::default())?;
        Ok(match search.by {
            Goal::SlaRate => outcome.metric(RATE),
            // The first group is all requests.
            Goal::Quality => outcome.serving[0].quality(),
        })
    };
    let (met, missed) = narrow(search, rate_at)?;
    let (load, sla_rate) = met.unwrap_or((0.0, f64::NAN));
    let (missed_load, missed_sla_rate) = missed.unwrap_or((f64::NAN, f64::NAN));
    let requests_per_s = load * cell.case.site.saturation.requests_per_s;
    Ok(Found { keys: without_load(cell), load, requests_per_s, sla_rate, missed_load, missed_sla_rate })
}

/// A load, and the SLA rate or the quality at that load.
type Point = (f64, f64);

/// The two loads between which the SLA rate, or the quality, falls below the target; the upper one is `None` if it is always met, the
/// lower one if it is never met.
fn narrow<E>(
    search: Search,
    rate_at: impl Fn(f64) -> Result<f64, E>,
) -> Result<(Option<Point>, Option<Point>), E> {
    let at = |load: f64| rate_at(load).map(|rate| (load, rate));
    let is_met = |point: &Point| point.1 >= search.target;
    let highest = at(search.highest)?;
    if is_met(&highest) {
        return Ok((Some(highest), None));
    }
    let lowest = at(search.tolerance)?;
    if !is_met(&lowest) {
        return Ok((None, Some(lowest)));
    }
    let (mut met, mut missed) = (lowest, highest);
    while missed.0 - met.0 > search.tolerance {
        let middle = at(0.5 * (met.0 + missed.0))?;
        if is_met(&middle) { met = middle } else { missed = middle }
    }
    Ok((Some(met), Some(missed)))
}

/// Folds over seeds, which come one after the other.
pub fn rows(found: &[Found]) -> Vec<Row> {
    let varies = |place: &usize| found.iter().any(|one| one.keys[*place] != found[0].keys[*place]);
    let always = |place: &usize| *place < LOAD;
    let is_case = |place: &usize| ![LOAD, SCHEDULER, SEED].contains(place);
    let shown: Vec<usize> = (0..KEYS.len()).filter(|p| is_case(p) && (always(p) || varies(p))).collect();
    let is_same = |a: &Found, b: &Found| (0..KEYS.len()).all(|p| p == SEED || a.keys[p] == b.keys[p]);
    let row = |seeds: &[Found]| {
        let loads: Vec<f64> = seeds.iter().map(|one| one.load).collect();
        let rates: Vec<f64> = seeds.iter().map(|one| one.requests_per_s).collect();
        let keys = &seeds[0].keys;
        let load = Estimate::of(&loads, Range::POSITIVE);
        Row {
            case: shown.iter().map(|&place| (KEYS[place], keys[place].clone())).collect(),
            scheduler: keys[SCHEDULER].clone(),
            load: load.mean.expect("there is a seed, and loads are numbers"),
            load_ci95: load.ci95,
            load_interval95: load.interval(),
            requests_per_s: mean(&rates).expect("there is a seed, and rates are numbers"),
            seeds: seeds.len(),
            below: seeds.iter().filter(|one| one.sla_rate.is_nan()).count(),
            above: seeds.iter().filter(|one| one.missed_load.is_nan()).count(),
        }
    };
    found.chunk_by(is_same).map(row).collect()
}

/// The rows of capacity.csv, without the key of the load.
pub fn to_csv(found: &[Found], by: Goal) -> Vec<u8> {
    let in_memory = "writing to memory does not fail, and all rows have the same length";
    let mut writer = csv::Writer::from_writer(Vec::new());
    let told = KeyColumns::told(found.iter().map(|one| &one.keys[..]));
    let keys = || told.places().filter(|place| *place != LOAD);
    let names = CAPACITY_COLUMNS.iter().map(|column| column.heading.name.replace(RATE, by.column()));
    writer.write_record(keys().map(|place| KEYS[place].to_string()).chain(names)).expect(in_memory);
    for one in found {
        let numbers = Column::row(CAPACITY_COLUMNS, one).map(|value| value.to_string());
        writer.write_record(keys().map(|place| one.keys[place].clone()).chain(numbers)).expect(in_memory);
    }
    writer.into_inner().expect(in_memory)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    const SEARCH: Search = Search { by: Goal::SlaRate, target: 0.9, tolerance: 0.01, highest: 2.0 };

    fn found(rate_at: impl Fn(f64) -> f64) -> (Option<Point>, Option<Point>) {
        narrow(SEARCH, |load| Ok::<f64, Infallible>(rate_at(load))).expect("it cannot fail")
    }

    #[test]
    fn the_answer_meets_the_target_and_a_tolerance_above_misses_it() {
        let (met, missed) = found(|load| 1.0 - 0.1 * load / 0.777);
        let (met, missed) = (met.expect("met at first"), missed.expect("missed at last"));
        assert!(met.0 <= 0.777 && 0.777 < missed.0 && missed.0 - met.0 <= 0.01, "{met:?} {missed:?}");
        assert!(met.1 >= 0.9 && missed.1 < 0.9);
    }

    #[test]
    fn a_target_that_is_always_or_never_met_ends_at_the_border() {
        assert_eq!(found(|_| 0.95), (Some((2.0, 0.95)), None));
        assert_eq!(found(|_| 0.85), (None, Some((0.01, 0.85))));
    }
}
