//! Joins the registries of rules and of learned policies: what an experiment may name as a scheduler.

use super::config::SchedulerChoice;
use crate::scheduler::{self, SCHEDULERS};
use crate::sim::Scheduler;

/// Makes a scheduler for a run with the given seed; the error names what is wrong and what is allowed.
pub fn build(choice: &SchedulerChoice, seed: u64) -> Result<Box<dyn Scheduler>, String> {
    let entry = scheduler::find(&choice.name).ok_or_else(|| {
        let known: Vec<&str> = SCHEDULERS.iter().map(|entry| entry.name).collect();
        format!("no scheduler `{}`; known: {}", choice.name, known.join(", "))
    })?;
    (entry.build)(&choice.parameters, seed)
        .map_err(|message| format!("scheduler `{}`: {message}", choice.name))
}
