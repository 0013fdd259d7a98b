//! Learned policies: what they observe, the nets, and how they are trained.
//!
//! - [`mascot`]: our own policy: the walk of `gated` with terms judged by small nets, trained by [`evolve`];
//! - [`evolve`]: evolution strategies over a vector of weights.

pub mod evolve;
pub mod mascot;
mod net;
