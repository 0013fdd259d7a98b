//! `mascot cost`: what layers cost on accelerators.

mod table;

use clap::Subcommand;

use crate::experiment::Error;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Every layer of a network on an accelerator: MACs, latency, bandwidth demand, energy
    Table(table::Options),
}

pub(super) fn execute(command: &Command) -> Result<(), Error> {
    match command {
        Command::Table(options) => table::execute(options),
    }
}
