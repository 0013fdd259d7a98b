//! Where the data files are: `accel-models/`, `workloads/`, `experiments/` below one root, or any path that a user
//! writes.

use std::path::{Path, PathBuf};

use super::Error;
use crate::files::{InputError, did_you_mean, names_in};
use crate::hw::{AccelSpec, SystemSpec};
use crate::workload::{Network, Scenario};

/// The folder that holds `accel-models/` and `workloads/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataRoot(PathBuf);

/// What is looked up by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A sub-accelerator model.
    Accelerator,
    /// A system.
    System,
    /// A network.
    Network,
    /// A scenario.
    Scenario,
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
            Self::Scenario => "scenario",
            Self::Silicon => "measurements",
            Self::Policy => "policy",
        }
    }
}

impl DataRoot {
    /// `$MASCOT_DATA_DIR`; else the nearest ancestor of `near`, then of the working directory, that has the two
    /// folders; else the source tree this program was built from.
    pub fn find(near: Option<&Path>) -> Result<Self, Error> {
        if let Some(dir) = std::env::var_os("MASCOT_DATA_DIR") {
            let dir = PathBuf::from(dir);
            return match is_root(&dir) {
                true => Ok(Self(dir)),
                false => Err(Error::Usage(format!(
                    "MASCOT_DATA_DIR is {}: expected a folder with accel-models/ and workloads/",
                    dir.display()
                ))),
            };
        }
        let near = near.and_then(|path| std::path::absolute(path).ok());
        let starts = near.into_iter().chain(std::env::current_dir().ok());
        let mut candidates: Vec<PathBuf> =
            starts.flat_map(|start| start.ancestors().map(Path::to_path_buf).collect::<Vec<_>>()).collect();
        candidates.push(PathBuf::from(env!("CARGO_MANIFEST_DIR")));
        candidates.into_iter().find(|dir| is_root(dir)).map(Self).ok_or_else(|| {
            Error::Usage(
                "no folder with accel-models/ and workloads/ here or above; set MASCOT_DATA_DIR".into(),
            )
        })
    }

    /// The folder itself.
    pub fn path_of_root(&self) -> &Path {
        &self.0
    }

    /// A path as seen from the folder, if it lies in it.
    pub fn relative<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(&self.0).unwrap_or(path)
    }

    /// The folder of a kind.
    pub fn folder(&self, kind: Kind) -> PathBuf {
        self.0.join(match kind {
            Kind::Accelerator => "accel-models",
            Kind::System => "accel-models/systems",
            Kind::Network => "workloads/networks",
            Kind::Scenario => "workloads/scenarios",
            Kind::Silicon => "accel-models/silicon",
            Kind::Policy => "policies",
        })
    }

    /// All names of a kind, sorted.
    pub fn names(&self, kind: Kind) -> Vec<String> {
        names_in(&self.folder(kind))
    }

    /// The file of a name; a name that ends in `.toml` is a path of the user's.
    pub fn path(&self, kind: Kind, name: &str) -> Result<PathBuf, Error> {
        if name.ends_with(".toml") {
            return Ok(PathBuf::from(name));
        }
        let path = self.folder(kind).join(format!("{name}.toml"));
        if path.is_file() {
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
        let system = SystemSpec::read(&path, &self.folder(Kind::Accelerator))?;
        check_name(&path, &system.name)?;
        Ok(system)
    }

    /// Reads a scenario by name or path.
    pub fn scenario(&self, name: &str) -> Result<Scenario, Error> {
        let path = self.path(Kind::Scenario, name)?;
        let scenario = Scenario::read(&path, &self.folder(Kind::Network))?;
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

    /// Reads an accelerator by name or path.
    pub fn accelerator(&self, name: &str) -> Result<AccelSpec, Error> {
        let path = self.path(Kind::Accelerator, name)?;
        let spec = AccelSpec::read(&path)?;
        check_name(&path, &spec.name)?;
        Ok(spec)
    }
}

/// What is looked up by its file's name and shown by the name inside must have one name.
pub fn check_name(path: &Path, name: &str) -> Result<(), InputError> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    if stem == name {
        return Ok(());
    }
    Err(InputError::file(path, format!("`name` is `{name}`: expected `{stem}`, the name of the file")))
}

fn is_root(dir: &Path) -> bool {
    dir.join("accel-models").is_dir() && dir.join("workloads").is_dir()
}
