//! `thrifty_gate`: `learned_gate` with a price on energy, so that one policy gives a curve of SLA rate against energy.
//!
//! The price w is what the least energy of a request, as a mean over the platform's networks, costs in deadlines met. A second
//! net sees what the first one sees and four features more, and its outputs are added to those of the first; one output
//! more weighs, in the choice of the accelerator, its energy against the least that the layer can take. With a price of 0
//! the second net is left out: then the policy is a `learned_gate` with the weights of the first, at its cost.
//!
//! | feature | |
//! |---|---|
//! | price | ln(w / 0.2) / 2 |
//! | energy | the least energy of what has not started, relative to that of a mean request |
//! | cost | w times it |
//! | spread of energy | ln(energy of the first open layer / its least energy), as a mean over accelerators |

use super::features::{JOB_FEATURES, Observation, all_but_scarcity, cut};
use super::{JUDGEMENTS, LearnedGate, OF_ENERGY, UNITS};
use crate::policy::dense;
use crate::policy::net::{LANES, Lanes, Net};
use crate::policy::registry::Range;
use crate::policy::weights::{Tensors, WeightsError};
use crate::sim::View;

const PRICE_FEATURES: usize = 4;
const INPUTS: usize = JOB_FEATURES + PRICE_FEATURES;
/// Those of the first net, and what energy counts.
const OUTPUTS: usize = OF_ENERGY.end;
type PriceNet = Net<INPUTS, UNITS, OUTPUTS>;

/// The inputs, hidden units and outputs of the second net.
pub(crate) const NET: [usize; 3] = [INPUTS, UNITS, OUTPUTS];

/// The ranges of its outputs, together with those of the first net. A need below 0 counts as one of 0 does, and is in the
/// range: the policy that ships was trained so.
pub(in crate::policy) const RANGES: [Range; OUTPUTS] = super::ranges();

/// The version of the features and of both nets.
pub const FEATURES: &str = "thrifty_gate-2";

/// An earlier version: all but the scarcity.
pub const FEATURES_1: &str = "thrifty_gate-1";

/// The name of the tensor of the second net.
const TENSOR: &str = "price";

/// The price at which its feature is 0. Our choice, because it is about the middle of the prices of the training, 0.05 to 0.5, on a
/// logarithmic scale.
const MIDDLE: f64 = 0.2;

/// Weights with which the policy is `learned_gate` before training, at every price.
pub fn untrained(seed: u64) -> Tensors {
    with_price_net(super::tensors(super::untrained(seed)), seed)
}

/// The weights of a `learned_gate` with a second net that adds nothing.
///
/// # Errors
/// They are not the weights of a `learned_gate`.
pub fn of_learned_gate(tensors: &Tensors) -> Result<Tensors, WeightsError> {
    super::weights(tensors)?;
    Ok(with_price_net(tensors.clone(), 1))
}

/// The weights of a policy of [`FEATURES_1`] as weights of this version, with which it decides alike.
///
/// # Errors
/// The file does not hold weights of that version.
pub fn of_version_1(tensors: &Tensors) -> Result<Tensors, WeightsError> {
    let before = tensors.values(TENSOR, &[Net::<30, UNITS, OUTPUTS>::WEIGHTS])?;
    let silent = PriceNet::silent(1, "price");
    let weights = PriceNet::grown::<30, UNITS, OUTPUTS>(before, all_but_scarcity(), silent);
    let mut now = super::of_version_3(tensors)?;
    now.insert(TENSOR, &[PriceNet::WEIGHTS], weights);
    Ok(now)
}

fn with_price_net(mut tensors: Tensors, seed: u64) -> Tensors {
    let weights = PriceNet::silent(seed, "price");
    tensors.insert(TENSOR, &[PriceNet::WEIGHTS], weights);
    tensors
}

/// The policy at a price.
///
/// # Errors
/// They are not the weights of this policy.
pub fn policy(tensors: &Tensors, price: f64) -> Result<LearnedGate, WeightsError> {
    let mut policy = LearnedGate::new(super::weights(tensors)?);
    let net = PriceNet::new(tensors.values(TENSOR, &[PriceNet::WEIGHTS])?);
    policy.judge.thrift = (price > 0.0).then_some(Thrift { price, net });
    Ok(policy)
}

/// The second net, at a price.
pub(super) struct Thrift {
    price: f64,
    net: PriceNet,
}

impl Thrift {
    /// Multiply-accumulates per job.
    pub(super) const MACS: u64 = PriceNet::MACS;

    /// Adds what the second net says to what the first one said of jobs from `first` on; returns what it saw of them.
    pub(super) fn shift(
        &self,
        view: &View,
        observation: &Observation,
        first: usize,
        seen: &[Lanes; JOB_FEATURES],
        said: &mut [Lanes; JUDGEMENTS],
    ) -> [Lanes; INPUTS] {
        let mut x = [[0.0; LANES]; INPUTS];
        x[..JOB_FEATURES].copy_from_slice(seen);
        for (lane, job) in (first..view.jobs().len()).take(LANES).enumerate() {
            super::put(&mut x[JOB_FEATURES..], lane, self.features(observation, view, job));
        }
        for (said, shift) in said.iter_mut().zip(self.net.forward(&x)) {
            said.iter_mut().zip(shift).for_each(|(said, shift)| *said += shift);
        }
        x
    }

    fn features(&self, observation: &Observation, view: &View, job: usize) -> [f32; PRICE_FEATURES] {
        let shown = &view.jobs()[job];
        let left = shown.unstarted_best.as_ps() / view.network_of(shown).total_best.as_ps().max(1.0);
        let energy = observation.layers().energy(shown.network) * left;
        let price = f64::from(dense::ln((self.price / MIDDLE) as f32)) / 2.0;
        [price, energy, self.price * energy, observation.first_open(view, job).spread_of_energy].map(cut)
    }
}

/// What the second net with these weights says of a job.
#[cfg(all(test, feature = "train"))]
pub(crate) fn said(tensors: &Tensors, features: &[f32]) -> [f32; OUTPUTS] {
    let weights = tensors.values(TENSOR, &[PriceNet::WEIGHTS]).expect("all weights");
    let mut x = [[0.0; LANES]; INPUTS];
    super::put(&mut x, 0, features.iter().copied());
    PriceNet::new(weights).forward(&x).map(|row| row[0])
}
