//! Does an installed program stand alone: one that lies outside of its source tree, in a folder without data files?

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::common::{executable, mascot};

/// A copy of the program in a folder of its own, with an empty working folder and an empty cache.
struct Installed(TempDir);

impl Installed {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("work")).unwrap();
        let program = folder.path().join("mascot");
        fs::copy(executable(), &program).unwrap();
        // A child of another test that was forked while the copy was being written holds it open until it runs its own program.
        while let Err(e) = Command::new(&program).arg("--version").output() {
            assert_eq!(e.kind(), ErrorKind::ExecutableFileBusy, "{e}");
        }
        Self(folder)
    }

    fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.path("mascot"));
        command.args(args).current_dir(self.path("work")).env("MASCOT_CACHE_DIR", self.path("cache"));
        command.env_remove("MASCOT_DATA_DIR");
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Standard output of a command that succeeds.
    fn told(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The folder of the cache in which the shipped files are.
    fn unpacked(&self) -> PathBuf {
        let mut entries = fs::read_dir(self.path("cache")).unwrap().flatten().map(|entry| entry.path());
        let is_shipped = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("shipped-");
        entries.find(is_shipped).unwrap()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn shipped_paths() -> Vec<String> {
    fs::read_to_string("shipped/files.txt").unwrap().lines().map(str::to_string).collect()
}

#[test]
fn results_are_those_of_the_source_tree() {
    let installed = Installed::new();
    let run = ["run", "experiments/quickstart.toml", "--quiet", "--set", "scenarios=light", "--seeds", "1"];
    installed.told(&run);
    let clone = TempDir::new().unwrap();
    let output = mascot(&[&run[..], &["--out", clone.path().to_str().unwrap()]].concat());
    assert!(output.status.success(), "{}", said(&output));
    let manifest = |folder: &Path| -> serde_json::Value {
        serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap()
    };
    let own = installed.path("work/results/quickstart");
    for table in ["summary.csv", "groups.csv", "accelerators.csv"] {
        let [ours, theirs] = [&own, clone.path()].map(|folder| fs::read(folder.join(table)).unwrap());
        assert!(ours == theirs && !ours.is_empty(), "{table}");
    }
    let [ours, theirs] = [manifest(&own), manifest(clone.path())];
    for key in ["inputs", "experiment", "sources_sha256"] {
        assert_eq!(ours[key], theirs[key]);
    }
    assert_eq!(ours["inputs"][0]["path"], "accel-models/eyeriss_1024.toml");
    // What was unpacked may go at any time.
    fs::remove_dir_all(installed.path("cache")).unwrap();
    assert!(
        installed.told(&["replay", "results/quickstart"]).starts_with("OK, the same: summary.csv (20 rows)")
    );
}

#[test]
fn whatever_ships_is_found() {
    let installed = Installed::new();
    for what in ["accelerators", "systems", "networks", "models", "scenarios", "fleets", "policies"] {
        let theirs = String::from_utf8(mascot(&["list", what]).stdout).unwrap();
        assert_eq!(installed.told(&["list", what]), theirs, "{what}");
    }
    // This one names systems and scenarios by their paths in the source tree.
    let told = installed.told(&["validate", "experiments/claims/relief.toml"]);
    assert!(told.starts_with("experiments/claims/relief.toml: experiment, "), "{told}");
    let output = installed.run(&["run", "experiments/none.toml"]);
    assert!(output.status.code() == Some(2) && said(&output).contains("experiments/none.toml: No such file"));
}

#[test]
fn own_files_lie_over_those_that_ship() {
    let installed = Installed::new();
    let folder = installed.path("work/accel-models/systems");
    fs::create_dir_all(&folder).unwrap();
    let text = fs::read_to_string("accel-models/systems/hetero-4.toml").unwrap();
    let (before, after) = ("dram_bandwidth_gbps = 32", "dram_bandwidth_gbps = 48");
    assert!(text.contains(before));
    fs::write(folder.join("hetero-4.toml"), text.replacen(before, after, 1)).unwrap();
    let told = installed.told(&["list", "systems", "--json"]);
    let rows: serde_json::Value = serde_json::from_str(&told).unwrap();
    let bandwidth = |name: &str| {
        let row = rows.as_array().unwrap().iter().find(|row| row["system"] == name);
        row.unwrap()["dram_bandwidth_gbps"].to_string()
    };
    assert!(bandwidth("hetero-4").contains("48") && bandwidth("hetero-6").contains("32"), "{told}");
}

#[test]
fn unpacked_files_are_read_only_and_put_right() {
    let installed = Installed::new();
    let before = installed.told(&["list", "systems"]);
    let file = installed.unpacked().join("accel-models/systems/hetero-6.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(fs::metadata(&file).unwrap().permissions().readonly());
    fs::remove_file(&file).unwrap();
    fs::write(&file, &text[..text.len() / 2]).unwrap();
    fs::remove_dir_all(installed.unpacked().join("policies")).unwrap();
    // Two at once find it so.
    let children: Vec<_> = (0..2)
        .map(|_| {
            installed.command(&["list", "systems"]).stdout(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        assert_eq!(String::from_utf8(output.stdout).unwrap(), before);
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    for path in shipped_paths() {
        assert!(fs::read(installed.unpacked().join(&path)).unwrap() == fs::read(&path).unwrap(), "{path}");
    }
}

#[test]
fn a_cache_that_cannot_be_written_is_an_error_that_says_what_to_set() {
    let installed = Installed::new();
    fs::write(installed.path("cache"), "in the way").unwrap();
    let output = installed.run(&["list", "systems"]);
    let message = said(&output);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.starts_with("error: mascot cannot unpack the accelerators"), "{message}");
    assert!(message.contains("set MASCOT_CACHE_DIR") && message.contains("or MASCOT_DATA_DIR"), "{message}");
    let mut homeless = installed.command(&["list", "systems"]);
    for variable in ["MASCOT_CACHE_DIR", "XDG_CACHE_HOME", "HOME"] {
        homeless.env_remove(variable);
    }
    assert!(said(&homeless.output().unwrap()).contains("there is no folder for its cache"));
    // The way out that it names.
    installed.told(&["data", "export", "data"]);
    let listed = installed.command(&["list", "systems"]).env("MASCOT_DATA_DIR", "data").output().unwrap();
    assert!(listed.status.success() && listed.stdout == mascot(&["list", "systems"]).stdout);
}

#[test]
fn exported_files_are_those_that_ship_and_never_replace_others() {
    let installed = Installed::new();
    assert_eq!(installed.told(&["data", "export", "all"]), format!("all: {} files\n", shipped_paths().len()));
    for path in shipped_paths() {
        let copy = installed.path("work/all").join(&path);
        assert!(fs::read(&copy).unwrap() == fs::read(&path).unwrap(), "{path}");
        assert!(!fs::metadata(&copy).unwrap().permissions().readonly(), "{path}");
    }
    installed.told(&["data", "export", "some", "--only", "fleets,policies"]);
    let mut folders: Vec<_> =
        fs::read_dir(installed.path("work/some")).unwrap().flatten().map(|entry| entry.file_name()).collect();
    folders.sort();
    assert_eq!(folders, ["fleets", "policies"]);
    // Nothing is written beside a file that differs.
    let edited = installed.path("work/some/fleets/gpu-site.toml");
    fs::write(&edited, "mine").unwrap();
    fs::remove_file(installed.path("work/some/fleets/one-site.toml")).unwrap();
    let output = installed.run(&["data", "export", "some"]);
    let message = said(&output);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.starts_with("error: 1 of the files are there already and differ"), "{message}");
    assert!(message.contains("some/fleets/gpu-site.toml"), "{message}");
    assert_eq!(fs::read_to_string(&edited).unwrap(), "mine");
    assert!(!installed.path("work/some/fleets/one-site.toml").exists());
    assert!(!installed.path("work/some/experiments").exists());
    // It takes up where it was interrupted.
    fs::remove_file(&edited).unwrap();
    installed.told(&["data", "export", "some"]);
    assert!(edited.exists() && installed.path("work/some/experiments/quickstart.toml").exists());
}

#[test]
fn a_folder_to_begin_with_is_valid_and_runs() {
    let installed = Installed::new();
    let told = installed.told(&["init", "my study"]);
    assert!(told.ends_with("run it with: cd 'my study' && mascot run experiments/first.toml\n"), "{told}");
    let files: Vec<&str> =
        told.lines().filter(|line| line.ends_with(".toml") && !line.contains("&&")).collect();
    assert_eq!(files.len(), 4, "{told}");
    for file in &files {
        let told = installed.told(&["validate", file]);
        assert!(told.starts_with(&format!("{file}: ")), "{told}");
    }
    let run = ["run", "experiments/first.toml"];
    let output = installed.command(&run).current_dir(installed.path("work/my study")).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let table = String::from_utf8_lossy(&output.stdout);
    let rows = table.lines().filter(|line| line.trim_start().starts_with("mine ")).count();
    assert_eq!(rows, 10, "{table}");
    // No warning, and nothing that a beginner would have to put right.
    let warnings: Vec<String> =
        said(&output).lines().filter(|line| line.starts_with("warning")).map(str::to_string).collect();
    assert_eq!(warnings, [""; 0]);
    // The same files may be written again, others stay.
    installed.told(&["init", "my study"]);
    let scenario = installed.path("work/my study/workloads/scenarios/mine.toml");
    fs::write(&scenario, "edited").unwrap();
    let message = said(&installed.run(&["init", "my study"]));
    assert!(
        message.contains("1 of the files are there already") && message.contains("mine.toml"),
        "{message}"
    );
    assert_eq!(fs::read_to_string(&scenario).unwrap(), "edited");
}
