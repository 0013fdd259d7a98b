//! `mascot cost`: what layers cost on accelerators.

mod choice;
mod table;

use clap::Subcommand;

use crate::experiment::Error;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Every layer of a network on an accelerator: MACs, latency, what limits it, bandwidth demand, energy by level
    Table(table::Options),
}

pub(super) fn execute(command: &Command) -> Result<(), Error> {
    match command {
        Command::Table(options) => table::execute(options),
    }
}
