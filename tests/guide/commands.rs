//! Do the commands of the guide print what it shows? Every console block of a chapter is run in a folder of the
//! chapter's own, in which the quick start and a network lie, and every file whose block begins with its name (`# NAME.toml`); those marked
//! `ignore` are not run. `...` stands for lines left out.

use std::fs;
use std::panic::{catch_unwind, resume_unwind};
use std::path::Path;

use tempfile::TempDir;

use super::{blocks, chapters, common};

/// The network that a chapter imports as one's own.
const NETWORK: &str = "tests/data/onnx/light_shufflenet.onnx";

#[test]
fn commands_print_what_the_guide_shows() {
    let folder = TempDir::new().unwrap();
    let copy = |path: &Path| folder.path().join(path.file_name().expect("a chapter is a file"));
    let texts: Vec<_> =
        chapters().into_iter().map(|path| (fs::read_to_string(&path).unwrap(), path)).collect();
    for (text, path) in &texts {
        let copy = copy(path);
        fs::write(&copy, text).unwrap();
        let experiments = copy.with_extension("in").join("experiments");
        fs::create_dir_all(&experiments).unwrap();
        fs::copy("experiments/quickstart.toml", experiments.join("quickstart.toml")).unwrap();
        fs::copy(NETWORK, copy.with_extension("in").join("my_network.onnx")).unwrap();
        for (_, _, block) in blocks(text) {
            let first = block.lines().next().unwrap_or_default();
            let name =
                first.strip_prefix("# ").filter(|name| name.ends_with(".toml") || name.ends_with(".gml"));
            if let Some(name) = name {
                let file = copy.with_extension("in").join(name);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, &block).unwrap();
            }
        }
    }
    let cases = trycmd::TestCases::new();
    cases.case(folder.path().join("*.md")).register_bin("mascot", common::executable());
    // It panics where something differs, also where it has just rewritten that.
    let outcome = catch_unwind(|| cases.run());
    for (text, path) in &texts {
        let rewritten = fs::read_to_string(copy(path)).unwrap();
        if rewritten != *text {
            fs::write(path, rewritten).unwrap();
        }
    }
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

/// The README shows part of what the quick start prints.
#[test]
fn the_readme_shows_what_the_quick_start_prints() {
    let readme = fs::read_to_string("README.md").unwrap();
    let chapter = fs::read_to_string("src/guide/quickstart.md").unwrap();
    let is_row = |line: &&str| line.contains("hetero-6  ") || line.contains("system    scenario");
    let rows: Vec<&str> = readme.lines().filter(is_row).collect();
    assert!(rows.iter().any(|row| row.contains("learned_gate")), "{rows:?}");
    for row in rows {
        assert!(chapter.lines().any(|line| line == row), "the quick start does not print\n{row}");
    }
}
