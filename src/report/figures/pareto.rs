//! One metric against another, a point per scheduler: the mean of each case, and, where there are several, the mean of
//! all of them.

use super::{Data, MOST_CASES, Picture, Section, cell, styles};
use crate::experiment::Error;
use crate::metrics::Better;
use crate::report::chart::{Axis, Chart, Dot, Scale, Scatter};
use crate::results::{Case, Question, Results, quantity, rank};
use crate::sweep::{Estimate, Table, column};

/// The estimates of both metrics by scheduler.
type Points = Vec<(usize, [Estimate; 2])>;

/// The section of a pair of metrics.
///
/// # Errors
/// The results cannot be read again for the means of all cases.
pub(super) fn section(results: &Results, metrics: &[String; 2]) -> Result<Section, Error> {
    let [x, y] = metrics;
    let name = format!("pareto-{x}-{y}");
    let title = format!("{} against {}", quantity(y), quantity(x));
    let mut pictures = Vec::new();
    if results.cases.len() > 1 {
        let all = format!("mean of all {} cases", results.cases.len());
        pictures.extend(picture(results, metrics, &name, &all, of_all(results, metrics)?));
    }
    for case in results.cases.iter().take(MOST_CASES) {
        pictures.extend(picture(results, metrics, &name, &case.title, of_case(case, metrics)));
    }
    let [x, y] = metrics.each_ref().map(|metric| direction(metric));
    let text = format!(
        "A point per scheduler, with 95 % confidence intervals: {} on the horizontal axis and {} on the vertical one are \
         better. The line joins the schedulers whose means no other beats in both (the Pareto front).",
        side(x, "left", "right"),
        side(y, "down", "up"),
    );
    Ok(Section { name, title, text, pictures })
}

/// The direction of a metric; an unknown one counts as better when it is high.
fn direction(metric: &str) -> Better {
    column(metric).map_or(Better::Neither, |column| column.better)
}

fn side(better: Better, low: &'static str, high: &'static str) -> &'static str {
    if better == Better::Lower { low } else { high }
}

fn of_case(case: &Case, metrics: &[String; 2]) -> Points {
    let ran = case.samples.iter().enumerate().filter(|(_, runs)| !runs.is_empty());
    ran.map(|(scheduler, runs)| (scheduler, metrics.each_ref().map(|metric| runs.estimate(metric)))).collect()
}

/// The means over the cells and seeds that all schedulers have; no point if they have none in common.
fn of_all(results: &Results, metrics: &[String; 2]) -> Result<Points, Error> {
    let mut points: Points = (0..results.schedulers.len()).map(|of| (of, [Estimate::default(); 2])).collect();
    for (place, metric) in metrics.iter().enumerate() {
        let path = results.folder.join(Table::of_metric(metric).file());
        let Ok(ranking) =
            rank(std::slice::from_ref(&path), &Question { only: &results.only, ..Question::of(metric) })
        else {
            continue;
        };
        for ranked in &ranking.schedulers {
            if let Some(scheduler) = results.scheduler(&ranked.scheduler) {
                points[scheduler].1[place] = ranked.all;
            }
        }
    }
    Ok(points)
}

fn picture(
    results: &Results,
    metrics: &[String; 2],
    name: &str,
    title: &str,
    points: Points,
) -> Option<Picture> {
    let [x, y] = metrics;
    let ends = ["", "_low95", "_high95"];
    let columns = metrics.iter().flat_map(|metric| ends.map(|end| format!("{metric}{end}")));
    let header = ["case", "scheduler"].map(String::from).into_iter().chain(columns);
    let mut data = Data::with(header.chain(["on_front".into()]).collect());
    let (styles, better) = (styles(results), metrics.each_ref().map(|metric| direction(metric)));
    let of = |scheduler: usize| points.iter().find(|(of, _)| *of == scheduler).map(|(_, both)| both);
    let told: Vec<(usize, [f64; 2], &[Estimate; 2])> = { results.ranking() }
        .into_iter()
        .filter_map(|scheduler| of(scheduler).map(|both| (scheduler, both)))
        .filter_map(|(scheduler, both)| Some((scheduler, [both[0].mean?, both[1].mean?], both)))
        .collect();
    let means: Vec<[f64; 2]> = told.iter().map(|(_, at, _)| *at).collect();
    let mut dots = Vec::new();
    for (scheduler, at, both) in told {
        let label = &results.schedulers[scheduler];
        let is_on_front = !means.iter().any(|other| beats(other, &at, better));
        let mut row = vec![title.to_string(), label.clone()];
        row.extend(both.iter().flat_map(|of| [of.mean, of.low95, of.high95].map(cell)));
        row.push(u8::from(is_on_front).to_string());
        data.rows.push(row);
        let intervals = both.each_ref().map(Estimate::interval);
        dots.push(Dot { label: label.clone(), style: styles[scheduler], at, intervals, is_on_front });
    }
    let axis = |place: usize, metric: &str| {
        let ends = |dot: &Dot| dot.intervals[place].unwrap_or([dot.at[place]; 2]);
        Axis::new(Scale::around(dots.iter().flat_map(ends)), quantity(metric))
    };
    let (x_axis, y_axis) = (axis(0, x), axis(1, y));
    let is_low_better = better.map(|better| better == Better::Lower);
    let heading = format!("{} against {}", quantity(y), quantity(x));
    let chart = Chart::Scatter(Scatter { x: x_axis, y: y_axis, dots, is_low_better });
    (!data.rows.is_empty()).then(|| Picture::new(name, title, heading, chart, data))
}

/// Whether one point is at least as good as another in both metrics, and better in one.
fn beats(one: &[f64; 2], other: &[f64; 2], better: [Better; 2]) -> bool {
    let gains: Vec<f64> = (0..2).map(|place| (one[place] - other[place]) * better[place].sign()).collect();
    gains.iter().all(|gain| *gain >= 0.0) && gains.iter().any(|gain| *gain > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_beaten_only_in_both() {
        let better = [Better::Lower, Better::Higher];
        assert!(beats(&[1.0, 0.9], &[2.0, 0.8], better) && beats(&[1.0, 0.9], &[1.0, 0.8], better));
        assert!(!beats(&[1.0, 0.7], &[2.0, 0.8], better) && !beats(&[1.0, 0.9], &[1.0, 0.9], better));
    }
}
