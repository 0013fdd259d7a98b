//! The dispatchers of an experiment on fleets: rules for route, variant, batch and order, or a whole rule.
//!
//! ```toml
//! dispatchers = [
//!     { route = "closest" },                                       # best variants, one by one
//!     { route = { rule = "pod", d = 2 }, variant = "fits", batch = ["greedy", { rule = "timeout", us = 500 }] },
//!     { rule = "clockwork", max = 8 },                             # a whole rule, with its parameters
//! ]
//! ```
//! A list stands for a dispatcher with each of its rules; several lists are multiplied.

use std::borrow::Cow;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::{Table, Value};

use super::registry::{Entry, Maker};
use super::schedulers::SchedulerChoice;
use crate::dispatch::{self, BATCHES, Composed, ORDERS, ROUTES, RuleEntry, VARIANTS, WHOLE_RULES};
use crate::files::{InputError, Source, Spanned, any_of, entry_table};
use crate::serve::Dispatcher;

/// The name of the entry behind all dispatchers.
const NAME: &str = "dispatch";

/// A dispatcher as it is written.
#[derive(Debug)]
pub(super) enum RawDispatcher {
    Parts(Box<Parts>),
    Whole(Table),
}

impl<'de> Deserialize<'de> for RawDispatcher {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let table = Table::deserialize(d)?;
        match table.contains_key("rule") {
            true => Ok(Self::Whole(table)),
            false => Parts::deserialize(table)
                .map(|parts| Self::Parts(Box::new(parts)))
                .map_err(|e| D::Error::custom(e.to_string().trim_end())),
        }
    }
}

impl JsonSchema for RawDispatcher {
    fn schema_name() -> Cow<'static, str> {
        "Dispatcher".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let label = [("label", "the name in tables")];
        let whole =
            WHOLE_RULES.iter().map(|rule| entry_table("rule", rule.name, rule.doc, rule.parameters, &label));
        any_of([generator.subschema_for::<Parts>()].into_iter().chain(whole))
    }
}

/// A dispatcher of parts: a rule for each of its decisions, or lists of rules that are multiplied.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Parts {
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
    /// Which requests of a queue come first. Default: those that were delivered first.
    #[serde(default)]
    #[schemars(schema_with = "schema_of_orders")]
    order: Option<Value>,
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

fn schema_of_orders(_: &mut SchemaGenerator) -> Schema {
    schema_of_rules(ORDERS)
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
        match self {
            Self::Parts(parts) => parts.choices(),
            Self::Whole(table) => whole(table).map(|choice| vec![choice]),
        }
    }
}

/// A dispatcher of a whole rule.
fn whole(table: &Table) -> Result<SchedulerChoice, String> {
    let mut table = table.clone();
    let label = match table.remove("label") {
        None => None,
        Some(Value::String(label)) => Some(label),
        Some(other) => return Err(format!("`label` is {other}: expected a text")),
    };
    let parts = ["route", "variant", "batch", "order"];
    if let Some(part) = parts.iter().find(|part| table.contains_key(**part)) {
        return Err(format!(
            "`{part}` beside `rule`: a whole rule decides everything, give one or the other"
        ));
    }
    let rule = rule("whole", &Value::Table(table), WHOLE_RULES)?;
    Ok(SchedulerChoice {
        label: label.unwrap_or(rule.label),
        entry: Arc::new(entry()),
        parameters: rule.table,
    })
}

impl Parts {
    fn choices(&self) -> Result<Vec<SchedulerChoice>, String> {
        let parts = [
            rules("route", self.route.as_ref().or(Some(&"closest".into())), ROUTES)?,
            rules("variant", self.variant.as_ref().or(Some(&"best".into())), VARIANTS)?,
            rules("batch", self.batch.as_ref().or(Some(&"single".into())), BATCHES)?,
            rules("order", self.order.as_ref(), ORDERS)?,
        ];
        let mut made: Vec<(Vec<String>, Table)> = vec![Default::default()];
        for (kind, rules) in ["route", "variant", "batch", "order"].into_iter().zip(&parts) {
            let with = |(labels, table): &(Vec<String>, Table), rule: &Rule| {
                let mut table = table.clone();
                table.insert(kind.to_string(), rule.table.clone().into());
                (labels.iter().chain([&rule.label]).cloned().collect(), table)
            };
            if !rules.is_empty() {
                made = made.iter().flat_map(|of| rules.iter().map(|rule| with(of, rule))).collect();
            }
        }
        let several = made.len() > 1;
        let entry = Arc::new(entry());
        let choice = |(labels, parameters): (Vec<String>, Table)| {
            let own = labels.join("+");
            let label = match &self.label {
                Some(label) if several => format!("{label}({own})"),
                Some(label) => label.clone(),
                None => own,
            };
            SchedulerChoice { label, entry: Arc::clone(&entry), parameters }
        };
        Ok(made.into_iter().map(choice).collect())
    }
}

/// The entry behind all dispatchers.
fn entry() -> Entry {
    let none = |_: &Table, _: u64| Err("it dispatches requests to the sites of a fleet".to_string());
    Entry {
        maker: Maker::Dispatch,
        draws: true,
        ..Entry::new(NAME, "route x variant x batch, or a whole rule", "", none)
    }
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

/// Makes a dispatcher from its rules.
fn build(parameters: &Table, seed: u64) -> Result<Box<dyn Dispatcher>, String> {
    if parameters.contains_key("rule") {
        return make("whole", parameters, WHOLE_RULES, seed);
    }
    Ok(Box::new(Composed {
        route: part("route", parameters, ROUTES, seed)?.ok_or("no `route`")?,
        variant: part("variant", parameters, VARIANTS, seed)?.ok_or("no `variant`")?,
        batch: part("batch", parameters, BATCHES, seed)?.ok_or("no `batch`")?,
        order: part("order", parameters, ORDERS, seed)?,
    }))
}

/// The part of a dispatcher that a key names.
fn part<T: ?Sized>(
    kind: &str,
    parameters: &Table,
    registry: &'static [RuleEntry<T>],
    seed: u64,
) -> Result<Option<Box<T>>, String> {
    let table = parameters.get(kind).and_then(Value::as_table);
    table.map(|table| make(kind, table, registry, seed)).transpose()
}

fn make<T: ?Sized>(
    kind: &str,
    table: &Table,
    registry: &'static [RuleEntry<T>],
    seed: u64,
) -> Result<Box<T>, String> {
    let name = table.get("rule").and_then(Value::as_str).expect("every rule has its name");
    let mut own = table.clone();
    own.remove("rule");
    let rule = dispatch::find(kind, registry, name)?;
    (rule.build)(&own, seed).map_err(|message| format!("{kind} rule `{name}`: {message}"))
}

/// The rules that a key names; none if it is left out.
fn rules<T: ?Sized>(
    kind: &str,
    raw: Option<&Value>,
    registry: &'static [RuleEntry<T>],
) -> Result<Vec<Rule>, String> {
    match raw {
        None => Ok(Vec::new()),
        Some(Value::Array(values)) if values.is_empty() => Err(format!("`{kind}` is an empty list")),
        Some(Value::Array(values)) => values.iter().map(|value| rule(kind, value, registry)).collect(),
        Some(value) => Ok(vec![rule(kind, value, registry)?]),
    }
}

fn rule<T: ?Sized>(kind: &str, value: &Value, registry: &'static [RuleEntry<T>]) -> Result<Rule, String> {
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
}
