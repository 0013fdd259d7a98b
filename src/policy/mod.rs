//! Learned policies: their observations, the nets, the files, and the schedulers that run them. No learning library is
//! needed.
//!
//! - [`learned_gate`]: our own policy, the walk of `gated` with its terms scaled by a small net; with a price on energy it is
//!   `thrifty_gate`, and with a choice of where layers are cut `split_gate`;
//! - [`relmas`]: the reconstruction of the LSTM policy of RELMAS, with what it sees of a view ([`relmas::observation`]);
//! - [`mlp`]: feed-forward nets that other programs have learned;
//! - [`explore`]: noise and samples of a policy in training;
//! - [`Policy`]: a trained policy as files: its weights and the manifest that reproduces them;
//! - [`Tensors`]: named tensors in safetensors files.
//!
//! [`crate::train`] learns the weights. The registry of [`crate::experiment`] joins policies and rules.

mod dense;
pub mod explore;
pub mod learned_gate;
mod manifest;
pub mod mlp;
mod net;
mod registry;
pub mod relmas;
#[cfg(test)]
mod testing;
mod weights;

pub use explore::{Exploration, Explorer, Sample};
pub use learned_gate::{LearnedGate, untrained};
#[cfg(feature = "train")]
pub(crate) use learned_gate::{
    NET as LEARNED_GATE_NET, cuts::NET as SPLIT_GATE_NET, thrift::NET as THRIFTY_GATE_NET,
};
pub use manifest::{Manifest, TrainedFor, system_sha256, systems_sha256, trained_for};
pub use registry::{
    Build, Carry, Earlier, Explore, Made, OfPolicy, POLICIES, Parameters, Part, Policy, PolicyEntry, Range,
    TakeAway, Trained, find,
};
pub use relmas::{
    Actor, Decoder, HIDDEN, Observation, QUEUE_FEATURES, Relmas, features, initial, initial_of, outputs,
    shapes,
};
#[cfg(test)]
pub(crate) use testing::tiny;
pub use weights::{Tensor, Tensors, WeightsError};
