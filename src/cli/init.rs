//! `mascot init`: a working folder to begin with. The files in `src/cli/init/` are written as they are; a test runs them.

use std::path::PathBuf;

use clap::Args;

use super::data::write_all;
use crate::experiment::Error;
use crate::files::quoted;

#[derive(Args)]
pub(super) struct Options {
    /// The folder, which need not exist
    dir: PathBuf,
}

/// The files, each under its path in the folder.
macro_rules! files {
    ($($path:literal)+) => { &[$(($path, include_bytes!(concat!("init/", $path)))),+] };
}

const FILES: &[(&str, &[u8])] = files! {
    "experiments/first.toml"
    "workloads/scenarios/mine.toml"
    "accel-models/my_accelerator.toml"
    "accel-models/systems/mine.toml"
};

/// The experiment, which is to be run first.
const FIRST: &str = FILES[0].0;

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    write_all(&options.dir, FILES)?;
    let folder = options.dir.display();
    let listed: String = FILES.iter().map(|(path, _)| format!("{folder}/{path}\n")).collect();
    let cd = quoted(&options.dir.to_string_lossy());
    super::print(&format!("{listed}run it with: cd {cd} && mascot run {FIRST}\n"))
}
