//! The data files that the program carries, so that an installed one needs no source tree.
//!
//! `shipped/` packs them, and `src/main.rs` hands the archive over. They become one more data folder: a folder of the
//! cache, named after the content of the archive, so that errors name a file that the user can open. Every start of
//! the program compares that folder with the archive and writes what is missing or differs, each file under another
//! name first and then renamed. So a folder that is half written, damaged, or being written by another process ends
//! up whole for everyone who reads it, and no one ever sees part of a file.
//!
//! Every version of the program has a folder of its own. When one is new, those of versions that nobody has started for a
//! while are removed.
//!
//! A program that Cargo built and that still lies in its source or target folder reads the source tree instead: there,
//! an edit takes effect without a build. So does a library that no one gave an archive.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use super::error::Error;
use crate::cost::Cache;
use crate::files::{sha256, write_read_only};

/// The archive of the running program, and the folder in which its files are.
static PROGRAM: OnceLock<(&'static [u8], OnceLock<PathBuf>)> = OnceLock::new();

/// Digits of the archive's hash in the name of its folder.
const DIGITS: usize = 16;

/// The beginning of that name.
const PREFIX: &str = "shipped-";

/// The file in such a folder whose time says when a program last started with it.
const USED: &str = ".used";

/// How many of these folders stay, the ones used last. Our choice: whoever compares versions has two or three.
const KEPT: usize = 3;

/// How long a folder stays after its last use in any case. Our choice, because no run takes longer: a program that runs may
/// still read its files.
const STAYS: Duration = Duration::from_secs(30 * 24 * 60 * 60);

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
        let name = format!("{PREFIX}{}", &sha256(archive)[..DIGITS]);
        let place = Cache::from_env().folder().map(|cache| cache.join(name));
        let place = place.ok_or_else(|| unwritable("there is no folder for its cache".into()))?;
        let place = std::path::absolute(&place).unwrap_or(place);
        let is_new = !place.is_dir();
        Self::of_program().expect("there is an archive").write_to(&place)?;
        // The files are there: whether these two succeed matters only for the size of the cache.
        let _ = std::fs::write(place.join(USED), "");
        if is_new {
            remove_old(&place);
        }
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

/// Removes the folders of other versions beside that of the running program, except those used last or of late. Each is
/// renamed first, so that a program that starts meanwhile never finds part of one.
fn remove_old(own: &Path) {
    let used = |folder: &Path| {
        let file = std::fs::metadata(folder.join(USED)).or_else(|_| std::fs::metadata(folder));
        file.ok()?.modified().ok()
    };
    let (Some(cache), Some(now)) = (own.parent(), used(own)) else { return };
    let is_one = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let digits = name.strip_prefix(PREFIX).unwrap_or_default();
        digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) && path != own
    };
    let entries = std::fs::read_dir(cache).into_iter().flatten().flatten();
    let others = entries.map(|entry| entry.path()).filter(is_one);
    let mut others: Vec<_> = others.filter_map(|path| Some((used(&path)?, path))).collect();
    others.sort();
    // The running program's own folder is one of those that are kept.
    for (last, path) in others.into_iter().rev().skip(KEPT - 1) {
        if now.duration_since(last).is_ok_and(|age| age > STAYS) {
            let aside = path.with_extension("old");
            let _ = std::fs::rename(&path, &aside).and_then(|()| std::fs::remove_dir_all(&aside));
        }
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
    fn old_folders_go_unless_they_were_used_last_or_of_late() {
        let cache = tempfile::TempDir::new().expect("a temporary folder");
        let day = Duration::from_secs(24 * 60 * 60);
        let own = cache.path().join("shipped-0000000000000000");
        std::fs::create_dir(&own).expect("the folder is ours");
        let now = std::fs::write(own.join(USED), "").and_then(|()| own.join(USED).metadata()?.modified());
        let now = now.expect("the folder is ours");
        let other = |digit: u32, days: u32, has_mark: bool| {
            let folder = cache.path().join(format!("{PREFIX}{digit:016x}"));
            std::fs::create_dir(&folder).expect("the folder is ours");
            let marked = if has_mark { folder.join(USED) } else { folder.clone() };
            if has_mark {
                std::fs::write(&marked, "").expect("the folder is ours");
            }
            let file = std::fs::File::open(&marked).expect("it was written");
            file.set_modified(now - days * day).expect("the file is ours");
            folder
        };
        let of_late = [other(1, 0, true), other(2, 29, true), other(3, 20, false), other(4, 1, true)];
        let old = [other(5, 31, true), other(6, 400, false)];
        let foreign = cache.path().join("shipped-notes");
        std::fs::create_dir(&foreign).expect("the folder is ours");
        remove_old(&own);
        assert!(of_late.iter().all(|folder| folder.is_dir()) && own.is_dir() && foreign.is_dir());
        assert!(!old.iter().any(|folder| folder.exists()), "{old:?}");
        assert_eq!(std::fs::read_dir(cache.path()).expect("it is there").count(), 6);
        // Without any others, the two used last stay whatever their age.
        of_late.iter().for_each(|folder| std::fs::remove_dir_all(folder).expect("the folder is ours"));
        let old = [other(7, 90, true), other(8, 60, true), other(9, 50, true)];
        remove_old(&own);
        assert_eq!(old.map(|folder| folder.is_dir()), [false, true, true]);
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
