//! The event engine and what is computed about a run before it starts.

pub mod capacity;
