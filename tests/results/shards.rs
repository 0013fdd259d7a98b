//! Several processes on one sweep: their shares, what one takes over from another, and a real Slurm.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may panic, and says when it is skipped")]

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::common::{mascot, program};

const EXPERIMENT: &str = "systems = ['hetero-4']\nscenarios = ['light']\nloads = [0.5, 0.9]\nseeds = 5\n\
                          schedulers = ['fcfs', 'edf', 'prema']\n";

/// A folder with the experiment, of so many requests a run.
fn study(requests: usize) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("share.toml"), format!("{EXPERIMENT}requests = {requests}\n")).unwrap();
    folder
}

/// Runs it in a folder of results below.
fn run(study: &TempDir, out: &str, more: &[&str]) -> std::process::Output {
    let [experiment, out] = ["share.toml", out].map(|name| study.path().join(name));
    let args = ["run", experiment.to_str().unwrap(), "--out", out.to_str().unwrap(), "--jobs", "1"];
    mascot(&[&args[..], more].concat())
}

fn told(output: &std::process::Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The CSV files of a folder of results.
fn files(folder: &Path) -> Vec<Vec<u8>> {
    let names = ["summary.csv", "groups.csv", "accelerators.csv", "requests.csv"];
    names.map(|name| fs::read(folder.join(name)).unwrap()).to_vec()
}

fn count(folder: &Path, extension: &str) -> usize {
    let entries = fs::read_dir(folder.join("cells")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|own| own == extension)).count()
}

#[test]
fn shares_side_by_side_give_the_bytes_of_one_process() {
    let study = study(150);
    told(&run(&study, "alone", &["--requests", "--quiet"]));
    let [experiment, out] = ["share.toml", "shared"].map(|name| study.path().join(name));
    let start = |shard: &str| {
        let args = ["run", experiment.to_str().unwrap(), "--out", out.to_str().unwrap()];
        let how = ["--jobs", "1", "--quiet", "--requests", "--shard", shard];
        program(&[&args[..], &how].concat()).spawn().unwrap()
    };
    let processes: Vec<_> = ["1/3", "2/3", "3/3"].map(start).into();
    processes.into_iter().for_each(|mut process| assert!(process.wait().unwrap().success()));
    assert_eq!((count(&out, "cell"), count(&out, "claim")), (30, 0));
    assert!(!out.join("summary.csv").exists());
    told(&run(&study, "shared", &["--requests", "--quiet"]));
    assert_eq!(files(&out), files(&study.path().join("alone")));
}

#[test]
fn one_share_runs_what_the_others_leave() {
    let study = study(30);
    let out = study.path().join("out");
    assert_eq!(
        told(&run(&study, "out", &["--shard", "2/4"])),
        "shard 2/4: 30 of 30 cells were run, all are there\n"
    );
    // What another share is at work on is left to it.
    let cell = fs::read_dir(out.join("cells")).unwrap().map(|entry| entry.unwrap().path());
    let cell = cell.filter(|path| path.extension().is_some_and(|own| own == "cell")).min().unwrap();
    fs::remove_file(&cell).unwrap();
    let claim = cell.with_extension("claim");
    fs::write(&claim, "3/4\n").unwrap();
    let left = told(&run(&study, "out", &["--shard", "2/4"]));
    assert_eq!(left, "shard 2/4: 0 of 30 cells were run, 1 are at work in other shares\n");
    let refused = run(&study, "out", &[]);
    let error = String::from_utf8(refused.stderr).unwrap();
    assert!(
        refused.status.code() == Some(2) && error.contains("`mascot run --shard 3/4` is at work here"),
        "{error}"
    );
    // Its own claim is that of a process that was killed.
    assert_eq!(
        told(&run(&study, "out", &["--shard", "3/4"])),
        "shard 3/4: 1 of 30 cells were run, all are there\n"
    );
    assert!(cell.exists() && !claim.exists());
    // So is one that nobody has renewed for long.
    fs::remove_file(&cell).unwrap();
    fs::write(&claim, "3/4\n").unwrap();
    let now = fs::metadata(&claim).unwrap().modified().unwrap();
    let long_ago = now - std::time::Duration::from_secs(3600);
    fs::File::open(&claim).unwrap().set_modified(long_ago).unwrap();
    assert!(told(&run(&study, "out", &[])).contains("summary.csv"));
    assert!(!claim.exists());
    for wrong in ["0/4", "5/4", "4", "a/b"] {
        let output = run(&study, "out", &["--shard", wrong]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && error.contains("expected I/N"), "{error}");
    }
}

#[test]
fn a_job_of_slurm_has_an_array_of_shares() {
    let study = study(30);
    let experiment = study.path().join("share.toml");
    let args = ["slurm", experiment.to_str().unwrap(), "--tasks", "8", "--time", "1:00:00", "--cpus", "4"];
    let how = ["--partition", "gpu", "--out", "my results", "--", "--requests", "--set", "loads=[0.9]"];
    let script = told(&mascot(&[&args[..], &how].concat()));
    for line in [
        "#!/bin/bash",
        "#SBATCH --job-name=mascot-share",
        "#SBATCH --array=1-8",
        "#SBATCH --cpus-per-task=4",
        "#SBATCH --time=1:00:00",
        "#SBATCH --partition=gpu",
        "#SBATCH --requeue",
    ] {
        assert!(script.lines().any(|own| own == line), "{line}: {script}");
    }
    let end =
        "--out 'my results' --requests --set 'loads=[0.9]' --shard \"$SLURM_ARRAY_TASK_ID/8\" --jobs 4\n";
    assert!(script.ends_with(end), "{script}");
    for (wrong, says) in [
        (["--tasks", "0"], "--tasks"),
        (["--partition", "a b"], "--partition: `a b`: expected one word"),
        (["--time", ""], "--time"),
    ] {
        let tasks = if wrong[0] == "--tasks" { &[][..] } else { &["--tasks", "2"] };
        let output = mascot(&[&["slurm", experiment.to_str().unwrap()], &wrong[..], tasks].concat());
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && error.contains(says), "{error}");
    }
}

/// Eight tasks on two nodes, one killed and requeued, one node drained and resumed: the same bytes as one process.
#[test]
fn a_real_slurm_gives_the_bytes_of_one_process() {
    let study = study(2_000);
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slurm");
    let output = Command::new(scripts.join("cluster.sh"))
        .arg(scripts.join("drive.sh"))
        .arg(env!("CARGO_BIN_EXE_mascot"))
        .args(["share.toml", "out"])
        .current_dir(study.path())
        .output()
        .unwrap();
    let (said, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.code() == Some(77) {
        eprintln!("skipped: {error}");
        return;
    }
    assert!(output.status.success(), "{said}{error}");
    assert!(said.contains("restarts of the killed task: Restarts=1"), "{said}{error}");
    assert!(said.contains("completed: 8"), "{said}{error}");
    assert_eq!(count(&study.path().join("out"), "cell"), 30);
    told(&run(&study, "out", &["--quiet"]));
    told(&run(&study, "alone", &["--quiet"]));
    let summary = |out: &str| fs::read(study.path().join(out).join("summary.csv")).unwrap();
    assert_eq!(summary("out"), summary("alone"));
}
