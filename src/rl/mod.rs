//! Learned policies: the environment that they are trained in, their weights, and their forward passes without any
//! learning library.
//!
//! - [`weights`]: named tensors in safetensors files: the one thing that training and inference exchange.
pub mod weights;
