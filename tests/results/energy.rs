//! Does energy.csv divide what summary.csv and layers.csv say, and leave everything else as it is?

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use mascot::experiment::KEYS;
use mascot::hw::AccelSpec;
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

/// The parts of `energy_static_uj`.
const STANDBY: [&str; 5] = ["leakage", "clock", "waking", "DRAM background", "DRAM refresh"];

/// Checks the sums of every cell, and of every accelerator, tenant and network.
fn check(folder: &Path) -> Vec<Row> {
    let energy = rows(folder, "energy.csv");
    let is_of_layers = |row: &&Row| !row["network"].is_empty();
    let of = |part: &'static str| energy.iter().filter(move |row| row["part"] == part);
    let is_standby = |row: &&Row| STANDBY.contains(&&row["part"][..]);
    let [layers, standby, decisions] = [
        sums(energy.iter().filter(is_of_layers), KEYS),
        sums(energy.iter().filter(is_standby), KEYS),
        sums(of("decisions"), KEYS),
    ];
    let summary = rows(folder, "summary.csv");
    for row in &summary {
        let key: Vec<String> = KEYS.iter().filter_map(|key| row.get(*key).cloned()).collect();
        assert_same(layers[&key], number(row, "energy_layers_uj"), "layers");
        assert_same(standby[&key], number(row, "energy_static_uj"), "standby");
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

/// A system of two `simba_256`, with more lines of the accelerator and of the system; an experiment on it.
fn pair(folder: &Path, accelerator: &str, system: &str) -> String {
    fs::create_dir_all(folder.join("accel-models/systems")).unwrap();
    let text = fs::read_to_string("accel-models/simba_256.toml").unwrap();
    let named = text.replacen("\"simba_256\"", "\"mine\"", 1);
    let lines = format!("{accelerator}\nclock_mhz");
    fs::write(folder.join("accel-models/mine.toml"), named.replacen("clock_mhz", &lines, 1)).unwrap();
    let head = "name = \"pair\"\nsource = \"a test\"\ndram_bandwidth_gbps = 16\nobjective = \"latency\"\n";
    let text = format!("{head}{system}\n[[accelerator]]\nmodel = \"mine\"\ncount = 2\n");
    fs::write(folder.join("accel-models/systems/pair.toml"), text).unwrap();
    let path = folder.join("e.toml");
    let text = format!(
        "systems = [\"{}\"]\nscenarios = [\"light\"]\nsla_reference = \"own\"\nschedulers = [\"edf\"]\n",
        folder.join("accel-models/systems/pair.toml").display()
    );
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_string()
}

/// The rows of a file without the columns of energy.
fn without_energy(folder: &Path, file: &str) -> Vec<Row> {
    let mut rows = rows(folder, file);
    let is_energy = |column: &str| column.starts_with("energy_") || column.starts_with("edp_");
    rows.iter_mut().for_each(|row| row.retain(|column, _| !is_energy(column)));
    rows
}

#[test]
fn standby_power_is_in_parts_of_its_own_and_changes_nothing_else() {
    let folders = [(); 2].map(|()| TempDir::new().unwrap());
    let keys = "clock_mw = 20\ngating = { after_us = 100, residual = 0.1, wake_uj = 0.5 }";
    let dram = "dram_background_mw = 68\ndram_refresh_mw = 6";
    let experiments = [pair(folders[0].path(), "", ""), pair(folders[1].path(), keys, dram)];
    let [off, on] = experiments.map(|experiment| run(&experiment, &[], &["--energy", "--layers"]));
    for file in ["groups.csv", "accelerators.csv", "layers.csv"] {
        let read = |folder: &TempDir| fs::read(folder.path().join(file)).unwrap();
        assert_eq!(read(&off), read(&on), "{file}");
    }
    let summaries = [&off, &on].map(|folder| without_energy(folder.path(), "summary.csv"));
    assert_eq!(summaries[0], summaries[1]);
    let [off, on] = [check(off.path()), check(on.path())];
    assert!(off.iter().all(|row| !STANDBY[1..].contains(&&row["part"][..])), "{:?}", parts(&off));
    assert!(STANDBY.iter().all(|part| parts(&on).contains(part)), "{:?}", parts(&on));

    let spec = AccelSpec::read(&folders[1].path().join("accel-models/mine.toml")).unwrap();
    let leakage_mw = spec.leak_pj_per_cycle() * spec.clock_hz / 1e9;
    let by = ["seed", "accelerator", "part"];
    let [off, on] = [sums(&off, &by), sums(&on, &by)];
    for (seed, accelerator) in [("1", "mine.0"), ("1", "mine.1"), ("2", "mine.0"), ("2", "mine.1")] {
        let of = |all: &BTreeMap<Vec<String>, f64>, accelerator: &str, part: &str| {
            all[&[seed, accelerator, part].map(String::from).to_vec()]
        };
        // Leakage without gating tells the length of the window: 1 uJ is 1 mW for 1 ms.
        let window_ms = of(&off, accelerator, "leakage") / leakage_mw;
        assert_same(of(&on, "", "DRAM background"), 68.0 * window_ms, "background");
        assert_same(of(&on, "", "DRAM refresh"), 6.0 * window_ms, "refresh");
        let on_ms = of(&on, accelerator, "leakage") / leakage_mw;
        assert!(0.1 * window_ms < on_ms && on_ms < 0.99 * window_ms, "{on_ms} of {window_ms}");
        assert_same(of(&on, accelerator, "clock"), 20.0 * on_ms, "clock");
        let wakes = of(&on, accelerator, "waking") / 0.5;
        assert!(wakes >= 1.0 && wakes.fract() == 0.0, "{wakes}");
    }
}
