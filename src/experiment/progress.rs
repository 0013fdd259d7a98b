//! An interface through which long operations report progress. The command line draws it; tests and libraries need not.

/// Receives progress, possibly from several threads.
pub trait Progress: Sync {
    /// A phase of `total` steps begins.
    fn begin(&self, phase: &str, total: usize);
    /// `done` of its steps are done.
    fn advance(&self, done: usize);
    /// A warning to the user.
    fn warn(&self, message: &str);
}

/// Ignores all progress.
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: &str, _: usize) {}
    fn advance(&self, _: usize) {}
    fn warn(&self, _: &str) {}
}
