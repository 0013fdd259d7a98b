//! A learned policy that does not fit the system: the error says where it is named, the two ways out, and what changed.

use std::fs;
use std::path::Path;
use std::process::Output;

use mascot::experiment::DataRoot;
use mascot::policy::{Manifest, system_sha256, trained_for};
use tempfile::TempDir;

use crate::common::program;

/// A folder with an experiment on one system.
struct Study(TempDir);

impl Study {
    fn new(system: &str, scheduler: &str) -> Self {
        let study = Self(tempfile::tempdir().expect("the temporary folder is writable"));
        fs::create_dir_all(study.0.path().join("accel-models/systems")).expect("the folder is ours");
        study.write(
            "run.toml",
            &format!("systems = ['{system}']\nscenarios = ['light']\nloads = [0.9]\nrequests = 20\nschedulers = ['gated', {scheduler}]\n"),
        );
        study
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.0.path().join(file), text).expect("the folder is ours");
    }

    /// A shipped file with some words replaced, which lies over it.
    fn edit(&self, file: &str, words: &[(&str, &str)]) {
        let mut text = fs::read_to_string(file).expect("it ships");
        for (from, to) in words {
            assert!(text.contains(from), "{file}: {from}");
            text = text.replacen(from, to, 1);
        }
        self.write(file, &text);
    }

    /// A system `mine` without a policy: hetero-6 with a Simba in place of an Eyeriss.
    fn with_own_system(self) -> Self {
        let text = fs::read_to_string("accel-models/systems/hetero-6.toml").expect("it ships");
        let text = text.replacen("\"hetero-6\"", "\"mine\"", 1);
        let text = text.replacen("\"eyeriss_256\"", "\"simba_256\"", 1);
        self.write("accel-models/systems/mine.toml", &text);
        self
    }

    /// A policy for a system `mine` of long ago.
    fn write_old_policy(&self) {
        let shipped = Path::new("policies/relmas-hetero-6.toml");
        let text = fs::read_to_string(shipped).expect("it ships");
        let sha256 = text.lines().find(|line| line.starts_with("system_sha256")).expect("it has one");
        let text = text.replacen(sha256, &format!("system_sha256 = \"{}\"", "0".repeat(64)), 1);
        self.write("old.toml", &text.replacen("\"hetero-6\"", "\"mine\"", 1));
        let weights = self.0.path().join("old.safetensors");
        fs::copy(shipped.with_extension("safetensors"), weights).expect("it ships");
    }

    fn mascot(&self, args: &[&str]) -> Output {
        program(args).current_dir(self.0.path()).output().expect("the program was built for this test")
    }

    fn error(&self) -> String {
        let output = self.mascot(&["run", "run.toml"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(!self.0.path().join("results").exists());
        String::from_utf8(output.stderr).expect("messages are text")
    }
}

fn succeeds(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn both_ways_out_of_a_missing_policy_lead_out() {
    let entry = "{ name = 'relmas', label = 'r' }";
    let study = Study::new("mine", entry).with_own_system();
    let error = study.error();
    let lines: Vec<&str> = error.lines().collect();
    let train =
        "mascot train experiments/train-hetero-6-relmas.toml --set systems=mine --out results/train-mine";
    let trained = r#"{ name = "relmas", label = "r", policy = "results/train-mine/relmas-mine.toml" }"#;
    let transferred = r#"{ name = "relmas", label = "r", policy = "relmas-hetero-6", transfer = true }"#;
    let said =
        "error: run.toml:5: scheduler `relmas`: there is no policy for `mine`, policies/relmas-mine.toml";
    assert_eq!(lines[0], said);
    assert_eq!(
        lines[1..4],
        ["  train one, and name it:", &format!("    {train}"), &format!("    {trained}")]
    );
    let other = "  or run one that was trained for other accelerators, which may be worse:";
    assert_eq!(lines[4..6], [other, &format!("    {transferred}")]);
    assert!(
        lines[6].starts_with("5 | schedulers = [") && lines[7].ends_with(&"^".repeat(entry.len())),
        "{error}"
    );

    // The commands and entries are taken at their word; only the training is made tiny.
    let text = fs::read_to_string(study.0.path().join("run.toml")).expect("it was written");
    study.write("transferred.toml", &text.replacen(entry, transferred, 1));
    succeeds(&study.mascot(&["run", "transferred.toml", "--quiet"]));
    if cfg!(feature = "train") {
        let few = [
            "scenarios=light",
            "loads=0.9",
            "deadline_factor=2",
            "seeds=5",
            "requests=20",
            "training.validate_every=1",
            "training.rloo.steps=1",
            "training.rloo.traces=2",
            "training.rloo.final_traces=2",
        ];
        let sets = few.into_iter().flat_map(|key| ["--set", key]);
        let args: Vec<&str> = train.split(' ').skip(1).chain(sets).chain(["--quiet"]).collect();
        succeeds(&study.mascot(&args));
        study.write("trained.toml", &text.replacen(entry, trained, 1));
        succeeds(&study.mascot(&["run", "trained.toml", "--quiet"]));
    }
}

#[test]
fn a_policy_of_another_system_may_be_transferred_or_replaced() {
    let error =
        Study::new("hetero-4", "{ name = 'relmas', policy = 'relmas-hetero-6', label = 'r' }").error();
    let said = "run.toml:5: scheduler `relmas`: ";
    assert!(error.contains(said), "{error}");
    assert!(
        error.contains("was trained for the accelerators of `hetero-6`, and those of `hetero-4` differ\n"),
        "{error}"
    );
    let train = "mascot train experiments/train-hetero-6-relmas.toml --set systems=hetero-4 --out results/train-hetero-4\n";
    assert!(error.contains(train), "{error}");
    let entry = r#"{ name = "relmas", label = "r", policy = "relmas-hetero-6", transfer = true }"#;
    assert!(error.contains(entry), "{error}");
    // None of the shipped policies has a score for each of four accelerators.
    let error = Study::new("hetero-4", "'relmas'").error();
    assert!(error.contains("train one, and name it") && !error.contains("or run one"), "{error}");
}

#[test]
fn an_edited_accelerator_is_named_with_the_keys_that_changed() {
    let study = Study::new("hetero-6", "'relmas'");
    let edits = [
        ("clock_mhz = 1000", "clock_mhz = 900"),
        ("capacity_words = 65536", "capacity_words = 32768"),
        ("energy_pj = 0.23", "energy_pj = 0.25"),
    ];
    study.edit("accel-models/simba_256.toml", &edits);
    let error = study.error();
    assert!(error.contains("was trained for `hetero-6`, whose accelerators were others then\n"), "{error}");
    let changed = [
        "`simba_256`: GlobalBuffer capacity_words is 32768, and was 65536",
        "`simba_256`: clock_hz is 900000000.0, and was 1000000000.0",
        "`simba_256`: mac energy_pj is 0.25, and was 0.23",
    ];
    assert!(error.contains(&format!("\n  {}\n  train one", changed.join("\n  "))), "{error}");
    // A sixth difference and all after it are counted.
    let first = fs::read_to_string("accel-models/simba_256.toml").expect("it ships");
    let all = first
        .replace("read_pj_per_access = ", "read_pj_per_access = 1")
        .replace("leak_pj_per_cycle = ", "leak_pj_per_cycle = 1");
    study.write("accel-models/simba_256.toml", &all);
    let error = study.error();
    assert!(error.contains("\n  and 6 more\n  train one"), "{error}");
    // The check of the policy says the same.
    study.edit("accel-models/simba_256.toml", &edits[..1]);
    fs::create_dir(study.0.path().join("policies")).expect("the folder is ours");
    for ending in ["toml", "safetensors"] {
        let file = format!("policies/relmas-hetero-6.{ending}");
        fs::copy(&file, study.0.path().join(&file)).expect("it ships");
    }
    let output = study.mascot(&["validate", "policies/relmas-hetero-6.toml"]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && error.contains(changed[1]), "{error}");
}

#[test]
fn an_edited_system_is_told_by_its_accelerators() {
    let study = Study::new("hetero-6", "'relmas'");
    let (file, one) = ("accel-models/systems/hetero-6.toml", "model = \"simba_256\"\ncount = 1");
    study.edit(file, &[(one, "model = \"simba_256\"\ncount = 2")]);
    assert!(study.error().contains("\n  `hetero-6` has 7 accelerators, and had 6\n"), "{}", study.error());
    study.edit(file, &[(one, "model = \"eyeriss_256\"\ncount = 1")]);
    let error = study.error();
    assert!(error.contains("\n  accelerator 3 is `eyeriss_256`, and was `simba_256`\n  train"), "{error}");
}

/// Of accelerators that no definition at hand has, no more can be said.
#[test]
fn an_unknown_earlier_system_is_not_guessed() {
    let study = Study::new("mine", "{ name = 'relmas', policy = 'old.toml' }").with_own_system();
    study.write_old_policy();
    let error = study.error();
    assert!(
        error.contains("old.toml was trained for `mine`, whose accelerators were others then\n  train one"),
        "{error}"
    );
}

/// The manifest of a policy that is trained today has its accelerators, so that an edit of one's own system is told.
#[test]
fn a_policy_of_ones_own_system_knows_its_accelerators() {
    let study = Study::new("mine", "{ name = 'relmas', policy = 'old.toml' }").with_own_system();
    study.write_old_policy();
    let path = study.0.path().join("old.toml");
    let trained = DataRoot::find(Some(&study.0.path().join("run.toml"))).expect("it is a data folder");
    let trained = trained.system("mine").expect("it was written");
    let text = fs::read_to_string(&path).expect("it was written");
    let mut manifest: Manifest = toml::from_str(&text).expect("it is a manifest");
    manifest.system_sha256 = system_sha256(&trained);
    manifest.trained_for = trained_for(&trained);
    let text = toml::to_string(&manifest).expect("a manifest is plain data");
    fs::write(&path, &text).expect("the folder is ours");
    let valid = study.mascot(&["validate", "old.toml"]);
    assert!(valid.status.success(), "{}", String::from_utf8_lossy(&valid.stderr));
    study.edit("accel-models/simba_256.toml", &[("clock_mhz = 1000", "clock_mhz = 900")]);
    let told = "old.toml was trained for `mine`, whose accelerators were others then\n  `simba_256`: clock_hz is \
                900000000.0, and was 1000000000.0\n  train one";
    assert!(study.error().contains(told), "{}", study.error());
    // Accelerators that are not those of the hash are not believed.
    let doctored = text.replace("1000000000.0", "800000000.0");
    assert_ne!(doctored, text);
    fs::write(&path, doctored).expect("the folder is ours");
    let error = study.error();
    assert!(error.contains("whose accelerators were others then\n  train one"), "{error}");
}

#[test]
fn an_included_scheduler_is_found_at_its_include() {
    let study = Study::new("mine", "'edf'").with_own_system();
    let text = fs::read_to_string(study.0.path().join("run.toml")).expect("it was written");
    study.write("run.toml", &format!("{text}[[include]]\nscheduler = 'relmas'\n"));
    let error = study.error();
    assert!(error.contains("run.toml:6: scheduler `relmas`: there is no policy for `mine`"), "{error}");
}
