//! Keeps finished cells on disk, so that a stopped sweep can resume.
//!
//! `cells/` in the results folder holds a file per finished cell, named by its [identifier](super::Identity): a line
//! with the SHA-256 of the rest, and the rest as JSON in zlib's format: the cell's rows of every result file as text, and
//! the wall time that it took. When a sweep is finished, all cells go into one file (`pack.rs`). Files appear
//! whole (written under another name, then renamed). A cell with a wrong hash, because a disk was full or a machine went
//! down, counts as missing. A lock keeps other processes from working on the same folder.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib;
use serde::{Deserialize, Serialize};

use super::pack::{self, Pack};
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
    /// The cells of finished sweeps.
    pack: Pack,
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

/// The file with the cells of finished sweeps.
const PACK: &str = "finished.pack";

/// How much is tried to make a cell small. Our choice, because it is zlib's own default: a cell of 5.1 KB becomes
/// 1.5 KB.
const LEVEL: u8 = 6;

impl Store {
    /// The store in a results folder, to read only; it need not exist.
    pub fn peek(results: &Path) -> Self {
        let folder = results.join("cells");
        Self { pack: Pack::of(folder.join(PACK)), folder, _lock: None }
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
        let folder = results.join("cells");
        fs::create_dir_all(&folder).map_err(|source| Error::writing(&folder, source))?;
        let lock = lock_by(&folder, by)?;
        // What another process packs is read once it has given the lock back.
        Ok(Self { _lock: lock, ..Self::peek(results) })
    }

    /// The folder of the store.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Loads a cell, if it is kept and undamaged.
    pub fn load(&self, id: &str) -> Option<Kept> {
        let of = |bytes: Vec<u8>| serde_json::from_slice(&unpacked(&bytes)?).ok();
        fs::read(self.path(id)).ok().and_then(of).or_else(|| of(self.pack.get(id)?))
    }

    /// Keeps a cell.
    pub fn keep(&self, id: &str, kept: &Kept) -> Result<(), Error> {
        let text = serde_json::to_string(kept).expect("text and a number are written without fail");
        let packed = compress_to_vec_zlib(text.as_bytes(), LEVEL);
        let bytes = [sha256(&packed).as_bytes(), b"\n", &packed].concat();
        write_atomic(&self.path(id), &bytes).map_err(|source| self.write_error(source))
    }

    /// A temporary file that a killed process leaves where [`Self::finish`] finds it.
    pub fn temporary(&self) -> Result<tempfile::NamedTempFile, Error> {
        temporary_in(&self.folder).map_err(|source| self.write_error(source))
    }

    /// Writes another file, whole or not at all, through such a temporary file.
    pub fn place(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let mut file = self.temporary()?;
        let written = file.write_all(bytes).and_then(|()| place(file, path));
        written.map_err(|source| Error::writing(path, source))
    }

    /// Leaves what a finished sweep needs: packs all cells, and removes the manifest of the unfinished sweep and the files
    /// that killed processes left. Cells of other configurations stay, so that a sweep that is narrowed for a while costs
    /// nothing when it is widened again. A store that is opened later finds what was packed; this one does not.
    pub fn finish(&self) -> Result<(), Error> {
        let entries = fs::read_dir(&self.folder).map_err(|source| self.write_error(source))?;
        let (mut cells, mut rest) = (BTreeSet::new(), Vec::new());
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if let Some((id, EXTENSION)) = name.split_once('.') {
                cells.insert(id.to_string());
            } else if name.starts_with(".tmp") || name == manifest::FILE || claims::is_claim(&path) {
                rest.push(path);
            }
        }
        if !cells.is_empty() {
            self.pack(&cells)?;
        }
        for path in cells.iter().map(|id| self.path(id)).chain(rest) {
            fs::remove_file(&path).map_err(|source| self.write_error(source))?;
        }
        Ok(())
    }

    /// Writes the pack anew, with these cells, which have files of their own. Damaged cells are left out.
    fn pack(&self, cells: &BTreeSet<String>) -> Result<(), Error> {
        let file = self.temporary()?;
        let mut out = BufWriter::new(&file);
        let mut put_all = || -> io::Result<()> {
            let packed = self.pack.ids().filter(|id| !cells.contains(*id));
            for id in packed.chain(cells.iter().map(String::as_str)) {
                let own = fs::read(self.path(id)).ok().filter(|bytes| unpacked(bytes).is_some());
                if let Some(bytes) = own.or_else(|| self.pack.get(id)) {
                    pack::put(id, &bytes, &mut out)?;
                }
            }
            out.flush()
        };
        put_all().map_err(|source| self.write_error(source))?;
        drop(out);
        place(file, &self.folder.join(PACK)).map_err(|source| self.write_error(source))
    }

    fn path(&self, id: &str) -> PathBuf {
        self.folder.join(id).with_extension(EXTENSION)
    }

    fn write_error(&self, source: std::io::Error) -> Error {
        Error::writing(&self.folder, source)
    }
}

/// The JSON of a cell, if it is undamaged.
fn unpacked(bytes: &[u8]) -> Option<Vec<u8>> {
    let (checksum, packed) = bytes.split_at_checked(bytes.iter().position(|&byte| byte == b'\n')?)?;
    let packed = &packed[1..];
    if sha256(packed).as_bytes() != checksum {
        return None;
    }
    decompress_to_vec_zlib(packed).ok()
}

#[cfg(test)]
mod tests {
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

    fn names(store: &Store) -> BTreeSet<String> {
        let entries = fs::read_dir(store.folder()).unwrap().flatten();
        entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_finished_sweep_leaves_a_pack_and_what_is_not_ours() {
        let (_folder, store) = store();
        store.keep(ID, &kept()).unwrap();
        for name in [".tmpleft", "0123.claim", manifest::FILE, "notes.txt"] {
            fs::write(store.folder().join(name), "").unwrap();
        }
        store.finish().unwrap();
        assert_eq!(names(&store), BTreeSet::from([PACK.into(), "notes.txt".into()]));
    }

    #[test]
    fn packed_cells_come_back_and_a_damaged_one_is_replaced() {
        let (folder, store) = store();
        let of = |wall_s| Kept { wall_s, ..kept() };
        (0..3).for_each(|i| store.keep(&format!("0{i}"), &of(f64::from(i))).unwrap());
        store.finish().unwrap();
        drop(store);
        let reopened = || Store::open(folder.path()).unwrap();
        let all = |store: &Store| [0, 1, 2, 3].map(|i| store.load(&format!("0{i}")).map(|kept| kept.wall_s));
        assert_eq!(all(&reopened()), [Some(0.0), Some(1.0), Some(2.0), None]);

        // A byte within the first cell is another, which the others do not feel.
        let path = reopened().folder().join(PACK);
        let mut bytes = fs::read(&path).unwrap();
        bytes[80] ^= 1;
        fs::write(&path, bytes).unwrap();
        let store = reopened();
        assert_eq!(all(&store), [None, Some(1.0), Some(2.0), None]);
        // What was run again and what is new are added; a file that is damaged does not replace what is packed.
        store.keep("00", &of(5.0)).unwrap();
        store.keep("03", &of(3.0)).unwrap();
        fs::write(store.path("01"), "").unwrap();
        assert_eq!(all(&store), [Some(5.0), Some(1.0), Some(2.0), Some(3.0)]);
        store.finish().unwrap();
        drop(store);
        let store = reopened();
        assert_eq!(all(&store), [Some(5.0), Some(1.0), Some(2.0), Some(3.0)]);
        assert_eq!(names(&store), BTreeSet::from([PACK.into()]));
        // With nothing new the pack stays as it is.
        let before = fs::metadata(&path).unwrap().modified().unwrap();
        store.finish().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
    }

    #[test]
    fn only_one_process_at_a_time_works_on_a_folder() {
        let (folder, store) = store();
        assert!(Store::open(folder.path()).unwrap_err().to_string().contains("another mascot is at work"));
        drop(store);
        assert!(Store::open(folder.path()).is_ok());
    }
}
