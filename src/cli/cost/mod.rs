//! `mascot cost`: what layers cost on accelerators.

mod cache;
mod choice;
mod export;
mod table;

use clap::Subcommand;

use crate::experiment::Error;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Every layer of a network on an accelerator: MACs, latency, what limits it, bandwidth demand, energy by level
    Table(table::Options),
    /// A layer and its mapping as YAML for Timeloop, to check a cost against it
    Export(export::Options),
    /// The costs that are kept of earlier runs
    #[command(subcommand)]
    Cache(cache::Command),
}

pub(super) fn execute(command: &Command) -> Result<(), Error> {
    match command {
        Command::Table(options) => table::execute(options),
        Command::Export(options) => export::execute(options),
        Command::Cache(command) => cache::execute(command),
    }
}
