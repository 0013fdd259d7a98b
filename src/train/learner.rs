//! What a learner is, and what starts each; the learners are the files beside this one.
//!
//! To add one: a file with a type that implements [`Learner`] and a `pub(super) const START`, its line in [`STARTS`], and
//! its keys and its line in [`LEARNERS`](crate::experiment::LEARNERS). Which policies it can train is said there; checks, errors, the
//! JSON Schema and `mascot train` follow from that.

use serde::{Deserialize, Serialize};

use super::validation::Validation;
use super::{ddpg, evolution};
use crate::experiment::{Error, Training};
use crate::plan::Plan;
use crate::policy::{Tensors, WeightsError};

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

/// What begins a training, or goes on from a state.
pub(super) type Start =
    for<'a> fn(&'a Plan, &Training, Option<&Tensors>) -> Result<Box<dyn Learner + 'a>, WeightsError>;

/// What begins each algorithm; `None` in a program that lacks what it needs.
const STARTS: [(&str, Option<Start>); 2] = [("evolution", evolution::START), ("ddpg", ddpg::START)];

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
    let start = start_of(entry.name).ok_or_else(|| {
        let message = "needs libtorch, which this program was built without: see src/guide/policies.md";
        Error::Usage(format!("`algorithm = \"{}\"` {message}", entry.name))
    })?;
    start(plan, training, state)
        .map_err(|e| Error::Usage(format!("the checkpoint is of another training: {e}")))
}

fn start_of(algorithm: &str) -> Option<Start> {
    STARTS.iter().find(|(name, _)| *name == algorithm).and_then(|&(_, start)| start)
}

/// What is known after a generation or an iteration, as far as its learner tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LogRow {
    /// Generations or iterations done.
    pub step: u64,
    /// Decisions taken in it.
    pub decisions: u64,
    /// Mean SLA rate of the candidates on the traces of a generation.
    pub mean_rate: Option<f64>,
    /// Their mean fitness there.
    pub mean_fitness: Option<f64>,
    /// That of the best of them.
    pub best_candidate_fitness: Option<f64>,
    /// Mean reward of the runs of an iteration.
    pub reward: Option<f64>,
    /// Mean squared error of the critic.
    pub critic_loss: Option<f64>,
    /// Mean value that the critic gives the actor's answers, below zero; while it imitates, the mean squared error.
    pub actor_loss: Option<f64>,
    /// Mean SLA rate on the validation seeds, where it was looked at.
    pub validation_rate: Option<f64>,
    /// Mean fitness there.
    pub validation_fitness: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::LEARNERS;
    use crate::policy::{self, POLICIES};

    #[test]
    fn every_policy_has_a_learner_and_every_learner_knows_its_policies() {
        for entry in POLICIES {
            assert!(LEARNERS.iter().any(|of| of.policies.contains(&entry.name)), "{}", entry.name);
        }
        for entry in LEARNERS {
            assert!(!entry.policies.is_empty(), "{}", entry.name);
            assert!(entry.policies.iter().all(|name| policy::find(name).is_some()), "{}", entry.name);
            assert_eq!(start_of(entry.name).is_none(), entry.needs_libtorch && cfg!(not(feature = "train")));
        }
    }
}
