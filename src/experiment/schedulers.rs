//! The schedulers of an experiment: names, or tables with `name`, optionally `label`, and parameters.
//!
//! A parameter with a list of values makes a scheduler for every value: `{ name = "gated", alpha = [0.3, 0.4] }` is
//! `gated(alpha=0.3)` and `gated(alpha=0.4)`; several lists are multiplied. For the few parameters that are lists
//! themselves (`rules` of `lookahead`), give a list of lists.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize, Serializer};
use toml::{Table, Value};

use super::keys::BOUND;
use super::list::distinct;
use super::placed::Placed;
use super::registry::{Entry, Maker, Registry};
use crate::files::{InputError, Source, Spanned, parse_parameters, read_toml};
use crate::policy::{Parameters, PolicyEntry};
use crate::sim::Scheduler;

/// A scheduler as an experiment names it.
#[derive(Clone, Debug, PartialEq)]
pub struct SchedulerChoice {
    /// The name in tables.
    pub label: String,
    /// The entry of the registry under its name.
    pub entry: Arc<Entry>,
    /// Its parameters.
    pub parameters: Table,
}

impl SchedulerChoice {
    /// A scheduler from a table with `name` and its parameters, none of which is a list of values.
    pub(crate) fn of_table(mut table: Table, registry: &Registry) -> Result<Self, String> {
        let name = table.remove("name").and_then(|name| name.as_str().map(str::to_string));
        let name = name.ok_or("`scheduler` needs a `name`")?;
        let entry = Arc::clone(registry.find(&name)?);
        let label = table.remove("label").and_then(|label| label.as_str().map(str::to_string));
        Ok(Self { label: label.unwrap_or(name), entry, parameters: table })
    }

    /// The choice as a table of an experiment file.
    pub(crate) fn to_table(&self) -> Table {
        let mut table = self.parameters.clone();
        if !matches!(self.entry.maker, Maker::Dispatch) {
            table.insert("name".into(), self.entry.name.clone().into());
        }
        table.insert("label".into(), self.label.clone().into());
        table
    }

    /// Makes the scheduler for a run with the given seed; a learned one is made from its policy for the system of the
    /// run.
    ///
    /// # Errors
    /// A parameter is wrong, or the weights are of another size.
    pub fn build(&self, policy: Option<&Placed>, seed: u64) -> Result<Box<dyn Scheduler>, String> {
        match (&self.entry.maker, policy) {
            (Maker::Rule(build), _) => {
                build(&self.parameters, seed).map_err(|message| self.problem(&message))
            }
            (Maker::Policy(_), Some(policy)) => policy.scheduler().map_err(|e| self.problem(&e.to_string())),
            (Maker::Policy(_), None) => Err(self.problem("it needs a policy")),
            (Maker::Dispatch, _) => Err(self.problem("it dispatches requests to the sites of a fleet")),
        }
    }

    /// Checks that it can be built on some system; the error names the wrong parameter and the allowed values.
    fn check(&self) -> Result<(), String> {
        match self.entry.maker {
            Maker::Rule(_) | Maker::Dispatch => self.build(None, 0).map(drop),
            Maker::Policy(policy) => self.policy_parameters(policy).map(drop),
        }
    }

    /// The parameters of a learned policy.
    pub(super) fn policy_parameters(&self, policy: &PolicyEntry) -> Result<Parameters, String> {
        let read: Parameters =
            parse_parameters(&self.parameters).map_err(|message| self.problem(&message))?;
        if !policy.knows_price() && self.parameters.contains_key("energy") {
            return Err(self.problem("`energy`: it knows no price of energy; `thrifty_gate` does"));
        }
        let problem = |message| self.problem(&format!("`without`: {message}"));
        policy.check_parts(&read.without).map_err(problem)?;
        Ok(read)
    }

    pub(super) fn problem(&self, message: &str) -> String {
        format!("scheduler `{}`: {message}", self.entry.name)
    }
}

/// The form in manifests; built-in schedulers have no version of their own.
impl Serialize for SchedulerChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Told<'a> {
            label: &'a str,
            name: &'a str,
            #[serde(skip_serializing_if = "str::is_empty")]
            version: &'a str,
            parameters: &'a Table,
        }
        let Self { label, entry, parameters } = self;
        Told { label, name: &entry.name, version: &entry.version, parameters }.serialize(serializer)
    }
}

/// An entry of `schedulers` as it is written.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a scheduler's name, or a table with `name` and its parameters")]
pub(super) enum Raw {
    Name(String),
    Table {
        name: String,
        label: Option<String>,
        #[serde(flatten)]
        parameters: Table,
    },
}

impl JsonSchema for Raw {
    fn schema_name() -> Cow<'static, str> {
        "Scheduler".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        Registry::built_in().schema()
    }
}

/// All schedulers for which the entries stand.
pub(super) fn choices(
    entries: &[Spanned<Raw>],
    source: &Source,
    registry: &Registry,
) -> Result<Vec<SchedulerChoice>, InputError> {
    let mut choices: Vec<SchedulerChoice> = Vec::new();
    for entry in entries {
        let error = |message| source.error(&entry.span(), message);
        for choice in entry.get_ref().choices(registry).map_err(error)? {
            if choice.label == BOUND {
                let message =
                    format!("`{BOUND}` is the name of the row of the bound: choose another `label`");
                return Err(error(message));
            }
            if choices.iter().any(|earlier| earlier.label == choice.label) {
                return Err(error(format!(
                    "two schedulers are called `{}`: give one a `label`",
                    choice.label
                )));
            }
            // A scheduler that can be built once can be built for every run: its parameters are all that can be wrong.
            choice
                .check()
                .map_err(|message| source.error(&span_of_wrong(entry.span(), &choice, source), message))?;
            choices.push(choice);
        }
    }
    Ok(choices)
}

/// The position of the wrong parameter, without which the choice would be valid; the whole entry if there is no such
/// parameter or the text is not an inline table.
fn span_of_wrong(entry: Range<usize>, choice: &SchedulerChoice, source: &Source) -> Range<usize> {
    #[derive(Deserialize)]
    struct Entry {
        entry: BTreeMap<Spanned<String>, Spanned<Value>>,
    }
    const BEFORE: &str = "entry = ";
    let is_wrong = |key: &&String| {
        let mut without = choice.clone();
        without.parameters.remove(*key);
        without.check().is_ok()
    };
    let span = || {
        let wrong = choice.parameters.keys().find(is_wrong)?;
        let text = format!("{BEFORE}{}", source.text.get(entry.clone())?);
        let table = read_toml::<Entry>(&text).ok()?.entry;
        let (key, value) = table.iter().find(|(key, _)| key.get_ref() == wrong)?;
        let at = |place: usize| entry.start + place - BEFORE.len();
        Some(at(key.span().start)..at(value.span().end))
    };
    span().unwrap_or_else(|| entry.clone())
}

impl Raw {
    /// The schedulers for which the entry stands.
    pub(super) fn choices(&self, registry: &Registry) -> Result<Vec<SchedulerChoice>, String> {
        let (name, label, parameters) = match self {
            Self::Name(name) => (name, None, &Table::new()),
            Self::Table { name, label, parameters } => (name, label.as_ref(), parameters),
        };
        let entry = registry.find(name)?;
        let (swept, fixed): (Vec<_>, Vec<_>) =
            parameters.iter().partition(|(key, value)| is_swept(entry, key, value));
        let fixed: Table = fixed.into_iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        let mut points = vec![(Vec::new(), fixed)];
        for (key, values) in swept {
            let values = values.as_array().expect("only lists are swept");
            if values.is_empty() || distinct(values).len() < values.len() {
                return Err(format!(
                    "scheduler `{name}`: `{key}` needs one or more values that are all different"
                ));
            }
            let with = |(words, parameters): &(Vec<String>, Table), value: &Value| {
                let mut point = (words.clone(), parameters.clone());
                point.0.push(format!("{key}={}", value.as_str().map_or(value.to_string(), str::to_string)));
                point.1.insert(key.clone(), value.clone());
                point
            };
            points = points.iter().flat_map(|point| values.iter().map(|value| with(point, value))).collect();
        }
        let choice = |(words, parameters): (Vec<String>, Table)| {
            let label = label.unwrap_or(name);
            let label =
                if words.is_empty() { label.clone() } else { format!("{label}({})", words.join(",")) };
            SchedulerChoice { label, entry: Arc::clone(entry), parameters }
        };
        Ok(points.into_iter().map(choice).collect())
    }
}

/// Whether a list holds values to sweep, rather than being a value itself.
fn is_swept(entry: &Entry, key: &str, value: &Value) -> bool {
    let Some(values) = value.as_array() else { return false };
    !entry.takes_list(key) || !values.is_empty() && values.iter().all(Value::is_array)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Result<Vec<String>, String> {
        #[derive(Deserialize)]
        struct Entries {
            schedulers: Vec<Spanned<Raw>>,
        }
        let source = Source { path: "a.toml".into(), text: format!("schedulers = [{text}]"), verbatim: true };
        let entries: Entries = source.parse().map_err(|e| e.to_string())?;
        let choices =
            choices(&entries.schedulers, &source, &Registry::built_in()).map_err(|e| e.to_string())?;
        Ok(choices.into_iter().map(|choice| choice.label).collect())
    }

    #[test]
    fn lists_of_parameters_are_multiplied() {
        let swept = r#""fcfs", { name = "gated", alpha = [0.3, 0.4], ahead = [1, 2], margin = 1.0 }"#;
        let of = |alpha, ahead| format!("gated(ahead={ahead},alpha={alpha})");
        assert_eq!(labels(swept).unwrap(), ["fcfs".into(), of(0.3, 1), of(0.4, 1), of(0.3, 2), of(0.4, 2)]);
        let named = r#"{ name = "herald", label = "h", metric = ["edp", "latency"] }"#;
        assert_eq!(labels(named).unwrap(), ["h(metric=edp)", "h(metric=latency)"]);
    }

    #[test]
    fn a_parameter_that_is_a_list_is_swept_by_lists() {
        assert_eq!(labels(r#"{ name = "lookahead", rules = ["fcfs", "edf"] }"#).unwrap(), ["lookahead"]);
        let swept = labels(r#"{ name = "lookahead", rules = [["fcfs"], ["fcfs", "edf"]] }"#).unwrap();
        assert_eq!(swept, [r#"lookahead(rules=["fcfs"])"#, r#"lookahead(rules=["fcfs", "edf"])"#]);
    }

    #[test]
    fn bad_lists_are_errors_at_their_line() {
        for text in [r#"{ name = "gated", alpha = [] }"#, r#"{ name = "gated", alpha = [1.0, 1.0] }"#] {
            assert!(labels(text).unwrap_err().contains("all different"), "{text}");
        }
        let error = labels(r#"{ name = "gated", alpha = [0.3, -1.0] }"#).unwrap_err();
        assert!(error.starts_with("a.toml:1: scheduler `gated`: `alpha` is -1"), "{error}");
        let marked = labels("\"fcfs\", { name = \"gated\", ahead = 1, alpha = -1.0 }").unwrap_err();
        assert!(marked.ends_with(&format!("| {}{}", " ".repeat(51), "^".repeat(12))), "{marked}");
        let twice =
            labels(r#"{ name = "gated", alpha = [0.3] }, { name = "gated", alpha = [0.3] }"#).unwrap_err();
        assert!(twice.contains("two schedulers are called `gated(alpha=0.3)`"), "{twice}");
    }
}
