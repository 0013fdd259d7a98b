//! What a learner is, and what starts each; the learners are the files beside this one.
//!
//! To add one, write a file with a type that implements [`Learner`] and a `pub(super) const START`, and add a line to
//! [`STARTS`] and its keys and a line to [`LEARNERS`](crate::experiment::LEARNERS). That line names the policies it can
//! train; checks, errors, the JSON Schema and `mascot train` follow from it.

use serde::{Deserialize, Serialize};

#[cfg(feature = "train")]
use super::torch::rloo;
use super::traces::accelerators;
use super::validation::Validation;
use super::{ddpg, evolution};
use crate::experiment::{Error, Training};
use crate::plan::Plan;
use crate::policy::{Tensors, WeightsError};

/// An algorithm at work. Between two steps, its state is all that it depends on.
pub(super) trait Learner {
    /// The number of steps so far.
    fn done(&self) -> u64;
    /// One step: a generation or an iteration.
    fn step(&mut self, validation: &Validation) -> LogRow;
    /// The policy as it is now.
    fn weights(&self) -> Tensors;
    /// Everything that the next step depends on.
    fn state(&self) -> Tensors;
}

/// What a training starts from.
#[derive(Clone, Copy, Default)]
pub(super) struct From<'a> {
    /// The weights of another policy, in place of untrained ones.
    pub(super) initial: Option<&'a Tensors>,
    /// The state in which it was left; then it goes on from there.
    pub(super) state: Option<&'a Tensors>,
}

/// A function that starts a training, or resumes one.
pub(super) type Start = for<'a> fn(&'a Plan, &Training, From) -> Result<Box<dyn Learner + 'a>, WeightsError>;

#[cfg(feature = "train")]
const RLOO: Option<Start> = rloo::START;
#[cfg(not(feature = "train"))]
const RLOO: Option<Start> = None;

/// The start function of each algorithm; `None` in a program that was built without its library.
const STARTS: &[(&str, Option<Start>)] =
    &[("rloo", RLOO), ("evolution", evolution::START), ("ddpg", ddpg::START)];

/// The learner of a training.
///
/// # Errors
/// This program was built without the algorithm's library, or the state is of weights of another size.
pub(super) fn learner<'a>(
    plan: &'a Plan,
    training: &Training,
    from: From,
) -> Result<Box<dyn Learner + 'a>, Error> {
    let entry = training.learner();
    let start = start_of(entry.name).ok_or_else(|| {
        let message = "needs libtorch, which this program was built without: see src/guide/policies.md";
        Error::Usage(format!("`algorithm = \"{}\"` {message}", entry.name))
    })?;
    check_outputs(plan, training)?;
    start(plan, training, from)
        .map_err(|e| Error::Usage(format!("what the training starts from is of another size: {e}")))
}

/// Checks that `output_noise` has a number for each output of the net, if it is given.
fn check_outputs(plan: &Plan, training: &Training) -> Result<(), Error> {
    let Some(rloo) = &training.rloo else { return Ok(()) };
    let (kind, given) = (training.policy(), rloo.get_ref().output_noise.len());
    let outputs = (training.trained().ranges)(accelerators(plan)).len();
    if given == 0 || given == outputs {
        return Ok(());
    }
    let message =
        format!("`output_noise` has {given} numbers, but the net of `{}` has {outputs} outputs", kind.name);
    Err(plan.experiment.source.error(&rloo.span(), message).into())
}

fn start_of(algorithm: &str) -> Option<Start> {
    STARTS.iter().find(|(name, _)| *name == algorithm).and_then(|&(_, start)| start)
}

/// A row of the log: the figures of a generation or an iteration, as far as its learner reports them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LogRow {
    /// The number of generations or iterations done.
    pub step: u64,
    /// The number of plays, of a policy on a trace, in all steps so far.
    #[serde(default)]
    pub plays: u64,
    /// The number of decisions taken in this step.
    pub decisions: u64,
    /// Mean SLA rate of the candidates on the traces of a generation.
    pub mean_rate: Option<f64>,
    /// Mean fitness of the candidates on these traces.
    pub mean_fitness: Option<f64>,
    /// Fitness of the best candidate.
    pub best_candidate_fitness: Option<f64>,
    /// Mean reward of the runs of an iteration.
    pub reward: Option<f64>,
    /// Mean squared error of the critic.
    pub critic_loss: Option<f64>,
    /// Minus the mean value that the critic gives to the actor's actions.
    pub actor_loss: Option<f64>,
    /// Standard deviation of the noise.
    #[serde(default)]
    pub sigma: Option<f64>,
    /// The learning rate.
    #[serde(default)]
    pub learning_rate: Option<f64>,
    /// The norm of the gradient.
    #[serde(default)]
    pub gradient_norm: Option<f64>,
    /// The share of the net's outputs beyond the range in which they have an effect.
    #[serde(default)]
    pub saturation: Option<f64>,
    /// Mean SLA rate on the validation seeds, if this step was validated.
    pub validation_rate: Option<f64>,
    /// Mean fitness on the validation seeds.
    pub validation_fitness: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::LEARNERS;
    use crate::policy::{self, POLICIES};

    #[test]
    fn every_policy_has_a_learner_and_every_learner_knows_its_policies() {
        for entry in POLICIES.iter().filter(|entry| entry.trained().is_some()) {
            assert!(LEARNERS.iter().any(|of| of.policies.contains(&entry.name)), "{}", entry.name);
        }
        for entry in LEARNERS {
            assert!(!entry.policies.is_empty(), "{}", entry.name);
            assert!(
                entry.policies.iter().all(|name| policy::find(name).is_some_and(|of| of.trained().is_some())),
                "{}",
                entry.name
            );
            assert_eq!(start_of(entry.name).is_none(), entry.needs_libtorch && cfg!(not(feature = "train")));
        }
    }
}
