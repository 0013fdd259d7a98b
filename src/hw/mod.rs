//! The hardware: sub-accelerators and the systems that combine them, as validated data.
//!
//! Nothing here knows the name of an accelerator: a dataflow is the set of dimensions that may be unrolled on each
//! fan-out axis and looped at each storage level.

mod accel;
mod import;
mod memory;
mod system;

pub use accel::{
    AccelSpec, Fanout, Gating, Level, Lowering, MAX_LEVELS, Mac, Residuals, Storage, Technology,
    TechnologyNode,
};
pub use import::{AccelSummary, ImportedAccel, Note, import_accel};
pub use memory::{LinkSpec, MemorySpec, Placement, route};
pub use system::{Accelerator, Fusion, MAX_ACCELERATORS, Objective, Residency, Sharing, SystemSpec, fuses};
