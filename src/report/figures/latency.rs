//! Latency: its distribution over every measured request if there is a requests.csv, else three percentiles.

use std::collections::BTreeMap;

use super::{Data, IN_FRONT, Section, best_first, cell, segment_legend, styles};
use crate::experiment::{Error, SCHEDULER};
use crate::files::Record;
use crate::report::chart::{Axis, Bar, Bars, Chart, Group, Intervals, Lines, Scale, Segment, Series, WIDTH};
use crate::report::svg::Style;
use crate::results::{Case, CsvFile, Results, number};

const OF_REQUESTS: &str = "Share of all measured requests that finished within a time of their arrival, from \
                           requests.csv, all seeds together. Lines end below 1 where requests were dropped or did not \
                           finish.";

const OF_PERCENTILES: &str = "The 50th, 95th and 99th percentile of the latency of the requests that finished, means over \
                              seeds with 95 % confidence intervals, from summary.csv; in brackets the share of the measured \
                              requests that finished. `mascot run --requests` records every request, and so the \
                              whole distribution.";

/// The percentiles that summary.csv has.
const PERCENTILES: [(&str, &str); 3] = [
    ("latency_p50_us", "50th percentile"),
    ("latency_p95_us", "95th percentile"),
    ("latency_p99_us", "99th percentile"),
];

/// The number of points of a line. Our choice, because a line of this many looks smooth.
const POINTS: usize = 160;

/// Points of a line: (milliseconds, share of requests).
type Curve = Vec<(f64, f64)>;

pub(super) fn section(results: &Results) -> Result<Section, Error> {
    let (name, title) = ("latency", "Latency");
    let path = results.folder.join("requests.csv");
    if !path.exists() {
        let picture = |case: &Case| percentiles(results, case);
        return Ok(Section::of_cases(results, name, title, OF_PERCENTILES, picture));
    }
    let all = read(results, CsvFile::open(&path)?)?;
    let curve = |case: &Case, scheduler: usize| {
        let place = results.case_of(&case.keys).unwrap_or(usize::MAX);
        all.get(&(place, scheduler)).map(|latencies| distribution(latencies)).unwrap_or_default()
    };
    let picture = |case: &Case| distributions(results, case, &curve);
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

/// Bars of the percentiles, a group per scheduler.
fn percentiles(results: &Results, case: &Case) -> Option<(Chart, Data)> {
    let mut data = Data::new(&[
        "case",
        "load",
        "scheduler",
        "percentile",
        "latency_ms",
        "latency_ms_low95",
        "latency_ms_high95",
        "finished_share",
    ]);
    let mut groups = Vec::new();
    for scheduler in best_first(results, case) {
        let (label, runs) = (&results.schedulers[scheduler], &case.samples[scheduler]);
        let finished = runs.mean_share("finished", "requests");
        let mut bars = Vec::new();
        for (place, (column, words)) in PERCENTILES.iter().enumerate() {
            let estimate = runs.estimate(column).times(1e-3);
            let Some(length) = estimate.mean else { continue };
            let mut row = vec![case.title.clone(), cell(case.load), label.clone(), (*words).into()];
            row.extend([estimate.mean, estimate.low95, estimate.high95, finished].map(cell));
            data.rows.push(row);
            let segment =
                Segment { length, style: Style(place), hint: format!("{label}, {words}: {length:.3} ms") };
            let note = if place == 0 { format!("({})", number(finished, 3)) } else { String::new() };
            bars.push(Bar { segments: vec![segment], interval: estimate.interval(), note });
        }
        groups.extend((!bars.is_empty()).then(|| Group { label: label.clone(), bars }));
    }
    let legend = segment_legend(PERCENTILES.map(|(_, label)| label));
    let chart = Bars { x_title: "latency of finished requests, ms".into(), groups, legend, width: WIDTH };
    (!data.rows.is_empty()).then_some((Chart::Bars(chart), data))
}

/// Lines of the whole distributions.
fn distributions(
    results: &Results,
    case: &Case,
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
            has_markers: false,
            points: points.into_iter().map(|(ms, share)| (ms, share, None)).collect(),
        });
    }
    let latencies = series.iter().flat_map(|series| &series.points).map(|point| point.0);
    let chart = Lines {
        x: Axis::new(Scale::logarithmic(latencies), "latency, ms"),
        y: Axis::new(Scale { from: 0.0, to: 1.0, log: false }, "share of measured requests"),
        series,
        intervals: Intervals::Bands,
        width: WIDTH,
    };
    (!data.rows.is_empty()).then_some((Chart::Lines(chart), data))
}
