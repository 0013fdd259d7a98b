//! Every scheduler in every cell: the rows behind the means of a ranking, for users who make their own tables.

use std::cmp::Ordering;

use super::sheet::{At, Column, Sheet, difference, over_seeds, own_estimate, told_apart};
use super::{Question, Ranking};
use crate::experiment::KEYS;
use crate::metrics::{self, Value};
use crate::sweep::{Estimate, RATE, Range, range};

/// The result of a scheduler in a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct OfCell {
    /// The values of the keys that tell cells apart, in the order of [`KEYS`].
    pub keys: Vec<(&'static str, String)>,
    /// The label of the scheduler, as in the ranking.
    pub scheduler: String,
    /// The estimate over the seeds.
    pub own: Estimate,
    /// The difference to the reference, paired by seed; zero for the reference itself.
    pub difference: Estimate,
    /// The difference in percent of the reference's mean.
    pub difference_percent: Option<f64>,
    /// `Greater` if the scheduler beats the reference by more than the margin, `Less` if it is beaten, both after the
    /// correction for the number of cells.
    pub against: Ordering,
    /// The difference to the bound, on the seeds that have a bound.
    pub to_bound: Estimate,
    /// The share of the reference's gap to the bound that the scheduler closes, in percent.
    pub closed_percent: Option<f64>,
}

/// The columns of [`to_csv`] after the keys.
pub const CELL_COLUMNS: &[metrics::Column<OfCell>] = &[
    column("scheduler", "Its label", |of| Value::Text(of.scheduler.clone())),
    column("mean", "Mean over the seeds", |of| some(of.own.mean)),
    column("ci95", "Half-width of its 95 % confidence interval", |of| some(of.own.ci95)),
    column("difference", "Difference to the reference, paired by seed", |of| some(of.difference.mean)),
    column("difference_ci95", "Half-width of its interval", |of| some(of.difference.ci95)),
    column("difference_percent", "The difference in percent of the reference's mean", |of| {
        some(of.difference_percent)
    }),
    column("against", "`above` or `below` the reference if the test is significant, else empty", |of| {
        let word = match of.against {
            Ordering::Greater => "above",
            Ordering::Less => "below",
            Ordering::Equal => "",
        };
        Value::Text(word.into())
    }),
    column("to_bound", "Difference to the bound, on the seeds that have one", |of| some(of.to_bound.mean)),
    column("to_bound_ci95", "Half-width of its interval", |of| some(of.to_bound.ci95)),
    column("closed_percent", "Share of the reference's gap to the bound that is closed, in percent", |of| {
        some(of.closed_percent)
    }),
    column("low95", "Lower end of the interval of the mean", |of| some(of.own.low95)),
    column("high95", "Its upper end", |of| some(of.own.high95)),
    column("difference_low95", "Lower end of the interval of the difference", |of| some(of.difference.low95)),
    column("difference_high95", "Its upper end", |of| some(of.difference.high95)),
    column("to_bound_low95", "Lower end of the interval of `to_bound`", |of| some(of.to_bound.low95)),
    column("to_bound_high95", "Its upper end", |of| some(of.to_bound.high95)),
];

/// A column without a direction: which values are good depends on the metric that is ranked by.
const fn column(
    name: &'static str,
    doc: &'static str,
    value: fn(&OfCell) -> Value,
) -> metrics::Column<OfCell> {
    metrics::Column::undirected(name, doc, value)
}

fn some(number: Option<f64>) -> Value {
    number.map_or(Value::NONE, Value::Real)
}

pub(super) fn of_cells(
    sheet: &Sheet,
    schedulers: &[&Column],
    reference: &Column,
    grid: &[At],
    question: &Question,
) -> Vec<OfCell> {
    let differs = |&place: &usize| sheet.cells.iter().any(|cell| cell[place] != sheet.cells[0][place]);
    let keys: Vec<usize> = (0..KEYS.len()).filter(differs).collect();
    let (theirs, range) = (&reference.values, range(question.metric));
    let below = if question.metric == RATE { Range::BELOW_BOUND } else { Range::ANY };
    let against: Vec<_> = schedulers.iter().map(|own| told_apart(grid, own, reference, question)).collect();
    let in_cells = grid.chunk_by(|one, other| one.0 == other.0);
    let rows =
        in_cells.flat_map(|of| schedulers.iter().zip(&against).map(move |(own, against)| (of, own, against)));
    rows.map(|(of, own, against)| {
        let bound = sheet.bounds.get(&own.variant);
        let gap = |values: &Column| {
            over_seeds(of, below, |at| bound?.get(at).map(|bound| values.values[at] - bound))
        };
        let difference = difference(own, reference, of, range);
        let percent = |(part, whole): (f64, f64)| (whole != 0.0).then(|| 100.0 * part / whole);
        let (to_bound, left) = (gap(own), gap(reference).mean);
        OfCell {
            keys: keys.iter().map(|&key| (KEYS[key], sheet.cells[of[0].0][key].clone())).collect(),
            scheduler: own.name.clone(),
            own: own_estimate(own, of, range),
            difference_percent: difference
                .mean
                .zip(over_seeds(of, range, |at| Some(theirs[at])).mean)
                .and_then(percent),
            difference,
            against: against[&of[0].0],
            closed_percent: to_bound.mean.zip(left).map(|(own, left)| (own - left, -left)).and_then(percent),
            to_bound,
        }
    })
    .collect()
}

/// The CSV text with a row per cell and scheduler.
pub fn to_csv(ranking: &Ranking) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let keys = ranking.of_cells.first().map_or(&[][..], |of| &of.keys[..]);
    let names = CELL_COLUMNS.iter().map(|column| column.heading.name);
    writer.write_record(keys.iter().map(|(key, _)| *key).chain(names)).expect("memory takes all");
    for of in &ranking.of_cells {
        let cells = metrics::Column::row(CELL_COLUMNS, of).map(|value| value.to_string());
        let keys = of.keys.iter().map(|(_, value)| value.clone());
        writer.write_record(keys.chain(cells)).expect("memory takes all");
    }
    String::from_utf8(writer.into_inner().expect("memory takes all")).expect("text was written")
}

#[cfg(test)]
mod tests {
    use super::super::Question;
    use super::super::sheet::tests::{PLAIN, row};
    use super::*;
    use crate::experiment::BOUND;

    #[test]
    fn a_row_per_cell_and_scheduler_by_hand() {
        let mut all = Vec::new();
        for (seed, more) in (1..=8).map(|seed| (seed, 0.001 * seed as f64)) {
            all.push(row("a", "light", "host", seed, 0.75 + more));
            all.push(row("b", "light", "host", seed, 0.5 + more));
            all.push(row("a", "mixed", "host", seed, 0.5));
            all.push(row("b", "mixed", "host", seed, 0.5));
        }
        all.push(row(BOUND, "light", "host", 1, 1.001));
        let question = Question { over: Some("b"), ..PLAIN };
        let ranking = Sheet::new(&all, &question).rank(&question).unwrap();
        let text = to_csv(&ranking);
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
        assert_eq!(lines[0][..4], ["scenario", "scheduler", "mean", "ci95"]);
        assert_eq!(lines.len(), 5, "{text}");
        let number = |line: usize, column: usize| lines[line][column].parse::<f64>().unwrap();
        assert_eq!((lines[1][..2].to_vec(), lines[1][7]), (vec!["light", "a"], "above"));
        for (column, expected) in [(2, 0.7545), (4, 0.25), (6, 100.0 * 0.25 / 0.5045), (8, -0.25), (10, 50.0)]
        {
            assert!((number(1, column) - expected).abs() < 1e-9, "{column}: {text}");
        }
        assert_eq!((lines[3][..2].to_vec(), lines[3][7], lines[3][8]), (vec!["mixed", "a"], "", ""));
    }
}
