//! The table of a run on fleets: what each dispatcher gave its users, and what no dispatcher could exceed.

use std::collections::BTreeSet;

use super::run::{case_cells, case_headings};
use super::table::render;
use crate::results::{Row, Served, copies, number, spread};

/// The columns after the dispatcher.
const NUMBERS: [&str; 10] = [
    "quality",
    "+- 95 %",
    "vs first",
    "+- 95 %",
    "served rate",
    "SLA rate",
    "accuracy",
    "mean latency,\nus",
    "uJ per measured\nrequest",
    "seeds",
];

pub(super) fn served_table(rows: &[Row]) -> String {
    let setting = rows.first().map(|row| &row.setting[..]).unwrap_or_default();
    let mut header = case_headings("fleet").to_vec();
    header.extend(setting.iter().map(|(key, _)| *key));
    header.push("dispatcher");
    let first_number = header.len();
    header.extend(NUMBERS);
    let mut lines = Vec::new();
    for of_case in rows.chunk_by(|one, next| case_cells(one) == case_cells(next)) {
        for row in of_case {
            let Some(served) = &row.served else { continue };
            let mut cells = case_cells(row);
            cells.push(row.scheduler.clone());
            cells.extend(numbers(row, served));
            lines.push(cells);
        }
        let bound = of_case.iter().find_map(|row| row.served.as_ref()?.quality_bound);
        if let Some(bound) = bound {
            let mut cells = case_cells(&of_case[0]);
            cells.extend(["bound".into(), number(Some(bound), 4)]);
            cells.resize(header.len(), "-".into());
            lines.push(cells);
        }
    }
    render(&header, first_number..header.len(), lines) + &footnotes(rows)
}

fn numbers(row: &Row, of: &Served) -> [String; 10] {
    [
        number(of.quality, 4),
        spread(of.quality, of.quality_interval95, 4),
        number(of.quality_gain, 4),
        spread(of.quality_gain, of.quality_gain_interval95, 4),
        number(of.served_rate, 4),
        number(Some(row.sla_rate), 4),
        number(of.accuracy, 4),
        number(of.latency_us, 0),
        number(row.energy_per_request_uj, 1),
        row.seeds.to_string(),
    ]
}

/// Notes on what the numbers cover, one per line.
fn footnotes(rows: &[Row]) -> String {
    let mut firsts: Vec<&str> = Vec::new();
    for of_case in rows.chunk_by(|one, next| case_cells(one) == case_cells(next)) {
        firsts.push(&of_case[0].scheduler);
    }
    let first = firsts.iter().all(|first| *first == firsts[0]).then(|| format!(" ({})", firsts[0]));
    let of = format!(
        "vs first: quality minus that of the first dispatcher{}, paired by seed; accuracy, mean latency: means over the \
         answers, late ones included; bound: quality at most, delays and queues aside",
        first.unwrap_or_default()
    );
    let notes: BTreeSet<&str> =
        rows.iter().filter(|row| row.seeds == 1).map(|_| "one run: no interval").collect();
    let copies = copies(rows.iter().map(|row| row.copies).sum());
    [&*of].into_iter().chain(notes).chain(copies.as_deref()).map(|note| format!("{note}\n")).collect()
}
