//! Deep deterministic policy gradient (Lillicrap et al., ICLR 2016) for `relmas`: a critic learns the value of an
//! action at a queue, and the actor follows the critic's gradient. Both learn against target networks, from decisions
//! drawn from a replay buffer; the actions that fill it carry noise.
//!
//! Training goes in iterations: new runs, their decisions, and an update after every step of all of them. Between
//! iterations everything fits in a checkpoint: networks, target networks, the state of Adam, the replay buffer. All
//! random draws of an iteration come from the seed and the number of the iteration, so a resumed training equals one
//! that never stopped.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use tch::{Device, Kind, Tensor, no_grad};

use super::adam::Adam;
use super::buffer::{Buffer, Transition};
use super::lstm::{act, critic_shapes, initial_critic, value};
use super::{Parameters, one_thread};
use crate::experiment::Hyper;
use crate::policy::{Actor, Tensors, WeightsError, relmas, shapes};
use crate::rng::stream;
use crate::train::env::{Env, Episode};

/// The figures of an iteration.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// The number of decisions taken.
    pub decisions: u64,
    /// Mean reward of a run, noise included.
    pub reward: f64,
    /// The number of updates done.
    pub updates: u64,
    /// Mean squared error of the critic; 0 without an update.
    pub critic_loss: f64,
    /// Mean loss of the actor: minus the value that the critic gives to its actions, plus the anchor term. 0 without
    /// an update.
    pub actor_loss: f64,
}

/// A network, its target network, and its optimiser.
#[derive(Debug)]
struct Learner {
    own: Parameters,
    target: Parameters,
    adam: Adam,
}

impl Learner {
    fn new(tensors: &Tensors, rate: f64, max_grad_norm: f64) -> Self {
        let own = Parameters::new(tensors);
        let adam = Adam::new(&own, rate, max_grad_norm);
        Self { own, target: Parameters::new(tensors), adam }
    }

    fn on(self, device: Device) -> Self {
        Self { own: self.own.on(device), target: self.target.on(device), adam: self.adam.on(device) }
    }

    fn store(&self, name: &str, to: &mut Tensors) {
        self.own.store(&format!("{name}."), to);
        self.target.store(&format!("{name}.target."), to);
        self.adam.store(&format!("{name}.adam."), to);
    }

    fn load(
        &mut self,
        from: &Tensors,
        name: &str,
        shapes: &[(&str, Vec<usize>)],
    ) -> Result<(), WeightsError> {
        self.own = Parameters::extract(from, &format!("{name}."), shapes)?;
        self.target = Parameters::extract(from, &format!("{name}.target."), shapes)?;
        self.adam.load(from, &format!("{name}.adam."), shapes)
    }
}

/// A training between two iterations.
#[derive(Debug)]
pub struct Ddpg {
    hyper: Hyper,
    accelerators: usize,
    iterations: u32,
    actor: Learner,
    critic: Learner,
    buffer: Buffer,
}

impl Ddpg {
    /// A training at its start, for systems of so many accelerators. Panics on hyper-parameters that [`Hyper::check`]
    /// refuses.
    pub fn new(hyper: Hyper, accelerators: usize) -> Self {
        hyper.check().expect("checked by whoever read them");
        let mut random = stream(hyper.seed, "ddpg", "weights");
        let actor = relmas::untrained(accelerators, hyper.hidden, &mut random);
        let critic = initial_critic(accelerators, hyper.hidden, &mut random);
        Self {
            actor: Learner::new(&actor, hyper.actor_learning_rate, hyper.max_grad_norm),
            critic: Learner::new(&critic, hyper.critic_learning_rate, hyper.max_grad_norm),
            buffer: Buffer::new(accelerators, hyper.buffer_size, hyper.longest_queue),
            hyper,
            accelerators,
            iterations: 0,
        }
    }

    /// The same with the weights of another actor.
    ///
    /// # Errors
    /// A tensor is missing or of another size.
    pub fn starting_from(self, actor: &Tensors) -> Result<Self, WeightsError> {
        let shapes = shapes(self.accelerators, self.hyper.hidden);
        let actor = Parameters::extract(actor, "", &shapes)?.tensors();
        let actor = Learner::new(&actor, self.hyper.actor_learning_rate, self.hyper.max_grad_norm);
        Ok(Self { actor, ..self })
    }

    /// A training resumed from a checkpoint; hyper-parameters and system must be the same as then.
    ///
    /// # Errors
    /// A tensor is missing, damaged, or of another size.
    pub fn resume(hyper: Hyper, accelerators: usize, checkpoint: &Tensors) -> Result<Self, WeightsError> {
        let hidden = hyper.hidden;
        let mut ddpg = Self::new(hyper, accelerators);
        ddpg.actor.load(checkpoint, "actor", &shapes(accelerators, hidden))?;
        ddpg.critic.load(checkpoint, "critic", &critic_shapes(accelerators, hidden))?;
        ddpg.buffer.load(checkpoint)?;
        ddpg.iterations = checkpoint.values("iterations", &[])?[0] as u32;
        Ok(ddpg)
    }

    /// The same training, whose updates are computed on a device.
    pub(in crate::train) fn on(self, device: Device) -> Self {
        Self { actor: self.actor.on(device), critic: self.critic.on(device), ..self }
    }

    /// Everything that the next iteration depends on, except hyper-parameters and system.
    pub fn checkpoint(&self) -> Tensors {
        let mut tensors = Tensors::default();
        self.actor.store("actor", &mut tensors);
        self.critic.store("critic", &mut tensors);
        self.buffer.store(&mut tensors);
        tensors.insert("iterations", &[], vec![self.iterations as f32]);
        tensors
    }

    /// The actor's weights, as [`Actor`] takes them.
    pub fn policy(&self) -> Tensors {
        self.actor.own.tensors()
    }

    /// The number of iterations done.
    pub fn iterations(&self) -> u32 {
        self.iterations
    }

    /// One iteration: new runs to their ends, with an update after every step.
    pub fn iterate(&mut self, env: &mut Env) -> Progress {
        one_thread();
        let mut random = stream(self.hyper.seed, "ddpg", &self.iterations.to_string());
        let seeds: Vec<u64> = (0..self.hyper.num_envs).map(|_| random.random()).collect();
        env.reset(&seeds);
        let mut progress = Progress::default();
        while !env.episodes().iter().all(Episode::is_over) {
            self.step(env, &mut random, &mut progress);
            if self.buffer.len() >= self.hyper.learning_starts {
                let (critic_loss, actor_loss) = self.update(&mut random);
                progress.updates += 1;
                progress.critic_loss += critic_loss;
                progress.actor_loss += actor_loss;
            }
        }
        self.iterations += 1;
        let updates = progress.updates.max(1) as f64;
        Progress {
            reward: progress.reward / seeds.len() as f64,
            critic_loss: progress.critic_loss / updates,
            actor_loss: progress.actor_loss / updates,
            ..progress
        }
    }

    /// Takes a decision in every run, with noise.
    fn step(&mut self, env: &mut Env, random: &mut ChaCha8Rng, progress: &mut Progress) {
        let mut actor = Actor::new(&self.policy(), self.accelerators).expect("our own tensors");
        let noise =
            self.hyper.exploration_noise * self.hyper.exploration_noise_decay.powi(self.iterations as i32);
        let mut action = |episode: &Episode| {
            let mut action = Vec::new();
            actor.act(episode.observation().rows(), &mut action);
            for said in &mut action {
                let more: f64 = StandardNormal.sample(random);
                *said = (*said + (noise * more) as f32).clamp(-1.0, 1.0);
            }
            action
        };
        let actions: Vec<Vec<f32>> = env.episodes().iter().map(&mut action).collect();
        let open: Vec<usize> = (0..actions.len()).filter(|&place| !env.episodes()[place].is_over()).collect();
        let before: Vec<_> =
            open.iter().map(|&place| self.buffer.see(env.episodes()[place].observation())).collect();
        let outcomes = env.step(&actions).to_vec();
        for (place, before) in open.into_iter().zip(before) {
            let outcome = outcomes[place];
            progress.decisions += 1;
            progress.reward += outcome.reward;
            self.buffer.push(Transition {
                before,
                action: actions[place].clone(),
                reward: outcome.reward as f32,
                after: self.buffer.see(env.episodes()[place].observation()),
                terminated: outcome.terminated,
            });
        }
    }

    /// Updates both networks on a batch and returns the losses of the critic and of the actor.
    fn update(&mut self, random: &mut ChaCha8Rng) -> (f64, f64) {
        let Self { hyper, actor, critic, buffer, .. } = self;
        let batch = buffer.draw(hyper.batch_size, random).on(actor.own.device());
        let (before, after) = (&batch.before, &batch.after);
        let target = no_grad(|| {
            let actions = act(&actor.target, &after.rows);
            let next = value(&critic.target, &after.rows, &after.queue, &actions, &after.lengths);
            &batch.rewards + &batch.goes_on * next * hyper.gamma
        });
        let worth = |critic: &Parameters, actions: &Tensor| {
            value(critic, &before.rows, &before.queue, actions, &before.lengths)
        };
        let critic_loss = (worth(&critic.own, &batch.actions) - target).square().mean(Kind::Float);
        critic.adam.step(&mut critic.own, &critic_loss);
        let actions = act(&actor.own, &before.rows);
        let distance = distance(&actions, &batch.actions, &before.lengths);
        let values = worth(&critic.own, &actions);
        let size = values.abs().mean(Kind::Float).detach();
        let actor_loss = distance * size * hyper.anchor - values.mean(Kind::Float);
        actor.adam.step(&mut actor.own, &actor_loss);
        critic.target.follow(&critic.own, hyper.tau);
        actor.target.follow(&actor.own, hyper.tau);
        (critic_loss.double_value(&[]), actor_loss.double_value(&[]))
    }
}

/// The mean squared distance of actions \[batch, sub-jobs, M + 4\]. Rows behind the queue are padding and do not count.
fn distance(actions: &Tensor, others: &Tensor, lengths: &Tensor) -> Tensor {
    let (_, longest, wide) = actions.size3().expect("batch, sub-jobs, outputs");
    let rows = Tensor::arange(longest, (Kind::Int64, actions.device()));
    let counts = rows.unsqueeze(0).less_tensor(&lengths.unsqueeze(1)).unsqueeze(2).to_kind(Kind::Float);
    let squares = ((actions - others).square() * &counts).sum(Kind::Float);
    squares / (counts.sum(Kind::Float) * wide as f64).clamp_min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Reward;
    use crate::policy::tiny;

    const ACCELERATORS: usize = 2;

    /// Hyper-parameters for a tiny world in which only the next reward counts.
    fn hyper() -> Hyper {
        Hyper {
            hidden: 8,
            gamma: 0.1,
            actor_learning_rate: 3e-3,
            critic_learning_rate: 1e-2,
            batch_size: 16,
            buffer_size: 200,
            learning_starts: 32,
            exploration_noise: 0.5,
            num_envs: 4,
            num_steps: 30,
            ..Hyper::default()
        }
    }

    fn env(hyper: &Hyper) -> Env {
        Env::new(Box::new(|seed| tiny(20 + (seed % 20) as usize)), hyper.reward, hyper.num_steps)
    }

    #[test]
    fn the_loss_falls_and_the_actor_learns_where_deadlines_are_met() {
        let mut ddpg = Ddpg::new(hyper(), ACCELERATORS);
        let mut env = env(&hyper());
        let all: Vec<Progress> = (0..12).map(|_| ddpg.iterate(&mut env)).collect();
        assert!(all.iter().all(|progress| progress.decisions >= 80), "{all:?}");
        let (first, last) = (all[0], all[all.len() - 1]);
        assert!(last.critic_loss < 0.5 * first.critic_loss, "{all:?}");
        assert!(last.reward > 0.9 * 20.0, "{all:?}");
        let mut actor = Actor::new(&ddpg.policy(), ACCELERATORS).expect("our own tensors");
        let (mut episode, mut action) = (Episode::new(tiny(10), Reward::default(), 100), Vec::new());
        while !episode.is_over() {
            actor.act(episode.observation().rows(), &mut action);
            assert!(action[1] > action[2], "{action:?}");
            episode.step(&action, &mut ());
        }
    }

    #[test]
    fn a_resumed_training_ends_as_one_that_never_stopped() {
        let start = || Ddpg::new(hyper(), ACCELERATORS);
        let (mut straight, mut env) = (start(), env(&hyper()));
        let progress: Vec<Progress> = (0..4).map(|_| straight.iterate(&mut env)).collect();
        assert!(progress[1].updates > 0);
        let mut first = start();
        first.iterate(&mut env);
        first.iterate(&mut env);
        let file = first.checkpoint().to_bytes().expect("finite");
        let read = Tensors::from_bytes(&file).expect("just written");
        let mut resumed = Ddpg::resume(hyper(), ACCELERATORS, &read).expect("complete");
        assert_eq!([resumed.iterate(&mut env), resumed.iterate(&mut env)], [progress[2], progress[3]]);
        assert_eq!(resumed.checkpoint(), straight.checkpoint());
        let other = Ddpg::resume(Hyper { hidden: 9, ..hyper() }, ACCELERATORS, &read).unwrap_err();
        assert!(other.to_string().contains("expected [36, 16]"), "{other}");
    }
}
