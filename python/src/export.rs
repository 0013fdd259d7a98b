//! Nets that were learned in Python, as policies that the program runs.

use std::path::PathBuf;

use mascot::experiment::{DataRoot, Error};
use mascot::files::did_you_mean;
use mascot::policy::mlp::{self, Activation};
use mascot::policy::{Policy, Tensors, features};
use numpy::{PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::errors::{config, exception, guarded};

/// A layer: weights \[outputs, inputs\], a bias \[outputs\], and the name of the activation.
type Layer<'py> = (PyReadonlyArray2<'py, f32>, PyReadonlyArray1<'py, f32>, String);

/// Writes a net as a policy of the kind `mlp` for a system: the manifest of this path and the weights beside it.
#[pyfunction]
pub(crate) fn export_policy(
    path: PathBuf,
    layers: Vec<Layer<'_>>,
    system: &str,
    overwrite: bool,
) -> PyResult<()> {
    guarded(|| {
        let system =
            DataRoot::find(None).and_then(|data| data.system(system)).map_err(|error| exception(&error))?;
        let mut tensors = Tensors::default();
        let mut activations = Vec::new();
        for (number, (weight, bias, activation)) in layers.iter().enumerate() {
            activations
                .push(named(activation).map_err(|message| config(format!("layer {number}: {message}")))?);
            tensors.insert(format!("{number}.weight"), weight.shape(), weight.as_slice()?.to_vec());
            tensors.insert(format!("{number}.bias"), bias.shape(), bias.as_slice()?.to_vec());
        }
        let policy = mlp::policy(tensors, activations, &system).map_err(|error| {
            let accelerators = system.accelerators.len();
            let (inputs, outputs) = (features(accelerators), accelerators + 1);
            config(format!(
                "{error}; for `{}` the first layer has {inputs} inputs, a row of `sub_jobs` and `queue`, and the last one \
                 {outputs} outputs, a score for each accelerator and one for holding",
                system.name
            ))
        })?;
        let files = [path.clone(), Policy::weights_path(&path)];
        if let Some(file) = files.iter().find(|file| !overwrite && file.exists()) {
            return Err(config(format!("{} is there already: overwrite=True replaces it", file.display())));
        }
        policy.write(&path).map_err(|source| exception(&Error::writing(&path, source)))
    })
}

fn named(name: &str) -> Result<Activation, String> {
    Activation::ALL.into_iter().find(|activation| activation.name() == name).ok_or_else(|| {
        let known = Activation::ALL.map(Activation::name);
        format!("no activation `{name}`{}; known: {}", did_you_mean(name, known), known.join(", "))
    })
}
