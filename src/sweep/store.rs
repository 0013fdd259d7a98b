//! Keeps finished cells on disk, so that a stopped sweep can resume.
//!
//! `cells/` in the results folder holds a file per finished cell, named by its [identifier](super::Identity): a line
//! with the SHA-256 of the rest, and the rest as JSON in zlib's format: the cell's rows of every result file as text, and
//! the wall time that it took. Files appear whole (written under another name, then renamed). A file with a wrong hash, because a
//! disk was full or a machine went down, counts as missing. A lock keeps other processes from working on the same
//! folder.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib;
use serde::{Deserialize, Serialize};

use super::rows::Rows;
use super::{claims, manifest};
use crate::experiment::Error;
use crate::files::{place, sha256, temporary_in, write_atomic};

/// The data that is kept of a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// The wall time that it took, which has no influence on results.
    pub wall_s: f64,
    /// The rows that it adds to the result files.
    pub rows: Rows,
}

/// The folder of finished cells.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    /// Locked as long as the store is open.
    _lock: Option<File>,
}

/// Locks a folder against other processes as long as the returned file is held. `None` where folders cannot be locked;
/// the user then has to take care.
pub fn lock(folder: &Path) -> Result<Option<File>, Error> {
    lock_by(folder, File::try_lock)
}

fn lock_by(folder: &Path, by: fn(&File) -> Result<(), TryLockError>) -> Result<Option<File>, Error> {
    let file = File::open(folder).ok();
    match file.as_ref().map(by) {
        Some(Err(TryLockError::WouldBlock)) => {
            let folder = folder.display();
            Err(Error::Usage(format!("{folder}: another mascot is at work here; give another --out")))
        }
        _ => Ok(file),
    }
}

const EXTENSION: &str = "cell";

/// How much is tried to make a cell small. Our choice, because it is zlib's own default: a cell of 5.1 KB becomes
/// 1.5 KB.
const LEVEL: u8 = 6;

impl Store {
    /// The store in a results folder, to read only; it need not exist.
    pub fn peek(results: &Path) -> Self {
        Self { folder: results.join("cells"), _lock: None }
    }

    /// The store in a results folder; both are created if necessary.
    ///
    /// # Errors
    /// Another process works on it, or it cannot be created.
    pub fn open(results: &Path) -> Result<Self, Error> {
        let store = Self::locked(results, File::try_lock)?;
        match claims::at_work(store.folder()).into_iter().next() {
            None => Ok(store),
            Some(shard) => Err(Error::Usage(format!(
                "{}: `mascot run --shard {shard}` is at work here; this command collects the cells when all shares are \
                 done (what a killed process had begun counts as at work for five minutes)",
                store.folder.display()
            ))),
        }
    }

    /// The store in a results folder, for one of several processes that share it.
    ///
    /// # Errors
    /// A process works on it that does not share it, or it cannot be created.
    pub fn open_shared(results: &Path) -> Result<Self, Error> {
        Self::locked(results, File::try_lock_shared)
    }

    fn locked(results: &Path, by: fn(&File) -> Result<(), TryLockError>) -> Result<Self, Error> {
        let mut store = Self::peek(results);
        fs::create_dir_all(&store.folder).map_err(|source| store.write_error(source))?;
        store._lock = lock_by(&store.folder, by)?;
        Ok(store)
    }

    /// The folder of the store.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Loads a cell, if it is kept and undamaged.
    pub fn load(&self, id: &str) -> Option<Kept> {
        let bytes = fs::read(self.path(id)).ok()?;
        let (checksum, packed) = bytes.split_at_checked(bytes.iter().position(|&byte| byte == b'\n')?)?;
        let packed = &packed[1..];
        if sha256(packed).as_bytes() != checksum {
            return None;
        }
        serde_json::from_slice(&decompress_to_vec_zlib(packed).ok()?).ok()
    }

    /// Keeps a cell.
    pub fn keep(&self, id: &str, kept: &Kept) -> Result<(), Error> {
        let text = serde_json::to_string(kept).expect("text and a number are written without fail");
        let packed = compress_to_vec_zlib(text.as_bytes(), LEVEL);
        let bytes = [sha256(&packed).as_bytes(), b"\n", &packed].concat();
        write_atomic(&self.path(id), &bytes).map_err(|source| self.write_error(source))
    }

    /// A temporary file that a killed process leaves where [`Self::clean`] finds it.
    pub fn temporary(&self) -> Result<tempfile::NamedTempFile, Error> {
        temporary_in(&self.folder).map_err(|source| self.write_error(source))
    }

    /// Writes another file, whole or not at all, through such a temporary file.
    pub fn place(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let mut file = self.temporary()?;
        let written = file.write_all(bytes).and_then(|()| place(file, path));
        written.map_err(|source| Error::writing(path, source))
    }

    /// Removes what a finished sweep does not need: the manifest of the unfinished sweep, and files that killed
    /// processes left. Cells of other configurations stay, so that a sweep that is narrowed for a while costs nothing
    /// when it is widened again.
    pub fn clean(&self) -> Result<(), Error> {
        let entries = fs::read_dir(&self.folder).map_err(|source| self.write_error(source))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with(".tmp") || name == manifest::FILE || claims::is_claim(&path) {
                fs::remove_file(&path).map_err(|source| self.write_error(source))?;
            }
        }
        Ok(())
    }

    fn path(&self, id: &str) -> PathBuf {
        self.folder.join(id).with_extension(EXTENSION)
    }

    fn write_error(&self, source: std::io::Error) -> Error {
        Error::writing(&self.folder, source)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const ID: &str = "0123";

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        (folder, store)
    }

    fn kept() -> Kept {
        Kept { wall_s: 0.1 + 0.2, rows: Rows::default() }
    }

    #[test]
    fn what_is_kept_comes_back_and_what_is_damaged_does_not() {
        let (_folder, store) = store();
        assert_eq!(store.load(ID), None);
        store.keep(ID, &kept()).unwrap();
        assert_eq!(store.load(ID), Some(kept()));
        let path = store.path(ID);
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(store.load(ID), None, "cut off after {length} bytes");
        }
        for place in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[place] ^= 1;
            fs::write(&path, bytes).unwrap();
            assert_eq!(store.load(ID), None, "byte {place} is another");
        }
    }

    #[test]
    fn cleaning_leaves_cells_and_what_is_not_ours() {
        let (_folder, store) = store();
        store.keep(ID, &kept()).unwrap();
        for name in [".tmpleft", "0123.claim", manifest::FILE, "notes.txt"] {
            fs::write(store.folder().join(name), "").unwrap();
        }
        store.clean().unwrap();
        let names = fs::read_dir(store.folder()).unwrap().flatten().map(|entry| entry.file_name());
        assert_eq!(names.collect::<BTreeSet<_>>(), BTreeSet::from(["0123.cell".into(), "notes.txt".into()]));
    }

    #[test]
    fn only_one_process_at_a_time_works_on_a_folder() {
        let (folder, store) = store();
        assert!(Store::open(folder.path()).unwrap_err().to_string().contains("another mascot is at work"));
        drop(store);
        assert!(Store::open(folder.path()).is_ok());
    }
}
