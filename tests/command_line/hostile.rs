//! Names, files and folders that nobody means: no harm, no noise, and a message.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::Path;

use tempfile::TempDir;

use crate::common::{mascot, program};

const EXPERIMENT: &str =
    "systems = ['hetero-6']\nscenarios = ['light']\nloads = 0.6\nseeds = 2\nrequests = 20\n";

/// Runs the program in a folder; returns its exit code and what it says.
fn run(folder: &Path, args: &[&str]) -> (i32, String) {
    let output = program(args).current_dir(folder).output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code().unwrap_or_else(|| panic!("it died: {said}")), said)
}

fn succeeds(folder: &Path, args: &[&str]) -> String {
    let (code, said) = run(folder, args);
    assert_eq!(code, 0, "{args:?}: {said}");
    said
}

/// Lines, colours, markup and separators in a name are shown and do nothing.
#[test]
fn names_of_any_characters_are_shown_as_they_are() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let label = r#""a,'b'/\n<script>&\u001b[31mred\u0007\u009b""#;
    let schedulers = format!("schedulers = ['fcfs', {{ name = 'edf', label = {label} }}]\n");
    fs::write(folder.join("e.toml"), EXPERIMENT.to_string() + &schedulers).unwrap();
    let is_shown = |text: &str| {
        let harmless = text.chars().all(|c| !c.is_control() || "\n\t".contains(c));
        assert!(harmless && text.contains("\\u{1b}[31mred"), "{text:?}");
    };
    is_shown(&succeeds(folder, &["run", "e.toml", "--requests"]));
    is_shown(&succeeds(folder, &["rank", "results/e"]));
    is_shown(&succeeds(folder, &["run", "e.toml", "--dry-run"]));
    succeeds(folder, &["report", "results/e"]);
    let page = fs::read_to_string(folder.join("results/e/report.html")).unwrap();
    is_shown(&page);
    assert!(!page.contains("<script"), "markup of a name is none of the page's");
    let pictures = fs::read_dir(folder.join("results/e/report")).unwrap().flatten().map(|entry| entry.path());
    for svg in pictures.filter(|path| path.extension().is_some_and(|extension| extension == "svg")) {
        let text = fs::read_to_string(svg).unwrap();
        assert!(text.chars().all(|c| !c.is_control() || c == '\n') && !text.contains("<script"));
    }
    // In a file it is what it is, for whatever reads CSV.
    let mut summary = csv::Reader::from_path(folder.join("results/e/summary.csv")).unwrap();
    let last = summary.records().last().unwrap().unwrap();
    assert_eq!(&last[4], "a,'b'/\n<script>&\u{1b}[31mred\u{7}\u{9b}");
    // And so in messages about a file.
    fs::write(folder.join("bad.toml"), "systems = ['\u{1b}[2J']\n").unwrap();
    let (code, said) = run(folder, &["validate", "bad.toml"]);
    assert!(code == 2 && !said.contains('\u{1b}'), "{said:?}");
}

#[test]
fn folders_that_lead_back_are_looked_through_once() {
    let folder = TempDir::new().unwrap();
    let schedulers = "schedulers = ['fcfs']\n";
    fs::write(folder.path().join("e.toml"), EXPERIMENT.to_string() + schedulers).unwrap();
    for name in ["one", "two", "three"] {
        symlink(".", folder.path().join(name)).unwrap();
    }
    let said = succeeds(folder.path(), &["validate", "."]);
    assert_eq!(said.matches(": experiment, 2 cells").count(), 1, "{said}");
}

/// What is written into a device or through a link leaves it what it is.
#[test]
fn devices_and_links_are_written_to_and_not_replaced() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let generate = ["trace", "gen", "light", "--rate", "100", "--requests", "5", "-o"];
    let to = |path: &str| run(folder, &[&generate[..], &[path]].concat());
    fs::write(folder.join("file.csv"), "").unwrap();
    symlink("file.csv", folder.join("link.csv")).unwrap();
    assert_eq!(to("link.csv").0, 0);
    assert!(fs::symlink_metadata(folder.join("link.csv")).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(folder.join("file.csv")).unwrap().lines().count(), 6);
    let pipe = folder.join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read_to_string(pipe).unwrap()
    });
    assert_eq!(to("pipe").0, 0);
    assert_eq!(reader.join().unwrap(), fs::read_to_string(folder.join("file.csv")).unwrap());
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    // A folder is no file.
    fs::create_dir(folder.join("folder")).unwrap();
    let (code, said) = to("folder");
    assert!(code == 1 && said.starts_with("error: cannot write folder: "), "{said}");
}

/// `cells` may be a link to a larger disk, between which and the results nothing can be renamed.
#[cfg(target_os = "linux")]
#[test]
fn cells_may_be_on_another_disk() {
    let Ok(elsewhere) = TempDir::new_in("/dev/shm") else { return };
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    fs::write(folder.join("e.toml"), EXPERIMENT.to_string() + "schedulers = ['fcfs']\n").unwrap();
    fs::create_dir(folder.join("out")).unwrap();
    symlink(elsewhere.path(), folder.join("out/cells")).unwrap();
    succeeds(folder, &["run", "e.toml", "--out", "out", "--quiet"]);
    assert!(folder.join("out/summary.csv").exists() && folder.join("out/manifest.json").exists());
    let names = fs::read_dir(elsewhere.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["finished.pack"], "the cells and nothing else");
    assert!(succeeds(folder, &["replay", "out"]).starts_with("OK, the same"));
}

#[test]
fn what_is_in_the_way_is_named() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    fs::write(folder.join("e.toml"), EXPERIMENT.to_string() + "schedulers = ['fcfs']\n").unwrap();
    fs::write(folder.join("file"), "").unwrap();
    symlink("loop.toml", folder.join("loop.toml")).unwrap();
    fs::create_dir_all(folder.join("taken/summary.csv/x")).unwrap();
    for (args, code, named) in [
        (&["run", "e.toml", "--out", "file"][..], 1, "cannot write file/cells: Not a directory"),
        (&["run", "e.toml", "--out", "taken"], 2, "taken holds a summary.csv without a manifest.json"),
        (&["run", "loop.toml"], 2, "loop.toml: Too many levels of symbolic links"),
        (&["run", "."], 2, ".: this is a folder: expected a file"),
        (&["report", "file"], 2, "file: neither the summary.csv"),
        (&["rank", "file"], 2, "file:"),
        (&["replay", "file"], 2, "file:1: no JSON"),
        (&["import", "file"], 2, "file"),
        (&["run", "e.toml", "--trace", "file"], 2, "file"),
        (&["run", "e.toml", "--trace", "."], 2, ".: this is a folder: expected a file"),
    ] {
        let (exit, said) = run(folder, args);
        assert!(
            exit == code && said.starts_with("error: ") && said.contains(named),
            "{args:?}: {exit} {said}"
        );
    }
    let gone = mascot(&["run", "/proc/self/nowhere/e.toml"]);
    assert_eq!(gone.status.code(), Some(2));
}
