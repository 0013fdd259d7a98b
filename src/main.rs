//! The `mascot` program: the library, and the data files that it ships.

use std::process::ExitCode;

fn main() -> ExitCode {
    mascot::cli::main(mascot_shipped::archive!())
}
