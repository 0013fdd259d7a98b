//! `mascot data`: the data files that the program ships, as files to edit.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use crate::experiment::{Error, Shipped};
use crate::files::write_atomic;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Write the shipped data files into a folder
    ///
    /// An installed mascot carries its data files, and reads them where no file of yours has the same name: commands that
    /// run in or below DIR read its files first. Files that are there and differ are named, and nothing is written.
    Export(Export),
}

#[derive(Args)]
pub(super) struct Export {
    /// The folder
    dir: PathBuf,
    /// Write these folders only
    #[arg(long, value_name = "FOLDER", value_delimiter = ',')]
    only: Vec<Folder>,
}

/// The folders that ship.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Folder {
    AccelModels,
    Workloads,
    Fleets,
    Policies,
    Experiments,
}

pub(super) fn execute(command: &Command) -> Result<(), Error> {
    let Command::Export(Export { dir, only }) = command;
    let shipped = Shipped::of_program().expect("the program has handed it over");
    let names: Vec<_> = only.iter().filter_map(ValueEnum::to_possible_value).collect();
    let is_wanted = |path: &str| {
        let folder = path.split('/').next().unwrap_or_default();
        names.is_empty() || names.iter().any(|name| name.get_name() == folder)
    };
    let files: Vec<_> = shipped.files().filter(|(path, _)| is_wanted(path)).collect();
    write_all(dir, &files)?;
    super::print(&format!("{}: {} files\n", dir.display(), files.len()))
}

/// Writes files into a folder, unless one of them is there and differs.
pub(super) fn write_all(folder: &Path, files: &[(&str, &[u8])]) -> Result<(), Error> {
    let differs = |path: &Path, bytes: &[u8]| match fs::read(path) {
        Ok(there) => there != bytes,
        // A folder of that name, or a file that may not be read; `write_atomic` tells what else is wrong.
        Err(_) => path.exists(),
    };
    let paths = files.iter().map(|(path, bytes)| (folder.join(path), *bytes));
    let (mut new, mut other) = (Vec::new(), Vec::new());
    for (path, bytes) in paths {
        if differs(&path, bytes) {
            other.push(path.display().to_string());
        } else if !path.exists() {
            new.push((path, bytes));
        }
    }
    if !other.is_empty() {
        let (count, shown) = (other.len(), &other[..other.len().min(SHOWN)]);
        let rest = if count > SHOWN { format!("\n  and {} more", count - SHOWN) } else { String::new() };
        let listed = shown.join("\n  ");
        return Err(Error::Usage(format!(
            "{count} of the files are there already and differ, so nothing is written: remove them, or give another \
             folder\n  {listed}{rest}"
        )));
    }
    new.iter().try_for_each(|(path, bytes)| write_atomic(path, bytes).map_err(|e| Error::writing(path, e)))
}

/// The most files that an error names.
const SHOWN: usize = 10;
