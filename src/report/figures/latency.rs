//! The distribution of latency: over every measured request if there is a requests.csv, else from three percentiles.

use std::collections::BTreeMap;

use super::{Data, IN_FRONT, Section, cell, styles};
use crate::experiment::{Error, SCHEDULER};
use crate::files::Record;
use crate::report::chart::{Chart, Lines, Scale, Series};
use crate::results::{Case, CsvFile, Results};

const OF_REQUESTS: &str = "Share of all measured requests that finished within a time of their arrival, from \
                           requests.csv, all seeds together. Lines end below 1 where requests were dropped or did not \
                           finish.";

const OF_PERCENTILES: &str = "Share of all measured requests that finished within a time of their arrival: 50 %, 95 % \
                              and 99 % of those that finished, means over seeds, from summary.csv. Lines end below 1 \
                              where requests were dropped or did not finish. `mascot run --requests` records \
                              every request, and so the whole distribution.";

/// The number of points of a line. Our choice, because a line of this many looks smooth.
const POINTS: usize = 160;

/// Points of a line: (milliseconds, share of requests).
type Curve = Vec<(f64, f64)>;

pub(super) fn section(results: &Results) -> Result<Section, Error> {
    let (name, title) = ("latency", "Latency");
    let path = results.folder.join("requests.csv");
    if !path.exists() {
        let curve = |case: &Case, scheduler: usize| percentiles(case, scheduler);
        let picture = |case: &Case| picture(results, case, "share of measured requests", &curve);
        return Ok(Section::of_cases(results, name, title, OF_PERCENTILES, picture));
    }
    let all = read(results, CsvFile::open(&path)?)?;
    let curve = |case: &Case, scheduler: usize| {
        let place = results.case_of(&case.keys).unwrap_or(usize::MAX);
        all.get(&(place, scheduler)).map(|latencies| distribution(latencies)).unwrap_or_default()
    };
    let picture = |case: &Case| picture(results, case, "share of measured requests", &curve);
    Ok(Section::of_cases(results, name, title, OF_REQUESTS, picture))
}

/// Sorted latencies by case and scheduler; infinite for a request that never finished.
fn read(results: &Results, mut file: CsvFile) -> Result<BTreeMap<(usize, usize), Vec<f64>>, Error> {
    let (arrival, finish) = (file.column("arrival_us")?, file.column("finish_us")?);
    let place = SCHEDULER;
    let mut all: BTreeMap<(usize, usize), Vec<f64>> = BTreeMap::new();
    let mut record = Record::default();
    while file.read(&mut record)? {
        let keys = file.keys(&record);
        let (Some(case), Some(scheduler)) = (results.case_of(&keys), results.scheduler(&keys[place])) else {
            continue;
        };
        let latency_us = file.number(&record, finish)? - file.number(&record, arrival)?;
        let latency_us = if latency_us.is_nan() { f64::INFINITY } else { latency_us };
        all.entry((case, scheduler)).or_default().push(latency_us);
    }
    all.values_mut().for_each(|latencies| latencies.sort_by(f64::total_cmp));
    Ok(all)
}

fn distribution(sorted_us: &[f64]) -> Curve {
    let finished = sorted_us.iter().filter(|us| us.is_finite()).count();
    let points = POINTS.min(finished);
    let at = |i: usize| {
        let place = if points < 2 { 0 } else { i * (finished - 1) / (points - 1) };
        (sorted_us[place] / 1e3, (place + 1) as f64 / sorted_us.len() as f64)
    };
    (0..points).map(at).collect()
}

fn percentiles(case: &Case, scheduler: usize) -> Curve {
    let of = |(column, share): (&str, f64)| {
        let runs = &case.samples[scheduler];
        Some((runs.mean(column)? / 1e3, share * runs.mean_share("finished", "requests")?))
    };
    [("latency_p50_us", 0.5), ("latency_p95_us", 0.95), ("latency_p99_us", 0.99)]
        .into_iter()
        .filter_map(of)
        .collect()
}

fn picture(
    results: &Results,
    case: &Case,
    y_title: &str,
    curve: &dyn Fn(&Case, usize) -> Curve,
) -> Option<(Chart, Data)> {
    let mut data = Data::new(&["case", "load", "scheduler", "latency_ms", "share"]);
    let styles = styles(results);
    let mut series = Vec::new();
    for (rank, scheduler) in results.ranking().into_iter().enumerate() {
        let (label, points) = (&results.schedulers[scheduler], curve(case, scheduler));
        for &(ms, share) in &points {
            let row = [case.title.clone(), cell(case.load), label.clone(), cell(Some(ms)), cell(Some(share))];
            data.rows.push(row.to_vec());
        }
        series.push(Series {
            style: styles[scheduler],
            label: label.clone(),
            is_faint: rank >= IN_FRONT,
            has_markers: points.len() <= 3,
            points: points.into_iter().map(|(ms, share)| (ms, share, None)).collect(),
        });
    }
    let latencies = series.iter().flat_map(|series| &series.points).map(|point| point.0);
    let chart = Lines {
        x: Scale::logarithmic(latencies),
        x_title: "latency, ms".into(),
        y: Scale { from: 0.0, to: 1.0, log: false },
        y_title: y_title.into(),
        series,
    };
    (!data.rows.is_empty()).then_some((Chart::Lines(chart), data))
}
