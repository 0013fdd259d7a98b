//! The contents of a results folder before a run: which experiment they belong to, and which files would not match the
//! new CSV files.
//!
//! Results of another experiment are overwritten only on request. An experiment is identified by its file, however the
//! file is edited, and by its text, wherever the file is. When the CSV files change, what mascot derived from the
//! earlier ones (report.html and report/, a timeline in the folder) is removed, and a capacity.csv with cells that the
//! run does not have is renamed. Files that mascot did not write are never touched.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::manifest;
use super::store::Store;
use crate::experiment::{Error, Experiment, KEYS, LOAD};
use crate::files::any_path;

/// The result files of a command, and the manifest that names their experiment.
#[derive(Debug)]
pub struct Owned {
    manifest: &'static str,
    files: &'static [&'static str],
}

/// The files that `mascot run` writes.
pub const RUN: Owned = Owned {
    manifest: manifest::FILE,
    files: &[
        "summary.csv",
        "groups.csv",
        "accelerators.csv",
        "requests.csv",
        "layers.csv",
        "serving.csv",
        "answers.csv",
        "steps.csv",
        "links.csv",
        "energy.csv",
    ],
};

/// The files that `mascot capacity` writes.
pub const CAPACITY: Owned = Owned { manifest: "capacity.json", files: &["capacity.csv"] };

impl Owned {
    /// The paths of the files, and then of the manifest.
    pub fn paths(&self, folder: &Path) -> Vec<PathBuf> {
        self.files.iter().chain([&self.manifest]).map(|name| folder.join(name)).collect()
    }
}

/// The text with which every timeline of mascot begins.
const TIMELINE_MARK: &str = r#"{"displayTimeUnit":"ns","otherData":{"tool":"mascot"},"#;

/// A text that every report page contains.
const PAGE_MARK: &str = " - mascot</title>";

/// The note on a file that is removed.
const REMOVED: &str = "removed, as it shows an earlier run";

/// The contents of a folder before a run.
#[derive(Debug)]
pub struct Leftovers {
    folder: PathBuf,
    /// The manifest of the earlier run.
    manifest: Value,
}

impl Leftovers {
    /// The leftovers in a folder, which need not exist.
    ///
    /// # Errors
    /// The folder holds results of another or of an unknown experiment.
    pub fn of(folder: &Path, owned: &Owned, experiment: &Experiment, overwrite: bool) -> Result<Self, Error> {
        // If a run was stopped while its files were renamed, its manifest is still among its cells.
        let places = [folder.to_path_buf(), Store::peek(folder).folder().to_path_buf()];
        let read = |place: &PathBuf| serde_json::from_slice(&fs::read(place.join(owned.manifest)).ok()?).ok();
        let manifest = places.iter().find_map(read);
        let found = Self { folder: folder.to_path_buf(), manifest: manifest.unwrap_or_default() };
        let Some(theirs) = owned.files.iter().find(|name| folder.join(name).exists()) else {
            return Ok(found);
        };
        let refused = |whose: String| {
            let folder = folder.display();
            Err(Error::Usage(format!("{folder} holds {whose}: give another --out, or --overwrite them")))
        };
        match found.experiment() {
            _ if overwrite => Ok(found),
            None => refused(format!("a {theirs} without a {} that names its experiment", owned.manifest)),
            Some(other) if !found.is_of(experiment) => {
                let (other, own) = (other.display(), absolute(&experiment.path));
                refused(format!("the results of {other}, which is another experiment than {}", own.display()))
            }
            Some(_) => Ok(found),
        }
    }

    /// The experiment's file.
    fn experiment(&self) -> Option<PathBuf> {
        Some(self.absolute(&any_path::from_json(self.manifest.pointer("/experiment/path")?)?))
    }

    /// Resolves a path against the working folder of the earlier run.
    fn absolute(&self, path: &Path) -> PathBuf {
        let folder = any_path::from_json(&self.manifest["working_folder"]).unwrap_or_default();
        absolute(&folder.join(path))
    }

    fn is_of(&self, experiment: &Experiment) -> bool {
        let is_same_text = self.manifest.pointer("/experiment/config").and_then(Value::as_str)
            == Some(&experiment.source.text[..]);
        is_same_text || self.experiment().is_some_and(|other| real(&experiment.path) == real(&other))
    }

    /// Removes what was derived from the earlier CSV files, given the keys of the cells of the new run, and returns
    /// notes.
    pub fn remove(self, cells: &[Vec<String>]) -> Result<Vec<String>, Error> {
        let mut told: Vec<String> = remove_page(&self.folder)?.into_iter().collect();
        let mut done = |path: &Path, result: io::Result<()>, what: &str| match result {
            Ok(()) => {
                told.push(format!("{}: {what}", path.display()));
                Ok(())
            }
            Err(source) => Err(Error::writing(path, source)),
        };
        for timeline in self.timelines() {
            done(&timeline, fs::remove_file(&timeline), REMOVED)?;
        }
        let capacity = CAPACITY.paths(&self.folder);
        if has_other_cells(&capacity[0], cells) {
            for path in capacity.iter().filter(|path| path.is_file()) {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let aside = path.with_file_name(format!("earlier-{name}"));
                let what = format!("has cells that this run does not have; renamed to {}", aside.display());
                done(path, fs::rename(path, &aside), &what)?;
            }
        }
        Ok(told)
    }

    /// Timelines of earlier runs in the folder, whatever they are called.
    fn timelines(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let files = entries.map(|entry| entry.path()).filter(|path| path.is_file());
        let mut timelines: Vec<PathBuf> = files.filter(|path| starts_with(path, TIMELINE_MARK)).collect();
        timelines.sort();
        timelines
    }
}

/// Removes the report and its pictures from a folder whose results have changed, and returns a note.
pub fn remove_page(folder: &Path) -> Result<Option<String>, Error> {
    let page = folder.join("report.html");
    if !fs::read_to_string(&page).is_ok_and(|text| text.contains(PAGE_MARK)) {
        return Ok(None);
    }
    remove_pictures(&folder.join("report"))
        .and_then(|()| fs::remove_file(&page))
        .map_err(|source| Error::writing(&page, source))?;
    Ok(Some(format!("{}: {REMOVED}", page.display())))
}

/// The extensions of the files that pictures of a report are written to.
const PICTURES: [&str; 3] = ["svg", "pdf", "png"];

/// Removes the pictures of a report: every one with a CSV file beside it, that file, and the folder if nothing else is in
/// it.
pub fn remove_pictures(folder: &Path) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    let is_picture = |path: &Path| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| PICTURES.contains(&extension))
            && path.with_extension("csv").is_file()
    };
    let pictures: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| is_picture(path)).collect();
    for picture in pictures {
        fs::remove_file(&picture)?;
        // Several pictures share their data.
        let _ = fs::remove_file(picture.with_extension("csv"));
    }
    // Files that others put there stay.
    let _ = fs::remove_dir(folder);
    Ok(())
}

/// Whether a file has rows of cells that the run does not have at any load.
fn has_other_cells(path: &Path, cells: &[Vec<String>]) -> bool {
    let Ok(mut reader) = csv::Reader::from_path(path) else { return false };
    let Ok(header) = reader.headers().cloned() else { return false };
    let places: Vec<(usize, usize)> = (0..KEYS.len())
        .filter(|&key| key != LOAD)
        .filter_map(|key| Some((key, header.iter().position(|name| name == KEYS[key])?)))
        .collect();
    let own: BTreeSet<Vec<&str>> =
        cells.iter().map(|cell| places.iter().map(|&(key, _)| &cell[key][..]).collect()).collect();
    let is_own = |row: &csv::StringRecord| {
        let keys: Vec<&str> = places.iter().filter_map(|&(_, column)| row.get(column)).collect();
        own.contains(&keys)
    };
    reader.records().any(|row| row.is_ok_and(|row| !is_own(&row)))
}

fn starts_with(path: &Path, mark: &str) -> bool {
    let mut start = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(mark.len() as u64).read_to_end(&mut start));
    read.is_ok() && start == mark.as_bytes()
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// The canonical path of a file, if it exists.
fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| absolute(path))
}
