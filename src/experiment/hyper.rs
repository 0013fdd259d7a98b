//! The hyper-parameters of deep deterministic policy gradient (`train/torch/ddpg.rs`), which trains `relmas`, as an
//! experiment gives them. Every build knows them, so that a build without `train` can check them, too.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::files::{
    Critics, Decisions, Draws, NonNegative, Sample, Seed, Share, Steps, Stride, Width, within,
};
use crate::policy::HIDDEN;

/// The hyper-parameters of the training.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Hyper {
    /// Hidden units of both networks.
    #[serde(deserialize_with = "within::<_, Width, _>")]
    pub hidden: usize,
    /// The discount factor: what a reward is worth one decision later.
    #[serde(deserialize_with = "within::<_, Share, _>")]
    pub gamma: f64,
    /// Discounts by time in place of `gamma`: a reward is worth 1/e after this many mean times from arrival to deadline of
    /// the run. Decisions are not equally long: with a period of 50 us a deadline is hundreds of them away. 0 turns it off.
    #[serde(deserialize_with = "within::<_, NonNegative, _>")]
    pub horizon: f64,
    /// Learning rate of the actor.
    #[serde(deserialize_with = "within::<_, Stride, _>")]
    pub actor_learning_rate: f64,
    /// Learning rate of the critic.
    #[serde(deserialize_with = "within::<_, Stride, _>")]
    pub critic_learning_rate: f64,
    /// The norm to which gradients are clipped.
    #[serde(deserialize_with = "within::<_, Stride, _>")]
    pub max_grad_norm: f64,
    /// Critics, 1 or 2; of two, targets take the smaller value (twin critics: Fujimoto, van Hoof and Meger, ICML 2018).
    #[serde(deserialize_with = "within::<_, Critics, _>")]
    pub critics: usize,
    /// Updates of the critics for each of the actor and of the target networks (delayed updates: the same).
    #[serde(deserialize_with = "within::<_, Steps, _>")]
    pub policy_delay: u64,
    /// The fraction by which a target network moves towards its network after an update.
    #[serde(deserialize_with = "within::<_, Share, _>")]
    pub tau: f64,
    /// The weight of a term that keeps the actor near the actions in the replay buffer (Fujimoto and Gu, NeurIPS 2021):
    /// the mean squared distance to them, while the values of its actions are scaled to a mean size of 1. With 0, as in
    /// the paper's recipe, the actor moves to where the critic errs most.
    #[serde(deserialize_with = "within::<_, NonNegative, _>")]
    pub anchor: f64,
    /// Decisions in an update.
    #[serde(deserialize_with = "within::<_, Sample, _>")]
    pub batch_size: usize,
    /// Decisions in the replay buffer.
    #[serde(deserialize_with = "within::<_, Decisions, _>")]
    pub buffer_size: usize,
    /// Sub-jobs of a decision that the replay buffer keeps.
    #[serde(deserialize_with = "within::<_, Width, _>")]
    pub longest_queue: usize,
    /// Decisions before the first update.
    #[serde(deserialize_with = "within::<_, Decisions, _>")]
    pub learning_starts: usize,
    /// Standard deviation of the noise on every number of an action, which lies between -1 and 1.
    #[serde(deserialize_with = "within::<_, NonNegative, _>")]
    pub exploration_noise: f64,
    /// The noise of an iteration relative to that of the one before.
    #[serde(deserialize_with = "within::<_, Share, _>")]
    pub exploration_noise_decay: f64,
    /// Whether noise is drawn once per request and held for its life, in place of anew for every decision. A request is
    /// decided on up to hundreds of times, over which new noise averages out.
    pub held_noise: bool,
    /// Environments: runs that are stepped together.
    #[serde(deserialize_with = "within::<_, Draws, _>")]
    pub num_envs: usize,
    /// Decisions of a run, after which it is truncated.
    #[serde(deserialize_with = "within::<_, Decisions, _>")]
    pub num_steps: u64,
    /// The reward.
    pub reward: Reward,
    /// Iterations of the training: new runs, their decisions, and an update after every step of all of them.
    #[serde(deserialize_with = "within::<_, Steps, _>")]
    pub iterations: u64,
    /// The seed of everything random.
    #[serde(deserialize_with = "within::<_, Seed, _>")]
    pub seed: u64,
}

impl Default for Hyper {
    /// Discount, rates and batch are those of the paper of DDPG. The others are our choice, because target networks as
    /// slow as its 0.001 learn nothing in an hour; the replay buffer holds the last part of what an hour sees; queues
    /// under the loads of interest are mostly shorter than 32.
    fn default() -> Self {
        Self {
            hidden: HIDDEN,
            gamma: 0.99,
            horizon: 0.0,
            actor_learning_rate: 1e-4,
            critic_learning_rate: 1e-3,
            max_grad_norm: 1.0,
            critics: 1,
            policy_delay: 1,
            tau: 0.005,
            anchor: 0.0,
            batch_size: 64,
            buffer_size: 50_000,
            longest_queue: 32,
            learning_starts: 1_000,
            exploration_noise: 0.3,
            exploration_noise_decay: 0.99,
            held_noise: false,
            num_envs: 8,
            num_steps: 500,
            reward: Reward::default(),
            iterations: 400,
            seed: 1,
        }
    }
}

impl Hyper {
    /// Checks that the values fit together.
    ///
    /// # Errors
    /// Two values contradict each other: the error names the keys and the values.
    pub fn check(&self) -> Result<(), String> {
        match self.learning_starts > self.buffer_size {
            true => Err(format!(
                "`learning_starts` is {}: expected at most `buffer_size`, {}, or no update ever comes",
                self.learning_starts, self.buffer_size
            )),
            false => Ok(()),
        }
    }
}

/// The reward of a measured request; the rewards of a run add up over its measured requests. An episode pays as early
/// as possible: `met` or `missed` at the end of the request, the bandwidth term layer by layer.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reward {
    /// The deadline term of a request that meets its deadline.
    pub met: f64,
    /// The deadline term of one that is late, dropped, or unfinished at the end of the run.
    pub missed: f64,
    /// The weight of the bandwidth-efficiency term of a request: the mean over its layers of uncontended latency / time
    /// from start to end, which is 1 for a layer that never waits for the DRAM. A layer that runs counts even if its
    /// request is dropped.
    pub bandwidth: f64,
    /// The weight of the potential of a request in flight (Ng, Harada and Russell, ICML 1999): the share of its slack
    /// that it has lost, counted negative, so that an arrival pays nothing. Every step pays the change of the sum over all
    /// requests, discounted as later rewards are, so that waiting costs at once what it will cost in the end and the best
    /// schedule stays the best.
    pub slack: f64,
}

impl Default for Reward {
    /// Our choice, because the whole bandwidth term is then worth a twentieth of a deadline, and so only decides
    /// between schedules that meet equally many; a request that has lost all its slack counts as if it were missed.
    fn default() -> Self {
        Self { met: 1.0, missed: -1.0, bandwidth: 0.1, slack: 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::read_toml;

    #[test]
    fn what_is_out_of_range_or_does_not_go_together_is_told() {
        Hyper::default().check().expect("sound");
        let never = Hyper { buffer_size: 100, ..Hyper::default() }.check().unwrap_err();
        assert_eq!(
            never,
            "`learning_starts` is 1000: expected at most `buffer_size`, 100, or no update ever comes"
        );
        let range = |text: &str| read_toml::<Hyper>(text).unwrap_err().message().to_string();
        for key in [
            "hidden",
            "batch_size",
            "buffer_size",
            "longest_queue",
            "learning_starts",
            "num_envs",
            "num_steps",
            "iterations",
        ] {
            for value in ["0", "-1", "1e12", "1.5", "9223372036854775807"] {
                let told = range(&format!("{key} = {value}"));
                assert!(
                    told.contains(" is not allowed here: expected a whole number from 1 to "),
                    "{key}: {told}"
                );
            }
        }
        for (key, value, allowed) in [
            ("actor_learning_rate", "1e-50", "a number from 1e-9 to 1e6"),
            ("critic_learning_rate", "0", "a number from 1e-9 to 1e6"),
            ("exploration_noise", "nan", "a number from 0 to 1e12"),
            ("gamma", "1.5", "a number from 0 to 1"),
        ] {
            let told = range(&format!("{key} = {value}"));
            assert!(told.ends_with(&format!(" is not allowed here: expected {allowed}")), "{key}: {told}");
        }
        assert!(range("bach = 3").contains("unknown field `bach`"));
    }
}
