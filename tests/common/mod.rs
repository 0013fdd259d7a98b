//! What tests of the program share.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

/// `mascot` with its working directory in the source tree.
pub(crate) fn program(args: &[&str]) -> Command {
    let mut command = Command::new(executable());
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(args);
    command
}

/// What it says.
pub(crate) fn mascot(args: &[&str]) -> Output {
    program(args).output().expect("the program was built for this test")
}

/// The program as it is when the test begins. A cargo that runs beside the test puts another in its place where the sources
/// or features are others, and to that one no kept cell and no manifest would be its own.
pub(crate) fn executable() -> &'static Path {
    static LINK: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let link = folder.join(concat!("mascot-of-", env!("CARGO_CRATE_NAME")));
        let own = folder.join(format!("mascot-{}", std::process::id()));
        std::fs::hard_link(env!("CARGO_BIN_EXE_mascot"), &own).expect("the program was built for this test");
        std::fs::rename(&own, &link).expect("the folder is for tests");
        // Of two links to the same file neither is renamed.
        let _ = std::fs::remove_file(&own);
        link
    });
    &LINK
}
