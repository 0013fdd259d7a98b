//! Writing results: every output file appears whole or not at all.

use std::io::Write;
use std::path::Path;

use tempfile::NamedTempFile;

/// A temporary file in `folder`, which is created if necessary, with the permissions of any new file.
pub fn temporary_in(folder: &Path) -> std::io::Result<NamedTempFile> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    std::fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// Writes `bytes` to a temporary file beside the one that `path` leads to, then renames it. A device or a pipe is
/// written directly.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let target = match std::fs::metadata(path) {
        Ok(there) if there.is_file() => std::fs::canonicalize(path)?,
        Ok(there) if !there.is_dir() => {
            return std::fs::File::options().write(true).open(path)?.write_all(bytes);
        }
        _ => path.to_path_buf(),
    };
    let mut file = temporary_in(target.parent().unwrap_or(Path::new("")))?;
    file.write_all(bytes)?;
    file.persist(target)?;
    Ok(())
}

/// Writes a file that no one is to edit: [whole or not at all](write_atomic), in place of any that is there.
pub fn write_read_only(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = temporary_in(path.parent().unwrap_or(Path::new("")))?;
    file.write_all(bytes)?;
    let mut permissions = file.as_file().metadata()?.permissions();
    permissions.set_readonly(true);
    file.as_file().set_permissions(permissions)?;
    file.persist(path)?;
    Ok(())
}

/// Moves a temporary file to its final path, which may be on another disk.
pub fn place(file: NamedTempFile, path: &Path) -> std::io::Result<()> {
    let failed = match file.persist(path) {
        Ok(_) => return Ok(()),
        Err(failed) if failed.error.kind() == std::io::ErrorKind::CrossesDevices => failed,
        Err(failed) => return Err(failed.error),
    };
    let mut copy = temporary_in(path.parent().unwrap_or(Path::new("")))?;
    std::io::copy(&mut std::fs::File::open(failed.file.path())?, &mut copy)?;
    copy.persist(path)?;
    Ok(())
}
