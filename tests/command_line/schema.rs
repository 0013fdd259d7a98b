//! Does every shipped file match the JSON Schema of its kind, and does a schema refuse what the reader refuses?

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use jsonschema::Validator;
use serde_json::Value;

use crate::common::mascot;

/// Every kind with the folder of its shipped files, and how many there are at least.
const KINDS: [(&str, &str, usize); 7] = [
    ("experiment", "experiments", 9),
    ("system", "accel-models/systems", 5),
    ("accelerator", "accel-models", 11),
    ("network", "workloads/networks", 50),
    ("model", "workloads/models", 6),
    ("scenario", "workloads/scenarios", 20),
    ("fleet", "fleets", 3),
];

fn schema(kind: &str) -> Value {
    let output = mascot(&["schema", kind]);
    assert!(output.status.success() && output.stderr.is_empty());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn files(folder: &str) -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = paths.filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path.display().to_string(), toml::from_str(&text).unwrap())
        })
        .collect()
}

fn errors(validator: &Validator, file: &Value) -> Vec<String> {
    validator.iter_errors(file).map(|e| format!("{}: {e}", e.instance_path())).collect()
}

#[test]
fn every_shipped_file_matches_its_schema() {
    for (kind, folder, at_least) in KINDS {
        let validator = jsonschema::validator_for(&schema(kind)).unwrap();
        let files = files(folder);
        assert!(files.len() >= at_least, "{folder}: {}", files.len());
        for (path, file) in files {
            assert_eq!(errors(&validator, &file), [""; 0], "{path}");
        }
    }
}

#[test]
fn an_unknown_key_matches_no_schema() {
    for (kind, folder, _) in KINDS {
        let validator = jsonschema::validator_for(&schema(kind)).unwrap();
        let (path, mut file) = files(folder).swap_remove(0);
        file["unknown_key"] = 1.into();
        assert!(!validator.is_valid(&file), "{path}");
    }
}

/// A change to a shipped file that its reader refuses, as a JSON pointer and a value.
#[test]
fn wrong_values_match_no_schema() {
    let wrong = [
        ("experiment", "experiments", "/schedulers/0", Value::from("first_come")),
        ("experiment", "experiments", "/loads", Value::from(-1)),
        ("system", "accel-models/systems", "/accelerator/0/number", Value::from(1)),
        ("system", "accel-models/systems", "/dram_bandwidth_gbps", Value::from("32 GB/s")),
        ("system", "accel-models/systems", "/dram_refresh_mw", Value::from(-1)),
        ("accelerator", "accel-models", "/gating", serde_json::json!({ "after_us": 1, "residual": 2 })),
        ("scenario", "workloads/scenarios", "/tenant/0/arrivals", serde_json::json!({ "kind": "poison" })),
        ("network", "workloads/networks", "/layers/0/kind", Value::from("convolution")),
        ("model", "workloads/models", "/variant/0/accuracy", Value::from(76.1)),
        ("accelerator", "accel-models", "/array_efficiency", Value::from(1.5)),
        (
            "accelerator",
            "accel-models",
            "/technology",
            serde_json::json!({ "node": "28nm", "scale_from": "45nm" }),
        ),
    ];
    for (kind, folder, pointer, value) in wrong {
        let validator = jsonschema::validator_for(&schema(kind)).unwrap();
        let (path, mut file) = files(folder).swap_remove(0);
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match file.pointer_mut(parent).unwrap() {
            Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
            table => table[key] = value,
        }
        assert!(!validator.is_valid(&file), "{path}: {pointer}");
    }
}

#[test]
fn rules_of_dispatchers_are_those_of_the_registries() {
    let validator = jsonschema::validator_for(&schema("experiment")).unwrap();
    let is_valid = |dispatcher: &str| {
        let text =
            format!("fleets = ['one-site']\nscenarios = ['vision_users']\ndispatchers = [{dispatcher}]");
        validator.is_valid(&serde_json::to_value(toml::from_str::<toml::Table>(&text).unwrap()).unwrap())
    };
    let right = [
        "{ route = 'closest' }",
        "{ route = { rule = 'pod', d = 3 }, variant = 'fits', batch = ['greedy', { rule = 'timeout', us = 500 }] }",
        "{ order = ['deadline', { rule = 'weighted', alpha = 2 }] }",
        "{ rule = 'clockwork', label = 'exact', max = 4 }",
    ];
    let wrong = [
        "{ route = 'nearest' }",
        "{ route = 'split' }",
        "{ route = { rule = 'pod', n = 3 } }",
        "{ batch = [] }",
        "{ variants = 'best' }",
        "{ rule = 'clockwork', batch = 'greedy' }",
        "{ rule = 'greedy' }",
        "'closest'",
    ];
    assert_eq!(right.map(is_valid), [true; 4]);
    assert_eq!(wrong.map(is_valid), [false; 8]);
}

#[test]
fn keys_are_described() {
    for (kind, ..) in KINDS {
        let schema = schema(kind);
        let properties = schema["properties"].as_object().unwrap();
        for (key, property) in properties {
            assert!(property["description"].is_string(), "{kind}: {key}");
        }
    }
}
