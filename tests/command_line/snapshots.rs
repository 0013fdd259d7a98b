//! The command line as a user meets it: every error is a snapshot in `tests/cli/`. To accept a changed message, run
//! `TRYCMD=overwrite cargo test --release --test command_line snapshots` and read the diff.

#[test]
fn messages() {
    trycmd::TestCases::new().case("tests/cli/*.trycmd");
}
