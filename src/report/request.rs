//! The picture of one request: its layers in colour, all others grey, with its arrival and its deadline.

use super::chart::{Chart, Gantt, Mark, Run, Scale};
use super::svg::Style;
use crate::results::{Explanation, Ran};
use crate::units::Time;

/// How much of its time is shown before and after it. Our choice.
const MARGIN: f64 = 0.04;

/// The SVG of an explained request, for a file.
pub fn of_request(of: &Explanation) -> String {
    let asked = &of.asked;
    let (first, last) = (ms(asked.arrival), ms(asked.end.max(asked.deadline)));
    let margin = MARGIN * (last - first);
    let x = Scale { from: (first - margin).max(0.0), to: last + margin, log: false };
    let mut rows: Vec<String> =
        of.layers.iter().chain(&of.beside).map(|ran| ran.accelerator.clone()).collect();
    rows.sort();
    rows.dedup();
    let row = |ran: &Ran| rows.iter().position(|row| *row == ran.accelerator).unwrap_or_default();
    let run = |ran: &Ran, style, opacity| {
        let Ran { network, layer, request, tenant, .. } = ran;
        let (start_ms, end_ms) = (ms(ran.start), ms(ran.end));
        let hint = format!("{network}/{layer}/{request} of {tenant}: {start_ms} to {end_ms} ms");
        Run { row: row(ran), start_ms, end_ms, style, hint, opacity }
    };
    let others = of.beside.iter().map(|ran| run(ran, Style::INK, 0.22));
    let runs = others.chain(of.layers.iter().map(|ran| run(ran, Style(0), 0.95))).collect();
    let mark = |at, label: &str| Mark { at_ms: ms(at), label: label.to_string() };
    let marks = vec![mark(asked.arrival, "arrival"), mark(asked.deadline, "deadline")];
    let title = format!("Request {} of {}: {} (others grey)", asked.request, asked.tenant, asked.network);
    Chart::Gantt(Gantt { rows, lanes: Vec::new(), x, runs, marks, legend: Vec::new() })
        .standalone(&title, true)
}

fn ms(time: Time) -> f64 {
    time.as_us() / 1e3
}
