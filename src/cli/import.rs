//! stub
use crate::experiment::Error;
#[derive(clap::Args)]
pub(super) struct Options {}
pub(super) fn execute(_: &Options) -> Result<(), Error> {
    Ok(())
}
