//! A learned policy for the system of a run: what a scheduler of its kind is made from.

use std::path::PathBuf;

use crate::policy::{Policy, WeightsError};
use crate::sim::Scheduler;

/// A policy for a system of an experiment.
#[derive(Clone, Debug)]
pub struct Placed {
    pub(super) path: PathBuf,
    pub(super) policy: Policy,
    /// How many the system has.
    pub(super) accelerators: usize,
    /// Parts that it runs without.
    pub(super) without: Vec<String>,
}

impl Placed {
    /// The policy at work.
    pub(crate) fn scheduler(&self) -> Result<Box<dyn Scheduler>, WeightsError> {
        self.policy.scheduler(self.accelerators, &self.without)
    }
}
