//! Policy gradient with noise held per request and leave-one-out baselines (REINFORCE leave-one-out: Kool, van Hoof and
//! Welling, 2019; noise that is held: Rückstieß et al., 2010; antithetic pairs as in evolution strategies).
//!
//! In a play, what the net says for a request, y, becomes the action a = y + sigma eps, with eps drawn once per request.
//! With A the advantage of the request (`credit.rs`), the gradient of the expected return is the mean of A eps / sigma
//! times the mean gradient of y over the decisions on the request. A step:
//!
//! 1. draws traces, and plays each of them `plays` times, in antithetic pairs;
//! 2. computes the advantage of every request in every play;
//! 3. weighs a trace by 1 / (its misses + `headroom`), so that cells where nearly all is met count, too;
//! 4. descends the loss -sum of A eps / sigma y, over the decisions that were kept of each request, and pulls outputs back
//!    that are beyond the range in which they have an effect. There noise says nothing of them, so they would stay for
//!    ever, and the first steps, which move every output alike, push most of them there (rl_games has such a loss, too:
//!    `bounds_loss_coef`).
//!
//! Noise, learning rate and the number of traces change geometrically from first to last: noise that stays large learns
//! the policy that is best with noise. The weights that are validated are a moving average.

#[cfg(test)]
mod tests;

use rand::RngExt;
use rayon::prelude::*;
use tch::{Device, Kind, Tensor, no_grad};

use super::adam::Adam;
use super::means::{Batch, Net, net};
use super::weighed::{Weighed, flat, weigh};
use super::{Parameters, device, one_thread};
use crate::experiment::Rloo;
use crate::policy::{PolicyEntry, Range, Sample, Tensors, Trained, WeightsError};
use crate::rng::stream;
use crate::train::collect::{Exploring, Play, Traces, collect, scale_of, training_traces};
use crate::train::credit::{Worth, advantages};
use crate::train::env::Setup;
use crate::train::learner::{Learner, LogRow, Start};
use crate::train::traces::accelerators;
use crate::train::validation::{Validation, mean};

pub(in crate::train) const START: Option<Start> = Some(|plan, training, from| {
    let (rloo, accelerators) = (training.rloo_parameters(), accelerators(plan));
    let objective = training.objective();
    let traces = training_traces(plan, objective.prices(), rloo.seed);
    let policy = training.policy();
    let untrained = || (training.trained().untrained)(rloo.seed, accelerators);
    let weights = from.initial.cloned().unwrap_or_else(untrained);
    let weights = (training.trained().without)(&training.without(), &weights)?;
    let learner = Ascending::new(policy, accelerators, &weights, rloo, training.headroom, traces)
        .worth(objective.sla)
        .without(training.without());
    Ok(Box::new(learner.at(from.state)?.on(device(training.device()))))
});

/// The share of the moving average that a step replaces. Our choice, because it averages over some twenty steps.
const REPLACED: f64 = 0.05;
/// Decisions of a batch, of which a gradient is computed. Our choice, because what a batch needs stays in the cache.
const TOGETHER: usize = 128;

struct Ascending<'a> {
    kind: &'static Trained,
    accelerators: usize,
    rloo: Rloo,
    headroom: f64,
    /// What a deadline met is worth.
    sla: f64,
    /// The parts that the policy is without.
    without: Vec<String>,
    traces: Box<Traces<'a>>,
    net: Net,
    steps: u64,
    plays: u64,
    own: Parameters,
    average: Parameters,
    adam: Adam,
}

impl<'a> Ascending<'a> {
    /// A learner at its start, from these weights.
    fn new(
        policy: &'static PolicyEntry,
        accelerators: usize,
        weights: &Tensors,
        rloo: Rloo,
        headroom: f64,
        traces: Box<Traces<'a>>,
    ) -> Self {
        let own = Parameters::new(weights);
        Self {
            kind: policy.trained().expect("it is trained"),
            accelerators,
            adam: Adam::new(&own, rloo.learning_rate, rloo.max_grad_norm),
            rloo,
            headroom,
            sla: 1.0,
            without: Vec::new(),
            traces,
            net: net(policy.name),
            steps: 0,
            plays: 0,
            average: Parameters::new(weights),
            own,
        }
    }

    /// The learner, for which a deadline met is worth so much.
    fn worth(self, sla: f64) -> Self {
        Self { sla, ..self }
    }

    /// The learner of a policy without some of its parts.
    fn without(self, without: Vec<String>) -> Self {
        Self { without, ..self }
    }

    /// The learner in a stored state, if there is one.
    fn at(mut self, state: Option<&Tensors>) -> Result<Self, WeightsError> {
        let Some(state) = state else { return Ok(self) };
        let shapes = self.own.tensors().shapes();
        let shapes: Vec<(&str, Vec<usize>)> =
            shapes.iter().map(|(name, shape)| (name.as_str(), shape.clone())).collect();
        self.own = Parameters::extract(state, "own.", &shapes)?;
        self.average = Parameters::extract(state, "average.", &shapes)?;
        self.adam.load(state, "adam.", &shapes)?;
        self.steps = state.values("steps", &[])?[0] as u64;
        let plays = state.values("plays", &[2])?;
        self.plays = plays[0] as u64 * BLOCK + plays[1] as u64;
        Ok(self)
    }

    /// The learner, which computes its gradients on a device.
    fn on(self, device: Device) -> Self {
        let [own, average] = [self.own, self.average].map(|of| of.on(device));
        Self { own, average, adam: self.adam.on(device), ..self }
    }

    /// A value that goes geometrically from first to last over the training.
    fn schedule(&self, first: f64, last: f64) -> f64 {
        let done = self.steps as f64 / (self.rloo.steps.max(2) - 1) as f64;
        first * (last / first).powf(done.min(1.0))
    }
}

/// The number of plays is stored as two numbers, because one of 32 bits is exact up to 2^24 only.
const BLOCK: u64 = 1 << 20;

impl Learner for Ascending<'_> {
    fn done(&self) -> u64 {
        self.steps
    }

    fn step(&mut self, _: &Validation) -> LogRow {
        self.ascend()
    }

    fn weights(&self) -> Tensors {
        self.average.tensors()
    }

    fn state(&self) -> Tensors {
        let mut state = Tensors::default();
        self.own.store("own.", &mut state);
        self.average.store("average.", &mut state);
        self.adam.store("adam.", &mut state);
        state.insert("steps", &[], vec![self.steps as f32]);
        state.insert("plays", &[2], vec![(self.plays / BLOCK) as f32, (self.plays % BLOCK) as f32]);
        state
    }
}

impl Ascending<'_> {
    /// A step of the training.
    fn ascend(&mut self) -> LogRow {
        one_thread();
        let Rloo { seed, samples, spells, plays, horizon, .. } = self.rloo;
        let sigma = self.schedule(self.rloo.sigma, self.rloo.final_sigma);
        let traces = self.schedule(self.rloo.traces as f64, self.rloo.final_traces as f64).round() as usize;
        let warm = ((self.steps + 1) as f64 / self.rloo.warm_up as f64).min(1.0);
        self.adam.rate = warm * self.schedule(self.rloo.learning_rate, self.rloo.final_learning_rate);
        let setups = (self.traces)(self.steps, traces);
        let noise = stream(seed, "rloo", &self.steps.to_string()).random();
        let exploring = Exploring {
            seed: noise,
            sigma: sigma as f32,
            scales: &self.rloo.output_noise,
            plays,
            spells: spells as u32,
            samples,
            without: &self.without,
        };
        let groups = collect(self.kind, &self.own.tensors(), &setups, exploring);
        let outputs = (self.kind.ranges)(self.accelerators).len();
        let count = (groups.len() * plays) as f64;
        let of_group = |(group, setup): (&Vec<Play>, &Setup)| -> Vec<(Vec<f64>, f64)> {
            let worth = Worth { sla: self.sla, price: setup.price };
            let fates: Vec<_> = group.iter().map(|play| &play.fates[..]).collect();
            let rate = mean(&group.iter().map(Play::rate).collect::<Vec<_>>());
            let requests = fates.iter().map(|fates| fates.len()).max().unwrap_or(1).max(1);
            let weight = 1.0 / (1.0 - rate + self.headroom) / (count * requests as f64);
            advantages(&fates, worth, spells as u32, horizon)
                .into_iter()
                .map(|advantages| (advantages, weight))
                .collect()
        };
        let credits: Vec<Vec<(Vec<f64>, f64)>> = groups.par_iter().zip(&setups).map(of_group).collect();
        let played: Vec<_> = groups.iter().flatten().zip(credits.iter().flatten()).collect();
        let weighed: Vec<Weighed> = played
            .par_iter()
            .flat_map_iter(|(play, (advantages, weight))| {
                weigh(play, advantages, *weight, outputs, sigma as f32)
            })
            .collect();
        let (gradient_norm, saturation) = self.descend(&mut weighed.iter().collect::<Vec<_>>());
        self.steps += 1;
        self.plays += count as u64;
        LogRow {
            step: self.steps,
            plays: self.plays,
            decisions: played.iter().map(|(play, _)| play.decisions).sum(),
            mean_rate: Some(mean(&played.iter().map(|(play, _)| play.rate()).collect::<Vec<_>>())),
            sigma: Some(sigma),
            learning_rate: Some(self.adam.rate),
            gradient_norm: Some(gradient_norm),
            saturation: Some(saturation),
            ..LogRow::default()
        }
    }

    /// A step of the optimiser along the gradient of the expected return; returns its norm, and the share of outputs beyond their
    /// ranges.
    fn descend(&mut self, weighed: &mut [&Weighed]) -> (f64, f64) {
        let (gradient, saturation) = Goal::of(self).gradient(&self.own.tensors(), weighed);
        let norm = self.adam.step_along(&mut self.own, &gradient);
        if !self.without.is_empty() {
            let left = (self.kind.without)(&self.without, &self.own.tensors());
            let left = Parameters::new(&left.expect("the learner's own weights"));
            self.own = left.on(self.own.device());
        }
        self.average.follow(&self.own, REPLACED);
        (norm, saturation)
    }
}

/// The loss of a net, and its gradient.
struct Goal {
    net: Net,
    /// The features of an item.
    features: usize,
    /// What outputs without noise say must not change, so neither does the layer that they share with others.
    learns_hidden: bool,
    device: Device,
    limits: Limits,
}

impl Goal {
    fn of(learner: &Ascending) -> Self {
        let Ascending { kind, accelerators, net, rloo, own, .. } = learner;
        let ranges = (kind.ranges)(*accelerators);
        let explores = |output: usize| scale_of(&rloo.output_noise, output) > 0.0;
        let pulled = (0..ranges.len()).map(|output| if explores(output) { rloo.bound_loss } else { 0.0 });
        Self {
            net: *net,
            features: (kind.features_of)(*accelerators),
            learns_hidden: rloo.output_noise.iter().all(|scale| scale.0 > 0.0),
            device: own.device(),
            limits: Limits { pull: pulled.map(|pull| pull as f32).collect(), ranges },
        }
    }

    /// The gradient of the loss at these weights, a tensor per parameter, and the share of outputs beyond their ranges.
    ///
    /// It is the sum of those of batches, which all threads share. Queues of a batch have about the same length, because
    /// the net computes them at the length of the longest.
    fn gradient(&self, weights: &Tensors, weighed: &mut [&Weighed]) -> (Vec<Tensor>, f64) {
        weighed.sort_by_key(|weighed| weighed.sample.spells.len());
        let items: usize = weighed.iter().map(|weighed| weighed.sample.spells.len()).sum();
        let of_batch = |weighed: &[&Weighed]| {
            one_thread();
            let own = Parameters::new(weights).on(self.device);
            let samples: Vec<&Sample> = weighed.iter().map(|weighed| weighed.sample).collect();
            let batch = Batch::new(&samples, self.features, self.device);
            let said = (self.net)(&own, &batch, self.learns_hidden);
            let outside = self.limits.outside(&said);
            let loss = self.limits.loss(&said, &outside, weighed, items);
            // libtorch wants every tensor in the computation, those that are held, too.
            let loss = own.leaves().iter().fold(loss, |loss, leaf| loss + leaf.sum(Kind::Float) * 0.0);
            let beyond = outside.count_nonzero(None);
            (Tensor::run_backward(&[loss], own.leaves(), false, false), beyond.int64_value(&[]))
        };
        let parts: Vec<(Vec<Tensor>, i64)> = weighed.par_chunks(TOGETHER).map(of_batch).collect();
        let zeros = Parameters::new(weights).on(self.device);
        let zeros: Vec<Tensor> = zeros.leaves().iter().map(Tensor::zeros_like).collect();
        let beyond: i64 = parts.iter().map(|(_, beyond)| beyond).sum();
        let add = |sums: Vec<Tensor>, (part, _): (Vec<Tensor>, i64)| {
            sums.iter().zip(&part).map(|(a, b)| a + b).collect()
        };
        (parts.into_iter().fold(zeros, add), beyond as f64 / (items * self.limits.ranges.len()).max(1) as f64)
    }
}

/// The ranges of the outputs, and how strongly each is pulled back into its own.
struct Limits {
    ranges: Vec<Range>,
    pull: Vec<f32>,
}

impl Limits {
    /// How far outputs are beyond their ranges.
    fn outside(&self, said: &Tensor) -> Tensor {
        let end = |end: usize| self.ranges.iter().map(|range| range[end]).collect::<Vec<_>>();
        let [least, largest] = [0, 1].map(|of| Tensor::from_slice(&end(of)).to_device(said.device()));
        said - said.clamp_tensor(Some(least), Some(largest))
    }

    /// The loss of a batch that is so far outside, one of several with so many items in all: its gradient is minus that of the
    /// expected return, but for the pull.
    fn loss(&self, said: &Tensor, outside: &Tensor, weighed: &[&Weighed], items: usize) -> Tensor {
        let pushes = flat(weighed, |weighed| &weighed.pushes).reshape(said.size()).to_device(said.device());
        // An output beyond its range is cut before the noise is added, so nothing that it says there has an effect. Pushes
        // inwards are not kept either: half of what is noise alone would be a drift.
        let kept = pushes.masked_fill(&no_grad(|| outside.not_equal(0.0)), 0.0);
        let pull = Tensor::from_slice(&self.pull).to_device(said.device());
        (outside.square() * pull).sum(Kind::Float) / items as f64 - (said * kept).sum(Kind::Float)
    }
}
