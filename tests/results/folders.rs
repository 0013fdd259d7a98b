//! What lies in a folder of results: whose it is, what of an earlier run may stay, and paths that are no text.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::process::Output;

use tempfile::TempDir;

use crate::common::{executable, mascot, program};

const EXPERIMENT: &str = "systems = ['hetero-6']\nscenarios = ['light']\nloads = [0.6, 0.9]\nschedulers = ['fcfs', 'edf']\n\
                          seeds = 2\nrequests = 20\n";

fn in_folder(folder: &Path, args: &[&str]) -> Output {
    program(args).current_dir(folder).output().unwrap()
}

/// Runs the program, which has to end with this code, and returns what it says.
fn says(folder: &Path, code: i32, args: &[&str]) -> String {
    let output = in_folder(folder, args);
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    said
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn results_of_another_experiment_are_not_overwritten() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    for below in ["a", "b"] {
        fs::create_dir(folder.join(below)).unwrap();
        let other = if below == "a" { "" } else { "late = 'finish'\n" };
        fs::write(folder.join(below).join("e.toml"), EXPERIMENT.to_string() + other).unwrap();
    }
    says(folder, 0, &["run", "a/e.toml", "--quiet"]);
    let results = folder.join("results/e");
    let before = fs::read(results.join("summary.csv")).unwrap();
    let cells = fs::read(results.join("cells/finished.pack")).unwrap();
    let refused = says(folder, 2, &["run", "b/e.toml", "--quiet"]);
    for named in ["results/e holds the results of ", "/a/e.toml", "/b/e.toml", "--out", "--overwrite"] {
        assert!(refused.contains(named), "{named} in {refused}");
    }
    assert_eq!(fs::read(results.join("summary.csv")).unwrap(), before);
    assert_eq!(names(&results.join("cells")), ["finished.pack"], "nothing was run");
    assert_eq!(fs::read(results.join("cells/finished.pack")).unwrap(), cells);
    // The same file is the same experiment: by another way, narrowed, edited.
    says(&folder.join("a"), 0, &["run", "e.toml", "--quiet", "--out", "../results/e", "--set", "loads=0.6"]);
    fs::write(folder.join("a/e.toml"), EXPERIMENT.replace("seeds = 2", "seeds = 3")).unwrap();
    says(folder, 0, &["run", "./a/../a/e.toml", "--quiet"]);
    // So is one of the same text: a copy, or a folder that has moved.
    fs::copy(folder.join("a/e.toml"), folder.join("e.toml")).unwrap();
    says(folder, 0, &["run", "e.toml", "--quiet"]);
    says(folder, 0, &["run", "b/e.toml", "--quiet", "--overwrite"]);
    assert_ne!(fs::read(results.join("summary.csv")).unwrap(), before);
    // What nobody knows the origin of is not overwritten either.
    fs::remove_file(results.join("manifest.json")).unwrap();
    let refused = says(folder, 2, &["run", "b/e.toml", "--quiet"]);
    assert!(refused.contains("a summary.csv without a manifest.json"), "{refused}");
    // The same of the loads that are sustained.
    let capacity = |file: &str, code, more: &[&str]| {
        let few = ["--quiet", "--seeds", "1", "--tolerance", "0.4", "--highest", "1"];
        says(folder, code, &[&["capacity", file][..], &few, more].concat())
    };
    capacity("a/e.toml", 0, &[]);
    capacity("a/e.toml", 0, &["--set", "schedulers=fcfs"]);
    assert!(capacity("b/e.toml", 2, &[]).contains("/a/e.toml, which is another experiment than "));
    capacity("b/e.toml", 0, &["--overwrite"]);
}

#[test]
fn what_shows_an_earlier_run_does_not_stay_beside_a_new_one() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    fs::write(folder.join("e.toml"), EXPERIMENT).unwrap();
    let out = folder.join("results/e");
    let run = |more: &[&str]| says(folder, 0, &[&["run", "e.toml"], more].concat());
    run(&[]);
    says(folder, 0, &["report", "results/e"]);
    says(
        folder,
        0,
        &["capacity", "e.toml", "--quiet", "--seeds", "1", "--tolerance", "0.4", "--highest", "1"],
    );
    fs::write(out.join("notes.txt"), "mine").unwrap();
    fs::write(out.join("report/mine.csv"), "mine").unwrap();
    // The same again: all of it is of these cells.
    let whole = names(&out);
    assert!(!run(&[]).contains("removed"));
    assert_eq!(names(&out), whole);
    // A part of it: the page would show what is no longer there, and so would the sustained loads of edf.
    let said = run(&["--set", "schedulers=fcfs"]);
    assert!(said.contains("report.html: removed, as it shows an earlier run"), "{said}");
    assert!(said.contains("capacity.csv: has cells that this run does not have; renamed to "), "{said}");
    let left = [
        "accelerators.csv",
        "cells",
        "earlier-capacity.csv",
        "earlier-capacity.json",
        "groups.csv",
        "manifest.json",
        "notes.txt",
        "report",
        "summary.csv",
    ];
    assert_eq!(names(&out), left);
    assert_eq!(names(&out.join("report")), ["mine.csv"]);
    // A page that is none of ours stays, as does what is sustained by cells of the run.
    fs::write(out.join("report.html"), "<title>mine</title>").unwrap();
    says(
        folder,
        0,
        &["capacity", "e.toml", "--quiet", "--seeds", "1", "--tolerance", "0.4", "--highest", "1"],
    );
    run(&[]);
    assert!(out.join("report.html").exists() && out.join("capacity.csv").exists());
    // The seed is a key of a cell as well: what only some of are in the run does not stay.
    run(&["--seeds", "3"]);
    says(
        folder,
        0,
        &["capacity", "e.toml", "--quiet", "--seeds", "2", "--tolerance", "0.4", "--highest", "1"],
    );
    assert!(!run(&["--seeds", "2"]).contains("capacity.csv"));
    assert!(
        run(&["--seeds", "1"]).contains("capacity.csv: has cells that this run does not have; renamed to ")
    );
    assert!(!out.join("capacity.csv").exists());
    // A timeline in the folder is one of the run that it was written by.
    let one = ["--set", "schedulers=fcfs", "--set", "loads=0.6", "--seeds", "1"];
    run(&[&one[..], &["--timeline", "results/e/look.json"]].concat());
    run(&one);
    assert!(out.join("look.json").exists());
    assert!(run(&[]).contains("look.json: removed"));
    assert!(!out.join("look.json").exists());
}

#[cfg(unix)]
mod not_text {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::path::PathBuf;
    use std::process::Command;

    use super::*;

    const NAME: &[u8] = b"caf\xe9";

    fn named(name: &[u8]) -> PathBuf {
        PathBuf::from(OsStr::from_bytes(name))
    }

    /// Runs the program in a folder and returns what it says; it has to end well.
    fn run(folder: &Path, args: &[&dyn AsRef<OsStr>]) -> String {
        let mut command = Command::new(executable());
        let output = command.args(args.iter().map(|arg| arg.as_ref())).current_dir(folder).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(0), "{said}");
        said
    }

    /// The working folder, the experiment, the results, the trace, the cache: nothing of it is UTF-8.
    #[test]
    fn paths_of_any_bytes_work_everywhere() {
        let root = TempDir::new().unwrap();
        let folder = root.path().join(named(NAME));
        fs::create_dir(&folder).unwrap();
        let file = named(b"\xff.toml");
        fs::write(folder.join(&file), EXPERIMENT).unwrap();
        run(&folder, &[&"run", &file, &"--quiet"]);
        run(&folder, &[&"run", &file, &"--out", &named(b"out\xff"), &"--requests", &"--json"]);
        assert!(run(&folder, &[&"replay", &named(b"out\xff")]).starts_with("OK, the same"));
        run(
            &folder,
            &[&"replay", &named(b"out\xff/manifest.json"), &"--json", &"--out", &named(b"again\xff")],
        );
        run(&folder, &[&"report", &named(b"out\xff")]);
        run(&folder, &[&"rank", &named(b"out\xff")]);
        run(
            &folder,
            &[&"compare", &named(b"out\xff/summary.csv"), &named(b"again\xff/summary.csv"), &"--json"],
        );
        run(&folder, &[&"validate", &file, &"--json"]);
        run(&folder, &[&"run", &file, &"--dry-run"]);
        run(&folder, &[&"capacity", &file, &"--quiet", &"--tolerance", &"0.4", &"--out", &named(b"out\xff")]);
        // The same file is the same experiment.
        run(&folder, &[&"run", &folder.join(&file), &"--out", &named(b"out\xff"), &"--quiet"]);
    }

    #[test]
    fn traces_networks_and_trainings_of_any_path_work() {
        let root = TempDir::new().unwrap();
        let folder = root.path().join(named(NAME));
        fs::create_dir(&folder).unwrap();
        let (trace, file) = (named(b"trace\xff.csv"), named(b"e\xff.toml"));
        fs::write(folder.join(&file), EXPERIMENT.replace("loads = [0.6, 0.9]\n", "loads = 0.6\n")).unwrap();
        let rate = ["trace", "gen", "light", "--rate", "300", "--requests", "60", "-o"];
        let rate: Vec<&dyn AsRef<OsStr>> = rate.iter().map(|word| word as &dyn AsRef<OsStr>).collect();
        run(&folder, &[&rate[..], &[&trace]].concat());
        run(&folder, &[&"trace", &"stats", &trace]);
        let traced =
            [&"run" as &dyn AsRef<OsStr>, &file, &"--trace", &trace, &"--set", &"requests=20", &"--quiet"];
        run(&folder, &[&traced[..], &[&"--out", &"traced"]].concat());
        assert!(run(&folder, &[&"replay", &"traced"]).starts_with("OK, the same"));
        // Its command runs a cell alone, through a shell.
        let manifest = fs::read_to_string(folder.join("traced/manifest.json")).unwrap();
        assert!(manifest.contains("255"), "{manifest}");
        let onnx = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/networks/kws_res8.onnx");
        fs::copy(onnx, folder.join(named(b"net\xff.onnx"))).unwrap();
        run(&folder, &[&"import", &named(b"net\xff.onnx"), &"-o", &named(b"mine\xff.toml")]);
        run(&folder, &[&"validate", &named(b"mine\xff.toml"), &"--json"]);
        let training = "[training]\ntraces = 2\n[training.evolution]\npopulation = 4\ngenerations = 1\n";
        fs::write(folder.join(named(b"t\xff.toml")), EXPERIMENT.to_string() + training).unwrap();
        for _ in 0..2 {
            run(&folder, &[&"train", &named(b"t\xff.toml"), &"--json", &"--out", &named(b"trained\xff")]);
        }
        run(&folder, &[&"report", &named(b"trained\xff")]);
        run(&folder, &[&"man", &named(b"man\xff")]);
    }

    /// What is no path may be refused, but not without a word.
    #[test]
    fn other_words_of_any_bytes_are_bad_usage() {
        for args in [&[&b"list"[..], b"\xff"], &[b"\xff", b"x"], &[b"run", b"--set=\xff=1"]] {
            let mut command = Command::new(executable());
            let output = command.args(args.iter().map(|arg| OsStr::from_bytes(arg))).output().unwrap();
            assert_eq!(output.status.code(), Some(2));
            assert!(!output.stderr.is_empty());
        }
        let missing = mascot(&["run", "nowhere.toml"]);
        assert_eq!(missing.status.code(), Some(2));
    }

    /// The command of a cell is for a shell, whatever the path of its experiment.
    #[test]
    fn the_command_of_a_cell_finds_its_experiment() {
        use mascot::cost::Cache;
        use mascot::experiment::{DataRoot, Experiment, Silent};
        use mascot::plan::Plan;
        use mascot::sweep;
        let folder = TempDir::new().unwrap();
        let file = folder.path().join(named(b"it's\xff.toml"));
        fs::write(&file, EXPERIMENT).unwrap();
        let data = DataRoot::find(None).unwrap();
        let experiment = Experiment::read(&file, &[], &data).unwrap();
        let plan = Plan::prepare(experiment, &data, &Cache::from_env(), &Silent).unwrap();
        let command = sweep::cells(&plan)[0].command(&plan.experiment);
        let command = command.replacen("mascot", &executable().to_string_lossy(), 1);
        let out = folder.path().join("out");
        let command = format!("{command} --quiet --out {}", out.display());
        let status = Command::new("bash").args(["-c", &command]).status();
        assert!(status.is_ok_and(|status| status.success()), "{command}");
        assert_eq!(fs::read_to_string(out.join("summary.csv")).unwrap().lines().count(), 2);
    }
}

/// Eighty accelerator models and bounds whose costs cannot be kept are one trouble.
#[cfg(unix)]
#[test]
fn a_cache_that_cannot_be_written_is_one_warning() {
    let folder = TempDir::new().unwrap();
    let cache = folder.path().join("a file");
    fs::write(&cache, "in the way").unwrap();
    fs::write(folder.path().join("e.toml"), EXPERIMENT).unwrap();
    let args = ["run", "e.toml", "--quiet", "--bound", "--set", "systems=[\"hetero-6\",\"hetero-4\"]"];
    let output = program(&args).current_dir(folder.path()).env("MASCOT_CACHE_DIR", &cache).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let kept: Vec<&str> = said.lines().filter(|line| line.contains("are not kept")).collect();
    assert_eq!(kept.len(), 1, "{said}");
    assert!(
        said.lines().filter(|line| line.contains("cache") || line.contains("a file")).count() <= 2,
        "{said}"
    );
}
