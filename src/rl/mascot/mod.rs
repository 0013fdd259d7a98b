//! `mascot`: the walk of `gated` (`scheduler/gate.rs`) with its terms judged by two small nets.
//!
//! - The *job net* sees a job and the queue (`features.rs`) and says what the request is: given up, earlier or later in
//!   the order than its deadline says, how much of the capacity it may count on, how far it may stretch others, and how
//!   much stretch it bears.
//! - The *pair net* sees a sub-job on an accelerator and adds to the finish of its request there, in units of the
//!   smallest c1: reasons to avoid an accelerator that finish times do not tell.
//!
//! With output weights of zero it takes every decision as `gated` does, which is where training starts. One policy serves
//! all queue lengths, accelerator counts, mixes, loads, deadlines, bandwidths and periods: the nets are shared by jobs and
//! pairs, and features are relative to the platform. Sizes: 559 weights; 417 multiply-accumulates a job and 116 a
//! pair that could start before the next decision.

mod features;
#[cfg(test)]
mod tests;

use super::dense::exp;
use super::net::{LANES, Lanes, Net, Shape};
use super::weights::{Tensors, WeightsError};
use crate::rng;
use crate::scheduler::gate::{Gate, Judge};
use crate::scheduler::gated::{AHEAD, ALPHA, MARGIN};
use crate::scheduler::placing::Placing;
use crate::scheduler::segment::{Choice, request_finishes};
use crate::sim::{Decision, Record, Scheduler, SubJobView, View};
use crate::units::Time;
use features::{JOB_FEATURES, Observation, PAIR_FEATURES};
use rand::RngExt;

const JOB: Shape = Shape { inputs: JOB_FEATURES, hidden: 12, outputs: 5 };
const PAIR: Shape = Shape { inputs: PAIR_FEATURES, hidden: 8, outputs: 1 };

/// The version of the features and of the nets: weights for another mean something else.
pub const FEATURES: &str = "mascot-1";

/// How many weights the policy has.
pub const WEIGHTS: usize = JOB.weights() + PAIR.weights();

/// The name of the only tensor in its file.
const TENSOR: &str = "weights";

/// The weights as they are kept in a file. Panics if there are not [`WEIGHTS`].
pub fn tensors(weights: Vec<f32>) -> Tensors {
    let mut tensors = Tensors::default();
    tensors.insert(TENSOR, &[WEIGHTS], weights);
    tensors
}

/// The weights of a file.
///
/// # Errors
/// It holds others.
pub fn weights(tensors: &Tensors) -> Result<&[f32], WeightsError> {
    tensors.values(TENSOR, &[WEIGHTS])
}

/// Judgements are factors between 1/e^2 and e^2. Chosen here: beyond them a term has no effect any more.
const LARGEST: f32 = 2.0;

/// Weights with which the policy is `gated`: hidden layers random, by the seed, and outputs zero.
pub fn untrained(seed: u64) -> Vec<f32> {
    let mut rng = rng::stream(seed, "policy", "mascot");
    let mut weights = Vec::with_capacity(WEIGHTS);
    for shape in [JOB, PAIR] {
        let scale = (3.0 / shape.inputs as f32).sqrt();
        weights.extend((0..shape.hidden_weights()).map(|_| rng.random_range(-scale..scale)));
        weights.resize(weights.len() + shape.weights() - shape.hidden_weights(), 0.0);
    }
    weights
}

/// The policy at work.
pub struct Mascot {
    gate: Gate,
    judge: Learned,
}

impl Mascot {
    /// Panics if there are not [`WEIGHTS`] weights.
    pub fn new(weights: &[f32]) -> Self {
        let (job, pair) = weights.split_at(JOB.weights());
        let judge = Learned {
            job_net: Net::new(JOB, job),
            pair_net: Net::new(PAIR, pair),
            observation: Observation::default(),
            verdicts: Vec::new(),
            choices: Vec::new(),
            macs: 0,
        };
        Self { gate: Gate::default(), judge }
    }
}

impl Scheduler for Mascot {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        self.judge.judge(view, out);
        self.gate.decide(view, &mut self.judge, AHEAD, out);
        out.operations.macs += std::mem::take(&mut self.judge.macs);
    }

    fn observe(&mut self, record: &Record) {
        self.judge.observation.observe(record);
    }
}

struct Learned {
    job_net: Net,
    pair_net: Net,
    observation: Observation,
    /// By the index in the view.
    verdicts: Vec<Verdict>,
    /// Where the sub-job in question can run.
    choices: Vec<Choice>,
    /// Since the decision began.
    macs: u64,
}

/// What the job net says of a job; factors.
struct Verdict {
    /// On the time that a request needs, before it is given up; at least 1.
    need: f64,
    /// On the time to its deadline, in the order.
    slack: f64,
    alpha: f64,
    margin: f64,
    patience: f64,
}

impl Learned {
    fn judge(&mut self, view: &View, out: &mut Decision) {
        let Self { job_net, observation, verdicts, macs, .. } = self;
        out.operations.comparisons += observation.take(view);
        verdicts.clear();
        let mut x = observation.queue();
        let mut y = [[0.0; LANES]; JOB.outputs];
        let mut jobs = 0..view.jobs().len();
        while !jobs.is_empty() {
            let of_pass = jobs.by_ref().take(LANES).enumerate();
            let lanes = of_pass.map(|(lane, job)| put(&mut x, lane, observation.job(view, job))).count();
            job_net.forward(&x, &mut y);
            verdicts.extend((0..lanes).map(|lane| Verdict::of(y.map(|row| row[lane]))));
            *macs += lanes as u64 * JOB.macs();
        }
    }
}

impl Verdict {
    /// From the outputs of the job net; zeros are what `gated` says.
    fn of(outputs: [f32; JOB.outputs]) -> Self {
        let [need, slack, alpha, margin, patience] =
            outputs.map(|y| f64::from(exp(y.clamp(-LARGEST, LARGEST))));
        Self { need: need.max(1.0), slack, alpha: alpha * ALPHA, margin: margin * MARGIN, patience }
    }
}

/// Puts the features of an item into its lane.
fn put(x: &mut [Lanes], lane: usize, features: impl IntoIterator<Item = f32>) {
    x.iter_mut().zip(features).for_each(|(row, feature)| row[lane] = feature);
}

impl Judge for Learned {
    fn is_hopeless(&self, view: &View, job: usize) -> bool {
        let shown = &view.jobs()[job];
        let need = shown.shortest_left.scale(self.verdicts[job].need);
        view.now().saturating_add(need) > shown.deadline
    }

    fn deadline(&self, view: &View, job: usize) -> Time {
        let left = view.jobs()[job].deadline.saturating_sub(view.now());
        view.now().saturating_add(left.scale(self.verdicts[job].slack))
    }

    fn alpha(&self, job: usize) -> f64 {
        self.verdicts[job].alpha
    }

    fn margin(&self, job: usize) -> f64 {
        self.verdicts[job].margin
    }

    fn patience(&self, job: usize) -> f64 {
        self.verdicts[job].patience
    }

    fn choose(&mut self, placing: &Placing, view: &View, sub: &SubJobView, demands: &[f64]) -> (Choice, u64) {
        let Self { pair_net, observation, choices, macs, .. } = self;
        let mut visited = 0;
        choices.clear();
        choices.extend(request_finishes(placing, view, sub).map(|(choice, layers)| {
            visited += layers;
            choice
        }));
        let earliest = *choices.iter().min().expect("some accelerator runs every layer");
        // What starts after the next decision is decided again.
        let may_start = |m| view.next_decision().is_none_or(|tick| placing.start(view, sub, m) < tick);
        if !choices.iter().any(|choice| may_start(choice.accelerator)) {
            return (earliest, visited);
        }
        let unit_ps = view.network_of(view.job_of(sub)).best_alone[sub.id.layer as usize].as_ps();
        let pairs = observation.pairs(view, sub, earliest.finish, demands);
        let mut y = [[0.0; LANES]];
        let mut best = (f64::INFINITY, earliest);
        for choices in choices.chunks(LANES) {
            let x = pairs.rows(view, sub, choices, |m| placing.start(view, sub, m));
            pair_net.forward(&x, &mut y);
            *macs += choices.len() as u64 * PAIR.macs();
            for (&choice, y) in choices.iter().zip(y[0]) {
                let cost = (choice.finish - view.now()).as_ps() + f64::from(y) * unit_ps;
                if cost < best.0 {
                    best = (cost, choice);
                }
            }
        }
        (best.1, visited)
    }
}
