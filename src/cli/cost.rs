//! stub
use crate::experiment::Error;
use clap::Subcommand;
#[derive(Subcommand)]
pub(super) enum Command {
    /// x
    Table,
}
pub(super) fn execute(_: &Command) -> Result<(), Error> {
    Ok(())
}
