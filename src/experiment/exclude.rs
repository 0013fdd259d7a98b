//! Cells that an experiment leaves out of the product of its lists, and cells that it adds to it.
//!
//! The keys of both tables are the columns that identify a cell ([`KEYS`]), each with a value or a list of values.
//! `[[exclude]]` leaves out every cell that has, for each of its keys, one of the values. `[[include]]` adds the cells
//! of another product: that of the experiment with the values of these keys in place of its own, which may be new
//! values; existing cells are not added twice. All exclusions come before all inclusions, so an `[[include]]` may bring
//! back what an `[[exclude]]` left out.
//!
//! ```toml
//! [[exclude]]                            # no prema at the high load
//! scheduler = "prema"
//! load = 1.2
//! [[include]]                            # one point beyond: the experiment at 64 GB/s, under fcfs alone
//! scheduler = "fcfs"
//! dram_bandwidth_gbps = 64
//! ``` An unknown key is an error; so is a value that no cell has, an `[[exclude]]` that leaves nothing out, and an
//! `[[include]]` that adds nothing. With `--set`, which may have removed the cells, only an unknown key is an error.

use std::collections::BTreeMap;
use std::ops::Range;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use toml::Value;

use super::keys::{KEYS, SCHEDULER, SEED, shown};
use crate::files::{InputError, Source, Spanned, did_you_mean};

/// An `[[exclude]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Exclude {
    /// Its position in the text.
    pub(crate) span: Range<usize>,
    keys: Vec<Wanted>,
}

/// A key of an `[[exclude]]` with its values.
#[derive(Clone, Debug, PartialEq)]
struct Wanted {
    /// The index of the key in [`KEYS`].
    column: usize,
    /// The values, as the column shows them.
    words: Vec<String>,
    span: Range<usize>,
}

/// An `[[exclude]]` as it is written.
#[derive(Debug, Deserialize)]
pub(super) struct RawExclude(BTreeMap<Spanned<String>, Spanned<Value>>);

/// The JSON Schema of `exclude` and of `include`.
pub(super) fn schema(_: &mut SchemaGenerator) -> Schema {
    let value = || serde_json::json!({ "description": "a value, or a list of values" });
    let keys: serde_json::Map<_, _> = KEYS.iter().map(|key| (key.to_string(), value())).collect();
    json_schema!({
        "type": "array",
        "items": { "type": "object", "properties": keys, "additionalProperties": false },
    })
}

/// Whether a key of [`KEYS`] is the scheduler or the seed, of which a case has many.
fn is_of_run(column: usize) -> bool {
    [SCHEDULER, SEED].contains(&column)
}

impl RawExclude {
    pub(super) fn check(this: &Spanned<Self>, source: &Source) -> Result<Exclude, InputError> {
        let mut keys = Vec::new();
        for (key, value) in &this.get_ref().0 {
            let column = column_of(key.get_ref()).map_err(|message| source.error(&key.span(), message))?;
            let words = match value.get_ref() {
                Value::Array(values) => values.iter().map(shown).collect(),
                value => shown(value).map(|word| vec![word]),
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

pub(super) fn column_of(key: &str) -> Result<usize, String> {
    let column = KEYS.iter().position(|known| *known == key);
    column.ok_or_else(|| {
        format!("unknown key `{key}`{}, expected one of `{}`", did_you_mean(key, KEYS), KEYS.join("`, `"))
    })
}

impl Exclude {
    /// Whether it may leave out cells of a case with these keys.
    pub(crate) fn concerns(&self, keys: &[String]) -> bool {
        self.keys.iter().filter(|key| !is_of_run(key.column)).all(|key| key.words.contains(&keys[key.column]))
    }

    /// Whether it leaves out this scheduler and seed of a case that it concerns.
    pub(crate) fn drops(&self, label: &str, seed: u64) -> bool {
        self.keys.iter().filter(|key| is_of_run(key.column)).all(|key| match key.column {
            SCHEDULER => key.words.iter().any(|word| word == label),
            _ => key.words.contains(&seed.to_string()),
        })
    }

    /// Checks that each value is one that some cell has in its column.
    pub(crate) fn check_values(
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

/// The most values that an error lists. Our choice, because these fill a few lines.
const MOST_SHOWN: usize = 20;
