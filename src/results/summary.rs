//! The table on the terminal: means over seeds with 95 % confidence intervals, per case and scheduler.

use std::collections::BTreeSet;

use serde::Serialize;

use super::served::Served;
use crate::experiment::{BOUND, KEYS};
use crate::plan::Plan;
use crate::sweep::{Cell, Extent, RATE, Replicates, Rows, Runs, mean};

/// The scheduler to which gains are relative; without it, the first of the experiment.
const REFERENCE: &str = "fcfs";

/// One row: a case under one scheduler, over all seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The name of the system.
    pub system: String,
    /// The name of the scenario.
    pub scenario: String,
    /// The QoS level.
    pub qos: &'static str,
    /// The load relative to lambda*; `None` if all requests come at once.
    pub load: Option<f64>,
    /// The swept keys that vary in this experiment.
    #[serde(serialize_with = "as_map")]
    pub setting: Vec<(&'static str, String)>,
    /// The label of the scheduler.
    pub scheduler: String,
    /// The number of runs, each under a seed of its own; copies of a run do not count.
    pub seeds: usize,
    /// The number of rows of summary.csv that are such copies.
    pub copies: usize,
    /// Mean SLA satisfaction rate.
    pub sla_rate: f64,
    /// Half-width of its 95 % confidence interval; `None` if the runs give no estimate.
    pub sla_rate_ci95: Option<f64>,
    /// The interval, cut to the range of a rate.
    pub sla_rate_interval95: Option<[f64; 2]>,
    /// The replicates behind the intervals.
    pub replicates: Replicates,
    /// Mean share of the measured requests that finished; latency percentiles are over these.
    pub finished_share: Option<f64>,
    /// Mean 99th percentile of the latency of finished requests in microseconds.
    pub latency_p99_us: Option<f64>,
    /// Mean energy per measured request, met or not, in microjoules.
    pub energy_per_request_uj: Option<f64>,
    /// Mean energy per request that met its deadline, in microjoules.
    pub energy_per_met_request_uj: Option<f64>,
    /// The label of the scheduler to which the gains are relative; `None` for that itself, and where it did not run.
    pub gain_over: Option<String>,
    /// Gain of the SLA rate in percent: 100 (a / b - 1).
    pub gain_percent: Option<f64>,
    /// The gain in percentage points.
    pub gain_points: Option<f64>,
    /// Half-width of the 95 % confidence interval of the gain in points, from differences paired by seed.
    pub gain_points_ci95: Option<f64>,
    /// The interval, cut to the range of a difference of rates.
    pub gain_points_interval95: Option<[f64; 2]>,
    /// Mean gap between the SLA rate and its bound; `None` without a bound.
    pub gap_to_bound: Option<f64>,
    /// On a fleet, what its requests got.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub served: Option<Served>,
    /// The name of the scheduler behind the label.
    #[serde(skip)]
    rule: String,
}

fn as_map<S: serde::Serializer>(pairs: &[(&str, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(key, value)| (key, value)))
}

/// Collects outcomes and folds them into rows.
pub struct Summary {
    /// Which of a cell's swept keys have more than one value in the plan.
    varying: Vec<usize>,
    rows: Vec<(Row, Runs)>,
    /// Whether the cells are on fleets.
    has_fleets: bool,
    /// The label of the scheduler to which gains are relative; `None` on fleets.
    reference: Option<String>,
    extent: Extent,
}

impl Summary {
    /// An empty summary of a plan's cells.
    pub fn new(plan: &Plan) -> Self {
        let mut values: Vec<BTreeSet<String>> = vec![BTreeSet::new(); KEYS.len()];
        for case in &plan.cases {
            let texts = case.setting.texts().into_iter().chain([case.drift.name.clone()]);
            values.iter_mut().zip(texts).for_each(|(values, value)| _ = values.insert(value));
        }
        let varying = (0..values.len()).filter(|&key| values[key].len() > 1).collect();
        let schedulers = &plan.experiment.schedulers;
        let reference = schedulers.iter().find(|choice| choice.entry.name == REFERENCE);
        let reference = reference.or(schedulers.first()).map(|choice| choice.label.clone());
        let reference = reference.filter(|_| !plan.experiment.on_fleets);
        let extent = Extent::of(&plan.experiment);
        Self { varying, rows: Vec::new(), has_fleets: false, reference, extent }
    }

    /// Adds a cell. Cells must come in the order of the plan, with the seeds of a row one after the other.
    pub fn add(&mut self, cell: &Cell, rows: &Rows) {
        let drift = ("drift", cell.case.drift.name.clone());
        let keys: Vec<_> = cell.case.setting.named().chain([drift]).collect();
        let row = Row::new(cell, self.varying.iter().map(|&i| keys[i].clone()).collect());
        if self.rows.last().is_none_or(|(last, _)| !last.is_same_cell(&row)) {
            self.rows.push((row, Runs::default()));
        }
        let (_, runs) = self.rows.last_mut().expect("just pushed if there was none");
        runs.add(cell.seed, rows.measured(self.extent));
        if cell.case.has_same_requests {
            runs.have_same_requests();
        }
        self.has_fleets |= cell.case.fleet.is_some();
    }

    /// The finished rows.
    pub fn rows(self) -> Vec<Row> {
        let mut rows: Vec<(Row, Runs)> =
            self.rows.into_iter().map(|(row, runs)| (row, runs.without_copies())).collect();
        // The bound of a copy is a copy as well.
        for of_case in rows.chunk_by_mut(|(one, _), (next, _)| one.is_same_case(next)) {
            let copied = of_case.iter().flat_map(|(_, runs)| runs.copied()).copied().collect();
            let bounds = of_case.iter_mut().filter(|(row, _)| row.rule == BOUND);
            bounds.for_each(|(_, runs)| runs.leave_out(&copied));
        }
        let finished: Vec<(Row, Runs)> =
            rows.into_iter().map(|(row, runs)| (row.with(&runs, self.has_fleets), runs)).collect();
        // The rows of a case follow one another.
        let of_cases = finished.chunk_by(|(one, _), (next, _)| one.is_same_case(next));
        let gained = of_cases.flat_map(|rows| {
            let reference = rows.iter().find(|(row, _)| Some(&row.scheduler) == self.reference.as_ref());
            let beside_one = rows.iter().any(|(row, _)| row.replicates == Replicates::Batches);
            let (_, first) = rows.first().expect("a case has rows");
            rows.iter().enumerate().map(move |(place, (row, runs))| {
                let mut row = row.clone();
                row.served = row.served.map(|of| if place > 0 { of.beside(runs, first) } else { of });
                let row = match reference {
                    Some((their, theirs)) if row.scheduler != their.scheduler => {
                        row.gaining(runs, &their.scheduler, theirs)
                    }
                    _ => row,
                };
                match row.replicates {
                    Replicates::Seeds if beside_one => Row { replicates: Replicates::Draws, ..row },
                    _ => row,
                }
            })
        });
        gained.collect()
    }
}

impl Row {
    fn new(cell: &Cell, setting: Vec<(&'static str, String)>) -> Self {
        Self {
            system: cell.case.system.clone(),
            scenario: cell.case.workload.scenario.name.clone(),
            qos: cell.case.qos.name(),
            load: Some(cell.case.nominal_load()).filter(|load| load.is_finite()),
            setting,
            scheduler: cell.scheduler.label.clone(),
            seeds: 0,
            copies: 0,
            sla_rate: f64::NAN,
            sla_rate_ci95: None,
            sla_rate_interval95: None,
            replicates: Replicates::Seeds,
            finished_share: None,
            latency_p99_us: None,
            energy_per_request_uj: None,
            energy_per_met_request_uj: None,
            gain_over: None,
            gain_percent: None,
            gain_points: None,
            gain_points_ci95: None,
            gain_points_interval95: None,
            gap_to_bound: None,
            served: None,
            rule: cell.scheduler.entry.name.clone(),
        }
    }

    /// Adds the gains over the scheduler of that label, paired by seed.
    fn gaining(&self, runs: &Runs, label: &str, theirs: &Runs) -> Self {
        let pairs = runs.beside(theirs);
        let rates = |side: usize| mean(&pairs.iter().map(|pair| pair[side].value(RATE)).collect::<Vec<_>>());
        let means = rates(0).zip(rates(1)).filter(|(_, their)| *their > 0.0);
        let points = runs.differences(theirs, RATE).times(100.0);
        Self {
            gain_over: Some(label.to_string()),
            gain_percent: means.map(|(own, their)| 100.0 * (own / their - 1.0)),
            gain_points: points.mean,
            gain_points_ci95: points.ci95,
            gain_points_interval95: points.interval(),
            ..self.clone()
        }
    }

    fn with(self, runs: &Runs, is_of_fleet: bool) -> Self {
        let rate = runs.estimate(RATE);
        Self {
            seeds: runs.len(),
            copies: runs.copies(),
            sla_rate: rate.mean.unwrap_or(f64::NAN),
            sla_rate_ci95: rate.ci95,
            sla_rate_interval95: rate.interval(),
            replicates: runs.replicates(RATE),
            finished_share: runs.mean_share("finished", "requests"),
            latency_p99_us: runs.mean("latency_p99_us"),
            energy_per_request_uj: runs.mean("energy_per_request_uj"),
            energy_per_met_request_uj: runs.mean("energy_per_met_request_uj"),
            gap_to_bound: runs.mean("gap_to_bound"),
            served: is_of_fleet.then(|| Served::of(runs)),
            ..self
        }
    }

    fn is_same_case(&self, other: &Self) -> bool {
        (&self.system, &self.scenario, self.qos, self.load, &self.setting)
            == (&other.system, &other.scenario, other.qos, other.load, &other.setting)
    }

    fn is_same_cell(&self, other: &Self) -> bool {
        self.is_same_case(other) && self.scheduler == other.scheduler
    }
}
