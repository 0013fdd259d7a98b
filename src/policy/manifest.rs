//! The manifest of a policy: what it is for and how it was trained.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::mlp::Activation;
use crate::files::sha256;
use crate::hw::{AccelSpec, SystemSpec};

/// A manifest: what a policy is for and how it was trained.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The kind of policy: a name of [`super::POLICIES`].
    pub kind: String,
    /// Version and meaning of its inputs.
    pub features: String,
    /// The system that it was trained for; several names are separated by commas.
    pub system: String,
    /// SHA-256 of that system's accelerators; of several systems that of their hashes.
    pub system_sha256: String,
    /// The accelerators of the only system; none in manifests of earlier versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trained_for: Vec<TrainedFor>,
    /// SHA-256 of the weights' file.
    pub weights_sha256: String,
    /// SHA-256 of the weights that its training started from, if they were those of another policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_sha256: Option<String>,
    /// The parts that it was trained without, and runs without.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// The version of mascot that trained it.
    pub version: String,
    /// The commit that was built, if it is known and its sources were unchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The generations or iterations of the training until these weights; this and what follows on the training is there
    /// where `mascot train` made the policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generations: Option<u64>,
    /// The first validation seed, and how many there are of every case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_seeds: Option<[u64; 2]>,
    /// The mean SLA rate on the validation seeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_sla_rate: Option<f64>,
    /// What each layer of an exported net does to its sums.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub activations: Vec<Activation>,
    /// Names and shapes of the tensors.
    pub tensors: BTreeMap<String, Vec<usize>>,
    /// The SLA rates of the baseline schedulers on the validation seeds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub baselines: BTreeMap<String, f64>,
    /// The text of the experiment file of its training, which has all other settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<String>,
}

/// An accelerator model for which a policy was trained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainedFor {
    /// Its name.
    pub name: String,
    /// Where it stands among the accelerators of the system, counted from 0.
    pub places: Vec<usize>,
    /// All that decides costs, as JSON.
    pub costs: String,
}

impl Manifest {
    /// A key on the training that is missing.
    pub(super) fn lacks(&self) -> Option<&'static str> {
        let Self { generations, validation_seeds, validation_sla_rate, training, .. } = self;
        let keys = [
            ("generations", generations.is_some()),
            ("validation_seeds", validation_seeds.is_some()),
            ("validation_sla_rate", validation_sla_rate.is_some()),
            ("training", training.is_some()),
        ];
        keys.into_iter().find(|(_, is_there)| !is_there).map(|(key, _)| key)
    }

    /// The accelerators by place: the name of each, and all that decides its costs as JSON. `None` where the manifest does
    /// not have them, or they are not those of `system_sha256`.
    pub fn accelerators(&self) -> Option<Vec<(&str, &str)>> {
        let count = self.trained_for.iter().map(|of| of.places.len()).sum();
        let at = |place: usize| self.trained_for.iter().find(|of| of.places.contains(&place));
        let all: Vec<&TrainedFor> = (0..count).map(at).collect::<Option<_>>()?;
        let costs: Vec<&str> = all.iter().map(|of| of.costs.as_str()).collect();
        (hash(&costs) == self.system_sha256)
            .then(|| all.iter().map(|of| (&of.name[..], &of.costs[..])).collect())
    }
}

/// SHA-256 of a system's accelerators as JSON: a list of them in order, each an object with everything that decides the
/// costs of layers, as [`AccelSpec`] is serialised. Names and sources are left out, and so is the DRAM, as a policy
/// serves many bandwidths.
pub fn system_sha256(system: &SystemSpec) -> String {
    let models = system.accelerators.iter().map(|accelerator| &system.models[accelerator.model]);
    hash(&models.map(json).collect::<Vec<_>>())
}

/// SHA-256 of the systems that a policy was trained for: of one, [`system_sha256`]; of several, that of their hashes.
pub fn systems_sha256(systems: &[SystemSpec]) -> String {
    let each: Vec<String> = systems.iter().map(system_sha256).collect();
    if let [one] = &each[..] { one.clone() } else { sha256(each.concat().as_bytes()) }
}

/// The hash of accelerators by place.
fn hash(accelerators: &[impl AsRef<str>]) -> String {
    let all: Vec<&str> = accelerators.iter().map(AsRef::as_ref).collect();
    sha256(format!("[{}]", all.join(",")).as_bytes())
}

fn json(model: &AccelSpec) -> String {
    serde_json::to_string(model).expect("numbers and words are written without fail")
}

/// The accelerators of a system, for the manifest of a policy.
pub fn trained_for(system: &SystemSpec) -> Vec<TrainedFor> {
    let of_model = |(number, model): (usize, &AccelSpec)| TrainedFor {
        name: model.name.clone(),
        places: (0..system.accelerators.len())
            .filter(|&at| system.accelerators[at].model == number)
            .collect(),
        costs: json(model),
    };
    system.models.iter().enumerate().map(of_model).filter(|of| !of.places.is_empty()).collect()
}
