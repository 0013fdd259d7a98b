//! Reads a folder of results: summary.csv by case, scheduler and seed, and the manifest.
//!
//! Schedulers are compared within a case: the rows that agree in all key columns but scheduler and seed. A panel joins
//! the cases that differ only in the key on the axis: the load if it has several values, else the first other key with
//! several numbers. Where the scenario fixes absolute arrival rates, the load follows from the other keys and does not
//! tell cases apart; older files have a measured load for every seed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::choice::{check, check_wanted, only as select, place};
use super::rows::{Row, Rows, all_rows, rows};
use crate::experiment::{BOUND, Error, KEYS, LOAD, SCENARIO, SCHEDULER, SEED};
use crate::files::{InputError, Source};
use crate::sweep::{QUALITY, RATE, Runs, Table, mean};

/// The results that a report is made of.
pub struct Results {
    pub(crate) folder: PathBuf,
    /// The metric by which schedulers are ranked: the quality of fleets, else the SLA rate.
    pub(crate) judged_by: &'static str,
    pub(crate) manifest: serde_json::Value,
    /// Labels of schedulers in the order of the file, without the bound.
    pub(crate) schedulers: Vec<String>,
    /// The cases in the order of the file.
    pub(crate) cases: Vec<Case>,
    /// The titles of the panels.
    pub(crate) panels: Vec<String>,
    /// The number of rows of the file that are copies of others.
    pub(crate) copies: usize,
    places: BTreeMap<Vec<String>, usize>,
    paced: OwnPace,
    /// The index in [`KEYS`] of the key on the axis of pictures.
    pub(crate) axis: usize,
    /// The keys in which cases differ, as indices in [`KEYS`].
    varying: Vec<usize>,
    /// The selection of rows that were read.
    pub(crate) only: Vec<(String, String)>,
}

/// What of a folder is read, and along which axis pictures show it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Selection<'a> {
    /// Keys with values: only rows that have, for each of these keys, one of the given values.
    pub only: &'a [(String, String)],
    /// The key on the axis of pictures; chosen by the results if there is none.
    pub x: Option<&'a str>,
}

/// Panels that share a picture.
pub(crate) struct Shared<'a> {
    /// What the panels have in common.
    pub(crate) title: String,
    /// Each panel with what tells it from the others, and its cases in the order of the axis.
    pub(crate) parts: Vec<(String, Vec<&'a Case>)>,
}

/// A case with the runs of all its schedulers.
pub(crate) struct Case {
    /// The keys that vary, as a title.
    pub(crate) title: String,
    pub(super) panel: usize,
    pub(crate) load: Option<f64>,
    /// The values of [`KEYS`]; those of scheduler and seed are empty.
    pub(crate) keys: Vec<String>,
    /// The runs of each scheduler, as in [`Results::schedulers`]; empty if it did not run.
    pub(crate) samples: Vec<Runs>,
    /// The rows `bound`, if there are any.
    pub(crate) bound: Runs,
}

impl Results {
    /// Reads summary.csv and manifest.json.
    ///
    /// # Errors
    /// One of them is missing, damaged or empty, or does not have what is selected.
    pub fn read(folder: &Path, Selection { only, x }: Selection) -> Result<Self, Error> {
        let path = folder.join("summary.csv");
        let Rows { all, copies } = rows(std::slice::from_ref(&path), None)?;
        check_wanted(path.display(), &all, only)?;
        let mut rows = select(path.display(), all, only)?;
        add_serving(&mut rows, &folder.join(Table::Serving.file()))?;
        let manifest = Source::read(&folder.join("manifest.json"))?;
        let manifest = serde_json::from_str(&manifest.text)
            .map_err(|e| InputError::at_line(&manifest.path, e.line(), &e))?;
        let paced = OwnPace::of(&rows);
        let judged_by =
            if rows.iter().any(|row| row.run.values.contains_key(QUALITY)) { QUALITY } else { RATE };
        let mut results = Self {
            judged_by,
            folder: folder.to_path_buf(),
            manifest,
            schedulers: Vec::new(),
            cases: Vec::new(),
            panels: Vec::new(),
            copies,
            places: BTreeMap::new(),
            paced,
            axis: LOAD,
            varying: Vec::new(),
            only: only.to_vec(),
        };
        rows.into_iter().for_each(|row| results.add(row));
        results.find_varying();
        if let Some(key) = x {
            results.axis = results.place_of_axis(&path, key)?;
        }
        results.name();
        Ok(results)
    }

    /// Checks that some run has a metric.
    ///
    /// # Errors
    /// None has; the message names those that there are.
    pub(crate) fn check_metric(&self, metric: &str) -> Result<(), Error> {
        let runs = self.cases.iter().flat_map(|case| &case.samples);
        let known: BTreeSet<&str> = runs.flat_map(Runs::metrics).collect();
        check(self.folder.display(), "metric", metric, &known.into_iter().collect::<Vec<_>>())
    }

    /// Checks that cases differ in a key.
    ///
    /// # Errors
    /// They do not, or there is no such key.
    pub(crate) fn check_varies(&self, key: &str) -> Result<(), Error> {
        let known: Vec<&str> = self.varying.iter().map(|&place| KEYS[place]).collect();
        check(self.folder.display(), "key in which cases differ, named", key, &known)
    }

    /// The pictures of panels: one each, or, with a key, one for all panels that differ in this key alone.
    pub(crate) fn pictures(&self, facet: Option<&str>) -> Vec<Shared<'_>> {
        let facet = facet.and_then(|facet| KEYS.iter().position(|key| *key == facet));
        let mut pictures: Vec<(Vec<String>, Shared)> = Vec::new();
        for panel in 0..self.panels.len() {
            let cases = self.cases_of_panel(panel);
            let mut keys = cases[0].keys.clone();
            keys[self.axis].clear();
            let part = facet.map_or(String::new(), |facet| title(&keys, [facet].into_iter()));
            facet.into_iter().for_each(|facet| keys[facet].clear());
            let place = pictures.iter().position(|(known, _)| *known == keys).unwrap_or_else(|| {
                let told =
                    self.varying.iter().copied().filter(|&place| place != self.axis && Some(place) != facet);
                let title = if facet.is_some() { words(&keys, told) } else { self.panels[panel].clone() };
                pictures.push((keys, Shared { title, parts: Vec::new() }));
                pictures.len() - 1
            });
            pictures[place].1.parts.push((part, cases));
        }
        pictures.into_iter().map(|(_, shared)| shared).collect()
    }

    /// The index of the case that a row with these keys belongs to.
    pub(crate) fn case_of(&self, keys: &[String]) -> Option<usize> {
        self.places.get(&self.case_keys(keys)).copied()
    }

    /// The index of the scheduler with that label.
    pub(crate) fn scheduler(&self, label: &str) -> Option<usize> {
        self.schedulers.iter().position(|known| known == label)
    }

    /// The cases of a panel, which differ only in the key on the axis, in the order of that key.
    pub(crate) fn cases_of_panel(&self, panel: usize) -> Vec<&Case> {
        let mut cases: Vec<&Case> = self.cases.iter().filter(|case| case.panel == panel).collect();
        let place = |case: &Case| case.number(self.axis).unwrap_or(0.0);
        cases.sort_by(|a, b| place(a).total_cmp(&place(b)));
        cases
    }

    /// Indices of schedulers by the mean of [`Self::judged_by`] over all cases, the best first.
    pub(crate) fn ranking(&self) -> Vec<usize> {
        let of = |scheduler: usize| {
            let rates = self.cases.iter().filter_map(|case| case.samples[scheduler].mean(self.judged_by));
            mean(&rates.collect::<Vec<_>>()).unwrap_or(0.0)
        };
        let mut ranking: Vec<(usize, f64)> = (0..self.schedulers.len()).map(|s| (s, of(s))).collect();
        ranking.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranking.into_iter().map(|(scheduler, _)| scheduler).collect()
    }

    fn case_keys(&self, keys: &[String]) -> Vec<String> {
        let mut keys = keys.to_vec();
        keys[SCHEDULER].clear();
        keys[SEED].clear();
        if self.paced.has(&keys) {
            keys[LOAD].clear();
        }
        keys
    }

    fn add(&mut self, row: Row) {
        let keys = self.case_keys(&row.keys);
        let place = *self.places.entry(keys.clone()).or_insert_with(|| {
            let load = keys[LOAD].parse().ok();
            let (title, samples, bound) = (String::new(), Vec::new(), Runs::default());
            self.cases.push(Case { title, panel: 0, load, keys, samples, bound });
            self.cases.len() - 1
        });
        let label = &row.keys[SCHEDULER];
        if label == BOUND {
            return self.cases[place].bound.add(row.seed, row.run);
        }
        let scheduler = self.scheduler(label).unwrap_or_else(|| {
            self.schedulers.push(label.clone());
            self.schedulers.len() - 1
        });
        let all = &mut self.cases[place].samples;
        all.resize(all.len().max(scheduler + 1), Runs::default());
        all[scheduler].add(row.seed, row.run);
        if row.is_for_every_seed {
            all[scheduler].have_same_requests();
        }
    }

    /// Finds the keys that vary, and the axis that shows most of them.
    fn find_varying(&mut self) {
        let first = self.cases[0].keys.clone();
        let varies = |place: &usize| self.cases.iter().any(|case| case.keys[*place] != first[*place]);
        self.varying = (0..KEYS.len()).filter(varies).collect();
        let without_load = |case: &Case| {
            let mut keys = case.keys.clone();
            keys[LOAD].clear();
            keys
        };
        let apart: BTreeSet<Vec<String>> = self.cases.iter().map(without_load).collect();
        if apart.len() == self.cases.len() {
            let mut others = self.varying.iter().copied().filter(|place| *place != LOAD);
            self.axis = others.find(|place| self.is_numeric(*place)).unwrap_or(LOAD);
        }
    }

    fn is_numeric(&self, place: usize) -> bool {
        self.cases.iter().all(|case| case.number(place).is_some())
    }

    /// The place of a key that can be an axis.
    fn place_of_axis(&self, path: &Path, key: &str) -> Result<usize, Error> {
        let places = self.varying.iter().copied().filter(|place| self.is_numeric(*place));
        let known: Vec<&str> = places.map(|place| KEYS[place]).collect();
        check(path.display(), "key with several numbers, named", key, &known)?;
        Ok(place(key))
    }

    /// Names cases and panels by the keys that vary.
    fn name(&mut self) {
        let varying = self.varying.clone();
        let mut panels: Vec<Vec<String>> = Vec::new();
        for case in &mut self.cases {
            case.samples.resize(self.schedulers.len(), Runs::default());
            case.title = title(&case.keys, varying.iter().copied());
            let mut keys = case.keys.clone();
            keys[self.axis].clear();
            case.panel = panels.iter().position(|panel| *panel == keys).unwrap_or_else(|| {
                self.panels.push(title(&keys, varying.iter().copied().filter(|&place| place != self.axis)));
                panels.push(keys);
                panels.len() - 1
            });
        }
    }
}

impl Case {
    /// The value of a key, if an axis can show it as a number.
    pub(crate) fn number(&self, place: usize) -> Option<f64> {
        self.keys[place].parse().ok().filter(|number: &f64| number.is_finite())
    }
}

/// The given keys with their values; the scenario if there is only one case.
fn title(keys: &[String], of: impl Iterator<Item = usize>) -> String {
    let words = words(keys, of);
    if words.is_empty() { keys[SCENARIO].clone() } else { words }
}

/// The given keys with their values.
fn words(keys: &[String], of: impl Iterator<Item = usize>) -> String {
    let word = |place: usize| match KEYS[place] {
        "system" | "scenario" => keys[place].clone(),
        "dram_bandwidth_gbps" => format!("{} GB/s", keys[place]),
        key => format!("{} {}", key.replace('_', " "), keys[place]),
    };
    of.map(word).collect::<Vec<String>>().join(", ")
}

/// Adds to the rows of a summary.csv what the serving.csv beside it says about whole runs, if there is one.
fn add_serving(rows: &mut [Row], path: &Path) -> Result<(), Error> {
    if !path.exists() {
        return Ok(());
    }
    let served = all_rows(&[path.to_path_buf()], None)?.all.into_iter().map(|row| (row.keys, row.run.values));
    let mut served: BTreeMap<Vec<String>, BTreeMap<String, f64>> = served.collect();
    for row in rows {
        let more = served.remove(&row.keys).unwrap_or_default();
        more.into_iter().for_each(|(column, value)| _ = row.run.values.entry(column).or_insert(value));
    }
    Ok(())
}

/// The scenarios that fix absolute arrival rates. They are recognised by their loads: there are several, and each
/// follows from the other keys of a case; or, in older files, whose loads were measured, no load occurs under two
/// seeds.
pub(super) struct OwnPace(BTreeSet<String>);

/// The loads found in the rows of a scenario.
#[derive(Default)]
struct Loads<'a> {
    all: BTreeSet<&'a str>,
    of_case: BTreeMap<Vec<String>, BTreeSet<&'a str>>,
    seeds: BTreeSet<u64>,
    seeds_of: BTreeMap<(&'a str, &'a [String]), BTreeSet<u64>>,
}

impl<'a> Loads<'a> {
    fn add(&mut self, row: &'a Row) {
        let mut case = row.keys.clone();
        [LOAD, SCHEDULER, SEED].iter().for_each(|&place| case[place].clear());
        self.all.insert(&row.keys[LOAD]);
        self.of_case.entry(case).or_default().insert(&row.keys[LOAD]);
        self.seeds.insert(row.seed);
        self.seeds_of.entry((&row.keys[SCHEDULER], &row.keys[..=LOAD])).or_default().insert(row.seed);
    }

    fn are_own(&self) -> bool {
        let follow = self.all.len() > 1 && self.of_case.values().all(|loads| loads.len() == 1);
        let measured = self.seeds.len() > 1 && self.seeds_of.values().all(|seeds| seeds.len() == 1);
        follow || measured
    }
}

impl OwnPace {
    pub(super) fn of(rows: &[Row]) -> Self {
        let mut by_scenario: BTreeMap<&str, Loads> = BTreeMap::new();
        rows.iter().for_each(|row| by_scenario.entry(&row.keys[SCENARIO]).or_default().add(row));
        Self(by_scenario.into_iter().filter(|(_, of)| of.are_own()).map(|(name, _)| name.into()).collect())
    }

    /// The scenarios that are in both sets.
    pub(super) fn and(mut self, other: &Self) -> Self {
        self.0.retain(|scenario| other.0.contains(scenario));
        self
    }

    /// Whether the load of a row with these keys does not tell it from any other row.
    pub(super) fn has(&self, keys: &[String]) -> bool {
        self.0.contains(&keys[SCENARIO])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::Measured;

    fn row(scheduler: &str, load: &str, seed: u64, rate: f64) -> Row {
        let mut keys = vec![String::new(); KEYS.len()];
        keys[SCENARIO] = "mixed".into();
        (keys[LOAD], keys[SCHEDULER], keys[SEED]) = (load.into(), scheduler.into(), seed.to_string());
        let values = BTreeMap::from([(RATE.to_string(), rate)]);
        Row { keys, seed, run: Measured { values, ..Measured::default() }, is_for_every_seed: false }
    }

    #[test]
    fn the_places_are_those_of_the_columns() {
        assert_eq!(
            [KEYS[SCENARIO], KEYS[LOAD], KEYS[SCHEDULER], KEYS[SEED]],
            ["scenario", "load", "scheduler", "seed"]
        );
    }

    #[test]
    fn a_load_that_follows_from_the_other_keys_is_none() {
        let measured = [row("a", "0.61", 1, 1.0), row("a", "0.58", 2, 1.0), row("b", "0.61", 1, 1.0)];
        let has_own_pace = |rows: &[Row]| OwnPace::of(rows).has(&rows[0].keys);
        assert!(has_own_pace(&measured));
        assert!(!has_own_pace(&[row("a", "0.6", 1, 1.0), row("a", "0.6", 2, 1.0), row("a", "0.9", 1, 1.0)]));
        assert!(!has_own_pace(&[row("a", "0.6", 1, 1.0), row("a", "0.9", 1, 1.0)]));
        assert!(!has_own_pace(&[row("a", "", 1, 1.0), row("a", "", 2, 1.0)]));
        // A load that follows from the DRAM, and one that is the same for several bandwidths.
        let behind = |load: &str, gbps: &str, seed| {
            let mut row = row("a", load, seed, 1.0);
            let place = KEYS.iter().position(|key| *key == "dram_bandwidth_gbps").unwrap();
            row.keys[place] = gbps.into();
            row
        };
        assert!(has_own_pace(&[behind("0.6", "16", 1), behind("0.6", "16", 2), behind("0.3", "32", 1)]));
        assert!(!has_own_pace(&[behind("0.6", "16", 1), behind("0.6", "32", 1), behind("0.9", "32", 1)]));
        // A scenario whose load is given, beside the others.
        let mut given = [row("a", "0.6", 1, 1.0), row("a", "0.6", 2, 1.0)];
        given.iter_mut().for_each(|row| row.keys[SCENARIO] = "light".into());
        let both = OwnPace::of(&measured.into_iter().chain(given).collect::<Vec<_>>());
        assert_eq!(both.0, ["mixed".to_string()].into());
    }
}
