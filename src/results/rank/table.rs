//! A ranking as a table of words: its heading, a row per scheduler, and what the numbers cover.

use super::{Ranked, Ranking};
use crate::metrics::Better;
use crate::results::{copies, number, spread};
use crate::sweep::{Estimate, RATE, Replicates, column};

/// A ranking as it is printed, and as a page shows it.
pub struct RankTable {
    /// The headings: the scheduler, and then numbers.
    pub header: Vec<String>,
    /// A row per scheduler, the best mean first.
    pub rows: Vec<Vec<String>>,
    /// Notes on what the numbers cover, in one line.
    pub note: String,
}

/// The table of a ranking.
pub fn table(ranking: &Ranking) -> RankTable {
    let groups = ranking.groups.iter().map(String::as_str).chain(["all"]);
    let mut header = vec!["scheduler".to_string()];
    header.extend(groups.flat_map(|group| [group.to_string(), "+- 95 %".into()]));
    header.extend([format!("difference to {}", ranking.over), "+- 95 %".into(), "%".into()]);
    let counts = match ranking.better {
        Better::Neither => ["above in", "below in"],
        Better::Higher | Better::Lower => ["better in", "worse in"],
    };
    header.extend(counts.map(String::from));
    header.extend(ranking.beside.map(String::from));
    let has_bound = ranking.schedulers.iter().any(|of| of.to_bound.is_some());
    if has_bound {
        header.extend(["difference to bound", "+- 95 %", "closed %"].map(String::from));
    }
    let rows = ranking.schedulers.iter().map(|of| row(of, ranking.beside.is_some(), has_bound)).collect();
    RankTable { header, rows, note: footnotes(ranking).join("; ") }
}

/// Notes on what the numbers cover.
fn footnotes(ranking: &Ranking) -> Vec<String> {
    let count = |n: usize, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
    let cells = count(ranking.cells, "cell");
    let mut notes = vec![format!("{}: {cells}, {}", ranking.metric, count(ranking.seeds, "seed"))];
    notes.extend(match ranking.better {
        Better::Higher => None,
        Better::Lower => Some("lower is better".into()),
        Better::Neither => Some("no direction: highest first".into()),
    });
    notes.extend(column(&ranking.metric).and_then(|column| column.given.note()).map(String::from));
    notes.extend(ranking.replicates.note().map(String::from));
    if ranking.replicates == Replicates::Draws && ranking.metric == RATE {
        notes.extend(Replicates::Batches.note().map(String::from));
    }
    notes.extend(copies(ranking.copies));
    if ranking.left_out > 0 {
        let pairs = count(ranking.left_out, "pair");
        notes.push(format!(
            "{pairs} of cell and seed left out, because some scheduler lacks a run or a value there"
        ));
    }
    notes
}

fn row(of: &Ranked, is_beside: bool, has_bound: bool) -> Vec<String> {
    let estimate = |of: Option<Estimate>| {
        let of = of.unwrap_or_default();
        [number(of.mean, 4), spread(of.mean, of.interval(), 4)]
    };
    let mut cells = vec![of.scheduler.clone()];
    cells.extend(of.of_groups.iter().chain([&of.all]).flat_map(|&of| estimate(Some(of))));
    cells.extend(estimate(of.difference));
    cells.push(number(of.difference_percent, 1));
    match of.difference {
        Some(_) => cells.extend([of.above, of.below].map(|count| count.to_string())),
        None => cells.extend(["-", "-"].map(String::from)),
    }
    if is_beside {
        cells.push(number(of.beside, 4));
    }
    if has_bound {
        cells.extend(estimate(of.to_bound));
        cells.push(number(of.closed_percent, 1));
    }
    cells
}
