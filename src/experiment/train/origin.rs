//! What a training follows from, kept beside its checkpoint: it goes on with the same only, and says what is not.
//!
//! The program is left out: a training may outlive a build. The policy's manifest names the version that ended it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::experiment::inputs::Inputs;

/// Configuration and data of a training.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Origin {
    /// The text of the experiment, overrides included.
    pub experiment: String,
    /// SHA-256 of its data files, by path.
    pub inputs: BTreeMap<String, String>,
}

/// Letters of a value that are shown at most. Our choice: half a line.
const SHOWN: usize = 60;

impl Origin {
    /// That of an experiment with these data files.
    pub fn new(experiment: String, inputs: &Inputs) -> Self {
        let shown = |(path, hash): (&PathBuf, &String)| (path.display().to_string(), hash.clone());
        Self { experiment, inputs: inputs.sha256.iter().map(shown).collect() }
    }

    /// What `now` has otherwise, in a phrase each; comments and the order of keys do not count.
    pub fn differences(&self, now: &Self) -> Vec<String> {
        let [then, today] = [self, now].map(|origin| flat(&origin.experiment));
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

/// The values of all keys, those of tables under `table.key`.
fn flat(text: &str) -> BTreeMap<String, String> {
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
    values.insert(key, value.to_string());
}

fn shown(text: &str) -> String {
    let short: String = text.chars().take(SHOWN).collect();
    if short == text { short } else { format!("{short}...") }
}

#[cfg(test)]
mod tests {
    use super::*;

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
