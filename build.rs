//! What the program knows of its own sources, and where it finds libtorch.
//!
//! Results are kept under the hash of the sources that decide them (`src/sweep/identity.rs`), and `manifest.json` names the commit.
//! With the feature `train`, programs find at run time the libtorch that they were built with: without the rpath, another
//! version that the system has would be loaded, and the program would die of an undefined symbol.

use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

/// All that the program is made of; `Cargo.lock` holds the versions of the libraries.
const SOURCES: [&str; 4] = ["src", "build.rs", "Cargo.toml", "Cargo.lock"];

/// The folders of `src/` that decide no byte of a finished cell: the sweep does not use them. A change there leaves kept
/// cells as they are. `tests/tidy/storeys.rs` checks the list.
const BESIDE: [&str; 7] = ["check", "cli", "guide", "report", "results", "study", "train"];

fn main() {
    // As seen by Cargo, which looks through folders as well; a path that is not there would run this every time.
    let sources = SOURCES.iter().filter(|path| Path::new(path).exists());
    sources.clone().for_each(|path| println!("cargo:rerun-if-changed={path}"));
    let mut files = Vec::new();
    sources.for_each(|path| collect(Path::new(path), &mut files));
    let is_beside =
        |path: &PathBuf| BESIDE.iter().any(|folder| path.starts_with(Path::new("src").join(folder)));
    files.retain(|path| !is_beside(path));
    println!("cargo:rustc-env=MASCOT_SOURCES_SHA256={}", hash(&files));
    tell_commit();
    // Told by torch-sys where it is a dependency.
    if let Ok(folder) = std::env::var("DEP_TCH_LIBTORCH_LIB") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
    }
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if !path.is_dir() {
        files.push(path.to_path_buf());
        return;
    }
    let entries = std::fs::read_dir(path).expect("Cargo has just listed it").flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().for_each(|path| collect(path, files));
}

/// Names and lengths keep files apart.
fn hash(files: &[PathBuf]) -> String {
    let mut hasher = Sha256::new();
    for path in files {
        let bytes = std::fs::read(path).expect("sources are readable");
        hasher.update(format!("{} {}\n", path.display(), bytes.len()));
        hasher.update(&bytes);
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The commit, and whether the sources are other than it says; nothing where this folder is no git repository.
fn tell_commit() {
    let folder = std::env::var("CARGO_MANIFEST_DIR").expect("Cargo sets it");
    let is_ours = |top: &String| Path::new(top).canonicalize().ok() == Path::new(&folder).canonicalize().ok();
    let Some(_) = git(&["rev-parse", "--show-toplevel"]).filter(is_ours) else { return };
    let Some(commit) = git(&["rev-parse", "HEAD"]) else { return };
    let changed = git(&[&["status", "--porcelain", "--"], &SOURCES[..]].concat());
    let dirty = changed.is_none_or(|changed| !changed.is_empty());
    println!("cargo:rustc-env=MASCOT_GIT_COMMIT={commit}");
    println!("cargo:rustc-env=MASCOT_GIT_DIRTY={dirty}");
    // A commit makes the same sources clean. Of clean ones it says nothing new, and would build all anew.
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"]).filter(|log| dirty && Path::new(log).exists());
    if let Some(log) = log {
        println!("cargo:rerun-if-changed={log}");
    }
}

/// The output of a git command; `None` where it fails or there is no git.
fn git(arguments: &[&str]) -> Option<String> {
    let output =
        Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_string())
}
