//! What `mascot train` wrote into a folder: the log and the manifest of the policy.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::experiment::Error;
use crate::files::{InputError, Record, Source};
use crate::policy::{Manifest, Policy};
use crate::results::CsvFile;
use crate::train::LOG;

/// A training, as its folder has it.
pub(super) struct Finished {
    pub(super) log: Log,
    pub(super) manifest: Manifest,
    /// The name of the manifest's file.
    pub(super) file: String,
    /// The text of the manifest.
    pub(super) text: String,
}

impl Finished {
    /// Reads a folder.
    ///
    /// # Errors
    /// The log or the manifest of the policy is missing or damaged.
    pub(super) fn read(folder: &Path) -> Result<Self, Error> {
        let log = Log::read(&folder.join(LOG))?;
        let source = Source::read(&policy_in(folder)?)?;
        let manifest = source.parse()?;
        let file = source.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { log, manifest, file, text: source.text })
    }
}

/// The log by column; NaN where a step has no value.
pub(super) struct Log {
    columns: BTreeMap<String, Vec<f64>>,
}

/// The file of the only policy in the folder.
fn policy_in(folder: &Path) -> Result<PathBuf, Error> {
    let entries = std::fs::read_dir(folder).map_err(|e| InputError::file(folder, e))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths
        .retain(|path| path.extension().is_some_and(|e| e == "toml") && Policy::weights_path(path).is_file());
    match &paths[..] {
        [path] => Ok(path.clone()),
        _ => {
            let message =
                format!("{} policies: expected the one that `mascot train` wrote beside {LOG}", paths.len());
            Err(InputError::file(folder, message).into())
        }
    }
}

impl Log {
    fn read(path: &Path) -> Result<Self, Error> {
        let mut file = CsvFile::open(path)?;
        for needed in ["step", "decisions", "validation_rate"] {
            file.column(needed)?;
        }
        let names: Vec<(usize, String)> =
            file.named().map(|(place, name)| (place, name.to_string())).collect();
        let mut columns: BTreeMap<String, Vec<f64>> =
            names.iter().map(|(_, name)| (name.clone(), Vec::new())).collect();
        let mut record = Record::default();
        while file.read(&mut record)? {
            for (place, name) in &names {
                let value = file.number(&record, *place)?;
                columns.get_mut(name).expect("made from the names").push(value);
            }
        }
        if columns["step"].is_empty() {
            return Err(InputError::file(path, "no rows: expected the log of a training").into());
        }
        Ok(Self { columns })
    }

    pub(super) fn column(&self, name: &str) -> &[f64] {
        self.columns.get(name).map_or(&[], |values| values)
    }

    /// The points of a column against steps, where it has a value.
    pub(super) fn points(&self, name: &str) -> Vec<(f64, f64, Option<[f64; 2]>)> {
        let pairs = self.column("step").iter().zip(self.column(name));
        pairs.filter(|(_, value)| value.is_finite()).map(|(step, value)| (*step, *value, None)).collect()
    }
}
