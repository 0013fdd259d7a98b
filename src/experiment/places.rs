//! Where an experiment names what turns out to be wrong later.

use serde::Deserialize;

use super::config::Experiment;
use super::data::DataRoot;
use super::error::Error;
use super::schedulers::{Raw, SchedulerChoice};
use crate::files::Spanned;

/// The one key of an experiment that is read again.
#[derive(Deserialize)]
struct Entries {
    #[serde(default)]
    schedulers: Vec<Spanned<Raw>>,
}

impl Experiment {
    /// An error about one of the schedulers, at its entry or at the include that adds it.
    pub fn error_at_scheduler(&self, choice: &SchedulerChoice, data: &DataRoot, message: String) -> Error {
        let stands_for = |entry: &&Spanned<Raw>| {
            entry.get_ref().choices(data.registry()).is_ok_and(|choices| choices.contains(choice))
        };
        let entries = self.source.parse::<Entries>().map_or(Vec::new(), |entries| entries.schedulers);
        let span = entries.iter().find(stands_for).map(Spanned::span);
        let included = || self.include.iter().find(|it| it.experiment.schedulers.contains(choice));
        match span.or_else(|| included().map(|include| include.span.clone())) {
            Some(span) => self.source.error(&span, message).into(),
            None => self.source.error_at_top(message).into(),
        }
    }
}
