//! Are the files that the guide shows valid: experiments, scenarios, and whatever else is TOML?

use std::fs;

use tempfile::TempDir;

use super::common::mascot;
use super::{blocks, chapters};

#[test]
fn the_files_of_the_guide_are_valid() {
    let folder = TempDir::new().unwrap();
    let mut experiments = 0;
    let mut scenarios = 0;
    for path in chapters() {
        let text = fs::read_to_string(&path).unwrap();
        // A file below a folder is one of many that its chapter's commands run together.
        let is_alone = |block: &str| block.lines().next().is_none_or(|first| !first.contains('/'));
        for (_, line, block) in
            blocks(&text).into_iter().filter(|(info, _, block)| info == "toml" && is_alone(block))
        {
            let table: toml::Table =
                block.parse().unwrap_or_else(|e| panic!("{}:{line}: {e}", path.display()));
            let is_scenario = table.contains_key("tenant");
            let name = table.get("name").and_then(toml::Value::as_str).unwrap_or("experiment");
            let file = folder.path().join(format!("{name}.toml"));
            fs::write(&file, &block).unwrap();
            let output = mascot(&["validate", file.to_str().unwrap()]);
            let told = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{}:{line}: {told}", path.display());
            *(if is_scenario { &mut scenarios } else { &mut experiments }) += 1;
        }
    }
    assert!(experiments >= 2 && scenarios >= 2, "{experiments} experiments, {scenarios} scenarios");
}
