//! Does a sweep survive what happens to long ones: kills, Ctrl-C, failing cells, damaged files, edits; does a replay
//! reproduce it or say why not.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use tempfile::TempDir;

use crate::common::{executable, mascot, program};

const CSV: [&str; 5] = ["summary.csv", "groups.csv", "accelerators.csv", "requests.csv", "layers.csv"];

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary paths are UTF-8")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A sweep of 96 short cells into `out`, with all files.
fn sweep_args(out: &Path) -> Vec<String> {
    let keys = ["scenarios=light", "requests=40", "deadline_factor=[2,4]", "period_us=[50,100]"];
    let fixed = ["run", "experiments/quickstart.toml", "--quiet", "--requests", "--layers", "--seeds", "6"];
    let schedulers = "schedulers=[\"fcfs\", { name = \"gated\", alpha = [0.3, 0.4] }, \"eft\"]";
    let mut args: Vec<String> = fixed.map(String::from).to_vec();
    for key in keys.into_iter().chain([schedulers, "loads=[0.6]"]) {
        args.extend(["--set".into(), key.into()]);
    }
    args.extend(["--out".into(), text(out).into()]);
    args
}

fn start(args: &[String]) -> Child {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    program(&args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn run(args: &[String]) -> Output {
    start(args).wait_with_output().unwrap()
}

fn cells(out: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(out.join("cells")).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "cell")).collect()
}

/// The identifiers of the cells of a finished sweep, which are in one file: after a line with an identifier and a length
/// come so many bytes.
fn packed(out: &Path) -> Vec<String> {
    let bytes = fs::read(out.join("cells/finished.pack")).unwrap();
    let (mut ids, mut rest) = (Vec::new(), &bytes[..]);
    while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
        let (id, length) = str::from_utf8(&rest[..end]).unwrap().split_once(' ').unwrap();
        ids.push(id.to_string());
        rest = &rest[end + 1 + length.parse::<usize>().unwrap()..];
    }
    ids
}

fn files(out: &Path) -> Vec<String> {
    let names = fs::read_dir(out).unwrap().flatten().map(|entry| entry.file_name());
    let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn csv(out: &Path) -> Vec<Vec<u8>> {
    CSV.iter().map(|name| fs::read(out.join(name)).unwrap()).collect()
}

fn manifest(out: &Path) -> Value {
    serde_json::from_slice(&fs::read(out.join("manifest.json")).unwrap()).unwrap()
}

/// Waits until so many cells are kept, or the process has ended.
fn wait_for(child: &mut Child, out: &Path, number: usize) {
    while cells(out).len() < number && child.try_wait().unwrap().is_none() {
        sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_sweep_that_is_killed_again_and_again_ends_with_the_same_bytes() {
    let folder = TempDir::new().unwrap();
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    assert!(run(&sweep_args(&whole)).status.success());
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    for _ in 0..8 {
        let before = cells(&killed);
        let mut child = start(&sweep_args(&killed));
        wait_for(&mut child, &killed, before.len() + rng.random_range(0..15));
        sleep(Duration::from_micros(rng.random_range(0..20_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        let after = cells(&killed);
        assert!(before.is_subset(&after), "a kept cell is gone");
    }
    let kept = cells(&killed).len();
    assert!(run(&sweep_args(&killed)).status.success());
    assert!(csv(&whole) == csv(&killed), "the bytes depend on what happened");
    assert_eq!(files(&whole), files(&killed));
    assert_eq!(files(&whole.join("cells")), files(&killed.join("cells")));
    let manifest = manifest(&killed);
    assert_eq!(manifest["cells_kept"], kept);
    assert_eq!(manifest["cells_run"], 96 - kept);
    assert_eq!(manifest["state"], "complete");
}

#[test]
fn damaged_cells_are_run_again_and_those_of_another_sweep_stay() {
    let folder = TempDir::new().unwrap();
    let out = folder.path();
    assert!(run(&sweep_args(out)).status.success());
    let whole = csv(out);
    // The cells of a finished sweep are in one file. In the first a byte changes, and the last is cut off.
    let pack = out.join("cells/finished.pack");
    assert_eq!(files(&out.join("cells")), ["finished.pack"]);
    let mut bytes = fs::read(&pack).unwrap();
    let first = bytes.iter().position(|&byte| byte == b'\n').unwrap() + 100;
    bytes[first] ^= 1;
    fs::write(&pack, &bytes[..bytes.len() - 1]).unwrap();
    fs::write(out.join("cells/.tmpleft"), "left by a killed process").unwrap();
    assert!(run(&sweep_args(out)).status.success());
    assert!(csv(out) == whole);
    assert_eq!(manifest(out)["cells_run"], 2);
    assert_eq!(files(&out.join("cells")), ["finished.pack"]);

    // A sweep that has grown runs what is new.
    let grown = [&sweep_args(out)[..], &["--set".into(), "loads=[0.6,0.7]".into()]].concat();
    assert!(run(&grown).status.success());
    assert_eq!((&manifest(out)["cells_kept"], &manifest(out)["cells_run"]), (&96.into(), &96.into()));
    // And one that has shrunk keeps what is not of it for when it grows again.
    assert!(run(&sweep_args(out)).status.success());
    assert_eq!(manifest(out)["cells_run"], 0);
    assert!(csv(out) == whole);
    assert!(run(&grown).status.success());
    assert_eq!(manifest(out)["cells_run"], 0);
}

#[cfg(unix)]
#[test]
fn ctrl_c_says_how_to_go_on() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    // Far more cells than end before the signal.
    let args =
        [&sweep_args(&out)[..], &["--set".into(), "first_seed=100".into(), "--jobs".into(), "1".into()]]
            .concat();
    let args: Vec<String> = args.into_iter().map(|a| if a == "6" { "2000".into() } else { a }).collect();
    let mut child = start(&args);
    wait_for(&mut child, &out, 2);
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", said(&output));
    let message = said(&output);
    assert!(message.contains("interrupted: ") && message.contains("of 32000 cells"), "{message}");
    assert!(message.contains("the same command resumes there"), "{message}");
    assert!(cells(&out).len() >= 2);
    assert_eq!(files(&out), ["cells"], "no result file before all cells are there");
    assert_eq!(manifest(&out.join("cells"))["state"], "unfinished");
}

/// A data folder of one accelerator, and a loop of requests whose layers wait a thousand seconds for a decision each: the
/// clock ends before they do. Only requests that may be late do; no estimate before the run knows.
fn slow_data(root: &Path) -> PathBuf {
    for folder in ["accel-models/systems", "workloads/networks", "workloads/scenarios"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    let write = |name: &str, text: &str| fs::write(root.join(name), text).unwrap();
    fs::copy("accel-models/simba_256.toml", root.join("accel-models/simba_256.toml")).unwrap();
    let after = |l: usize| if l == 0 { String::new() } else { format!(", after = [\"l{}\"]", l - 1) };
    let layer = |l: usize| format!("{{ name = \"l{l}\", kind = \"gemm\", k = 1, c = 1{} }},\n", after(l));
    let layers: String = (0..20).map(layer).collect();
    write(
        "workloads/networks/slow.toml",
        &format!("name = 'slow'\nsource = 'a test'\nlayers = [\n{layers}]\n"),
    );
    write(
        "workloads/scenarios/slow.toml",
        "name = 'slow'\nsource = 'a test'\n[[tenant]]\nname = 'a'\nnetwork = 'slow'\n\
         arrivals = { kind = 'closed_loop', in_flight = 1, think_us = 1, think = 'exponential' }\n",
    );
    write(
        "accel-models/systems/slow.toml",
        "name = 'slow'\nsource = 'a test'\ndram_bandwidth_gbps = 32\nmapping_bandwidth_gbps = 32\ncost = 'slow.csv'\n\
         [[accelerator]]\nmodel = 'simba_256'\ncount = 1\n",
    );
    let costs: String = (0..20).map(|l| format!("slow,l{l},simba_256,1000000,1,1\n")).collect();
    write(
        "accel-models/systems/slow.csv",
        &format!("network,layer,accelerator,cycles,dram_bytes,energy_pj\n{costs}"),
    );
    write(
        "e.toml",
        "systems = ['slow']\nscenarios = ['slow']\nschedulers = ['fcfs']\nseeds = 2\nrequests = 1200\nwarmup_requests = 0\n\
         drain_requests = 0\ntrigger = 'on_change'\nlate = ['finish', 'abort']\nunassigned = 'hold'\ndecision_base_us = 1e9\n",
    );
    root.join("e.toml")
}

#[test]
fn a_cell_that_fails_takes_no_other_down() {
    let folder = TempDir::new().unwrap();
    let file = slow_data(folder.path());
    let out = folder.path().join("out");
    let run = |args: &[&str]| mascot(&[&["run", text(&file), "--quiet", "--out"], args].concat());
    let output = run(&[text(&out)]);
    let message = said(&output);
    assert_eq!(output.status.code(), Some(3), "{message}");
    assert!(message.contains("2 of 4 cells failed") && message.contains("overflow"), "{message}");
    assert_eq!(files(&out), ["cells"]);
    assert_eq!(cells(&out).len(), 2);
    let unfinished = manifest(&out.join("cells"));
    assert_eq!(unfinished["state"], "failed");
    assert_eq!(unfinished["failed"].as_array().unwrap().len(), 2);

    // Both ways to run the cell alone end as it did.
    let id = unfinished["failed"][0]["cell"].as_str().unwrap();
    let replayed = mascot(&["replay", text(&out.join("cells/manifest.json")), "--cell", &id[..10]]);
    assert_eq!(replayed.status.code(), Some(3));
    assert!(
        said(&replayed).contains("late=finish") && said(&replayed).contains("overflow"),
        "{}",
        said(&replayed)
    );
    let command = message.lines().find_map(|line| line.split_once("reproduces it: mascot ")).unwrap().1;
    let command = format!("{} {command} --quiet --out {}", executable().display(), text(&out.join("alone")));
    let alone = std::process::Command::new("sh").args(["-c", &command]).output().unwrap();
    assert_eq!(alone.status.code(), Some(3), "{}", said(&alone));

    // Again: only what failed; and without what fails, nothing is left to run.
    assert!(said(&run(&[text(&out)])).contains("2 of 4 cells failed"));
    assert!(run(&[text(&out), "--set", "late=abort"]).status.success());
    assert_eq!((&manifest(&out)["cells_kept"], &manifest(&out)["cells_run"]), (&2.into(), &0.into()));
    assert_eq!((files(&out.join("cells")), packed(&out).len()), (vec!["finished.pack".to_string()], 2));
}

#[test]
fn a_dry_run_tells_and_writes_nothing() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let args: Vec<String> = sweep_args(&out).into_iter().filter(|a| a != "--quiet").collect();
    let dry = run_with_output(&[&args[..], &["--dry-run".into()]].concat());
    assert!(dry.contains("96 cells, 0 of them kept in"), "{dry}");
    assert!(dry.contains("from short runs, one for each of 4 schedulers"), "{dry}");
    assert!(dry.contains("gated(alpha=0.3) (24)") && dry.contains("lambda* 1/s"), "{dry}");
    assert!(!out.exists());
    assert!(run(&args).status.success());
    let dry = run_with_output(&[&args[..], &["--dry-run".into()]].concat());
    assert!(dry.contains("96 of them kept") && dry.contains("nothing is left to run"), "{dry}");
    // What it calls cells is what they are kept as.
    let listed = dry.lines().filter_map(|line| line.trim().split_once("  yes").map(|(id, _)| id.to_string()));
    let kept: BTreeSet<String> = packed(&out).iter().map(|id| id[..12].to_string()).collect();
    assert_eq!(listed.collect::<BTreeSet<_>>(), kept);
}

fn run_with_output(args: &[String]) -> String {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    said(&mascot(&args))
}

/// A copy of the data of the light scenario on hetero-4, and an experiment on it that has run.
fn finished(folder: &Path) -> PathBuf {
    for of in ["accel-models", "accel-models/systems", "workloads/networks", "workloads/scenarios"] {
        fs::create_dir_all(folder.join(of)).unwrap();
        for path in
            fs::read_dir(of).unwrap().flatten().map(|entry| entry.path()).filter(|path| path.is_file())
        {
            fs::copy(&path, folder.join(&path)).unwrap();
        }
    }
    let file = folder.join("e.toml");
    let text_of_file = "systems = ['hetero-4']\nscenarios = ['light']\nloads = [0.6, 0.9]\nschedulers = ['fcfs', 'edf']\n\
                        seeds = 2\nrequests = 20\nmax_sub_job_us = inf\n[[exclude]]\nscheduler = 'edf'\nload = 0.6\n";
    fs::write(&file, text_of_file).unwrap();
    let out = folder.join("out");
    let output =
        mascot(&["run", text(&file), "--quiet", "--requests", "--out", text(&out), "--set", "seeds=3"]);
    assert!(output.status.success(), "{}", said(&output));
    out
}

#[test]
fn a_replay_reproduces_the_bytes_or_says_what_differs() {
    let folder = TempDir::new().unwrap();
    let out = finished(folder.path());
    let replay = |more: &[&str]| {
        let output = mascot(&[&["replay", text(&out), "--quiet"], more].concat());
        (output.status.code(), said(&output))
    };
    // What was asked for is in the manifest: the experiment's file does not matter any more.
    fs::remove_file(folder.path().join("e.toml")).unwrap();
    let (code, message) = replay(&[]);
    assert_eq!(code, Some(0), "{message}");
    assert!(message.starts_with("OK, the same: summary.csv (9 rows)"), "{message}");
    assert!(message.contains("requests.csv (180 rows)"), "{message}");

    // For programs.
    let told: Value =
        serde_json::from_slice(&mascot(&["replay", text(&out), "--json"]).stdout).expect("JSON alone");
    assert_eq!(told["cells"], 9);
    assert_eq!(told["the_same"][0], serde_json::json!({ "file": "summary.csv", "rows": 9 }));

    // One cell, by the beginning of what it is kept as.
    let cell = packed(&out).swap_remove(0);
    let again = folder.path().join("again");
    let (code, message) = replay(&["--cell", &cell[..8], "--out", text(&again)]);
    assert_eq!((code, &message[..12]), (Some(0), "OK, the same"), "{message}");
    assert!(
        message.contains("summary.csv (1 rows)") && message.contains("requests.csv (20 rows)"),
        "{message}"
    );
    assert_eq!(fs::read_to_string(again.join("summary.csv")).unwrap().lines().count(), 2);
    assert!(replay(&["--cell", "xyz"]).1.contains("no cell `xyz` among 9"));
    assert_eq!(replay(&["--out", text(&out)]).0, Some(2), "results are not overwritten by their replay");

    // A result that was tampered with.
    let summary = fs::read_to_string(out.join("summary.csv")).unwrap();
    let header: Vec<&str> = summary.lines().next().unwrap().split(',').collect();
    let place = header.iter().position(|name| *name == "requests").unwrap();
    let mut lines: Vec<String> = summary.lines().map(str::to_string).collect();
    let mut row: Vec<&str> = lines[3].split(',').collect();
    row[place] = "21";
    lines[3] = row.join(",");
    fs::write(out.join("summary.csv"), lines.join("\n") + "\n").unwrap();
    let (code, message) = replay(&[]);
    assert_eq!(code, Some(1));
    assert!(message.contains("row 3") && message.contains("requests was 21 and is 20"), "{message}");
    fs::write(out.join("summary.csv"), summary).unwrap();

    // Another input, and another program.
    let scenario = folder.path().join("workloads/scenarios/light.toml");
    let text_of_scenario = fs::read_to_string(&scenario).unwrap();
    fs::write(&scenario, format!("{text_of_scenario}# a note\n")).unwrap();
    let (code, message) = replay(&[]);
    assert_eq!(code, Some(1));
    assert!(message.contains("light.toml has changed") && message.contains("nothing is run"), "{message}");
    let (code, message) = replay(&["--anyway", "--cell", &cell]);
    assert!(
        code == Some(0) && message.contains("warning: ") && message.contains("OK, the same"),
        "{message}"
    );
    // What the cells are named after changes; their names of then still find them.
    let accelerator = folder.path().join("accel-models/simba_256.toml");
    let slower = fs::read_to_string(&accelerator).unwrap().replacen("clock_mhz = 1000", "clock_mhz = 999", 1);
    assert!(slower.contains("clock_mhz = 999"));
    fs::write(&accelerator, slower).unwrap();
    let (code, message) = replay(&["--anyway", "--cell", &cell]);
    assert!(code == Some(1) && message.contains(" was "), "{message}");
    fs::remove_file(folder.path().join("workloads/networks/squeezenet1_0.toml")).unwrap();
    // Where it is the only folder: else the one that ships would be as good.
    let alone = program(&["replay", text(&out)]).env("MASCOT_DATA_DIR", folder.path()).output().unwrap();
    assert!(said(&alone).contains("squeezenet1_0.toml: No such file"), "{}", said(&alone));
}

#[test]
fn a_replay_tells_another_program_from_its_own() {
    let folder = TempDir::new().unwrap();
    let out = finished(folder.path());
    let path = out.join("manifest.json");
    let mut changed = manifest(&out);
    let sources = changed["sources_sha256"].as_str().unwrap().to_string();
    assert_eq!(sources.len(), 64);
    changed["sources_sha256"] = "0".repeat(64).into();
    fs::write(&path, changed.to_string()).unwrap();
    let output = mascot(&["replay", text(&path)]);
    let message = said(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(message.contains("from sources 000000000000") && message.contains(&sources[..12]), "{message}");
    assert!(mascot(&["replay", text(&path), "--anyway"]).status.success());
    changed["schema"] = 2.into();
    fs::write(&path, changed.to_string()).unwrap();
    let message = said(&mascot(&["replay", text(&path)]));
    assert!(message.contains("a manifest of schema 2"), "{message}");
}

#[test]
fn an_edited_data_file_makes_its_cells_run_again_and_no_others() {
    let folder = TempDir::new().unwrap();
    let out = finished(folder.path());
    let run = || {
        let file = folder.path().join("e.toml");
        let scenarios = "scenarios=[\"light\",\"mixed\"]";
        let args = [
            "run",
            text(&file),
            "--quiet",
            "--requests",
            "--out",
            text(&out),
            "--set",
            "seeds=3",
            "--set",
            scenarios,
        ];
        assert!(mascot(&args).status.success());
        let manifest = manifest(&out);
        [manifest["cells_kept"].as_u64().unwrap(), manifest["cells_run"].as_u64().unwrap()]
    };
    assert_eq!(run(), [9, 9]);
    let scenario = folder.path().join("workloads/scenarios/light.toml");
    let edited = fs::read_to_string(&scenario).unwrap() + "# a note\n";
    fs::write(&scenario, edited).unwrap();
    assert_eq!(run(), [9, 9], "mixed is kept, light is run");
    assert_eq!(run(), [18, 0]);
}

/// Scenario, load, scheduler and seed of every cell of an experiment on hetero-4.
fn cells_of(text: &str) -> Vec<String> {
    use mascot::cost::Cache;
    use mascot::experiment::{DataRoot, Experiment, Silent};
    use mascot::plan::Plan;
    use mascot::sweep;
    let data = DataRoot::find(None).unwrap();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("e.toml");
    fs::write(&file, format!("systems = ['hetero-4']\n{text}")).unwrap();
    let experiment = Experiment::read(&file, &[], &data).unwrap();
    let plan = Plan::prepare(experiment, &data, &Cache::from_env(), &Silent).unwrap();
    let told = |cell: &sweep::Cell| {
        let keys = cell.keys();
        let load = cell.case.load.map_or(String::new(), |load| load.to_string());
        format!("{} {load} {} {}", keys[1], keys[4], keys[5])
    };
    sweep::cells(&plan).iter().map(told).collect()
}

#[test]
fn cells_are_left_out_and_added() {
    let base =
        "scenarios = ['light']\nloads = [0.6, 0.9]\nschedulers = ['fcfs', 'edf']\nseeds = 2\nrequests = 20\n";
    let all = ["light 0.6 fcfs 1", "light 0.6 fcfs 2", "light 0.6 edf 1", "light 0.6 edf 2"];
    let excluded =
        format!("{base}[[exclude]]\nload = 0.9\n[[exclude]]\nscheduler = 'edf'\nseed = [2, 1]\nload = 0.6\n");
    assert_eq!(cells_of(&excluded), all[..2]);
    // A row of the case that is there, and one of a case of its own; what is there already comes once.
    let included = format!(
        "{base}[[exclude]]\nload = 0.9\n[[include]]\nload = 0.6\nscheduler = ['fcfs', 'sjf']\nseed = 1\n\
         [[include]]\nscenario = 'mixed'\nload = 1.2\nscheduler = {{ name = 'gated', alpha = [0.3, 0.4] }}\nseed = 9\n"
    );
    let added = ["light 0.6 sjf 1", "mixed 1.2 gated(alpha=0.3) 9", "mixed 1.2 gated(alpha=0.4) 9"];
    assert_eq!(cells_of(&included), [&all[..], &added].concat());
    // What was left out may be brought back.
    let back =
        format!("{base}[[exclude]]\nload = 0.9\n[[include]]\nload = 0.9\nscheduler = 'edf'\nseed = 1\n");
    assert_eq!(cells_of(&back), [&all[..], &["light 0.9 edf 1"]].concat());
    // A scenario whose requests come at their own pace beside others takes `loads` away.
    let own =
        format!("{base}[[exclude]]\nload = 0.9\n[[include]]\nscenario = 'ar_gaming'\nload = []\nseed = 1\n");
    assert_eq!(cells_of(&own), [&all[..], &["ar_gaming  fcfs 1", "ar_gaming  edf 1"]].concat());
}
