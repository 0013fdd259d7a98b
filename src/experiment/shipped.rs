//! The data files that the program carries, so that an installed one needs no source tree.
//!
//! `shipped/` packs them, and `src/main.rs` hands the archive over. They become one more data folder: a folder of the
//! cache, named after the content of the archive, so that errors name a file that the user can open. Every start of
//! the program compares that folder with the archive and writes what is missing or differs, each file under another
//! name first and then renamed. So a folder that is half written, damaged, or being written by another process ends
//! up whole for everyone who reads it, and no one ever sees part of a file.
//!
//! A program that Cargo built and that still lies in its source or target folder reads the source tree instead: there,
//! an edit takes effect without a build. So does a library that no one gave an archive.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::error::Error;
use crate::cost::Cache;
use crate::files::{sha256, write_read_only};

/// The archive of the running program, and the folder in which its files are.
static PROGRAM: OnceLock<(&'static [u8], OnceLock<PathBuf>)> = OnceLock::new();

/// Digits of the archive's hash in the name of its folder.
const DIGITS: usize = 16;

/// Data files in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipped {
    bytes: Vec<u8>,
    /// The paths, relative to a data folder, and where their contents lie.
    files: Vec<(String, Range<usize>)>,
}

impl Shipped {
    /// Tells the library which files the program carries: what `mascot_shipped::archive!()` packed. The first call
    /// counts.
    pub fn set(archive: &'static [u8]) {
        PROGRAM.get_or_init(|| (archive, OnceLock::new()));
    }

    /// The files that the running program carries; `None` in a program of someone else.
    pub fn of_program() -> Option<Self> {
        let (archive, _) = PROGRAM.get()?;
        Some(Self::unpacked(archive).expect("the archive is part of the program, which was built whole"))
    }

    /// The data folder of the shipped files: the source tree, or else the unpacked archive; `None` where there is neither.
    ///
    /// # Errors
    /// The archive cannot be unpacked.
    pub fn folder(is_data: impl Fn(&Path) -> bool) -> Result<Option<PathBuf>, Error> {
        let tree =
            Some(Path::new(env!("CARGO_MANIFEST_DIR"))).filter(|tree| is_data(tree)).map(Path::to_path_buf);
        match tree.filter(|_| PROGRAM.get().is_none() || is_where_it_was_built()) {
            Some(tree) => Ok(Some(tree)),
            None => Self::unpacked_folder(),
        }
    }

    /// The folder of the cache that holds the files of the archive; `None` in a program of someone else.
    ///
    /// # Errors
    /// The cache cannot be written.
    pub(super) fn unpacked_folder() -> Result<Option<PathBuf>, Error> {
        let Some((archive, folder)) = PROGRAM.get() else { return Ok(None) };
        if let Some(folder) = folder.get() {
            return Ok(Some(folder.clone()));
        }
        let name = format!("shipped-{}", &sha256(archive)[..DIGITS]);
        let place = Cache::from_env().folder().map(|cache| cache.join(name));
        let place = place.ok_or_else(|| unwritable("there is no folder for its cache".into()))?;
        let place = std::path::absolute(&place).unwrap_or(place);
        Self::of_program().expect("there is an archive").write_to(&place)?;
        Ok(Some(folder.get_or_init(|| place).clone()))
    }

    /// Reads an archive; `None` if it is damaged.
    fn unpacked(archive: &[u8]) -> Option<Self> {
        let bytes = miniz_oxide::inflate::decompress_to_vec_zlib(archive).ok()?;
        let (mut files, mut at) = (Vec::new(), 0);
        while at < bytes.len() {
            let mut line = || {
                let length = bytes[at..].iter().position(|byte| *byte == b'\n')?;
                let line = std::str::from_utf8(&bytes[at..at + length]).ok();
                at += length + 1;
                line
            };
            let (path, length) = (line()?.to_string(), line()?.parse::<usize>().ok()?);
            let content = at..at.checked_add(length).filter(|end| *end <= bytes.len())?;
            at = content.end;
            files.push((path, content));
        }
        Some(Self { bytes, files })
    }

    /// The files in the order of their paths, which are relative to a data folder.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(path, content)| (&path[..], &self.bytes[content.clone()]))
    }

    /// Makes a folder hold all files, read-only.
    fn write_to(&self, folder: &Path) -> Result<(), Error> {
        for (path, bytes) in self.files() {
            let path = folder.join(path);
            if !std::fs::read(&path).is_ok_and(|there| there == bytes) {
                write_read_only(&path, bytes).map_err(|e| unwritable(format!("{}: {e}", path.display())))?;
            }
        }
        Ok(())
    }
}

fn unwritable(problem: String) -> Error {
    Error::Usage(format!(
        "mascot cannot unpack the accelerators, networks, scenarios and policies that it ships: {problem}\nset \
         MASCOT_CACHE_DIR to a folder that can be written, or MASCOT_DATA_DIR to one that `mascot data export` filled"
    ))
}

/// Whether the running program lies in the source tree or the target folder where Cargo built it.
fn is_where_it_was_built() -> bool {
    // Below the target folder: PROFILE/build/PACKAGE/out.
    let target = Path::new(env!("OUT_DIR")).ancestors().nth(4);
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    let program = std::env::current_exe().ok().and_then(|program| real(&program));
    let homes = [Some(Path::new(env!("CARGO_MANIFEST_DIR"))), target].into_iter().flatten().filter_map(real);
    program.is_some_and(|program| homes.into_iter().any(|home| program.starts_with(home)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(text: &str) -> Vec<u8> {
        miniz_oxide::deflate::compress_to_vec_zlib(text.as_bytes(), 6)
    }

    #[test]
    fn an_archive_gives_back_its_files() {
        let shipped = Shipped::unpacked(&archive("a/b.toml\n3\nx\nyc.md\n0\n")).expect("it is whole");
        assert_eq!(shipped.files().collect::<Vec<_>>(), [("a/b.toml", &b"x\ny"[..]), ("c.md", b"")]);
        for damaged in ["a", "a\n", "a\nb\n", "a\n4\nxyz", "a\n-1\n", "a\n18446744073709551615\nx"] {
            assert_eq!(Shipped::unpacked(&archive(damaged)), None, "{damaged:?}");
        }
        assert_eq!(Shipped::unpacked(b"no archive"), None);
    }

    #[test]
    fn a_folder_becomes_whole_whatever_it_held() {
        let shipped = Shipped::unpacked(&archive("a/b.toml\n3\nx\nyc.md\n0\n")).expect("it is whole");
        let folder = tempfile::TempDir::new().expect("a temporary folder");
        let of = |path: &str| std::fs::read_to_string(folder.path().join(path)).expect("it was written");
        shipped.write_to(folder.path()).expect("the folder is ours");
        assert_eq!((of("a/b.toml"), of("c.md")), ("x\ny".into(), String::new()));
        let path = folder.path().join("a/b.toml");
        assert!(std::fs::metadata(&path).expect("it is there").permissions().readonly());
        std::fs::remove_file(&path).expect("the folder is ours");
        std::fs::write(&path, "dam").expect("the folder is ours");
        std::fs::remove_file(folder.path().join("c.md")).expect("the folder is ours");
        shipped.write_to(folder.path()).expect("the folder is ours");
        assert_eq!((of("a/b.toml"), of("c.md")), ("x\ny".into(), String::new()));
    }
}
