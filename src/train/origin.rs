//! The origin of a training: its configuration and data, kept beside its checkpoint. A training resumes only with the
//! same origin; otherwise an error names the differences.
//!
//! The program is not part of it, because a training may outlive a build. The policy's manifest names the version that
//! finished it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::sweep::Inputs;

/// Configuration and data of a training.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Origin {
    /// The text of the experiment, overrides included.
    pub experiment: String,
    /// SHA-256 of its data files, by path.
    pub inputs: BTreeMap<String, String>,
}

/// The most characters of a value that are shown. Our choice, because they fill half a line.
const SHOWN: usize = 60;

impl Origin {
    /// The origin of a training on an experiment with these data files.
    pub fn new(experiment: String, inputs: &Inputs) -> Self {
        let shown = |(path, hash): (&PathBuf, &String)| (path.display().to_string(), hash.clone());
        Self { experiment, inputs: inputs.sha256.iter().map(shown).collect() }
    }

    /// The differences of `now` to this origin, a phrase each. Comments, the order of keys, and whether a single value
    /// is in a list do not count.
    pub fn differences(&self, now: &Self) -> Vec<String> {
        let [then, today] = [self, now].map(|origin| settings(&origin.experiment));
        let keys: BTreeSet<&String> = then.keys().chain(today.keys()).collect();
        let told = |value: Option<&String>| value.map_or("not given".to_string(), |text| shown(text));
        let changed = keys.into_iter().filter(|key| then.get(*key) != today.get(*key));
        let keys =
            changed.map(|key| format!("`{key}` was {} and is {}", told(then.get(key)), told(today.get(key))));
        let files: BTreeSet<&String> = self.inputs.keys().chain(now.inputs.keys()).collect();
        let files = files.into_iter().filter(|path| self.inputs.get(*path) != now.inputs.get(*path));
        keys.chain(files.map(|path| format!("{path} has changed"))).collect()
    }
}

/// The values of all keys of an experiment, as text that does not depend on how they are written; those of tables are named
/// `table.key`.
pub(crate) fn settings(text: &str) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let table: Table = text.parse().unwrap_or_default();
    for (key, value) in table {
        add(&mut values, key, &value);
    }
    values
}

fn add(values: &mut BTreeMap<String, String>, key: String, value: &Value) {
    if let Value::Table(table) = value {
        table.iter().for_each(|(below, value)| add(values, format!("{key}.{below}"), value));
        return;
    }
    // A list of one value may be given as that value.
    let value = match value {
        Value::Array(list) if list.len() == 1 => &list[0],
        value => value,
    };
    values.insert(key, written(value));
}

/// A value as text, which is the same for 2 and 2.0.
fn written(value: &Value) -> String {
    match value {
        Value::Float(number) => number.to_string(),
        Value::Array(list) => format!("[{}]", list.iter().map(written).collect::<Vec<_>>().join(", ")),
        value => value.to_string(),
    }
}

fn shown(text: &str) -> String {
    let short: String = text.chars().take(SHOWN).collect();
    if short == text { short } else { format!("{short}...") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_written_otherwise_is_no_difference() {
        let then = origin("loads = 0.8\ndeadline_factor = [2, 4]\nqos = ['M']\n", &[]);
        let now = origin("loads = [0.8]\ndeadline_factor = [2.0, 4.0]\nqos = 'M'\n", &[]);
        assert_eq!(then.differences(&now), Vec::<String>::new());
        let other = origin("loads = [0.8, 0.9]\ndeadline_factor = [2.5, 4]\nqos = 'M'\n", &[]);
        assert_eq!(
            then.differences(&other),
            ["`deadline_factor` was [2, 4] and is [2.5, 4]", "`loads` was 0.8 and is [0.8, 0.9]"]
        );
    }

    fn origin(experiment: &str, files: &[(&str, &str)]) -> Origin {
        let inputs = files.iter().map(|(path, hash)| (path.to_string(), hash.to_string())).collect();
        Origin { experiment: experiment.into(), inputs }
    }

    #[test]
    fn every_key_and_file_that_differs_is_named() {
        let then = origin("seeds = 5\nloads = [0.9]\n[training.evolution]\npopulation = 4\n", &[("a", "1")]);
        let same = origin(
            "# as before\nloads = [0.9]\nseeds = 5\n[training]\nevolution.population = 4",
            &[("a", "1")],
        );
        assert_eq!(then.differences(&same), Vec::<String>::new());
        let other = origin(
            "loads = [0.9]\nrequests = 3\ntraining.evolution.population = 6",
            &[("a", "2"), ("b", "1")],
        );
        assert_eq!(
            then.differences(&other),
            [
                "`requests` was not given and is 3",
                "`seeds` was 5 and is not given",
                "`training.evolution.population` was 4 and is 6",
                "a has changed",
                "b has changed"
            ]
        );
    }
}
