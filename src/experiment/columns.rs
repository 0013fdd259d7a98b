//! The columns of the result files: what identifies a cell, in one place for rows, tables and replay commands.

use std::fmt;
use std::path::Path;

use super::bound::BOUND_COLUMNS;
use super::config::Experiment;
use super::keys::{KEYS, SEED};
use super::requests::OFFERED_COLUMNS;
use super::sweep::Cell;
use super::window::{Duration, Window};
use crate::metrics::{BATCH_COLUMNS, Heading, Metrics};

/// The columns of `summary.csv` after [`KEYS`]; the last is text.
pub fn summary_columns() -> impl Iterator<Item = &'static Heading> {
    let of_outcomes = BOUND_COLUMNS.iter().chain(OFFERED_COLUMNS).map(|column| &column.heading);
    Metrics::columns().chain(of_outcomes).chain(BATCH_COLUMNS.iter().map(|column| &column.heading))
}

impl Cell<'_> {
    /// The values of [`KEYS`].
    pub fn keys(&self) -> Vec<String> {
        self.case.keys().texts_of_cell(&self.scheduler.label, self.seed)
    }

    /// The command that runs this cell alone, for a POSIX shell.
    pub fn command(&self, experiment: &Experiment) -> String {
        let [system, scenario] = &self.case.words;
        let list = |value: toml::Value| toml::Value::Array(vec![value]).to_string();
        let mut sets = vec![
            format!("systems={}", list(system.as_str().into())),
            format!("scenarios={}", list(scenario.as_str().into())),
            format!("qos={}", self.case.qos.name()),
        ];
        sets.extend(match self.case.window {
            Window::Requests { warmup, measured, drain } => vec![
                format!("requests={measured}"),
                format!("warmup_requests={warmup}"),
                format!("drain_requests={drain}"),
            ],
            Window::Duration(Duration { warmup, end }) => {
                vec![format!("duration_s={}", end.as_s()), format!("warmup_s={}", warmup.as_s())]
            }
        });
        if experiment.bound {
            sets.push("bound=true".into());
        }
        let empty = |(key, is_empty): (&str, bool)| (!is_empty).then(|| format!("{key}=[]"));
        let selected =
            [("exclude", experiment.exclude.is_empty()), ("include", experiment.include.is_empty())];
        sets.extend(selected.into_iter().filter_map(empty));
        // The bound is no scheduler: it comes with whatever the experiment runs.
        if !self.is_bound() {
            sets.push(format!("schedulers={}", list(toml::Value::Table(self.scheduler.to_table()))));
        }
        sets.extend(self.case.load.map(|load| format!("loads={load}")));
        let trace = |trace| toml::Value::try_from(trace).expect("its keys are plain data");
        sets.extend(experiment.trace.as_ref().map(|keys| format!("trace={}", trace(keys))));
        sets.extend(self.case.setting.named().map(|(key, value)| format!("{key}={value}")));
        let path = quoted_path(&experiment.path);
        let sets: String = sets.iter().map(|set| format!(" --set {}", quoted(set))).collect();
        format!("mascot run {path} --first-seed {} --seeds 1 --jobs 1{sets}", self.seed)
    }
}

/// A word for the shell, in quotes where it needs them.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=+".contains(c);
    if word.chars().all(plain) { word.to_string() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// A path for the shell: bytes that are no text are escaped, as POSIX has it since 2024.
fn quoted_path(path: &Path) -> String {
    if let Some(text) = path.to_str() {
        return quoted(text);
    }
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    let escaped = bytes.map(|&byte| match byte {
        byte if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) => char::from(byte).to_string(),
        byte => format!("\\{byte:03o}"),
    });
    format!("$'{}'", escaped.collect::<String>())
}

impl fmt::Display for Cell<'_> {
    /// The keys that say most.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let keys = self.keys();
        let named = KEYS.iter().zip(&keys).take(SEED + 1).filter(|(_, value)| !value.is_empty());
        let named = named.map(|(key, value)| format!("{key}={value}"));
        f.write_str(&named.collect::<Vec<_>>().join(" "))
    }
}
