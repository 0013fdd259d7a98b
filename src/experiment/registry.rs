//! Joins the registries of rules and of learned policies: what an experiment may name as a scheduler.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::{Schema, json_schema};

use super::Error;
use super::data::{DataRoot, Kind};
use super::schedulers::SchedulerChoice;
use crate::files::{InputError, any_of, did_you_mean, entry_table, parse_parameters};
use crate::hw::SystemSpec;
use crate::rl::policy::{self, POLICIES, Parameters, Policy, PolicyEntry};
use crate::scheduler::{self, SCHEDULERS};
use crate::sim::Scheduler;

/// The JSON Schema of an entry of `schedulers`: a name, or a table with it.
pub(super) fn schema() -> Schema {
    let rules = SCHEDULERS.iter().map(|entry| (entry.name, entry.doc, entry.parameters));
    let learned = POLICIES.iter().map(|entry| (entry.name, entry.doc, entry.parameters));
    let label = [("label", "the name in tables")];
    any_of(rules.chain(learned).flat_map(|(name, doc, parameters)| {
        [
            json_schema!({ "const": name, "description": doc }),
            entry_table("name", name, doc, parameters, &label),
        ]
    }))
}

/// Whether it can be built, on some system; the error names what is wrong and what is allowed.
pub fn check(choice: &SchedulerChoice) -> Result<(), String> {
    match policy::find(&choice.name) {
        None => build(choice, None, 0).map(drop),
        Some(entry) => parameters(choice, entry).map(drop),
    }
}

/// Those of a learned policy.
fn parameters(choice: &SchedulerChoice, entry: &PolicyEntry) -> Result<Parameters, String> {
    let read: Parameters = parse_parameters(&choice.parameters).map_err(|message| of(choice, &message))?;
    let parts: Vec<&str> = entry.parts.iter().map(|part| part.name).collect();
    match read.without.iter().find(|name| !parts.contains(&&name[..])) {
        None => Ok(read),
        Some(_) if parts.is_empty() => Err(of(choice, "`without`: it has no parts to do without")),
        Some(name) => {
            let (hint, known) = (did_you_mean(name, &parts), parts.join(", "));
            Err(of(choice, &format!("`without`: no part `{name}`{hint}; known: {known}")))
        }
    }
}

/// Whether a parameter of a scheduler is a list, as its default is.
pub(super) fn takes_list(name: &str, key: &str) -> bool {
    let of_rule = scheduler::find(name).map(|entry| entry.parameters);
    let parameters = of_rule.or_else(|| policy::find(name).map(|entry| entry.parameters)).unwrap_or_default();
    parameters.iter().any(|parameter| parameter.name == key && parameter.default.starts_with('['))
}

/// Makes a scheduler for a run with the given seed; policies as [`Policies`] has them.
pub fn build(
    choice: &SchedulerChoice,
    policy: Option<&Placed>,
    seed: u64,
) -> Result<Box<dyn Scheduler>, String> {
    if let Some(Placed { policy, accelerators, without, .. }) = policy {
        return policy.scheduler(*accelerators, without).map_err(|e| of(choice, &e.to_string()));
    }
    let entry = scheduler::find(&choice.name).ok_or_else(|| {
        let rules = SCHEDULERS.iter().map(|entry| entry.name);
        let known: Vec<&str> = rules.chain(POLICIES.iter().map(|entry| entry.name)).collect();
        let hint = did_you_mean(&choice.name, &known);
        format!("no scheduler `{}`{hint}; known: {}", choice.name, known.join(", "))
    })?;
    (entry.build)(&choice.parameters, seed).map_err(|message| of(choice, &message))
}

/// Whether its decisions depend on the seed of a run.
pub(super) fn draws(choice: &SchedulerChoice) -> bool {
    scheduler::find(&choice.name).is_some_and(|entry| entry.draws)
}

fn of(choice: &SchedulerChoice, message: &str) -> String {
    format!("scheduler `{}`: {message}", choice.name)
}

/// A policy for a system of an experiment.
#[derive(Clone, Debug)]
pub struct Placed {
    path: PathBuf,
    policy: Policy,
    /// How many the system has.
    accelerators: usize,
    /// Parts that it runs without.
    without: Vec<String>,
}

/// The policies of an experiment, by label and system.
#[derive(Clone, Debug, Default)]
pub struct Policies(BTreeMap<(String, String), Placed>);

impl Policies {
    /// Reads those that run on a system.
    ///
    /// # Errors
    /// A file is missing or damaged, or is for another system.
    pub fn read<'a>(
        &mut self,
        choices: impl IntoIterator<Item = &'a SchedulerChoice>,
        system: &SystemSpec,
        data: &DataRoot,
    ) -> Result<(), Error> {
        for choice in choices {
            let Some(entry) = policy::find(&choice.name) else { continue };
            let Parameters { policy, transfer, without } = parameters(choice, entry).map_err(Error::Usage)?;
            let name = policy.unwrap_or_else(|| format!("{}-{}", choice.name, system.name));
            let path = data.path(Kind::Policy, &name)?;
            let policy = Policy::read(&path, entry)?;
            if !transfer && !policy.is_for(system) {
                return Err(Error::Usage(format!(
                    "{} was trained for the accelerators of `{}`, and those of `{}` are others: train one for it, or set \
                     `transfer = true`",
                    path.display(),
                    policy.manifest.system,
                    system.name
                )));
            }
            let accelerators = system.accelerators.len();
            let weights = Policy::weights_path(&path);
            policy.scheduler(accelerators, &without).map_err(|e| InputError::file(&weights, e))?;
            self.0.insert(
                (choice.label.clone(), system.name.clone()),
                Placed { path, policy, accelerators, without },
            );
        }
        Ok(())
    }

    /// That of a scheduler on a system; `None` for rules.
    pub fn of(&self, choice: &SchedulerChoice, system: &str) -> Option<&Placed> {
        self.0.get(&(choice.label.clone(), system.to_string()))
    }

    /// What was read, by label and system: manifest and weights.
    pub fn files(&self) -> impl Iterator<Item = (&(String, String), [PathBuf; 2])> {
        self.0.iter().map(|(key, placed)| (key, [placed.path.clone(), Policy::weights_path(&placed.path)]))
    }
}
