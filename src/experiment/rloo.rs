//! The hyper-parameters of policy gradient with leave-one-out baselines (`train/torch/rloo.rs`), as an experiment gives
//! them. Every build knows them, so that a build without `train` can check them, too.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::files::{
    Decisions, Draws, NonNegative, Pairs, Positive, Seed, Share, Spells, Steps, Stride, within,
};

/// The hyper-parameters of the training.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rloo {
    /// Steps: new traces, their plays, and a step of the optimiser.
    #[serde(deserialize_with = "within::<_, Steps, _>")]
    pub steps: u64,
    /// Traces of the first step, drawn over all cases.
    #[serde(deserialize_with = "within::<_, Draws, _>")]
    pub traces: usize,
    /// Traces of the last step; in between, this and the next two change geometrically.
    #[serde(deserialize_with = "within::<_, Draws, _>")]
    pub final_traces: usize,
    /// Plays of each trace, in antithetic pairs, so an even number.
    #[serde(deserialize_with = "within::<_, Pairs, _>")]
    pub plays: usize,
    /// Standard deviation of the noise on the outputs of the net at the first step.
    #[serde(deserialize_with = "within::<_, Stride, _>")]
    pub sigma: f64,
    /// Standard deviation of the noise at the last step.
    #[serde(deserialize_with = "within::<_, Stride, _>")]
    pub final_sigma: f64,
    /// The standard deviation of the noise on each output of the net, relative to `sigma`. Default: 1 for all.
    pub output_noise: Vec<Share>,
    /// Learning rate of Adam after the warm-up.
    #[serde(deserialize_with = "within::<_, Stride, _>")]
    pub learning_rate: f64,
    /// Learning rate at the last step.
    #[serde(deserialize_with = "within::<_, Stride, _>")]
    pub final_learning_rate: f64,
    /// Steps over which the learning rate rises from zero at the start.
    #[serde(deserialize_with = "within::<_, Steps, _>")]
    pub warm_up: u64,
    /// The norm to which gradients are clipped.
    #[serde(deserialize_with = "within::<_, Stride, _>")]
    pub max_grad_norm: f64,
    /// How strongly outputs are pulled back that leave the range in which they have an effect: the weight of their mean squared
    /// distance to it. With 0 they stay outside for good.
    #[serde(deserialize_with = "within::<_, NonNegative, _>")]
    pub bound_loss: f64,
    /// Spells of equal length into which the life of a request is divided; each has noise of its own, which is held for it.
    #[serde(deserialize_with = "within::<_, Spells, _>")]
    pub spells: usize,
    /// Decisions that are kept of a play, besides those at which a request is seen for the first time.
    #[serde(deserialize_with = "within::<_, Decisions, _>")]
    pub samples: usize,
    /// The time over which the influence of a request on later ones fades, in mean times from arrival to deadline.
    #[serde(deserialize_with = "within::<_, Positive, _>")]
    pub horizon: f64,
    /// The seed of everything random.
    #[serde(deserialize_with = "within::<_, Seed, _>")]
    pub seed: u64,
}

impl Default for Rloo {
    /// Our choice, because a prototype learned with such values; the last steps have little noise and many plays, because
    /// what is best under noise is not best without.
    fn default() -> Self {
        Self {
            steps: 400,
            traces: 12,
            final_traces: 64,
            plays: 8,
            sigma: 0.7,
            final_sigma: 0.15,
            output_noise: Vec::new(),
            learning_rate: 0.015,
            final_learning_rate: 0.001,
            warm_up: 10,
            max_grad_norm: 1e6,
            bound_loss: 1.0,
            spells: 1,
            samples: 16,
            horizon: 0.5,
            seed: 1,
        }
    }
}
