//! Accelerator descriptions of other tools -> an accelerator file: Timeloop's and ZigZag's YAML.
//!
//! Which tool wrote a file follows from its keys. What the accelerator model has no place for is listed, key by key;
//! what the source lacks is a default that a comment of the file names. The file that comes out has been read back.

mod draft;
mod expression;
mod notes;
mod technology;
mod timeloop;
mod yaml;
mod zigzag;

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::accel::AccelSpec;
use crate::files::{InputError, Source, quoted, sha256};
pub use notes::Note;
use notes::Notes;
use yaml::Node;

/// An imported accelerator.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedAccel {
    /// The accelerator.
    pub spec: AccelSpec,
    /// The accelerator file, which reads as `spec`: the same bytes for the same sources and name.
    pub toml: String,
    /// The counts of the accelerator.
    pub summary: AccelSummary,
    /// What the file does not have as the sources have it, key by key.
    pub notes: Vec<Note>,
    /// What else the user should know about the file.
    pub remarks: Vec<String>,
}

/// The counts of an accelerator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccelSummary {
    /// The name of the accelerator.
    pub accelerator: String,
    /// The format of the sources.
    pub format: String,
    /// Levels, the MACs excluded.
    pub levels: u64,
    /// Number of MAC units.
    pub macs: u64,
    /// Keys of the sources that were left out or changed.
    pub notes: u64,
}

/// Imports an accelerator from one or several files of one tool, and names it.
pub fn import_accel(paths: &[PathBuf], name: &str) -> Result<ImportedAccel, InputError> {
    let sources = paths.iter().map(|path| Source::read(path)).collect::<Result<Vec<_>, _>>()?;
    let mut documents: Vec<Node> = vec![];
    for source in &sources {
        let read = yaml::read(source)?;
        if read.iter().all(Node::is_null) {
            return Err(source.error_at_top("there is nothing in this file"));
        }
        documents.extend(read.into_iter().filter(|document| !document.is_null()));
    }
    let notes = Notes::default();
    let has = |is_part: fn(&Node) -> bool| documents.iter().any(is_part);
    let draft = match (has(timeloop::is_architecture), has(zigzag::is_accelerator)) {
        (true, false) => timeloop::import(&documents, &notes)?,
        (false, true) => zigzag::import(&documents, &notes)?,
        (true, true) => {
            return Err(documents[0]
                .error("both `architecture` (Timeloop) and `memories` (ZigZag): import one at a time"));
        }
        (false, false) => {
            return Err(InputError::file(
                &sources[0].path,
                "no accelerator: expected the key `architecture` (Timeloop), or `memories` and `operational_array` \
                 (ZigZag)",
            ));
        }
    };
    let draft = draft.without_loops_that_cannot_fit();
    let notes = notes.into_sorted(paths);
    let toml = draft.to_toml(name, &command(paths), &identity(&sources), &notes);
    let spec = read_back(name, &toml, &sources[0])?;
    let summary = AccelSummary {
        accelerator: name.to_string(),
        format: draft.format.clone(),
        levels: draft.levels.len() as u64,
        macs: draft.macs(),
        notes: notes.len() as u64,
    };
    Ok(ImportedAccel { spec, toml, summary, notes, remarks: draft.remarks })
}

/// The accelerator that the file stands for, or what is wrong with the sources as a whole.
fn read_back(name: &str, toml: &str, source: &Source) -> Result<AccelSpec, InputError> {
    let file = Source { path: format!("{name}.toml").into(), text: toml.to_string(), verbatim: false };
    AccelSpec::parse(&file).map_err(|error| {
        source.error_at_top(format!("this is no accelerator that mascot can model: {}", error.message))
    })
}

fn command(paths: &[PathBuf]) -> String {
    let names = paths.iter().map(|path| file_name(path));
    names.fold("mascot import".to_string(), |command, name| format!("{command} {}", quoted(&name)))
}

/// The files with the start of their hashes.
fn identity(sources: &[Source]) -> String {
    let told = |source: &Source| {
        let hash = sha256(source.text.as_bytes());
        format!("{} (sha256 {})", file_name(&source.path), &hash[..12])
    };
    sources.iter().map(told).collect::<Vec<_>>().join(", ")
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
