//! Learned policies as files: those that ship run, and those that are damaged, old or for another system are errors.

use std::fs;
use std::path::Path;
use std::process::Output;

use mascot::experiment::{DataRoot, Experiment, Kind};
use mascot::files::Source;
use mascot::policy::mlp::{self, Activation};
use mascot::policy::{Manifest, Policy, Tensors, find};

use crate::common;
use crate::training::{mascot, path, refused};

fn run(system: &str, kind: &str, more: &str) -> Output {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let experiment = path(folder.path(), "run.toml");
    let text = format!(
        "systems = ['{system}']\nscenarios = ['light']\nloads = [0.9]\nrequests = 20\n\
         schedulers = ['gated', {{ name = '{kind}'{more} }}]\n"
    );
    fs::write(&experiment, text).expect("the folder is ours");
    mascot(&["run", &experiment, "--out", &path(folder.path(), "out")], "1")
}

/// A manifest holds the experiment of its training, which this version can run again.
#[test]
fn the_training_of_every_shipped_policy_can_be_run_again() {
    let data = DataRoot::find(None).expect("the data is in the source tree");
    for name in data.names(Kind::Policy) {
        let path = data.path(Kind::Policy, &name).expect("it was listed");
        let manifest = Policy::read_manifest(&path).expect("it ships");
        let text = manifest.training.expect("it was trained");
        let source = Source { path: path.clone(), text, verbatim: true };
        let experiment = Experiment::parse(&path, source, &data).expect("its keys have today's names");
        let training = experiment.training.expect("it is the experiment of a training");
        assert_eq!(
            (training.policy().name, experiment.systems.join(", ")),
            (&manifest.kind[..], manifest.system)
        );
    }
}

/// A manifest of mascot 0.1 has a hash that was made in another way, and the error says so.
#[test]
fn a_manifest_of_an_earlier_version_says_why_it_does_not_match() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let manifest = path(folder.path(), "old.toml");
    let shipped = fs::read_to_string("policies/relmas-hetero-6.toml").expect("it ships");
    let line = |key| shipped.lines().find(|line| line.starts_with(key)).expect("it has one");
    let (sha256, version) = (line("system_sha256"), line("version"));
    let old = format!("system_sha256 = \"{}\"", "0".repeat(64));
    for name in ["relmas-6", "hetero-6"] {
        let text = shipped.replace(sha256, &old).replace(version, "version = \"0.1.0\"");
        let text = text.replacen("\"hetero-6\"", &format!("{name:?}"), 1);
        fs::write(&manifest, text).expect("the folder is ours");
        fs::copy("policies/relmas-hetero-6.safetensors", manifest.replace(".toml", ".safetensors"))
            .expect("the folder is ours");
        let output = run("hetero-6", "relmas", &format!(", policy = {manifest:?}"));
        refused(&output, &["; mascot 0.1 made `system_sha256` in another way"]);
    }
    refused(
        &run("simba-6", "relmas", &format!(", policy = {manifest:?}")),
        &["and those of `simba-6` differ\n", "transfer = true"],
    );
}

#[test]
fn every_shipped_policy_runs_on_its_systems_and_on_others_if_it_serves_every_one() {
    let data = DataRoot::find(None).expect("the data is in the source tree");
    let names = data.names(Kind::Policy);
    assert!(!names.is_empty());
    for name in names {
        let path = data.path(Kind::Policy, &name).expect("it was listed");
        let Manifest { kind, system: systems, .. } = Policy::read_manifest(&path).expect("it ships");
        for system in systems.split(", ") {
            let output = run(system, &kind, "");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        let output = common::mascot(&["validate", &format!("policies/{name}.toml")]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains(&format!("policy of `{kind}` for `{systems}`, SLA rate 0.")), "{said}");
        for (transfer, accelerators) in [("", ""), (", transfer = true", "has the shape")] {
            let output = run("simba-6", &kind, &format!(", policy = '{name}'{transfer}"));
            let message = String::from_utf8_lossy(&output.stderr).into_owned();
            let serves_every_one = find(&kind).is_some_and(|kind| kind.serves_any_system);
            let succeeds = serves_every_one || systems.starts_with("hetero-6") && !transfer.is_empty();
            assert_eq!(output.status.success(), succeeds, "{message}");
            let refused = ["transfer = true", accelerators];
            assert!(succeeds || refused.iter().any(|words| message.contains(words)), "{message}");
        }
    }
}

/// `energy` is a price, for `thrifty_gate` alone; without one it is the `learned_gate` that it was trained from.
#[test]
fn a_price_of_energy_is_for_the_policy_that_knows_it() {
    let summary = |scheduler: &str| {
        let folder = tempfile::tempdir().expect("the temporary folder is writable");
        let out = folder.path().join("out");
        let schedulers = format!("schedulers=[{{label=\"it\",{scheduler}}}]");
        let output = common::mascot(&[
            "run",
            "experiments/quickstart.toml",
            "--out",
            &out.to_string_lossy(),
            "--seeds",
            "1",
            "--set",
            "requests=50",
            "--set",
            &schedulers,
        ]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::read_to_string(out.join("summary.csv")).expect("just written")
    };
    let free = summary("name='thrifty_gate'");
    assert_eq!(free, summary("name='learned_gate'"));
    assert_eq!(free, summary("name='thrifty_gate',energy=0,policy='learned_gate-stage-2'"));
    assert_ne!(free, summary("name='thrifty_gate',energy=0.5"));
    refused(&run("hetero-6", "learned_gate", ", energy = 0.5"), &["`energy`", "`thrifty_gate` does"]);
    refused(&run("hetero-6", "thrifty_gate", ", energy = -1"), &["energy", "expected a number from 0 to 10"]);
    refused(&run("hetero-6", "thrifty_gate", ", policy = 'relmas-hetero-6'"), &["`kind` is `relmas`"]);
}

/// A net that was learned elsewhere is made for one system, and its manifest knows of no training.
#[test]
fn a_net_from_elsewhere_runs_on_its_system() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let data = DataRoot::find(None).expect("the data is in the source tree");
    let mut tensors = Tensors::default();
    for (number, [outputs, inputs]) in [[4, 28], [7, 4]].into_iter().enumerate() {
        let weights = (0..outputs * inputs).map(|i| (i % 5) as f32 - 2.0).collect();
        tensors.insert(format!("{number}.weight"), &[outputs, inputs], weights);
        tensors.insert(format!("{number}.bias"), &[outputs], vec![0.0; outputs]);
    }
    let policy = mlp::policy(
        tensors,
        vec![Activation::Tanh, Activation::Linear],
        &data.system("hetero-6").expect("it ships"),
    );
    let file = path(folder.path(), "mine.toml");
    policy.expect("it fits").write(Path::new(&file)).expect("the folder is ours");
    let parameter = format!(", policy = {file:?}");
    let output = run("hetero-6", "mlp", &parameter);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let validated = common::mascot(&["validate", &file]);
    assert!(
        String::from_utf8_lossy(&validated.stdout).contains("policy of `mlp` for `hetero-6`, 151 weights")
    );
    refused(
        &run("simba-6", "mlp", &parameter),
        &["of `simba-6` differ", "mascot.export_policy(", "system=\"simba-6\")", "transfer = true"],
    );
    let transferred = run("simba-6", "mlp", &format!("{parameter}, transfer = true"));
    assert!(transferred.status.success(), "{}", String::from_utf8_lossy(&transferred.stderr));
    refused(&run("hetero-6", "mlp", ""), &["there is no policy for `hetero-6`, policies/mlp-hetero-6.toml"]);
    let manifest = fs::read_to_string(&file).expect("just written");
    for (old, new, named) in [
        ("[\"tanh\", \"linear\"]", "[\"tanh\"]", "expected [7, 28]"),
        ("[\"tanh\", \"linear\"]", "[]", "4 tensors and 0 activations"),
        ("\"tanh\"", "\"tan\"", "unknown variant `tan`"),
    ] {
        assert!(manifest.contains(old), "{manifest}");
        fs::write(&file, manifest.replace(old, new)).expect("the folder is ours");
        refused(&run("hetero-6", "mlp", &parameter), &[named]);
    }
}

#[test]
fn damaged_policies_are_errors() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let manifest = fs::read_to_string(root.join("learned_gate.toml")).expect("it ships");
    let weights = fs::read(root.join("learned_gate.safetensors")).expect("it ships");
    let message = |manifest: &str, weights: &[u8]| {
        let file = path(folder.path(), "mine.toml");
        fs::write(&file, manifest).expect("the folder is ours");
        fs::write(folder.path().join("mine.safetensors"), weights).expect("the folder is ours");
        let output = run("hetero-6", "learned_gate", &format!(", policy = '{file}'"));
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        let validated = common::mascot(&["validate", &file]);
        assert_eq!(validated.status.code(), output.status.code(), "{message}");
        (output.status.code(), message)
    };
    assert_eq!(message(&manifest, &weights), (Some(0), String::new()));
    let mut flipped = weights.clone();
    *flipped.last_mut().expect("it is not empty") ^= 1;
    for (manifest, weights, expected) in [
        (manifest.clone(), &flipped[..], "SHA-256"),
        (manifest.clone(), &weights[..weights.len() - 4], "safetensors"),
        (
            manifest.replace("learned_gate-4", "learned_gate-0"),
            &weights[..],
            "`features` is `learned_gate-0`",
        ),
        (manifest.replace("kind = \"learned_gate\"", "kind = \"other\""), &weights[..], "`kind` is `other`"),
        (manifest.replace("\ngenerations = ", "\n# "), &weights[..], "missing field `generations`"),
        ("kind = 3".to_string(), &weights[..], "mine.toml:1"),
    ] {
        let (code, message) = message(&manifest, weights);
        assert!(code == Some(2) && message.contains(expected), "{expected}: {message}");
    }
}
