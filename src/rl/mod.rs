//! Learned policies: what they observe, the nets, the files, and how they are trained.
//!
//! - [`mascot`]: our own policy: the walk of `gated` with terms judged by small nets, trained by [`evolve`];
//! - [`evolve`]: evolution strategies over a vector of weights;
//! - [`policy`]: a trained policy as files: weights and the manifest that reproduces them;
//! - [`weights`]: named tensors in safetensors files.
//!
//! Policies stand beside the registered rules: the registry of experiments joins both.

pub mod evolve;
pub mod mascot;
mod net;
pub mod policy;
pub mod weights;
