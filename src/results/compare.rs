//! Compares a metric of two summaries, as a regression check, or between two values of a key.
//!
//! Rows are matched by all key columns, seed included, but for the key by which the sides are told apart. Where the
//! scenario fixes absolute arrival rates, the load is measured and does not take part in the match. Differences are b - a,
//! paired by seed, with a 95 % confidence interval by Student's t per case and scheduler, or by batch means for a single run. A difference between runs that are equal
//! to the last digit is exactly zero and has no interval. The tolerance holds in both directions, because a regression
//! check has to show any change; a verdict beside it says whether b is better or worse.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr;

use serde::Serialize;

use super::choice::place;
use super::distinct::{Told, told};
use super::folder::OwnPace;
use super::rows::Row;
use super::sides::{By, Sides};
use crate::experiment::{Error, KEYS, LOAD, SEED};
use crate::metrics::Better;
use crate::sweep::{Estimate, Measured, column, differences, firsts, mean, range};

/// The largest difference of two means that is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tolerance {
    /// A difference in the unit of the metric.
    Absolute(f64),
    /// A difference in percent of the first file's mean.
    Percent(f64),
}

impl FromStr for Tolerance {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, kind): (&str, fn(f64) -> Self) = match text.strip_suffix('%') {
            Some(number) => (number.trim_end(), Self::Percent),
            None => (text, Self::Absolute),
        };
        let value: Option<f64> = number.parse().ok();
        value.filter(|v| *v >= 0.0).map(kind).ok_or("expected a number >= 0, or a percentage such as 1%")
    }
}

impl Tolerance {
    fn allows(self, a: f64, difference: f64) -> bool {
        let most = match self {
            Self::Absolute(most) => most,
            Self::Percent(percent) => percent / 100.0 * a.abs(),
        };
        difference.abs() <= most
    }
}

/// What is compared, and how rows are matched.
pub struct Pairing<'a> {
    /// The column to compare.
    pub metric: &'a str,
    /// The tolerance; `None` accepts every difference.
    pub tolerance: Option<Tolerance>,
    /// The key by which the two sides are told apart; rows are matched by all others.
    pub by: Option<&'a str>,
    /// Keys with values: a row is used only if it has, for each of these keys, one of the given values. Two values of the
    /// key [`Self::by`] are those of the first side and of the second.
    pub only: &'a [(String, String)],
}

/// The comparison of a metric between two sides.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// The column that is compared.
    pub metric: String,
    /// The key that tells the sides apart; `None` if these are two files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<By>,
    /// Whether higher or lower values are better.
    pub better: Better,
    /// The tolerance that was applied; `None` if every difference was accepted.
    pub tolerance: Option<Tolerance>,
    /// The number of rows on either side that are copies of others and do not count.
    pub copies: usize,
    /// Pairs of case and scheduler, in the order of the first side.
    pub groups: Vec<Group>,
    /// The keys of rows that only the first side has.
    pub only_a: Vec<Keys>,
    /// The keys of rows that only the second side has.
    pub only_b: Vec<Keys>,
}

/// Names and values of key columns.
pub type Keys = BTreeMap<&'static str, String>;

/// A case under a scheduler, over the seeds that both sides hold.
#[derive(Debug, Serialize)]
pub struct Group {
    /// The keys without the seed and the key that tells the sides apart.
    pub keys: Keys,
    /// The number of pairs of rows, without pairs that are copies of others.
    pub seeds: usize,
    /// The number of pairs that are copies of others.
    #[serde(skip)]
    copies: usize,
    /// The seeds of the pairs whose values differ.
    pub changed: Vec<u64>,
    /// The mean of the first side, over the seeds that have a value on both sides.
    pub a: Option<f64>,
    /// The mean of the second side, over the same seeds.
    pub b: Option<f64>,
    /// The mean of b - a.
    pub difference: Option<f64>,
    /// Half-width of its 95 % confidence interval; `None` if the runs are equal or give no estimate.
    pub difference_ci95: Option<f64>,
    /// The interval, cut to the range that a difference can have.
    pub difference_interval95: Option<[f64; 2]>,
    /// Whether b is better or worse; `None` if the metric has no direction.
    pub verdict: Option<Verdict>,
    /// Whether the means are within the tolerance, and no value is missing or infinite on one side only.
    pub is_within: bool,
}

/// Whether the mean of b is better or worse than that of a.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The mean of b is better.
    Better,
    /// The mean of b is worse.
    Worse,
}

impl Verdict {
    fn of(difference: f64, better: Better) -> Option<Self> {
        let signed = difference * better.sign();
        match better {
            Better::Neither => None,
            _ if signed > 0.0 => Some(Self::Better),
            _ if signed < 0.0 => Some(Self::Worse),
            _ => None,
        }
    }

    /// The word that tables show.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
        }
    }
}

/// The question put to the runs of a case and scheduler.
#[derive(Clone, Copy)]
struct Asked<'a> {
    metric: &'a str,
    better: Better,
    tolerance: Option<Tolerance>,
}

type BySeed<'a> = BTreeMap<u64, &'a Measured>;
type ByKeys<'a> = BTreeMap<Vec<String>, BySeed<'a>>;

/// Compares a metric of two summaries, or of the rows of one that have either of two values of a key.
///
/// # Errors
/// A file cannot be read or lacks the metric, the key or a value, or it is open which values of the key are meant.
pub fn compare(a: &Path, b: Option<&Path>, pairing: &Pairing) -> Result<Comparison, Error> {
    let Sides { rows: [rows_a, rows_b], copies, paced, by } = Sides::read(a, b, pairing)?;
    let metric = pairing.metric;
    let asked = Asked { metric, better: direction(metric), tolerance: pairing.tolerance };
    let matching = Matching { paced, by: by.as_ref().map(|by| place(by.key)) };
    let (of_a, of_b) = (matching.by_keys(&rows_a), matching.by_keys(&rows_b));
    let (mut groups, mut seen) = (Vec::new(), BTreeSet::new());
    for row in &rows_a {
        let keys = matching.keys(row);
        if let (true, Some(theirs)) = (seen.insert(keys.clone()), of_b.get(&keys)) {
            groups.push(Group::of(&keys, &of_a[&keys], theirs, asked));
        }
    }
    let ((only_a, alone_a), (only_b, alone_b)) =
        (matching.alone(&rows_a, &of_b), matching.alone(&rows_b, &of_a));
    let in_pairs: usize = groups.iter().map(|group: &Group| 2 * group.copies).sum();
    Ok(Comparison {
        metric: metric.to_string(),
        by,
        better: asked.better,
        tolerance: asked.tolerance,
        copies: copies + alone_a + alone_b + in_pairs,
        only_a,
        only_b,
        groups: groups.into_iter().filter(|group| group.seeds > 0).collect(),
    })
}

/// The direction of a metric; an unknown metric has none.
pub(super) fn direction(metric: &str) -> Better {
    column(metric).map_or(Better::Neither, |column| column.better)
}

/// By which keys rows are matched.
struct Matching {
    paced: OwnPace,
    /// The index of the key that tells the sides apart.
    by: Option<usize>,
}

impl Matching {
    /// The keys of a row that its partner has as well; the others, and the seed, are empty.
    fn keys(&self, row: &Row) -> Vec<String> {
        let mut keys = row.keys.clone();
        keys[SEED].clear();
        if self.paced.has(&keys) {
            keys[LOAD].clear();
        }
        self.by.into_iter().for_each(|place| keys[place].clear());
        keys
    }

    fn by_keys<'a>(&self, rows: &'a [Row]) -> ByKeys<'a> {
        let mut by_keys = ByKeys::new();
        for row in rows {
            by_keys.entry(self.keys(row)).or_default().insert(row.seed, &row.run);
        }
        by_keys
    }

    /// The keys of the rows without a partner, and the number of those that are copies of others.
    fn alone(&self, rows: &[Row], other: &ByKeys) -> (Vec<Keys>, usize) {
        let is_matched =
            |row: &Row| other.get(&self.keys(row)).is_some_and(|by_seed| by_seed.contains_key(&row.seed));
        let Told { is_told, copies } = told(rows, is_matched);
        let alone = rows.iter().zip(is_told).filter(|(row, is_told)| *is_told && !is_matched(row));
        (alone.map(|(row, _)| named(&row.keys)).collect(), copies)
    }
}

fn named(keys: &[String]) -> Keys {
    KEYS.iter().copied().zip(keys.iter().cloned()).filter(|(_, value)| !value.is_empty()).collect()
}

/// Leaves out pairs that are copies of others on both sides and in the metric.
fn without_copies<'a>(pairs: &[(u64, [&'a Measured; 2])], metric: &str) -> Vec<(u64, [&'a Measured; 2])> {
    let outcome = |(_, [b, a]): &(u64, [&Measured; 2])| {
        let values = [b, a].map(|run| run.value(metric).to_bits());
        Some((b.fingerprint()?, a.fingerprint()?, values))
    };
    let outcomes: Vec<_> = pairs.iter().map(outcome).collect();
    let firsts = firsts(&outcomes).into_iter().enumerate();
    firsts.filter(|(place, first)| place == first).map(|(place, _)| pairs[place]).collect()
}

impl Group {
    fn of(keys: &[String], a: &BySeed, b: &BySeed, Asked { metric, better, tolerance }: Asked) -> Self {
        let all: Vec<(u64, [&Measured; 2])> =
            a.iter().filter_map(|(seed, a)| Some((*seed, [*b.get(seed)?, *a]))).collect();
        let pairs = without_copies(&all, metric);
        let values = |[b, a]: &[&Measured; 2]| [b.value(metric), a.value(metric)];
        let is_same = |[b, a]: [f64; 2]| a == b || a.is_nan() && b.is_nan();
        let changed =
            pairs.iter().filter(|(_, pair)| !is_same(values(pair))).map(|(seed, _)| *seed).collect();
        let is_told = |pair: &[&Measured; 2]| values(pair).iter().all(|value| value.is_finite());
        // The value is empty or infinite on one side only.
        let is_apart = pairs.iter().any(|(_, pair)| !is_told(pair) && !is_same(values(pair)));
        let told: Vec<[&Measured; 2]> = pairs.iter().map(|(_, pair)| *pair).filter(is_told).collect();
        let side = |side: usize| mean(&told.iter().map(|pair| values(pair)[side]).collect::<Vec<_>>());
        let estimate = match told.iter().all(|[b, a]| a.agrees_with(b)) {
            true => Estimate { mean: (!told.is_empty()).then_some(0.0), ..Estimate::default() },
            false => Estimate::of(&differences(&told, metric), range(metric).of_differences()),
        };
        let mean_a = side(1);
        let is_allowed = |(a, difference)| tolerance.is_none_or(|most| most.allows(a, difference));
        let is_near = mean_a.zip(estimate.mean).is_none_or(is_allowed);
        Self {
            keys: named(keys),
            seeds: pairs.len(),
            copies: all.len() - pairs.len(),
            changed,
            a: mean_a,
            b: side(0),
            difference: estimate.mean,
            difference_ci95: estimate.ci95,
            difference_interval95: estimate.interval(),
            verdict: estimate.mean.and_then(|difference| Verdict::of(difference, better)),
            is_within: is_near && (!is_apart || tolerance.is_none()),
        }
    }
}

impl Comparison {
    /// Describes which means are beyond the tolerance and how many rows are on one side only; `None` if there are none.
    pub fn problem(&self) -> Option<String> {
        let beyond = self.groups.iter().filter(|group| !group.is_within).count();
        let (only_a, only_b) = (self.only_a.len(), self.only_b.len());
        let mut problems = Vec::new();
        if beyond > 0 {
            let of = self.groups.len();
            problems.push(format!(
                "`{}` is beyond the tolerance for {beyond} of {of} pairs of case and scheduler{}",
                self.metric,
                self.verdicts()
            ));
        }
        if only_a + only_b > 0 {
            let [a, b] = self.sides();
            problems.push(format!("{only_a} rows are only {a}, {only_b} only {b}"));
        }
        (!problems.is_empty()).then(|| problems.join("; "))
    }

    /// The words for the two sides.
    pub fn sides(&self) -> [String; 2] {
        match &self.by {
            None => ["in the first file", "in the second file"].map(str::to_string),
            Some(By { key, a, b }) => [a, b].map(|value| format!("with {key}={value}")),
        }
    }

    /// The numbers of better and worse groups among those beyond the tolerance; empty for a metric without a direction.
    fn verdicts(&self) -> String {
        let count = |verdict| {
            let is_it = |group: &&Group| !group.is_within && group.verdict == Some(verdict);
            self.groups.iter().filter(is_it).count()
        };
        match self.better {
            Better::Neither => String::new(),
            _ => format!(": {} better, {} worse", count(Verdict::Better), count(Verdict::Worse)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRIC: &str = "latency_p99_us";

    /// The group that compares two files with these values by seed.
    fn group(a: &[(u64, f64)], b: &[(u64, f64)], metric: &str, tolerance: Tolerance) -> Group {
        let run = |&(seed, value): &(u64, f64)| {
            (seed, Measured { values: [(metric.to_string(), value)].into(), ..Measured::default() })
        };
        let [a, b]: [BTreeMap<u64, Measured>; 2] = [a, b].map(|of| of.iter().map(run).collect());
        let [a, b] = [&a, &b].map(|of| of.iter().map(|(seed, run)| (*seed, run)).collect::<BySeed>());
        let keys = vec![String::new(); KEYS.len()];
        Group::of(&keys, &a, &b, Asked { metric, better: direction(metric), tolerance: Some(tolerance) })
    }

    #[test]
    fn differences_are_paired_by_seed() {
        let (a, b) = ([(1, 0.5), (2, 0.6), (3, 0.9)], [(1, 0.6), (2, 0.6), (4, 0.1)]);
        let of = |tolerance| group(&a, &b, METRIC, tolerance);
        let group = of(Tolerance::Absolute(0.04));
        assert_eq!((group.seeds, group.changed.clone()), (2, vec![1]));
        // Differences 0.1 and 0: mean 0.05, standard deviation 0.0707, t(0.975, 1) = 12.706: 12.706 x 0.05 = 0.6353.
        assert!((group.difference.unwrap() - 0.05).abs() < 1e-12 && !group.is_within);
        assert!((group.difference_ci95.unwrap() - 0.6353).abs() < 1e-4);
        assert!(of(Tolerance::Absolute(0.051)).is_within);
        // 0.05 is 9.09 % of 0.55.
        assert!(!of(Tolerance::Percent(9.0)).is_within);
        assert!(of(Tolerance::Percent(9.1)).is_within);
    }

    #[test]
    fn what_is_better_depends_on_the_metric_and_differences_of_rates_end_at_one() {
        let of =
            |metric| group(&[(1, 0.1), (2, 0.1)], &[(1, 0.9), (2, 0.3)], metric, Tolerance::Absolute(1.0));
        let verdicts = ["sla_rate", METRIC, "decisions"].map(|metric| of(metric).verdict);
        assert_eq!(verdicts, [Some(Verdict::Better), Some(Verdict::Worse), None]);
        assert_eq!(of("sla_rate").difference_interval95, Some([-1.0, 1.0]));
        assert!(of(METRIC).difference_interval95.unwrap()[1] > 1.0);
    }

    #[test]
    fn equal_runs_have_no_interval() {
        let a = [(1, 0.5), (2, 0.6)];
        let of = |b: &[(u64, f64)]| group(&a, b, METRIC, Tolerance::Absolute(0.0));
        assert_eq!((of(&a).difference, of(&a).difference_ci95, of(&a).verdict), (Some(0.0), None, None));
        assert!(of(&[(1, 0.5), (2, 0.7)]).difference_ci95.is_some());
    }

    #[test]
    fn a_value_in_one_file_alone_is_beyond_any_tolerance() {
        let (a, b) = ([(1, f64::NAN)], [(1, 3.0)]);
        assert!(!group(&a, &b, METRIC, Tolerance::Absolute(1e9)).is_within);
        let group = group(&a, &a, METRIC, Tolerance::Absolute(0.0));
        assert!(group.is_within && group.changed.is_empty() && group.difference.is_none());
    }

    #[test]
    fn what_is_infinite_in_one_file_alone_is_beyond_any_tolerance() {
        let of = |a: f64, b: f64| {
            group(&[(1, a), (2, 0.5)], &[(1, b), (2, 0.5)], METRIC, Tolerance::Absolute(1e9))
        };
        let infinite = f64::INFINITY;
        for (a, b) in [(3.0, infinite), (infinite, 3.0), (infinite, -infinite), (f64::NAN, infinite)] {
            assert!(!of(a, b).is_within && of(a, b).changed == [1], "{a} {b}");
        }
        assert!(of(infinite, infinite).is_within && of(infinite, infinite).changed.is_empty());
    }

    #[test]
    fn a_pair_is_a_copy_where_both_its_runs_are() {
        let (x, y, z) = (1.5, 2.5, 3.5);
        let of = |a: [f64; 3], b: [f64; 3]| {
            let [a, b] = [a, b].map(|of| (1..).zip(of).collect::<Vec<(u64, f64)>>());
            group(&a, &b, METRIC, Tolerance::Absolute(0.0))
        };
        assert_eq!((of([x, x, y], [x, z, y]).seeds, of([x, x, y], [x, z, y]).changed), (3, vec![2]));
        assert_eq!((of([x, x, x], [x, z, y]).seeds, of([x, x, x], [x, z, y]).changed), (3, vec![2, 3]));
        assert_eq!((of([x, x, x], [y, y, y]).seeds, of([x, x, x], [y, y, y]).changed), (1, vec![1]));
    }

    #[test]
    fn a_tolerance_is_a_number_or_a_percentage() {
        assert_eq!("0.01".parse(), Ok(Tolerance::Absolute(0.01)));
        assert_eq!("1 %".parse(), Ok(Tolerance::Percent(1.0)));
        assert!("-1".parse::<Tolerance>().is_err() && "NaN".parse::<Tolerance>().is_err());
    }
}
