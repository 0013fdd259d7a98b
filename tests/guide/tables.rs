//! The generated tables: what stands between `<!-- table: NAME -->` and `<!-- end -->`.

use std::collections::BTreeSet;
use std::fs;

use mascot::experiment::{Experiment, LEARNERS, swept_keys};
use serde_json::Value;

use super::chapters;
use super::common::mascot;

const BEGIN: &str = "<!-- table: ";
const END: &str = "<!-- end -->";

/// What `mascot list` knows, with the columns of the table: as it heads them, and as its JSON calls them. The first is a name.
const LISTS: [(&str, &[(&str, &str)]); 5] = [
    (
        "arrivals",
        &[
            ("kind", "arrivals"),
            ("law", "law"),
            ("rate", "rate"),
            ("parameters", "parameters"),
            ("source", "source"),
        ],
    ),
    (
        "schedulers",
        &[("scheduler", "scheduler"), ("rule", "rule"), ("parameters", "parameters"), ("source", "source")],
    ),
    (
        "dispatchers",
        &[
            ("rule", "name"),
            ("kind", "kind"),
            ("what it does", "rule"),
            ("parameters", "parameters"),
            ("source", "source"),
        ],
    ),
    ("parts", &[("part", "part"), ("meaning", "meaning")]),
    (
        "metrics",
        &[
            ("column", "column"),
            ("file", "file"),
            ("better", "better"),
            ("of requests", "of_requests"),
            ("meaning", "meaning"),
        ],
    ),
];

#[test]
fn the_tables_of_the_guide_are_those_of_the_registries() {
    let mut shown = BTreeSet::new();
    for path in chapters() {
        let text = fs::read_to_string(&path).unwrap();
        let fresh = with_tables(&text, &mut shown);
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, &fresh).unwrap();
        }
        let current = fs::read_to_string(&path).unwrap();
        let stale = "a table is stale: `UPDATE=1 cargo test --release --test guide` rewrites it";
        assert!(current == fresh, "{}: {stale}", path.display());
    }
    let known = LISTS.map(|(name, _)| name).into_iter().chain([
        "keys",
        "swept keys",
        "training keys",
        "learners",
        "serving",
    ]);
    assert_eq!(shown, known.map(str::to_string).collect::<BTreeSet<_>>());
}

/// The text with every table made anew; their names are added to `shown`.
fn with_tables(text: &str, shown: &mut BTreeSet<String>) -> String {
    let mut pieces = text.split(BEGIN);
    let mut fresh = pieces.next().unwrap_or_default().to_string();
    for piece in pieces {
        let (name, rest) = piece.split_once(" -->").expect("a marker is closed");
        let (_, after) = rest.split_once(END).expect("a table has an end");
        shown.insert(name.to_string());
        fresh += &format!("{BEGIN}{name} -->\n{}{END}{after}", table(name));
    }
    fresh
}

fn table(name: &str) -> String {
    if let Some((_, columns)) = LISTS.iter().find(|(list, _)| *list == name) {
        return list(name, columns);
    }
    let schema = Experiment::schema();
    match name {
        "keys" => keys(schema.as_value()),
        "swept keys" => swept(schema.as_value()),
        "training keys" => training(schema.as_value()),
        "learners" => learners(),
        "serving" => serving(),
        _ => panic!("no table `{name}`"),
    }
}

/// What `mascot list` prints.
fn listed(what: &str) -> Vec<Value> {
    serde_json::from_slice(&mascot(&["list", what, "--json"]).stdout).expect("it prints JSON")
}

/// The columns of serving.csv, which the table of all metrics leaves to the chapter on serving.
fn serving() -> String {
    let rows = listed("metrics").into_iter().filter(is_of_serving).map(|row| {
        let text = |key: &str| row[key].as_str().expect("a text").to_string();
        vec![code(&text("column")), text("better"), text("meaning")]
    });
    markdown(&["column", "better", "meaning"], rows)
}

fn is_of_serving(row: &Value) -> bool {
    row["file"] == "serving.csv"
}

/// The rows that `mascot list` prints, but for those that have a table of their own.
fn list(what: &str, columns: &[(&str, &str)]) -> String {
    let rows: Vec<Value> = listed(what).into_iter().filter(|row| !is_of_serving(row)).collect();
    let row = |row: &Value| {
        let text = |(i, (_, key)): (usize, &(&str, &str))| {
            let text = row[key].as_str().expect("a text");
            if i == 0 { code(text) } else { text.to_string() }
        };
        columns.iter().enumerate().map(text).collect()
    };
    markdown(&columns.iter().map(|(title, _)| *title).collect::<Vec<_>>(), rows.iter().map(row))
}

/// All keys of an experiment but the swept ones; those that it needs come first.
fn keys(schema: &Value) -> String {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let is_required = |key: &str| required.contains(&key);
    let properties = schema["properties"].as_object().expect("it is a table");
    let swept = swept_keys();
    let is_swept = |key: &&str| swept.iter().any(|swept| swept.name == *key);
    let mut names: Vec<&str> = properties.keys().map(String::as_str).filter(|key| !is_swept(key)).collect();
    names.sort_by_key(|key| !is_required(key));
    let row = |key: &str| {
        let needed = if is_required(key) { "required" } else { "" };
        vec![code(key), needed.to_string(), doc(&properties[key])]
    };
    markdown(&["key", "", "meaning"], names.into_iter().map(row))
}

/// The keys that make a sweep, with the values that they may have.
fn swept(schema: &Value) -> String {
    let rows = swept_keys().into_iter().map(|key| {
        let default = key.default.map_or("the system's own".to_string(), |default| code(&default));
        vec![
            code(key.name),
            values(&schema["properties"][key.name]),
            default,
            key.doc.replace("; the system's own if left out", ""),
        ]
    });
    markdown(&["key", "values", "default", "meaning"], rows)
}

/// What trains policies.
fn learners() -> String {
    let rows = LEARNERS.iter().map(|entry| {
        let policies: Vec<String> = entry.policies.iter().map(|policy| code(policy)).collect();
        let needs = if entry.needs_libtorch { "libtorch" } else { "" };
        vec![code(entry.name), entry.doc.to_string(), policies.join(", "), needs.to_string()]
    });
    markdown(&["algorithm", "what it does", "trains", "needs"], rows)
}

/// The keys of `[training]`, those of its tables included.
fn training(schema: &Value) -> String {
    let mut rows = Vec::new();
    training_rows("", &schema["properties"]["training"], &mut rows);
    markdown(&["key", "default", "meaning"], rows.into_iter())
}

fn training_rows(prefix: &str, schema: &Value, rows: &mut Vec<Vec<String>>) {
    let Some(properties) = object_of(schema) else { return };
    for (key, property) in properties {
        let name = format!("{prefix}{key}");
        if object_of(property).is_some() {
            training_rows(&format!("{name}."), property, rows);
        } else {
            rows.push(vec![code(&name), default_of(property), doc(property)]);
        }
    }
}

/// The default that a schema knows of, or nothing.
fn default_of(schema: &Value) -> String {
    match &schema["default"] {
        Value::Null => String::new(),
        Value::String(word) => code(word),
        // The schema widens an f32; these are the digits that its source has.
        Value::Number(number) if number.is_f64() => {
            let wide = number.as_f64().expect("it is one");
            let narrow = wide as f32;
            code(&if f64::from(narrow) == wide { narrow.to_string() } else { wide.to_string() })
        }
        default => code(&default.to_string()),
    }
}

/// The properties of a schema that is a table, or may be one.
fn object_of(schema: &Value) -> Option<&serde_json::Map<String, Value>> {
    let any = schema["anyOf"].as_array().into_iter().flatten();
    schema["properties"].as_object().or_else(|| any.filter_map(object_of).next())
}

fn doc(schema: &Value) -> String {
    schema["description"].as_str().expect("every key says what it means").replace('\n', " ")
}

/// What a value may be, by its schema: words, or the sentence that its type has.
fn values(schema: &Value) -> String {
    if let Some(choices) = schema["oneOf"].as_array() {
        return choices
            .iter()
            .map(|it| code(it["const"].as_str().expect("a word")))
            .collect::<Vec<_>>()
            .join(", ");
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let word = any.get(1).and_then(|other| other["const"].as_str());
        return values(&any[0]) + &word.map_or(String::new(), |word| format!(", {}", code(word)));
    }
    match (&schema["type"], schema["description"].as_str()) {
        (Value::String(kind), _) if kind == "boolean" => format!("{}, {}", code("true"), code("false")),
        (_, Some(doc)) => doc.to_string(),
        _ => String::new(),
    }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// A table in Markdown.
fn markdown(titles: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let titles: Vec<String> = titles.iter().map(ToString::to_string).collect();
    let rule = format!("|{}\n", "---|".repeat(titles.len()));
    let escape = |cell: &String| cell.replace('|', "\\|").replace('<', "\\<");
    let escaped = |row: Vec<String>| row.iter().map(escape).collect::<Vec<_>>();
    line(&titles) + &rule + &rows.map(|row| line(&escaped(row))).collect::<String>()
}
