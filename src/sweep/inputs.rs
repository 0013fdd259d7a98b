//! The data files that an experiment read, and which of them a cell depends on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::cell::Cell;
use crate::experiment::{DataRoot, Error, Kind};
use crate::files::sha256_of_file;
use crate::plan::{Case, Plan};

/// The data files of a run, with the hashes of their contents.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// SHA-256 of each file, by its path: relative to the data folder where it lies there, else absolute.
    pub sha256: BTreeMap<PathBuf, String>,
    /// Files by system and scenario.
    of_case: BTreeMap<[String; 2], BTreeSet<PathBuf>>,
    /// Files by reference of deadlines.
    of_reference: BTreeMap<String, BTreeSet<PathBuf>>,
    /// Files of learned schedulers, by label and system.
    of_policy: BTreeMap<(String, String), BTreeSet<PathBuf>>,
}

impl Inputs {
    /// The data files of a plan.
    ///
    /// # Errors
    /// A file has disappeared since it was read.
    pub fn of(plan: &Plan, data: &DataRoot) -> Result<Self, Error> {
        let mut inputs = Self::default();
        for case in &plan.cases {
            if !inputs.of_case.contains_key(&case.words) {
                let files = files_of(case, data)?.into_iter();
                let files = files.chain(plan.experiment.trace.as_ref().map(|trace| trace.file.clone()));
                let files = files.map(|path| inputs.add(&path, data)).collect();
                inputs.of_case.insert(case.words.clone(), files);
            }
        }
        for case in &plan.cases {
            let Some(reference) = reference_of(case).filter(|name| !inputs.of_reference.contains_key(*name))
            else {
                continue;
            };
            let files = files_of_system(reference, data)?.iter().map(|path| inputs.add(path, data)).collect();
            inputs.of_reference.insert(reference.to_string(), files);
        }
        for (key, paths) in plan.policies.files() {
            let files = paths.iter().map(|path| inputs.add(path, data)).collect();
            inputs.of_policy.insert(key.clone(), files);
        }
        Ok(inputs)
    }

    /// Reads a file once; a file that cannot be read has no hash.
    fn add(&mut self, path: &Path, data: &DataRoot) -> PathBuf {
        let below = data.relative(path);
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let name = if below == path { absolute } else { below.to_path_buf() };
        if !self.sha256.contains_key(&name) {
            let hash = sha256_of_file(path).unwrap_or_default();
            self.sha256.insert(name.clone(), hash);
        }
        name
    }

    /// The files that a cell depends on, with the hashes of their contents.
    pub fn of_cell(&self, cell: &Cell) -> Vec<(&Path, &str)> {
        let own = self.of_case.get(&cell.case.words);
        let reference = reference_of(cell.case).and_then(|name| self.of_reference.get(name));
        let policy = self.of_policy.get(&(cell.scheduler.label.clone(), cell.case.system.clone()));
        let names = own.into_iter().chain(reference).chain(policy).flatten();
        names.map(|name| (name.as_path(), self.sha256[name].as_str())).collect()
    }

    /// The same files with the hashes that another run recorded in place of the current ones.
    pub fn as_recorded(&self, sha256: &BTreeMap<PathBuf, String>) -> Self {
        let recorded =
            |(name, own): (&PathBuf, &String)| (name.clone(), sha256.get(name).unwrap_or(own).clone());
        Self { sha256: self.sha256.iter().map(recorded).collect(), ..self.clone() }
    }
}

/// The other system that deadlines of a case are relative to.
fn reference_of(case: &Case) -> Option<&str> {
    case.setting.sla_reference.system()
}

/// The files of a system.
fn files_of_system(name: &str, data: &DataRoot) -> Result<Vec<PathBuf>, Error> {
    let mut paths = vec![data.path(Kind::System, name)?];
    let system = data.system(name)?;
    for model in &system.models {
        paths.push(data.path(Kind::Accelerator, &model.name)?);
    }
    paths.extend(system.cost);
    Ok(paths)
}

/// The files of a case's system and scenario.
fn files_of(case: &Case, data: &DataRoot) -> Result<Vec<PathBuf>, Error> {
    let [system, scenario] = &case.words;
    let mut paths = match &case.fleet {
        None => files_of_system(system, data)?,
        Some(fleet) => {
            let mut paths = vec![data.path(Kind::Fleet, system)?];
            paths.extend(fleet.policies.files().flat_map(|(_, files)| files));
            for site in &data.fleet(system)?.sites {
                paths.extend(files_of_system(&site.system, data)?);
            }
            paths
        }
    };
    paths.push(data.path(Kind::Scenario, scenario)?);
    let scenario = &case.workload.scenario;
    for variant in &scenario.networks {
        paths.push(data.path(Kind::Network, &variant.network)?);
    }
    for model in &scenario.models {
        paths.push(data.path(Kind::Model, &model.name)?);
        for variant in model.variants.iter().filter(|_| case.fleet.is_some()) {
            paths.push(data.path(Kind::Network, &variant.network)?);
        }
    }
    let files = scenario.tenants.iter().filter_map(|tenant| tenant.arrivals.file());
    paths.extend(files.map(Path::to_path_buf));
    Ok(paths)
}
