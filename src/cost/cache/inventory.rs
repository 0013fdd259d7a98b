//! The contents of a cache folder, and how to empty it. Files that are not the cache's are never touched.

use std::io::{Error, ErrorKind, Result};
use std::path::PathBuf;

use super::{Cache, KEY_BYTES, parse};

/// One file of cached costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheFile {
    /// The file's path.
    pub path: PathBuf,
    /// The accelerator's name, as far as a file name can hold it.
    pub accelerator: String,
    /// Number of layers whose costs the file holds; damaged lines do not count.
    pub entries: usize,
    /// The file's size.
    pub bytes: u64,
}

/// The extensions of files with costs and with other results.
const COSTS: &str = ".costs";
const KEPT: &str = ".kept";

/// The first word in the name of a cache file (`<accelerator>-<key>.costs`), or `None` for a file that is not the
/// cache's.
fn word<'a>(file_name: &'a str, ending: &str) -> Option<&'a str> {
    let (word, key) = file_name.strip_suffix(ending)?.rsplit_once('-')?;
    let is_key = key.len() == 2 * KEY_BYTES && key.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_key.then_some(word)
}

impl Cache {
    /// The cache's files of costs by name; none if the folder does not exist.
    pub fn files(&self) -> Result<Vec<CacheFile>> {
        let mut files = Vec::new();
        for (path, accelerator) in self.paths(COSTS)? {
            let text = std::fs::read(&path)?;
            let entries = String::from_utf8_lossy(&text).lines().filter(|line| parse(line).is_some()).count();
            files.push(CacheFile { path, accelerator, entries, bytes: text.len() as u64 });
        }
        Ok(files)
    }

    /// Removes all files of the cache, and returns their number.
    pub fn clear(&self) -> Result<usize> {
        let paths = [self.paths(COSTS)?, self.paths(KEPT)?].concat();
        for (path, _) in &paths {
            std::fs::remove_file(path).or_else(|e| match e.kind() {
                // Another process has removed it already.
                ErrorKind::NotFound => Ok(()),
                _ => Err(Error::new(e.kind(), format!("{}: {e}", path.display()))),
            })?;
        }
        Ok(paths.len())
    }

    fn paths(&self, ending: &str) -> Result<Vec<(PathBuf, String)>> {
        let Some(folder) = self.folder() else { return Ok(Vec::new()) };
        let entries = match std::fs::read_dir(folder) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut paths = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let word = name.to_str().and_then(|name| word(name, ending));
            if let Some(word) = word.filter(|_| entry.file_type().is_ok_and(|t| t.is_file())) {
                paths.push((entry.path(), word.to_string()));
            }
        }
        paths.sort();
        Ok(paths)
    }
}
