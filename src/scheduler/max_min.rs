//! `max_min`: of all open sub-jobs the one with the largest earliest finish is placed on that accelerator, and so on
//! with the rest: long layers come first, and short ones fill the gaps. Requests past their deadline come after all
//! others.

use std::cmp::Reverse;

use super::etf::Rounds;
use super::{SchedulerEntry, no_parameters};
use crate::sim::{Decision, Scheduler, View};

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "max_min",
    doc: "repeatedly the sub-job with the largest earliest finish, on that accelerator",
    source: "textbook; Braun et al., JPDC 2001",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(MaxMin::default()))
    },
};

#[derive(Default)]
struct MaxMin {
    rounds: Rounds,
}

impl Scheduler for MaxMin {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        self.rounds.place(view, out, Reverse);
    }
}
