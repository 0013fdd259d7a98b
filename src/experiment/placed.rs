//! A learned policy on the system of a run, from which its scheduler is made.

use std::path::PathBuf;

use crate::policy::{Parameters, Policy, WeightsError};
use crate::sim::Scheduler;

/// A policy on a system of an experiment.
#[derive(Clone, Debug)]
pub struct Placed {
    pub(super) path: PathBuf,
    pub(super) policy: Policy,
    /// The number of accelerators of the system.
    pub(super) accelerators: usize,
    /// The parameters of the scheduler.
    pub(super) parameters: Parameters,
}

impl Placed {
    /// The scheduler that runs the policy.
    pub(crate) fn scheduler(&self) -> Result<Box<dyn Scheduler>, WeightsError> {
        self.policy.scheduler(self.accelerators, &self.parameters)
    }
}
