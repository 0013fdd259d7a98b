//! The cells that an experiment adds to the product of its lists; [`super::exclude`] describes their syntax.

use std::ops::Range;

use toml::{Table, Value};

use super::config::{Experiment, Include};
use super::error::Error;
use super::exclude::column_of;
use super::keys::{KEYS, PLURALS};
use super::list::distinct;
use super::schedulers::SchedulerChoice;
use crate::files::{InputError, Seed, Source, Spanned, read_value};

/// The products for which the `[[include]]`s of an experiment stand.
pub(super) fn includes(
    tables: &[Spanned<Table>],
    base: &Experiment,
    parse: &dyn Fn(Source) -> Result<Experiment, Error>,
) -> Result<Vec<Include>, Error> {
    let mut includes: Vec<Include> = Vec::new();
    for table in tables {
        let error = |message: String| Error::Input(base.source.error(&table.span(), message));
        let include = include(table.get_ref(), base, parse, table.span()).map_err(error)?;
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

fn include(
    table: &Table,
    base: &Experiment,
    parse: &dyn Fn(Source) -> Result<Experiment, Error>,
    span: Range<usize>,
) -> Result<Include, String> {
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
            "drift" if !base.has_drifts() => {
                return Err("`drift` needs the experiment to have `drifts`, of which it is a value".into());
            }
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
    let experiment = parse(source).map_err(first_line)?;
    Ok(Include { span, experiment, seeds })
}

/// Resolves a scheduler of an include: a label of the experiment is that scheduler with its parameters; any other name
/// is a scheduler of the include's own.
fn by_label(value: Value, base: &Experiment) -> Value {
    let named = base.schedulers.iter().find(|choice| value.as_str() == Some(&choice.label));
    named.map_or(value, |choice| Value::Table(choice.to_table()))
}

fn seeds_of(value: &Value) -> Result<Vec<u64>, String> {
    let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    let seed = |value: &Value| read_value::<Seed>(value).ok().map(|seed| seed.0);
    let seeds: Option<Vec<u64>> = values.iter().map(seed).collect();
    seeds.map(distinct).filter(|seeds| !seeds.is_empty()).ok_or_else(|| {
        "`seed` is neither a whole number from 0 to 9007199254740992 nor a list of them".to_string()
    })
}
