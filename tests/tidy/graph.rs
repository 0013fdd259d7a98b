//! Who imports whom: the files below `src/` as a graph, by the paths that their code names.
//!
//! An arrow goes to the file that defines a name, not to the `mod.rs` that re-exports it, so that no circle hides behind a
//! folder. Re-exports themselves (`pub use`) are no arrows. Code that is compiled for tests only is left out: it may look up,
//! for it holds what is below against the second account of a run in `src/check/`. Methods are left out as well:
//! no path names where they are defined.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use proc_macro2::TokenStream;

use crate::scan::{Scan, scan};

/// Segments below `crate`.
pub(crate) type Segments = Vec<String>;

/// The modules of a crate by their paths, one per file.
pub(crate) struct Graph(BTreeMap<Segments, (PathBuf, Scan)>);

impl Graph {
    /// Of files below `src/` with their texts.
    pub(crate) fn new(files: impl IntoIterator<Item = (PathBuf, String)>) -> Self {
        let read = |(path, text): (PathBuf, String)| {
            let tokens = TokenStream::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            (module_of(&path), (path, scan(tokens)))
        };
        let mut modules: BTreeMap<Segments, (PathBuf, Scan)> = files.into_iter().map(read).collect();
        let of_tests = |(module, (_, scan)): (&Segments, &(PathBuf, Scan))| {
            let below = |name: &String| [&module[..], std::slice::from_ref(name)].concat();
            scan.test_modules.iter().map(below).collect::<Vec<Segments>>()
        };
        let tests: Vec<Segments> = modules.iter().flat_map(of_tests).collect();
        modules.retain(|module, _| !tests.iter().any(|test| module.starts_with(test)));
        Self(modules)
    }

    /// The modules and their files.
    pub(crate) fn modules(&self) -> impl Iterator<Item = (&Segments, &Path)> {
        self.0.iter().map(|(module, (path, _))| (module, path.as_path()))
    }

    /// Whether a path is that of a module.
    pub(crate) fn is_module(&self, path: &[String]) -> bool {
        self.0.contains_key(path)
    }

    /// The paths that a module's code writes out, below `crate`; re-exports are among them.
    pub(crate) fn named(&self, module: &Segments) -> BTreeSet<Segments> {
        let scan = &self.0[module].1;
        let written = scan.uses.iter().map(|used| &used.path).chain(&scan.paths);
        let whole = written.filter(|path| ["crate", "super", "self"].contains(&path[0].as_str()));
        whole.filter_map(|path| self.absolute(module, path)).collect()
    }

    /// The modules that a module's code uses: those that define what it names.
    pub(crate) fn arrows(&self, module: &Segments) -> BTreeSet<&Segments> {
        let scan = &self.0[module].1;
        let imported = scan.uses.iter().filter(|used| !used.is_public).map(|used| &used.path);
        let named = imported.chain(&scan.paths).filter_map(|path| self.absolute(module, path));
        named.filter_map(|path| self.definer(&path, 0)).filter(|used| *used != module).collect()
    }

    /// Groups of modules that import each other, directly or through others.
    pub(crate) fn circles(&self) -> Vec<BTreeSet<&Segments>> {
        let arrows: BTreeMap<&Segments, BTreeSet<&Segments>> =
            self.0.keys().map(|module| (module, self.arrows(module))).collect();
        let reached: BTreeMap<&Segments, BTreeSet<&Segments>> =
            arrows.keys().map(|&module| (module, reached(module, &arrows))).collect();
        let circle = |module: &&Segments| -> BTreeSet<&Segments> {
            reached[module].iter().copied().filter(|other| reached[other].contains(module)).collect()
        };
        let circles: BTreeSet<BTreeSet<&Segments>> = arrows.keys().map(circle).collect();
        circles.into_iter().filter(|circle| circle.len() > 1).collect()
    }

    /// A path below `crate`, if it is one of this crate: `crate::`, `super::`, or a name that the module imports or has below
    /// it.
    fn absolute(&self, module: &Segments, path: &[String]) -> Option<Segments> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([module, rest].concat()),
            "super" => {
                let up = path.iter().take_while(|segment| *segment == "super").count();
                let from = module.len().checked_sub(up)?;
                Some([&module[..from], &path[up..]].concat())
            }
            _ => {
                let below = [&module[..], &path[..1]].concat();
                if self.is_module(&below) {
                    return Some([&module[..], path].concat());
                }
                let used = self.0[module].1.uses.iter().find(|used| used.name == *first)?;
                let imported = (used.path[0] != *first).then(|| self.absolute(module, &used.path))??;
                Some([&imported, rest].concat())
            }
        }
    }

    /// The module that defines what a path names; `None` where it names a module, whose items are looked up where they are
    /// used, or leads out of the crate.
    fn definer(&self, path: &[String], depth: usize) -> Option<&Segments> {
        const MOST_REEXPORTS: usize = 8;
        let length = (0..=path.len()).rev().find(|&length| self.is_module(&path[..length]))?;
        let (module, (_, scan)) = self.0.get_key_value(&path[..length])?;
        let name = path.get(length)?;
        if scan.items.contains(name) || depth > MOST_REEXPORTS {
            return Some(module);
        }
        let rest = &path[length + 1..];
        let follow = |target: &[String], rest: &[String]| {
            let target = self.absolute(module, target)?;
            self.definer(&[&target, rest].concat(), depth + 1)
        };
        if let Some(used) = scan.uses.iter().find(|used| used.name == *name) {
            return follow(&used.path, rest);
        }
        let wildcards = scan.uses.iter().filter(|used| used.name == "*");
        let mut of_wildcards = wildcards.filter_map(|used| {
            let target = self.absolute(module, &used.path)?;
            let has = self.0.get(&target)?.1.words.contains(name);
            has.then(|| follow(&used.path, &path[length..])).flatten()
        });
        // What no line defines is made by a macro of the module.
        of_wildcards.next().or(Some(module))
    }
}

/// All modules on ways from a module, itself among them.
fn reached<'a>(
    from: &'a Segments,
    arrows: &BTreeMap<&'a Segments, BTreeSet<&'a Segments>>,
) -> BTreeSet<&'a Segments> {
    let (mut found, mut open) = (BTreeSet::from([from]), vec![from]);
    while let Some(module) = open.pop() {
        open.extend(arrows[module].iter().filter(|next| found.insert(next)));
    }
    found
}

/// `src/sim/engine/mod.rs` is `sim::engine`, and `src/lib.rs` is the crate.
fn module_of(path: &Path) -> Segments {
    let path = path.with_extension("");
    let mut names: Segments =
        path.components().skip(1).map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    if names.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        names.pop();
    }
    names
}
