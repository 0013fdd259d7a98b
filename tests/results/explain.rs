//! Do the logs account for the time of every request, and does `mascot explain` tell it?

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Output;

use tempfile::TempDir;

use crate::common::mascot;

type Row = BTreeMap<String, String>;

fn rows(path: &Path) -> Vec<Row> {
    csv::Reader::from_path(path).unwrap().deserialize().map(Result::unwrap).collect()
}

/// Microseconds as whole picoseconds.
fn ps(row: &Row, column: &str) -> u64 {
    (row[column].parse::<f64>().unwrap() * 1e6).round() as u64
}

/// A small run with logs; both rules for late requests occur.
fn run(folder: &Path, more: &[&str]) {
    let out = folder.to_str().unwrap();
    let run = ["run", "experiments/quickstart.toml", "--quiet", "--out", out, "--set", "loads=1.2", "--set"];
    let cells = ["scenarios=mixed", "--seeds", "1", "--set", "requests=80"];
    let output = mascot(&[&run[..], &cells, more].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

const LOGS: [&str; 4] = ["--requests", "--layers", "--set", "schedulers=[\"fcfs\",\"edf_drop\"]"];

fn told(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn the_parts_of_a_request_add_up_as_printed() {
    let folder = TempDir::new().unwrap();
    run(folder.path(), &LOGS);
    let (requests, layers) =
        (rows(&folder.path().join("requests.csv")), rows(&folder.path().join("layers.csv")));
    let losses: Vec<&str> = requests.iter().map(|row| row["loss"].as_str()).collect();
    assert!(["", "late", "scheduler"].iter().all(|loss| losses.contains(loss)), "{losses:?}");
    for row in &requests {
        let sum: u64 = ["waiting_us", "running_us", "slowed_us"].iter().map(|part| ps(row, part)).sum();
        assert_eq!(sum, ps(row, "end_us") - ps(row, "arrival_us"), "{row:?}");
        assert!(row["finish_us"].is_empty() || row["finish_us"] == row["end_us"], "{row:?}");
        assert_eq!(row["loss"].is_empty(), row["dropped"] == "0", "{row:?}");
    }
    for row in &layers {
        let times =
            ["decided_us", "assigned_us", "queued_us", "start_us", "end_us"].map(|column| ps(row, column));
        assert!(times.is_sorted() && ps(row, "ready_us") <= times[2], "{row:?}");
        // c1 is at least c, which the slowdown refers to; both are rounded to picoseconds.
        let c = (times[4] - times[3]) as f64 / row["slowdown"].parse::<f64>().unwrap();
        assert!(ps(row, "alone_us") as f64 >= c - 1.0, "{row:?}");
    }
}

#[test]
fn the_latest_request_comes_first_and_is_explained_and_drawn() {
    let folder = TempDir::new().unwrap();
    run(folder.path(), &[&LOGS[..], &["--set", "late=finish"]].concat());
    let path = folder.path().to_str().unwrap();
    let of_fcfs = ["explain", path, "--cell", "scheduler=fcfs"];
    let listed = told(&mascot(&[&of_fcfs[..], &["--worst", "3"]].concat()));
    let first = listed.lines().nth(1).unwrap().split_whitespace().next().unwrap().to_string();
    let requests = rows(&folder.path().join("requests.csv"));
    let own = || requests.iter().filter(|row| row["scheduler"] == "fcfs");
    let late = |row: &Row| ps(row, "finish_us") as i64 - ps(row, "deadline_us") as i64;
    let latest = own().max_by_key(|row| late(row)).unwrap();
    assert_eq!(latest["request"], first, "{listed}");

    let svg = folder.path().join("late.svg");
    let drawn = ["--request", &first, "--svg", svg.to_str().unwrap()];
    let page = told(&mascot(&[&of_fcfs[..], &drawn].concat()));
    let missed = format!("missed by {:.3} ms", late(latest) as f64 / 1e9);
    assert!(page.contains(&missed), "{missed}\n{page}");
    let cause = page.lines().last().unwrap();
    assert!(cause.starts_with("The largest cause: ") && cause.ends_with('.'), "{page}");
    let svg = std::fs::read_to_string(svg).unwrap();
    let layers = rows(&folder.path().join("layers.csv"));
    let own = layers.iter().filter(|row| row["scheduler"] == "fcfs" && row["request"] == first).count();
    assert_eq!(svg.matches("fill-opacity=\"0.950\"").count(), own);
    assert!(svg.contains(">arrival<") && svg.matches("fill-opacity=\"0.220\"").count() > 10);
    // All layers are listed on request.
    let all = told(&mascot(&[&of_fcfs[..], &["--request", &first, "--all"]].concat()));
    assert!(all.lines().count() > page.lines().count() && !all.contains(" more"), "{all}");
}

/// The names of all fields of a value, however deep; those of `cell` are keys of the experiment.
fn fields(of: &serde_json::Value, all: &mut BTreeSet<String>) {
    match of {
        serde_json::Value::Object(map) => map.iter().for_each(|(name, value)| {
            all.insert(name.clone());
            if name != "cell" {
                fields(value, all);
            }
        }),
        serde_json::Value::Array(values) => values.iter().for_each(|value| fields(value, all)),
        _ => {}
    }
}

#[test]
fn the_json_says_the_same_and_the_guide_says_what_its_fields_are() {
    let folder = TempDir::new().unwrap();
    run(folder.path(), &[&LOGS[..], &["--set", "late=finish"]].concat());
    let path = folder.path().to_str().unwrap();
    let explain = |more: &[&str]| -> serde_json::Value {
        let of_fcfs = ["explain", path, "--cell", "scheduler=fcfs", "--json"];
        serde_json::from_str(&told(&mascot(&[&of_fcfs[..], more].concat()))).unwrap()
    };
    let listed = explain(&["--worst", "3"]);
    assert_eq!(listed.as_array().unwrap().len(), 3);
    let latest = &listed[0];
    assert_eq!((&latest["outcome"], &latest["cell"]["scheduler"]), (&"missed".into(), &"fcfs".into()));
    let request = latest["request"].to_string();
    let page = explain(&["--request", &request]);
    assert!(latest.as_object().unwrap().iter().all(|(name, value)| page[name] == *value));
    let layers = rows(&folder.path().join("layers.csv"));
    let own = layers.iter().filter(|row| row["scheduler"] == "fcfs" && row["request"] == request);
    let own: BTreeSet<(String, u64)> = own.map(|row| (row["layer"].clone(), ps(row, "end_us"))).collect();
    let us = |value: &serde_json::Value| value.as_f64().unwrap();
    let layers = page["layers"].as_array().unwrap().iter();
    let named = |layer: &serde_json::Value| layer["layer"].as_str().unwrap().to_string();
    let layers = layers.map(|layer| (named(layer), (us(&layer["end_us"]) * 1e6).round() as u64));
    assert_eq!(layers.collect::<BTreeSet<_>>(), own);
    let waiting: f64 = page["waiting"].as_object().unwrap().values().map(us).sum();
    assert!((waiting - us(&page["waiting_us"])).abs() < 1e-3, "{page}");
    let text = told(&mascot(&["explain", path, "--cell", "scheduler=fcfs", "--request", &request]));
    assert!(text.trim_end().ends_with(page["cause"]["sentence"].as_str().unwrap()), "{text}");
    let guide = std::fs::read_to_string("src/guide/results.md").unwrap();
    let mut names = BTreeSet::new();
    fields(&page, &mut names);
    let unsaid: Vec<&String> = names.iter().filter(|name| !guide.contains(&format!("`{name}`"))).collect();
    assert!(unsaid.is_empty() && names.len() > 50, "{unsaid:?}");
}

#[test]
fn what_cannot_be_explained_is_an_error_with_the_way_out() {
    let folder = TempDir::new().unwrap();
    run(folder.path(), &LOGS);
    let path = folder.path().to_str().unwrap();
    let error = |more: &[&str]| {
        let output = mascot(&[&["explain", path], more].concat());
        assert_eq!(output.status.code(), Some(2), "{more:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let several = error(&["--request", "80"]);
    assert!(
        several.contains("scheduler (edf_drop, fcfs)") && several.contains("--cell scheduler=fcfs"),
        "{several}"
    );
    let unknown = error(&["--request", "100000", "--cell", "scheduler=fcfs"]);
    assert!(unknown.contains("100000 is not among the measured requests"), "{unknown}");
    assert!(error(&["--cell", "scheduler=fcfz"]).contains("there are edf_drop, fcfs"));
    assert!(error(&["--cell", "scheduled=fcfs"]).contains("did you mean `scheduler`?"));
    assert!(error(&["--svg", "x.svg"]).contains("--request"));

    std::fs::remove_file(folder.path().join("layers.csv")).unwrap();
    let without = error(&["--request", "80", "--cell", "scheduler=fcfs"]);
    assert!(without.contains("run the experiment again with --requests --layers"), "{without}");
    let elsewhere = TempDir::new().unwrap();
    let output = mascot(&["explain", elsewhere.path().to_str().unwrap()]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("mascot run --requests --layers"));
}

#[test]
fn the_report_draws_the_layers_that_are_asked_for() {
    let folder = TempDir::new().unwrap();
    run(folder.path(), &[&LOGS[..], &["--set", "late=finish"]].concat());
    let path = folder.path().to_str().unwrap();
    let request = rows(&folder.path().join("requests.csv"))[0]["request"].clone();
    let report = |more: &[&str]| mascot(&[&["report", path], more].concat());
    let picture = |extension: &str| {
        let name = format!("gantt-mixed-fcfs-seed-1.{extension}");
        folder.path().join("report").join(name)
    };
    let drawn = || rows(&picture("csv"));
    assert!(report(&["--request", &request]).status.success());
    let own = rows(&folder.path().join("layers.csv"));
    let own = own.iter().filter(|row| row["request"] == request && row["scheduler"] == "fcfs").count();
    assert!(own > 0);
    assert_eq!(drawn().iter().filter(|row| row["request"] == request).count(), own);
    let svg = std::fs::read_to_string(picture("svg")).unwrap();
    assert_eq!(svg.matches("fill-opacity=\"0.950\"").count(), own);

    // The lines of the request's arrival and deadline.
    assert!(svg.contains(">arrival<") && svg.contains(">deadline<") && !svg.contains(">arrivals<"), "{svg}");
    let requests = rows(&folder.path().join("requests.csv"));
    let of_fcfs = || requests.iter().filter(|row| row["scheduler"] == "fcfs");
    let ms = |row: &Row, column: &str| row[column].parse::<f64>().unwrap() / 1e3;
    let due = of_fcfs().find(|row| row["request"] == request).map(|row| ms(row, "deadline_us")).unwrap();
    let told: Vec<String> = drawn()
        .iter()
        .filter(|row| row["request"] == request)
        .map(|row| row["deadline_ms"].clone())
        .collect();
    assert!(told.iter().all(|text| text.parse::<f64>().unwrap() == due), "{told:?} {due}");

    assert!(report(&["--window", "20..30", "--seed", "1"]).status.success());
    // All arrivals and deadlines in the window, those that were missed by name.
    let svg = std::fs::read_to_string(picture("svg")).unwrap();
    let within = |column: &str, only_missed: bool| {
        let is_within = |row: &&Row| (20.0..=30.0).contains(&ms(row, column));
        of_fcfs().filter(is_within).filter(|row| !only_missed || row["met"] == "0").count()
    };
    assert!(svg.contains(">arrivals<") && svg.contains(">deadlines<"), "{svg}");
    assert_eq!(svg.matches("<title>arrival of ").count(), within("arrival_us", false));
    assert_eq!(svg.matches("<title>missed deadline of ").count(), within("deadline_us", true));
    assert!(within("arrival_us", false) > 0 && within("deadline_us", true) > 0);
    let times = |row: &Row| ["start_ms", "end_ms"].map(|column| row[column].parse::<f64>().unwrap());
    assert!(drawn().len() > 10);
    assert!(drawn().iter().map(times).all(|[start, end]| end > 20.0 && start < 30.0));

    let chosen = report(&["--window", "20..30", "--y", "sla_rate"]);
    assert!(String::from_utf8(chosen.stderr).unwrap().contains("this page has none"));
    for (wrong, says) in [
        (["--window", "30..20"], "expected A..B"),
        (["--window", "1e7..1e8"], "no layer ran"),
        (["--request", "1000000"], "no layer of request 1000000"),
        (["--seed", "7"], "no run of seed 7"),
    ] {
        let output = report(&wrong);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && error.contains(says), "{error}");
    }
}
