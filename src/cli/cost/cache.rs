//! `mascot cost cache`: lists or clears the costs that earlier runs have kept.

use clap::Subcommand;

use crate::cli::table::render;
use crate::cost::Cache;
use crate::experiment::Error;
use crate::files::InputError;

#[derive(Subcommand)]
pub(in crate::cli) enum Command {
    /// The files of the cache: accelerator, layers, size
    List,
    /// Remove the files of the cache, kept bounds included; the next run maps its layers anew
    Clear,
}

pub(super) fn execute(command: &Command) -> Result<(), Error> {
    let cache = Cache::from_env();
    let folder = cache.folder().ok_or_else(|| {
        Error::Usage("there is no cache: set MASCOT_CACHE_DIR, XDG_CACHE_HOME or HOME".into())
    })?;
    let text = match command {
        Command::List => list(&cache).map(|table| format!("{}\n{table}", folder.display())),
        Command::Clear => {
            cache.clear().map(|count| format!("removed {count} files from {}\n", folder.display()))
        }
    };
    crate::cli::print(&text.map_err(|e| InputError::file(folder, e))?)
}

fn list(cache: &Cache) -> std::io::Result<String> {
    let files = cache.files()?;
    let rows = files.iter().map(|file| {
        let name = file.path.file_name().unwrap_or_default().to_string_lossy();
        vec![file.accelerator.clone(), file.entries.to_string(), file.bytes.to_string(), name.into_owned()]
    });
    Ok(render(&["accelerator", "layers", "bytes", "file"], 1..3, rows.collect()))
}
