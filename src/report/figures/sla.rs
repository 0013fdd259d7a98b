//! SLA rate against load, or else against the number that is swept, a picture per setting; without either, a bar per scheduler.

use super::{Data, IN_FRONT, MOST_CASES, Picture, Section, best_first, cell, styles};
use crate::experiment::{KEYS, LOAD};
use crate::report::chart::{Bar, Bars, Chart, Group, Lines, Scale, Segment, Series};
use crate::report::svg::Style;
use crate::results::{Case, Results};
use crate::sweep::{Estimate, RATE, Replicates, Runs};

pub(super) fn section(results: &Results) -> Section {
    let (name, title) = ("sla", "SLA rate");
    let panels: Vec<Vec<&Case>> =
        (0..results.panels.len()).map(|panel| results.cases_of_panel(panel)).collect();
    let picture = |(panel, cases): (usize, &Vec<&Case>)| {
        let ((chart, data), against) = match cases[..] {
            [case] => (bars(results, case), String::new()),
            _ => (lines(results, cases), format!(" against {}", axis(results))),
        };
        let title = format!("{title}{against}: {}", results.panels[panel]);
        Picture { name: format!("{name}-{}", panel + 1), title, chart, data }
    };
    let pictures = panels.iter().enumerate().take(MOST_CASES).map(picture).collect();
    let has_lines = panels.iter().any(|cases| cases.len() > 1);
    let mut text = "Share of measured requests that met their deadline".to_string();
    if has_lines {
        let relative = if results.axis == LOAD { ", relative to lambda*" } else { "" };
        text += &format!(", against {}{relative}", axis(results));
    }
    text += ": mean over seeds with its 95 % confidence interval (Student's t, cut at 0 and 1).";
    let runs = results.cases.iter().flat_map(|case| &case.samples);
    if runs.filter(|runs| !runs.is_empty()).any(|runs| runs.replicates(RATE) == Replicates::Batches) {
        text +=
            " Where there is one run, the interval is by batch means over its requests in order of arrival.";
    }
    if has_lines && results.schedulers.len() > IN_FRONT {
        text +=
            &format!(" The {IN_FRONT} best over all cases stand out; the others are thin, without a band.");
    }
    if results.panels.len() > MOST_CASES {
        text += &format!(" The first {MOST_CASES} of {} pictures.", results.panels.len());
    }
    Section { name, title, text, pictures }
}

fn axis(results: &Results) -> &'static str {
    KEYS[results.axis]
}

fn data(results: &Results) -> Data {
    Data::new(&[
        "case",
        axis(results),
        "scheduler",
        "sla_rate",
        "sla_rate_ci95",
        "seeds",
        "sla_rate_low95",
        "sla_rate_high95",
    ])
}

fn row(results: &Results, case: &Case, scheduler: &str, samples: &Runs) -> Vec<String> {
    let Estimate { mean, ci95, low95, high95 } = samples.estimate(RATE);
    vec![
        case.title.clone(),
        cell(case.number(results.axis)),
        scheduler.to_string(),
        cell(mean),
        cell(ci95),
        samples.len().to_string(),
        cell(low95),
        cell(high95),
    ]
}

fn lines(results: &Results, cases: &[&Case]) -> (Chart, Data) {
    let mut data = data(results);
    let mut line = |label: &str, style, is_faint, of: &dyn Fn(&Case) -> Runs| {
        let mut points = Vec::new();
        for &case in cases {
            let samples = of(case);
            let estimate = samples.estimate(RATE);
            if let (Some(x), Some(rate)) = (case.number(results.axis), estimate.mean) {
                points.push((x, rate, estimate.interval()));
                data.rows.push(row(results, case, label, &samples));
            }
        }
        Series { style, label: label.to_string(), is_faint, points, has_markers: true }
    };
    let mut series: Vec<Series> = Vec::new();
    for (rank, scheduler) in results.ranking().into_iter().enumerate() {
        let is_faint = rank >= IN_FRONT;
        let of = |case: &Case| case.samples[scheduler].clone();
        series.push(line(&results.schedulers[scheduler], Style(rank), is_faint, &of));
    }
    if cases.iter().any(|case| !case.bound.is_empty()) {
        series.push(line("bound", Style::ASIDE, true, &|case| case.bound.clone()));
    }
    let chart = Lines {
        x: Scale::around(cases.iter().filter_map(|case| case.number(results.axis))),
        x_title: axis(results).into(),
        y: Scale { from: 0.0, to: 1.0, log: false },
        y_title: "SLA rate".into(),
        series,
    };
    (Chart::Lines(chart), data)
}

fn bars(results: &Results, case: &Case) -> (Chart, Data) {
    let mut data = data(results);
    let styles = styles(results);
    let group = |scheduler: usize| {
        let (label, samples) = (&results.schedulers[scheduler], &case.samples[scheduler]);
        data.rows.push(row(results, case, label, samples));
        let estimate = samples.estimate(RATE);
        let length = estimate.mean.unwrap_or(0.0);
        let hint = format!("{label}: {length:.4}");
        let segments = vec![Segment { length, style: styles[scheduler], hint }];
        let bar = Bar { segments, interval: estimate.interval(), note: format!("{length:.3}") };
        Group { label: label.clone(), bars: vec![bar] }
    };
    let groups = best_first(results, case).into_iter().map(group).collect();
    (Chart::Bars(Bars { x_title: "SLA rate".into(), groups, legend: Vec::new() }), data)
}
