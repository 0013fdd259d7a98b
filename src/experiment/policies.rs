//! The learned policies of an experiment: the file of each learned scheduler on each system.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::data::{DataRoot, Kind};
use super::error::Error;
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
    /// Reads the policies that run on a system.
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
            let Maker::Policy(entry) = choice.entry.maker else { continue };
            let Parameters { policy, transfer, without } =
                choice.policy_parameters(entry).map_err(Error::Usage)?;
            let name = policy.unwrap_or_else(|| format!("{}-{}", entry.name, system.name));
            let path = data.path(Kind::Policy, &name)?;
            let policy = Policy::read(&path, entry)?;
            if !transfer && !policy.is_for(system) {
                return Err(Error::Usage(format!(
                    "{} was trained for the accelerators of `{}`, and those of `{}` differ: train one for it, or set \
                     `transfer = true`{}",
                    path.display(),
                    policy.manifest.system,
                    system.name,
                    policy.doubt(system)
                )));
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
