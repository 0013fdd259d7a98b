//! SLA rate against load, a picture per setting; without a range of loads, a bar per scheduler.

use super::{Data, IN_FRONT, Picture, Section, best_first, cell, styles};
use crate::report::chart::{Bar, Bars, Chart, Group, Lines, Scale, Segment, Series};
use crate::report::results::{Case, Results, Samples};
use crate::report::svg::Style;

const HEADER: [&str; 6] = ["case", "load", "scheduler", "sla_rate", "sla_rate_ci95", "seeds"];

pub(super) fn section(results: &Results) -> Section {
    let (name, title) = ("sla", "SLA rate");
    let interval = "mean over seeds with its 95 % confidence interval (Student's t)";
    if !results.varies_load() {
        let text = format!("Share of counted requests that met their deadline: {interval}.");
        return Section::of_cases(results, name, title, &text, |case| Some(bars(results, case)));
    }
    let mut text = format!(
        "Share of counted requests that met their deadline, against load relative to lambda*: {interval}."
    );
    if results.schedulers.len() > IN_FRONT {
        text +=
            &format!(" The {IN_FRONT} best over all cases stand out; the others are thin, without a band.");
    }
    let picture = |panel: usize| {
        let (chart, data) = lines(results, panel);
        let title = format!("SLA rate against load: {}", results.panels[panel]);
        Picture { name: format!("{name}-{}", panel + 1), title, chart, data }
    };
    Section { name, title, text, pictures: (0..results.panels.len()).map(picture).collect() }
}

fn row(case: &Case, scheduler: &str, samples: &Samples) -> Vec<String> {
    vec![
        case.title.clone(),
        cell(case.load),
        scheduler.to_string(),
        cell(samples.mean("sla_rate")),
        cell(samples.half_width("sla_rate")),
        samples.seeds().to_string(),
    ]
}

fn lines(results: &Results, panel: usize) -> (Chart, Data) {
    let cases = results.cases_of_panel(panel);
    let mut data = Data::new(&HEADER);
    let mut line = |label: &str, style, is_faint, of: &dyn Fn(&Case) -> Samples| {
        let mut points = Vec::new();
        for &case in &cases {
            let samples = of(case);
            if let (Some(load), Some(rate)) = (case.load, samples.mean("sla_rate")) {
                points.push((load, rate, samples.half_width("sla_rate")));
                data.rows.push(row(case, label, &samples));
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
        let style = Style(results.schedulers.len());
        series.push(line("bound", style, true, &|case| case.bound.clone()));
    }
    let loads = cases.iter().filter_map(|case| case.load);
    let chart = Lines {
        x: Scale::around(loads),
        x_title: "load".into(),
        y: Scale { from: 0.0, to: 1.0, log: false },
        y_title: "SLA rate".into(),
        series,
    };
    (Chart::Lines(chart), data)
}

fn bars(results: &Results, case: &Case) -> (Chart, Data) {
    let mut data = Data::new(&HEADER);
    let styles = styles(results);
    let group = |scheduler: usize| {
        let (label, samples) = (&results.schedulers[scheduler], &case.samples[scheduler]);
        data.rows.push(row(case, label, samples));
        let length = samples.mean("sla_rate").unwrap_or(0.0);
        let hint = format!("{label}: {length:.4}");
        let segments = vec![Segment { length, style: styles[scheduler], hint }];
        let bar = Bar { segments, half: samples.half_width("sla_rate"), note: format!("{length:.3}") };
        Group { label: label.clone(), bars: vec![bar] }
    };
    let groups = best_first(case).into_iter().map(group).collect();
    (Chart::Bars(Bars { x_title: "SLA rate".into(), groups, legend: Vec::new() }), data)
}
