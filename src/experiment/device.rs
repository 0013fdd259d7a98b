//! `[training] device`: where libtorch computes.

use schemars::JsonSchema;
use serde::Deserialize;

/// The device on which libtorch computes what a training learns from; plays and validation are always on the CPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// The CPU, on one thread for each computation: a seed fixes the weights on a machine.
    #[default]
    Cpu,
    /// The first NVIDIA GPU, which needs a libtorch for CUDA. Its sums may come in another order every time.
    Cuda,
}
