//! Do swept forms of networks (fusion, precision, what the mapper minimises) reach the runs: names of layers, bytes, energy, errors?

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::common::mascot;

type Row = BTreeMap<String, String>;

/// Runs a few requests of light under `edf` with more keys; returns what was said on standard error.
fn run(folder: &Path, keys: &[&str]) -> (bool, String) {
    let out = folder.to_str().unwrap();
    let few = ["seeds=2", "requests=30", "schedulers=[\"edf\"]", "scenarios=[\"light\"]", "loads=[0.5]"];
    let sets: Vec<&str> = few.iter().chain(keys).flat_map(|key| ["--set", key]).collect();
    let run = ["run", "experiments/quickstart.toml", "--quiet", "--layers", "--out", out];
    let output = mascot(&[&run[..], &sets].concat());
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn rows(folder: &Path, file: &str) -> Vec<Row> {
    csv::Reader::from_path(folder.join(file)).unwrap().deserialize().map(Result::unwrap).collect()
}

/// By the value of a key: names of the layers that ran, DRAM bytes of a layer run in the mean, energy of a request.
fn by(folder: &Path, key: &str) -> BTreeMap<String, (BTreeSet<String>, f64, f64)> {
    let mut found: BTreeMap<String, (BTreeSet<String>, f64, f64, f64)> = BTreeMap::new();
    for row in rows(folder, "layers.csv") {
        let (names, bytes, runs, _) = found.entry(row[key].clone()).or_default();
        names.insert(row["layer"].clone());
        *bytes += row["dram_bytes"].parse::<f64>().unwrap();
        *runs += 1.0;
    }
    for row in rows(folder, "summary.csv") {
        found.get_mut(&row[key]).unwrap().3 += row["energy_per_request_uj"].parse::<f64>().unwrap() / 2.0;
    }
    found
        .into_iter()
        .map(|(key, (names, bytes, runs, energy))| (key, (names, bytes / runs, energy)))
        .collect()
}

#[test]
fn fusion_changes_layers_and_traffic() {
    let folder = TempDir::new().unwrap();
    let (ok, said) = run(folder.path(), &["fusion=[\"none\",\"post\"]"]);
    assert!(ok, "{said}");
    let found = by(folder.path(), "fusion");
    let (none, post) = (&found["none"], &found["post"]);
    assert!(none.0.iter().all(|name| !name.contains('+')));
    assert!(post.0.iter().any(|name| name.contains('+')) && post.0.len() < none.0.len());
    assert!(post.2 < 0.95 * none.2, "energy of a request {} {}", post.2, none.2);
}

#[test]
fn precision_changes_traffic_and_energy() {
    let folder = TempDir::new().unwrap();
    let (ok, said) = run(folder.path(), &["precision=[\"native\",\"w8a8\",\"w4a4\",\"w16a16\"]"]);
    assert!(ok, "{said}");
    let found = by(folder.path(), "precision");
    assert_eq!(found["native"], found["w8a8"], "8-bit words");
    let [narrow, native, wide] = ["w4a4", "native", "w16a16"].map(|precision| &found[precision]);
    assert!(narrow.0 == native.0 && native.0 == wide.0, "the same layers");
    assert!(narrow.1 < 0.6 * native.1 && 1.8 * native.1 < wide.1, "{} {} {}", narrow.1, native.1, wide.1);
    assert!(narrow.2 < native.2 && native.2 < wide.2, "{} {} {}", narrow.2, native.2, wide.2);
}

#[test]
fn a_precision_that_means_nothing_is_an_error() {
    let folder = TempDir::new().unwrap();
    let refused = |keys: &[&str], why: &str| {
        let (ok, said) = run(&folder.path().join("out"), keys);
        assert!(!ok && said.contains(why), "{said}");
        assert!(!folder.path().join("out").exists());
    };
    refused(
        &["precision=\"w4x8\""],
        "`w4x8`: `x` stands for no tensor; expected `native`, or bits from 1 to 64",
    );
    refused(&["precision=\"int8\""], "expected `native`");
    // A table of costs knows of none.
    let system = fs::read_to_string("accel-models/systems/simba-6.toml").unwrap();
    let own = system
        .replace("simba-6", "own")
        .replace("dram_bandwidth_gbps = 32\n", "dram_bandwidth_gbps = 32\ncost = \"table.csv\"\n");
    let path = folder.path().join("own.toml");
    fs::write(&path, own).unwrap();
    let systems = format!("systems=[\"{}\"]", path.display());
    refused(
        &[&systems, "precision=\"w4a8\""],
        "`precision = \"w4a8\"` has no effect on `own`, whose costs come from",
    );
}

/// With the whole bandwidth at which the mapper counts latency, no layer is faster than under `latency`; under `energy` some
/// are slower. The system's own objective is `edp`.
#[test]
fn the_objective_of_the_mapper_changes_time_and_energy() {
    let folder = TempDir::new().unwrap();
    let summary = |keys: &[&str], below: &str| {
        let out = folder.path().join(below);
        let (ok, said) = run(&out, &[keys, &["seeds=1", "dram_efficiency=1"]].concat());
        assert!(ok, "{said}");
        rows(&out, "summary.csv")
    };
    let swept = summary(&["objective=[\"latency\",\"energy\",\"edp\"]"], "swept");
    let words: Vec<&str> = swept.iter().map(|row| row["objective"].as_str()).collect();
    assert_eq!(words, ["latency", "energy", "edp"]);
    assert_eq!(summary(&["objective=\"energy\""], "alone")[0], swept[1], "a value alone is as in the sweep");
    assert_eq!(summary(&[], "unsaid")[0], swept[2], "the system's own");

    // By network, layer and model: the time of the layer alone on the system, under each of the three.
    let mut alone: BTreeMap<[String; 3], [f64; 3]> = BTreeMap::new();
    for row in rows(&folder.path().join("swept"), "layers.csv") {
        let place = words.iter().position(|word| *word == row["objective"]).unwrap();
        let model = row["accelerator"].split('.').next().unwrap().to_string();
        let key = [row["network"].clone(), row["layer"].clone(), model];
        alone.entry(key).or_insert([f64::NAN; 3])[place] = row["alone_us"].parse::<f64>().unwrap();
    }
    let mut slower = 0;
    for (key, [latency, energy, edp]) in &alone {
        let faster = *energy < 0.999 * latency || *edp < 0.999 * latency;
        assert!(!faster, "{key:?}: {latency} {energy} {edp}");
        slower += usize::from(*energy > 1.01 * latency);
    }
    assert!(slower > 0, "energy costs no time");
}

#[test]
fn an_objective_that_means_nothing_is_an_error() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let (ok, said) = run(&out, &["objective=\"power\""]);
    assert!(!ok && said.contains("expected one of `latency`, `energy`, `edp`"), "{said}");
    // Where costs are given, nothing is mapped.
    let (ok, said) = run(&out, &["systems=[\"gpu-like-2\"]", "objective=\"energy\""]);
    assert!(
        !ok && said.contains("`objective` has no effect on `gpu-like-2`, whose costs come from"),
        "{said}"
    );
    assert!(!out.exists());
}
