//! What the policy can be asked to do without, one part at a time: an ablation of trained weights, without training anew.

use super::features::{JOB_FEATURES, OF_BYTES, OWN_FEATURES};
use super::{JUDGEMENTS, JobNet};
use crate::policy::registry::Part;

/// In the order of the names.
pub const PARTS: &[Part] = &[
    Part { name: "drop", doc: "the right to give requests up, also those that cannot make it any more" },
    Part {
        name: "hold",
        doc: "the right to leave an accelerator idle, so that others are not slowed too far",
    },
    Part { name: "demotion", doc: "requests that make others miss come after all others" },
    Part { name: "learned_drop", doc: "the net's say in which requests are given up" },
    Part {
        name: "learned_share",
        doc: "the net's say in how much capacity a request may count on, how far it may slow others and how much slowdown it bears",
    },
    Part {
        name: "queue",
        doc: "features that all requests share: the queue, what happened so far, the period and the platform",
    },
    Part { name: "bandwidth", doc: "features of bytes and of demand, those of the queue included" },
    Part {
        name: "hidden",
        doc: "the net's hidden layer, so that only the linear skip is left; still computed, and charged",
    },
];

/// What is taken away from the walk; features, layers and judgements are taken away from the weights.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Without {
    pub(super) drop: bool,
    pub(super) hold: bool,
    pub(super) demotion: bool,
}

/// Takes parts away; panics on a name that is none.
pub(super) fn take_away(parts: &[String], weights: &mut [f32]) -> Without {
    let mut without = Without::default();
    for part in parts {
        match &part[..] {
            "drop" => without.drop = true,
            "hold" => without.hold = true,
            "demotion" => without.demotion = true,
            // Outputs as `Verdict::of` takes them; zeros are what `gated` says.
            "learned_drop" => JobNet::forget_outputs(weights, 0..1),
            "learned_share" => JobNet::forget_outputs(weights, 1..JUDGEMENTS),
            "queue" => JobNet::forget_inputs(weights, OWN_FEATURES..JOB_FEATURES),
            "bandwidth" => JobNet::forget_inputs(weights, OF_BYTES),
            "hidden" => JobNet::forget_hidden(weights),
            other => panic!("no part `{other}`"),
        }
    }
    without
}
