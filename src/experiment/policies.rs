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
use crate::policy::{Parameters, Policy};

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
            let Parameters { policy, transfer, without } =
                choice.policy_parameters(entry).map_err(Error::Usage)?;
            let problem = |named: Option<&str>, message: String| {
                at(choice, choice.problem(&(message + &ways_out(choice, entry, named, system, data))))
            };
            let default = format!("{}-{}", entry.name, system.name);
            if policy.is_none() && data.folders(Kind::Policy).find(&default).is_none() {
                return Err(problem(
                    None,
                    format!("there is no policy for `{}`, policies/{default}.toml", system.name),
                ));
            }
            let name = policy.unwrap_or(default);
            let path = data.path(Kind::Policy, &name)?;
            let policy = Policy::read(&path, entry)?;
            if !transfer && !policy.is_for(system) {
                let message = format!("{} {}", path.display(), misfit(&policy, system, data));
                return Err(problem(Some(&name), message));
            }
            let placed = Placed { path, policy, accelerators: system.accelerators.len(), without };
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
