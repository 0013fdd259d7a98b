//! The table on the terminal: per case and scheduler, means over seeds with 95 % confidence intervals.

use std::collections::BTreeMap;

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::columns::setting_keys;
use super::plan::{Case, Plan};
use super::rows::Rows;
use super::sweep::Cell;

/// The scheduler that gains are relative to.
const REFERENCE: &str = "fcfs";

/// One row: a case under one scheduler, over all seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The system.
    pub system: String,
    /// The scenario.
    pub scenario: String,
    /// The QoS level.
    pub qos: &'static str,
    /// Relative to lambda*; `None` where requests come at once.
    pub load: Option<f64>,
    /// The swept keys that vary in this experiment.
    #[serde(serialize_with = "as_map")]
    pub setting: Vec<(String, String)>,
    /// The scheduler.
    pub scheduler: String,
    /// How many seeds it was run with.
    pub seeds: usize,
    /// Mean SLA satisfaction rate.
    pub sla_rate: f64,
    /// Half-width of its 95 % confidence interval; `None` with a single seed.
    pub sla_rate_ci95: Option<f64>,
    /// Mean 99th percentile of latency in microseconds.
    pub latency_p99_us: Option<f64>,
    /// Mean energy per counted request in microjoules.
    pub energy_per_request_uj: Option<f64>,
    /// Gain of the SLA rate over fcfs in percent: 100 (a / b - 1).
    pub gain_percent: Option<f64>,
    /// The same in percentage points.
    pub gain_points: Option<f64>,
    /// Half-width of the 95 % confidence interval of the points, from differences on the same seeds.
    pub gain_points_ci95: Option<f64>,
    /// Mean distance of the SLA rate from its bound; `None` without a bound.
    pub gap_to_bound: Option<f64>,
    /// The rule behind the label.
    #[serde(skip)]
    rule: String,
}

fn as_map<S: serde::Serializer>(pairs: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(key, value)| (key, value)))
}

/// Collects outcomes and folds them into rows.
pub struct Summary {
    /// Which of a cell's swept keys have more than one value in the plan.
    varying: Vec<usize>,
    rows: Vec<(Row, Samples)>,
}

#[derive(Default)]
struct Samples {
    seed: Vec<u64>,
    sla_rate: Vec<f64>,
    latency_p99_us: Vec<f64>,
    energy_per_request_uj: Vec<f64>,
    gap_to_bound: Vec<f64>,
}

impl Summary {
    /// An empty summary of a plan's cells.
    pub fn new(plan: &Plan) -> Self {
        let keys = |case: &Case| setting_keys(&case.setting, &case.site.dram);
        let first = plan.cases.first().map(keys).unwrap_or_default();
        let mut varies = vec![false; first.len()];
        for case in &plan.cases {
            varies
                .iter_mut()
                .zip(keys(case).iter().zip(&first))
                .for_each(|(v, (own, first))| *v |= own != first);
        }
        let varying = (0..varies.len()).filter(|&i| varies[i]).collect();
        Self { varying, rows: Vec::new() }
    }

    /// Adds a cell; cells come in the order of the plan, the seeds of a row one after the other.
    pub fn add(&mut self, cell: &Cell, rows: &Rows) {
        let value = rows.summary();
        let keys = cell.setting_keys();
        let row = Row::new(cell, self.varying.iter().map(|&i| keys[i].clone()).collect());
        if self.rows.last().is_none_or(|(last, _)| !last.is_same_cell(&row)) {
            self.rows.push((row, Samples::default()));
        }
        let (_, samples) = self.rows.last_mut().expect("just pushed if there was none");
        samples.seed.push(cell.seed);
        samples.sla_rate.push(value("sla_rate"));
        samples.latency_p99_us.push(value("latency_p99_us"));
        samples.energy_per_request_uj.push(value("energy_per_request_uj"));
        samples.gap_to_bound.push(value("gap_to_bound"));
    }

    /// The finished rows.
    pub fn rows(self) -> Vec<Row> {
        let finished: Vec<(Row, Samples)> =
            self.rows.into_iter().map(|(row, samples)| (row.with(&samples), samples)).collect();
        // The rows of a case follow one another.
        let of_cases = finished.chunk_by(|(one, _), (next, _)| one.is_same_case(next));
        let gained = of_cases.flat_map(|rows| {
            let reference = rows.iter().find(|(row, _)| row.rule == REFERENCE);
            rows.iter().map(move |(row, samples)| match reference {
                Some((_, theirs)) if row.rule != REFERENCE => row.gaining(samples, theirs),
                _ => row.clone(),
            })
        });
        gained.collect()
    }
}

impl Row {
    fn new(cell: &Cell, setting: Vec<(String, String)>) -> Self {
        Self {
            system: cell.case.system.clone(),
            scenario: cell.case.workload.scenario.name.clone(),
            qos: cell.case.qos.name(),
            load: Some(cell.case.nominal_load()).filter(|load| load.is_finite()),
            setting,
            scheduler: cell.scheduler.label.clone(),
            seeds: 0,
            sla_rate: f64::NAN,
            sla_rate_ci95: None,
            latency_p99_us: None,
            energy_per_request_uj: None,
            gain_percent: None,
            gain_points: None,
            gain_points_ci95: None,
            gap_to_bound: None,
            rule: cell.scheduler.name.clone(),
        }
    }

    /// With the gains over the reference, seed by seed, on the seeds that both have.
    fn gaining(&self, samples: &Samples, theirs: &Samples) -> Self {
        let rates = |of: &Samples| of.seed.iter().copied().zip(of.sla_rate.iter().copied()).collect();
        let their: BTreeMap<u64, f64> = rates(theirs);
        let own: BTreeMap<u64, f64> = rates(samples);
        let pairs = own.iter().filter_map(|(seed, own)| Some((*own, *their.get(seed)?)));
        let (own, their): (Vec<f64>, Vec<f64>) = pairs.unzip();
        let points: Vec<f64> = own.iter().zip(&their).map(|(own, their)| 100.0 * (own - their)).collect();
        let means = mean(&own).zip(mean(&their)).filter(|(_, their)| *their > 0.0);
        Self {
            gain_percent: means.map(|(own, their)| 100.0 * (own / their - 1.0)),
            gain_points: mean(&points),
            gain_points_ci95: half_width_95(&points),
            ..self.clone()
        }
    }

    fn with(self, samples: &Samples) -> Self {
        Self {
            seeds: samples.sla_rate.len(),
            sla_rate: mean(&samples.sla_rate).unwrap_or(f64::NAN),
            sla_rate_ci95: half_width_95(&samples.sla_rate),
            latency_p99_us: mean(&samples.latency_p99_us),
            energy_per_request_uj: mean(&samples.energy_per_request_uj),
            gap_to_bound: mean(&samples.gap_to_bound),
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

/// The mean over seeds that have a value.
pub fn mean(samples: &[f64]) -> Option<f64> {
    let (sum, n) = samples.iter().filter(|v| v.is_finite()).fold((0.0, 0), |(sum, n), v| (sum + v, n + 1));
    (n > 0).then(|| sum / f64::from(n))
}

/// Half-width of the 95 % confidence interval of the mean over seeds that have a value, by Student's t, seeds taken as
/// independent.
pub fn half_width_95(samples: &[f64]) -> Option<f64> {
    let samples: Vec<f64> = samples.iter().copied().filter(|v| v.is_finite()).collect();
    let n = samples.len() as f64;
    if samples.len() < 2 {
        return None;
    }
    let mean = samples.iter().sum::<f64>() / n;
    let variance = samples.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let t = StudentsT::new(0.0, 1.0, n - 1.0).expect("at least one degree of freedom").inverse_cdf(0.975);
    Some(t * (variance / n).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_students() {
        // Mean 2, standard deviation 1, t(0.975, 2) = 4.3027: 4.3027 / sqrt(3) = 2.4841.
        assert!((half_width_95(&[1.0, 2.0, 3.0]).expect("three samples") - 2.4841).abs() < 1e-4);
        assert_eq!(half_width_95(&[1.0]), None);
        assert_eq!(half_width_95(&[1.0, f64::NAN, 2.0, 3.0]), half_width_95(&[1.0, 2.0, 3.0]));
        assert_eq!(half_width_95(&[1.0, f64::NAN]), None);
        assert_eq!(mean(&[1.0, f64::NAN, 3.0]), Some(2.0));
        assert_eq!(mean(&[f64::NAN]), None);
    }
}
