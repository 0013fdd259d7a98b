//! What the fuzz targets share: readers take a path, so an input becomes a file.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// A folder of this process, in `$TMPDIR`.
static FOLDER: LazyLock<tempfile::TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("there is a folder for temporary files"));

/// The repository.
pub static ROOT: LazyLock<PathBuf> = LazyLock::new(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));

/// A file of this name with this content, in place of the one before it.
pub fn file(name: &str, content: &[u8]) -> PathBuf {
    let path = FOLDER.path().join(name);
    std::fs::write(&path, content).expect("a temporary file can be written");
    path
}
