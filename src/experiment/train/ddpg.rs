//! `relmas` learns: deep deterministic policy gradient (`rl::train::ddpg`), on runs drawn over all cases.

#[cfg(feature = "train")]
mod descending;

use super::learners::{LearnerEntry, Start};
use super::training::Training;
use crate::files::Spanned;
use crate::rl::hyper::Hyper;

pub(super) const ENTRY: LearnerEntry = LearnerEntry {
    name: "ddpg",
    doc: "deep deterministic policy gradient (Lillicrap et al., ICLR 2016), which may first imitate an expert",
    policies: &["relmas"],
    needs_libtorch: true,
    given: |training| training.ddpg.as_ref().map(Spanned::span),
    check: |training| parameters(training).check(),
    steps: |training| parameters(training).iterations,
    start: START,
};

#[cfg(feature = "train")]
const START: Option<Start> = Some(|plan, training, state| {
    Ok(Box::new(descending::Descending::new(plan, parameters(training), state)?))
});
#[cfg(not(feature = "train"))]
const START: Option<Start> = None;

fn parameters(training: &Training) -> Hyper {
    training.ddpg.as_ref().map_or_else(Hyper::default, |given| *given.get_ref())
}
