//! Does every path that is named exist: links of documents, and files that documents and sources name.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{below, blocks, chapters};

/// What a file of the repository lies in; `results` holds what runs write.
const FOLDERS: [&str; 10] = [
    "src",
    "shipped",
    "tests",
    "benches",
    "examples",
    "python",
    "experiments",
    "accel-models",
    "workloads",
    "policies",
];

/// What a name must end in to be taken for that of a file.
const ENDINGS: [&str; 3] = [".rs", ".md", ".toml"];

#[test]
fn links_lead_somewhere() {
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        for link in links(&prose(&text)) {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { path.clone() } else { path.with_file_name(file) };
            assert!(target.exists(), "{}: there is no {link}", path.display());
            if !anchor.is_empty() {
                let text = fs::read_to_string(&target).unwrap();
                let headings: Vec<String> =
                    text.lines().filter(|it| it.starts_with('#')).map(anchor_of).collect();
                assert!(headings.iter().any(|it| it == anchor), "{}: no heading for {link}", path.display());
            }
        }
    }
}

#[test]
fn files_that_are_named_exist() {
    let all = files();
    let sources = ["src", "tests", "benches", "examples", "python"]
        .into_iter()
        .flat_map(|it| below(Path::new(it), "rs"));
    let data = ["experiments", "accel-models"].into_iter().flat_map(|it| below(Path::new(it), "toml"));
    for path in documents().into_iter().chain(sources).chain(data) {
        let text = fs::read_to_string(&path).unwrap();
        let text = if path.extension().is_some_and(|it| it == "md") { prose(&text) } else { comments(&text) };
        for (number, line) in (1..).zip(text.lines()) {
            for name in names(line) {
                let is_known = all.iter().any(|file| file.ends_with(name));
                assert!(is_known, "{}:{number}: there is no `{name}`", path.display());
            }
        }
    }
}

/// In commands, too, scripts of the repository exist, and git does not ignore them, so that others have them.
#[test]
fn scripts_that_commands_run_exist() {
    let mut found = 0;
    for path in documents() {
        for (_, _, block) in blocks(&fs::read_to_string(&path).unwrap()) {
            for script in scripts(&block) {
                assert!(Path::new(script).is_file(), "{}: there is no {script}", path.display());
                let ignored = Command::new("git").args(["check-ignore", "--quiet", script]).status();
                assert!(!ignored.is_ok_and(|status| status.success()), "git ignores {script}");
                found += 1;
            }
        }
    }
    assert!(found > 1, "{found} scripts");
}

/// The scripts in folders of the repository that Python runs in a block.
fn scripts(block: &str) -> impl Iterator<Item = &str> {
    let after = block.lines().filter_map(|line| line.split_once("python3 ")?.1.split_whitespace().next());
    after.filter(|script| {
        let folder = script.split('/').next();
        FOLDERS.into_iter().chain(["results"]).any(|it| folder == Some(it))
    })
}

#[test]
fn the_rules_can_fail() {
    assert_eq!(
        scripts("$ python3 results/a.py /tmp\n$ python3 mine.py\npython3 -m venv x").collect::<Vec<_>>(),
        ["results/a.py"]
    );
    assert_eq!(
        names("see `design/X.md` (src/lib.rs), f.rs.").collect::<Vec<_>>(),
        ["design/X.md", "src/lib.rs", "f.rs"]
    );
    assert_eq!(
        names("`src/sim` and `policies/NAME-<system>`, 0.md").collect::<Vec<_>>(),
        ["src/sim", "0.md"]
    );
    assert_eq!(links("[a](b.md#c)\n[d]: e.md\n[web](https://x)"), ["b.md#c", "e.md"]);
    assert_eq!(anchor_of("## What it *is*: `run`, 2"), "what-it-is-run-2");
}

/// The README, the chapters, and the notes in the folders.
fn documents() -> Vec<PathBuf> {
    let notes = FOLDERS.into_iter().chain(["results"]).flat_map(|folder| below(Path::new(folder), "md"));
    let notes = notes.filter(|path| path.ends_with("README.md"));
    [PathBuf::from("README.md")].into_iter().chain(chapters()).chain(notes).collect()
}

/// All files and folders that may be named.
fn files() -> BTreeSet<PathBuf> {
    let mut found: BTreeSet<PathBuf> =
        ["README.md", "CHANGELOG.md", "LICENSE", "Cargo.toml", "Makefile", "build.rs"]
            .map(PathBuf::from)
            .into();
    let mut open: Vec<PathBuf> = FOLDERS.into_iter().chain(["results", ".ci"]).map(PathBuf::from).collect();
    while let Some(path) = open.pop() {
        open.extend(fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        found.insert(path);
    }
    found
}

/// A document without its blocks; line numbers stay.
fn prose(text: &str) -> String {
    let inside: BTreeSet<usize> =
        blocks(text).iter().flat_map(|(_, first, block)| *first..=*first + block.lines().count()).collect();
    (1..)
        .zip(text.lines())
        .map(|(number, line)| if inside.contains(&number) { "\n".into() } else { format!("{line}\n") })
        .collect()
}

/// The comments and texts of a source; line numbers stay.
fn comments(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", if is_told(line) { line } else { "" })).collect()
}

/// Whether a line has a comment, or tells users where something comes from.
fn is_told(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("//") || line.starts_with('#') || line.starts_with("source:")
}

/// What a line names that looks like a path of the repository.
fn names(line: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-./<>*{}~$".contains(c);
    let words = line.split(move |c: char| !is_part(c)).map(|word| word.trim_matches('.'));
    words.filter(|word| {
        let is_plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
        let lies =
            FOLDERS.iter().any(|folder| word.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')));
        // `EXPERIMENT.toml` is whatever the reader calls it.
        let stem = word.rsplit('/').next().and_then(|name| name.strip_suffix(".toml"));
        let is_example = stem.is_some_and(|stem| stem.chars().all(|c| c.is_ascii_uppercase()));
        is_plain
            && !is_example
            && !word.starts_with('/')
            && (lies || ENDINGS.iter().any(|ending| word.len() > ending.len() && word.ends_with(ending)))
    })
}

/// Where links lead, those to the web left out.
fn links(text: &str) -> Vec<String> {
    let inline = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
    let defined = text
        .lines()
        .filter(|line| line.starts_with('['))
        .filter_map(|line| line.split_once("]: "))
        .map(|(_, link)| link);
    inline.chain(defined).filter(|link| !link.contains("://")).map(str::to_string).collect()
}

/// The anchor that forges give a heading.
fn anchor_of(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}
