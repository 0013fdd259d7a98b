//! The dispatchers of an experiment on fleets: a rule from each of the three registries of `dispatch`.
//!
//! ```toml
//! dispatchers = [
//!     { route = "closest" },                                       # best variants, one by one
//!     { route = { rule = "pod", d = 2 }, variant = "fits", batch = ["greedy", { rule = "timeout", us = 500 }] },
//! ]
//! ```
//! A list stands for a dispatcher with each of its rules; several lists are multiplied.

use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use toml::{Table, Value};

use super::registry::{Entry, Maker};
use super::schedulers::SchedulerChoice;
use crate::dispatch::{self, BATCHES, Composed, ROUTES, RuleEntry, VARIANTS};
use crate::files::{InputError, Source, Spanned, any_of, entry_table};
use crate::serve::Dispatcher;

/// The name of the entry behind all dispatchers.
const NAME: &str = "dispatch";

/// A dispatcher: a rule for each of its three decisions, or lists of rules that are multiplied.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDispatcher {
    /// The name in tables; by default it is made of the names of the rules.
    label: Option<String>,
    /// Where requests go: a rule, a table with `rule` and its parameters, or a list of these. Default: `closest`.
    #[serde(default)]
    #[schemars(schema_with = "schema_of_routes")]
    route: Option<Value>,
    /// Which variant runs. Default: `best`.
    #[serde(default)]
    #[schemars(schema_with = "schema_of_variants")]
    variant: Option<Value>,
    /// How many run at once. Default: `single`.
    #[serde(default)]
    #[schemars(schema_with = "schema_of_batches")]
    batch: Option<Value>,
}

fn schema_of_routes(_: &mut SchemaGenerator) -> Schema {
    schema_of_rules(ROUTES)
}

fn schema_of_variants(_: &mut SchemaGenerator) -> Schema {
    schema_of_rules(VARIANTS)
}

fn schema_of_batches(_: &mut SchemaGenerator) -> Schema {
    schema_of_rules(BATCHES)
}

/// A rule by its name, unless a parameter must be given; a table with it; or a list of both.
fn schema_of_rules<T: ?Sized>(registry: &'static [RuleEntry<T>]) -> Schema {
    let name = |rule: &RuleEntry<T>| {
        let is_enough = rule.parameters.iter().all(|parameter| !parameter.default.is_empty());
        is_enough.then(|| json_schema!({ "const": rule.name, "description": rule.doc }))
    };
    let table = |rule: &RuleEntry<T>| entry_table("rule", rule.name, rule.doc, rule.parameters, &[]);
    let one: Vec<Schema> =
        registry.iter().flat_map(|rule| name(rule).into_iter().chain([table(rule)])).collect();
    let list = json_schema!({ "type": "array", "items": any_of(one.clone()), "minItems": 1 });
    any_of(one.into_iter().chain([list]))
}

impl SchedulerChoice {
    /// Makes the dispatcher for a run of a fleet with the given seed.
    ///
    /// # Errors
    /// It is a scheduler.
    pub fn dispatcher(&self, seed: u64) -> Result<Box<dyn Dispatcher>, String> {
        match self.entry.maker {
            Maker::Dispatch => build(&self.parameters, seed),
            _ => Err(self.problem("it schedules the layers of a system, and does not dispatch requests")),
        }
    }
}

/// A rule with its parameters, and its name in labels.
#[derive(Clone)]
struct Rule {
    label: String,
    table: Table,
}

impl RawDispatcher {
    fn choices(&self) -> Result<Vec<SchedulerChoice>, String> {
        let routes = rules("route", self.route.as_ref(), "closest", ROUTES)?;
        let variants = rules("variant", self.variant.as_ref(), "best", VARIANTS)?;
        let batches = rules("batch", self.batch.as_ref(), "single", BATCHES)?;
        let several = routes.len() * variants.len() * batches.len() > 1;
        let entry = Arc::new(entry());
        let mut choices = Vec::new();
        for route in &routes {
            for variant in &variants {
                for batch in &batches {
                    let own = format!("{}+{}+{}", route.label, variant.label, batch.label);
                    let label = match &self.label {
                        Some(label) if several => format!("{label}({own})"),
                        Some(label) => label.clone(),
                        None => own,
                    };
                    let parts = [("route", route), ("variant", variant), ("batch", batch)];
                    let parameters = parts.map(|(key, rule)| (key.to_string(), rule.table.clone().into()));
                    choices.push(SchedulerChoice {
                        label,
                        entry: Arc::clone(&entry),
                        parameters: parameters.into_iter().collect(),
                    });
                }
            }
        }
        Ok(choices)
    }
}

/// The entry behind all dispatchers.
fn entry() -> Entry {
    let none = |_: &Table, _: u64| Err("it dispatches requests to the sites of a fleet".to_string());
    Entry { maker: Maker::Dispatch, draws: true, ..Entry::new(NAME, "route x variant x batch", "", none) }
}

/// All dispatchers for which the entries stand.
pub(super) fn choices(
    entries: &[Spanned<RawDispatcher>],
    source: &Source,
) -> Result<Vec<SchedulerChoice>, InputError> {
    let mut choices: Vec<SchedulerChoice> = Vec::new();
    for entry in entries {
        let error = |message| source.error(&entry.span(), message);
        for choice in entry.get_ref().choices().map_err(error)? {
            build(&choice.parameters, 0).map_err(error)?;
            if choices.iter().any(|earlier| earlier.label == choice.label) {
                let message = format!("two dispatchers are called `{}`: give one a `label`", choice.label);
                return Err(error(message));
            }
            choices.push(choice);
        }
    }
    Ok(choices)
}

/// An error about a dispatcher, at the entry of the experiment that stands for it.
pub(crate) fn error_at(source: &Source, label: &str, message: &str) -> InputError {
    #[derive(Deserialize)]
    struct Dispatchers {
        #[serde(default)]
        dispatchers: Vec<Spanned<RawDispatcher>>,
    }
    let raw = source.parse::<Dispatchers>().map(|raw| raw.dispatchers).unwrap_or_default();
    let stands_for = |entry: &&Spanned<RawDispatcher>| {
        entry.get_ref().choices().is_ok_and(|choices| choices.iter().any(|choice| choice.label == label))
    };
    let message = format!("dispatcher `{label}`: {message}");
    match raw.iter().find(stands_for) {
        Some(entry) => source.error(&entry.span(), message),
        None => source.error_at_top(message),
    }
}

/// Makes a dispatcher from its three rules.
fn build(parameters: &Table, seed: u64) -> Result<Box<dyn Dispatcher>, String> {
    let route = make("route", parameters, ROUTES, seed)?;
    let variant = make("variant", parameters, VARIANTS, seed)?;
    let batch = make("batch", parameters, BATCHES, seed)?;
    Ok(Box::new(Composed { route, variant, batch }))
}

fn make<T: ?Sized>(
    kind: &str,
    parameters: &Table,
    registry: &'static [RuleEntry<T>],
    seed: u64,
) -> Result<Box<T>, String> {
    let table = parameters.get(kind).and_then(Value::as_table).expect("the three rules are tables");
    let name = table.get("rule").and_then(Value::as_str).expect("every rule has its name");
    let mut own = table.clone();
    own.remove("rule");
    let rule = dispatch::find(kind, registry, name)?;
    (rule.build)(&own, seed).map_err(|message| format!("{kind} rule `{name}`: {message}"))
}

fn rules<T: ?Sized>(
    kind: &str,
    raw: Option<&Value>,
    default: &str,
    registry: &'static [RuleEntry<T>],
) -> Result<Vec<Rule>, String> {
    let default = Value::from(default);
    let values = match raw.unwrap_or(&default) {
        Value::Array(values) if values.is_empty() => return Err(format!("`{kind}` is an empty list")),
        Value::Array(values) => values.clone(),
        value => vec![value.clone()],
    };
    let rule = |value: &Value| {
        let wrong =
            || format!("`{kind}`: expected the name of a rule, or a table with `rule` and its parameters");
        let table = match value {
            Value::String(name) => Table::from_iter([("rule".to_string(), Value::from(name.as_str()))]),
            Value::Table(table) => table.clone(),
            _ => return Err(wrong()),
        };
        let name = table.get("rule").and_then(Value::as_str).ok_or_else(wrong)?;
        let found = dispatch::find(kind, registry, name)?;
        let text = |(key, value): (&String, &Value)| {
            format!("{key}={}", value.as_str().map_or(value.to_string(), str::to_string))
        };
        let words: Vec<String> = table.iter().filter(|(key, _)| *key != "rule").map(text).collect();
        let label = match words[..] {
            [] => found.name.to_string(),
            _ => format!("{}({})", found.name, words.join(",")),
        };
        Ok(Rule { label, table })
    };
    values.iter().map(rule).collect()
}
