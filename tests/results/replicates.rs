//! Are copies of a run kept from counting as replicates, and do single runs, rates and metrics with a direction say what
//! they can: in `run`, `rank`, `compare` and `report`.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::common::mascot;

type Row = BTreeMap<String, String>;

fn rows(path: &Path) -> Vec<Row> {
    csv::Reader::from_path(path).unwrap().deserialize().map(Result::unwrap).collect()
}

/// The numbers of the only picture of a kind in the report of a folder.
fn only_picture(folder: &Path, kind: &str) -> PathBuf {
    let entries = std::fs::read_dir(folder.join("report")).unwrap().flatten().map(|entry| entry.path());
    let is_it = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with(&format!("{kind}-")) && name.ends_with(".csv")
    };
    let found: Vec<PathBuf> = entries.filter(is_it).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

/// Code, standard output and standard error.
fn told(args: &[&str]) -> (i32, String, String) {
    let output = mascot(args);
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.code().unwrap(), out, err)
}

fn json(args: &[&str]) -> Value {
    let (code, out, err) = told(args);
    assert_eq!(code, 0, "{err}");
    serde_json::from_str(&out).unwrap()
}

/// A recording that names networks, and a scenario of two tenants that draws nothing.
fn recorded(folder: &Path) -> [String; 2] {
    let write = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).unwrap();
        folder.join(name).display().to_string()
    };
    let row = |i: u32| {
        let gap_us = 400 + (i * 7919) % 1_300;
        (gap_us, if i.is_multiple_of(3) { "squeezenet1_0" } else { "kws_res8" })
    };
    let mut time_us = 0;
    let mut text = "t_s,network\n".to_string();
    for (gap_us, network) in (0..240).map(row) {
        time_us += gap_us;
        text += &format!("{:.6},{network}\n", f64::from(time_us) / 1e6);
    }
    let tenant = |name: &str, network: &str| format!("[[tenant]]\nname = '{name}'\nnetwork = '{network}'\n");
    let tenants = [tenant("a", "squeezenet1_0"), tenant("b", "kws_res8")].concat();
    let scenario = write("two.toml", &format!("name = 'two'\nsource = 'a test'\n{tenants}"));
    [scenario, write("trace.csv", &text)]
}

/// Runs five seeds of the recording, overloaded, and returns what was told.
fn run_recording(folder: &Path, more: &[&str]) -> (String, String) {
    let [scenario, trace] = recorded(folder);
    let experiment = folder.join("e.toml");
    let text = format!(
        "systems = ['hetero-4']\nscenarios = ['{scenario}']\nschedulers = ['fcfs', 'edf_drop', 'random']\nseeds = 5\n\
         deadline_factor = 2\n"
    );
    std::fs::write(&experiment, text).unwrap();
    let out = folder.join("out");
    let run = ["run", experiment.to_str().unwrap(), "--trace", &trace, "--out", out.to_str().unwrap()];
    let (code, out, err) = told(&[&run[..], more].concat());
    assert_eq!(code, 0, "{err}");
    (out, err)
}

#[test]
fn a_recording_is_run_once_with_an_interval_by_batch_means() {
    let folder = TempDir::new().unwrap();
    let (table, warnings) = run_recording(folder.path(), &["--speedup", "2", "--bound"]);
    assert!(warnings.contains("no seed changes the requests of scenario `two`"), "{warnings}");
    assert!(warnings.contains("of edf_drop, fcfs\n"), "random draws: {warnings}");
    let summary = rows(&folder.path().join("out/summary.csv"));
    let of = |scheduler: &str| summary.iter().filter(|row| row["scheduler"] == scheduler).count();
    assert_eq!([of("fcfs"), of("edf_drop"), of("random"), of("bound")], [1, 1, 5, 1]);
    assert!(table.contains("by batch means") && !table.contains("± 0.0000"), "{table}");

    // By hand: 240 requests, 20 parts of 12.
    let fcfs = summary.iter().find(|row| row["scheduler"] == "fcfs").unwrap();
    let parts: Vec<f64> =
        fcfs["met_by_batch"].split(' ').map(|met| met.parse::<f64>().unwrap() / 12.0).collect();
    let mean = parts.iter().sum::<f64>() / 20.0;
    assert!((mean - fcfs["sla_rate"].parse::<f64>().unwrap()).abs() < 1e-12 && parts.len() == 20);
    let variance = parts.iter().map(|rate| (rate - mean).powi(2)).sum::<f64>() / 19.0;
    // t(0.975, 19) = 2.0930.
    let half = 2.0930 * (variance / 20.0).sqrt();
    assert!(half > 0.01, "the run is not all of a kind: {parts:?}");
    let out = folder.path().join("out").display().to_string();
    let ranking = json(&["rank", &out, "--json"]);
    assert_eq!((&ranking["replicates"], &ranking["seeds"]), (&Value::from("draws"), &Value::from(5)));
    let all = ranking["schedulers"].as_array().unwrap();
    let ranked = all.iter().find(|of| of["scheduler"] == "fcfs").unwrap();
    assert!((ranked["all"]["ci95"].as_f64().unwrap() - half).abs() < 1e-4, "{ranked} {half}");
    let (_, text, _) = told(&["rank", &out]);
    assert!(
        text.contains("5 seeds; several seeds beside one run") && text.contains("by batch means"),
        "{text}"
    );
    let (_, text, _) = told(&["rank", &out, "--metric", "latency_p99_us"]);
    assert!(text.contains("several seeds beside one run") && !text.contains("batch"), "{text}");
    let alone = ["rank", &out, "--only", "scheduler=fcfs", "--only", "scheduler=edf_drop"];
    let (_, text, _) = told(&alone);
    assert!(text.contains("1 seed; one run: intervals by batch means"), "{text}");
    let (_, text, _) = told(&[&alone[..], &["--metric", "latency_p99_us"]].concat());
    assert!(text.contains("one run: no interval"), "{text}");
    assert_eq!(told(&["report", &out]).0, 0);
    let page = std::fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    assert!(page.contains("by batch means"), "the page says so");
    let drawn = rows(&only_picture(&folder.path().join("out"), "sla"));
    let drawn = drawn.iter().find(|row| row["scheduler"] == "fcfs").unwrap();
    assert!((drawn["sla_rate_ci95"].parse::<f64>().unwrap() - half).abs() < 1e-4, "{drawn:?}");
}

/// One that draws is run under every seed, one that does not once: the mean and what it is less the other are of all seeds.
#[test]
fn a_run_that_no_seed_changes_is_compared_with_every_seed() {
    let folder = TempDir::new().unwrap();
    let (table, _) = run_recording(folder.path(), &["--speedup", "2", "--json", "--bound"]);
    let table: Value = serde_json::from_str(&table).unwrap();
    let summary = rows(&folder.path().join("out/summary.csv"));
    let rates = |scheduler: &str| -> Vec<f64> {
        let own = summary.iter().filter(|row| row["scheduler"] == scheduler);
        own.map(|row| row["sla_rate"].parse().unwrap()).collect()
    };
    let (random, fcfs) = (rates("random"), rates("fcfs")[0]);
    let mean = random.iter().sum::<f64>() / 5.0;
    assert!(random.len() == 5 && (random[0] - mean).abs() > 1e-6, "the first is not the mean: {random:?}");
    let near = |value: &Value, expected: f64| (value.as_f64().unwrap() - expected).abs() < 1e-9;
    let of = |all: &Value, scheduler: &str| {
        all.as_array().unwrap().iter().find(|of| of["scheduler"] == scheduler).unwrap().clone()
    };
    let row = of(&table, "random");
    assert!(near(&row["sla_rate"], mean) && near(&row["gain_points"], 100.0 * (mean - fcfs)), "{row}");
    assert_eq!(of(&table, "bound")["seeds"], 1, "{table}");

    let out = folder.path().join("out").display().to_string();
    let rank = |more: &[&str]| json(&[&["rank", &out, "--json"][..], more].concat())["schedulers"].clone();
    let (beside, alone) = (rank(&["--over", "fcfs"]), rank(&["--only", "scheduler=random"]));
    assert!(near(&of(&beside, "random")["difference"]["mean"], mean - fcfs), "{beside}");
    assert!(near(&of(&beside, "random")["all"]["mean"], mean), "{beside}");
    assert_eq!(of(&beside, "random")["all"], of(&alone, "random")["all"]);
    assert!(of(&beside, "random")["to_bound"]["mean"].is_number(), "{beside}");
    assert_eq!(told(&["report", &out]).0, 0);
    let gains = rows(&only_picture(&folder.path().join("out"), "gain"));
    let gain = gains.iter().find(|row| row["scheduler"] == "random" && row["against"] == "fcfs").unwrap();
    let percent = gain["gain_percent"].parse::<f64>().unwrap();
    assert!((percent - 100.0 * (mean / fcfs - 1.0)).abs() < 1e-9, "{gain:?}");
}

/// Priorities are drawn, which fcfs does not look at and prema does.
#[test]
fn runs_that_differ_in_priorities_alone_are_one() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let gen_trace = ["trace", "gen", "light", "--rate", "900", "--requests", "300", "-o", &path("t.csv")];
    assert_eq!(told(&gen_trace).0, 0);
    let recording = ["--trace", &path("t.csv"), "--set", "scenarios=light", "--set", "requests=240"];
    let schedulers =
        ["--set", "schedulers=[\"fcfs\",\"prema\"]", "--seeds", "4", "--bound", "--out", &path("out")];
    let run = [&["run", "experiments/quickstart.toml"][..], &recording, &schedulers].concat();
    let table = told(&run).1;
    let seeds: Vec<&str> = table
        .lines()
        .filter(|l| l.contains("hetero-6"))
        .filter_map(|l| l.split_whitespace().rev().nth(1))
        .collect();
    assert_eq!(seeds, ["1", "4", "1"], "the bound is that of one recording: {table}");
    for note in ["one run: intervals by batch means", "several seeds beside one run", "3 rows are copies"] {
        assert!(table.contains(note), "{note}: {table}");
    }
    assert_eq!(rows(&folder.path().join("out/summary.csv")).len(), 12);
    let ranking = json(&["rank", &path("out"), "--json"]);
    assert_eq!((&ranking["copies"], &ranking["replicates"]), (&3.into(), &"draws".into()));
}

/// A seed that an experiment includes twice is one.
#[test]
fn a_seed_is_run_once() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let text = "systems = ['hetero-4']\nscenarios = ['light']\nloads = [0.5]\nschedulers = ['fcfs']\nrequests = 20\n\
                [[include]]\nload = 0.75\nseed = [1, 1, 2]\n";
    std::fs::write(path("e.toml"), text).unwrap();
    assert_eq!(told(&["run", &path("e.toml"), "--quiet", "--out", &path("out")]).0, 0);
    let all = rows(&folder.path().join("out/summary.csv"));
    let seeds: Vec<&str> =
        all.iter().filter(|row| row["load"] == "0.75").map(|row| &row["seed"][..]).collect();
    assert_eq!(seeds, ["1", "2"]);
}

/// Seeds also change nothing without a recording.
#[test]
fn frames_without_jitter_are_run_once() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let run = |arrivals: &str| -> (usize, String) {
        let scenario = format!(
            "name = 'cam'\nsource = 'a test'\n[[tenant]]\nname = 'cam'\nnetwork = 'kws_res8'\narrivals = {arrivals}\n"
        );
        std::fs::write(file("cam.toml"), scenario).unwrap();
        let experiment = format!(
            "systems = ['hetero-4']\nscenarios = ['{}']\nschedulers = ['fcfs']\nseeds = 3\nrequests = 60\n",
            file("cam.toml")
        );
        std::fs::write(file("e.toml"), experiment).unwrap();
        let (code, _, err) = told(&["run", &file("e.toml"), "--out", &file("out")]);
        assert_eq!(code, 0, "{err}");
        (rows(&folder.path().join("out/summary.csv")).len(), err)
    };
    let (runs, warnings) = run("{ kind = 'periodic', fps = 300 }");
    assert!(runs == 1 && warnings.contains("no seed changes"), "{warnings}");
    let (runs, warnings) = run("{ kind = 'periodic', fps = 300, jitter_us = 10 }");
    assert!(runs == 3 && !warnings.contains("no seed changes"), "{warnings}");
    assert_eq!(run("{ kind = 'closed_loop', in_flight = 2, think_us = 50 }").0, 1);
    assert_eq!(run("{ kind = 'closed_loop', in_flight = 2, think_us = 50, think = 'exponential' }").0, 3);
}

/// Two schedulers under seeds 1 to 4, each seed a run of its own; some rows again.
fn summary(again: impl Fn(&[String]) -> Vec<String>) -> String {
    let header = "system,scenario,qos,load,scheduler,seed,requests,met,sla_rate,latency_p99_us,finished,\
                  energy_per_request_uj,energy_per_met_request_uj\n";
    let row = |(scheduler, seed, met): (&str, u32, u32)| {
        let (rate, latency) = (f64::from(met) / 100.0, 1e3 * f64::from(met + seed) + 0.5);
        format!("s,x,M,0.9,{scheduler},{seed},100,{met},{rate},{latency},{met},{}.25,{}.75\n", met, met + 10)
    };
    let a = (1..=4).map(|seed| ("a", seed, 99 - seed % 2));
    let runs = a.chain((1..=4).map(|seed| ("b", seed, 60 - seed)));
    let lines: Vec<String> = runs.map(row).collect();
    header.to_string() + &lines.concat() + &again(&lines).concat()
}

#[test]
fn copies_in_a_file_count_once_and_contradictions_are_refused() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str, again: &dyn Fn(&[String]) -> Vec<String>| {
        let path = folder.path().join(name);
        std::fs::write(&path, summary(again)).unwrap();
        path.display().to_string()
    };
    let clean = file("clean.csv", &|_| Vec::new());
    let twice = file("twice.csv", &|lines| lines.to_vec());
    let reseeded = |line: &String| {
        (1..=4).fold(line.clone(), |line, seed| {
            line.replace(&format!(",{seed},100,"), &format!(",{seed}{seed},100,"))
        })
    };
    let seeds = file("seeds.csv", &|lines| lines.iter().map(reseeded).collect());
    let schedulers = |path: &str, metric: &str| json(&["rank", path, "--json", "--metric", metric]);
    let expected = schedulers(&clean, "sla_rate");
    for (path, copies) in [(&twice, 8), (&seeds, 8)] {
        let ranking = schedulers(path, "sla_rate");
        assert_eq!((&ranking["schedulers"], &ranking["seeds"]), (&expected["schedulers"], &4.into()));
        assert_eq!(ranking["copies"], copies);
        let (_, text, _) = told(&["rank", path]);
        assert!(text.contains(&format!("{copies} rows are copies of others and do not count")), "{text}");
        let (code, text, _) = told(&["compare", &clean, path]);
        assert!(code == 0 && text.contains("sla_rate: 0 of 8 rows"), "{text}");
        assert!(text.contains("copies of others"), "{text}");
    }
    let other = file("other.csv", &|lines| vec![lines[0].replace("1000", "2000").replace(".5,", ".75,")]);
    let (code, _, error) = told(&["rank", &other]);
    assert!(
        code == 2
            && error.contains("other.csv:10: a different result for the same cell and seed is in line 2"),
        "{error}"
    );

    // A file beside itself: differences of nothing, for certain.
    let own = json(&["compare", &clean, &clean, "--json"]);
    assert!(
        own["groups"].as_array().unwrap().iter().all(|group| group["difference_ci95"].is_null()),
        "{own}"
    );
}

/// Seeds draw the QoS level of three requests, rarely the strict one: most seeds bring the same outcome, and all count.
#[test]
fn seeds_that_agree_by_chance_are_in_the_mean() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let scenario = "name = 'rare'\nsource = 'a test'\n[[tenant]]\nname = 't'\nnetwork = 'kws_res26'\n\
                    arrivals = { kind = 'periodic', fps = 1000 }\nqos_levels = [{ level = 'H' }, { level = 'L', weight = 49 }]\n";
    std::fs::write(path("rare.toml"), scenario).unwrap();
    let experiment = format!(
        "systems = ['hetero-4']\nscenarios = ['{}']\nschedulers = ['fcfs']\nseeds = 30\nrequests = 3\n\
         deadline_factor = 0.95\n",
        path("rare.toml")
    );
    std::fs::write(path("e.toml"), experiment).unwrap();
    let table = json(&["run", &path("e.toml"), "--out", &path("out"), "--json"]);
    let rates: Vec<f64> = rows(&folder.path().join("out/summary.csv"))
        .iter()
        .map(|row| row["sla_rate"].parse().unwrap())
        .collect();
    let mean = rates.iter().sum::<f64>() / 30.0;
    assert!(rates.len() == 30 && mean > 0.9 && mean < 1.0, "{rates:?}");
    let near = |value: &Value| (value.as_f64().unwrap() - mean).abs() < 1e-12;
    assert!(near(&table[0]["sla_rate"]) && table[0]["seeds"] == 30 && table[0]["copies"] == 0, "{table}");
    let ranking = json(&["rank", &path("out"), "--json"]);
    assert!(near(&ranking["schedulers"][0]["all"]["mean"]) && ranking["seeds"] == 30, "{ranking}");
    assert_eq!(told(&["report", &path("out")]).0, 0);
    let drawn = &rows(&only_picture(&folder.path().join("out"), "sla"))[0];
    assert!(
        drawn["seeds"] == "30" && (drawn["sla_rate"].parse::<f64>().unwrap() - mean).abs() < 1e-12,
        "{drawn:?}"
    );
}

/// A summary of one scheduler, with these latencies under seeds from 1.
fn latencies(of: &[u32]) -> String {
    let row = |(seed, us): (u32, &u32)| format!("s,x,M,0.9,a,{seed},100,90,0.9,{us}.5\n");
    let rows: String = (1..).zip(of).map(row).collect();
    format!("system,scenario,qos,load,scheduler,seed,requests,met,sla_rate,latency_p99_us\n{rows}")
}

#[test]
fn rows_of_two_files_are_matched_before_copies_are_left_out() {
    let folder = TempDir::new().unwrap();
    let compared = |a: &[u32], b: &[u32]| {
        let [a, b] = [("a.csv", a), ("b.csv", b)].map(|(name, of)| {
            std::fs::write(folder.path().join(name), latencies(of)).unwrap();
            folder.path().join(name).display().to_string()
        });
        let (code, out, _) = told(&["compare", &a, &b, "--metric", "latency_p99_us"]);
        (code, out.lines().last().unwrap().to_string(), out.contains("only in the"))
    };
    let differ = |n: u32, of: u32| format!("latency_p99_us: {n} of {of} rows that both files have differ");
    assert_eq!(compared(&[1, 1, 2], &[1, 3, 2]), (1, differ(1, 3), false));
    assert_eq!(compared(&[1, 3, 2], &[1, 1, 2]), (1, differ(1, 3), false));
    assert_eq!(compared(&[1, 1, 1], &[1, 3, 2]), (1, differ(2, 3), false));
    assert_eq!(compared(&[1, 1, 1], &[1, 1, 1]), (0, differ(0, 1), false));
    // A recording of a time when it was run under every seed.
    assert_eq!(compared(&[1, 1, 1], &[1]), (0, differ(0, 1), false));
    assert_eq!(compared(&[1], &[1, 1, 1]), (0, differ(0, 1), false));
    assert_eq!(compared(&[1, 1, 2], &[1]), (1, differ(0, 1), true));
}

#[test]
fn what_a_share_cannot_be_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.csv");
    let file = path.display().to_string();
    let good = latencies(&[1, 2]);
    for value in ["1.5", "-0.25", "1e308", "inf"] {
        std::fs::write(&path, good.replacen(",0.9,1.5", &format!(",{value},1.5"), 1)).unwrap();
        for args in [&["rank", &file][..], &["compare", &file, &file]] {
            let (code, out, error) = told(args);
            let expected = format!("`sla_rate` is `{value}`: expected a number from 0 to 1");
            assert!(code == 2 && out.is_empty() && error.contains(&expected), "{error}");
            assert!(error.contains("a.csv:2"), "{error}");
        }
    }
    let other = folder.path().join("b.csv").display().to_string();
    std::fs::write(&path, &good).unwrap();
    std::fs::write(&other, good.replace("2.5\n", "inf\n")).unwrap();
    for args in [[&file, &other], [&other, &file]] {
        let (code, out, _) = told(&["compare", args[0], args[1], "--metric", "latency_p99_us"]);
        assert!(code == 1 && out.contains("1 of 2 rows"), "{out}");
    }
}

#[test]
fn the_best_comes_first_and_better_is_what_the_metric_says() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.csv");
    std::fs::write(&path, summary(|_| Vec::new())).unwrap();
    let path = path.display().to_string();
    let first = |metric: &str| {
        let ranking = json(&["rank", &path, "--json", "--metric", metric]);
        let [first, second] = [0, 1].map(|place| ranking["schedulers"][place].clone());
        assert_eq!(ranking["over"], first["scheduler"]);
        assert_eq!((&second["above"], &second["below"]), (&0.into(), &1.into()), "{ranking}");
        (first["scheduler"].clone(), ranking["better"].clone())
    };
    assert_eq!(first("sla_rate"), ("a".into(), "higher".into()));
    assert_eq!(first("latency_p99_us"), ("b".into(), "lower".into()));
    assert_eq!(first("energy_per_request_uj"), ("b".into(), "lower".into()));
    let table = |metric: &str| told(&["rank", &path, "--metric", metric]).1;
    let text = table("latency_p99_us");
    assert!(text.contains("worse in  finished\n") && text.contains("lower is better; of finished"), "{text}");
    let text = table("energy_per_request_uj");
    assert!(text.contains("energy_per_met_request_uj\n") && text.contains("met or not"), "{text}");
    let text = table("requests");
    assert!(text.contains("above in") && text.contains("no direction: highest first"), "{text}");

    // b's file has a's latencies less one.
    let other = folder.path().join("b.csv");
    let slower = std::fs::read_to_string(&path).unwrap().replace("000.5,", "001.5,");
    std::fs::write(&other, slower).unwrap();
    let (code, text, error) =
        told(&["compare", &path, other.to_str().unwrap(), "--metric", "latency_p99_us"]);
    assert!(code == 1 && text.contains("worse") && error.contains(": 0 better, 2 worse"), "{text}{error}");
}

#[test]
fn every_column_says_which_end_of_it_is_good() {
    let columns = json(&["list", "metrics", "--json"]);
    let of = |name: &str| {
        let all = columns.as_array().unwrap();
        all.iter().find(|row| row["column"] == name && row["file"] == "summary.csv").unwrap().clone()
    };
    for (name, better, requests) in [
        ("sla_rate", "higher", "-"),
        ("latency_p99_us", "lower", "finished"),
        ("energy_per_request_uj", "lower", "measured"),
        ("energy_per_met_request_uj", "lower", "met"),
        ("lateness_mean_us", "lower", "finished"),
        ("accel_utilization", "-", "-"),
    ] {
        assert_eq!(
            (&of(name)["better"], &of(name)["of_requests"]),
            (&better.into(), &requests.into()),
            "{name}"
        );
    }
}

/// Two seeds have t = 12.7 with one degree of freedom.
#[test]
fn intervals_of_rates_hold_rates_also_with_two_seeds() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().display().to_string();
    let few = ["--seeds", "2", "--set", "requests=60", "--set", "scenarios=mixed", "--out", &out];
    let told_rows = json(&[&["run", "experiments/quickstart.toml", "--json"][..], &few].concat());
    let all = told_rows.as_array().unwrap();
    let mut cut = 0;
    for row in all {
        let Some([low, high]) =
            row["sla_rate_interval95"].as_array().map(|of| [0, 1].map(|i| of[i].as_f64().unwrap()))
        else {
            continue;
        };
        let rate = row["sla_rate"].as_f64().unwrap();
        assert!((0.0..=rate).contains(&low) && (rate..=1.0).contains(&high), "{row}");
        cut += u32::from(rate + row["sla_rate_ci95"].as_f64().unwrap() > 1.0);
    }
    assert!(cut > 0, "some interval has to be cut: {told_rows}");
    let table = told(&["rank", &out]).1;
    assert!(table.contains(" +0."), "an interval that is cut has two sides: {table}");
    assert_eq!(told(&["report", &out]).0, 0);
    for row in rows(&only_picture(folder.path(), "sla")) {
        let number = |column: &str| row[column].parse::<f64>().ok();
        let interval = number("sla_rate_low95").zip(number("sla_rate_high95"));
        assert!(interval.is_none_or(|(low, high)| low >= 0.0 && high <= 1.0), "{row:?}");
    }
}

/// One tenant runs four networks in MoCA's streams.
#[test]
fn networks_of_one_tenant_may_be_treated_unfairly() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().display().to_string();
    let experiment = folder.path().join("e.toml");
    let text = "systems = ['hetero-6']\nscenarios = ['moca_heavy']\nschedulers = ['fcfs', 'edf', 'moca']\nrequests = 60\n";
    std::fs::write(&experiment, text).unwrap();
    let (code, _, error) = told(&["run", experiment.to_str().unwrap(), "--quiet", "--out", &out]);
    assert_eq!(code, 0, "{error}");
    for row in rows(&folder.path().join("summary.csv")) {
        assert!(row["fairness"].parse::<f64>().unwrap() < 0.9, "{row:?}");
        assert_eq!(row["jain"], "1.0", "one user");
    }
}
