//! Does energy.csv divide what summary.csv and layers.csv say, and leave everything else as it is?

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use mascot::experiment::KEYS;
use tempfile::TempDir;

use crate::common::mascot;

type Row = BTreeMap<String, String>;

fn rows(folder: &Path, file: &str) -> Vec<Row> {
    csv::Reader::from_path(folder.join(file)).unwrap().deserialize().map(Result::unwrap).collect()
}

/// Runs a few requests of an experiment with more keys and options.
fn run(experiment: &str, keys: &[&str], options: &[&str]) -> TempDir {
    let folder = TempDir::new().unwrap();
    let out = folder.path().to_str().unwrap();
    let few = ["seeds=2", "requests=30", "loads=[0.9]"];
    let sets: Vec<&str> = few.iter().chain(keys).flat_map(|key| ["--set", key]).collect();
    let run = ["run", experiment, "--quiet", "--out", out];
    let output = mascot(&[&run[..], &sets, options].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder
}

fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap()
}

/// Sums of the energy by the values of columns.
fn sums<'a>(rows: impl IntoIterator<Item = &'a Row>, by: &[&str]) -> BTreeMap<Vec<String>, f64> {
    let mut sums = BTreeMap::new();
    for row in rows {
        let key = by.iter().filter_map(|column| row.get(*column).cloned()).collect();
        *sums.entry(key).or_default() += number(row, "energy_uj");
    }
    sums
}

fn assert_same(part: f64, whole: f64, what: &str) {
    assert!((part - whole).abs() <= 1e-9 * whole.abs(), "{what}: {part} is not {whole}");
}

/// Checks the sums of every cell, and of every accelerator, tenant and network.
fn check(folder: &Path) -> Vec<Row> {
    let energy = rows(folder, "energy.csv");
    let is_of_layers = |row: &&Row| !row["network"].is_empty();
    let of = |part: &'static str| energy.iter().filter(move |row| row["part"] == part);
    let [layers, leakage, decisions] = [
        sums(energy.iter().filter(is_of_layers), KEYS),
        sums(of("leakage"), KEYS),
        sums(of("decisions"), KEYS),
    ];
    let summary = rows(folder, "summary.csv");
    for row in &summary {
        let key: Vec<String> = KEYS.iter().filter_map(|key| row.get(*key).cloned()).collect();
        assert_same(layers[&key], number(row, "energy_layers_uj"), "layers");
        assert_same(leakage[&key], number(row, "energy_static_uj"), "leakage");
        assert_same(decisions[&key], number(row, "energy_policy_uj"), "decisions");
    }
    assert_eq!(layers.len(), summary.len());
    let by = [KEYS, &["accelerator", "tenant", "network"]].concat();
    let told = sums(energy.iter().filter(is_of_layers), &by);
    let ran = rows(folder, "layers.csv");
    let expected = sums(ran.iter().filter(|row| row["measured"] == "1"), &by);
    assert_eq!(told.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    told.values().zip(expected.values()).for_each(|(one, other)| assert_same(*one, *other, "a part"));
    energy
}

fn parts(energy: &[Row]) -> BTreeSet<&str> {
    energy.iter().map(|row| &row["part"][..]).collect()
}

#[test]
fn parts_add_up_to_the_summary_and_to_the_layers() {
    let experiment = "experiments/quickstart.toml";
    let plain = run(experiment, &["schedulers=[\"edf\"]"], &["--energy", "--layers"]);
    let energy = check(plain.path());
    let expected = ["mac", "DRAM", "leakage", "decisions", "shared_glb", "weights_spad"];
    assert!(expected.iter().all(|part| parts(&energy).contains(part)), "{:?}", parts(&energy));
    for key in ["residency=[\"none\",\"all\"]", "forwarding=[false,true]", "max_sub_job_us=[50.0]"] {
        let reused = run(experiment, &["schedulers=[\"edf\"]", key], &["--energy", "--layers"]);
        let energy = check(reused.path());
        assert!(energy.iter().all(|row| number(row, "energy_uj") >= 0.0));
        let column = &key[..key.find('=').unwrap()];
        let dram = sums(energy.iter().filter(|row| row["part"] == "DRAM"), &[column]);
        let dram: Vec<f64> = dram.into_values().collect();
        assert!(dram.len() == 1 || dram[0] > 1.01 * dram[1] || dram[1] > 1.01 * dram[0], "{key}: {dram:?}");
    }
}

#[test]
fn the_option_changes_no_other_file() {
    let [with, without] =
        [&["--energy"][..], &[]].map(|options| run("experiments/quickstart.toml", &[], options));
    for file in ["summary.csv", "groups.csv", "accelerators.csv"] {
        let read = |folder: &TempDir| fs::read(folder.path().join(file)).unwrap();
        assert_eq!(read(&with), read(&without), "{file}");
    }
    assert!(!without.path().join("energy.csv").exists());
    let manifest = fs::read_to_string(without.path().join("manifest.json")).unwrap();
    assert!(!manifest.contains("\"energy\""));
}

#[test]
fn the_report_stacks_the_parts_of_each_scheduler() {
    let keys = ["schedulers=[\"edf\",\"fcfs\"]", "scenarios=[\"light\",\"heavy\"]"];
    let folder = run("experiments/quickstart.toml", &keys, &["--energy"]);
    let output = mascot(&["report", folder.path().to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary = rows(folder.path(), "summary.csv");
    for (kind, column, name, shown) in [
        ("energy", "part", "DRAM", "DRAM"),
        ("energy-accelerators", "accelerator", "decisions", "decisions"),
        // Pictures share their colours: the largest network of one is in the legend of the other.
        ("energy-networks", "network", "leakage", "yolov2"),
    ] {
        let drawn = rows(folder.path(), &format!("report/{kind}-light.csv"));
        for scheduler in ["edf", "fcfs"] {
            let own = || drawn.iter().filter(|row| row["scheduler"] == scheduler);
            let is_it = |row: &&Row| row["scheduler"] == scheduler && row["scenario"] == "light";
            let runs = summary.iter().filter(is_it);
            let mean = runs.map(|row| number(row, "energy_per_request_uj") / 2.0).sum();
            assert_same(own().map(|row| number(row, "energy_uj")).sum(), mean, kind);
            assert!(own().any(|row| row[column] == name), "{kind}");
        }
        let svg = fs::read_to_string(folder.path().join(format!("report/{kind}-light.svg"))).unwrap();
        assert!(svg.contains(shown), "{kind}");
    }
}
