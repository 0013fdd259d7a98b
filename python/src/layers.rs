//! The layer level: at every decision of the engine, each open sub-job is given to an accelerator or held.
//!
//! The rows of an observation are those that learned policies see ([`mascot::policy::relmas::observation`]), by deadline;
//! the features of the whole queue stand once, after the rows. The mask has a number per row, 1 if there is a sub-job,
//! and then for each row a number per accelerator, 1 if it can run there, and one for holding it.

use std::sync::Arc;

use mascot::experiment::Reward;
use mascot::plan::{self, rules};
use mascot::policy::mlp::act;
use mascot::policy::{Observation, QUEUE_FEATURES, features};
use mascot::rng;
use mascot::sim::{Decision, View};
use mascot::train::{Episode, Setup};
use mascot::units::Time;
use pyo3::prelude::*;
use rand::RngExt;

use crate::envs::{Env, Shape};
use crate::errors::config;
use crate::plan::Plan;

/// An environment of the layer level. Each episode is a run of a case that is drawn from the plan's.
pub(crate) struct Layers {
    plan: Arc<plan::Plan>,
    accelerators: usize,
    max_sub_jobs: usize,
    reward: Reward,
    episode: Option<Episode>,
    /// When the last decision was taken.
    now: Time,
}

impl Layers {
    pub(crate) fn new(plan: &Plan, max_sub_jobs: usize, rewards: [f64; 4]) -> PyResult<Self> {
        let [met, missed, bandwidth, slack] = rewards;
        let of = |case: &plan::Case| case.site.world.platform.accelerators.len();
        if let Some(case) = plan.inner.cases.iter().find(|case| case.fleet.is_some()) {
            return Err(config(format!(
                "fleet `{}`: expected systems; environments of fleets are mascot/Serving-*",
                case.system
            )));
        }
        let accelerators = of(plan.case(0)?);
        if let Some(case) = plan.inner.cases.iter().find(|case| of(case) != accelerators) {
            return Err(config(format!(
                "system `{}` has {} accelerators, an earlier one {accelerators}: expected the same number",
                case.system,
                of(case)
            )));
        }
        if max_sub_jobs == 0 || rewards.iter().any(|reward| !reward.is_finite()) {
            return Err(config("max_sub_jobs: expected at least 1; rewards: expected finite numbers"));
        }
        let reward = Reward { met, missed, bandwidth, slack };
        Ok(Self {
            plan: Arc::clone(&plan.inner),
            accelerators,
            max_sub_jobs,
            reward,
            episode: None,
            now: Time::ZERO,
        })
    }
}

impl Env for Layers {
    fn shape(&self) -> Shape {
        let (rows, accelerators) = (self.max_sub_jobs, self.accelerators);
        Shape {
            observation: rows * (features(accelerators) - QUEUE_FEATURES) + QUEUE_FEATURES,
            mask: rows * (accelerators + 2),
            action: rows,
            choices: accelerators as i64 + 1,
            rewards: 1,
        }
    }

    fn reset(&mut self, seed: u64) -> Result<(), String> {
        let case = rng::stream(seed, "case", "").random_range(0..self.plan.cases.len());
        let case = &self.plan.cases[case];
        let trace = Arc::new(plan::requests::of_run(case, seed));
        let setup =
            Setup { world: Arc::clone(&case.site.world), trace, rules: rules(case, seed), price: 0.0 };
        let episode = Episode::new(setup, self.reward, u64::MAX);
        if episode.is_over() {
            return Err("the run ends before the agent has anything to decide".into());
        }
        self.now = episode.view().now();
        self.episode = Some(episode);
        Ok(())
    }

    fn step(&mut self, action: &[i64], rewards: &mut [f64]) -> Result<bool, String> {
        let episode = self.episode.as_mut().ok_or("reset comes first")?;
        let decide = |view: &View, observation: &Observation, out: &mut Decision| {
            act(view, observation, action.iter().map(|&choice| choice as usize), out);
        };
        let outcome = episode.step_with(decide, &mut ()).map_err(|illegal| illegal.to_string())?;
        rewards[0] += outcome.reward;
        if !outcome.terminated {
            self.now = episode.view().now();
        }
        Ok(outcome.terminated)
    }

    fn now_us(&self) -> f64 {
        self.now.as_us()
    }

    fn observe(&self, observation: &mut [f32], mask: &mut [i8]) {
        observation.fill(0.0);
        mask.fill(0);
        let (rows, wide) = (self.max_sub_jobs, features(self.accelerators));
        let (is_there, can) = mask.split_at_mut(rows);
        let can = can.chunks_exact_mut(self.accelerators + 1);
        let Some(episode) = &self.episode else { return };
        let (own, queue) = observation.split_at_mut(rows * (wide - QUEUE_FEATURES));
        queue.copy_from_slice(episode.observation().queue());
        let own = own.chunks_exact_mut(wide - QUEUE_FEATURES);
        let known = episode.observation().rows().chunks_exact(wide);
        for (((row, of), is_there), _) in known.zip(own).zip(&mut *is_there).zip(0..rows) {
            of.copy_from_slice(&row[..wide - QUEUE_FEATURES]);
            *is_there = 1;
        }
        for ((can, row), is_there) in can.zip(padded(episode.observation().rows(), wide)).zip(is_there) {
            can[self.accelerators] = 1;
            if *is_there == 1 {
                let runs = row.iter().take(self.accelerators);
                can.iter_mut().zip(runs).for_each(|(can, &alone)| *can = i8::from(alone >= 0.0));
            }
        }
    }
}

/// The rows, and after them empty ones.
fn padded(rows: &[f32], wide: usize) -> impl Iterator<Item = &[f32]> {
    rows.chunks_exact(wide).chain(std::iter::repeat(&[][..]))
}
