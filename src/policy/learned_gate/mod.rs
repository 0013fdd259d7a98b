//! `learned_gate`: the walk of `gated` (`scheduler/gate.rs`) with its terms scaled by a small net.
//!
//! The net sees a job and the queue (`features.rs`) and outputs four judgements of the request: whether to give it up,
//! how much of the capacity it may count on, how far it may slow others, and how much slowdown it bears. Order and
//! placement stay those of the rule; `policies/README.md` reports the value of nets that judged these as well.
//!
//! With output weights of zero it decides exactly as `gated`, which is where training starts. One policy serves all
//! queue lengths, accelerator counts, mixes, loads, deadlines, bandwidths and periods: the net is shared by jobs, and
//! features are relative to the platform. The net has 400 weights and takes 384 multiply-accumulates per job.

mod features;
mod parts;
#[cfg(test)]
mod tests;

use super::dense::exp;
use super::explore::{Exploration, Explorer};
use super::net::{LANES, Lanes, Net};
use super::weights::{Tensors, WeightsError};
use crate::rng;
use crate::scheduler::{AHEAD, ALPHA, Gate, Judge, MARGIN};
use crate::sim::{Decision, JobView, Record, Scheduler, View};
use features::{JOB_FEATURES, Observation};
pub use parts::PARTS;
use parts::{Without, take_away};
use rand::RngExt;

const JUDGEMENTS: usize = 4;
const UNITS: usize = 12;
type JobNet = Net<JOB_FEATURES, UNITS, JUDGEMENTS>;

/// The inputs, hidden units and outputs of the net.
pub(crate) const NET: [usize; 3] = [JOB_FEATURES, UNITS, JUDGEMENTS];

/// The version of the features and of the net: weights for another version are refused.
pub const FEATURES: &str = "learned_gate-2";

/// The number of weights of the policy.
pub const WEIGHTS: usize = JobNet::WEIGHTS;

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
/// The file does not hold the weights of this policy.
pub fn weights(tensors: &Tensors) -> Result<&[f32], WeightsError> {
    tensors.values(TENSOR, &[WEIGHTS])
}

/// Limits judgements to factors between 1/e^2 and e^2. Our choice, because a term has no more effect beyond them.
const LARGEST: f32 = 2.0;

/// Weights with which the policy is `gated`: a hidden layer drawn from the seed, and outputs of zero.
pub fn untrained(seed: u64) -> Vec<f32> {
    // The stream has the policy's name before 0.2: another name would draw other weights.
    let mut rng = rng::stream(seed, "policy", "mascot");
    let scale = (3.0 / JOB_FEATURES as f32).sqrt();
    let mut weights: Vec<f32> =
        (0..JobNet::HIDDEN_WEIGHTS).map(|_| rng.random_range(-scale..scale)).collect();
    weights.resize(WEIGHTS, 0.0);
    weights
}

/// The policy as a scheduler.
pub struct LearnedGate {
    gate: Gate,
    judge: Learned,
}

impl LearnedGate {
    /// The policy with these weights. Panics if there are not [`WEIGHTS`] of them.
    pub fn new(weights: &[f32]) -> Self {
        Self::without(&[], weights)
    }

    /// The policy as it explores in training. Panics if there are not [`WEIGHTS`] of them.
    pub fn exploring(weights: &[f32], exploration: Exploration) -> Self {
        let mut policy = Self::new(weights);
        policy.judge.exploration = Some(exploration);
        policy
    }

    /// The policy without some of its [`PARTS`]. Panics on an unknown name.
    pub fn without(parts: &[String], weights: &[f32]) -> Self {
        let mut weights = weights.to_vec();
        let without = take_away(parts, &mut weights);
        let judge = Learned {
            without,
            net: Net::new(&weights),
            observation: Observation::default(),
            verdicts: Vec::new(),
            exploration: None,
        };
        Self { gate: Gate::default(), judge }
    }
}

impl Explorer for LearnedGate {
    fn exploration(self: Box<Self>) -> Exploration {
        self.judge.exploration.expect("it was made to explore")
    }
}

impl Scheduler for LearnedGate {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        self.judge.judge(view, out);
        self.gate.decide(view, &self.judge, AHEAD, out);
    }

    fn observe(&mut self, record: &Record) {
        self.judge.observation.observe(record);
    }
}

struct Learned {
    without: Without,
    net: JobNet,
    observation: Observation,
    /// The verdicts by the index of the job in the view.
    verdicts: Vec<Verdict>,
    exploration: Option<Exploration>,
}

/// The judgements of a job by the net, as factors.
struct Verdict {
    /// The factor on the time that a request needs, in the decision to give it up; at least 1.
    need: f64,
    alpha: f64,
    margin: f64,
    patience: f64,
}

impl Learned {
    fn judge(&mut self, view: &View, out: &mut Decision) {
        let Self { net, observation, verdicts, exploration, .. } = self;
        out.operations.comparisons += observation.take(view);
        if let Some(exploration) = exploration {
            exploration.begin(view);
        }
        verdicts.clear();
        let mut x = observation.queue();
        let mut jobs = 0..view.jobs().len();
        while !jobs.is_empty() {
            let of_pass = jobs.by_ref().take(LANES).enumerate();
            let lanes = of_pass.map(|(lane, job)| put(&mut x, lane, observation.job(view, job))).count();
            let y = net.forward(&x);
            for lane in 0..lanes {
                let mut said = y.map(|row| row[lane]);
                if let Some(exploration) = exploration {
                    let job = &view.jobs()[verdicts.len()];
                    explore(exploration, view, job, x.map(|row| row[lane]), &mut said);
                }
                verdicts.push(Verdict::of(said));
            }
            out.operations.macs += lanes as u64 * JobNet::MACS;
        }
    }
}

/// Shifts what the net says of a job, and samples what it saw. Outputs are cut first: beyond the limits they have no
/// effect, and noise would not bring them back.
fn explore(
    exploration: &mut Exploration,
    view: &View,
    job: &JobView,
    seen: [f32; JOB_FEATURES],
    said: &mut [f32; JUDGEMENTS],
) {
    let spell = exploration.spell(view, job);
    for (output, said) in said.iter_mut().enumerate() {
        *said = said.clamp(-LARGEST, LARGEST) + exploration.shift(spell, output);
    }
    if let Some(sample) = exploration.sample() {
        sample.spells.push(spell);
        sample.rows.extend(seen);
    }
}

impl Verdict {
    /// The verdict from the outputs of the net; zeros give the verdict of `gated`.
    fn of(outputs: [f32; JUDGEMENTS]) -> Self {
        let [need, alpha, margin, patience] = outputs.map(|y| f64::from(exp(y.clamp(-LARGEST, LARGEST))));
        Self { need: need.max(1.0), alpha: alpha * ALPHA, margin: margin * MARGIN, patience }
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

    fn alpha(&self, job: usize) -> f64 {
        self.verdicts[job].alpha
    }

    fn margin(&self, job: usize) -> f64 {
        self.verdicts[job].margin
    }

    fn patience(&self, job: usize) -> f64 {
        if self.without.hold { f64::INFINITY } else { self.verdicts[job].patience }
    }
}

/// What the net with these weights says of a job.
#[cfg(all(test, feature = "train"))]
pub(crate) fn said(weights: &[f32], features: &[f32]) -> [f32; JUDGEMENTS] {
    let mut x = [[0.0; LANES]; JOB_FEATURES];
    put(&mut x, 0, features.iter().copied());
    JobNet::new(weights).forward(&x).map(|row| row[0])
}
