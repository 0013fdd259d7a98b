//! Learned policies: those that ship run, files that are damaged or for another system are errors, and training is
//! reproducible.

mod common;

use std::fs;
use std::path::Path;
use std::process::Output;

fn mascot(args: &[&str], jobs: &str) -> Output {
    common::mascot(&[args, &["--jobs", jobs]].concat())
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_string_lossy().into_owned()
}

const TINY: &str = "systems = ['relmas-6']\nscenarios = ['light']\nloads = [0.9, 1.2]\ndeadline_factor = 2\n\
                    schedulers = ['gated']\nseeds = 5\nrequests = 20\n[training]\ntraces = 2\nvalidate_every = 1\n\
                    [training.evolution]\npopulation = 4\ngenerations = ";

fn train(folder: &Path, generations: u32, resume: bool, jobs: &str) {
    let experiment = path(folder, "tiny.toml");
    fs::write(&experiment, format!("{TINY}{generations}\n")).expect("the folder is ours");
    let out = path(folder, "out");
    let mut args = vec!["train", &experiment, "--out", &out, "--quiet"];
    args.extend(resume.then_some("--resume"));
    let output = mascot(&args, jobs);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn trained(folder: &Path) -> [Vec<u8>; 3] {
    ["mascot-relmas-6.toml", "mascot-relmas-6.safetensors", "log.csv"]
        .map(|name| fs::read(folder.join("out").join(name)).expect("training writes it"))
}

#[test]
fn training_gives_the_same_bytes_for_any_thread_count_and_when_resumed() {
    let [one, two, cut] = [(); 3].map(|()| tempfile::tempdir().expect("the temporary folder is writable"));
    train(one.path(), 4, false, "1");
    train(two.path(), 4, false, "2");
    assert!(trained(one.path()) == trained(two.path()), "threads matter");
    stop_after_two_of_four(cut.path());
    train(cut.path(), 4, true, "1");
    assert!(trained(one.path()) == trained(cut.path()), "resuming matters");
}

/// A training that was killed: of four generations, two are done.
fn stop_after_two_of_four(folder: &Path) {
    use mascot::cost::Cache;
    use mascot::experiment::train::Trainer;
    use mascot::experiment::{DataRoot, Experiment, Plan, Silent};
    use mascot::files::sha256;
    let file = folder.join("tiny.toml");
    fs::write(&file, format!("{TINY}4\n")).expect("the folder is ours");
    let data = DataRoot::find(None).expect("the data is in the source tree");
    let experiment = Experiment::read(&file, &[], &data).expect("it was just written");
    let training = experiment.training.expect("it has one");
    let plan = Plan::prepare(experiment, &data, &Cache::from_env(), &Silent).expect("shipped data");
    let hash = sha256(&fs::read(&file).expect("it was just written"));
    let mut trainer = Trainer::new(&plan, training, hash, None, &Silent).expect("there is no checkpoint");
    trainer.step();
    trainer.step();
    let text = serde_json::to_string(&trainer.checkpoint).expect("plain data");
    fs::create_dir_all(folder.join("out")).expect("it is ours");
    fs::write(folder.join("out/checkpoint.json"), text).expect("it is ours");
}

#[test]
fn a_checkpoint_of_another_training_is_refused() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    train(folder.path(), 1, false, "1");
    let experiment = path(folder.path(), "tiny.toml");
    fs::write(&experiment, format!("{TINY}2\n")).expect("the folder is ours");
    let out = path(folder.path(), "out");
    let output = mascot(&["train", &experiment, "--out", &out, "--resume"], "1");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && message.contains("of another training"), "{message}");
}

fn run(system: &str, policy: &str, more: &str) -> Output {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let experiment = path(folder.path(), "run.toml");
    let text = format!(
        "systems = ['{system}']\nscenarios = ['light']\nloads = [0.9]\nrequests = 20\n\
         schedulers = ['gated', {{ name = 'mascot'{policy}{more} }}]\n"
    );
    fs::write(&experiment, text).expect("the folder is ours");
    mascot(&["run", &experiment, "--out", &path(folder.path(), "out")], "1")
}

#[test]
fn every_shipped_policy_runs_on_its_system_and_no_other() {
    let data = mascot::experiment::DataRoot::find(None).expect("the data is in the source tree");
    let names = data.names(mascot::experiment::data::Kind::Policy);
    assert!(!names.is_empty());
    for name in names {
        let system = name.strip_prefix("mascot-").expect("policies are called <kind>-<system>");
        let output = run(system, "", "");
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{message}");
        let other = if system == "relmas-4" { "relmas-8" } else { "relmas-4" };
        let policy = format!(", policy = '{name}'");
        let output = run(other, &policy, "");
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && message.contains("transfer = true"), "{message}");
        assert!(run(other, &policy, ", transfer = true").status.success());
    }
}

#[test]
fn damaged_policies_are_errors() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let manifest = fs::read_to_string(root.join("mascot-relmas-6.toml")).expect("it ships");
    let weights = fs::read(root.join("mascot-relmas-6.safetensors")).expect("it ships");
    let message = |manifest: &str, weights: &[u8]| {
        let file = path(folder.path(), "mine.toml");
        fs::write(&file, manifest).expect("the folder is ours");
        fs::write(folder.path().join("mine.safetensors"), weights).expect("the folder is ours");
        let output = run("relmas-6", &format!(", policy = '{file}'"), "");
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), message)
    };
    assert_eq!(message(&manifest, &weights), (Some(0), String::new()));
    let mut flipped = weights.clone();
    *flipped.last_mut().expect("it is not empty") ^= 1;
    for (manifest, weights, expected) in [
        (manifest.clone(), &flipped[..], "SHA-256"),
        (manifest.clone(), &weights[..weights.len() - 4], "safetensors"),
        (manifest.replace("mascot-1", "mascot-0"), &weights[..], "`features` is `mascot-0`"),
        (manifest.replace("kind = \"mascot\"", "kind = \"other\""), &weights[..], "`kind` is `other`"),
        ("kind = 3".to_string(), &weights[..], "mine.toml:1"),
    ] {
        let (code, message) = message(&manifest, weights);
        assert!(code == Some(2) && message.contains(expected), "{expected}: {message}");
    }
}
