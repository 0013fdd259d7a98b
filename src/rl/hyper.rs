//! The hyper-parameters of `relmas`' training, deep deterministic policy gradient (`train/ddpg.rs`), as an experiment says
//! them. They are known to every build, so that a build without `train` can say what is wrong with them, too.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::env::{Env, Reward, Source};
use super::relmas::HIDDEN;
use crate::files::{
    Decisions, Draws, NonNegative, Sample, Seed, Share, Steps, StepsOrNone, Stride, Width, within,
};

/// Hyper-parameters.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Hyper {
    /// Hidden units of both networks.
    #[serde(deserialize_with = "within::<_, Width, _>")]
    pub hidden: usize,
    /// What a reward is worth one decision later.
    #[serde(deserialize_with = "within::<_, Share, _>")]
    pub discount: f64,
    /// Learning rate of the actor.
    #[serde(deserialize_with = "within::<_, Stride, _>")]
    pub actor_rate: f64,
    /// Learning rate of the critic.
    #[serde(deserialize_with = "within::<_, Stride, _>")]
    pub critic_rate: f64,
    /// Gradients are cut to this length.
    #[serde(deserialize_with = "within::<_, Stride, _>")]
    pub longest_gradient: f64,
    /// The share of the way that the slow copies move after an update.
    #[serde(deserialize_with = "within::<_, Share, _>")]
    pub follow: f64,
    /// Iterations in which a rule answers, earliest deadline first, and the actor imitates it while the critic learns what
    /// its answers are worth. None in the paper's recipe, as far as that is public.
    #[serde(deserialize_with = "within::<_, StepsOrNone, _>")]
    pub imitation: u64,
    /// How much the actor is held to what was done (Fujimoto and Gu, NeurIPS 2021): times the mean squared distance of its
    /// answers from the remembered ones, where the values of its answers have a mean size of 1. Without, which is the paper's
    /// recipe, it goes to wherever the critic errs most.
    #[serde(deserialize_with = "within::<_, NonNegative, _>")]
    pub anchor: f64,
    /// Decisions in an update.
    #[serde(deserialize_with = "within::<_, Sample, _>")]
    pub batch: usize,
    /// Decisions in the memory.
    #[serde(deserialize_with = "within::<_, Decisions, _>")]
    pub memory: usize,
    /// Sub-jobs of a decision that are remembered.
    #[serde(deserialize_with = "within::<_, Width, _>")]
    pub longest_queue: usize,
    /// Decisions before the first update.
    #[serde(deserialize_with = "within::<_, Decisions, _>")]
    pub warm_up: usize,
    /// Standard deviation of the noise on every number of an answer, which lies between -1 and 1.
    #[serde(deserialize_with = "within::<_, NonNegative, _>")]
    pub noise: f64,
    /// The noise of an iteration relative to the one before.
    #[serde(deserialize_with = "within::<_, Share, _>")]
    pub noise_decay: f64,
    /// Runs at a time.
    #[serde(deserialize_with = "within::<_, Draws, _>")]
    pub episodes: usize,
    /// Decisions of a run, after which it is truncated.
    #[serde(deserialize_with = "within::<_, Decisions, _>")]
    pub steps: u64,
    /// The reward.
    pub reward: Reward,
    /// Iterations of the training: new runs, their decisions, and an update after every step of all of them.
    #[serde(deserialize_with = "within::<_, Steps, _>")]
    pub iterations: u64,
    /// Of everything random.
    #[serde(deserialize_with = "within::<_, Seed, _>")]
    pub seed: u64,
}

impl Default for Hyper {
    /// Discount, rates and batch are those of the paper of DDPG. The others are chosen here: a slower copy than its 0.001
    /// learns nothing in an hour; the memory holds what an hour sees last; queues under the loads of interest are mostly
    /// shorter than 32.
    fn default() -> Self {
        Self {
            hidden: HIDDEN,
            discount: 0.99,
            actor_rate: 1e-4,
            critic_rate: 1e-3,
            longest_gradient: 1.0,
            follow: 0.005,
            imitation: 0,
            anchor: 0.0,
            batch: 64,
            memory: 50_000,
            longest_queue: 32,
            warm_up: 1_000,
            noise: 0.3,
            noise_decay: 0.99,
            episodes: 8,
            steps: 500,
            reward: Reward::default(),
            iterations: 400,
            seed: 1,
        }
    }
}

impl Hyper {
    /// The environment that they describe, of runs from `source`.
    pub fn env(&self, source: Box<Source>) -> Env {
        Env::new(source, self.reward, self.steps)
    }

    /// Says what does not go together.
    ///
    /// # Errors
    /// The keys and their values.
    pub fn check(&self) -> Result<(), String> {
        match self.warm_up > self.memory {
            true => Err(format!(
                "`warm_up` is {}: expected at most `memory`, {}, or no update ever comes",
                self.warm_up, self.memory
            )),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_range_or_does_not_go_together_is_told() {
        Hyper::default().check().expect("sound");
        let never = Hyper { memory: 100, ..Hyper::default() }.check().unwrap_err();
        assert_eq!(never, "`warm_up` is 1000: expected at most `memory`, 100, or no update ever comes");
        let range = |text: &str| toml::from_str::<Hyper>(text).unwrap_err().message().to_string();
        for key in
            ["hidden", "batch", "memory", "longest_queue", "warm_up", "episodes", "steps", "iterations"]
        {
            for value in ["0", "-1", "1e12", "1.5", "9223372036854775807"] {
                let told = range(&format!("{key} = {value}"));
                assert!(
                    told.contains(" is not allowed here: expected a whole number from 1 to "),
                    "{key}: {told}"
                );
            }
        }
        assert!(range("imitation = 1e12").contains("expected a whole number from 0 to 16777216"));
        for (key, value, allowed) in [
            ("actor_rate", "1e-50", "a number from 1e-9 to 1e6"),
            ("critic_rate", "0", "a number from 1e-9 to 1e6"),
            ("noise", "nan", "a number from 0 to 1e12"),
            ("discount", "1.5", "a number from 0 to 1"),
        ] {
            let told = range(&format!("{key} = {value}"));
            assert!(told.ends_with(&format!(" is not allowed here: expected {allowed}")), "{key}: {told}");
        }
        assert!(range("bach = 3").contains("unknown field `bach`"));
    }
}
