//! Do Python's readers take the CSV as it is: pandas and polars, without options, through tests/data/read_csv.py.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may panic, and says when it is skipped")]

mod common;

use std::process::Command;

use tempfile::TempDir;

use self::common::mascot;

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
