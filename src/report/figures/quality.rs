//! Quality against load, or else against the number that is swept, a picture per fleet and scenario; without either, a
//! bar per dispatcher. The bound is a line, and a bar, of its own.

use super::{Data, MOST_CASES, Picture, Section, best_first, cell, styles};
use crate::experiment::{KEYS, LOAD};
use crate::report::chart::{Bar, Bars, Chart, Group, Lines, Scale, Segment, Series};
use crate::report::svg::Style;
use crate::results::{Case, Results};
use crate::sweep::{Estimate, QUALITY, Runs};

/// The most dispatchers in a picture. Our choice, because no more lines and bands can be told apart.
pub(super) const SHOWN: usize = super::IN_FRONT;

pub(super) fn section(results: &Results) -> Section {
    let (name, title) = ("quality", "Quality");
    let axis = KEYS[results.axis];
    let panels: Vec<Vec<&Case>> =
        (0..results.panels.len()).map(|panel| results.cases_of_panel(panel)).collect();
    let picture = |(panel, cases): (usize, &Vec<&Case>)| {
        let ((chart, data), against) = match cases[..] {
            [case] => (bars(results, case), String::new()),
            _ => (lines(results, cases), format!(" against {axis}")),
        };
        let title = format!("{title}{against}: {}", results.panels[panel]);
        Picture { name: format!("{name}-{}", panel + 1), title, chart, data }
    };
    let pictures = panels.iter().enumerate().take(MOST_CASES).map(picture).collect();
    let relative = if results.axis == LOAD { ", relative to lambda*" } else { "" };
    let mut text = format!(
        "Mean quality of the measured requests (0 without an answer) against {axis}{relative}: mean over seeds with its \
         95 % confidence interval (Student's t, cut at 0 and 1). The bound is the most that any dispatcher could reach \
         at these rates, delays and queues aside."
    );
    if results.schedulers.len() > SHOWN {
        text += &format!(
            " The {SHOWN} best dispatchers of {} over all cases; the numbers of all are in the CSV file and in the table.",
            results.schedulers.len()
        );
    }
    Section { name, title, text, pictures }
}

fn data(results: &Results) -> Data {
    Data::new(&[
        "case",
        KEYS[results.axis],
        "scheduler",
        QUALITY,
        "quality_ci95",
        "seeds",
        "quality_low95",
        "quality_high95",
    ])
}

fn row(results: &Results, case: &Case, label: &str, runs: usize, estimate: &Estimate) -> Vec<String> {
    let Estimate { mean, ci95, low95, high95 } = *estimate;
    let [mean, ci95, low95, high95] = [mean, ci95, low95, high95].map(cell);
    let axis = cell(case.number(results.axis));
    vec![case.title.clone(), axis, label.into(), mean, ci95, runs.to_string(), low95, high95]
}

/// The bound of a case, which is the same under all dispatchers.
fn bound(case: &Case) -> Option<f64> {
    case.samples.iter().find_map(|runs| runs.mean("quality_bound"))
}

fn lines(results: &Results, cases: &[&Case]) -> (Chart, Data) {
    let mut data = data(results);
    let mut all = Vec::new();
    for (rank, scheduler) in results.ranking().into_iter().enumerate() {
        let label = &results.schedulers[scheduler];
        let mut points = Vec::new();
        for &case in cases {
            let runs: &Runs = &case.samples[scheduler];
            let estimate = runs.estimate(QUALITY);
            if let (Some(x), Some(quality)) = (case.number(results.axis), estimate.mean) {
                points.push((x, quality, estimate.interval()));
                data.rows.push(row(results, case, label, runs.len(), &estimate));
            }
        }
        let style = Style(rank);
        all.push(Series { style, label: label.clone(), is_faint: false, points, has_markers: true });
    }
    all.retain(|series| !series.points.is_empty());
    all.truncate(SHOWN);
    let bounds = cases.iter().filter_map(|case| Some((case, case.number(results.axis)?, bound(case)?)));
    let bounds: Vec<_> = bounds.collect();
    for (case, _, quality) in &bounds {
        let estimate = Estimate { mean: Some(*quality), ..Estimate::default() };
        data.rows.push(row(results, case, "bound", 0, &estimate));
    }
    if !bounds.is_empty() {
        let points = bounds.iter().map(|&(_, x, quality)| (x, quality, None)).collect();
        let (style, label) = (Style::ASIDE, "bound".into());
        all.push(Series { style, label, is_faint: false, points, has_markers: false });
    }
    let chart = Lines {
        x: Scale::around(cases.iter().filter_map(|case| case.number(results.axis))),
        x_title: KEYS[results.axis].into(),
        y: Scale { from: 0.0, to: 1.0, log: false },
        y_title: "mean quality".into(),
        series: all,
    };
    (Chart::Lines(chart), data)
}

fn bars(results: &Results, case: &Case) -> (Chart, Data) {
    let mut data = data(results);
    let styles = styles(results);
    let mut groups = Vec::new();
    let mut group = |label: &str, style: Style, runs: usize, estimate: &Estimate| {
        data.rows.push(row(results, case, label, runs, estimate));
        let length = estimate.mean.unwrap_or(0.0);
        let segments = vec![Segment { length, style, hint: format!("{label}: {length:.4}") }];
        let bar = Bar { segments, interval: estimate.interval(), note: format!("{length:.3}") };
        groups.push(Group { label: label.into(), bars: vec![bar] });
    };
    if let Some(quality) = bound(case) {
        group("bound", Style::ASIDE, 0, &Estimate { mean: Some(quality), ..Estimate::default() });
    }
    for scheduler in best_first(results, case) {
        let runs = &case.samples[scheduler];
        group(&results.schedulers[scheduler], styles[scheduler], runs.len(), &runs.estimate(QUALITY));
    }
    groups.truncate(SHOWN + 1);
    (Chart::Bars(Bars { x_title: "mean quality".into(), groups, legend: Vec::new() }), data)
}
