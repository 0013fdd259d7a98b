//! Do Python's readers take the CSV as it is: pandas and polars, without options, through tests/data/read_csv.py.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may panic, and says when it is skipped")]

use std::process::Command;

use tempfile::TempDir;

use crate::common::mascot;

#[test]
fn pandas_and_polars_read_every_file() {
    let Some(python) = std::env::var_os("MASCOT_PYTHON") else {
        eprintln!("skipped: MASCOT_PYTHON is not set (`export MASCOT_PYTHON=$(.ci/python)`)");
        return;
    };
    let folder = TempDir::new().unwrap();
    let out = folder.path().to_str().unwrap();
    // So little load that the first hundred SLA rates are 1: readers that guess from those must not guess whole numbers.
    let light =
        ["--set", "loads=[0.05,1.2]", "--set", "scenarios=light", "--set", "schedulers=[\"edf\",\"eft\"]"];
    let small = ["--seeds", "60", "--set", "requests=12", "--requests", "--layers", "--quiet", "--out", out];
    let run = mascot(&[&["run", "experiments/quickstart.toml"][..], &light, &small].concat());
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let rates = std::fs::read_to_string(folder.path().join("summary.csv")).unwrap();
    assert_eq!(rates.lines().count(), 1 + 2 * 2 * 60);

    let files = ["summary.csv", "accelerators.csv", "requests.csv", "layers.csv"];
    let output = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/read_csv.py"))
        .arg(folder.path())
        .args(files)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), files.len());
}

/// The first lines of the chapter on metrics: means and standard errors over seeds, of every scenario and whatever says when requests come.
const GUIDE_PANDAS: &str = r#"
import sys
import pandas as pd
for folder in sys.argv[1:]:
    runs = pd.read_csv(folder + "/summary.csv")
    rates = runs.groupby(["scenario", "load", "scheduler"])["sla_rate"].agg(["mean", "sem", "count"])
    assert (rates["count"] == 3).all() and rates["count"].sum() == len(runs), rates
    assert rates.notna().all().all(), rates
"#;

#[test]
fn the_seeds_of_every_scenario_are_grouped_by_its_load() {
    let Some(python) = std::env::var_os("MASCOT_PYTHON") else {
        eprintln!("skipped: MASCOT_PYTHON is not set (`export MASCOT_PYTHON=$(.ci/python)`)");
        return;
    };
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let arrivals: String = (0..200).map(|i| format!("{}\n", 0.01 * f64::from(i))).collect();
    std::fs::write(path("times.csv"), format!("t_s\n{arrivals}")).unwrap();
    let scenarios = |of: &str| {
        format!("systems = ['hetero-6']\nscenarios = {of}\nschedulers = ['fcfs', 'edf']\nseeds = 3\n")
    };
    let own = scenarios("['moca_light', 'moca_mixed', 'ar_gaming', 'outdoor_activity_a']");
    let traced = format!("{}trace = {{ file = '{}' }}\n", scenarios("['light']"), path("times.csv"));
    let given = format!("{}loads = [0.6, 0.9]\n", scenarios("['light', 'mixed']"));
    let folders = [("own", own), ("traced", traced), ("given", given)].map(|(name, text)| {
        std::fs::write(path(&format!("{name}.toml")), format!("{text}requests = 40\n")).unwrap();
        let run = mascot(&["run", &path(&format!("{name}.toml")), "--quiet", "--out", &path(name)]);
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        path(name)
    });
    let output = Command::new(python).args(["-c", GUIDE_PANDAS]).args(folders).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
