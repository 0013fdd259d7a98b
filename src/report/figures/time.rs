//! Where the time of an answer goes: the decision where it goes, links, the queue of the site, and service.

use super::{Data, Section, best_first, cell, segment_legend};
use crate::report::chart::{Bar, Bars, Chart, Group, Segment, WIDTH};
use crate::report::svg::Style;
use crate::results::{Case, PARTS, Results, number};

/// The most dispatchers in a picture. Our choice, because the best are what a reader looks for, and what all of them need is
/// in the CSV file.
const SHOWN: usize = 12;

const TEXT: &str = "Mean latency of the answers, late ones included, in its parts: the wait at the node for the decision where \
                    the request goes, the links there and back, the queue of the site, and service. Means over seeds, the \
                    dispatcher with the best quality first; behind each bar the sum and, in brackets, the share of the \
                    requests that were answered: who gives up many has less to wait for.";

pub(super) fn section(results: &Results) -> Section {
    let mut text = TEXT.to_string();
    if results.schedulers.len() > SHOWN {
        text += &format!(" The {SHOWN} best dispatchers of each case; the CSV file has all.");
    }
    Section::of_cases(results, "time", "Where the time goes", &text, |case| picture(results, case))
}

fn picture(results: &Results, case: &Case) -> Option<(Chart, Data)> {
    let mut data = Data::new(&[
        "case",
        "load",
        "scheduler",
        "dispatch_us",
        "network_us",
        "queue_us",
        "service_us",
        "latency_us",
        "answered_share",
    ]);
    let mut groups = Vec::new();
    for scheduler in best_first(results, case) {
        let (label, runs) = (&results.schedulers[scheduler], &case.samples[scheduler]);
        let parts: Option<Vec<f64>> = PARTS.iter().map(|(part, _)| runs.mean(part)).collect();
        let Some(parts) = parts else { continue };
        let (total, answered) = (parts.iter().sum::<f64>(), runs.mean_share("answered", "requests"));
        let numbers = parts.iter().copied().map(Some).chain([Some(total), answered]).map(cell);
        data.rows
            .push([case.title.clone(), cell(case.load), label.clone()].into_iter().chain(numbers).collect());
        let segment = |(place, us): (usize, &f64)| Segment {
            length: us / 1e3,
            style: Style(place),
            hint: format!("{label}, {}: {:.3} ms", PARTS[place].1, us / 1e3),
        };
        let segments = parts.iter().enumerate().map(segment).collect();
        let note = format!("{} ({})", number(Some(total / 1e3), 1), number(answered, 2));
        groups.push(Group { label: label.clone(), bars: vec![Bar { segments, interval: None, note }] });
    }
    groups.truncate(SHOWN);
    let legend = segment_legend(PARTS.map(|(_, label)| label));
    let chart = Bars { x_title: "mean latency of the answers, ms".into(), groups, legend, width: WIDTH };
    (!data.rows.is_empty()).then_some((Chart::Bars(chart), data))
}
