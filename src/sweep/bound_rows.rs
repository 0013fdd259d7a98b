//! The bound of each trace's SLA rate (`limits::bound`) beside the results of schedulers: a row `bound` per case and
//! seed, and the column `gap_to_bound`. The cache keeps bounds by the hash of their inputs, so cases with the same
//! measured requests on the same system share one. Workloads in which requests follow others have no bound and no such
//! row.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use rayon::prelude::*;

use super::cell::{Cell, Outcome};
use crate::cost::Cache;
use crate::experiment::{BOUND, Entry, Progress, SchedulerChoice};
use crate::limits::{Relaxation, VERSION};
use crate::metrics::{Batches, Column, Crossing, Heading, Metrics, Value};
use crate::plan::{Came, Case, Plan, offered_load, requests};
use crate::sim::Trace;

/// Stands in the place of a scheduler in a row of a bound.
pub(super) static CHOICE: LazyLock<SchedulerChoice> = LazyLock::new(|| SchedulerChoice {
    label: BOUND.into(),
    entry: Arc::new(Entry::new(BOUND, "what no schedule exceeds", "", |_, _| {
        Err("it is no scheduler".into())
    })),
    parameters: toml::Table::new(),
});

/// The columns that bounds add to `summary.csv`.
pub const BOUND_COLUMNS: &[Column<Outcome>] = &[Column::lower(
    "gap_to_bound",
    "With --bound: the upper bound of the SLA rate of the same requests (row `bound`, which holds the bounds of met \
     and sla_rate and nothing else) minus sla_rate",
    |outcome: &Outcome| Value::Real(outcome.gap_to_bound),
)
.share()];

impl Cell<'_> {
    /// Whether the cell is the row of a bound.
    pub fn is_bound(&self) -> bool {
        self.scheduler.entry.name == BOUND
    }
}

impl Plan {
    /// Bounds the SLA rate of every case and seed; results do not depend on the number of threads.
    pub fn find_bounds(&mut self, cache: &Cache, progress: &dyn Progress) {
        let traces: Vec<(usize, u64)> = (0..self.cases.len())
            .flat_map(|i| self.cases[i].seeds().into_iter().map(move |seed| (i, seed)))
            .collect();
        let relaxations: Vec<Option<Relaxation>> =
            traces.par_iter().map(|&(place, seed)| relaxation(&self.cases[place], seed)).collect();
        let mut distinct: Vec<&Relaxation> = Vec::new();
        let mut place = |relaxation| {
            distinct.iter().position(|other| *other == relaxation).unwrap_or_else(|| {
                distinct.push(relaxation);
                distinct.len() - 1
            })
        };
        let places: Vec<Option<usize>> =
            relaxations.iter().map(|relaxation| relaxation.as_ref().map(&mut place)).collect();
        progress.begin("bounding SLA rates", distinct.len());
        let done = AtomicUsize::new(0);
        let found: Vec<usize> = distinct
            .par_iter()
            .map(|relaxation| {
                let met = most_met(relaxation, cache);
                progress.advance(done.fetch_add(1, Ordering::Relaxed) + 1);
                met
            })
            .collect();
        cache.take_warnings().iter().for_each(|warning| progress.warn(warning));
        self.bounds = vec![BTreeMap::new(); self.cases.len()];
        for (&(case, seed), place) in traces.iter().zip(places) {
            self.bounds[case].extend(place.map(|place| (seed, found[place])));
        }
        self.without_bound().iter().for_each(|scenario| {
            progress.warn(&format!(
                "no bound for scenario `{scenario}`: the times and the number of its requests depend on the schedule"
            ));
        });
    }

    /// The scenarios without a bound.
    fn without_bound(&self) -> BTreeSet<&str> {
        let cases = self.cases.iter().zip(&self.bounds).filter(|(_, bounds)| bounds.is_empty());
        cases.map(|(case, _)| case.workload.scenario.name.as_str()).collect()
    }
}

/// The linear program of a case and a seed. `None` for every seed of a workload in which requests follow others, so
/// that means are over the same seeds.
fn relaxation(case: &Case, seed: u64) -> Option<Relaxation> {
    let trace = (!case.workload.has_followers()).then(|| requests(case, &case.window, seed))?;
    Relaxation::new(&case.site.world, &trace)
}

fn most_met(relaxation: &Relaxation, cache: &Cache) -> usize {
    let content = format!("{VERSION} {relaxation:?}");
    if let Some(met) = cache.recall(BOUND, &content).and_then(|met| met.parse().ok()) {
        return met;
    }
    let met = relaxation.most_met();
    cache.keep(BOUND, &content, &met.to_string());
    met
}

/// The row of a bound.
pub(super) fn outcome(cell: &Cell, trace: &Trace) -> Outcome {
    let met = cell.bound.expect("cells of bounds have one");
    let requests = trace.measured_requests().count();
    let value = |column: &Heading| match column.name {
        "requests" => Value::Count(requests as u64),
        "met" => Value::Count(met as u64),
        "sla_rate" => Value::Real(met as f64 / requests as f64),
        _ => Value::Real(f64::NAN),
    };
    Outcome {
        offered_load: offered_load(cell.case, trace, Came::default()),
        values: Metrics::columns().map(value).collect(),
        gap_to_bound: f64::NAN,
        batches: Batches::default(),
        crossing: Crossing::default(),
        groups: Vec::new(),
        accelerators: Vec::new(),
        requests: Vec::new(),
        layers: Vec::new(),
        energy: Vec::new(),
        serving: Vec::new(),
        answers: Vec::new(),
        steps: Vec::new(),
        links: Vec::new(),
    }
}

/// The gap of a run to its bound; NaN without a bound. Panics if the run exceeds the bound.
pub(super) fn gap(cell: &Cell, outcome: &Outcome) -> f64 {
    let Some(bound) = cell.bound else { return f64::NAN };
    let (met, requests) = (outcome.metric("met"), outcome.metric("requests"));
    assert!(
        met <= bound as f64,
        "{met} of {requests} requests met their deadlines, but the bound is {bound}"
    );
    bound as f64 / requests - outcome.metric("sla_rate")
}
