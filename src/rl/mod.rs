//! Learned policies: the environment that they are trained in, their weights, and their forward passes without any
//! learning library.
//!
//! - [`weights`]: named tensors in safetensors files: the one thing that training and inference exchange.
//! - [`observation`]: what a policy sees of a view and how its answer becomes a decision.
//! - [`env`]: the engine as an environment, many runs at a time.
//! - [`relmas`]: the LSTM policy.
//! - `train` (with the feature of that name): what learns its weights, with libtorch.

mod dense;
pub mod env;
pub mod observation;
pub mod relmas;
#[cfg(test)]
mod testing;
#[cfg(feature = "train")]
pub mod train;
pub mod weights;
