//! `mascot report`: writes the figures of a run.

use std::path::PathBuf;

use clap::Args;

use crate::experiment::Error;
use crate::report;

#[derive(Args)]
pub(super) struct Options {
    /// The folder that `mascot run`, or `mascot train`, wrote
    folder: PathBuf,
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let page = report::write(&options.folder)?;
    super::print(&format!("{}\n", page.display()))
}
