//! Two summaries beside each other: a regression check.
//!
//! Rows are matched by all key columns, seed included; where requests come at their own pace, by all but the load, which is
//! measured. Differences are b - a, paired by seed, with a 95 % confidence interval by Student's t per case and scheduler.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr;

use serde::Serialize;

use super::results::{OwnPace, Row, rows};
use crate::experiment::Error;
use crate::experiment::columns::{KEYS, LOAD, SEED};
use crate::experiment::summary::{half_width_95, mean};
use crate::files::did_you_mean;

/// How far apart means may be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tolerance {
    /// In the unit of the metric.
    Absolute(f64),
    /// In percent of the first file's.
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

/// What two summaries say about a metric.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// The column.
    pub metric: String,
    /// What was allowed.
    pub tolerance: Tolerance,
    /// Cases under their schedulers, in the order of the first file.
    pub groups: Vec<Group>,
    /// Rows that only the first file has, by their keys.
    pub only_a: Vec<Keys>,
    /// Rows that only the second file has.
    pub only_b: Vec<Keys>,
}

/// Names and values of key columns.
pub type Keys = BTreeMap<&'static str, String>;

/// A case under a scheduler, over the seeds that both files have.
#[derive(Debug, Serialize)]
pub struct Group {
    /// Its keys, the seed left out.
    pub keys: Keys,
    /// Rows that both files have.
    pub seeds: usize,
    /// Those of them whose value differs, by seed.
    pub changed: Vec<u64>,
    /// Mean of the first file over seeds with a value in both.
    pub a: Option<f64>,
    /// Mean of the second.
    pub b: Option<f64>,
    /// Mean of b - a.
    pub difference: Option<f64>,
    /// Half-width of its 95 % confidence interval; `None` below two seeds.
    pub difference_ci95: Option<f64>,
    /// Whether the means are within the tolerance, and no value is there in one file alone.
    pub is_within: bool,
}

type ByKeys = BTreeMap<Vec<String>, BTreeMap<u64, f64>>;

/// Compares a metric of two summaries.
///
/// # Errors
/// A file cannot be read, or a metric is not in both.
pub fn compare(a: &Path, b: &Path, metric: &str, tolerance: Tolerance) -> Result<Comparison, Error> {
    let (rows_a, rows_b) = (rows(a)?, rows(b)?);
    check_metric(a, &rows_a, metric)?;
    check_metric(b, &rows_b, metric)?;
    let paced = OwnPace::of(&rows_a).and(&OwnPace::of(&rows_b));
    let (of_a, of_b) = (by_keys(&rows_a, metric, &paced), by_keys(&rows_b, metric, &paced));
    let empty = BTreeMap::new();
    let (mut groups, mut seen) = (Vec::new(), BTreeSet::new());
    for row in &rows_a {
        let keys = group_keys(row, &paced);
        if let (true, Some(theirs)) = (seen.insert(keys.clone()), of_b.get(&keys)) {
            groups.push(Group::of(&keys, &of_a[&keys], theirs, tolerance));
        }
    }
    let only = |rows: &[Row], other: &ByKeys| {
        let is_alone =
            |row: &&Row| !other.get(&group_keys(row, &paced)).unwrap_or(&empty).contains_key(&row.seed);
        rows.iter().filter(is_alone).map(|row| named(&row.keys)).collect()
    };
    Ok(Comparison {
        metric: metric.to_string(),
        tolerance,
        only_a: only(&rows_a, &of_b),
        only_b: only(&rows_b, &of_a),
        groups: groups.into_iter().filter(|group| group.seeds > 0).collect(),
    })
}

/// Whether the file has such a column.
pub(super) fn check_metric(path: &Path, rows: &[Row], metric: &str) -> Result<(), Error> {
    check(path, "metric", metric, &rows[0].metrics.keys().map(String::as_str).collect::<Vec<_>>())
}

/// Whether a name is among those that the file has.
pub(super) fn check(path: &Path, what: &str, name: &str, known: &[&str]) -> Result<(), Error> {
    if known.contains(&name) {
        return Ok(());
    }
    let hint = did_you_mean(name, known);
    let message = format!("{} has no {what} `{name}`{hint}; known: {}", path.display(), known.join(", "));
    Err(Error::Usage(message))
}

fn group_keys(row: &Row, paced: &OwnPace) -> Vec<String> {
    let mut keys = row.keys.clone();
    keys[SEED].clear();
    if paced.has(&keys) {
        keys[LOAD].clear();
    }
    keys
}

fn by_keys(rows: &[Row], metric: &str, paced: &OwnPace) -> ByKeys {
    let mut by_keys = ByKeys::new();
    for row in rows {
        by_keys.entry(group_keys(row, paced)).or_default().insert(row.seed, row.metrics[metric]);
    }
    by_keys
}

fn named(keys: &[String]) -> Keys {
    KEYS.iter().copied().zip(keys.iter().cloned()).filter(|(_, value)| !value.is_empty()).collect()
}

impl Group {
    fn of(keys: &[String], a: &BTreeMap<u64, f64>, b: &BTreeMap<u64, f64>, tolerance: Tolerance) -> Self {
        let pairs: Vec<(u64, f64, f64)> =
            a.iter().filter_map(|(seed, a)| Some((*seed, *a, *b.get(seed)?))).collect();
        let is_same = |a: f64, b: f64| a == b || a.is_nan() && b.is_nan();
        let changed = pairs.iter().filter(|(_, a, b)| !is_same(*a, *b)).map(|(seed, ..)| *seed).collect();
        let is_one_sided = pairs.iter().any(|(_, a, b)| a.is_nan() != b.is_nan());
        let both = || pairs.iter().filter(|(_, a, b)| a.is_finite() && b.is_finite());
        let differences: Vec<f64> = both().map(|(_, a, b)| b - a).collect();
        let mean_a = mean(&both().map(|(_, a, _)| *a).collect::<Vec<_>>());
        let difference = mean(&differences);
        let is_near = mean_a.zip(difference).is_none_or(|(a, difference)| tolerance.allows(a, difference));
        Self {
            keys: named(keys),
            seeds: pairs.len(),
            changed,
            a: mean_a,
            b: mean(&both().map(|(_, _, b)| *b).collect::<Vec<_>>()),
            difference,
            difference_ci95: half_width_95(&differences),
            is_within: is_near && !is_one_sided,
        }
    }
}

impl Comparison {
    /// What is beyond the tolerance, or in one file alone, in a sentence; `None` if nothing is.
    pub fn problem(&self) -> Option<String> {
        let beyond = self.groups.iter().filter(|group| !group.is_within).count();
        let (only_a, only_b) = (self.only_a.len(), self.only_b.len());
        let mut problems = Vec::new();
        if beyond > 0 {
            let of = self.groups.len();
            problems.push(format!(
                "`{}` is beyond the tolerance for {beyond} of {of} pairs of case and scheduler",
                self.metric
            ));
        }
        if only_a + only_b > 0 {
            problems.push(format!("{only_a} rows are in the first file alone, {only_b} in the second"));
        }
        (!problems.is_empty()).then(|| problems.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_paired_by_seed() {
        let a = BTreeMap::from([(1, 0.5), (2, 0.6), (3, 0.9)]);
        let b = BTreeMap::from([(1, 0.6), (2, 0.6), (4, 0.1)]);
        let keys = vec![String::new(); KEYS.len()];
        let group = Group::of(&keys, &a, &b, Tolerance::Absolute(0.04));
        assert_eq!((group.seeds, group.changed.clone()), (2, vec![1]));
        // Differences 0.1 and 0: mean 0.05, standard deviation 0.0707, t(0.975, 1) = 12.706: 12.706 x 0.05 = 0.6353.
        assert!((group.difference.unwrap() - 0.05).abs() < 1e-12 && !group.is_within);
        assert!((group.difference_ci95.unwrap() - 0.6353).abs() < 1e-4);
        assert!(Group::of(&keys, &a, &b, Tolerance::Absolute(0.051)).is_within);
        // 0.05 of 0.55 are 9.09 %.
        assert!(!Group::of(&keys, &a, &b, Tolerance::Percent(9.0)).is_within);
        assert!(Group::of(&keys, &a, &b, Tolerance::Percent(9.1)).is_within);
    }

    #[test]
    fn a_value_in_one_file_alone_is_beyond_any_tolerance() {
        let (a, b) = (BTreeMap::from([(1, f64::NAN)]), BTreeMap::from([(1, 3.0)]));
        let keys = vec![String::new(); KEYS.len()];
        assert!(!Group::of(&keys, &a, &b, Tolerance::Absolute(1e9)).is_within);
        let group = Group::of(&keys, &a, &a, Tolerance::Absolute(0.0));
        assert!(group.is_within && group.changed.is_empty() && group.difference.is_none());
    }

    #[test]
    fn a_tolerance_is_a_number_or_a_percentage() {
        assert_eq!("0.01".parse(), Ok(Tolerance::Absolute(0.01)));
        assert_eq!("1 %".parse(), Ok(Tolerance::Percent(1.0)));
        assert!("-1".parse::<Tolerance>().is_err() && "NaN".parse::<Tolerance>().is_err());
    }
}
