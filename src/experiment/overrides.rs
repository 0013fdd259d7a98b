//! `--set key=value`: an experiment with some of its keys replaced.
//!
//! A key may reach into tables with dots (`training.evolution.generations=10`, `trace.speedup=2`). A `trace` takes the
//! place of `loads`, `duration_s` that of numbers of requests, and they that of it. Lists of tables (`schedulers`,
//! `exclude`, `include`) are replaced as a whole. An empty list takes a key away, as if the file did not have it.

use toml::{Table, Value};

use super::Error;
use crate::files::Source;

/// Keys that are lists in the file; an override may give a single value.
const LISTS: [&str; 3] = ["systems", "scenarios", "schedulers"];

/// The text with the overrides in it; the text itself where there are none.
pub(super) fn merged(source: Source, overrides: &[(String, Value)]) -> Result<Source, Error> {
    if overrides.is_empty() {
        return Ok(source);
    }
    let mut table: Table = source.parse()?;
    make_room(&mut table, overrides);
    for (key, value) in overrides {
        if is_empty(value) && !LISTS.contains(&key.as_str()) {
            table.remove(key);
            continue;
        }
        let value = match LISTS.contains(&key.as_str()) && !value.is_array() {
            true => Value::Array(vec![value.clone()]),
            false => value.clone(),
        };
        set(&mut table, key, value).map_err(Error::Usage)?;
    }
    let path = format!("{} with --set", source.path.display()).into();
    Ok(Source { path, text: table.to_string(), verbatim: false })
}

/// Whether it takes its key away.
fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty)
}

/// Removes what the overrides take the place of.
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
        table = next.as_table_mut().ok_or_else(|| {
            format!("--set {key}: `{part}` has no keys of its own; replace it as a whole (--set {part}=...)")
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str, overrides: &[(&str, Value)]) -> Result<String, Error> {
        let source = Source { path: "a.toml".into(), text: text.into(), verbatim: true };
        let overrides: Vec<_> =
            overrides.iter().map(|(key, value)| (key.to_string(), value.clone())).collect();
        merged(source, &overrides).map(|source| source.text)
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
        // What is taken away takes no other's place.
        assert_eq!(without("trace").unwrap(), without("duration_s").unwrap());
        assert!(without("trace").unwrap().contains("loads"));
    }

    #[test]
    fn a_trace_and_a_duration_make_room_for_themselves() {
        let changed = with("loads = 1\nrequests = 5\n", &[("trace", "x".into()), ("duration_s", 2.into())]);
        assert_eq!(changed.unwrap(), "duration_s = 2\ntrace = \"x\"\n");
        assert_eq!(with("systems = ['b']\n", &[("systems", "a".into())]).unwrap(), "systems = [\"a\"]\n");
        assert_eq!(with("b = 1 # as it is\n", &[]).unwrap(), "b = 1 # as it is\n");
    }
}
