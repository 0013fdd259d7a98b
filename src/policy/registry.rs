//! The kinds of learned policies ([`POLICIES`]), and a trained policy as files: `<name>.safetensors` with its weights,
//! and `<name>.toml`, the manifest, which records what they are for and how they were trained.

use std::path::{Path, PathBuf};
use std::{fs, io, iter};

use serde::Deserialize;

use super::explore::{Exploration, Explorer};
use super::learned_gate::{self, LearnedGate, cuts, thrift};
use super::manifest::{Manifest, system_sha256};
use super::mlp::{self, Mlp};
use super::relmas::{self, Actor, Relmas};
use super::weights::{Tensors, WeightsError};
use crate::files::{InputError, Parameter, Price, RENAMED, Source, did_you_mean, sha256, write_atomic};
use crate::hw::SystemSpec;
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
    /// Whether its net does not depend on the number of accelerators, so that one policy serves every system.
    pub serves_any_system: bool,
    /// Where its weights come from.
    pub made: Made,
}

/// Where the weights of a kind of policy come from.
pub enum Made {
    /// `mascot train` learns them.
    Trained(Trained),
    /// Other programs learn them, and `mascot.export_policy` of the Python package writes them. The function makes the
    /// scheduler from the policy, for so many accelerators.
    Exported(OfPolicy),
}

/// What training a kind of policy needs.
pub struct Trained {
    /// The weights as they are without some of the policy's parts.
    pub without: TakeAway,
    /// The experiment that trains it, of those that ship.
    pub training: &'static str,
    /// Makes the scheduler.
    pub build: Build,
    /// The weights before training, from a seed, for so many accelerators.
    pub untrained: fn(u64, usize) -> Tensors,
    /// The outputs of its net for an item of the queue, for so many accelerators: the range in which each has an effect.
    /// Exploration shifts all of them.
    pub ranges: fn(usize) -> Vec<Range>,
    /// Features of an item of the queue, for so many accelerators.
    pub features_of: fn(usize) -> usize,
    /// Makes the scheduler that explores in training.
    pub explore: Explore,
}

impl Trained {
    /// The weights that some of the policy's parts take away with them, as indices into weights like these.
    ///
    /// # Errors
    /// They are not weights of the policy.
    pub fn weights_of(&self, parts: &[String], like: &Tensors) -> Result<Vec<usize>, WeightsError> {
        let ones = like.with_flat(&vec![1.0; like.flat().len()]);
        let left = (self.without)(parts, &ones)?.flat();
        Ok((0..left.len()).filter(|&weight| left[weight] == 0.0).collect())
    }
}

impl PolicyEntry {
    /// What training it needs; `None` if its weights are made elsewhere.
    pub fn trained(&self) -> Option<&Trained> {
        match &self.made {
            Made::Trained(trained) => Some(trained),
            Made::Exported(_) => None,
        }
    }

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

/// The range of an output in which it has an effect: least and largest.
pub type Range = [f32; 2];

/// A function that makes the scheduler of a policy, for so many accelerators.
pub type OfPolicy = fn(&Policy, usize) -> Result<Box<dyn Scheduler>, WeightsError>;

/// A function that takes parts away from weights.
pub type TakeAway = fn(&[String], &Tensors) -> Result<Tensors, WeightsError>;

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

const fn earlier(kind: &'static str, features: &'static str, carry: Carry) -> Earlier {
    Earlier { kind, features, carry }
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
        doc: "the walk of gated, in which a small net decides order, accelerator and whom to drop, trained by evolution strategies and policy gradient",
        source: "ours",
        features: learned_gate::FEATURES,
        earlier: &[
            earlier("learned_gate", learned_gate::FEATURES_2, learned_gate::of_version_2),
            earlier("learned_gate", learned_gate::FEATURES_3, learned_gate::of_version_3),
        ],
        parameters: PARAMETERS,
        parts: learned_gate::PARTS,
        serves_any_system: true,
        made: Made::Trained(Trained {
            without: learned_gate::tensors_without,
            training: "experiments/train-learned_gate.toml",
            build: |weights, _, with| {
                Ok(Box::new(LearnedGate::without(&with.without, learned_gate::weights(weights)?)))
            },
            untrained: |seed, _| learned_gate::tensors(learned_gate::untrained(seed)),
            ranges: |_| learned_gate::RANGES.to_vec(),
            features_of: |_| learned_gate::NET[0],
            explore: |weights, _, with, exploration| {
                let policy = LearnedGate::without(&with.without, learned_gate::weights(weights)?);
                Ok(Box::new(policy.exploring(exploration)))
            },
        }),
    },
    PolicyEntry {
        name: "thrifty_gate",
        doc: "learned_gate with a price on energy: a second net shifts what the first says, by the price",
        source: "ours",
        features: thrift::FEATURES,
        earlier: &[
            earlier("thrifty_gate", thrift::FEATURES_1, thrift::of_version_1),
            earlier("learned_gate", learned_gate::FEATURES, thrift::of_learned_gate),
            earlier("learned_gate", learned_gate::FEATURES_3, |before| {
                thrift::of_learned_gate(&learned_gate::of_version_3(before)?)
            }),
        ],
        parameters: PARAMETERS_WITH_PRICE,
        parts: &[],
        serves_any_system: true,
        made: Made::Trained(Trained {
            without: HAS_NO_PARTS,
            training: "experiments/train-thrifty_gate.toml",
            build: |weights, _, with| Ok(Box::new(thrift::policy(weights, with.energy.0)?)),
            untrained: |seed, _| thrift::untrained(seed),
            ranges: |_| thrift::RANGES.to_vec(),
            features_of: |_| thrift::NET[0],
            explore: |weights, _, with, exploration| {
                Ok(Box::new(thrift::policy(weights, with.energy.0)?.exploring(exploration)))
            },
        }),
    },
    PolicyEntry {
        name: "split_gate",
        doc: "learned_gate for layers in parts (max_sub_job_us): a second net chooses where a layer is cut",
        source: "ours",
        features: cuts::FEATURES,
        earlier: &[
            earlier("split_gate", cuts::FEATURES_1, cuts::of_version_1),
            earlier("learned_gate", learned_gate::FEATURES, cuts::of_learned_gate),
            earlier("learned_gate", learned_gate::FEATURES_3, |before| {
                cuts::of_learned_gate(&learned_gate::of_version_3(before)?)
            }),
        ],
        parameters: &[POLICY, TRANSFER],
        parts: &[],
        serves_any_system: true,
        made: Made::Trained(Trained {
            without: HAS_NO_PARTS,
            training: "experiments/train-split_gate.toml",
            build: |weights, _, _| Ok(Box::new(cuts::policy(weights)?)),
            untrained: |seed, _| cuts::untrained(seed),
            ranges: |_| cuts::RANGES.to_vec(),
            features_of: |_| cuts::NET[0],
            explore: |weights, _, _, exploration| Ok(Box::new(cuts::policy(weights)?.exploring(exploration))),
        }),
    },
    PolicyEntry {
        name: "relmas",
        doc: "an LSTM over the open sub-jobs that scales the terms of a rule (order, accelerator, waiting), trained by policy gradient",
        source: "the public outline of RELMAS (DAC 2024)",
        features: relmas::FEATURES,
        earlier: &[],
        parameters: PARAMETERS,
        parts: &[],
        serves_any_system: false,
        made: Made::Trained(Trained {
            without: HAS_NO_PARTS,
            training: "experiments/train-hetero-6-relmas.toml",
            build: |weights, accelerators, _| Ok(Box::new(Relmas::new(Actor::new(weights, accelerators)?))),
            untrained: |seed, accelerators| {
                relmas::untrained(accelerators, relmas::HIDDEN, &mut stream(seed, "policy", "relmas"))
            },
            ranges: |accelerators| vec![[-1.0, 1.0]; relmas::outputs(accelerators)],
            features_of: super::features,
            explore: |weights, accelerators, _, exploration| {
                Ok(Box::new(Relmas::exploring(Actor::new(weights, accelerators)?, exploration)))
            },
        }),
    },
    PolicyEntry {
        name: "mlp",
        doc: "a feed-forward net that was learned elsewhere: it scores each accelerator, and holding, for every open sub-job",
        source: "the caller's own",
        features: mlp::FEATURES,
        earlier: &[],
        parameters: &[POLICY, TRANSFER],
        parts: &[],
        serves_any_system: false,
        made: Made::Exported(Mlp::of),
    },
];

/// Of a policy without parts nothing can be taken away.
const HAS_NO_PARTS: TakeAway = |_, weights| Ok(weights.clone());

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
        doc: "the price of the least energy of a mean request, in deadlines met; with 0 the second net is left out",
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
        if kind.trained().is_some()
            && let Some(key) = manifest.lacks()
        {
            return Err(source.error_at_top(format!("missing field `{key}`")));
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

    /// Writes both files, the manifest, which names the weights' hash, last. Where that fails, the weights are as before.
    ///
    /// # Errors
    /// A file cannot be written, or a weight is not finite.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let bytes = self.weights.to_bytes().map_err(io::Error::other)?;
        let manifest = Manifest { weights_sha256: sha256(&bytes), ..self.manifest.clone() };
        let text = toml::to_string(&manifest).expect("a manifest is plain data");
        let weights = Self::weights_path(path);
        let before = fs::read(&weights).ok();
        write_atomic(&weights, &bytes)?;
        write_atomic(path, text.as_bytes()).inspect_err(|_| {
            // What cannot be put back is found by its hash.
            let _ =
                before.map_or_else(|| fs::remove_file(&weights), |before| write_atomic(&weights, &before));
        })
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
        let with = Parameters { without, ..with.clone() };
        match &kind.made {
            Made::Trained(trained) => (trained.build)(&self.weights, accelerators, &with),
            Made::Exported(build) => build(self, accelerators),
        }
    }
}
