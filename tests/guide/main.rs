//! Are the documents true? Tables of the guide are those of the registries (`UPDATE=1` rewrites them), commands in it
//! print what it shows (`TRYCMD=overwrite` rewrites that), files that it shows are valid, and every path that a
//! document or a doc comment names exists. Rust blocks of the guide are doctests.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../common/mod.rs"]
mod common;

mod commands;
mod files;
mod paths;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};

/// The README must stay a page.
const README_BYTES: u64 = 10_000;

#[test]
fn the_readme_is_short() {
    let bytes = fs::metadata("README.md").unwrap().len();
    assert!(
        bytes <= README_BYTES,
        "README.md has {bytes} bytes, more than {README_BYTES}: move some into src/guide"
    );
}

/// The chapters of the guide; `links.md` is none.
fn chapters() -> Vec<PathBuf> {
    let files = below(Path::new("src/guide"), "md");
    files.into_iter().filter(|path| !path.ends_with("links.md")).collect()
}

/// All files below a folder whose names end so, in order.
fn below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(below(&path, extension));
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The fenced blocks of a document: what stands after the fence, the line number of that, and the text.
fn blocks(text: &str) -> Vec<(String, usize, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, usize, String)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => open = Some((info.to_string(), number, String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some((_, _, block))) => *block += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}
