//! `mascot man`: writes the help as manual pages, one per command.

use std::path::{Path, PathBuf};

use clap::{Args, Command, CommandFactory};
use clap_mangen::Man;

use super::Cli;
use crate::experiment::Error;
use crate::files::write_atomic;

#[derive(Args)]
pub(super) struct Options {
    /// Folder for the pages, for example ~/.local/share/man/man1
    dir: PathBuf,
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let mut program = Cli::command();
    program.build();
    pages(program, &options.dir)
}

/// Writes the page of a command, and those of its subcommands.
fn pages(command: Command, folder: &Path) -> Result<(), Error> {
    let below: Vec<Command> =
        command.get_subcommands().filter(|below| below.get_name() != "help").cloned().collect();
    let man = Man::new(command);
    let path = folder.join(man.get_filename());
    let mut page = Vec::new();
    let written = man.render(&mut page).and_then(|()| write_atomic(&path, &page));
    written.map_err(|source| Error::Write { path: path.display().to_string(), source })?;
    below.into_iter().try_for_each(|below| pages(below, folder))
}
