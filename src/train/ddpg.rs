//! Trains `relmas` by deep deterministic policy gradient (`train::torch::ddpg`), on runs drawn over all cases.

#[cfg(feature = "train")]
mod descending;

use super::learner::Start;

#[cfg(feature = "train")]
pub(super) const START: Option<Start> =
    Some(|plan, training, from| Ok(Box::new(descending::Descending::new(plan, training, from)?)));
#[cfg(not(feature = "train"))]
pub(super) const START: Option<Start> = None;
