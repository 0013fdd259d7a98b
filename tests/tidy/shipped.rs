//! Is the list of files that the program carries complete? `UPDATE=1` rewrites it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const LIST: &str = "shipped/files.txt";

/// The folders that ship, and what of them: scripts that make files stay behind.
const FOLDERS: [&str; 5] = ["accel-models", "experiments", "fleets", "policies", "workloads"];
const ENDINGS: [&str; 4] = ["csv", "md", "safetensors", "toml"];

#[test]
fn the_list_of_shipped_files_is_complete() {
    let text: String = files().iter().map(|path| format!("{path}\n")).collect();
    assert!(text.lines().count() > 100, "{text}");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(LIST, text).expect("the source tree is writable");
        return;
    }
    let listed = fs::read_to_string(LIST).expect("tests run in the package folder");
    assert!(
        listed == text,
        "{LIST} is not what the folders hold: UPDATE=1 cargo test --release --test tidy shipped"
    );
}

/// All files that ship, in order; where there is git, those that are in the repository: a user's own are not listed.
fn files() -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = FOLDERS.iter().map(PathBuf::from).collect();
    while let Some(folder) = open.pop() {
        for path in fs::read_dir(folder).expect("it is there").flatten().map(|entry| entry.path()) {
            match path.is_dir() {
                true => open.push(path),
                false if ships(&path) => found.push(path.to_string_lossy().replace('\\', "/")),
                false => {}
            }
        }
    }
    let git = Command::new("git").arg("ls-files").output();
    if let Ok(git) = git.map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        && git.lines().any(|path| path == LIST)
    {
        found.retain(|path| git.lines().any(|known| known == path));
    }
    found.sort();
    found
}

fn ships(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
}
