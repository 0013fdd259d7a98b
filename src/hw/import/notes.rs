//! What an import left out or changed, as told to the user and written into the file.

use std::cell::RefCell;
use std::fmt;
use std::path::PathBuf;

use super::yaml::Node;
use crate::files::visible_line;

/// A value of a source that the accelerator file does not have as it is, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// The keys that lead to the value.
    pub path: String,
    /// The value, shortened.
    pub value: String,
    /// Why it is left out, or what stands for it.
    pub why: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}:{}", visible_line(&self.file.display().to_string()), self.in_file())
    }
}

impl Note {
    /// The note without the file: `28: architecture.nodes[DRAM].attributes.type = LPDDR4: ...`.
    fn in_file(&self) -> String {
        let Self { line, path, value, why, .. } = self;
        format!("{line}: {} = {value}: {why}", visible_line(path))
    }

    /// The note with the name of the file alone, which does not depend on where the file is.
    pub(super) fn with_file_name(&self) -> String {
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        format!("{}:{}", visible_line(&name), self.in_file())
    }
}

/// The notes so far.
#[derive(Default)]
pub(super) struct Notes(RefCell<Vec<Note>>);

impl Notes {
    /// Notes what becomes of a value.
    pub(super) fn add(&self, node: &Node, why: impl Into<String>) {
        self.0.borrow_mut().push(Note {
            file: node.place.file.to_path_buf(),
            line: node.place.line,
            path: node.path.clone(),
            value: node.shown(),
            why: why.into(),
        });
    }

    /// Notes what becomes of a value, and none of what is inside it.
    pub(super) fn add_whole(&self, node: &Node, why: impl Into<String>) {
        self.add(node, why);
        node.take_all();
    }

    /// Notes every key of a document that nobody took, with the reason that `why` gives for its name.
    pub(super) fn add_untaken(&self, document: &Node, why: impl Fn(&str) -> &'static str) {
        document.untaken(&mut |entry| self.add(&entry.node, why(&entry.key)));
    }

    /// All notes in the order of files and lines, each once.
    pub(super) fn into_sorted(self, files: &[PathBuf]) -> Vec<Note> {
        let mut notes = self.0.into_inner();
        let order = |note: &Note| (files.iter().position(|file| *file == note.file), note.line);
        notes.sort_by(|a, b| order(a).cmp(&order(b)).then_with(|| a.cmp(b)));
        notes.dedup();
        notes
    }
}
