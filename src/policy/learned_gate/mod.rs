//! `learned_gate`: the walk of `gated` (`scheduler/gate.rs`), with order, accelerator, dropping and the weight of others left to a net.
//!
//! The net sees a job and the queue (`features.rs`) and outputs eight judgements of the request, y from -2 to 2, the last three from
//! -4 to 4:
//!
//! | output | what it decides |
//! |---|---|
//! | need | the request is dropped if its critical path left, times e^y but at least 1, is longer than the time to its deadline |
//! | alpha | the share of the capacity that it may count on before it is demoted, as a factor e^y |
//! | margin | how far its layers may slow others, as a factor e^y |
//! | patience | how much slowdown it bears, as a factor e^y |
//! | order | the walk goes by the time to the deadline / e^y, the least first |
//! | bytes, speed, load | a sub-job goes to the accelerator with the least f (d / d_min)^(1.5 y) (c1 / c1_min)^(2 y) k^y: f is the time until the request would be done there less its best-case work after the sub-job, d the DRAM bytes, k the slowdown of the memory with this layer, at least 1 |
//!
//! The score of a pair (request, accelerator) is thus the product of two vectors: what the net says of the request, and how
//! the accelerator compares with the best for this layer. So one policy serves all accelerators, and all queue lengths,
//! mixes, loads, deadlines, bandwidths and periods: the net is shared by jobs, and features are relative to the platform.
//! With output weights of zero it decides exactly as `gated`, where a training starts that is given no other policy.

pub mod cuts;
mod features;
mod layers;
mod parts;
#[cfg(test)]
mod tests;
pub mod thrift;

use std::array;
use std::ops::Range;

use super::dense::{ACTIVATION_MACS, exp, ln};
use super::explore::{Exploration, Explorer};
use super::net::{LANES, Lanes, Net};
use super::registry;
use super::weights::{Tensors, WeightsError};
use crate::scheduler::{AHEAD, ALPHA, Choice, Gate, Judge, Load, MARGIN, Placing, least_cost};
use crate::sim::{Decision, JobView, Record, Scheduler, SubJobView, View};
use crate::units::Time;
use cuts::Cuts;
use features::{JOB_FEATURES, OWN_FEATURES, Observation, all_but_scarcity};
use layers::Ratios;
pub use parts::PARTS;
pub(super) use parts::tensors_without;
use parts::{Without, take_away};
use thrift::Thrift;

/// The judgements of a job: those that the net says, and those of which only second nets say something.
const JUDGEMENTS: usize = OUTPUTS + 3;
/// What energy counts (`thrift.rs`).
const OF_ENERGY: Range<usize> = OUTPUTS..OUTPUTS + 1;
/// Whether a layer goes on of which a part runs, and where (`cuts.rs`).
const OF_CUTS: Range<usize> = OF_ENERGY.end..JUDGEMENTS;
const OUTPUTS: usize = 8;
const UNITS: usize = 16;
type JobNet = Net<JOB_FEATURES, UNITS, OUTPUTS>;

/// The inputs, hidden units and outputs of the net.
pub(crate) const NET: [usize; 3] = [JOB_FEATURES, UNITS, OUTPUTS];

/// The version of the features and of the net: weights for another version are refused, but for [`FEATURES_2`] and [`FEATURES_3`].
pub const FEATURES: &str = "learned_gate-4";

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

/// What an output of 1 changes in the exponents of bytes, speed and energy. Our choice, because noise in training must change
/// some decisions and not all of them.
const BYTES: f32 = 1.5;
const SPEED: f32 = 2.0;
const ENERGY: f32 = 2.0;

/// How far the judgements have an effect on either side of 0. Our choice: most limit factors to between 1/e^2 and e^2, beyond which
/// a term has no more effect; what bytes, speed and load count may be more where the DRAM is short.
const LARGEST: [f32; JUDGEMENTS] = [2.0, 2.0, 2.0, 2.0, 2.0, 4.0, 4.0, 4.0, 2.0, 2.0, 2.0];

/// The ranges of the first judgements.
const fn ranges<const N: usize>() -> [registry::Range; N] {
    let mut ranges = [[0.0; 2]; N];
    let mut judgement = 0;
    while judgement < N {
        ranges[judgement] = [-LARGEST[judgement], LARGEST[judgement]];
        judgement += 1;
    }
    ranges
}

/// The ranges in which judgements have an effect. A need below 0 has none: what cannot meet its deadline is dropped anyway.
pub(super) const RANGES: [registry::Range; OUTPUTS] = {
    let mut ranges = ranges();
    ranges[0][0] = 0.0;
    ranges
};

/// An earlier version: 21 features, 12 units and the first 4 judgements.
pub const FEATURES_2: &str = "learned_gate-2";

/// An earlier version: all but the scarcity.
pub const FEATURES_3: &str = "learned_gate-3";

/// The weights of a policy of [`FEATURES_2`] as weights of this version, with which it decides alike.
///
/// # Errors
/// The file does not hold weights of that version.
pub fn of_version_2(tensors: &Tensors) -> Result<Tensors, WeightsError> {
    let before = tensors.values(TENSOR, &[Net::<21, 12, 4>::WEIGHTS])?;
    // The last five of a job's own features were new after that.
    let inputs = array::from_fn(|i| if i < OWN_FEATURES - 5 { i } else { i + 5 });
    Ok(self::tensors(JobNet::grown::<21, 12, 4>(before, inputs, untrained(1))))
}

/// The weights of a policy of [`FEATURES_3`] as weights of this version, with which it decides alike.
///
/// # Errors
/// The file does not hold weights of that version.
pub fn of_version_3(tensors: &Tensors) -> Result<Tensors, WeightsError> {
    let before = tensors.values(TENSOR, &[Net::<26, UNITS, OUTPUTS>::WEIGHTS])?;
    let weights = JobNet::grown::<26, UNITS, OUTPUTS>(before, all_but_scarcity(), untrained(1));
    Ok(self::tensors(weights))
}

/// Weights with which the policy is `gated`: a hidden layer drawn from the seed, and outputs of zero.
pub fn untrained(seed: u64) -> Vec<f32> {
    // The stream has the policy's name before 0.2: another name would draw other weights.
    JobNet::silent(seed, "mascot")
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

    /// The policy as it explores in training.
    pub fn exploring(mut self, exploration: Exploration) -> Self {
        self.judge.exploration = Some(exploration);
        self
    }

    /// The policy without some of its [`PARTS`]. Panics on an unknown name.
    pub fn without(parts: &[String], weights: &[f32]) -> Self {
        let mut weights = weights.to_vec();
        let without = take_away(parts, &mut weights);
        let judge = Learned {
            without,
            net: Net::new(&weights),
            thrift: None,
            cuts: None,
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
    /// What energy costs, if it costs anything.
    thrift: Option<Thrift>,
    /// What says where layers are cut, if anything does.
    cuts: Option<Cuts>,
    observation: Observation,
    /// The verdicts by the index of the job in the view.
    verdicts: Vec<Verdict>,
    exploration: Option<Exploration>,
}

/// The judgements of a job by the net: factors, and for the choice of the accelerator exponents.
#[derive(Debug, PartialEq)]
struct Verdict {
    /// At least 1.
    need: f64,
    alpha: f64,
    margin: f64,
    patience: f64,
    /// The factor on the time to the deadline.
    order: f64,
    bytes: f32,
    speed: f32,
    load: f32,
    energy: f32,
    /// The exponent by which a sub-job is more urgent that goes on with a layer of which a part runs.
    goes_on: f32,
    /// The exponent of what counts on other accelerators than the one where its layer runs.
    stays: f32,
}

impl Learned {
    fn judge(&mut self, view: &View, out: &mut Decision) {
        let Self { net, thrift, cuts, observation, verdicts, exploration, without } = self;
        out.operations.comparisons += observation.take(view);
        if let Some(exploration) = exploration {
            exploration.begin(view);
        }
        verdicts.clear();
        // In training the second net sees every decision, because samples have one shape.
        let cuts = cuts.as_ref().filter(|_| exploration.is_some() || observation.layers().in_parts());
        let mut x = observation.queue();
        let mut jobs = 0..view.jobs().len();
        while !jobs.is_empty() {
            let of_pass = jobs.by_ref().take(LANES).enumerate();
            let lanes = of_pass.map(|(lane, job)| put(&mut x, lane, observation.job(view, job))).count();
            let mut y = [[0.0; LANES]; JUDGEMENTS];
            y[..OUTPUTS].copy_from_slice(&net.forward(&x));
            let shifted = thrift.as_ref().map(|of| of.shift(view, observation, verdicts.len(), &x, &mut y));
            let cut = cuts.map(|of| of.say(view, observation, verdicts.len(), &x));
            if let Some((said, _)) = &cut {
                y[OF_CUTS].copy_from_slice(said);
            }
            for lane in 0..lanes {
                let mut said = [0.0; JUDGEMENTS];
                for (said, row) in said.iter_mut().zip(&y) {
                    *said = row[lane];
                }
                if let Some(exploration) = exploration {
                    let job = &view.jobs()[verdicts.len()];
                    let (seen, ranges, of_second) = match (&shifted, &cut) {
                        (Some(x), _) => (&x[..], &thrift::RANGES[..], OF_ENERGY),
                        (_, Some((_, x))) => (&x[..], &cuts::RANGES[..], OF_CUTS),
                        _ => (&x[..], &RANGES[..], OUTPUTS..OUTPUTS),
                    };
                    let seen = seen.iter().map(|row| row[lane]);
                    let (before, of_second) = said[..of_second.end].split_at_mut(of_second.start);
                    let said = before[..OUTPUTS].iter_mut().chain(of_second);
                    explore(exploration, view, job, seen, said.zip(ranges), without);
                }
                verdicts.push(Verdict::of(said));
            }
            let macs =
                JobNet::MACS + thrift.as_ref().map_or(0, |_| Thrift::MACS) + cuts.map_or(0, |_| Cuts::MACS);
            out.operations.macs += lanes as u64 * macs;
        }
        // The score of a pair takes a logarithm and an exponential.
        let pairs = view.sub_jobs().len() * view.accelerators().len();
        out.operations.macs += 2 * ACTIVATION_MACS * pairs as u64;
    }
}

/// Shifts what the net says of a job, and samples what it saw. Outputs are cut first: beyond their ranges they have no
/// effect, and noise would not bring them back. Judgements that are taken away stay as they are.
fn explore<'a>(
    exploration: &mut Exploration,
    view: &View,
    job: &JobView,
    seen: impl Iterator<Item = f32>,
    said: impl Iterator<Item = (&'a mut f32, &'a registry::Range)>,
    without: &Without,
) {
    let spell = exploration.spell(view, job);
    for (output, (said, &[least, largest])) in said.enumerate() {
        if !without.judgements.get(output).is_some_and(|&is_taken| is_taken) {
            *said = said.clamp(least, largest) + exploration.shift(spell, output);
        }
    }
    if let Some(sample) = exploration.sample() {
        sample.spells.push(spell);
        sample.rows.extend(seen);
    }
}

impl Verdict {
    /// The verdict from the outputs of the net; zeros give the verdict of `gated`.
    #[inline]
    fn of(mut outputs: [f32; JUDGEMENTS]) -> Self {
        outputs.iter_mut().zip(LARGEST).for_each(|(y, largest)| *y = y.clamp(-largest, largest));
        let factor = |y: f32| f64::from(exp(y));
        let [need, alpha, margin, patience, order, bytes, speed, load, energy, goes_on, stays] = outputs;
        Self {
            need: factor(need).max(1.0),
            alpha: factor(alpha) * ALPHA,
            margin: factor(margin) * MARGIN,
            patience: factor(patience),
            order: factor(-order),
            bytes: BYTES * bytes,
            speed: SPEED * speed,
            load,
            energy: ENERGY * energy,
            goes_on,
            stays,
        }
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

    fn due(&self, view: &View, sub: &SubJobView) -> Time {
        let left = view.job_of(sub).deadline.saturating_sub(view.now());
        let Verdict { order, goes_on, .. } = self.verdicts[sub.job];
        let goes_on = if goes_on != 0.0 && cuts::goes_on(view, sub) { f64::from(exp(-goes_on)) } else { 1.0 };
        view.now() + left.scale(order * goes_on)
    }

    fn choose(&self, view: &View, placing: &Placing, load: &Load, sub: &SubJobView) -> (Choice, u64) {
        let verdict = &self.verdicts[sub.job];
        let network = view.job_of(sub).network;
        let ratios = self.observation.layers().ratios(network, sub.id.layer);
        let costs = view.network_of(view.job_of(sub)).costs.row(sub.id.layer as usize);
        let runs_on = if verdict.stays == 0.0 { None } else { cuts::runs_on(view, sub) };
        least_cost(placing, view, sub, |accelerator| {
            let demand = costs[accelerator].as_ref().map_or(0.0, |cost| cost.demand_bytes_per_ps);
            let slowdown = load.slowdown_with(accelerator, demand);
            let slowdown = if slowdown > 1.0 { ln(slowdown as f32) } else { 0.0 };
            let Ratios { bytes, speed, energy } = ratios[accelerator];
            let counts = verdict.bytes * bytes + verdict.speed * speed + verdict.load * slowdown;
            let stays = if runs_on.is_some_and(|at| at != accelerator) { verdict.stays } else { 0.0 };
            f64::from(exp(counts + verdict.energy * energy + stays))
        })
    }

    fn patience(&self, job: usize) -> f64 {
        if self.without.hold { f64::INFINITY } else { self.verdicts[job].patience }
    }
}

/// What the net with these weights says of a job.
#[cfg(all(test, feature = "train"))]
pub(crate) fn said(weights: &[f32], features: &[f32]) -> [f32; OUTPUTS] {
    let mut x = [[0.0; LANES]; JOB_FEATURES];
    put(&mut x, 0, features.iter().copied());
    JobNet::new(weights).forward(&x).map(|row| row[0])
}
