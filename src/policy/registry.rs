//! The kinds of learned policies ([`POLICIES`]), and a trained policy as files: `<name>.safetensors` with its weights,
//! and `<name>.toml`, the manifest, which records what they are for and how they were trained.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{io, iter};

use serde::{Deserialize, Serialize};

use super::explore::{Exploration, Explorer};
use super::learned_gate::{self, LearnedGate, thrift};
use super::relmas::{self, Actor, Relmas};
use super::weights::{Tensors, WeightsError};
use crate::files::{InputError, Parameter, Price, RENAMED, Source, did_you_mean, sha256, write_atomic};
use crate::hw::{AccelSpec, SystemSpec};
use crate::rng::stream;
use crate::sim::Scheduler;

/// One kind of policy.
pub struct PolicyEntry {
    /// The name in experiments.
    pub name: &'static str,
    /// Its description in one sentence.
    pub doc: &'static str,
    /// Its source.
    pub source: &'static str,
    /// The name of its features: weights for other features are refused.
    pub features: &'static str,
    /// Policies of other features or of another kind whose weights can be carried over.
    pub earlier: &'static [Earlier],
    /// Its TOML parameters.
    pub parameters: &'static [Parameter],
    /// The parts that can be switched off.
    pub parts: &'static [Part],
    /// The weights as they are without some of these parts.
    pub without: Without,
    /// The experiment that trains it, of those that ship.
    pub training: &'static str,
    /// Makes the scheduler.
    pub build: Build,
    /// Whether its net does not depend on the number of accelerators, so that one policy serves every system.
    pub serves_any_system: bool,
    /// The weights before training, from a seed, for so many accelerators.
    pub untrained: fn(u64, usize) -> Tensors,
    /// Outputs of its net for an item of the queue, for so many accelerators: those that exploration shifts.
    pub outputs: fn(usize) -> usize,
    /// Features of an item of the queue, for so many accelerators.
    pub features_of: fn(usize) -> usize,
    /// Makes the scheduler that explores in training.
    pub explore: Explore,
}

impl PolicyEntry {
    /// Whether it has a parameter for the price of energy.
    pub fn knows_price(&self) -> bool {
        self.parameters.iter().any(|parameter| parameter.name == "energy")
    }

    /// Checks that it has these parts; the error says which it has.
    ///
    /// # Errors
    /// It has no such part.
    pub fn check_parts(&self, without: &[String]) -> Result<(), String> {
        let parts: Vec<&str> = self.parts.iter().map(|part| part.name).collect();
        match without.iter().find(|name| !parts.contains(&&name[..])) {
            None => Ok(()),
            Some(_) if parts.is_empty() => Err("it has no parts that can be switched off".into()),
            Some(name) => {
                let (hint, known) = (did_you_mean(name, &parts), parts.join(", "));
                Err(format!("no part `{name}`{hint}; known: {known}"))
            }
        }
    }
}

/// A function that takes parts away from weights.
pub type Without = fn(&[String], &Tensors) -> Result<Tensors, WeightsError>;

/// A function that makes the scheduler that explores, for so many accelerators, with its parameters.
pub type Explore = fn(&Tensors, usize, &Parameters, Exploration) -> Result<Box<dyn Explorer>, WeightsError>;

/// A function that makes the scheduler from the weights, for so many accelerators, with its parameters.
pub type Build = fn(&Tensors, usize, &Parameters) -> Result<Box<dyn Scheduler>, WeightsError>;

/// Policies whose weights can be carried over.
pub struct Earlier {
    /// Their kind.
    pub kind: &'static str,
    /// The name of their features.
    pub features: &'static str,
    /// How.
    pub carry: Carry,
}

/// A function that turns weights of another policy into weights of this one, with which it decides alike.
pub type Carry = fn(&Tensors) -> Result<Tensors, WeightsError>;

/// A part of a policy that can be switched off, to measure its value.
pub struct Part {
    /// The name in experiments.
    pub name: &'static str,
    /// Its description.
    pub doc: &'static str,
}

/// All kinds of policies.
pub const POLICIES: &[PolicyEntry] = &[
    PolicyEntry {
        name: "learned_gate",
        doc: "the walk of gated, in which a small net decides order, accelerator and whom to drop, trained by policy gradient",
        source: "ours",
        features: learned_gate::FEATURES,
        earlier: &[Earlier {
            kind: "learned_gate",
            features: learned_gate::FEATURES_BEFORE,
            carry: learned_gate::of_version_before,
        }],
        parameters: PARAMETERS,
        parts: learned_gate::PARTS,
        without: learned_gate::tensors_without,
        training: "experiments/train-learned_gate.toml",
        build: |weights, _, with| {
            Ok(Box::new(LearnedGate::without(&with.without, learned_gate::weights(weights)?)))
        },
        serves_any_system: true,
        untrained: |seed, _| learned_gate::tensors(learned_gate::untrained(seed)),
        outputs: |_| learned_gate::NET[2],
        features_of: |_| learned_gate::NET[0],
        explore: |weights, _, with, exploration| {
            let policy = LearnedGate::without(&with.without, learned_gate::weights(weights)?);
            Ok(Box::new(policy.exploring(exploration)))
        },
    },
    PolicyEntry {
        name: "thrifty_gate",
        doc: "learned_gate with a price on energy: a second net shifts what the first says, by the price",
        source: "ours",
        features: thrift::FEATURES,
        earlier: &[Earlier {
            kind: "learned_gate",
            features: learned_gate::FEATURES,
            carry: thrift::of_learned_gate,
        }],
        parameters: PARAMETERS_WITH_PRICE,
        parts: &[],
        without: HAS_NO_PARTS,
        training: "experiments/train-thrifty_gate.toml",
        build: |weights, _, with| Ok(Box::new(thrift::policy(weights, with.energy.0)?)),
        serves_any_system: true,
        untrained: |seed, _| thrift::untrained(seed),
        outputs: |_| thrift::NET[2],
        features_of: |_| thrift::NET[0],
        explore: |weights, _, with, exploration| {
            Ok(Box::new(thrift::policy(weights, with.energy.0)?.exploring(exploration)))
        },
    },
    PolicyEntry {
        name: "relmas",
        doc: "an LSTM over the open sub-jobs that scales the terms of a rule (order, accelerator, waiting), trained by policy gradient",
        source: "the public outline of RELMAS (DAC 2024)",
        features: relmas::FEATURES,
        earlier: &[],
        parameters: PARAMETERS,
        parts: &[],
        without: HAS_NO_PARTS,
        training: "experiments/train-hetero-6-relmas.toml",
        build: |weights, accelerators, _| Ok(Box::new(Relmas::new(Actor::new(weights, accelerators)?))),
        serves_any_system: false,
        untrained: |seed, accelerators| {
            relmas::untrained(accelerators, relmas::HIDDEN, &mut stream(seed, "policy", "relmas"))
        },
        outputs: super::outputs,
        features_of: super::features,
        explore: |weights, accelerators, _, exploration| {
            Ok(Box::new(Relmas::exploring(Actor::new(weights, accelerators)?, exploration)))
        },
    },
];

/// Of a policy without parts nothing can be taken away.
const HAS_NO_PARTS: Without = |_, weights| Ok(weights.clone());

const POLICY: Parameter = Parameter {
    name: "policy",
    default: "\"<scheduler>-<system>\"",
    doc: "a name in policies/, or the path of a manifest; where there is none of that name, `<scheduler>` if it serves every system",
};

const TRANSFER: Parameter = Parameter {
    name: "transfer",
    default: "false",
    doc: "allow systems other than the one that it was trained for",
};

const WITHOUT: Parameter = Parameter {
    name: "without",
    default: "[]",
    doc: "parts to switch off, for an ablation; see `mascot list parts`",
};

const PARAMETERS: &[Parameter] = &[POLICY, TRANSFER, WITHOUT];

const PARAMETERS_WITH_PRICE: &[Parameter] = &[
    POLICY,
    TRANSFER,
    WITHOUT,
    Parameter {
        name: "energy",
        default: "0",
        doc: "the price of the least energy of a mean request, in deadlines met; with 0 it is `learned_gate`",
    },
];

/// The entry of a name.
pub fn find(name: &str) -> Option<&'static PolicyEntry> {
    POLICIES.iter().find(|entry| entry.name == name)
}

/// The TOML parameters of a learned scheduler.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// The name of the policy, or the path of its manifest.
    pub policy: Option<String>,
    /// Whether the policy may run on a system other than its own.
    pub transfer: bool,
    /// The names of the parts that are switched off.
    pub without: Vec<String>,
    /// The price of energy, for policies that know one.
    pub energy: Price,
}

/// A manifest: what a policy is for and how it was trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The kind of policy: a name of [`POLICIES`].
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
    /// The generations or iterations of the training until these weights.
    pub generations: u64,
    /// The first validation seed, and how many there are of every case.
    pub validation_seeds: [u64; 2],
    /// The mean SLA rate on the validation seeds.
    pub validation_sla_rate: f64,
    /// Names and shapes of the tensors.
    pub tensors: BTreeMap<String, Vec<usize>>,
    /// The SLA rates of the baseline schedulers on the validation seeds.
    pub baselines: BTreeMap<String, f64>,
    /// The text of the experiment file of its training, which has all other settings.
    pub training: String,
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

/// A policy, read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Its manifest.
    pub manifest: Manifest,
    /// Its weights.
    pub weights: Tensors,
}

impl Policy {
    /// The file of the weights beside a manifest.
    pub fn weights_path(manifest: &Path) -> PathBuf {
        manifest.with_extension("safetensors")
    }

    /// Reads a manifest alone.
    ///
    /// # Errors
    /// It is missing or damaged.
    pub fn read_manifest(path: &Path) -> Result<Manifest, InputError> {
        Source::read(path)?.parse()
    }

    /// Reads a manifest and the weights beside it.
    ///
    /// # Errors
    /// A file is missing or damaged, or belongs to another kind or version.
    pub fn read(path: &Path, kind: &PolicyEntry) -> Result<Self, InputError> {
        let source = Source::read(path)?;
        let mut manifest: Manifest = source.parse()?;
        let carry = (kind.earlier.iter())
            .find(|earlier| earlier.kind == manifest.kind && earlier.features == manifest.features);
        let mut kinds: Vec<&str> =
            iter::once(kind.name).chain(kind.earlier.iter().map(|of| of.kind)).collect();
        kinds.dedup();
        let features: Vec<&str> =
            iter::once(kind.features).chain(kind.earlier.iter().map(|of| of.features)).collect();
        for (key, found, allowed) in
            [("kind", &manifest.kind, &kinds), ("features", &manifest.features, &features)]
        {
            if !allowed.contains(&&found[..]) {
                let hint = did_you_mean(found, allowed.iter().copied());
                let message = format!("`{key}` is `{found}`{hint}: expected `{}`", allowed.join("` or `"));
                return Err(source.error_at_top(message));
            }
        }
        let path = Self::weights_path(path);
        let weights = Tensors::read(&path)?;
        let bytes = weights.to_bytes().map_err(|e| InputError::file(&path, e))?;
        if sha256(&bytes) != manifest.weights_sha256 {
            let message = "its SHA-256 is not `weights_sha256` of the manifest: the file is damaged, or belongs to \
                           another policy";
            return Err(InputError::file(&path, message));
        }
        let weights = match carry {
            Some(earlier) => (earlier.carry)(&weights).map_err(|e| InputError::file(&path, e))?,
            None => weights,
        };
        manifest.kind = kind.name.into();
        Ok(Self { manifest, weights })
    }

    /// Whether it was trained for the accelerators that this system has, or serves every system.
    pub fn is_for(&self, system: &SystemSpec) -> bool {
        let serves_any = find(&self.manifest.kind).is_some_and(|kind| kind.serves_any_system);
        serves_any || self.manifest.system_sha256 == system_sha256(system)
    }

    /// Why a policy may not be [for](Self::is_for) a system of that name after all: `; ` and a sentence, or nothing.
    pub fn doubt(&self, system: &SystemSpec) -> &'static str {
        let Manifest { system: name, version, .. } = &self.manifest;
        let is_renamed = RENAMED.iter().any(|(old, new)| old == name && *new == system.name);
        match version.starts_with("0.1.") && (is_renamed || *name == system.name) {
            true => {
                "; mascot 0.1 made `system_sha256` in another way, so a manifest of that time does not match"
            }
            false => "",
        }
    }

    /// Writes both files; the manifest, which names the weights' hash, comes last.
    ///
    /// # Errors
    /// A file cannot be written, or a weight is not finite.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let bytes = self.weights.to_bytes().map_err(io::Error::other)?;
        let manifest = Manifest { weights_sha256: sha256(&bytes), ..self.manifest.clone() };
        self.weights.write(&Self::weights_path(path))?;
        let text = toml::to_string(&manifest).expect("a manifest is plain data");
        write_atomic(path, text.as_bytes())
    }

    /// The scheduler of the policy on a system of so many accelerators.
    ///
    /// # Errors
    /// The weights are of another size.
    pub fn scheduler(
        &self,
        accelerators: usize,
        with: &Parameters,
    ) -> Result<Box<dyn Scheduler>, WeightsError> {
        let kind = find(&self.manifest.kind).expect("its kind was checked when it was read");
        let without = self.manifest.without.iter().chain(&with.without).cloned().collect();
        (kind.build)(&self.weights, accelerators, &Parameters { without, ..with.clone() })
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
