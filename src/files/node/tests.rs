//! What is read is what `toml` would read, and so are the errors.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::*;
use crate::files::Spanned;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Thing {
    number: u32,
    #[serde(default)]
    real: Option<f64>,
    #[serde(default)]
    kind: Kind,
    #[serde(default)]
    pairs: Vec<(String, u8)>,
    #[serde(default)]
    inner: Option<Inner>,
    #[serde(default)]
    more: Table,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    #[default]
    Plain,
    Sized(u8),
    Named {
        name: String,
    },
    Pair(u8, bool),
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inner {
    flag: bool,
}

/// The slow twin is the deserializer of `toml`.
#[test]
fn what_is_read_is_what_toml_reads() {
    for text in [
        "number = 1",
        "number = 0x10\nreal = 2\nkind = 'plain'",
        "number = 1\nreal = inf\nkind = { sized = 3 }\npairs = [['a', 1], ['b', 2]]",
        "number = 1\nkind = { named = { name = 'n' } }\ninner.flag = true\nmore = { a = [1, 2.5, 'x', { b = false }] }",
        "number = 1\nkind = { pair = [1, true] }\n[more]\na.b.c = -9_000",
    ] {
        let expected: Thing = toml::from_str(text).expect("it is a thing");
        assert_eq!(read_toml::<Thing>(text), Ok(expected), "{text}");
        let table: Table = text.parse().expect("it is TOML");
        assert_eq!(read_toml::<Table>(text), Ok(table.clone()), "{text}");
        assert_eq!(read_table::<Thing>(&table), read_toml(text), "{text}");
    }
}

#[test]
fn errors_are_those_of_toml() {
    for text in [
        "",
        "number = ",
        "number = 1\nnumber = 2",
        "number = -1",
        "number = 5_000_000_000",
        "number = 99_999_999_999_999_999",
        "number = 'x'",
        "number = 1.5",
        "number = [1]",
        "number = { a = 1 }",
        "nubmer = 1",
        "number = 1\nreal = true",
        "number = 1\nkind = 'other'",
        "number = 1\nkind = { sized = 300 }",
        "number = 1\nkind = { sized = 3, plain = {} }",
        "number = 1\nkind = {}",
        "number = 1\nkind = { named = {} }",
        "number = 1\npairs = [['a']]",
        "number = 1\npairs = [['a', 1], ['b', 'c']]",
        "number = 1\npairs = 3",
        "number = 1\n[inner]\nflag = 1",
        "number = 1\n[inner]\nflag = true\nflog = true",
        "number = 1\ninner = 4",
    ] {
        let expected = toml::from_str::<Thing>(text).expect_err("it is no thing");
        let error = read_toml::<Thing>(text).expect_err("it is no thing");
        assert_eq!((error.message(), error.span()), (expected.message(), expected.span()), "{text}");
    }
    let word = read_toml::<Thing>("number = 1\nkind = 7").expect_err("no word");
    let words = "invalid type: value, expected `plain` or `sized` or `named` or `pair`";
    assert_eq!((word.message(), word.span()), (words, Some(18..19)));
    let longer = read_toml::<Thing>("number = 1\npairs = [['a', 1, 2]]").expect_err("a pair of three");
    assert_eq!(longer.message(), "invalid length 3, expected fewer elements in array");
    assert_eq!(longer.span(), Some(20..31));
    for text in [
        "number = 18446744073709551615",
        "number = 99999999999999999999999",
        "number = 1e999",
        "number = 1979-05-27",
    ] {
        let error = read_toml::<Thing>(text).expect_err("it is no thing");
        assert!(
            error.message().starts_with("invalid ") && error.message().ends_with("expected u32"),
            "{error}"
        );
        assert_eq!(error.span(), Some(9..text.len()), "{text}");
    }
}

#[test]
fn an_error_of_a_table_names_the_keys() {
    let error =
        |text: &str| read_table::<Thing>(&text.parse().expect("it is TOML")).expect_err("it is no thing");
    let deep = error("number = 1\n[inner]\nflag = 1");
    assert_eq!((deep.key().as_deref(), deep.span()), (Some("inner.flag"), Some(NOWHERE)));
    assert_eq!(deep.to_string(), "invalid type: integer `1`, expected a boolean in `inner.flag`");
    assert_eq!(error("inner = {}").key().as_deref(), Some("inner"));
    assert_eq!(error("real = 1.0").key(), None);
}

#[test]
fn places_are_those_of_keys_and_values() {
    let text = "a = 'x'\nbc = [1,\n  23]";
    let read: BTreeMap<Spanned<String>, Spanned<Value>> = read_toml(text).expect("a table");
    let told: Vec<_> = read.iter().map(|(key, value)| (&text[key.span()], &text[value.span()])).collect();
    assert_eq!(told, [("a", "'x'"), ("bc", "[1,\n  23]")]);
    let list: BTreeMap<String, Value> = read_toml(text).expect("a table");
    let items: Vec<Spanned<u8>> = read_value(&list["bc"]).expect("numbers");
    assert_eq!(items.iter().map(Spanned::span).collect::<Vec<_>>(), [NOWHERE, NOWHERE]);
}

#[test]
fn shipped_files_are_read_alike() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut read = 0;
    for folder in ["experiments", "policies", "accel-models", "workloads"] {
        for entry in std::fs::read_dir(root.join(folder)).expect("it ships") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                let text = std::fs::read_to_string(&path).expect("a text");
                assert_eq!(read_toml::<Table>(&text), Ok(text.parse().expect("TOML")), "{}", path.display());
                read += 1;
            }
        }
    }
    assert!(read > 20, "{read}");
}
