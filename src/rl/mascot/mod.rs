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
mod parts;
#[cfg(test)]
mod tests;

use super::dense::exp;
use super::net::{LANES, Lanes, Net};
use super::weights::{Tensors, WeightsError};
use crate::rng;
use crate::scheduler::gate::{Gate, Judge};
use crate::scheduler::gated::{AHEAD, ALPHA, MARGIN};
use crate::scheduler::placing::Placing;
use crate::scheduler::segment::{Choice, request_finishes};
use crate::sim::{Decision, Record, Scheduler, SubJobView, View};
use crate::units::Time;
use features::{JOB_FEATURES, Observation, PAIR_FEATURES};
pub use parts::PARTS;
use parts::{Without, take_away};
use rand::RngExt;

const JUDGEMENTS: usize = 5;
type JobNet = Net<JOB_FEATURES, 12, JUDGEMENTS>;
type PairNet = Net<PAIR_FEATURES, 8, 1>;

/// The version of the features and of the nets: weights for another mean something else.
pub const FEATURES: &str = "mascot-1";

/// How many weights the policy has.
pub const WEIGHTS: usize = JobNet::WEIGHTS + PairNet::WEIGHTS;

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
    let nets = [
        (JOB_FEATURES, JobNet::HIDDEN_WEIGHTS, JobNet::WEIGHTS),
        (PAIR_FEATURES, PairNet::HIDDEN_WEIGHTS, PairNet::WEIGHTS),
    ];
    for (inputs, hidden, all) in nets {
        let scale = (3.0 / inputs as f32).sqrt();
        weights.extend((0..hidden).map(|_| rng.random_range(-scale..scale)));
        weights.resize(weights.len() + all - hidden, 0.0);
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
        Self::without(&[], weights)
    }

    /// The policy without some of its [`PARTS`]. Panics on a name that is none of theirs.
    pub fn without(parts: &[String], weights: &[f32]) -> Self {
        let mut weights = weights.to_vec();
        let without = take_away(parts, &mut weights);
        let (job, pair) = weights.split_at(JobNet::WEIGHTS);
        let judge = Learned {
            without,
            job_net: Net::new(job),
            pair_net: Net::new(pair),
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
    without: Without,
    job_net: JobNet,
    pair_net: PairNet,
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
        let mut jobs = 0..view.jobs().len();
        while !jobs.is_empty() {
            let of_pass = jobs.by_ref().take(LANES).enumerate();
            let lanes = of_pass.map(|(lane, job)| put(&mut x, lane, observation.job(view, job))).count();
            let y = job_net.forward(&x);
            verdicts.extend((0..lanes).map(|lane| Verdict::of(y.map(|row| row[lane]))));
            *macs += lanes as u64 * JobNet::MACS;
        }
    }
}

impl Verdict {
    /// From the outputs of the job net; zeros are what `gated` says.
    fn of(outputs: [f32; JUDGEMENTS]) -> Self {
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
        !self.without.drop && view.now().saturating_add(need) > shown.deadline
    }

    fn demotes(&self) -> bool {
        !self.without.demotion
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
        if self.without.hold { f64::INFINITY } else { self.verdicts[job].patience }
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
        let mut best = (f64::INFINITY, earliest);
        for choices in choices.chunks(LANES) {
            let [y] = pair_net.forward(pairs.of(view, sub, choices, |m| placing.start(view, sub, m)));
            *macs += choices.len() as u64 * PairNet::MACS;
            for (&choice, y) in choices.iter().zip(y) {
                let cost = (choice.finish - view.now()).as_ps() + f64::from(y) * unit_ps;
                if cost < best.0 {
                    best = (cost, choice);
                }
            }
        }
        (best.1, visited)
    }
}
