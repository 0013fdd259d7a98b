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
                    schedulers = ['gated']\nseeds = 5\nrequests = 20\n[training]\ntraces = 2\nvalidate_every = 1\n";
const EVOLUTION: &str = "[training.evolution]\npopulation = 4\ngenerations = ";
const DDPG: &str =
    "[training.ddpg]\nhidden = 8\nbatch = 8\nwarm_up = 20\nepisodes = 2\nsteps = 20\niterations = ";

/// The experiment of a tiny training.
fn tiny(folder: &Path, learner: &str, steps: u32) -> String {
    let experiment = path(folder, "tiny.toml");
    fs::write(&experiment, format!("{TINY}{learner}{steps}\n")).expect("the folder is ours");
    experiment
}

fn train(folder: &Path, learner: &str, steps: u32, more: &[&str], jobs: &str) -> Output {
    let (experiment, out) = (tiny(folder, learner, steps), path(folder, "out"));
    mascot(&[&["train", &experiment, "--out", &out, "--quiet"], more].concat(), jobs)
}

fn trained(folder: &Path, kind: &str) -> [Vec<u8>; 3] {
    [format!("{kind}-relmas-6.toml"), format!("{kind}-relmas-6.safetensors"), "log.csv".into()]
        .map(|name| fs::read(folder.join("out").join(name)).expect("training writes it"))
}

fn the_same_for_any_thread_count_and_when_resumed(learner: &str, kind: &str) {
    let [one, two, cut] = [(); 3].map(|()| tempfile::tempdir().expect("the temporary folder is writable"));
    let done = |output: Output| {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    done(train(one.path(), learner, 4, &[], "1"));
    done(train(two.path(), learner, 4, &[], "2"));
    assert!(trained(one.path(), kind) == trained(two.path(), kind), "threads matter");
    stop_after_two_of_four(cut.path(), learner);
    done(train(cut.path(), learner, 4, &[], "1"));
    assert!(trained(one.path(), kind) == trained(cut.path(), kind), "resuming matters");
    has_a_report(&one.path().join("out"), kind);
}

/// The curves of the log, with a line for what there is to pass.
fn has_a_report(folder: &Path, kind: &str) {
    let output = common::mascot(&["report", &folder.to_string_lossy()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let page = fs::read_to_string(folder.join("report.html")).expect("just written");
    assert!(page.contains(&format!("{kind} learns relmas-6")) && page.contains("It passes gated"), "{page}");
    let rows = |name: &str| -> Vec<Vec<String>> {
        let mut reader = csv::Reader::from_path(folder.join(name)).expect("it is there");
        reader.records().map(|record| record.expect("CSV").iter().map(String::from).collect()).collect()
    };
    let [curve, log] = ["report/validation-rate.csv", "log.csv"].map(rows);
    let rate = |row: &Vec<String>| row[8].parse::<f64>().expect("validated after every step");
    let own = curve.iter().filter(|row| row[0] == kind).map(|row| row[2].parse().expect("a number"));
    assert_eq!(own.collect::<Vec<f64>>(), log.iter().map(rate).collect::<Vec<f64>>());
    let gated = curve.iter().filter(|row| row[0] == "gated").map(|row| &row[1][..]);
    assert_eq!(gated.collect::<Vec<_>>(), ["1", "4"], "from the first step to the last");
    fs::copy(folder.join(format!("{kind}-relmas-6.toml")), folder.join("a.toml"))
        .expect("the folder is ours");
    let weights = format!("{kind}-relmas-6.safetensors");
    fs::copy(folder.join(weights), folder.join("a.safetensors")).expect("the folder is ours");
    let output = common::mascot(&["report", &folder.to_string_lossy()]);
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && message.contains("2 policies: expected the one"), "{message}");
}

#[test]
fn mascot_is_trained_the_same_for_any_thread_count_and_when_resumed() {
    the_same_for_any_thread_count_and_when_resumed(EVOLUTION, "mascot");
}

#[cfg(feature = "train")]
#[test]
fn relmas_is_trained_the_same_for_any_thread_count_and_when_resumed() {
    the_same_for_any_thread_count_and_when_resumed(DDPG, "relmas");
}

#[test]
fn what_training_came_to_is_read_by_programs() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let (experiment, out) = (tiny(folder.path(), EVOLUTION, 2), path(folder.path(), "out"));
    let output = mascot(&["train", &experiment, "--out", &out, "--json"], "1");
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON alone");
    assert!(told["policy"].as_str().is_some_and(|path| path.ends_with("mascot-relmas-6.toml")), "{told}");
    assert!(told["steps"] == 2 && told["baselines"]["gated"].is_f64(), "{told}");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(log.contains("2: validation SLA rate"), "{log}");
}

#[cfg(not(feature = "train"))]
#[test]
fn a_build_without_libtorch_says_so() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let output = train(folder.path(), DDPG, 1, &[], "1");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && message.contains("needs libtorch"), "{message}");
    assert!(!folder.path().join("out").exists());
}

/// A training that was killed: of four steps, two are done.
fn stop_after_two_of_four(folder: &Path, learner: &str) {
    use mascot::cost::Cache;
    use mascot::experiment::inputs::Inputs;
    use mascot::experiment::train::{Origin, Trainer};
    use mascot::experiment::{DataRoot, Experiment, Plan, Silent};
    let file = tiny(folder, learner, 4);
    let data = DataRoot::find(None).expect("the data is in the source tree");
    let experiment = Experiment::read(file.as_ref(), &[], &data).expect("it was just written");
    let training = experiment.training.expect("it has one");
    let plan = Plan::prepare(experiment, &data, &Cache::from_env(), &Silent).expect("shipped data");
    let experiment = fs::read_to_string(&file).expect("it was just written");
    let origin = Origin::new(experiment, &Inputs::of(&plan, &data).expect("it was just read"));
    let mut trainer = Trainer::new(&plan, training, origin, None, &Silent).expect("there is no checkpoint");
    trainer.step();
    trainer.step();
    fs::create_dir_all(folder.join("out")).expect("it is ours");
    trainer.checkpoint().write(&folder.join("out")).expect("it is ours");
}

#[test]
fn what_cannot_be_written_is_a_failed_run() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    fs::create_dir_all(folder.path().join("out/mascot-relmas-6.toml/in the way")).expect("it is ours");
    let output = train(folder.path(), EVOLUTION, 1, &[], "1");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && message.contains("cannot write"), "{message}");
}

#[test]
fn a_training_goes_on_and_is_replaced_only_when_told_to() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let out = folder.path().join("out");
    assert!(train(folder.path(), EVOLUTION, 2, &[], "1").status.success());
    let (first, checkpoint) = (trained(folder.path(), "mascot"), fs::read(out.join("checkpoint.json")));
    let checkpoint = checkpoint.expect("training writes it");
    // Done: nothing is left to do, with the word of before, too; a comment is no change.
    for more in [&[][..], &["--resume"]] {
        let again = train(folder.path(), &format!("# a note\n{EVOLUTION}"), 2, more, "1");
        assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
        assert!(trained(folder.path(), "mascot") == first, "it was trained anew");
    }
    // Another configuration, or other data, is named and leaves what is there.
    let other = train(folder.path(), EVOLUTION, 3, &["--set", "training.traces=3"], "1");
    let message = String::from_utf8_lossy(&other.stderr).into_owned();
    assert_eq!(other.status.code(), Some(2), "{message}");
    for named in [
        "`training.evolution.generations` was 2 and is 3\n",
        "`training.traces` was 2 and is 3\n",
        "--fresh trains anew in its place",
    ] {
        assert!(message.contains(named), "{named} in {message}");
    }
    assert!(
        trained(folder.path(), "mascot") == first
            && fs::read(out.join("checkpoint.json")).is_ok_and(|c| c == checkpoint)
    );
    // Anew, it is as in a new folder; a policy of the other kind does not stay.
    fs::write(out.join("relmas-relmas-6.toml"), "of another training").expect("the folder is ours");
    assert!(train(folder.path(), EVOLUTION, 3, &["--fresh"], "1").status.success());
    let new = tempfile::tempdir().expect("the temporary folder is writable");
    assert!(train(new.path(), EVOLUTION, 3, &[], "1").status.success());
    assert!(trained(folder.path(), "mascot") == trained(new.path(), "mascot"));
    assert!(!out.join("relmas-relmas-6.toml").exists());
    // What has no checkpoint is not taken for nothing.
    fs::remove_file(out.join("checkpoint.json")).expect("it is there");
    let lost = train(folder.path(), EVOLUTION, 3, &[], "1");
    let message = String::from_utf8_lossy(&lost.stderr);
    assert!(
        lost.status.code() == Some(2) && message.contains("a training without a checkpoint"),
        "{message}"
    );
}

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

#[test]
fn every_shipped_policy_runs_on_its_system_and_no_other() {
    let data = mascot::experiment::DataRoot::find(None).expect("the data is in the source tree");
    let names = data.names(mascot::experiment::data::Kind::Policy);
    assert!(!names.is_empty());
    for name in names {
        let (kind, system) = name.split_once('-').expect("policies are called <kind>-<system>");
        let output = run(system, kind, "");
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{message}");
        let output = common::mascot(&["validate", &format!("policies/{name}.toml")]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains(&format!("policy of `{kind}` for `{system}`, SLA rate 0.")), "{said}");
        let other = if system == "relmas-4" { "relmas-8" } else { "relmas-4" };
        let policy = format!(", policy = '{name}'");
        let output = run(other, kind, &policy);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && message.contains("transfer = true"), "{message}");
        let output = run(other, kind, &format!("{policy}, transfer = true"));
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        match kind {
            "mascot" => assert!(output.status.success(), "{message}"),
            // It says one score per accelerator.
            _ => assert!(output.status.code() == Some(2) && message.contains("has the shape"), "{message}"),
        }
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
        let output = run("relmas-6", "mascot", &format!(", policy = '{file}'"));
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
        (manifest.replace("mascot-2", "mascot-0"), &weights[..], "`features` is `mascot-0`"),
        (manifest.replace("kind = \"mascot\"", "kind = \"other\""), &weights[..], "`kind` is `other`"),
        ("kind = 3".to_string(), &weights[..], "mine.toml:1"),
    ] {
        let (code, message) = message(&manifest, weights);
        assert!(code == Some(2) && message.contains(expected), "{expected}: {message}");
    }
}
