//! Cells that an experiment leaves out of the product of its lists, and cells that it adds to it.
//!
//! The keys of both tables are the columns that identify a cell ([`KEYS`]), each with a value or a list of values.
//! `[[exclude]]` leaves out every cell that has, for each of its keys, one of the values. `[[include]]` adds the cells of
//! another product: that of the experiment with the values of these keys in place of its own, which may be new ones; cells
//! that are there already are not added twice. All exclusions come before all inclusions, so an `[[include]]` may bring
//! back what an `[[exclude]]` left out.
//!
//! ```toml
//! [[exclude]]                            # no prema at the high load
//! scheduler = "prema"
//! load = 1.2
//! [[include]]                            # one point beyond: the experiment at 64 GB/s, under fcfs alone
//! scheduler = "fcfs"
//! dram_bandwidth_gbps = 64
//! ```
//! An unknown key is an error; so is a value that no cell has, an `[[exclude]]` that leaves nothing out, and an
//! `[[include]]` that adds nothing. Under `--set`, which may have taken the cells away, only the first is.

use std::collections::BTreeMap;
use std::ops::Range;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use toml::{Table, Value};

use super::Error;
use super::columns::{KEYS, SCHEDULER, SEED};
use super::config::Experiment;
use super::data::DataRoot;
use super::list::distinct;
use super::schedulers::SchedulerChoice;
use crate::files::{InputError, Seed, Source, Spanned, did_you_mean};

/// An `[[exclude]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Exclude {
    /// Where it stands in the text.
    pub(super) span: Range<usize>,
    keys: Vec<Wanted>,
}

/// One of its keys.
#[derive(Clone, Debug, PartialEq)]
struct Wanted {
    /// The place among [`KEYS`].
    column: usize,
    /// The values, as in the column.
    words: Vec<String>,
    span: Range<usize>,
}

/// An `[[include]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Include {
    /// Where it stands in the text.
    pub(super) span: Range<usize>,
    /// The experiment with the values of the include in place of its own.
    pub(super) experiment: Experiment,
    /// Its seeds.
    pub(super) seeds: Vec<u64>,
}

/// An `[[exclude]]` as it is written.
#[derive(Debug, Deserialize)]
pub(super) struct RawExclude(BTreeMap<Spanned<String>, Spanned<Value>>);

/// The JSON Schema of all of either kind of table.
pub(super) fn schema(_: &mut SchemaGenerator) -> Schema {
    let value = || serde_json::json!({ "description": "a value, or a list of values" });
    let keys: serde_json::Map<_, _> = KEYS.iter().map(|key| (key.to_string(), value())).collect();
    json_schema!({
        "type": "array",
        "items": { "type": "object", "properties": keys, "additionalProperties": false },
    })
}

/// Whether a key of [`KEYS`] is one of the scheduler and the seed, which a case has many of.
fn is_of_run(column: usize) -> bool {
    [SCHEDULER, SEED].contains(&column)
}

impl RawExclude {
    pub(super) fn check(this: &Spanned<Self>, source: &Source) -> Result<Exclude, InputError> {
        let mut keys = Vec::new();
        for (key, value) in &this.get_ref().0 {
            let column = column_of(key.get_ref()).map_err(|message| source.error(&key.span(), message))?;
            let words = match value.get_ref() {
                Value::Array(values) => values.iter().map(word).collect(),
                value => word(value).map(|word| vec![word]),
            };
            let words =
                words.ok_or_else(|| source.error(&value.span(), "expected a value or a list of values"))?;
            keys.push(Wanted { column, words, span: value.span() });
        }
        if keys.is_empty() {
            return Err(source.error(&this.span(), "an `exclude` without keys would leave nothing"));
        }
        Ok(Exclude { span: this.span(), keys })
    }
}

fn column_of(key: &str) -> Result<usize, String> {
    let column = KEYS.iter().position(|known| *known == key);
    column.ok_or_else(|| {
        format!("unknown key `{key}`{}, expected one of `{}`", did_you_mean(key, KEYS), KEYS.join("`, `"))
    })
}

/// A value as the CSV shows it.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(word) => Some(word.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    }
}

impl Exclude {
    /// Whether it may leave out cells of a case with these keys.
    pub(super) fn concerns(&self, keys: &[String]) -> bool {
        self.keys.iter().filter(|key| !is_of_run(key.column)).all(|key| key.words.contains(&keys[key.column]))
    }

    /// Whether, of a case that it concerns, it leaves out this scheduler and seed.
    pub(super) fn drops(&self, label: &str, seed: u64) -> bool {
        self.keys.iter().filter(|key| is_of_run(key.column)).all(|key| match key.column {
            SCHEDULER => key.words.iter().any(|word| word == label),
            _ => key.words.contains(&seed.to_string()),
        })
    }

    /// An error for a value that is not among those that cells have in its column.
    pub(super) fn check_values(
        &self,
        cells: impl Fn(usize) -> Vec<String>,
        source: &Source,
    ) -> Result<(), InputError> {
        for key in &self.keys {
            let there = cells(key.column);
            if let Some(missing) = key.words.iter().find(|word| !there.contains(word)) {
                let (name, hint) = (KEYS[key.column], did_you_mean(missing, &there));
                let shown = if there.len() > MOST_SHOWN {
                    [&there[..MOST_SHOWN], &["...".into()]].concat()
                } else {
                    there
                };
                let message =
                    format!("no cell has `{name}` {missing}{hint}; it is {} here", shown.join(", "));
                return Err(source.error(&key.span, message));
            }
        }
        Ok(())
    }
}

/// Values that an error lists at most. Chosen here: a few lines.
const MOST_SHOWN: usize = 20;

/// Keys of a cell and what an experiment calls the lists of their values, where that differs.
const PLURALS: [(&str, &str); 4] =
    [("system", "systems"), ("scenario", "scenarios"), ("load", "loads"), ("scheduler", "schedulers")];

/// The products that the `[[include]]`s of an experiment stand for.
pub(super) fn includes(
    tables: &[Spanned<Table>],
    base: &Experiment,
    data: &DataRoot,
) -> Result<Vec<Include>, Error> {
    let mut includes: Vec<Include> = Vec::new();
    for table in tables {
        let error = |message: String| Error::Input(base.source.error(&table.span(), message));
        let include = include(table.get_ref(), base, data, table.span()).map_err(error)?;
        let others =
            includes.iter().flat_map(|earlier| &earlier.experiment.schedulers).chain(&base.schedulers);
        let clash =
            |choice: &&SchedulerChoice| others.clone().any(|o| o.label == choice.label && o != *choice);
        if let Some(choice) = include.experiment.schedulers.iter().find(clash) {
            return Err(error(format!("two schedulers are called `{}`: give one a `label`", choice.label)));
        }
        includes.push(include);
    }
    Ok(includes)
}

fn include(table: &Table, base: &Experiment, data: &DataRoot, span: Range<usize>) -> Result<Include, String> {
    let first_line = |error: Error| match error {
        Error::Input(InputError { message, .. }) => message.lines().next().unwrap_or_default().to_string(),
        other => other.to_string(),
    };
    let mut text: Table = base.source.parse().map_err(|e| first_line(e.into()))?;
    ["include", "exclude", "training"].iter().for_each(|key| drop(text.remove(*key)));
    let mut seeds = (base.first_seed..base.first_seed + base.seeds).collect();
    for (key, value) in table {
        match KEYS[column_of(key)?] {
            "seed" => seeds = seeds_of(value)?,
            key => {
                let plural = PLURALS.iter().find(|(one, _)| *one == key).map_or(key, |(_, many)| *many);
                let values = match value {
                    Value::Array(values) => values.clone(),
                    value => vec![value.clone()],
                };
                let resolved = |value| if key == "scheduler" { by_label(value, base) } else { value };
                let values: Vec<Value> = values.into_iter().map(resolved).collect();
                text.remove(plural);
                if !values.is_empty() {
                    text.insert(plural.to_string(), Value::Array(values));
                }
            }
        }
    }
    let source = Source { path: base.source.path.clone(), text: text.to_string(), verbatim: false };
    let experiment = Experiment::parse(&base.path, source, data).map_err(first_line)?;
    Ok(Include { span, experiment, seeds })
}

/// A label of the experiment is that scheduler with its parameters; anything else is a scheduler of the include's own.
fn by_label(value: Value, base: &Experiment) -> Value {
    let named = base.schedulers.iter().find(|choice| value.as_str() == Some(&choice.label));
    named.map_or(value, |choice| Value::Table(choice.to_table()))
}

fn seeds_of(value: &Value) -> Result<Vec<u64>, String> {
    let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    let seed = |value: &Value| value.clone().try_into::<Seed>().ok().map(|seed| seed.0);
    let seeds: Option<Vec<u64>> = values.iter().map(seed).collect();
    seeds
        .map(distinct)
        .filter(|seeds| !seeds.is_empty())
        .ok_or_else(|| "`seed` is no whole number from 0 to 9007199254740992, nor a list of them".to_string())
}
