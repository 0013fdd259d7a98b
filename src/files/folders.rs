//! Look-up of files by name, in the first folder that has a file of that name.

use std::path::{Path, PathBuf};

/// At least one folder, in the order of precedence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders(Vec<PathBuf>);

impl Folders {
    /// The folders in the order of precedence; panics if there is none.
    pub fn new(folders: Vec<PathBuf>) -> Self {
        assert!(!folders.is_empty(), "a name is looked up somewhere");
        Self(folders)
    }

    /// The file of a name, if there is one.
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        self.0.iter().map(|folder| folder.join(format!("{name}.toml"))).find(|file| file.is_file())
    }

    /// The path in the first folder, where a file of that name takes precedence.
    pub fn expected(&self, name: &str) -> PathBuf {
        self.0[0].join(format!("{name}.toml"))
    }

    /// The names of all files, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.0.iter().flat_map(|folder| names_in(folder)).collect();
        names.sort();
        names.dedup();
        names
    }
}

impl From<&Path> for Folders {
    fn from(folder: &Path) -> Self {
        Self(vec![folder.to_path_buf()])
    }
}

impl From<&PathBuf> for Folders {
    fn from(folder: &PathBuf) -> Self {
        Self(vec![folder.clone()])
    }
}

/// The names of the TOML files in a folder, sorted.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let toml = paths.filter(|path| path.is_file() && path.extension().is_some_and(|e| e == "toml"));
    let mut names: Vec<String> =
        toml.filter_map(|path| Some(path.file_stem()?.to_str()?.to_string())).collect();
    names.sort();
    names
}
