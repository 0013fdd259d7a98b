//! The algorithms that train policies, one file each, and their registry.
//!
//! To add one: a file with a type that implements [`Learner`] and a `pub(super) const ENTRY`, its line in [`LEARNERS`], and
//! the line of its parameters in [`Training`]. Which policies it can train is said in its entry; checks, errors, the JSON
//! Schema and `mascot train` follow from that.

use std::ops::Range;

use super::training::Training;
use super::validation::Validation;
use super::{LogRow, ddpg, evolution};
use crate::experiment::Error;
use crate::experiment::plan::Plan;
use crate::rl::weights::{Tensors, WeightsError};

/// What learns. Between two steps, all that it is is in its state.
pub(super) trait Learner {
    /// Steps so far.
    fn done(&self) -> u64;
    /// A generation or an iteration.
    fn step(&mut self, validation: &Validation) -> LogRow;
    /// The policy as it is now.
    fn weights(&self) -> Tensors;
    /// All that the next step depends on.
    fn state(&self) -> Tensors;
}

/// One algorithm of the registry.
pub struct LearnerEntry {
    /// The name in experiments, and that of the table of its parameters.
    pub name: &'static str,
    /// What it does in one sentence.
    pub doc: &'static str,
    /// The policies that it can train; the first is the one that it trains where none is named.
    pub policies: &'static [&'static str],
    /// Whether it needs libtorch: a program built with the feature `train`.
    pub needs_libtorch: bool,
    /// Where its parameters stand, if they are given.
    pub(super) given: fn(&Training) -> Option<Range<usize>>,
    /// Says which of its parameters do not go together; ranges are checked where values are read.
    pub(super) check: fn(&Training) -> Result<(), String>,
    /// How many steps the whole training has.
    pub(super) steps: fn(&Training) -> u64,
    /// Begins, or goes on from a state; `None` in a program that lacks what it needs.
    pub(super) start: Option<Start>,
}

/// What begins a training, or goes on from a state.
pub(super) type Start =
    for<'a> fn(&'a Plan, &Training, Option<&Tensors>) -> Result<Box<dyn Learner + 'a>, WeightsError>;

/// All algorithms.
pub const LEARNERS: &[LearnerEntry] = &[evolution::ENTRY, ddpg::ENTRY];

/// The learner of a training.
///
/// # Errors
/// This program lacks what it needs, or the state is of weights of another size.
pub(super) fn learner<'a>(
    plan: &'a Plan,
    training: &Training,
    state: Option<&Tensors>,
) -> Result<Box<dyn Learner + 'a>, Error> {
    let entry = training.learner();
    let start = entry.start.ok_or_else(|| {
        let message = "needs libtorch, which this program was built without: see README, \"Development\"";
        Error::Usage(format!("`algorithm = \"{}\"` {message}", entry.name))
    })?;
    start(plan, training, state)
        .map_err(|e| Error::Usage(format!("the checkpoint is of another training: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rl::policy::{self, POLICIES};

    #[test]
    fn every_policy_has_a_learner_and_every_learner_knows_its_policies() {
        for entry in POLICIES {
            assert!(LEARNERS.iter().any(|of| of.policies.contains(&entry.name)), "{}", entry.name);
        }
        for entry in LEARNERS {
            assert!(!entry.policies.is_empty(), "{}", entry.name);
            assert!(entry.policies.iter().all(|name| policy::find(name).is_some()), "{}", entry.name);
            assert_eq!(entry.start.is_none(), entry.needs_libtorch && cfg!(not(feature = "train")));
        }
    }
}
