//! Relative gain of the SLA rate, against fcfs and against the best other scheduler of the case.

use super::{Data, Section, best_first, cell};
use crate::report::chart::{Bar, Bars, Chart, Entry, Group, Segment, WIDTH};
use crate::report::svg::Style;
use crate::results::{Case, Results, number};
use crate::sweep::{Estimate, RATE, Runs};

/// The scheduler to which tables compare.
const REFERENCE: &str = "fcfs";

const TEXT: &str = "100 x (mean SLA rate / mean SLA rate of the other - 1), in percent. The whisker is the 95 % \
                    confidence interval of the difference, paired by seed, divided by the mean of the other. For the \
                    best scheduler, the best other is the second best.";

pub(super) fn section(results: &Results) -> Section {
    let title = "Gain of the SLA rate";
    Section::of_cases(results, "gain", title, TEXT, |case| picture(results, case))
}

/// The gain of a scheduler over another, in percent.
fn gain(own: &Runs, other: &Runs) -> Option<Estimate> {
    let reference = other.mean(RATE).filter(|rate| *rate > 0.0)?;
    Some(own.differences(other, RATE).times(100.0 / reference)).filter(|gain| gain.mean.is_some())
}

fn picture(results: &Results, case: &Case) -> Option<(Chart, Data)> {
    let ranking = best_first(results, case);
    let reference = results.scheduler(REFERENCE).filter(|fcfs| ranking.contains(fcfs));
    let mut data = Data::new(&[
        "case",
        "load",
        "scheduler",
        "against",
        "gain_percent",
        "gain_percent_ci95",
        "gain_percent_low95",
        "gain_percent_high95",
    ]);
    let mut groups = Vec::new();
    for &scheduler in &ranking {
        let best_other = ranking.iter().copied().find(|other| *other != scheduler);
        let others = [(reference.filter(|fcfs| *fcfs != scheduler), Style(0)), (best_other, Style(1))];
        let mut bars = Vec::new();
        for (other, style) in others {
            let Some(other) = other else { continue };
            let Some(gain) = gain(&case.samples[scheduler], &case.samples[other]) else { continue };
            let names = [scheduler, other].map(|of| results.schedulers[of].clone());
            let mut row = vec![case.title.clone(), cell(case.load)];
            row.extend(names);
            row.extend([gain.mean, gain.ci95, gain.low95, gain.high95].map(cell));
            data.rows.push(row);
            bars.push(bar(&gain, style, &results.schedulers[scheduler], &results.schedulers[other]));
        }
        if !bars.is_empty() {
            groups.push(Group { label: results.schedulers[scheduler].clone(), bars });
        }
    }
    let entry = |style, label: &str| Entry { style, label: label.into(), is_line: false };
    let fcfs = reference.map(|_| entry(Style(0), "against fcfs"));
    let legend = fcfs.into_iter().chain([entry(Style(1), "against the best other")]).collect();
    let chart = Bars { x_title: "relative gain of the SLA rate, %".into(), groups, legend, width: WIDTH };
    (!data.rows.is_empty()).then_some((Chart::Bars(chart), data))
}

fn bar(gain: &Estimate, style: Style, own: &str, other: &str) -> Bar {
    let percent = gain.mean.unwrap_or(0.0);
    let hint = format!("{own} against {other}: {percent:+.2} %");
    let segments = vec![Segment { length: percent, style, hint }];
    // A gain that rounds to zero is shown without a sign.
    let sign = if percent >= 0.05 { "+" } else { "" };
    let note = format!("{sign}{}", number(Some(percent), 1));
    Bar { segments, interval: gain.interval(), note }
}
