//! `split_gate`: a `learned_gate` for layers in parts (`max_sub_job_us`), which also chooses where a layer is cut.
//!
//! While a part of a layer runs, and when it ends, a second net says of the part after it, each from -2 to 2:
//!
//! | output | what it decides |
//! |---|---|
//! | goes on | the part comes as if the time to its deadline were shorter, / e^y; if y is small, another layer comes in between |
//! | stays | other accelerators than the one where its layer runs count as if f were longer there, times e^y |
//!
//! The net sees what the first one sees and three features more. Where all layers are whole it is left out: then the policy
//! is a `learned_gate` with the weights of the first net, at its cost.
//!
//! | feature | |
//! |---|---|
//! | goes on | 1 if the first open sub-job goes on with a layer of which a part runs, or has just ended |
//! | parts | ln(parts of its layer that are left, itself included) / 2 |
//! | time | the best-case time of those parts / s |

use super::features::{JOB_FEATURES, Observation, all_but_scarcity, all_cut, ln, slack_ps};
use super::{LearnedGate, OUTPUTS};
use crate::policy::net::{LANES, Lanes, Net};
use crate::policy::registry::Range;
use crate::policy::weights::{Tensors, WeightsError};
use crate::sim::{AcceleratorView, SubJobId, SubJobView, View};

const CUT_FEATURES: usize = 3;
const INPUTS: usize = JOB_FEATURES + CUT_FEATURES;
/// Our choice, because the first net's hidden layer hardly matters, and decisions are charged.
const UNITS: usize = 4;
const SAID: usize = 2;
type CutNet = Net<INPUTS, UNITS, SAID>;

/// The inputs, hidden units and outputs of the second net.
pub(crate) const NET: [usize; 3] = [INPUTS, UNITS, SAID];

/// The ranges of the outputs of the first net, and of this one.
pub(in crate::policy) const RANGES: [Range; OUTPUTS + SAID] = {
    let mut ranges = super::ranges();
    ranges[0] = super::RANGES[0];
    ranges
};

/// The version of the features and of both nets.
pub const FEATURES: &str = "split_gate-2";

/// An earlier version: all but the scarcity.
pub const FEATURES_1: &str = "split_gate-1";

/// The name of the tensor of the second net.
const TENSOR: &str = "cuts";

/// Weights with which the policy is `gated` before training.
pub fn untrained(seed: u64) -> Tensors {
    with_cut_net(super::tensors(super::untrained(seed)), seed)
}

/// The weights of a `learned_gate` with a second net that says nothing.
///
/// # Errors
/// They are not the weights of a `learned_gate`.
pub fn of_learned_gate(tensors: &Tensors) -> Result<Tensors, WeightsError> {
    super::weights(tensors)?;
    Ok(with_cut_net(tensors.clone(), 1))
}

/// The weights of a policy of [`FEATURES_1`] as weights of this version, with which it decides alike.
///
/// # Errors
/// The file does not hold weights of that version.
pub fn of_version_1(tensors: &Tensors) -> Result<Tensors, WeightsError> {
    let before = tensors.values(TENSOR, &[Net::<29, UNITS, SAID>::WEIGHTS])?;
    let silent = CutNet::silent(1, "cuts");
    let weights = CutNet::grown::<29, UNITS, SAID>(before, all_but_scarcity(), silent);
    let mut now = super::of_version_3(tensors)?;
    now.insert(TENSOR, &[CutNet::WEIGHTS], weights);
    Ok(now)
}

fn with_cut_net(mut tensors: Tensors, seed: u64) -> Tensors {
    tensors.insert(TENSOR, &[CutNet::WEIGHTS], CutNet::silent(seed, "cuts"));
    tensors
}

/// The policy.
///
/// # Errors
/// They are not the weights of this policy.
pub fn policy(tensors: &Tensors) -> Result<LearnedGate, WeightsError> {
    let mut policy = LearnedGate::new(super::weights(tensors)?);
    policy.judge.cuts = Some(Cuts { net: CutNet::new(tensors.values(TENSOR, &[CutNet::WEIGHTS])?) });
    Ok(policy)
}

/// Whether a sub-job goes on with a layer of which the part before runs, or has just ended.
pub(super) fn goes_on(view: &View, sub: &SubJobView) -> bool {
    let before = sub.id.layer.checked_sub(1);
    sub.release >= view.now()
        && before.is_some_and(|before| view.network_of(view.job_of(sub)).goes_on(before))
}

/// The accelerator where the part before a sub-job runs, if it goes on with that layer; if it has just ended, the one that the
/// decision before has chosen.
pub(super) fn runs_on(view: &View, sub: &SubJobView) -> Option<usize> {
    let before = goes_on(view, sub).then(|| SubJobId { layer: sub.id.layer - 1, ..sub.id })?;
    let runs = |accelerator: &AcceleratorView| accelerator.running == Some(before);
    view.accelerators().iter().position(runs).or(sub.assigned)
}

/// The second net.
pub(super) struct Cuts {
    net: CutNet,
}

impl Cuts {
    /// Multiply-accumulates per job.
    pub(super) const MACS: u64 = CutNet::MACS;

    /// What the second net says of jobs from `first` on, and what it saw of them.
    pub(super) fn say(
        &self,
        view: &View,
        observation: &Observation,
        first: usize,
        seen: &[Lanes; JOB_FEATURES],
    ) -> ([Lanes; SAID], [Lanes; INPUTS]) {
        let mut x = [[0.0; LANES]; INPUTS];
        x[..JOB_FEATURES].copy_from_slice(seen);
        for (lane, job) in (first..view.jobs().len()).take(LANES).enumerate() {
            super::put(&mut x[JOB_FEATURES..], lane, features(observation, view, job));
        }
        (self.net.forward(&x), x)
    }
}

fn features(observation: &Observation, view: &View, job: usize) -> [f32; CUT_FEATURES] {
    let Some(sub) = observation.first_open_sub_job(view, job) else { return [0.0; CUT_FEATURES] };
    let shown = &view.jobs()[job];
    let parts = observation.first_open(view, job).parts_left;
    let best_ps = view.network_of(shown).best_alone[sub.id.layer as usize].as_ps();
    all_cut([
        f64::from(u8::from(goes_on(view, sub))),
        ln(parts) / 2.0,
        parts * best_ps / slack_ps(view, shown.deadline),
    ])
}

/// What both nets with these weights say of a job.
#[cfg(all(test, feature = "train"))]
pub(crate) fn said(tensors: &Tensors, features: &[f32]) -> [f32; OUTPUTS + SAID] {
    let first = super::said(super::weights(tensors).expect("all weights"), &features[..JOB_FEATURES]);
    let weights = tensors.values(TENSOR, &[CutNet::WEIGHTS]).expect("all weights");
    let mut x = [[0.0; LANES]; INPUTS];
    super::put(&mut x, 0, features.iter().copied());
    let [goes_on, stays] = CutNet::new(weights).forward(&x).map(|row| row[0]);
    let [a, b, c, d, e, f, g, h] = first;
    [a, b, c, d, e, f, g, h, goes_on, stays]
}
