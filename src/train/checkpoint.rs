//! Checkpoints of a training: `checkpoint.json`, which names `checkpoint-<steps>.safetensors`. The tensors are written
//! first and older ones removed last, so that a training that is killed at any time leaves a matching pair.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::learner::LogRow;
use super::origin::Origin;
use crate::experiment::Error;
use crate::files::write_atomic;
use crate::policy::Tensors;

/// Everything that a training needs to resume.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// The origin of the training; a training of another origin cannot resume from it.
    pub(super) origin: Origin,
    pub(super) state: Tensors,
    pub(super) best: Best,
    pub(super) log: Vec<LogRow>,
}

/// The contents of `checkpoint.json`.
#[derive(Deserialize, Serialize)]
struct Saved {
    origin: Origin,
    tensors: String,
    best: Standing,
    log: Vec<LogRow>,
}

/// The prefixes in the file of tensors: the learner's state, and the best weights.
const STATE: &str = "state.";
const BEST: &str = "best.";

impl Checkpoint {
    /// The name of the file.
    pub const FILE: &str = "checkpoint.json";

    /// The number of steps that are done.
    pub fn steps(&self) -> usize {
        self.log.len()
    }

    /// Whether a folder has a checkpoint.
    pub fn is_in(folder: &Path) -> bool {
        folder.join(Self::FILE).exists()
    }

    /// Reads the checkpoint of a folder.
    ///
    /// # Errors
    /// There is no checkpoint, it is damaged, or it belongs to another training.
    pub fn read(folder: &Path, origin: &Origin) -> Result<Self, Error> {
        let path = folder.join(Self::FILE);
        let problem = |problem: String| {
            let way_out = "--fresh replaces it, another --out keeps it";
            Error::Usage(format!("cannot resume from {}: {problem}\n{way_out}", path.display()))
        };
        let text = fs::read_to_string(&path).map_err(|e| problem(e.to_string()))?;
        let saved: Saved = serde_json::from_str(&text)
            .map_err(|e| problem(format!("not a checkpoint of this version of mascot: {e}")))?;
        let differences = saved.origin.differences(origin);
        if !differences.is_empty() {
            return Err(problem(format!("it belongs to another training:\n  {}", differences.join("\n  "))));
        }
        let tensors = Tensors::read(&folder.join(&saved.tensors))?;
        Ok(Self {
            origin: origin.clone(),
            state: tensors.below(STATE),
            best: Best { weights: tensors.below(BEST), standing: saved.best },
            log: saved.log,
        })
    }

    /// Writes both files.
    ///
    /// # Errors
    /// A file cannot be written, or a weight is not finite.
    pub fn write(&self, folder: &Path) -> Result<(), Error> {
        let name = format!("checkpoint-{}.safetensors", self.log.len());
        let mut tensors = Tensors::default();
        tensors.extend(STATE, &self.state);
        tensors.extend(BEST, &self.best.weights);
        let path = folder.join(&name);
        tensors.write(&path).map_err(|source| Error::writing(&path, source))?;
        let saved = Saved {
            origin: self.origin.clone(),
            tensors: name.clone(),
            best: self.best.standing,
            log: self.log.clone(),
        };
        let path = folder.join(Self::FILE);
        let text = serde_json::to_string(&saved).expect("plain data");
        write_atomic(&path, text.as_bytes()).map_err(|source| Error::writing(&path, source))?;
        remove_others(folder, &name);
        Ok(())
    }
}

/// Removes the tensors of earlier checkpoints; a file that cannot be removed does no harm.
fn remove_others(folder: &Path, name: &str) {
    let is_older = |path: &PathBuf| {
        let name_of = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name_of.starts_with("checkpoint-") && name_of.ends_with(".safetensors") && name_of != name
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    for path in entries.filter(is_older) {
        let _ = fs::remove_file(path);
    }
}

/// The weights that were best on the validation seeds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Best {
    pub(super) weights: Tensors,
    pub(super) standing: Standing,
}

/// The score of the best weights, and the step of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Standing {
    pub(super) fitness: f64,
    pub(super) rate: f64,
    pub(super) step: u64,
}
