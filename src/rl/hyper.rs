//! The hyper-parameters of `relmas`' training, deep deterministic policy gradient (`train/ddpg.rs`), as an experiment says
//! them. They are known to every build, so that a build without `train` can say what is wrong with them, too.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::env::{Env, Reward, Source};
use super::relmas::HIDDEN;

/// Hyper-parameters.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Hyper {
    /// Hidden units of both networks.
    pub hidden: usize,
    /// What a reward is worth one decision later.
    pub discount: f64,
    /// Learning rate of the actor.
    pub actor_rate: f64,
    /// Learning rate of the critic.
    pub critic_rate: f64,
    /// Gradients are cut to this length.
    pub longest_gradient: f64,
    /// The share of the way that the slow copies move after an update.
    pub follow: f64,
    /// Iterations in which a rule answers, earliest deadline first, and the actor imitates it while the critic learns what
    /// its answers are worth. None in the paper's recipe, as far as that is public.
    pub imitation: u64,
    /// How much the actor is held to what was done (Fujimoto and Gu, NeurIPS 2021): times the mean squared distance of its
    /// answers from the remembered ones, where the values of its answers have a mean size of 1. Without, which is the paper's
    /// recipe, it goes to wherever the critic errs most.
    pub anchor: f64,
    /// Decisions in an update.
    pub batch: usize,
    /// Decisions in the memory.
    pub memory: usize,
    /// Sub-jobs of a decision that are remembered.
    pub longest_queue: usize,
    /// Decisions before the first update.
    pub warm_up: usize,
    /// Standard deviation of the noise on every number of an answer, which lies between -1 and 1.
    pub noise: f64,
    /// The noise of an iteration relative to the one before.
    pub noise_decay: f64,
    /// Runs at a time.
    pub episodes: usize,
    /// Decisions of a run, after which it is truncated.
    pub steps: u64,
    /// The reward.
    pub reward: Reward,
    /// Iterations of the training: new runs, their decisions, and an update after every step of all of them.
    pub iterations: u64,
    /// Of everything random.
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

    /// Says what is out of range.
    ///
    /// # Errors
    /// The key, its value, and what is allowed.
    pub fn check(&self) -> Result<(), String> {
        let counts = [
            ("hidden", self.hidden),
            ("batch", self.batch),
            ("memory", self.memory),
            ("longest_queue", self.longest_queue),
            ("warm_up", self.warm_up),
            ("episodes", self.episodes),
            ("steps", self.steps as usize),
            ("iterations", self.iterations as usize),
        ];
        // Above, counts are not exact in a checkpoint, whose numbers are `f32`.
        if let Some((key, count)) = counts.into_iter().find(|(_, count)| !(1..=1 << 24).contains(count)) {
            return Err(format!("`{key}` is {count}; it has to be from 1 to {}", 1 << 24));
        }
        let shares =
            [("discount", self.discount), ("follow", self.follow), ("noise_decay", self.noise_decay)];
        if let Some((key, share)) = shares.into_iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
            return Err(format!("`{key}` is {share}; it has to be from 0 to 1"));
        }
        let sizes = [
            ("actor_rate", self.actor_rate),
            ("critic_rate", self.critic_rate),
            ("longest_gradient", self.longest_gradient),
            ("noise", self.noise),
            ("anchor", self.anchor),
        ];
        match sizes.into_iter().find(|(_, size)| !(0.0..=1e6).contains(size)) {
            Some((key, size)) => Err(format!("`{key}` is {size}; it has to be from 0 to 1e6")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hyper_parameters_out_of_range_are_named() {
        Hyper::default().check().expect("sound");
        let batch = Hyper { batch: 0, ..Hyper::default() }.check().unwrap_err();
        assert_eq!(batch, "`batch` is 0; it has to be from 1 to 16777216");
        let noise = Hyper { noise: f64::NAN, ..Hyper::default() }.check().unwrap_err();
        assert_eq!(noise, "`noise` is NaN; it has to be from 0 to 1e6");
        let discount = Hyper { discount: 1.5, ..Hyper::default() }.check().unwrap_err();
        assert_eq!(discount, "`discount` is 1.5; it has to be from 0 to 1");
        let unknown = toml::from_str::<Hyper>("bach = 3").unwrap_err().to_string();
        assert!(unknown.contains("unknown field `bach`"), "{unknown}");
    }
}
