//! The house rules that no compiler checks: folders only look down (`storeys`), files stay short and documented, and
//! nothing that would make a run irreproducible is named.

mod graph;
mod scan;
mod shipped;
mod storeys;

use std::fs;
use std::path::PathBuf;

const MAX_LINES: usize = 500;

/// Random iteration order, platform-dependent random numbers.
const FORBIDDEN: [&str; 4] = ["HashMap", "HashSet", "StdRng", "thread_rng"];
/// The command line may measure itself.
const CLOCKS: [&str; 2] = ["Instant", "SystemTime"];

#[test]
fn files_are_short_and_open_with_documentation() {
    for (path, text) in
        ["src", "shipped", "tests", "benches", "examples", "python"].into_iter().flat_map(sources)
    {
        let lines = text.lines().count();
        assert!(lines <= MAX_LINES, "{} has {lines} lines, more than {MAX_LINES}", path.display());
        let first = text.lines().next().unwrap_or_default();
        assert!(
            first.len() > 10 && first.starts_with("//! "),
            "{} does not open with //! docs",
            path.display()
        );
    }
}

#[test]
fn the_library_names_nothing_irreproducible() {
    for (path, text) in sources("src") {
        for (number, line) in code_lines(&text) {
            let named = FORBIDDEN.iter().find(|word| has_word(line, word));
            assert_eq!(named, None, "{}:{number}", path.display());
            let times = !path.starts_with("src/cli") && CLOCKS.iter().any(|word| has_word(line, word));
            assert!(!times, "{}:{number}: the wall clock belongs in src/cli alone", path.display());
        }
    }
}

/// Everything else builds without libtorch.
#[test]
fn only_training_names_tch() {
    let mut named_by_training = false;
    for (path, text) in ["src", "tests", "benches", "examples"].into_iter().flat_map(sources) {
        for (number, line) in code_lines(&text).filter(|_| !path.starts_with("tests/tidy")) {
            let named = ["tch", "torch_sys"].iter().any(|word| has_word(line, word));
            let training = path.starts_with("src/train/torch");
            named_by_training |= named && training;
            assert!(training || !named, "{}:{number}: tch belongs in src/train/torch alone", path.display());
        }
    }
    assert!(named_by_training);
}

/// A dataflow is data: no code asks which accelerator it is. `testing.rs` files are compiled for tests only.
#[test]
fn the_library_names_no_accelerator() {
    let models = fs::read_dir("accel-models").expect("tests run in the package folder").flatten();
    let files = models.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "toml"));
    let names: Vec<String> = files
        .map(|path| path.file_stem().expect("a file has a name").to_string_lossy().into_owned())
        .collect();
    assert!(names.len() >= 11, "{names:?}");
    for (path, text) in sources("src").into_iter().filter(|(path, _)| !path.ends_with("testing.rs")) {
        for (number, line) in code_lines(&text) {
            let named = names.iter().find(|name| has_word(line, name));
            assert_eq!(named, None, "{}:{number}", path.display());
        }
    }
}

/// Rules and policies ask for the bandwidth of an accelerator, or of all memories: a second memory then breaks none of them.
#[test]
fn nobody_who_decides_names_the_bandwidth_of_the_platform() {
    for (path, text) in ["src/scheduler", "src/policy"].into_iter().flat_map(sources) {
        for (number, line) in code_lines(&text) {
            let named = line.contains("platform.bandwidth_bytes_per_ps");
            assert!(!named, "{}:{number}: ask `bandwidth(accelerator)`", path.display());
        }
    }
}

#[test]
fn the_rules_can_fail() {
    assert!(has_word("let m: HashMap<u8, u8>;", "HashMap") && !has_word("MyHashMapper", "HashMap"));
}

/// All Rust files below a folder, with their text.
fn sources(root: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(root)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).expect("sources are readable UTF-8");
                found.push((path, text));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "nothing in {root}: tests run in the package folder");
    found
}

/// Lines with their number, comments left out.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(i, line)| (i + 1, line));
    numbered.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        !is_part(line[..at].chars().next_back()) && !is_part(line[at + word.len()..].chars().next())
    })
}
