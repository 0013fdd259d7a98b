//! `mascot cost`: what layers cost on accelerators.

mod cache;
mod cases;
mod choice;
mod export;
mod search;
mod sheet;
mod silicon;
mod table;
mod verify;

use clap::Subcommand;

use crate::experiment::Error;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Show the cost of every layer of a network on an accelerator: MACs, latency, what limits it, bandwidth demand,
    /// energy by level
    Table(table::Options),
    /// Write a layer and its mapping as YAML for Timeloop, to check a cost
    Export(export::Options),
    /// Evaluate given mappings and compare the costs with those of another tool
    Verify(verify::Options),
    /// Search mappings for the layers of given cases and compare with the given mappings
    Search(search::Options),
    /// Compare the cost model with measurements of chips
    Silicon(silicon::Options),
    /// Show or clear the cache of costs
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
