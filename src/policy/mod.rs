//! Learned policies: their observations, the nets, the files, and the schedulers that run them. No learning library is
//! needed.
//!
//! - [`learned_gate`]: our own policy, the walk of `gated` with its terms scaled by a small net;
//! - [`relmas`]: the reconstruction of the LSTM policy of RELMAS;
//! - [`observation`]: the features that `relmas` sees of a view, and the decision made from its action;
//! - [`Policy`]: a trained policy as files: its weights and the manifest that reproduces them;
//! - [`Tensors`]: named tensors in safetensors files.
//!
//! [`crate::train`] learns the weights. The registry of [`crate::experiment`] joins policies and rules.

mod dense;
pub mod learned_gate;
mod net;
pub mod observation;
mod registry;
pub mod relmas;
#[cfg(test)]
mod testing;
mod weights;

pub use learned_gate::{LearnedGate, untrained};
pub use observation::{Observation, QUEUE_FEATURES, decode, features, outputs};
pub use registry::{Build, Manifest, POLICIES, Parameters, Part, Policy, PolicyEntry, find, system_sha256};
pub use relmas::{Actor, HIDDEN, Relmas, initial, initial_of, shapes};
#[cfg(test)]
pub(crate) use testing::tiny;
pub use weights::{Tensor, Tensors, WeightsError};
