//! Training is reproducible, resumes, refuses what no training can be, and replaces no policy unasked.

use std::fs;
use std::path::Path;
use std::process::Output;

use mascot::policy::{Policy, find};

use crate::common;

pub(crate) fn mascot(args: &[&str], jobs: &str) -> Output {
    common::mascot(&[args, &["--jobs", jobs]].concat())
}

pub(crate) fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_string_lossy().into_owned()
}

const TINY: &str = "systems = ['hetero-6']\nscenarios = ['light']\nloads = [0.9, 1.2]\ndeadline_factor = 2\n\
                    schedulers = ['gated']\nseeds = 5\nrequests = 20\n[training]\ntraces = 2\nvalidate_every = 1\n";
pub(crate) const EVOLUTION: &str = "[training.evolution]\npopulation = 4\ngenerations = ";
#[cfg(feature = "train")]
pub(crate) const RLOO: &str =
    "algorithm = 'rloo'\n[training.rloo]\ntraces = 2\nfinal_traces = 3\nplays = 2\nsteps = ";
const DDPG: &str = "algorithm = 'ddpg'\n[training.ddpg]\nhidden = 8\nbatch_size = 8\nlearning_starts = 20\nnum_envs = 2\nnum_steps = 20\niterations = ";

/// The experiment of a tiny training.
pub(crate) fn tiny(folder: &Path, learner: &str, steps: u32) -> String {
    let experiment = path(folder, "tiny.toml");
    fs::write(&experiment, format!("{TINY}{learner}{steps}\n")).expect("the folder is ours");
    experiment
}

pub(crate) fn train(folder: &Path, learner: &str, steps: u32, more: &[&str], jobs: &str) -> Output {
    let (experiment, out) = (tiny(folder, learner, steps), path(folder, "out"));
    mascot(&[&["train", &experiment, "--out", &out, "--quiet"], more].concat(), jobs)
}

fn trained(folder: &Path, kind: &str) -> [Vec<u8>; 3] {
    [format!("{kind}-hetero-6.toml"), format!("{kind}-hetero-6.safetensors"), "log.csv".into()]
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

/// A column of a CSV file.
pub(crate) fn column(path: &Path, name: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_path(path).expect("it is there");
    let place = reader.headers().expect("a header").iter().position(|of| of == name).expect("a column");
    reader.records().map(|row| row.expect("CSV")[place].to_string()).collect()
}

/// The curves of the log, with a line for what there is to pass.
fn has_a_report(folder: &Path, kind: &str) {
    let output = common::mascot(&["report", &folder.to_string_lossy()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let page = fs::read_to_string(folder.join("report.html")).expect("just written");
    assert!(page.contains(&format!("{kind} learns hetero-6")) && page.contains("It passes gated"), "{page}");
    let mut reader = csv::Reader::from_path(folder.join("report/validation-rate.csv")).expect("it is there");
    let curve: Vec<csv::StringRecord> = reader.records().map(|record| record.expect("CSV")).collect();
    let rates = column(&folder.join("log.csv"), "validation_rate");
    let rates = rates.iter().map(|rate| rate.parse().expect("validated after every step"));
    let own = curve.iter().filter(|row| &row[0] == kind).map(|row| row[2].parse().expect("a number"));
    assert_eq!(own.collect::<Vec<f64>>(), rates.collect::<Vec<f64>>());
    let gated = curve.iter().filter(|row| &row[0] == "gated").map(|row| &row[1][..]);
    assert_eq!(gated.collect::<Vec<_>>(), ["1", "4"], "from the first step to the last");
    fs::copy(folder.join(format!("{kind}-hetero-6.toml")), folder.join("a.toml"))
        .expect("the folder is ours");
    let weights = format!("{kind}-hetero-6.safetensors");
    fs::copy(folder.join(weights), folder.join("a.safetensors")).expect("the folder is ours");
    let output = common::mascot(&["report", &folder.to_string_lossy()]);
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && message.contains("2 policies: expected the one"), "{message}");
}

#[test]
fn learned_gate_is_trained_the_same_for_any_thread_count_and_when_resumed() {
    the_same_for_any_thread_count_and_when_resumed(EVOLUTION, "learned_gate");
}

#[cfg(feature = "train")]
#[test]
fn policy_gradient_is_the_same_for_any_thread_count_and_when_resumed() {
    let gate = format!("policy = 'learned_gate'\n{RLOO}");
    the_same_for_any_thread_count_and_when_resumed(&gate, "learned_gate");
    let objective = "objective = { sla = 1, energy = [0.1, 0.5] }";
    let thrifty = format!("policy = 'thrifty_gate'\n{objective}\n{RLOO}");
    the_same_for_any_thread_count_and_when_resumed(&thrifty, "thrifty_gate");
    // On whole layers, where the policy has nothing to cut.
    the_same_for_any_thread_count_and_when_resumed(&format!("policy = 'split_gate'\n{RLOO}"), "split_gate");
    the_same_for_any_thread_count_and_when_resumed(RLOO, "relmas");
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
    assert!(
        told["policy"].as_str().is_some_and(|path| path.ends_with("learned_gate-hetero-6.toml")),
        "{told}"
    );
    assert!(told["steps"] == 2 && told["baselines"]["gated"].is_f64(), "{told}");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(log.contains("2: validation SLA rate"), "{log}");
}

/// A policy of `learned_gate` may be trained on several systems, and start from another; one of `relmas` is for one.
#[test]
fn a_training_starts_from_another_policy_and_sees_several_systems() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let (experiment, out) = (tiny(folder.path(), EVOLUTION, 1), path(folder.path(), "out"));
    let with = |more: &[&str]| {
        let sets = more.iter().flat_map(|set| ["--set", set]);
        let args = ["train", &experiment, "--out", &out, "--fresh"];
        mascot(&args.into_iter().chain(sets).collect::<Vec<_>>(), "2")
    };
    let two = "systems=[\"hetero-4\", \"hetero-6\"]";
    // The least steps leave the weights about where they start.
    let none = ["training.evolution.learning_rate=1e-9", "training.evolution.final_learning_rate=1e-9"];
    let output = with(&[two, "training.initial=evolved-hetero-6", none[0], none[1]]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let entry = find("learned_gate").expect("it is registered");
    let trained = Policy::read(&folder.path().join("out/learned_gate.toml"), entry).expect("it was written");
    let start = Policy::read(Path::new("policies/evolved-hetero-6.toml"), entry).expect("it ships");
    let [trained_weights, weights] =
        [&trained, &start].map(|policy| policy.weights.values("weights", &[800]));
    let (trained_weights, weights) = (trained_weights.expect("its shape"), weights.expect("its shape"));
    assert!(trained_weights.iter().zip(weights).all(|(a, b)| (a - b).abs() < 1e-6));
    assert_eq!(trained.manifest.initial_sha256, Some(start.manifest.weights_sha256));
    assert_eq!(trained.manifest.system, "hetero-4, hetero-6");
    let output = common::mascot(&["validate", &path(folder.path(), "out/learned_gate.toml")]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    refused(&with(&["training.initial=relmas-hetero-6"]), &["`kind` is `relmas`", "expected `learned_gate`"]);
    refused(&with(&["training.initial=none-such"]), &["none-such"]);
    let relmas = tiny(folder.path(), DDPG, 1);
    let output = mascot(&["train", &relmas, "--set", two, "--out", &path(folder.path(), "other")], "1");
    refused(&output, &["`systems` names several: a policy of `relmas` is for one"]);
}

#[cfg(feature = "train")]
#[test]
fn noise_has_a_number_for_each_output() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let learner = format!("policy = 'learned_gate'\n{RLOO}1\noutput_noise = [0, 1]\n# ");
    let output = train(folder.path(), &learner, 1, &[], "1");
    refused(
        &output,
        &["tiny.toml:", "`output_noise` has 2 numbers, but the net of `learned_gate` has 8 outputs"],
    );
    assert!(!folder.path().join("out").exists());
}

/// `cpu` changes no weight. A machine without an NVIDIA GPU says so for `cuda`, where the key is, and writes nothing.
#[cfg(feature = "train")]
#[test]
fn libtorch_computes_where_it_is_told() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    for learner in [RLOO, DDPG] {
        let on = |device: &str| train(folder.path(), &format!("{device}{learner}"), 2, &["--fresh"], "1");
        let output = on("device = 'cuda'\n");
        if !output.status.success() {
            refused(
                &output,
                &["tiny.toml:11: `device` is \"cuda\", but", "expected \"cpu\"", "device = 'cuda'"],
            );
            assert!(!folder.path().join("out").exists());
        }
        let weights = ["", "device = 'cpu'\n"].map(|device| {
            let output = on(device);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let [_, weights, _] = trained(folder.path(), "relmas");
            fs::remove_dir_all(folder.path().join("out")).expect("it is ours");
            weights
        });
        assert!(weights[0] == weights[1], "the default is the CPU");
    }
}

#[cfg(not(feature = "train"))]
#[test]
fn a_build_without_libtorch_says_so() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    for learner in [DDPG.to_string(), format!("device = 'cuda'\n{DDPG}")] {
        refused(&train(folder.path(), &learner, 1, &[], "1"), &["needs libtorch"]);
        assert!(!folder.path().join("out").exists());
    }
}

/// A training that was killed: of four steps, two are done.
fn stop_after_two_of_four(folder: &Path, learner: &str) {
    use mascot::cost::Cache;
    use mascot::experiment::{DataRoot, Experiment, Silent};
    use mascot::plan::Plan;
    use mascot::sweep::Inputs;
    use mascot::train::{Origin, Trainer};
    let file = tiny(folder, learner, 4);
    let data = DataRoot::find(None).expect("the data is in the source tree");
    let experiment = Experiment::read(file.as_ref(), &[], &data).expect("it was just written");
    let training = experiment.training.clone().expect("it has one");
    let plan = Plan::prepare(experiment, &data, &Cache::from_env(), &Silent).expect("shipped data");
    let experiment = fs::read_to_string(&file).expect("it was just written");
    let origin = Origin::new(experiment, &Inputs::of(&plan, &data).expect("it was just read"));
    let mut trainer =
        Trainer::new(&plan, training, origin, None, None, &Silent).expect("there is no checkpoint");
    trainer.step();
    trainer.step();
    fs::create_dir_all(folder.join("out")).expect("it is ours");
    trainer.checkpoint().write(&folder.join("out")).expect("it is ours");
}

#[test]
fn what_cannot_be_written_is_a_failed_run() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    fs::create_dir_all(folder.path().join("out/learned_gate-hetero-6.toml/in the way")).expect("it is ours");
    let output = train(folder.path(), EVOLUTION, 1, &[], "1");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && message.contains("cannot write"), "{message}");
}

#[test]
fn a_training_goes_on_and_is_replaced_only_when_told_to() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let out = folder.path().join("out");
    assert!(train(folder.path(), EVOLUTION, 2, &[], "1").status.success());
    let (first, checkpoint) = (trained(folder.path(), "learned_gate"), fs::read(out.join("checkpoint.json")));
    let checkpoint = checkpoint.expect("training writes it");
    // Done: nothing is left to do, with the word of before, too; a comment is no change.
    for more in [&[][..], &["--resume"]] {
        let again = train(folder.path(), &format!("# a note\n{EVOLUTION}"), 2, more, "1");
        assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
        assert!(trained(folder.path(), "learned_gate") == first, "it was trained anew");
    }
    // Another configuration, or other data, is named and leaves what is there.
    let other = train(folder.path(), EVOLUTION, 3, &["--set", "training.traces=3"], "1");
    let message = String::from_utf8_lossy(&other.stderr).into_owned();
    assert_eq!(other.status.code(), Some(2), "{message}");
    for named in [
        "`training.evolution.generations` was 2 and is 3\n",
        "`training.traces` was 2 and is 3\n",
        "--fresh replaces it",
    ] {
        assert!(message.contains(named), "{named} in {message}");
    }
    assert!(
        trained(folder.path(), "learned_gate") == first
            && fs::read(out.join("checkpoint.json")).is_ok_and(|c| c == checkpoint)
    );
    // Anew, it is as in a new folder; a policy of the other kind does not stay.
    fs::write(out.join("relmas-hetero-6.toml"), "of another training").expect("the folder is ours");
    assert!(train(folder.path(), EVOLUTION, 3, &["--fresh"], "1").status.success());
    let new = tempfile::tempdir().expect("the temporary folder is writable");
    assert!(train(new.path(), EVOLUTION, 3, &[], "1").status.success());
    assert!(trained(folder.path(), "learned_gate") == trained(new.path(), "learned_gate"));
    assert!(!out.join("relmas-hetero-6.toml").exists());
    // What has no checkpoint is not taken for nothing.
    fs::remove_file(out.join("checkpoint.json")).expect("it is there");
    let lost = train(folder.path(), EVOLUTION, 3, &[], "1");
    let message = String::from_utf8_lossy(&lost.stderr);
    assert!(
        lost.status.code() == Some(2) && message.contains("a training without a checkpoint"),
        "{message}"
    );
}

pub(crate) fn refused(output: &Output, named: &[&str]) {
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{message}");
    named.iter().for_each(|named| assert!(message.contains(named), "{named} in {message}"));
}

/// Policies that were copied, or whose training was moved, are worth as much as one whose checkpoint is there.
#[test]
fn a_policy_without_its_training_is_not_overwritten() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    for name in ["learned_gate-hetero-6.toml", "learned_gate-hetero-6.safetensors"] {
        let folder = tempfile::tempdir().expect("the temporary folder is writable");
        let out = folder.path().join("out");
        fs::create_dir(&out).expect("it is ours");
        let [other, own, shipped] =
            ["relmas-hetero-6.toml".into(), name.to_string(), name.replace("learned_gate", "evolved")];
        fs::copy(root.join(&shipped), out.join(&own)).expect("it ships");
        fs::write(out.join(&other), "of another kind").expect("it is ours");
        let output = train(folder.path(), EVOLUTION, 1, &[], "1");
        refused(&output, &[name, "whose checkpoint is missing", "--fresh", "another --out"]);
        let same = || fs::read(root.join(&shipped)).ok() == fs::read(out.join(&own)).ok();
        assert!(same() && fs::read_dir(&out).expect("it is there").count() == 2);
        // In its place on request; the other kind's is of no training here.
        assert!(train(folder.path(), EVOLUTION, 1, &["--fresh"], "1").status.success());
        assert!(!same() && out.join(&other).exists());
    }
}

/// An earlier training stays until there is something in its place.
#[cfg(unix)]
#[test]
fn ctrl_c_of_a_training_says_how_to_go_on() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let out = path(folder.path(), "out");
    assert!(train(folder.path(), EVOLUTION, 1, &[], "1").status.success());
    let before = trained(folder.path(), "learned_gate");
    let stop = |more: &[&str], steps: u32, validate_every: u32, until: fn(&str) -> bool| {
        let experiment = tiny(folder.path(), EVOLUTION, steps);
        let every = format!("training.validate_every={validate_every}");
        let args = [&["train", &experiment, "--out", &out, "--set", &every, "--jobs", "1"], more].concat();
        let mut command = common::program(&args);
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let mut child = command.spawn().expect("the program was built for this test");
        let mut said = std::io::BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        while !until(&line) {
            line.clear();
            assert!(std::io::BufRead::read_line(&mut said, &mut line).expect("text") > 0, "it ended");
        }
        let id = child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &id]).status().expect("kill").success());
        let output = child.wait_with_output().expect("it was started");
        assert_eq!(output.status.code(), Some(130));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let begun = |line: &str| line.starts_with("gated: ");
    let said = stop(&["--fresh"], 1_000_000, 1_000_000, begun);
    assert!(said.contains("interrupted: 0 of 1000000 steps are kept in "), "{said}");
    assert!(said.contains("; the same command starts anew"), "{said}");
    assert!(trained(folder.path(), "learned_gate") == before, "nothing is there in its place");
    let third = |line: &str| line.starts_with("3: ");
    let said = stop(&["--fresh"], 1_000_000, 1, third);
    assert!(said.contains("; the same command without --fresh resumes there"), "{said}");
    let said =
        stop(&[], 1_000_000, 1, |line| line.contains(": validation SLA rate") && line.contains("best"));
    assert!(said.contains(" of 1000000 steps are kept from before"), "{said}");
    assert!(said.contains("; the same command resumes there"), "{said}");
}

/// Whatever is lost or damaged beside the checkpoint is written from it, also where all steps are done.
#[test]
fn what_is_missing_beside_a_checkpoint_is_written_again() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    assert!(train(folder.path(), EVOLUTION, 2, &[], "1").status.success());
    let whole = trained(folder.path(), "learned_gate");
    let names = ["learned_gate-hetero-6.toml", "learned_gate-hetero-6.safetensors", "log.csv"];
    for name in names {
        for garbage in [None, Some("no such file of ours")] {
            let file = folder.path().join("out").join(name);
            match garbage {
                None => fs::remove_file(&file).expect("it is there"),
                Some(garbage) => fs::write(&file, garbage).expect("it is ours"),
            }
            let again = train(folder.path(), EVOLUTION, 2, &[], "1");
            assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
            assert!(trained(folder.path(), "learned_gate") == whole, "{name}, {garbage:?}");
        }
    }
}

#[test]
fn a_page_of_a_training_that_has_gone_on_does_not_stay() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    stop_after_two_of_four(folder.path(), EVOLUTION);
    let out = folder.path().join("out");
    let (page, pictures) = (out.join("report.html"), out.join("report"));
    fs::create_dir(&pictures).expect("it is ours");
    for name in ["a.svg", "a.csv"] {
        fs::write(pictures.join(name), "of two steps").expect("it is ours");
    }
    fs::write(&page, "<title>tiny - mascot</title>").expect("it is ours");
    assert!(train(folder.path(), EVOLUTION, 4, &[], "1").status.success());
    assert!(!page.exists() && !pictures.exists(), "they show two steps of four");
    let report = || assert!(common::mascot(&["report", &out.to_string_lossy()]).status.success());
    report();
    assert!(train(folder.path(), EVOLUTION, 4, &[], "1").status.success());
    assert!(page.exists(), "it shows all that there is");
    assert!(train(folder.path(), EVOLUTION, 2, &["--fresh"], "1").status.success());
    assert!(!page.exists() && !pictures.exists());
    fs::write(&page, "<title>mine</title>").expect("it is ours");
    assert!(train(folder.path(), EVOLUTION, 3, &["--fresh"], "1").status.success());
    assert!(page.exists(), "it is none of ours");
}

#[test]
fn training_and_validation_have_no_seed_in_common() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    for (sets, ranges) in [
        (&["training.validation_first_seed=5"][..], ["1 to 5 ", "5 to 5 "]),
        (&["first_seed=20001"], ["20001 to 20005 ", "20001 to 20001 "]),
        (
            &["first_seed=8", "training.validation_first_seed=4", "training.validation_seeds=20"],
            ["8 to 12 ", "4 to 23 "],
        ),
        (&["seeds=30000"], ["1 to 30000 ", "20001 to 20001 "]),
    ] {
        let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();
        refused(
            &train(folder.path(), EVOLUTION, 1, &sets, "1"),
            &[&ranges[..], &["without a common seed"]].concat(),
        );
    }
    let beside = ["--set", "training.validation_first_seed=6"];
    assert!(train(folder.path(), EVOLUTION, 1, &beside, "1").status.success());
}

#[test]
fn a_training_out_of_any_range_is_told_in_short() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    for (key, value, allowed) in [
        ("traces", "9223372036854775807", "a whole number from 1 to 1000"),
        ("traces", "1000000000000", "a whole number from 1 to 1000"),
        ("validation_seeds", "1000000000", "a whole number from 1 to 1000"),
        ("validation_first_seed", "-1", "a whole number from 0 to 9007199254740992"),
        ("validate_every", "0", "a whole number from 1 to 16777216"),
        ("headroom", "0", "a number from 1e-9 to 1e12"),
        ("evolution.population", "1000000000000", "an even number from 2 to 10000"),
        ("evolution.population", "5", "an even number from 2 to 10000"),
        ("evolution.generations", "1000000000000", "a whole number from 1 to 16777216"),
        ("evolution.sigma", "1e-50", "a number from 1e-9 to 1e6"),
        ("evolution.learning_rate", "1e300", "a number from 1e-9 to 1e6"),
        ("evolution.final_learning_rate", "0", "a number from 1e-9 to 1e6"),
        ("ddpg.hidden", "1000000", "a whole number from 1 to 1024"),
        ("ddpg.learning_starts", "100000", "at most `buffer_size`, 50000"),
    ] {
        let set = format!("training.{key}={value}");
        let learner = if key.starts_with("ddpg") { DDPG } else { EVOLUTION };
        let output = train(folder.path(), learner, 1, &["--set", &set], "1");
        let key = key.rsplit('.').next().unwrap_or(key);
        refused(&output, &[&format!("tiny.toml with --set: `{key}` is "), allowed]);
        assert!(output.stderr.len() < 1000);
    }
    assert!(!folder.path().join("out").exists());
    // In the file, with its line.
    let file = path(folder.path(), "tiny.toml");
    fs::write(&file, format!("{TINY}{EVOLUTION}1e12\n")).expect("it is ours");
    refused(
        &mascot(&["train", &file], "1"),
        &["tiny.toml:13: `generations` is 1e12: expected a whole number"],
    );
}
