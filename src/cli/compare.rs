//! `mascot compare`: compares a metric of two summaries, for a reader or as a regression check in a CI, or between two
//! values of a key.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;

use super::in_folder;
use super::rank::pair;
use super::table::render;
use crate::experiment::{Error, KEYS};
use crate::results::{
    By, Comparison, Group, Keys, Pairing, Tolerance, Verdict, compare, copies, number, spread,
};
use crate::sweep::Table;

#[derive(Args)]
pub(super) struct Options {
    /// The summary.csv to compare with, or its folder
    a: PathBuf,
    /// The summary.csv to judge, or its folder; left out to compare two values of a key within the first
    b: Option<PathBuf>,
    /// The column to compare
    #[arg(long, value_name = "NAME", default_value = "sla_rate")]
    metric: String,
    /// The key column that tells a from b, e.g. system; rows are matched by all others
    #[arg(long, value_name = "KEY")]
    by: Option<String>,
    /// Use only rows with this value, e.g. late=abort; may be repeated, also to allow several values of one key. Two
    /// values of the key of --by are a and b
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    only: Vec<(String, String)>,
    /// How much the means over seeds may differ, in either direction: a number in the metric's unit, or a percentage of
    /// the mean in A, such as 1% [default: 0; with --by, any difference]
    #[arg(long, value_name = "X")]
    tolerance: Option<Tolerance>,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let a = in_folder(&options.a, Table::Summary.file())?;
    let b = options.b.as_ref().map(|b| in_folder(b, Table::Summary.file())).transpose()?;
    let none = options.by.is_none().then_some(Tolerance::Absolute(0.0));
    let pairing = Pairing {
        metric: &options.metric,
        tolerance: options.tolerance.or(none),
        by: options.by.as_deref(),
        only: &options.only,
    };
    let comparison = compare(&a, b.as_deref(), &pairing)?;
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
    let by = comparison.by.as_ref();
    let mut text = by.map_or(String::new(), |By { key, a, b }| format!("a: {key}={a}, b: {key}={b}\n"));
    if !changed.is_empty() {
        text += &table(comparison, &changed);
    }
    let sides = comparison.sides();
    for (rows, side) in [&comparison.only_a, &comparison.only_b].into_iter().zip(&sides) {
        for keys in rows.iter().take(LISTED) {
            text += &format!("only {side}: {}\n", words(keys));
        }
        if rows.len() > LISTED {
            text += &format!("only {side}: {} more rows\n", rows.len() - LISTED);
        }
    }
    text += &differing_keys(comparison, &sides);
    text.extend(copies(comparison.copies).map(|told| told + "\n"));
    let rows: usize = comparison.groups.iter().map(|group| group.seeds).sum();
    let differ: usize = comparison.groups.iter().map(|group| group.changed.len()).sum();
    let of = if by.is_some() { "pairs of rows" } else { "rows that both files have" };
    text + &format!("{}: {differ} of {rows} {of} differ\n", comparison.metric)
}

/// The keys whose values on the two sides have none in common, which is why no rows match.
fn differing_keys(Comparison { only_a, only_b, by, .. }: &Comparison, [a, b]: &[String; 2]) -> String {
    let mut text = String::new();
    for key in KEYS.iter().filter(|key| by.as_ref().is_none_or(|by| by.key != **key)) {
        let values = |rows: &[Keys]| -> BTreeSet<String> {
            rows.iter().map(|keys| keys.get(key).cloned().unwrap_or("nothing".into())).collect()
        };
        let (of_a, of_b) = (values(only_a), values(only_b));
        if !of_a.is_empty() && !of_b.is_empty() && of_a.is_disjoint(&of_b) {
            let list = |values: BTreeSet<String>| values.into_iter().collect::<Vec<_>>().join(", ");
            text += &format!("`{key}` is {} {a} and {} {b}\n", list(of_a), list(of_b));
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
    let is_paired = |key: &str| comparison.by.as_ref().is_some_and(|by| by.key == key);
    let is_shown = |key: &&str| {
        !is_paired(key) && ["scenario", "load", "scheduler"].contains(key)
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
        ]);
        let beyond = if group.is_within { "" } else { "beyond" };
        cells.extend(comparison.tolerance.map(|_| beyond.into()));
        cells
    });
    let mut header = keys.clone();
    header.extend(["a", "b", "b - a", "+- 95 %", "b is", "changed"]);
    header.extend(comparison.tolerance.map(|_| "tolerance"));
    render(&header, keys.len()..keys.len() + 6, rows.collect())
}
