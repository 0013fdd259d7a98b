//! What tests of the program share.

use std::process::{Command, Output};

/// `mascot` with its working directory in the source tree.
pub(crate) fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mascot"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(args);
    command
}

/// What it says.
pub(crate) fn mascot(args: &[&str]) -> Output {
    program(args).output().expect("the program was built for this test")
}
