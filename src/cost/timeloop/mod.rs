//! Timeloop's own formats, so that a user can read a mapping the familiar way and check a cost against Timeloop itself.
//!
//! - [`loop_nest`]: a mapping as Timeloop prints one; [`loop_summary`]: the same on one line.
//! - [`Export`]: architecture, problem and mapping as the three YAML files that Timeloop v4 reads.

mod export;
mod nest;
#[cfg(test)]
mod testing;

pub use export::Export;
pub use nest::{loop_nest, loop_summary};
