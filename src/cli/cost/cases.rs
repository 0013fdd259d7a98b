//! Input of `cost verify` and `cost search`: the cases of a file, each with its accelerator.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::cost::Case;
use crate::experiment::{DataRoot, Error};
use crate::files::InputError;
use crate::hw::AccelSpec;

/// The cases of one file.
pub(super) struct CaseFile {
    path: PathBuf,
    pub(super) cases: Vec<Case>,
    accelerators: BTreeMap<String, AccelSpec>,
}

impl CaseFile {
    /// Reads the cases and looks up the accelerators that they name.
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let cases = Case::read_all(path)?;
        if cases.is_empty() {
            return Err(
                InputError::file(path, "no case in this file: expected one JSON object a line").into()
            );
        }
        let data = DataRoot::find(None)?;
        let mut accelerators = BTreeMap::new();
        for case in &cases {
            if !accelerators.contains_key(&case.arch) {
                let accel =
                    data.accelerator(&case.arch).map_err(|e| InputError::at_line(path, case.line, e))?;
                accelerators.insert(case.arch.clone(), accel);
            }
        }
        Ok(Self { path: path.to_path_buf(), cases, accelerators })
    }

    /// The names of the accelerators, sorted.
    pub(super) fn architectures(&self) -> impl Iterator<Item = &str> {
        self.accelerators.keys().map(String::as_str)
    }

    /// Applies `act` to a case and its accelerator; an error gets file and line.
    pub(super) fn at<T>(
        &self,
        case: &Case,
        act: impl FnOnce(&AccelSpec) -> Result<T, String>,
    ) -> Result<T, InputError> {
        act(&self.accelerators[&case.arch]).map_err(|e| InputError::at_line(&self.path, case.line, e))
    }
}
