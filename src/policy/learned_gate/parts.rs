//! The parts of the policy that can be switched off: in trained weights, or from the start of a training.

use std::ops::Range;

use super::features::{JOB_FEATURES, OF_BYTES, OWN_FEATURES, SCARCITY};
use super::{JobNet, OUTPUTS, tensors, weights};
use crate::policy::registry::Part;
use crate::policy::weights::{Tensors, WeightsError};

/// All parts, in the order of their names.
pub const PARTS: &[Part] = &[
    Part { name: "drop", doc: "dropping requests, even those that can no longer meet their deadline" },
    Part { name: "hold", doc: "leaving an accelerator idle so that others are not slowed too far" },
    Part { name: "demotion", doc: "serving requests that make others miss after all others" },
    Part { name: "learned_drop", doc: "the net's judgement of which requests are dropped" },
    Part {
        name: "learned_share",
        doc: "the net's judgement of how much capacity a request may count on, how far it may slow others and how \
              much slowdown it bears",
    },
    Part { name: "learned_order", doc: "the net's judgement of which request comes first" },
    Part { name: "learned_place", doc: "the net's judgement of what counts in the choice of an accelerator" },
    Part {
        name: "queue",
        doc: "features that all requests share: the queue, past events, the period and the platform",
    },
    Part { name: "bandwidth", doc: "features of bytes and of demand, those of the queue included" },
    Part { name: "scarcity", doc: "the feature of how short the DRAM is" },
    Part {
        name: "hidden",
        doc: "the net's hidden layer, so that only the linear skip is left; it is still computed and charged",
    },
];

/// The parts that are removed from the walk; features, layers and judgements are removed from the weights.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Without {
    pub(super) drop: bool,
    pub(super) hold: bool,
    pub(super) demotion: bool,
    /// The judgements that are those of `gated`, which does not explore.
    pub(super) judgements: [bool; OUTPUTS],
}

impl Without {
    /// Takes away the net's judgements of some outputs, in the order of `Verdict::of`: zeros give the verdict of `gated`.
    fn forget(&mut self, outputs: Range<usize>, weights: &mut [f32]) {
        self.judgements[outputs.clone()].fill(true);
        JobNet::forget_outputs(weights, outputs);
    }
}

/// The weights of a file as they are without some parts, of which the walk's are none.
///
/// # Errors
/// The file does not hold the weights of this policy.
pub(in crate::policy) fn tensors_without(parts: &[String], of: &Tensors) -> Result<Tensors, WeightsError> {
    let mut weights = weights(of)?.to_vec();
    take_away(parts, &mut weights);
    Ok(tensors(weights))
}

/// Removes parts; panics on an unknown name.
pub(super) fn take_away(parts: &[String], weights: &mut [f32]) -> Without {
    let mut without = Without::default();
    for part in parts {
        match &part[..] {
            "drop" => without.drop = true,
            "hold" => without.hold = true,
            "demotion" => without.demotion = true,
            "learned_drop" => without.forget(0..1, weights),
            "learned_share" => without.forget(1..4, weights),
            "learned_order" => without.forget(4..5, weights),
            "learned_place" => without.forget(5..OUTPUTS, weights),
            "queue" => JobNet::forget_inputs(weights, OWN_FEATURES..JOB_FEATURES),
            "bandwidth" => JobNet::forget_inputs(weights, OF_BYTES),
            "scarcity" => JobNet::forget_inputs(weights, [SCARCITY]),
            "hidden" => JobNet::forget_hidden(weights),
            other => panic!("no part `{other}`"),
        }
    }
    without
}
