//! The `mascot` program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    mascot::cli::main()
}
