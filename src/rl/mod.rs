//! Learned policies: what they observe, the nets, the files, and how they are trained. Inference needs no learning library.
//!
//! - [`learned_gate`]: our own policy: the walk of `gated` with terms judged by small nets, trained by [`evolve`];
//! - [`evolve`]: evolution strategies over a vector of weights;
//! - [`relmas`]: the LSTM policy;
//! - [`observation`]: what `relmas` sees of a view and how its answer becomes a decision;
//! - [`mod@env`]: the engine as an environment, many runs at a time;
//! - `train` (with the feature of that name): what learns the weights of `relmas`, with libtorch; [`hyper`]: how;
//! - [`policy`]: a trained policy as files: weights and the manifest that reproduces them;
//! - [`weights`]: named tensors in safetensors files.
//!
//! Policies stand beside the registered rules: the registry of experiments joins both.

mod dense;
pub mod env;
pub mod evolve;
pub mod hyper;
pub mod learned_gate;
mod net;
pub mod observation;
pub mod policy;
pub mod relmas;
#[cfg(test)]
mod testing;
#[cfg(feature = "train")]
pub mod train;
pub mod weights;
