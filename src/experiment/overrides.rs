//! `--set key=value`: an experiment with some of its keys replaced.
//!
//! A key may reach into tables with dots (`training.evolution.generations=10`, `trace.speedup=2`). A `trace` replaces
//! `loads`; `duration_s` replaces the numbers of requests, and they replace it. Lists of tables (`schedulers`,
//! `exclude`, `include`) are replaced as a whole. An empty list removes a key, as if the file did not have it; a key
//! that no experiment can have is still an error.

use std::path::PathBuf;

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::error::Error;
use crate::files::{Source, read_toml};

/// Keys that must be lists in the file; an override may give a single value.
const LISTS: [&str; 3] = ["systems", "scenarios", "schedulers"];

/// The text of a `T` with the overrides applied; the text itself if there are none.
pub(super) fn merged<T: DeserializeOwned>(
    source: Source,
    overrides: &[(String, Value)],
) -> Result<Source, Error> {
    if overrides.is_empty() {
        return Ok(source);
    }
    let mut table: Table = source.parse()?;
    make_room(&mut table, overrides);
    for (key, value) in overrides {
        if takes_away(key, value) {
            check_known::<T>(&source, key, value)?;
            take_away(&mut table, key).map_err(Error::Usage)?;
            continue;
        }
        let value = match LISTS.contains(&key.as_str()) && !value.is_array() {
            true => Value::Array(vec![value.clone()]),
            false => value.clone(),
        };
        set(&mut table, key, value).map_err(Error::Usage)?;
    }
    Ok(Source { path: path_with_set(&source), text: table.to_string(), verbatim: false })
}

/// The name of the file in errors about its text with the overrides.
fn path_with_set(source: &Source) -> PathBuf {
    format!("{} with --set", source.path.display()).into()
}

/// Checks that a `T` can have a key that is removed, even if this text does not have it, by reading a text with only
/// that key.
fn check_known<T: DeserializeOwned>(source: &Source, key: &str, value: &Value) -> Result<(), Error> {
    let mut table = Table::new();
    set(&mut table, key, value.clone()).map_err(Error::Usage)?;
    let alone = Source { path: path_with_set(source), text: table.to_string(), verbatim: false };
    match read_toml::<T>(&alone.text) {
        Err(e) if e.message().starts_with("unknown field") => Ok(alone.parse::<T>().map(drop)?),
        Err(e) if e.message().starts_with("invalid type: map") => {
            Err(Error::Usage(format!("--set {key}: there is no such key")))
        }
        // Missing keys and a value of another type are no errors here.
        _ => Ok(()),
    }
}

fn takes_away(key: &str, value: &Value) -> bool {
    is_empty(value) && !LISTS.contains(&key)
}

/// Whether a value is an empty list, which removes its key.
fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty)
}

/// Removes the keys that the overrides replace.
fn make_room(table: &mut Table, overrides: &[(String, Value)]) {
    let replaced = |key| overrides.iter().any(|(replaced, value)| replaced == key && !is_empty(value));
    if replaced("trace") && !replaced("loads") {
        table.remove("loads");
    }
    let (numbers, times) = (["requests", "warmup_requests", "drain_requests"], ["duration_s", "warmup_s"]);
    if replaced(times[0]) {
        numbers.iter().for_each(|key| drop(table.remove(*key)));
    } else if numbers.iter().any(|key| replaced(key)) {
        times.iter().for_each(|key| drop(table.remove(*key)));
    }
}

fn set(table: &mut Table, key: &str, value: Value) -> Result<(), String> {
    let mut table = table;
    let mut parts = key.split('.').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            table.insert(part.to_string(), value);
            break;
        }
        let next = table.entry(part).or_insert_with(|| Value::Table(Table::new()));
        table = next.as_table_mut().ok_or_else(|| no_table(key, part))?;
    }
    Ok(())
}

fn take_away(table: &mut Table, key: &str) -> Result<(), String> {
    let Some((part, below)) = key.split_once('.') else {
        table.remove(key);
        return Ok(());
    };
    match table.get_mut(part) {
        Some(next) => take_away(next.as_table_mut().ok_or_else(|| no_table(key, part))?, below),
        None => Ok(()),
    }
}

fn no_table(key: &str, part: &str) -> String {
    format!("--set {key}: `{part}` has no keys of its own; replace it as a whole (--set {part}=...)")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str, overrides: &[(&str, Value)]) -> Result<String, Error> {
        let source = Source { path: "a.toml".into(), text: text.into(), verbatim: true };
        let overrides: Vec<_> =
            overrides.iter().map(|(key, value)| (key.to_string(), value.clone())).collect();
        merged::<Table>(source, &overrides).map(|source| source.text)
    }

    #[test]
    fn dots_reach_into_tables() {
        let text = "a = 1\n[t.u]\nb = 2\nc = 3\n";
        let changed: Table =
            with(text, &[("t.u.b", 7.into()), ("v.w", true.into())]).unwrap().parse().unwrap();
        let expected: Table = "a = 1\nt = { u = { b = 7, c = 3 } }\nv = { w = true }".parse().unwrap();
        assert_eq!(changed, expected);
        let error = with(text, &[("a.b", 1.into())]).unwrap_err().to_string();
        assert!(error.contains("`a` has no keys of its own"), "{error}");
    }

    #[test]
    fn an_empty_list_takes_its_key_away() {
        let without =
            |key: &str| with("loads = 1\nrequests = 5\nsla = 'factor'\n", &[(key, Value::Array(vec![]))]);
        assert_eq!(without("loads").unwrap(), "requests = 5\nsla = \"factor\"\n");
        assert_eq!(without("requests").unwrap(), "loads = 1\nsla = \"factor\"\n");
        // A removed key replaces no other.
        assert_eq!(without("trace").unwrap(), without("duration_s").unwrap());
        assert!(without("trace").unwrap().contains("loads"));
    }

    #[test]
    fn a_key_with_dots_is_taken_from_its_table() {
        let without = |key: &str| with("a = 1\n[t.u]\nb = 2\nc = 3\n", &[(key, Value::Array(vec![]))]);
        assert_eq!(without("t.u.b").unwrap(), "a = 1\n\n[t.u]\nc = 3\n");
        assert_eq!(without("t.u").unwrap(), "a = 1\n\n[t]\n");
        assert_eq!(without("v.w").unwrap(), without("t.v.w").unwrap());
        let error = without("a.b").unwrap_err().to_string();
        assert!(error.contains("`a` has no keys of its own"), "{error}");
    }

    #[test]
    fn a_trace_and_a_duration_make_room_for_themselves() {
        let changed = with("loads = 1\nrequests = 5\n", &[("trace", "x".into()), ("duration_s", 2.into())]);
        assert_eq!(changed.unwrap(), "duration_s = 2\ntrace = \"x\"\n");
        assert_eq!(with("systems = ['b']\n", &[("systems", "a".into())]).unwrap(), "systems = [\"a\"]\n");
        assert_eq!(with("b = 1 # as it is\n", &[]).unwrap(), "b = 1 # as it is\n");
    }
}
