//! Environments, many at a time. Observations, masks, rewards and flags are written into arrays of the caller, so that
//! nothing is allocated or copied in a step.

use std::sync::Mutex;

use mascot::rng;
use numpy::{PyReadonlyArray2, PyReadwriteArray1, PyReadwriteArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use rand::RngExt;
use rayon::prelude::*;

use crate::errors::{config, detached, guarded, run};
use crate::layers::Layers;
use crate::plan::Plan;
use crate::serving::{Options, Role, Serving};

/// One environment.
pub(crate) trait Env: Send {
    /// The sizes of what it writes and reads.
    fn shape(&self) -> Shape;

    /// Starts a new episode.
    fn reset(&mut self, seed: u64) -> Result<(), String>;

    /// Takes an action, adds rewards, and says whether the run is over. Not called after that until the next reset.
    fn step(&mut self, action: &[i64], rewards: &mut [f64]) -> Result<bool, String>;

    /// Writes the present observation and mask over what is there.
    fn observe(&self, observation: &mut [f32], mask: &mut [i8]);

    /// The simulated time in microseconds.
    fn now_us(&self) -> f64;
}

/// The sizes of what an environment writes and reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Numbers of an observation.
    pub(crate) observation: usize,
    /// Numbers of a mask.
    pub(crate) mask: usize,
    /// Numbers of an action.
    pub(crate) action: usize,
    /// Each number of an action is below this.
    pub(crate) choices: i64,
    /// Rewards: one, or one for each agent.
    pub(crate) rewards: usize,
}

/// An environment with its episodes.
struct Slot {
    env: Box<dyn Env>,
    seed: u64,
    /// The number of the next episode under the seed.
    episode: u64,
    /// The seed of the present run, which an experiment can have as its first seed.
    run_seed: u64,
    steps: u64,
    over: bool,
}

impl Slot {
    fn reset(&mut self) -> Result<(), String> {
        let draw: u64 = rng::stream(self.seed, "episode", &self.episode.to_string()).random();
        // The largest seed of an experiment is 2^53.
        self.run_seed = draw >> 11;
        self.episode += 1;
        (self.steps, self.over) = (0, false);
        self.env.reset(self.run_seed)
    }
}

/// The arrays of one environment.
struct Arrays<'a> {
    action: &'a [i64],
    observation: &'a mut [f32],
    mask: &'a mut [i8],
    rewards: &'a mut [f64],
    now_us: &'a mut f64,
    terminated: &'a mut bool,
    truncated: &'a mut bool,
}

/// A panic has interrupted a step.
const POISONED: &str = "these environments have failed before: make new ones";

/// Environments that are stepped together.
#[pyclass(module = "mascot._mascot")]
pub(crate) struct Envs {
    /// Never contended: whoever steps them has them alone.
    slots: Mutex<Vec<Slot>>,
    number: usize,
    shape: Shape,
    max_steps: u64,
    pool: Option<rayon::ThreadPool>,
}

impl Envs {
    fn new(
        number: usize,
        max_steps: Option<u64>,
        threads: usize,
        make: impl Fn() -> PyResult<Box<dyn Env>>,
    ) -> PyResult<Self> {
        if number == 0 || max_steps == Some(0) || threads == 0 {
            return Err(config("num_envs, max_steps and threads: expected at least 1"));
        }
        let slot = || Ok(Slot { env: make()?, seed: 0, episode: 0, run_seed: 0, steps: 0, over: true });
        let slots = (0..number).map(|_| slot()).collect::<PyResult<Vec<_>>>()?;
        let pool = (threads > 1).then(|| rayon::ThreadPoolBuilder::new().num_threads(threads).build());
        let pool = pool.transpose().map_err(|error| config(format!("threads: {error}")))?;
        let shape = slots[0].env.shape();
        Ok(Self { shape, slots: Mutex::new(slots), number, max_steps: max_steps.unwrap_or(u64::MAX), pool })
    }
}

#[pymethods]
impl Envs {
    /// Environments of the layer level.
    #[staticmethod]
    fn layers(
        plan: &Plan,
        num_envs: usize,
        max_steps: Option<u64>,
        threads: usize,
        max_sub_jobs: usize,
        rewards: [f64; 4],
    ) -> PyResult<Self> {
        let make = || Ok(Box::new(Layers::new(plan, max_sub_jobs, rewards)?) as Box<dyn Env>);
        guarded(|| Self::new(num_envs, max_steps, threads, make))
    }

    /// Environments of the level of requests. The times are those of waiting, windows and patience; the reward is its name
    /// and the price of a second.
    #[staticmethod]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn serving(
        plan: &Plan,
        role: &str,
        num_envs: usize,
        max_steps: Option<u64>,
        threads: usize,
        dispatchers: Option<Vec<String>>,
        times_us: (f64, f64, Option<f64>),
        oldest: usize,
        reward: (&str, f64),
    ) -> PyResult<Self> {
        let role = Role::named(role)?;
        let options = Options::new(times_us, oldest, reward)?;
        let make = || {
            let env = Serving::new(plan, role, dispatchers.as_deref(), options)?;
            Ok(Box::new(env) as Box<dyn Env>)
        };
        guarded(|| Self::new(num_envs, max_steps, threads, make))
    }

    /// The sizes of an environment's observation, mask, action and rewards, and the number of choices.
    #[getter]
    fn shape(&self) -> (usize, usize, usize, usize, i64) {
        let Shape { observation, mask, action, choices, rewards } = self.shape;
        (observation, mask, action, rewards, choices)
    }

    /// Starts a new episode in place `place`, under a seed if one is given; else it is the next one under the last.
    fn reset(
        &mut self,
        py: Python<'_>,
        place: usize,
        seed: Option<u64>,
        mut observation: PyReadwriteArray2<'_, f32>,
        mut mask: PyReadwriteArray2<'_, i8>,
        mut now_us: PyReadwriteArray1<'_, f64>,
    ) -> PyResult<()> {
        let Shape { observation: wide, mask: masked, .. } = self.shape;
        expect("observations", observation.shape(), &[self.number, wide])?;
        expect("masks", mask.shape(), &[self.number, masked])?;
        expect("now_us", now_us.shape(), &[self.number])?;
        let slots = self.slots.get_mut().map_err(|_| run(POISONED))?;
        let number = slots.len();
        let slot =
            slots.get_mut(place).ok_or_else(|| config(format!("no environment {place} of {number}")))?;
        if let Some(seed) = seed {
            (slot.seed, slot.episode) = (seed, 0);
        }
        let observation = &mut observation.as_slice_mut()?[place * wide..][..wide];
        let mask = &mut mask.as_slice_mut()?[place * masked..][..masked];
        let now_us = &mut now_us.as_slice_mut()?[place];
        detached(py, || {
            slot.reset().map_err(run)?;
            slot.env.observe(observation, mask);
            *now_us = slot.env.now_us();
            Ok(())
        })
    }

    /// The seed of the present run in place `place`.
    fn run_seed(&mut self, place: usize) -> PyResult<u64> {
        let slots = self.slots.get_mut().map_err(|_| run(POISONED))?;
        slots.get(place).map(|slot| slot.run_seed).ok_or_else(|| config(format!("no environment {place}")))
    }

    /// Steps all environments. One whose episode was over starts the next in place of its step, without a reward.
    #[expect(clippy::too_many_arguments, reason = "each is an array that is written")]
    fn step(
        &mut self,
        py: Python<'_>,
        actions: PyReadonlyArray2<'_, i64>,
        mut observations: PyReadwriteArray2<'_, f32>,
        mut masks: PyReadwriteArray2<'_, i8>,
        mut rewards: PyReadwriteArray2<'_, f64>,
        mut now_us: PyReadwriteArray1<'_, f64>,
        mut terminated: PyReadwriteArray1<'_, bool>,
        mut truncated: PyReadwriteArray1<'_, bool>,
    ) -> PyResult<()> {
        let shape = self.shape;
        let number = self.number;
        expect("actions", actions.shape(), &[number, shape.action])?;
        expect("observations", observations.shape(), &[number, shape.observation])?;
        expect("masks", masks.shape(), &[number, shape.mask])?;
        expect("rewards", rewards.shape(), &[number, shape.rewards])?;
        for (name, array) in [("terminated", &terminated), ("truncated", &truncated)] {
            expect(name, array.shape(), &[number])?;
        }
        expect("now_us", now_us.shape(), &[number])?;
        let actions = actions.as_slice()?;
        if let Some(wrong) = actions.iter().find(|choice| !(0..shape.choices).contains(choice)) {
            return Err(config(format!("action {wrong}: expected a number from 0 to {}", shape.choices - 1)));
        }
        let arrays =
            actions
                .chunks_exact(shape.action)
                .zip(observations.as_slice_mut()?.chunks_exact_mut(shape.observation))
                .zip(masks.as_slice_mut()?.chunks_exact_mut(shape.mask))
                .zip(rewards.as_slice_mut()?.chunks_exact_mut(shape.rewards))
                .zip(now_us.as_slice_mut()?)
                .zip(terminated.as_slice_mut()?)
                .zip(truncated.as_slice_mut()?)
                .map(|((((((action, observation), mask), rewards), now_us), terminated), truncated)| {
                    Arrays { action, observation, mask, rewards, now_us, terminated, truncated }
                });
        let slots = self.slots.get_mut().map_err(|_| run(POISONED))?;
        let mut steps: Vec<(&mut Slot, Arrays)> = slots.iter_mut().zip(arrays).collect();
        let (max_steps, pool) = (self.max_steps, &self.pool);
        let step = |(slot, arrays): &mut (&mut Slot, Arrays)| step(slot, arrays, max_steps);
        detached(py, || {
            match pool {
                None => steps.iter_mut().try_for_each(step),
                Some(pool) => pool.install(|| steps.par_iter_mut().try_for_each(step)),
            }
            .map_err(run)
        })
    }
}

/// Checks the shape of an array.
fn expect(name: &str, shape: &[usize], expected: &[usize]) -> PyResult<()> {
    match shape == expected {
        true => Ok(()),
        false => Err(config(format!("{name}: expected the shape {expected:?}, got {shape:?}"))),
    }
}

fn step(slot: &mut Slot, arrays: &mut Arrays, max_steps: u64) -> Result<(), String> {
    arrays.rewards.fill(0.0);
    (*arrays.terminated, *arrays.truncated) = (false, false);
    if slot.over {
        slot.reset()?;
    } else {
        *arrays.terminated = slot.env.step(arrays.action, arrays.rewards)?;
        slot.steps += 1;
        *arrays.truncated = !*arrays.terminated && slot.steps >= max_steps;
        slot.over = *arrays.terminated || *arrays.truncated;
    }
    slot.env.observe(arrays.observation, arrays.mask);
    *arrays.now_us = slot.env.now_us();
    Ok(())
}
