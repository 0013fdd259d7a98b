//! The learned policies of an experiment: the file of each learned scheduler on each system.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::data::{DataRoot, Kind};
use super::error::Error;
use super::misfit::{ways_out, what_changed};
use super::placed::Placed;
use super::registry::Maker;
use super::schedulers::SchedulerChoice;
use crate::files::InputError;
use crate::hw::SystemSpec;
use crate::policy::{Policy, PolicyEntry};

/// The policies of an experiment, by label and system.
#[derive(Clone, Debug, Default)]
pub struct Policies(BTreeMap<(String, String), Placed>);

impl Policies {
    /// Reads the policies that run on a system. `at` makes an error that points at a scheduler.
    ///
    /// # Errors
    /// A file is missing or damaged, or is for another system.
    pub fn read<'a>(
        &mut self,
        choices: impl IntoIterator<Item = &'a SchedulerChoice>,
        system: &SystemSpec,
        data: &DataRoot,
        at: &dyn Fn(&SchedulerChoice, String) -> Error,
    ) -> Result<(), Error> {
        for choice in choices {
            let Maker::Policy(entry) = choice.entry.maker else { continue };
            let parameters = choice.policy_parameters(entry).map_err(Error::Usage)?;
            let problem = |named: Option<&str>, message: String| {
                at(choice, choice.problem(&(message + &ways_out(choice, entry, named, system, data))))
            };
            let Some(name) = parameters.policy.clone().or_else(|| default(entry, system, data)) else {
                let file = format!("policies/{}-{}.toml", entry.name, system.name);
                return Err(problem(None, format!("there is no policy for `{}`, {file}", system.name)));
            };
            let path = data.path(Kind::Policy, &name)?;
            let policy = Policy::read(&path, entry)?;
            if !parameters.transfer && !policy.is_for(system) {
                let message = format!("{} {}", path.display(), misfit(&policy, system, data));
                return Err(problem(Some(&name), message));
            }
            let placed = Placed { path, policy, accelerators: system.accelerators.len(), parameters };
            placed.scheduler().map_err(|e| InputError::file(&Policy::weights_path(&placed.path), e))?;
            self.0.insert((choice.label.clone(), system.name.clone()), placed);
        }
        Ok(())
    }

    /// The policy of a scheduler on a system; `None` for rules.
    pub fn of(&self, choice: &SchedulerChoice, system: &str) -> Option<&Placed> {
        self.0.get(&(choice.label.clone(), system.to_string()))
    }

    /// The files that were read, by label and system: manifest and weights.
    pub fn files(&self) -> impl Iterator<Item = (&(String, String), [PathBuf; 2])> {
        self.0.iter().map(|(key, placed)| (key, [placed.path.clone(), Policy::weights_path(&placed.path)]))
    }
}

/// The policy of a kind for a system: the one of the system's own, or else the one that serves every system.
fn default(kind: &PolicyEntry, system: &SystemSpec, data: &DataRoot) -> Option<String> {
    let own = format!("{}-{}", kind.name, system.name);
    let of_all = kind.serves_any_system.then(|| kind.name.to_string());
    [Some(own), of_all].into_iter().flatten().find(|name| data.folders(Kind::Policy).find(name).is_some())
}

/// Why a policy is not for a system.
fn misfit(policy: &Policy, system: &SystemSpec, data: &DataRoot) -> String {
    let (trained, doubt) = (&policy.manifest.system, policy.doubt(system));
    match *trained == system.name {
        true => {
            let changed = what_changed(policy, system, data);
            format!("was trained for `{trained}`, whose accelerators were others then{doubt}{changed}")
        }
        false => {
            let own = &system.name;
            format!("was trained for the accelerators of `{trained}`, and those of `{own}` differ{doubt}")
        }
    }
}
