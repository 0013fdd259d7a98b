//! Does the program treat its users well: people at a terminal, scripts, other readers, and names that nobody means.

#[path = "../common/mod.rs"]
mod common;
mod hostile;
mod installed;
mod python;
mod schema;
mod snapshots;
mod terminal;
