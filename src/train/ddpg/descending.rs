//! The learner itself, compiled only with libtorch.

use rand::RngExt;

use crate::experiment::{Experiment, Training};
use crate::files::Price;
use crate::plan::Plan;
use crate::policy::{Tensors, WeightsError};
use crate::rng;
use crate::train::env::Env;
use crate::train::learner::{From, Learner, LogRow};
use crate::train::torch::ddpg::Ddpg;
use crate::train::torch::device;
use crate::train::traces::setup;
use crate::train::validation::Validation;

pub(super) struct Descending {
    ddpg: Ddpg,
    env: Env,
}

impl Descending {
    /// A learner at its start, or in a stored state.
    pub(super) fn new(plan: &Plan, training: &Training, from: From) -> Result<Self, WeightsError> {
        let hyper = training.ddpg_parameters();
        let accelerators = plan.cases[0].site.world.platform.accelerators.len();
        let ddpg = match from {
            From { state: Some(state), .. } => Ddpg::resume(hyper, accelerators, state)?,
            From { initial: Some(actor), .. } => Ddpg::new(hyper, accelerators).starting_from(actor)?,
            From { initial: None, state: None } => Ddpg::new(hyper, accelerators),
        };
        let cases = plan.cases.clone();
        let Experiment { first_seed, seeds, .. } = plan.experiment;
        let source = move |seed: u64| {
            let mut rng = rng::stream(seed, "traces", "ddpg");
            let case = &cases[rng.random_range(0..cases.len())];
            setup(case, first_seed + rng.random_range(0..seeds), Price(0.0))
        };
        Ok(Self {
            ddpg: ddpg.on(device(training.device())),
            env: Env::new(Box::new(source), hyper.reward, hyper.num_steps),
        })
    }
}

impl Learner for Descending {
    fn done(&self) -> u64 {
        u64::from(self.ddpg.iterations())
    }

    fn step(&mut self, _: &Validation) -> LogRow {
        let progress = self.ddpg.iterate(&mut self.env);
        LogRow {
            step: self.done(),
            decisions: progress.decisions,
            reward: Some(progress.reward),
            critic_loss: Some(progress.critic_loss),
            actor_loss: Some(progress.actor_loss),
            ..LogRow::default()
        }
    }

    fn weights(&self) -> Tensors {
        self.ddpg.policy()
    }

    fn state(&self) -> Tensors {
        self.ddpg.checkpoint()
    }
}
