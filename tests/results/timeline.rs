//! Is `--timeline` what trace viewers read, and is it the run: against the format's rules, layers.csv and summary.csv.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::common::mascot;

/// What leaves one cell of the quick start, so loaded that some deadlines are missed.
const ONE_CELL: [&str; 10] = [
    "--set",
    "scenarios=mixed",
    "--set",
    "loads=1.2",
    "--set",
    "schedulers=edf_drop",
    "--seeds",
    "1",
    "--set",
    "requests=60",
];

/// The events of one cell, with layers.csv and summary.csv beside them.
fn traced(folder: &Path, more: &[&str]) -> Vec<Value> {
    let file = folder.join("trace.json");
    let paths = [file.to_str().unwrap(), folder.to_str().unwrap()];
    let run = ["run", "experiments/quickstart.toml", "--quiet", "--layers", "--timeline"];
    let output = mascot(&[&run[..], &[paths[0], "--out", paths[1]], &ONE_CELL, more].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let trace: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    trace["traceEvents"].as_array().unwrap().clone()
}

/// Microseconds as whole picoseconds.
fn ps(us: &Value) -> u64 {
    (us.as_f64().unwrap() * 1e6).round() as u64
}

fn of_phase<'a>(events: &'a [Value], phase: &'a str) -> impl Iterator<Item = &'a Value> {
    events.iter().filter(move |event| event["ph"] == phase)
}

/// Trace Event Format: docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU.
#[test]
fn every_event_keeps_the_format() {
    let folder = TempDir::new().unwrap();
    let events = traced(folder.path(), &[]);
    for event in &events {
        assert!(event["name"].is_string() && event["args"].is_object(), "{event}");
        assert!(
            event["pid"] == 1 && event["tid"].is_u64() && event["ts"].as_f64().unwrap() >= 0.0,
            "{event}"
        );
        match event["ph"].as_str().unwrap() {
            "X" => assert!(event["dur"].as_f64().unwrap() > 0.0, "{event}"),
            "i" => assert_eq!(event["s"], "t", "{event}"),
            "s" | "t" | "f" => assert!(event["id"].is_u64() && event["cat"] == "request", "{event}"),
            "C" => assert!(event["args"].as_object().unwrap().values().all(Value::is_number), "{event}"),
            "M" => assert!(event["args"].as_object().unwrap().len() == 1, "{event}"),
            other => panic!("phase {other}: {event}"),
        }
    }
    let times: Vec<u64> = events.iter().map(|event| ps(&event["ts"])).collect();
    assert!(times.is_sorted());
    // Perfetto counts in nanoseconds: it drops slices that overlap once they are rounded.
    let mut drawn = times.iter().copied().chain(of_phase(&events, "X").map(|slice| ps(&slice["dur"])));
    assert!(drawn.all(|ps| ps % 1_000 == 0));
    let mut ends: BTreeMap<u64, u64> = BTreeMap::new();
    for slice in of_phase(&events, "X") {
        let end = ends.entry(slice["tid"].as_u64().unwrap()).or_default();
        assert!(ps(&slice["ts"]) >= *end, "overlaps the one before: {slice}");
        *end = ps(&slice["ts"]) + ps(&slice["dur"]);
    }
    let named =
        |track: &u64| of_phase(&events, "M").any(|e| e["name"] == "thread_name" && e["tid"] == *track);
    assert!(ends.len() == 6 && ends.keys().all(named), "hetero-6 has six accelerators: {ends:?}");
}

#[test]
fn slices_are_the_rows_of_layers_csv() {
    let folder = TempDir::new().unwrap();
    let events = traced(folder.path(), &[]);
    let tracks: BTreeMap<u64, &str> = of_phase(&events, "M")
        .filter(|event| event["name"] == "thread_name")
        .map(|event| (event["tid"].as_u64().unwrap(), event["args"]["name"].as_str().unwrap()))
        .collect();
    let ended = of_phase(&events, "X").filter(|slice| slice["args"]["energy_uj"].is_number());
    let mut drawn: Vec<[String; 4]> = ended
        .map(|slice| {
            let (start, end) = (ps(&slice["args"]["start_us"]), ps(&slice["args"]["end_us"]));
            assert_eq!(ps(&slice["ts"]), start / 1_000 * 1_000, "{slice}");
            assert_eq!(ps(&slice["ts"]) + ps(&slice["dur"]), end / 1_000 * 1_000, "{slice}");
            let name = slice["name"].as_str().unwrap().to_string();
            let track = tracks[&slice["tid"].as_u64().unwrap()].to_string();
            [name, track, start.to_string(), end.to_string()]
        })
        .collect();
    let mut listed: Vec<[String; 4]> = rows(&folder.path().join("layers.csv"))
        .iter()
        .map(|row| {
            let time = |key: &str| (row[key].parse::<f64>().unwrap() * 1e6).round().to_string();
            let name = format!("{}/{}/{}", row["network"], row["layer"], row["request"]);
            [name, row["accelerator"].clone(), time("start_us"), time("end_us")]
        })
        .collect();
    assert!(listed.len() > 1_000);
    drawn.sort();
    listed.sort();
    assert_eq!(drawn, listed);
}

#[test]
fn counters_and_instants_agree_with_the_run() {
    let folder = TempDir::new().unwrap();
    for late in ["late=abort", "late=finish"] {
        let events = traced(folder.path(), &["--set", late]);
        let summary = &rows(&folder.path().join("summary.csv"))[0];
        let number = |key: &str| summary[key].parse::<f64>().unwrap();
        let is_over = |event: &&Value| {
            let name = event["name"].as_str().unwrap();
            event["args"]["measured"] == true
                && ["missed", "dropped"].iter().any(|what| name.starts_with(what))
        };
        let over = of_phase(&events, "i").filter(is_over).count();
        assert!(over > 3, "some requests shall be late in this test");
        assert_eq!(number("requests") - number("met"), over as f64, "{late}");
        for event in of_phase(&events, "C").filter(|event| event["name"] == "DRAM granted") {
            // 32 GB/s at an efficiency of 0.88.
            assert!(event["args"]["GB/s"].as_f64().unwrap() <= 32.0 * 0.88 + 1e-9, "{event}");
        }
        // A decision is taken when all that happens at its instant has happened.
        let mut ready = BTreeMap::new();
        for event in of_phase(&events, "C").filter(|event| event["name"] == "ready") {
            ready.insert(ps(&event["ts"]), event["args"]["layers"].as_f64().unwrap());
        }
        let decisions: Vec<&Value> = of_phase(&events, "i").filter(|e| e["name"] == "decision").collect();
        assert!(decisions.len() > 100);
        for decision in decisions {
            let until = ready.range(..=ps(&decision["ts"])).next_back();
            assert_eq!(decision["args"]["ready"].as_f64().unwrap(), *until.unwrap().1, "{decision}");
        }
    }
}

#[test]
fn every_arrow_goes_from_layer_to_layer_of_one_request() {
    let folder = TempDir::new().unwrap();
    let events = traced(folder.path(), &[]);
    let place = |event: &Value| (event["tid"].as_u64().unwrap(), ps(&event["ts"]));
    let mut slices: BTreeMap<u64, Vec<(u64, u64)>> = BTreeMap::new();
    for slice in of_phase(&events, "X") {
        slices.entry(slice["args"]["request"].as_u64().unwrap()).or_default().push(place(slice));
    }
    let mut flows: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
    for event in events.iter().filter(|event| event["cat"] == "request") {
        flows.entry(event["id"].as_u64().unwrap()).or_default().push(event);
    }
    assert!(flows.len() > 50);
    for (request, steps) in flows {
        let phases: String = steps.iter().map(|step| step["ph"].as_str().unwrap()).collect();
        assert!(phases == format!("s{}f", "t".repeat(steps.len() - 2)), "{request}: {phases}");
        let mut of_slices = slices.remove(&request).unwrap();
        let mut of_steps: Vec<(u64, u64)> = steps.into_iter().map(place).collect();
        of_slices.sort_unstable();
        of_steps.sort_unstable();
        assert_eq!(of_steps, of_slices, "{request}");
    }
    // What is left are requests of a single layer run.
    assert!(slices.values().all(|of| of.len() == 1));
    // Whoever has arrived is marked.
    let arrivals = of_phase(&events, "i").filter(|e| e["name"].as_str().unwrap().starts_with("arrival: "));
    assert!(arrivals.count() >= 60);
}

fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_path(path).unwrap().deserialize().map(Result::unwrap).collect()
}

#[test]
fn several_cells_are_an_error_with_the_way_out() {
    let folder = TempDir::new().unwrap();
    let (out, file) = (folder.path().join("out"), folder.path().join("trace.json"));
    let paths = ["--out", out.to_str().unwrap(), "--timeline", file.to_str().unwrap()];
    let output = mascot(&[&["run", "experiments/quickstart.toml"][..], &paths].concat());
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    let way_out = error.lines().last().unwrap().strip_prefix("for example with ").unwrap().to_string();
    assert!(error.contains("300") && error.contains("scenarios: light, heavy, mixed"), "{error}");
    assert!(!out.exists() && !file.exists());
    let options: Vec<&str> = way_out.split(' ').collect();
    let few = ["--quiet", "--set", "requests=20"];
    let output = mascot(&[&["run", "experiments/quickstart.toml"][..], &paths, &few, &options].concat());
    assert!(output.status.success() && file.exists(), "{}", String::from_utf8_lossy(&output.stderr));
}
