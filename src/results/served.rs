//! What a row of the table on the terminal says about a fleet.

use serde::Serialize;

use crate::sweep::{QUALITY, Runs};

/// The parts of a latency, in columns of serving.csv.
pub(crate) const PARTS: [(&str, &str); 4] = [
    ("dispatch_us", "decision where it goes"),
    ("network_us", "links"),
    ("queue_us", "queue"),
    ("service_us", "service"),
];

/// A case of a fleet under one dispatcher, over all seeds: means of columns of serving.csv.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Served {
    /// Mean quality of the measured requests.
    pub quality: Option<f64>,
    /// Half-width of its 95 % confidence interval over seeds.
    pub quality_ci95: Option<f64>,
    /// The interval, cut to the range of a quality.
    pub quality_interval95: Option<[f64; 2]>,
    /// Share of the measured requests that were answered in time and accurately enough.
    pub served_rate: Option<f64>,
    /// Mean accuracy of the answers.
    pub accuracy: Option<f64>,
    /// Mean latency of the answers in microseconds.
    pub latency_us: Option<f64>,
    /// The quality minus that of the first dispatcher of the case, paired by seed; `None` for the first.
    pub quality_gain: Option<f64>,
    /// Half-width of its 95 % confidence interval.
    pub quality_gain_ci95: Option<f64>,
    /// The interval, cut to the range of a difference of qualities.
    pub quality_gain_interval95: Option<[f64; 2]>,
    /// The most quality that any dispatcher could reach.
    pub quality_bound: Option<f64>,
}

impl Served {
    pub(super) fn of(runs: &Runs) -> Self {
        let quality = runs.estimate(QUALITY);
        let parts: Option<Vec<f64>> = PARTS.iter().map(|(part, _)| runs.mean(part)).collect();
        Self {
            quality: quality.mean,
            quality_ci95: quality.ci95,
            quality_interval95: quality.interval(),
            served_rate: runs.mean("served_rate"),
            accuracy: runs.mean("accuracy"),
            latency_us: parts.map(|parts| parts.iter().sum()),
            quality_gain: None,
            quality_gain_ci95: None,
            quality_gain_interval95: None,
            quality_bound: runs.mean("quality_bound"),
        }
    }

    /// Adds the difference to the first dispatcher.
    pub(super) fn beside(self, own: &Runs, first: &Runs) -> Self {
        let difference = own.differences(first, QUALITY);
        Self {
            quality_gain: difference.mean,
            quality_gain_ci95: difference.ci95,
            quality_gain_interval95: difference.interval(),
            ..self
        }
    }
}
