//! How a long command tells how far it is; the CLI draws it, tests and libraries need not.

/// Receives progress from several threads.
pub trait Progress: Sync {
    /// A phase of `total` steps begins.
    fn begin(&self, phase: &str, total: usize);
    /// `done` of its steps are done.
    fn advance(&self, done: usize);
    /// Something that the user should know.
    fn warn(&self, message: &str);
}

/// Says nothing.
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: &str, _: usize) {}
    fn advance(&self, _: usize) {}
    fn warn(&self, _: &str) {}
}
