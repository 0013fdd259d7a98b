//! `mascot compare`: compares a metric of two summaries, for a reader or as a regression check in a CI.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;

use super::table::render;
use crate::experiment::{Error, KEYS};
use crate::results::{Comparison, Group, Keys, Tolerance, Verdict, compare, copies, number, spread};
use crate::sweep::Table;

#[derive(Args)]
pub(super) struct Options {
    /// The summary.csv to compare with, or its folder
    a: PathBuf,
    /// The summary.csv to judge, or its folder
    b: PathBuf,
    /// The column to compare
    #[arg(long, value_name = "NAME", default_value = "sla_rate")]
    metric: String,
    /// How much the means over seeds may differ, in either direction: a number in the metric's unit, or a percentage of
    /// the mean in A, such as 1%
    #[arg(long, value_name = "X", default_value = "0")]
    tolerance: Tolerance,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let [a, b] = [&options.a, &options.b].map(|path| super::in_folder(path, Table::Summary.file()));
    let comparison = compare(&a, &b, &options.metric, options.tolerance)?;
    match options.json {
        true => super::print_json(&comparison)?,
        false => super::print(&text(&comparison))?,
    }
    comparison.problem().map_or(Ok(()), |problem| Err(Error::Check(problem)))
}

/// At most so many rows are listed by name; the rest are counted. Our choice, because a reader takes in five at a
/// glance.
const LISTED: usize = 5;

fn text(comparison: &Comparison) -> String {
    let changed: Vec<&Group> = comparison.groups.iter().filter(|group| !group.changed.is_empty()).collect();
    let mut text = if changed.is_empty() { String::new() } else { table(comparison, &changed) };
    for (rows, file) in [(&comparison.only_a, "first"), (&comparison.only_b, "second")] {
        for keys in rows.iter().take(LISTED) {
            text += &format!("only in the {file} file: {}\n", words(keys));
        }
        if rows.len() > LISTED {
            text += &format!("only in the {file} file: {} more rows\n", rows.len() - LISTED);
        }
    }
    text += &differing_keys(comparison);
    text.extend(copies(comparison.copies).map(|told| told + "\n"));
    let rows: usize = comparison.groups.iter().map(|group| group.seeds).sum();
    let differ: usize = comparison.groups.iter().map(|group| group.changed.len()).sum();
    text + &format!("{}: {differ} of {rows} rows that both files have differ\n", comparison.metric)
}

/// The keys whose values in the two files have none in common, which is why no rows match.
fn differing_keys(Comparison { only_a, only_b, .. }: &Comparison) -> String {
    let mut text = String::new();
    for key in KEYS {
        let values = |rows: &[Keys]| -> BTreeSet<String> {
            rows.iter().map(|keys| keys.get(key).cloned().unwrap_or("nothing".into())).collect()
        };
        let (a, b) = (values(only_a), values(only_b));
        if !a.is_empty() && !b.is_empty() && a.is_disjoint(&b) {
            let list = |values: BTreeSet<String>| values.into_iter().collect::<Vec<_>>().join(", ");
            text += &format!("`{key}` is {} in the first file and {} in the second\n", list(a), list(b));
        }
    }
    text
}

/// Names a row by its first six keys, as messages about cells do.
fn words(keys: &Keys) -> String {
    let named = KEYS.iter().take(6).filter_map(|key| Some(format!("{key}={}", keys.get(key)?)));
    named.collect::<Vec<_>>().join(" ")
}

fn table(comparison: &Comparison, changed: &[&Group]) -> String {
    let all = &comparison.groups;
    let is_shown = |key: &&str| {
        ["scenario", "load", "scheduler"].contains(key)
            || all.iter().any(|group| group.keys.get(*key) != all[0].keys.get(*key))
    };
    let keys: Vec<&str> = KEYS.iter().copied().filter(is_shown).collect();
    let rows = changed.iter().map(|group| {
        let mut cells: Vec<String> =
            keys.iter().map(|key| group.keys.get(key).cloned().unwrap_or("-".into())).collect();
        cells.extend([
            number(group.a, 4),
            number(group.b, 4),
            number(group.difference, 4),
            spread(group.difference, group.difference_interval95, 4),
            group.verdict.map_or("-", Verdict::name).into(),
            format!("{}/{}", group.changed.len(), group.seeds),
            if group.is_within { String::new() } else { "beyond".into() },
        ]);
        cells
    });
    let mut header = keys.clone();
    header.extend(["a", "b", "b - a", "+- 95 %", "b is", "changed", "tolerance"]);
    render(&header, keys.len()..keys.len() + 6, rows.collect())
}
