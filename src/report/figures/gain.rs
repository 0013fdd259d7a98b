//! Relative gain of the SLA rate, against fcfs and against the best other scheduler of the case.

use super::{Data, Section, best_first, cell};
use crate::experiment::summary::{half_width_95, mean};
use crate::report::chart::{Bar, Bars, Chart, Entry, Group, Segment};
use crate::report::number;
use crate::report::results::{Case, Results, Samples};
use crate::report::svg::Style;

/// The scheduler that tables compare with.
const REFERENCE: &str = "fcfs";

const TEXT: &str = "100 x (mean SLA rate / mean SLA rate of the other - 1), in percent. The whisker is the 95 % confidence \
                    interval of the difference, paired by seed, over the mean of the other. The best other of the best \
                    scheduler is the second best.";

pub(super) fn section(results: &Results) -> Section {
    let title = "Gain of the SLA rate";
    Section::of_cases(results, "gain", title, TEXT, |case| picture(results, case))
}

/// A scheduler beside another.
struct Gain {
    percent: f64,
    half: Option<f64>,
}

fn gain(own: &Samples, other: &Samples) -> Option<Gain> {
    let reference = other.mean("sla_rate").filter(|rate| *rate > 0.0)?;
    let differences = own.differences(other, "sla_rate");
    let percent = 100.0 * mean(&differences)? / reference;
    Some(Gain { percent, half: half_width_95(&differences).map(|half| 100.0 * half / reference) })
}

fn picture(results: &Results, case: &Case) -> Option<(Chart, Data)> {
    let ranking = best_first(case);
    let reference = results.scheduler(REFERENCE).filter(|fcfs| ranking.contains(fcfs));
    let mut data = Data::new(&["case", "load", "scheduler", "against", "gain_percent", "gain_percent_ci95"]);
    let mut groups = Vec::new();
    for &scheduler in &ranking {
        let best_other = ranking.iter().copied().find(|other| *other != scheduler);
        let others = [(reference.filter(|fcfs| *fcfs != scheduler), Style(0)), (best_other, Style(1))];
        let mut bars = Vec::new();
        for (other, style) in others {
            let Some(other) = other else { continue };
            let Some(gain) = gain(&case.samples[scheduler], &case.samples[other]) else { continue };
            data.rows.push(vec![
                case.title.clone(),
                cell(case.load),
                results.schedulers[scheduler].clone(),
                results.schedulers[other].clone(),
                cell(Some(gain.percent)),
                cell(gain.half),
            ]);
            bars.push(bar(&gain, style, &results.schedulers[scheduler], &results.schedulers[other]));
        }
        if !bars.is_empty() {
            groups.push(Group { label: results.schedulers[scheduler].clone(), bars });
        }
    }
    let entry = |style, label: &str| Entry { style, label: label.into(), is_line: false };
    let fcfs = reference.map(|_| entry(Style(0), "against fcfs"));
    let legend = fcfs.into_iter().chain([entry(Style(1), "against the best other")]).collect();
    let chart = Bars { x_title: "relative gain of the SLA rate, %".into(), groups, legend };
    (!data.rows.is_empty()).then_some((Chart::Bars(chart), data))
}

fn bar(gain: &Gain, style: Style, own: &str, other: &str) -> Bar {
    let hint = format!("{own} against {other}: {:+.2} %", gain.percent);
    let segments = vec![Segment { length: gain.percent, style, hint }];
    // What rounds to zero has no sign.
    let sign = if gain.percent >= 0.05 { "+" } else { "" };
    let note = format!("{sign}{}", number(Some(gain.percent), 1));
    Bar { segments, half: gain.half, note }
}
