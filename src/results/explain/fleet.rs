//! The way of a request of a fleet: where it went, whom its order served, and what its site ran meanwhile.

use std::path::Path;

use super::logs::{self, Answered, Asked, Ran, Stepped};
use super::waits::{Others, others, uses};
use crate::experiment::Error;
use crate::units::Time;

/// The way of a request of a fleet.
#[derive(Clone, Debug)]
pub struct Way {
    /// Its steps in the order of time, each from the end of the one before.
    pub steps: Vec<Stepped>,
    /// The answer, if there was one.
    pub answer: Option<Answered>,
    /// The order that served it, if one did.
    pub order: Option<Members>,
    /// What its site ran while it stood in the queue there, most time first.
    pub queue: Vec<Others>,
}

/// An order, and the requests that it served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Members {
    /// The site.
    pub site: String,
    /// Its number there.
    pub number: u64,
    /// How many requests it served.
    pub requests: u64,
    /// Those of them that are measured.
    pub measured: Vec<u64>,
    /// The request to which its layers are booked in layers.csv.
    pub booked_to: u64,
}

/// The way of a request. Of the layer runs of all sites, those of its site are left.
///
/// # Errors
/// A log is missing or damaged.
pub(super) fn way(folder: &Path, asked: &Asked, runs: &mut Vec<Ran>) -> Result<Way, Error> {
    let all = logs::steps(folder, &asked.cell)?;
    let steps: Vec<Stepped> = all.iter().filter(|step| step.request == asked.request).cloned().collect();
    let order = steps.iter().find_map(|step| members(step, &all));
    // The accelerators of several sites are called site/accelerator.
    if let Some(site) = steps.last().map(|step| format!("{}/", step.site)) {
        runs.retain(|ran| !ran.accelerator.contains('/') || ran.accelerator.starts_with(&site));
    }
    let queue = steps.iter().find(|step| step.step == "queue");
    let meanwhile = queue.map(|step| (step.start, step.end.unwrap_or(asked.end)));
    let ran =
        meanwhile.into_iter().flat_map(|(from, to)| runs.iter().map(move |ran| (ran, ran.within(from, to))));
    let queue = others(uses(ran));
    Ok(Way { answer: logs::answer(folder, &asked.cell, asked.request)?, steps, order, queue })
}

/// The order of a step in service, of which all requests are found among all steps.
fn members(step: &Stepped, all: &[Stepped]) -> Option<Members> {
    let number = step.order?;
    let is_same = |other: &&Stepped| other.order == step.order && other.site == step.site;
    Some(Members {
        site: step.site.clone(),
        number,
        requests: step.order_requests?,
        measured: all.iter().filter(is_same).map(|other| other.request).collect(),
        booked_to: step.booked_to?,
    })
}

impl Way {
    /// The request to which the layers of its order are booked, if one served it.
    pub(super) fn booked_to(&self) -> Option<u64> {
        self.order.as_ref().map(|order| order.booked_to)
    }

    /// The time of some steps; one without an end lasts until the end of the request.
    pub(super) fn time(&self, end: Time, is_one: impl Fn(&str) -> bool) -> Time {
        let those = self.steps.iter().filter(|step| is_one(&step.step));
        those.map(|step| step.end.unwrap_or(end) - step.start).sum()
    }

    /// The request as its site sees it: from the launch of its order to that order's end, or until it is given up.
    pub(super) fn in_service(&self, asked: &Asked) -> Option<Asked> {
        let step = self.steps.iter().find(|step| step.step == "service")?;
        let end = step.end.unwrap_or(asked.end);
        let elsewhere = asked.took().saturating_sub(end - step.start);
        let waiting = asked.waiting.saturating_sub(elsewhere);
        Some(Asked { arrival: step.start, end, waiting, ..asked.clone() })
    }
}
