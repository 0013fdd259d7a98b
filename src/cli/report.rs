//! `mascot report`: writes the figures of a run.

use std::path::PathBuf;

use clap::Args;

use super::rank::pair;
use crate::experiment::Error;
use crate::report;

#[derive(Args)]
pub(super) struct Options {
    /// The folder that `mascot run`, or `mascot train`, wrote
    folder: PathBuf,
    /// What the maps of fleets show: a key and its value, e.g. load=0.9 or scheduler=closest+best+single; may be repeated
    /// [default: the best dispatcher at the highest load up to lambda*]
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    cell: Vec<(String, String)>,
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let page = report::write(&options.folder, &options.cell)?;
    super::print(&format!("{}\n", page.display()))
}
