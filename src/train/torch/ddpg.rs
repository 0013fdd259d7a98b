//! Deep deterministic policy gradient (Lillicrap et al., ICLR 2016) for `relmas`: a critic learns the value of an
//! action at a queue, and the actor follows the critic's gradient. Both learn against target networks, from decisions
//! drawn from a replay buffer; the actions that fill it carry noise.
//!
//! Training goes in iterations: new runs, their decisions, and an update after every step of all of them. Between
//! iterations everything fits in a checkpoint: networks, target networks, the state of Adam, the replay buffer. All
//! random draws of an iteration come from the seed and the number of the iteration, so a resumed training equals one
//! that never stopped.
//!
//! What differs from the algorithm as published is off by default: a discount by time (`horizon`), noise that is held for the
//! life of a request (`held_noise`), twin critics and delayed updates (`critics`, `policy_delay`), and the term that keeps the
//! actor near the buffer (`anchor`).

use std::collections::BTreeMap;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use tch::{Device, Kind, Tensor, no_grad};

use super::adam::Adam;
use super::buffer::{Batch, Buffer, Queues, Transition};
use super::lstm::{act, critic_shapes, initial_critic, value};
use super::{Parameters, one_thread};
use crate::experiment::Hyper;
use crate::policy::{Actor, Tensors, WeightsError, outputs, relmas, shapes};
use crate::rng::stream;
use crate::train::env::{Env, Episode};
use crate::units::Time;

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
    /// Updates of the critics since the last one of the actor.
    waited: u64,
    actor: Learner,
    /// One critic or twins.
    critics: Vec<Learner>,
    buffer: Buffer,
}

/// The noise of held exploration: for each request of each run a number per output.
type Held = BTreeMap<(usize, u32), Vec<f32>>;

/// What an iteration keeps from step to step.
struct Rollout {
    random: ChaCha8Rng,
    held: Held,
    progress: Progress,
}

impl Ddpg {
    /// A training at its start, for systems of so many accelerators. Panics on hyper-parameters that [`Hyper::check`]
    /// refuses.
    pub fn new(hyper: Hyper, accelerators: usize) -> Self {
        hyper.check().expect("checked by whoever read them");
        let mut random = stream(hyper.seed, "ddpg", "weights");
        let actor = relmas::untrained(accelerators, hyper.hidden, &mut random);
        let critics = (0..hyper.critics).map(|_| {
            let critic = initial_critic(accelerators, hyper.hidden, &mut random);
            Learner::new(&critic, hyper.critic_learning_rate, hyper.max_grad_norm)
        });
        Self {
            actor: Learner::new(&actor, hyper.actor_learning_rate, hyper.max_grad_norm),
            critics: critics.collect(),
            buffer: Buffer::new(accelerators, hyper.buffer_size, hyper.longest_queue),
            hyper,
            accelerators,
            iterations: 0,
            waited: 0,
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
        for (critic, name) in ddpg.critics.iter_mut().zip(CRITICS) {
            critic.load(checkpoint, name, &critic_shapes(accelerators, hidden))?;
        }
        ddpg.buffer.load(checkpoint)?;
        ddpg.iterations = checkpoint.values("iterations", &[])?[0] as u32;
        ddpg.waited = checkpoint.values("waited", &[])?[0] as u64;
        Ok(ddpg)
    }

    /// The same training, whose updates are computed on a device.
    pub(in crate::train) fn on(self, device: Device) -> Self {
        let critics = self.critics.into_iter().map(|critic| critic.on(device)).collect();
        Self { actor: self.actor.on(device), critics, ..self }
    }

    /// Everything that the next iteration depends on, except hyper-parameters and system.
    pub fn checkpoint(&self) -> Tensors {
        let mut tensors = Tensors::default();
        self.actor.store("actor", &mut tensors);
        self.critics.iter().zip(CRITICS).for_each(|(critic, name)| critic.store(name, &mut tensors));
        self.buffer.store(&mut tensors);
        tensors.insert("iterations", &[], vec![self.iterations as f32]);
        tensors.insert("waited", &[], vec![self.waited as f32]);
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
        let mut rollout = Rollout { random, held: Held::new(), progress: Progress::default() };
        while !env.episodes().iter().all(Episode::is_over) {
            self.step(env, &mut rollout);
            if self.buffer.len() >= self.hyper.learning_starts {
                let (critic_loss, actor_loss) = self.update(&mut rollout.random);
                rollout.progress.updates += 1;
                rollout.progress.critic_loss += critic_loss;
                rollout.progress.actor_loss += actor_loss;
            }
        }
        self.iterations += 1;
        let progress = rollout.progress;
        let updates = progress.updates.max(1);
        Progress {
            reward: progress.reward / seeds.len() as f64,
            critic_loss: progress.critic_loss / updates as f64,
            actor_loss: progress.actor_loss / updates.div_ceil(self.hyper.policy_delay) as f64,
            ..progress
        }
    }

    /// The action of a run, with noise.
    fn act(&self, actor: &mut Actor, (place, episode): (usize, &Episode), rollout: &mut Rollout) -> Vec<f32> {
        let Rollout { random, held, .. } = rollout;
        let noise =
            self.hyper.exploration_noise * self.hyper.exploration_noise_decay.powi(self.iterations as i32);
        let draw = |random: &mut ChaCha8Rng| -> f32 {
            let more: f64 = StandardNormal.sample(random);
            (noise * more) as f32
        };
        let mut action = Vec::new();
        actor.act(episode.observation().rows(), &mut action);
        if !self.hyper.held_noise {
            action.iter_mut().for_each(|said| *said = (*said + draw(random)).clamp(-1.0, 1.0));
            return action;
        }
        let wide = outputs(self.accelerators);
        for (row, sub) in action.chunks_exact_mut(wide).zip(episode.observation().sub_jobs()) {
            let view = episode.view();
            let request = view.job_of(&view.sub_jobs()[sub]).request;
            let draws = || (0..wide).map(|_| draw(random)).collect();
            let noise = held.entry((place, request.0)).or_insert_with(draws);
            row.iter_mut().zip(noise).for_each(|(said, noise)| *said = (*said + *noise).clamp(-1.0, 1.0));
        }
        action
    }

    /// What a reward is worth after a step that took so long; the run has gone on.
    fn discount(&self, episode: &Episode, took: Time) -> f64 {
        match self.hyper.horizon {
            0.0 => self.hyper.gamma,
            horizon => (-took.as_ps() / (horizon * episode.mean_term().as_ps())).exp(),
        }
    }

    /// Takes a decision in every run, with noise.
    fn step(&mut self, env: &mut Env, rollout: &mut Rollout) {
        let mut actor = Actor::new(&self.policy(), self.accelerators).expect("our own tensors");
        let episodes = env.episodes().iter().enumerate();
        let actions: Vec<Vec<f32>> = episodes.map(|episode| self.act(&mut actor, episode, rollout)).collect();
        let open: Vec<usize> = (0..actions.len()).filter(|&place| !env.episodes()[place].is_over()).collect();
        let seen = |episode: &Episode| (self.buffer.see(episode.observation()), episode.view().now());
        let before: Vec<_> = open.iter().map(|&place| seen(&env.episodes()[place])).collect();
        let outcomes = env.step(&actions).to_vec();
        for (place, (before, then)) in open.into_iter().zip(before) {
            let (outcome, episode) = (outcomes[place], &env.episodes()[place]);
            rollout.progress.decisions += 1;
            rollout.progress.reward += outcome.reward;
            let discount = match outcome.terminated {
                true => 0.0,
                false => self.discount(episode, episode.view().now() - then),
            };
            self.buffer.push(Transition {
                before,
                action: actions[place].clone(),
                reward: episode.discounted(outcome, discount) as f32,
                after: self.buffer.see(episode.observation()),
                discount: discount as f32,
            });
        }
    }

    /// Updates the networks on a batch and returns the losses of the first critic and of the actor, which is 0 where its
    /// update is not due.
    fn update(&mut self, random: &mut ChaCha8Rng) -> (f64, f64) {
        let batch = self.buffer.draw(self.hyper.batch_size, random).on(self.actor.own.device());
        let target = no_grad(|| self.target(&batch));
        let losses = self.critics.iter_mut().map(|critic| {
            let error = worth(&critic.own, &batch.before, &batch.actions) - &target;
            let loss = error.square().mean(Kind::Float);
            critic.adam.step(&mut critic.own, &loss);
            loss.double_value(&[])
        });
        let critic_loss = losses.collect::<Vec<f64>>()[0];
        self.waited = (self.waited + 1) % self.hyper.policy_delay;
        (critic_loss, if self.waited == 0 { self.improve(&batch) } else { 0.0 })
    }

    /// What the critics should say: the reward, and the discounted value of what the target networks would do next, by the
    /// critic that thinks less of it.
    fn target(&self, batch: &Batch) -> Tensor {
        let actions = act(&self.actor.target, &batch.after.rows);
        let values = self.critics.iter().map(|critic| worth(&critic.target, &batch.after, &actions));
        let next = values.reduce(|a, b| a.minimum(&b)).expect("there is a critic");
        &batch.rewards + &batch.discounts * next
    }

    /// Updates the actor along the gradient of the first critic, and all target networks; returns the loss of the actor.
    fn improve(&mut self, batch: &Batch) -> f64 {
        let Self { hyper, actor, critics, .. } = self;
        let actions = act(&actor.own, &batch.before.rows);
        let distance = distance(&actions, &batch.actions, &batch.before.lengths);
        let values = worth(&critics[0].own, &batch.before, &actions);
        let size = values.abs().mean(Kind::Float).detach();
        let loss = distance * size * hyper.anchor - values.mean(Kind::Float);
        actor.adam.step(&mut actor.own, &loss);
        for network in critics.iter_mut().chain([actor]) {
            network.target.follow(&network.own, hyper.tau);
        }
        loss.double_value(&[])
    }
}

/// The names of the critics in a checkpoint.
const CRITICS: [&str; 2] = ["critic", "twin"];

/// What a critic says of actions at queues.
fn worth(critic: &Parameters, queues: &Queues, actions: &Tensor) -> Tensor {
    value(critic, &queues.rows, &queues.queue, actions, &queues.lengths)
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
    fn noise_is_held_for_the_life_of_a_request_or_new() {
        for held_noise in [false, true] {
            let ddpg = Ddpg::new(Hyper { held_noise, ..hyper() }, ACCELERATORS);
            let mut env = env(&hyper());
            env.reset(&[1, 2]);
            let mut actor = Actor::new(&ddpg.policy(), ACCELERATORS).expect("our own tensors");
            let mut rollout = Rollout {
                random: stream(1, "test", "noise"),
                held: Held::new(),
                progress: Progress::default(),
            };
            let mut act = |place: usize| ddpg.act(&mut actor, (place, &env.episodes()[place]), &mut rollout);
            let (first, other, again) = (act(0), act(1), act(0));
            assert_eq!(first == again, held_noise);
            assert_ne!(first, other, "another run has noise of its own");
        }
    }

    #[test]
    fn a_horizon_discounts_by_time() {
        let episode = Episode::new(tiny(10), Reward::default(), 100);
        let by_time = Ddpg::new(Hyper { horizon: 2.0, ..hyper() }, ACCELERATORS);
        let twice = Time(2 * episode.mean_term().0);
        assert!((by_time.discount(&episode, twice) - (-1f64).exp()).abs() < 1e-12);
        assert!((by_time.discount(&episode, Time(0)) - 1.0).abs() < 1e-12);
        let by_decision = Ddpg::new(hyper(), ACCELERATORS);
        assert_eq!(by_decision.discount(&episode, twice), 0.1);
    }

    /// Of two critics the one that thinks less of what comes next counts, and the actor waits for its turn.
    #[test]
    fn twins_are_cautious_and_the_actor_is_delayed() {
        let twins = Hyper { critics: 2, policy_delay: 3, learning_starts: 40, ..hyper() };
        let mut ddpg = Ddpg::new(twins, ACCELERATORS);
        let mut env = env(&twins);
        env.reset(&[1, 2, 3, 4]);
        let mut rollout =
            Rollout { random: stream(1, "test", "twins"), held: Held::new(), progress: Progress::default() };
        (0..10).for_each(|_| ddpg.step(&mut env, &mut rollout));
        let batch = ddpg.buffer.draw(16, &mut rollout.random);
        let both = ddpg.target(&batch);
        let first = ddpg.critics.remove(1);
        let alone = ddpg.target(&batch);
        let second = ddpg.critics.remove(0);
        ddpg.critics = vec![first];
        let other = ddpg.target(&batch);
        assert!((&both - alone.minimum(&other)).abs().max().double_value(&[]) < 1e-6);
        assert!((alone - other).abs().max().double_value(&[]) > 1e-6, "they began alike");
        ddpg.critics.push(second);
        let losses: Vec<f64> = (0..6).map(|_| ddpg.update(&mut rollout.random).1).collect();
        assert_eq!(
            losses.iter().map(|loss| *loss != 0.0).collect::<Vec<_>>(),
            [false, false, true, false, false, true]
        );
    }

    #[test]
    fn a_resumed_training_ends_as_one_that_never_stopped() {
        resumes(hyper());
        resumes(Hyper { critics: 2, policy_delay: 3, held_noise: true, horizon: 2.0, ..hyper() });
    }

    fn resumes(hyper: Hyper) {
        let start = || Ddpg::new(hyper, ACCELERATORS);
        let (mut straight, mut env) = (start(), env(&hyper));
        let progress: Vec<Progress> = (0..4).map(|_| straight.iterate(&mut env)).collect();
        assert!(progress[1].updates > 0);
        let mut first = start();
        first.iterate(&mut env);
        first.iterate(&mut env);
        let file = first.checkpoint().to_bytes().expect("finite");
        let read = Tensors::from_bytes(&file).expect("just written");
        let mut resumed = Ddpg::resume(hyper, ACCELERATORS, &read).expect("complete");
        assert_eq!([resumed.iterate(&mut env), resumed.iterate(&mut env)], [progress[2], progress[3]]);
        assert_eq!(resumed.checkpoint(), straight.checkpoint());
        let other = Ddpg::resume(Hyper { hidden: 9, ..hyper }, ACCELERATORS, &read).unwrap_err();
        assert!(other.to_string().contains("expected [36, 16]"), "{other}");
    }
}
