//! `mascot cost`: what layers cost on accelerators.

mod cache;
mod cases;
mod choice;
mod export;
mod search;
mod silicon;
mod table;
mod verify;

use clap::Subcommand;

use crate::experiment::Error;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Every layer of a network on an accelerator: MACs, latency, what limits it, bandwidth demand, energy by level
    Table(table::Options),
    /// A layer and its mapping as YAML for Timeloop, to check a cost against it
    Export(export::Options),
    /// Evaluate given mappings and compare with the results of another tool
    Verify(verify::Options),
    /// Search the layers of given mappings and compare with them
    Search(search::Options),
    /// The model beside what was measured on chips
    Silicon(silicon::Options),
    /// The costs that are kept of earlier runs
    #[command(subcommand)]
    Cache(cache::Command),
}

pub(super) fn execute(command: &Command) -> Result<(), Error> {
    match command {
        Command::Table(options) => table::execute(options),
        Command::Export(options) => export::execute(options),
        Command::Verify(options) => verify::execute(options),
        Command::Search(options) => search::execute(options),
        Command::Silicon(options) => silicon::execute(options),
        Command::Cache(command) => cache::execute(command),
    }
}
