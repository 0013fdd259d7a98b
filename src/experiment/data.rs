//! Finds data files: `accel-models/`, `workloads/`, `fleets/` and `policies/` in the user's folder and then among those that
//! this program ships, or any path that a user gives. Schedulers are looked up in a [`Registry`].

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::Error;
use super::list::distinct;
use super::registry::Registry;
use super::shipped::Shipped;
use crate::files::{Folders, InputError, did_you_mean};
use crate::fleet::FleetSpec;
use crate::hw::{AccelSpec, SystemSpec};
use crate::workload::{Model, Network, Scenario};

/// Resolves the names in an experiment: files, looked up in the first folder that has one, and schedulers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataRoot {
    /// The folders that hold `accel-models/` and `workloads/`.
    folders: Vec<PathBuf>,
    registry: Arc<Registry>,
}

/// The kinds of files that are looked up by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A sub-accelerator model.
    Accelerator,
    /// A system.
    System,
    /// A network.
    Network,
    /// A model: networks that do one task.
    Model,
    /// A scenario.
    Scenario,
    /// A fleet.
    Fleet,
    /// Measurements of a chip.
    Silicon,
    /// A trained policy.
    Policy,
}

impl Kind {
    fn noun(self) -> &'static str {
        match self {
            Self::Accelerator => "accelerator",
            Self::System => "system",
            Self::Network => "network",
            Self::Model => "model",
            Self::Scenario => "scenario",
            Self::Fleet => "fleet",
            Self::Silicon => "measurements",
            Self::Policy => "policy",
        }
    }
}

impl DataRoot {
    /// Finds the data folders: only `$MASCOT_DATA_DIR` if it is set; else the nearest ancestor of `near` that has one
    /// of the two folders, then that of the working directory, then [what this program ships](Shipped::folder).
    pub fn find(near: Option<&Path>) -> Result<Self, Error> {
        if let Some(dir) = std::env::var_os("MASCOT_DATA_DIR") {
            let dir = PathBuf::from(dir);
            return match FOLDERS.iter().all(|folder| dir.join(folder).is_dir()) {
                true => Ok(Self::of(vec![dir])),
                false => Err(Error::Usage(format!(
                    "MASCOT_DATA_DIR is {}: expected a folder with accel-models/ and workloads/",
                    dir.display()
                ))),
            };
        }
        let has_data = |dir: &Path| FOLDERS.iter().any(|folder| dir.join(folder).is_dir());
        let above = |start: PathBuf| start.ancestors().find(|dir| has_data(dir)).map(Path::to_path_buf);
        let near = near.and_then(|path| std::path::absolute(path).ok());
        let own = near.into_iter().chain(std::env::current_dir().ok()).filter_map(above);
        let roots = distinct(own.chain(Shipped::folder(has_data)?));
        if roots.is_empty() {
            let message = "no folder with accel-models/ and workloads/ here or above; set MASCOT_DATA_DIR";
            return Err(Error::Usage(message.into()));
        }
        Ok(Self::of(roots))
    }

    fn of(folders: Vec<PathBuf>) -> Self {
        Self { folders, registry: Arc::new(Registry::built_in()) }
    }

    /// The same folders with another registry of schedulers.
    #[must_use]
    pub fn with_registry(self, registry: Registry) -> Self {
        Self { registry: Arc::new(registry), ..self }
    }

    /// The schedulers that an experiment may name.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The first of the folders: the user's.
    pub fn path_of_root(&self) -> &Path {
        &self.folders[0]
    }

    /// A path relative to the data folder that holds it; the path itself if none does.
    pub fn relative<'a>(&self, path: &'a Path) -> &'a Path {
        self.folders.iter().find_map(|root| path.strip_prefix(root).ok()).unwrap_or(path)
    }

    /// The file of a path from [`Self::relative`]; an absolute path stays as it is.
    pub fn absolute(&self, relative: &Path) -> PathBuf {
        let mut paths = self.folders.iter().map(|root| root.join(relative));
        paths.find(|path| path.is_file()).unwrap_or_else(|| self.folders[0].join(relative))
    }

    /// The file of a path that a user gives. A relative path that leads nowhere from the working directory is looked up
    /// in the data folders: `experiments/NAME.toml` is then one that ships.
    pub fn located(&self, path: &Path) -> PathBuf {
        if path.exists() || path.is_absolute() {
            return path.to_path_buf();
        }
        let mut paths = self.folders.iter().map(|root| root.join(path));
        paths.find(|path| path.is_file()).unwrap_or_else(|| path.to_path_buf())
    }

    /// What names mean without the first of the folders, without the first two, and so on; last, to the program as it was
    /// built.
    pub(super) fn further_back(&self) -> impl Iterator<Item = Self> {
        let without = (1..self.folders.len()).map(|first| self.folders[first..].to_vec());
        let built = Shipped::unpacked_folder().ok().flatten().map(|folder| vec![folder]);
        let of = |folders| Self { folders, registry: Arc::clone(&self.registry) };
        without.chain(built).map(of)
    }

    /// The folders that hold the files of a kind.
    pub fn folders(&self, kind: Kind) -> Folders {
        let below = match kind {
            Kind::Accelerator => "accel-models",
            Kind::System => "accel-models/systems",
            Kind::Network => "workloads/networks",
            Kind::Model => "workloads/models",
            Kind::Scenario => "workloads/scenarios",
            Kind::Fleet => "fleets",
            Kind::Silicon => "accel-models/silicon",
            Kind::Policy => "policies",
        };
        Folders::new(self.folders.iter().map(|root| root.join(below)).collect())
    }

    /// All names of a kind, sorted.
    pub fn names(&self, kind: Kind) -> Vec<String> {
        self.folders(kind).names()
    }

    /// The file of a name; a name that ends in `.toml` is a path.
    pub fn path(&self, kind: Kind, name: &str) -> Result<PathBuf, Error> {
        if name.ends_with(".toml") {
            return Ok(self.located(Path::new(name)));
        }
        if let Some(path) = self.folders(kind).find(name) {
            return Ok(path);
        }
        let (noun, known) = (kind.noun(), self.names(kind));
        let hint = did_you_mean(name, &known);
        let known = known.join(", ");
        Err(Error::Usage(format!("no {noun} `{name}`{hint}; known: {known} (or a path to a .toml file)")))
    }

    /// Reads a system by name or path.
    pub fn system(&self, name: &str) -> Result<SystemSpec, Error> {
        let path = self.path(Kind::System, name)?;
        let system = SystemSpec::read(&path, self.folders(Kind::Accelerator))?;
        check_name(&path, &system.name)?;
        Ok(system)
    }

    /// Reads a scenario by name or path.
    pub fn scenario(&self, name: &str) -> Result<Scenario, Error> {
        let path = self.path(Kind::Scenario, name)?;
        let scenario = Scenario::read(&path, self.folders(Kind::Network), self.folders(Kind::Model))?;
        check_name(&path, &scenario.name)?;
        Ok(scenario)
    }

    /// Reads a network by name or path.
    pub fn network(&self, name: &str) -> Result<Network, Error> {
        let path = self.path(Kind::Network, name)?;
        let network = Network::read(&path)?;
        check_name(&path, &network.name)?;
        Ok(network)
    }

    /// Reads a model by name or path.
    pub fn model(&self, name: &str) -> Result<Model, Error> {
        let path = self.path(Kind::Model, name)?;
        let model = Model::read(&path, self.folders(Kind::Network))?;
        check_name(&path, &model.name)?;
        Ok(model)
    }

    /// Reads a fleet by name or path, with or without sites.
    pub fn topology(&self, name: &str) -> Result<FleetSpec, Error> {
        let path = self.path(Kind::Fleet, name)?;
        let fleet = FleetSpec::read(&path)?;
        check_name(&path, &fleet.name)?;
        Ok(fleet)
    }

    /// Reads a fleet by name or path, which must have a site.
    pub fn fleet(&self, name: &str) -> Result<FleetSpec, Error> {
        let fleet = self.topology(name)?;
        match fleet.sites.is_empty() {
            false => Ok(fleet),
            true => {
                let message = "it has no site yet: add a [[site]] with name, node and system";
                Err(InputError::file(&self.path(Kind::Fleet, name)?, message).into())
            }
        }
    }

    /// Reads an accelerator by name or path.
    pub fn accelerator(&self, name: &str) -> Result<AccelSpec, Error> {
        let path = self.path(Kind::Accelerator, name)?;
        let spec = AccelSpec::read(&path)?;
        check_name(&path, &spec.name)?;
        Ok(spec)
    }
}

/// Checks that the name in a file is the name of the file, because files are looked up by one and shown by the other.
pub fn check_name(path: &Path, name: &str) -> Result<(), InputError> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    if stem == name {
        return Ok(());
    }
    Err(InputError::file(path, format!("`name` is `{name}`: expected `{stem}`, the name of the file")))
}

/// The subfolders by which a data folder is recognised.
const FOLDERS: [&str; 2] = ["accel-models", "workloads"];
