//! A learned policy that does not fit the system of a run: what differs, and the two ways out.
//!
//! A manifest has the accelerators that its policy was trained for. One of an earlier version has only their hash: then
//! what they were is known where another definition of the system is at hand that has this hash, in a data folder
//! further back or among the files that the program ships.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::data::{DataRoot, Kind};
use super::schedulers::SchedulerChoice;
use crate::files::quoted;
use crate::hw::{AccelSpec, Level, SystemSpec};
use crate::policy::{Made, Parameters, Policy, PolicyEntry, Trained};

/// The most differences that a message names.
const SHOWN: usize = 5;

/// How to go on where a learned scheduler has no policy for a system: the commands and entries to write. `named` is the
/// policy that the experiment names, if there is one.
pub(super) fn ways_out(
    choice: &SchedulerChoice,
    kind: &PolicyEntry,
    named: Option<&str>,
    system: &SystemSpec,
    data: &DataRoot,
) -> String {
    let is_known = data.folders(Kind::System).find(&system.name).is_some();
    let (name, word) = (&system.name, if is_known { &system.name[..] } else { "SYSTEM.toml" });
    let out = format!("results/train-{name}");
    let own = entry(choice, &format!("{out}/{}-{name}.toml", kind.name), false);
    let mut text = match &kind.made {
        Made::Trained(Trained { training, .. }) => {
            let set = quoted(&format!("systems={word}"));
            let train = format!("mascot train {training} --set {set} --out {}", quoted(&out));
            format!("\n  train one, and name it:\n    {train}\n    {own}")
        }
        Made::Exported(_) => {
            let path = format!("{out}/{}-{name}", kind.name);
            let export = format!("mascot.export_policy({path:?}, layers, system={word:?})");
            format!("\n  export one from Python, and name it:\n    {export}\n    {own}")
        }
    };
    if let Some(other) = named.map(str::to_string).or_else(|| transferable(kind, system, data)) {
        text += "\n  or run one that was trained for other accelerators, which may be worse:\n    ";
        text += &entry(choice, &other, true);
    }
    text
}

/// A policy that runs on so many accelerators; the first by name.
fn transferable(kind: &PolicyEntry, system: &SystemSpec, data: &DataRoot) -> Option<String> {
    data.names(Kind::Policy).into_iter().find(|name| {
        let policy = data.path(Kind::Policy, name).ok().and_then(|path| Policy::read(&path, kind).ok());
        policy
            .is_some_and(|policy| policy.scheduler(system.accelerators.len(), &Parameters::default()).is_ok())
    })
}

/// The entry of `schedulers` that runs another policy, and is otherwise as it was.
fn entry(choice: &SchedulerChoice, policy: &str, transfer: bool) -> String {
    let name = &choice.entry.name;
    let mut keys = vec![format!("name = {name:?}")];
    if choice.label != *name {
        keys.push(format!("label = {:?}", choice.label));
    }
    let kept = choice.parameters.iter().filter(|(key, _)| !["policy", "transfer"].contains(&&key[..]));
    keys.extend(kept.map(|(key, value)| format!("{key} = {value}")));
    keys.push(format!("policy = {policy:?}"));
    keys.extend(transfer.then(|| "transfer = true".to_string()));
    format!("{{ {} }}", keys.join(", "))
}

/// What has changed of the accelerators that a policy was trained for, a line for each difference; nothing where they
/// are not known.
pub fn what_changed(policy: &Policy, system: &SystemSpec, data: &DataRoot) -> String {
    let of_manifest = policy.manifest.accelerators();
    let of_manifest = of_manifest.and_then(|all| all.into_iter().map(Known::read).collect());
    let earlier = |data: DataRoot| data.system(&policy.manifest.system).ok().filter(|it| policy.is_for(it));
    let of_folders = || Some(accelerators(&data.further_back().find_map(earlier)?));
    let Some(trained) = of_manifest.or_else(of_folders) else { return String::new() };
    let told = differences(&trained, system);
    let mut text: String = told.iter().take(SHOWN).map(|line| format!("\n  {line}")).collect();
    if told.len() > SHOWN {
        text += &format!("\n  and {} more", told.len() - SHOWN);
    }
    text
}

/// An accelerator, as far as it decides costs.
struct Known {
    name: String,
    costs: Value,
}

impl Known {
    fn read((name, costs): (&str, &str)) -> Option<Self> {
        let costs: Value = serde_json::from_str(costs).ok()?;
        costs.is_object().then(|| Self { name: name.into(), costs })
    }
}

/// The accelerators of a system, by place.
fn accelerators(system: &SystemSpec) -> Vec<Known> {
    let model = |spec: &AccelSpec| Known {
        name: spec.name.clone(),
        costs: serde_json::to_value(spec).expect("numbers and words are written without fail"),
    };
    system.accelerators.iter().map(|accelerator| model(&system.models[accelerator.model])).collect()
}

/// The differences of the accelerators of a system from earlier ones, those of a model once.
fn differences(old: &[Known], new: &SystemSpec) -> Vec<String> {
    let (before, now) = (old.len(), new.accelerators.len());
    if before != now {
        return vec![format!("`{}` has {now} accelerators, and had {before}", new.name)];
    }
    let mut told = Vec::new();
    let mut seen = BTreeSet::new();
    let specs = new.accelerators.iter().map(|accelerator| &new.models[accelerator.model]);
    for (number, ((old, new), spec)) in (1..).zip(old.iter().zip(accelerators(new)).zip(specs)) {
        if old.name != new.name {
            told.push(format!("accelerator {number} is `{}`, and was `{}`", new.name, old.name));
        } else if seen.insert(new.name.clone()) {
            told.extend(keys_that_differ(&old.costs, &new, spec));
        }
    }
    told
}

fn keys_that_differ(old: &Value, new: &Known, spec: &AccelSpec) -> Vec<String> {
    let names: Vec<&str> = spec.levels.iter().map(Level::name).collect();
    let (before, now) = (keys(old, &names), keys(&new.costs, &names));
    let all: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let none = "none".to_string();
    let of = |keys: &BTreeMap<String, String>, key| keys.get(key).unwrap_or(&none).clone();
    let differing =
        all.into_iter().map(|key| (key, of(&before, key), of(&now, key))).filter(|(_, a, b)| a != b);
    differing.map(|(key, was, is)| format!("`{}`: {key} is {is}, and was {was}", new.name)).collect()
}

/// All that decides costs, by key; those of a level behind its name, which the file of today gives it.
fn keys(costs: &Value, levels: &[&str]) -> BTreeMap<String, String> {
    let mut keys = BTreeMap::new();
    let mut add = |before: &str, table: &Value| {
        for (key, value) in table.as_object().into_iter().flatten() {
            keys.insert(format!("{before}{key}"), value.to_string());
        }
    };
    add("mac ", &costs["mac"]);
    for (number, table) in costs["levels"].as_array().into_iter().flatten().enumerate() {
        let name = levels.get(number).map_or_else(|| format!("level {}", number + 1), ToString::to_string);
        // The kind of the level, and its keys.
        let tables = table.as_object().into_iter().flatten();
        tables.for_each(|(_, table)| add(&format!("{name} "), table));
    }
    let mut rest = costs.clone();
    rest.as_object_mut()
        .expect("an accelerator is one")
        .retain(|key, _| !["mac", "levels"].contains(&&key[..]));
    add("", &rest);
    keys
}
