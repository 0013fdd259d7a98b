//! The `mascot` program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    // A failed invariant is reported once, with the command that reproduces it, and not by the panic itself.
    std::panic::set_hook(Box::new(|_| {}));
    mascot::cli::main()
}
