//! Is hardware compared under the same requests: deadlines that stay where a reference is given and are warned of where they
//! move, loads that tell cells apart in every seed.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Output;

use tempfile::TempDir;

use crate::common::{mascot, program};

/// Two tenants with rates of their own, and an experiment on them; `keys` are more of its lines.
fn experiment(folder: &Path, keys: &str) {
    fs::create_dir_all(folder.join("workloads/scenarios")).unwrap();
    let tenant = |name: &str, network: &str, arrivals: &str| {
        format!("[[tenant]]\nname = '{name}'\nnetwork = '{network}'\narrivals = {{ {arrivals} }}\n")
    };
    let scenario = |name: &str, tenants: String| {
        let text = format!("name = '{name}'\nsource = 'a test'\n{tenants}");
        fs::write(folder.join(format!("workloads/scenarios/{name}.toml")), text).unwrap();
    };
    let poisson = |rate: u32| format!("kind = 'poisson', rate_per_s = {rate}");
    let open = tenant("a", "mobilenet_v1", &poisson(100)) + &tenant("b", "resnet50", &poisson(30));
    scenario("rates", open);
    scenario("at_once", tenant("a", "kws_res8", "kind = 'batch', requests = 400"));
    scenario("loop", tenant("a", "kws_res8", "kind = 'closed_loop', in_flight = 2, think_us = 1000"));
    let fixed = "systems = ['hetero-6']\nschedulers = ['fcfs', 'edf']\nseeds = 3\nrequests = 40\n";
    fs::write(folder.join("e.toml"), format!("{fixed}{keys}\n")).unwrap();
}

fn in_folder(folder: &Path, args: &[&str]) -> Output {
    program(args).current_dir(folder).output().unwrap()
}

fn run(folder: &Path, more: &[&str]) -> String {
    let output =
        in_folder(folder, &[&["run", "e.toml", "--quiet", "--requests", "--out", "out"], more].concat());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    said
}

/// The rows of a result file by column.
fn rows(folder: &Path, name: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(folder.join("out").join(name)).unwrap();
    reader.deserialize().map(|row| row.unwrap()).collect()
}

/// Network and arrival of a request, and how long it may take, in nanoseconds.
type Terms = (String, String, u64);

/// By DRAM bandwidth and seed, what requests ask for.
fn terms(folder: &Path) -> BTreeMap<(String, String), Vec<Terms>> {
    let mut terms: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in rows(folder, "requests.csv").into_iter().filter(|row| row["scheduler"] == "fcfs") {
        let us = |key: &str| row[key].parse::<f64>().unwrap();
        let allowed_ns = (1e3 * (us("deadline_us") - us("arrival_us"))).round() as u64;
        let of = (row["dram_bandwidth_gbps"].clone(), row["seed"].clone());
        terms.entry(of).or_default().push((row["network"].clone(), row["arrival_us"].clone(), allowed_ns));
    }
    terms
}

fn at(terms: &BTreeMap<(String, String), Vec<Terms>>, gbps: &str) -> Vec<Terms> {
    terms[&(gbps.to_string(), "2".to_string())].clone()
}

#[test]
fn deadlines_follow_the_hardware_or_stay_with_a_reference() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    experiment(folder, "scenarios = ['rates']\ndram_bandwidth_gbps = [8, 32]\nqos = ['H']");
    let warned = run(folder, &[]);
    assert!(warned.contains("warning: deadlines follow the hardware (dram_bandwidth_gbps)"), "{warned}");
    assert!(warned.contains("`sla_reference = \"hetero-6\"`"), "{warned}");
    let own = terms(folder);
    let (slow, fast) = (at(&own, "8"), at(&own, "32"));
    let same = |a: &[Terms], b: &[Terms]| a.iter().zip(b).all(|(a, b)| (&a.0, &a.1) == (&b.0, &b.1));
    assert!(same(&slow, &fast) && slow.iter().zip(&fast).all(|(slow, fast)| slow.2 > fast.2));

    // The reference's own 32 GB/s: the fast system keeps its deadlines, and the slow one has them, too.
    assert_eq!(run(folder, &["--set", "sla_reference=hetero-6"]), "");
    let kept = terms(folder);
    assert_eq!(at(&kept, "8"), fast);
    assert_eq!(at(&kept, "32"), fast);
    assert!(rows(folder, "summary.csv").iter().all(|row| row["sla_reference"] == "hetero-6"));
    // Behind 8 GB/s both have those of the slow one, and requests that follow their tenant's qos do so still.
    assert_eq!(run(folder, &["--set", "sla_reference=hetero-6@8"]), "");
    assert_eq!([at(&terms(folder), "8"), at(&terms(folder), "32")], [slow.clone(), slow.clone()]);
    // Swept, it is a key: cells of both are there, and a replay takes them from the manifest.
    assert_eq!(run(folder, &["--set", "sla_reference=[\"own\", \"hetero-6@8\"]"]), "");
    let both: BTreeSet<String> =
        rows(folder, "summary.csv").into_iter().map(|mut row| row.remove("sla_reference").unwrap()).collect();
    assert_eq!(both, BTreeSet::from(["own".into(), "hetero-6@8".into()]));
    assert!(in_folder(folder, &["replay", "out", "--quiet"]).status.success());
    // Said to be meant, it is as if nothing were said, but for the warning.
    assert_eq!(run(folder, &["--set", "sla_reference=own"]), "");
    assert_eq!(terms(folder), own);
}

#[test]
fn systems_are_compared_under_the_deadlines_of_one() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    experiment(folder, "scenarios = ['rates']");
    let two = "systems=[\"eyeriss-6\", \"hetero-6\"]";
    let warned = run(folder, &["--set", two]);
    assert!(warned.contains("deadlines follow the hardware (system)"), "{warned}");
    let validated = in_folder(folder, &["validate", "e.toml"]);
    assert!(validated.status.success() && validated.stderr.is_empty());
    // A reference need not be among the systems; one that cannot run a network says so.
    assert_eq!(run(folder, &["--set", two, "--set", "sla_reference=simba-6"]), "");
    fs::create_dir_all(folder.join("accel-models/systems")).unwrap();
    let system =
        "name = 'vector'\nsource = 'a test'\ndram_bandwidth_gbps = 16\n[[accelerator]]\nmodel = 'vector'\n";
    fs::write(folder.join("accel-models/systems/vector.toml"), system).unwrap();
    let model = fs::read_to_string("accel-models/simba_256.toml").unwrap().replace("simba_256", "vector");
    let kinds = model.lines().find(|line| line.starts_with("kinds")).map(str::to_string);
    let only = "kinds = [\"vector\", \"lookup\"]";
    let model = kinds.map_or(format!("{only}\n{model}"), |kinds| model.replace(&kinds, only));
    fs::write(folder.join("accel-models/vector.toml"), model).unwrap();
    let refused = in_folder(folder, &["run", "e.toml", "--set", "sla_reference=vector", "--out", "refused"]);
    let message = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{message}");
    assert!(
        message.contains("`sla_reference = \"vector\"`: system `vector`: no accelerator runs"),
        "{message}"
    );
    assert!(!folder.join("refused").exists());
    let file = folder.join("e.toml");
    let unknown = mascot(&["run", file.to_str().unwrap(), "--set", "sla_reference=hetero-7"]);
    let message = String::from_utf8(unknown.stderr).unwrap();
    assert!(
        unknown.status.code() == Some(2) && message.contains("no system `hetero-7` (did you mean"),
        "{message}"
    );
}

/// The loads of a run, each with the offered loads of its seeds.
fn loads(folder: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut loads: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows(folder, "summary.csv").into_iter().filter(|row| row["scheduler"] == "fcfs") {
        loads.entry(row["load"].clone()).or_default().insert(row["offered_load"].clone());
    }
    loads
}

#[test]
fn the_load_is_a_key_and_what_a_run_offered_a_measure() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    experiment(folder, "scenarios = ['rates']");
    run(folder, &[]);
    let own = loads(folder);
    let (load, offered) = own.first_key_value().unwrap();
    let load: f64 = load.parse().unwrap();
    assert!(own.len() == 1 && offered.len() == 3, "{own:?}");
    assert!(offered.iter().all(|of| (of.parse::<f64>().unwrap() / load - 1.0).abs() < 0.6), "{own:?}");
    // Other seeds are of the same cell.
    run(folder, &["--first-seed", "7"]);
    assert_eq!(loads(folder).keys().collect::<Vec<_>>(), own.keys().collect::<Vec<_>>());
    // Where the experiment says it, in every seed as it says.
    run(folder, &["--set", "scenarios=light", "--set", "loads=0.7"]);
    let given = loads(folder);
    assert_eq!(given.keys().collect::<Vec<_>>(), ["0.7"]);
    assert_eq!(given["0.7"].len(), 3);
    // All at once has no rate, and a loop that of what came: about what it asks for where it is alone.
    run(folder, &["--set", "scenarios=at_once"]);
    assert_eq!(loads(folder), BTreeMap::from([("inf".into(), BTreeSet::from([String::new()]))]));
    run(folder, &["--set", "scenarios=loop"]);
    let looped = loads(folder);
    let (load, offered) = looped.first_key_value().unwrap();
    let offered: f64 = offered.first().unwrap().parse().unwrap();
    let load: f64 = load.parse().unwrap();
    assert!(looped.len() == 1 && (offered / load - 1.0).abs() < 0.1, "{looped:?}");
}
