//! Questions to finished results: two values of a key compared, several folders ranked as one, folders in place of files.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::common::mascot;

const HEADER: &str = "system,scenario,qos,load,scheduler,seed,sla_rate,latency_p99_us\n";

/// The rows of a scheduler at one load on a system: an SLA rate per seed.
fn rows(system: &str, scheduler: &str, rates: &[f64]) -> String {
    let row =
        |(seed, rate): (usize, &f64)| format!("{system},mixed,M,0.9,{scheduler},{seed},{rate},90{seed}\n");
    (1..).zip(rates).map(row).collect()
}

/// A folder with a summary.csv of these rows below `root`.
fn results(root: &Path, name: &str, rows: &[String]) -> String {
    let folder = root.join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("summary.csv"), HEADER.to_string() + &rows.concat()).unwrap();
    folder.to_str().unwrap().to_string()
}

/// What a command says and its exit code.
fn says(args: &[&str]) -> (i32, String) {
    let output = mascot(args);
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

fn json(args: &[&str]) -> Value {
    serde_json::from_slice(&mascot(&[args, &["--json"]].concat()).stdout).unwrap()
}

#[test]
fn two_folders_are_compared_by_a_key_in_which_they_differ() {
    let root = TempDir::new().unwrap();
    let x = results(root.path(), "x", &[rows("x", "edf", &[0.5, 0.6]), rows("x", "fcfs", &[0.25, 0.25])]);
    let y = results(root.path(), "y", &[rows("y", "edf", &[0.75, 0.6]), rows("y", "fcfs", &[0.25, 0.25])]);
    let (code, said) = says(&["compare", &x, &y, "--by", "system"]);
    // b - a is 0.25 and 0, 0.125 in the mean.
    assert!(code == 0 && said.starts_with("a: system=x, b: system=y\n scenario  load  scheduler"), "{said}");
    assert!(said.contains("mixed     0.9   edf        0.5500  0.6750  0.1250"), "{said}");
    assert!(said.ends_with("sla_rate: 1 of 4 pairs of rows differ\n"), "{said}");
    // A tolerance makes it a check; without a key to pair by, no row has a partner.
    assert_eq!(says(&["compare", &x, &y, "--by", "system", "--tolerance", "0.1"]).0, 1);
    assert_eq!(says(&["compare", &x, &y, "--by", "system", "--tolerance", "0.2"]).0, 0);
    let (code, said) = says(&["compare", &x, &y]);
    assert!(
        code == 1 && said.contains("`system` is x in the first file and y in the second file\n"),
        "{said}"
    );
    let told = json(&["compare", &x, &y, "--by", "system", "--only", "scheduler=edf"]);
    assert_eq!(told["by"], serde_json::json!({"key": "system", "a": "x", "b": "y"}));
    assert_eq!((told["groups"].as_array().unwrap().len(), &told["tolerance"]), (1, &Value::Null));
    assert!((told["groups"][0]["difference"].as_f64().unwrap() - 0.125).abs() < 1e-12);
    assert_eq!(told["groups"][0]["keys"].get("system"), None);
}

#[test]
fn one_folder_is_compared_by_a_key_of_two_values() {
    let root = TempDir::new().unwrap();
    let all = [("x", 0.5), ("y", 0.75), ("z", 1.0)].map(|(system, rate)| rows(system, "edf", &[rate, rate]));
    let two = results(root.path(), "two", &all[..2]);
    let (code, said) = says(&["compare", &two, "--by", "system"]);
    assert!(code == 0 && said.starts_with("a: system=x, b: system=y\n"), "{said}");
    let three = results(root.path(), "three", &all);
    let (code, said) = says(&["compare", &three, "--by", "system"]);
    assert!(code == 2 && said.contains("`system` has 3 values: x, y, z; choose two with"), "{said}");
    assert!(said.ends_with("--only system=x --only system=y\n"), "{said}");
    // Those that are named are a and b, in this order.
    let (_, said) = says(&["compare", &three, "--by", "system", "--only", "system=z", "--only", "system=x"]);
    assert!(said.starts_with("a: system=z, b: system=x\n") && said.contains("-0.5000"), "{said}");
}

#[test]
fn schedulers_of_one_folder_are_compared_without_the_bound() {
    let root = TempDir::new().unwrap();
    let all =
        [("edf", 0.5), ("bound", 1.0), ("sjf", 0.75)].map(|(name, rate)| rows("x", name, &[rate, rate]));
    let folder = results(root.path(), "x", &all);
    let (code, said) = says(&["compare", &folder, "--by", "scheduler"]);
    assert!(code == 0 && said.starts_with("a: scheduler=edf, b: scheduler=sjf\n"), "{said}");
    assert!(said.contains(" mixed     0.9   0.5000  0.7500  0.2500"), "{said}");
}

#[test]
fn rows_without_a_partner_are_named_with_their_side() {
    let root = TempDir::new().unwrap();
    let x = results(root.path(), "x", &[rows("x", "edf", &[0.5, 0.5, 0.5])]);
    let y = results(root.path(), "y", &[rows("y", "edf", &[0.5, 0.75]), rows("y", "sjf", &[0.5])]);
    let (code, said) = says(&["compare", &x, &y, "--by", "system"]);
    assert!(
        said.contains("only with system=x: system=x scenario=mixed qos=M load=0.9 scheduler=edf seed=3"),
        "{said}"
    );
    assert!(
        said.contains("only with system=y: system=y scenario=mixed qos=M load=0.9 scheduler=sjf seed=1"),
        "{said}"
    );
    assert!(said.contains("`scheduler` is edf with system=x and sjf with system=y\n"), "{said}");
    assert!(!said.contains("`system` is"), "the key in which the sides differ is no news: {said}");
    assert!(code == 1 && said.ends_with("1 rows are only with system=x, 1 only with system=y\n"), "{said}");
}

#[test]
fn an_open_question_is_refused() {
    let root = TempDir::new().unwrap();
    let x = results(root.path(), "x", &[rows("x", "edf", &[0.5])]);
    let both = results(root.path(), "both", &[rows("y", "edf", &[0.5]), rows("z", "edf", &[0.5])]);
    for (args, told) in [
        (&[&x[..]][..], "compared with what?"),
        (&[&x, "--by", "system"], "`system` is x in all rows: name a second folder"),
        (&[&x, &x, "--by", "sytem"], "no key that tells rows apart `sytem` (did you mean `system`?)"),
        (&[&x, &x, "--by", "seed"], "no key that tells rows apart `seed`"),
        (&[&x, &both, "--by", "system"], "both/summary.csv: `system` has 2 values: y, z; choose one"),
        (&[&x, &both, "--only", "system=w"], "has no system `w`; known: x, y, z"),
        (&[&x, &both, "--only", "sistem=x"], "has no key `sistem` (did you mean `system`?)"),
        (&[&x, &both, "--only", "system=y"], "x/summary.csv: no row has all these values"),
    ] {
        let (code, said) = says(&[&["compare"], args].concat());
        assert!(code == 2 && said.contains(told), "{args:?}: {said}");
    }
    let sides = ["--by", "system", "--only", "system=x", "--only", "system=z"];
    let (code, said) = says(&[&["compare", &x[..], &both][..], &sides].concat());
    assert!(code == 0 && said.starts_with("a: system=x, b: system=z\n"), "{said}");
}

#[test]
fn several_folders_are_ranked_as_one() {
    let root = TempDir::new().unwrap();
    let (edf, sjf) = (rows("x", "edf", &[0.5, 0.6]), rows("x", "sjf", &[0.75, 0.8]));
    let one = results(root.path(), "one", &[edf.clone(), sjf.clone()]);
    let [of_edf, of_sjf] =
        [("edf", &edf), ("sjf", &sjf)].map(|(name, of)| results(root.path(), name, std::slice::from_ref(of)));
    let expected = json(&["rank", &one]);
    assert_eq!(expected["schedulers"].as_array().unwrap().len(), 2);
    assert_eq!(json(&["rank", &of_edf, &of_sjf]), expected);
    assert_eq!(
        says(&["rank", &of_edf, &of_sjf, "--over", "edf"]).1,
        says(&["rank", &one, "--over", "edf"]).1
    );
    // Equal copies count once.
    let copied = json(&["rank", &one, &of_sjf]);
    assert_eq!((&copied["schedulers"], &copied["copies"]), (&expected["schedulers"], &Value::from(2)));
    // Two results of one run are refused, with the place of both.
    let other = results(root.path(), "other", &[rows("x", "sjf", &[0.75, 0.5])]);
    let (code, said) = says(&["rank", &one, &other]);
    assert!(
        code == 2
            && said.contains("other/summary.csv:3: a different result for the same cell and seed is in "),
        "{said}"
    );
    assert!(said.contains(&format!("{one}/summary.csv:5: keep one of them")), "{said}");
    let (code, said) = says(&["rank", &one, &of_edf, "--metric", "latency"]);
    assert!(code == 2 && said.contains("one/summary.csv has no metric `latency`"), "{said}");
}

/// Results of another version of the program may have other columns.
#[test]
fn results_are_the_same_if_they_agree_in_what_both_have() {
    let root = TempDir::new().unwrap();
    let one = results(root.path(), "one", &[rows("x", "edf", &[0.5, 0.6])]);
    let more = root.path().join("more.csv");
    let text = fs::read_to_string(root.path().join("one/summary.csv")).unwrap();
    let longer =
        text.lines().enumerate().map(|(i, line)| format!("{line},{}\n", if i == 0 { "more" } else { "7" }));
    fs::write(&more, longer.collect::<String>()).unwrap();
    assert_eq!(json(&["rank", &one, more.to_str().unwrap()])["copies"], 2);
}

#[test]
fn a_folder_without_the_file_is_told_which() {
    let root = TempDir::new().unwrap();
    let empty = root.path().to_str().unwrap();
    for (args, told) in [
        (&["rank", empty][..], "there is no summary.csv in this folder"),
        (&["rank", empty, "--metric", "quality"], "there is no serving.csv in this folder"),
        (&["compare", empty, empty], "there is no summary.csv in this folder"),
        (&["replay", empty], "there is no manifest.json in this folder"),
        (&["report", empty], "neither the summary.csv of a finished `mascot run` nor the log.csv"),
        (&["validate", empty], "no .toml file in the given folders"),
    ] {
        let (code, said) = says(args);
        assert!(code == 2 && said.contains(told), "{args:?}: {said}");
    }
    for args in [
        &["run", empty][..],
        &["capacity", empty],
        &["train", empty],
        &["trace", "stats", empty],
        &["contention", "verify", empty],
        &["cost", "verify", empty],
        &["cost", "search", empty],
        &["import", empty],
    ] {
        let (code, said) = says(args);
        assert!(
            code == 2 && said.contains(&format!("{empty}: this is a folder: expected a file")),
            "{args:?}: {said}"
        );
    }
}

#[test]
fn results_in_place_of_an_experiment_are_replayed() {
    let root = TempDir::new().unwrap();
    let folder = root.path().join("my results");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("manifest.json"), "{}").unwrap();
    for command in ["run", "capacity", "train"] {
        let (code, said) = says(&[command, folder.to_str().unwrap()]);
        let repeated = format!("`mascot replay '{}'` runs it again", folder.display());
        assert!(code == 2 && said.contains(&repeated), "{said}");
    }
}
