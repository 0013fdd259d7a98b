//! Many cells in one file, because a file system gives each file whole blocks: a cell of 1.5 KB takes 4 KB by itself.
//!
//! A pack is a sequence of cells. Each has a line with its identifier and its length in bytes, and then the bytes that
//! `store.rs` keeps in a file of its own, which have a hash of their own. What follows a line that is none, because a disk
//! was full or a machine went down, is lost.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

/// The cells of a pack, by identifier, with their places in the file.
#[derive(Debug)]
pub(super) struct Pack {
    path: PathBuf,
    places: BTreeMap<String, Place>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    start: u64,
    length: usize,
}

impl Pack {
    /// Finds out what is in a file, which need not exist.
    pub(super) fn of(path: PathBuf) -> Self {
        let places = File::open(&path).map(places).unwrap_or_default();
        Self { path, places }
    }

    /// The identifiers of its cells.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// The bytes of a cell.
    pub(super) fn get(&self, id: &str) -> Option<Vec<u8>> {
        let Place { start, length } = *self.places.get(id)?;
        let mut file = File::open(&self.path).ok()?;
        file.seek(SeekFrom::Start(start)).ok()?;
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }
}

/// Adds a cell to a pack that is being written.
pub(super) fn put(id: &str, bytes: &[u8], out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "{id} {}", bytes.len())?;
    out.write_all(bytes)
}

fn places(file: File) -> BTreeMap<String, Place> {
    let mut places = BTreeMap::new();
    let end = file.metadata().map_or(0, |data| data.len());
    let (mut file, mut at) = (BufReader::new(file), 0);
    while let Some((id, start, length)) = heading(&mut file, at) {
        let Some(after) = start.checked_add(length).filter(|&after| after <= end) else { break };
        if file.seek_relative(length as i64).is_err() {
            break;
        }
        places.insert(id, Place { start, length: length as usize });
        at = after;
    }
    places
}

/// The line before a cell: its identifier, and where its bytes start, and how many there are.
fn heading(file: &mut impl BufRead, at: u64) -> Option<(String, u64, u64)> {
    let mut line = Vec::new();
    let read = file.take(LONGEST_HEADING).read_until(b'\n', &mut line).ok()?;
    let (id, length) = str::from_utf8(&line).ok()?.strip_suffix('\n')?.split_once(' ')?;
    Some((id.to_string(), at + read as u64, length.parse().ok()?))
}

/// More than a hash and a number. Our choice, so that what is no pack is not read to its end.
const LONGEST_HEADING: u64 = 128;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_packed_comes_back_and_what_is_cut_off_does_not() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("pack");
        assert_eq!(Pack::of(path.clone()).get("0a"), None, "without a file");
        let cells = [("0a", &b"one\ncell"[..]), ("0b", b""), ("0c", b"0d 3\n")];
        let mut bytes = Vec::new();
        cells.iter().for_each(|(id, cell)| put(id, cell, &mut bytes).expect("it is memory"));
        for length in 0..=bytes.len() {
            fs::write(&path, &bytes[..length]).expect("the folder is ours");
            let pack = Pack::of(path.clone());
            let whole: Vec<_> = cells.iter().take_while(|(id, _)| pack.get(id).is_some()).collect();
            assert!(whole.iter().all(|(id, cell)| pack.get(id).as_deref() == Some(cell)), "{length}");
            assert_eq!(pack.ids().count(), whole.len(), "{length} bytes");
            assert_eq!(whole.len() == cells.len(), length == bytes.len(), "{length} bytes");
        }
        // A number that no file can have.
        fs::write(&path, format!("0a {}\n0b 0\n", u64::MAX)).expect("the folder is ours");
        assert_eq!(Pack::of(path).ids().count(), 0);
    }
}
