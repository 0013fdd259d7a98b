//! What a run on a fleet shows: sums by hand on a fleet of two nodes, the pictures of its report, and the load that a
//! quality sustains.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tempfile::TempDir;

use crate::common::mascot;

type Row = BTreeMap<String, String>;

/// A site at North, and two tenants at South, with half the quality for the second.
const FLEET: &str = r#"
name = "pair"
source = "a test"
pj_per_bit = 1
[[node]]
name = "North"
[[node]]
name = "South & West"
[[link]]
between = ["North", "South & West"]
gbps = 8
delay_us = 1_000
pj_per_bit = 2
[[site]]
name = "attic"
node = "North"
system = "gpu-like-2"
[access]
gbps = 4
delay_us = 0
"#;

const SCENARIO: &str = r#"
name = "two"
source = "a test"
utility = { delay = { kind = "deadline" }, accuracy = "absolute" }
[[tenant]]
name = "cam"
model = "opaque"
node = "South & West"
input_kb = 100
output_kb = 10
sla = "absolute"
target_us = 1_000_000
[[tenant]]
name = "tv"
model = "opaque"
node = "South & West"
input_kb = 50
output_kb = 20
sla = "absolute"
target_us = 1
"#;

const EXPERIMENT: &str = r#"
fleets = ["./pair.toml"]
scenarios = ["./two.toml"]
loads = [0.3, 0.6]
dispatchers = [{ variant = ["best", "smallest"] }]
requests = 40
warmup_requests = 0
drain_requests = 0
seeds = 2
late = "finish"
"#;

fn text(args: &[&str]) -> String {
    let output = mascot(args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs the fleet of two nodes; returns the table.
fn run(folder: &Path) -> String {
    run_fleet(folder, FLEET)
}

/// Runs a fleet with the nodes of [`FLEET`]; returns the table.
fn run_fleet(folder: &Path, fleet: &str) -> String {
    for (name, text) in [("pair", fleet), ("two", SCENARIO), ("own", EXPERIMENT)] {
        let text = text.replace("./", &format!("{}/", folder.display()));
        std::fs::write(folder.join(format!("{name}.toml")), text).unwrap();
    }
    let out = folder.join("out");
    let [own, out] = [folder.join("own.toml"), out].map(|path| path.to_str().unwrap().to_string());
    text(&["run", &own, "--requests", "--energy", "--out", &out])
}

fn rows(path: &Path) -> Vec<Row> {
    csv::Reader::from_path(path).unwrap().deserialize().map(Result::unwrap).collect()
}

fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap()
}

fn near(a: f64, b: f64) {
    assert!((a - b).abs() <= 1e-9 * b.abs().max(1e-12), "{a} {b}");
}

/// The rows of one cell.
fn of_cell<'a>(rows: &'a [Row], cell: &Row) -> Vec<&'a Row> {
    let keys = ["load", "scheduler", "seed"];
    rows.iter().filter(|row| keys.iter().all(|key| row[*key] == cell[*key])).collect()
}

#[test]
fn energy_divides_what_the_sites_spend() {
    let folder = TempDir::new().unwrap();
    run(folder.path());
    let [summary, energy] =
        ["summary.csv", "energy.csv"].map(|file| rows(&folder.path().join("out").join(file)));
    for cell in &summary {
        let parts = of_cell(&energy, cell);
        let sum = |is_of_layers: bool| -> f64 {
            let of = parts.iter().filter(|row| row["tenant"].is_empty() != is_of_layers);
            of.map(|row| number(row, "energy_uj")).sum()
        };
        near(sum(true), number(cell, "energy_layers_uj"));
        near(sum(false), number(cell, "energy_static_uj") + number(cell, "energy_policy_uj"));
        let tenants = parts.iter().map(|row| &row["tenant"][..]).filter(|tenant| !tenant.is_empty());
        assert_eq!(tenants.collect::<BTreeSet<_>>(), BTreeSet::from(["cam", "tv"]));
    }
}

#[test]
fn every_site_has_the_standby_power_of_its_system() {
    let folder = TempDir::new().unwrap();
    let models = folder.path().join("accel-models/systems");
    std::fs::create_dir_all(&models).unwrap();
    let own = std::env::current_dir().unwrap().join("accel-models");
    let device = std::fs::read_to_string(own.join("opaque_device.toml")).unwrap();
    let clocked =
        device.replacen("clock_mhz", "clock_mw = 7\nclock_mhz", 1).replacen("opaque_device", "clocked", 1);
    std::fs::write(folder.path().join("accel-models/clocked.toml"), clocked).unwrap();
    let text = std::fs::read_to_string(own.join("systems/gpu-like-2.toml")).unwrap();
    let table = own.join("systems/gpu-like-2.csv");
    let costs = std::fs::read_to_string(table).unwrap().replace("opaque_device", "clocked");
    std::fs::write(models.join("gpu-like-2.csv"), costs).unwrap();
    for (name, power) in
        [("one", "dram_background_mw = 30"), ("two", "dram_background_mw = 50\ndram_refresh_mw = 5")]
    {
        let named = text.replacen("\"gpu-like-2\"", &format!("\"{name}\"\n{power}"), 1);
        let named = named.replace("opaque_device", "clocked");
        std::fs::write(models.join(format!("{name}.toml")), named).unwrap();
    }
    let cellar = "[[site]]\nname = \"cellar\"\nnode = \"South & West\"\nsystem = \"two\"\n[access]";
    let fleet = FLEET.replace("gpu-like-2", "one").replace("[access]", cellar);
    run_fleet(folder.path(), &fleet);
    let [summary, energy] =
        ["summary.csv", "energy.csv"].map(|file| rows(&folder.path().join("out").join(file)));
    for cell in &summary {
        let window_ms = 1e3 * number(cell, "met") / number(cell, "met_per_s");
        let parts = of_cell(&energy, cell);
        let of = |part: &str| -> Vec<f64> {
            parts.iter().filter(|row| row["part"] == part).map(|row| number(row, "energy_uj")).collect()
        };
        near(of("DRAM background").iter().sum(), 80.0 * window_ms);
        near(of("DRAM refresh").iter().sum(), 5.0 * window_ms);
        assert_eq!(of("clock").len(), 4);
        of("clock").into_iter().for_each(|uj| near(uj, 7.0 * window_ms));
        near(
            number(cell, "energy_static_uj"),
            (80.0 + 5.0 + 28.0) * window_ms + of("leakage").iter().sum::<f64>(),
        );
    }
}

#[test]
fn links_count_the_bytes_of_requests_and_answers() {
    let folder = TempDir::new().unwrap();
    run(folder.path());
    let out = folder.path().join("out");
    let [serving, answers, links] =
        ["serving.csv", "answers.csv", "links.csv"].map(|file| rows(&out.join(file)));
    assert_eq!(links.len(), 8 * 6, "two directions of a link, and of the access of two tenants");
    for whole in serving.iter().filter(|row| row["group"] == "all") {
        let asked = of_cell(&answers, whole);
        let times = |column: &str| asked.iter().map(|row| number(row, column)).collect::<Vec<_>>();
        let from = times("arrival_us").into_iter().fold(f64::INFINITY, f64::min);
        let until = times("answer_us").into_iter().fold(0.0, f64::max);
        let many = |tenant: &str| asked.iter().filter(|row| row["tenant"] == tenant).count() as f64;
        let [cam, tv] = ["cam", "tv"].map(many);
        assert_eq!(cam + tv, 40.0);
        let wanted = [
            ("North", "South & West", "0", cam + tv, 10e3 * cam + 20e3 * tv, 1e3),
            ("South & West", "North", "0", cam + tv, 100e3 * cam + 50e3 * tv, 1e3),
            ("cam", "South & West", "1", cam, 100e3 * cam, 500.0),
            ("South & West", "cam", "1", cam, 10e3 * cam, 500.0),
            ("tv", "South & West", "1", tv, 50e3 * tv, 500.0),
            ("South & West", "tv", "1", tv, 20e3 * tv, 500.0),
        ];
        let told = of_cell(&links, whole);
        let (mut bits, mut core) = (0.0, 0.0);
        for (one, other, access, messages, bytes, bytes_per_us) in wanted {
            let row = told.iter().find(|row| row["from"] == one && row["to"] == other).unwrap();
            assert_eq!((&*row["access"], number(row, "messages")), (access, messages));
            near(number(row, "bytes"), bytes);
            near(number(row, "utilization"), bytes / bytes_per_us / (until - from));
            *(if access == "1" { &mut bits } else { &mut core }) += 8.0 * bytes;
        }
        near(number(whole, "energy_network_uj"), (bits + 2.0 * core) / 1e6);
    }
}

#[test]
fn groups_hold_the_models_and_fairness_follows_from_the_tenants() {
    let folder = TempDir::new().unwrap();
    run(folder.path());
    let serving = rows(&folder.path().join("out/serving.csv"));
    for whole in serving.iter().filter(|row| row["group"] == "all") {
        let groups = of_cell(&serving, whole);
        let of = |group: &str| groups.iter().filter(|row| row["group"] == group).collect::<Vec<_>>();
        let [model] = of("model")[..] else { panic!("there is one model") };
        assert_eq!((&*model["name"], &model["requests"]), ("opaque", &whole["requests"]));
        near(number(model, "quality"), number(whole, "quality"));
        // All of cam are in time, none of tv is: the least fair outcome.
        let qualities: Vec<f64> = of("tenant").iter().map(|row| number(row, "quality")).collect();
        assert!(qualities[0] > 0.5 && qualities[1] == 0.0);
        assert_eq!((number(whole, "alpha_fair"), number(whole, "quality_min_mean")), (0.0, 0.0));
        near(number(whole, "quality_jain"), 0.5);
        assert!(number(whole, "quality_bound") >= number(whole, "quality"));
    }
}

#[test]
fn the_table_compares_with_the_first_and_ends_with_the_bound() {
    let folder = TempDir::new().unwrap();
    let table = run(folder.path());
    let serving = rows(&folder.path().join("out/serving.csv"));
    let mean = |dispatcher: &str, column: &str| {
        let is_it =
            |row: &&Row| row["group"] == "all" && row["load"] == "0.6" && row["scheduler"] == dispatcher;
        let values: Vec<f64> = serving.iter().filter(is_it).map(|row| number(row, column)).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    let line = |dispatcher: &str| -> Vec<String> {
        let is_it = |line: &&str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words.get(3) == Some(&"0.6") && words.get(4) == Some(&dispatcher)
        };
        table.lines().find(is_it).unwrap().split_whitespace().map(String::from).collect()
    };
    let (best, smallest) = ("closest+best+single", "closest+smallest+single");
    let quality = |dispatcher| mean(dispatcher, "quality");
    assert_eq!(line(best)[5], format!("{:.4}", quality(best)));
    assert_eq!(line(smallest)[5], format!("{:.4}", quality(smallest)));
    let gain = format!("{:.4}", quality(smallest) - quality(best));
    assert!(line(smallest).contains(&gain), "{gain}: {:?}", line(smallest));
    let parts = ["dispatch_us", "network_us", "queue_us", "service_us"].map(|part| mean(best, part));
    assert!(line(best).contains(&format!("{:.0}", parts.iter().sum::<f64>())), "{:?}", line(best));
    assert_eq!(line("bound")[5], format!("{:.4}", mean(best, "quality_bound")));
    assert!(!table.contains("fcfs") && table.contains("vs first"), "{table}");
}

/// The map that a report shows of its own accord.
const BEST: &str = "map-load-0.6-closest+best+single";

#[test]
fn a_report_has_quality_times_and_a_map() {
    let folder = TempDir::new().unwrap();
    run(folder.path());
    let out = folder.path().join("out");
    text(&["report", out.to_str().unwrap()]);
    let picture = |name: &str| std::fs::read_to_string(out.join("report").join(name)).unwrap();
    for name in ["quality-two", "time-load-0.3", "time-load-0.6", BEST] {
        let svg = picture(&format!("{name}.svg"));
        assert!(svg.starts_with("<svg xmlns=") && !svg.contains("NaN") && !svg.contains("inf"), "{name}");
        for (open, close) in
            [("<g ", "</g>"), ("<text ", "</text>"), ("<title>", "</title>"), ("<svg ", "</svg>")]
        {
            assert_eq!(svg.matches(open).count(), svg.matches(close).count(), "{name}: {open}");
        }
    }
    assert!(picture("quality-two.svg").contains("bound"));
    let map = picture(&format!("{BEST}.svg"));
    for told in
        ["North", "South &amp; West", "site attic", "cam (access ", "tv (access ", "8 Gb/s", "load 0.6"]
    {
        assert!(map.contains(told), "{told}: {map}");
    }
    let time = rows(&out.join("report/time-load-0.3.csv"));
    assert_eq!(time.len(), 2);
    for row in &time {
        let parts = ["dispatch_us", "network_us", "queue_us", "service_us"].map(|part| number(row, part));
        near(parts.iter().sum(), number(row, "latency_us"));
    }
    let drawn = rows(&out.join(format!("report/{BEST}.csv")));
    let links = rows(&out.join("links.csv"));
    let is_shown = |row: &&Row| {
        row["from"] == "North" && row["load"] == "0.6" && row["scheduler"] == "closest+best+single"
    };
    let used: Vec<f64> = links.iter().filter(is_shown).map(|row| number(row, "utilization")).collect();
    near(number(&drawn[0], "utilization"), used.iter().sum::<f64>() / 2.0);
    assert_eq!(drawn.iter().filter(|row| row["what"] == "accelerator").count(), 2);

    text(&[
        "report",
        out.to_str().unwrap(),
        "--cell",
        "load=0.3",
        "--cell",
        "scheduler=closest+smallest+single",
    ]);
    let map = picture("map-load-0.3-closest+smallest+single.svg");
    assert!(map.contains("load 0.3") && map.contains("closest+smallest+single"), "{map}");
}

/// Microseconds as whole picoseconds.
fn ps(row: &Row, column: &str) -> u64 {
    (number(row, column) * 1e6).round() as u64
}

/// The steps of a request, and the shares of its time, add up to it; its page says both, and so does its JSON.
#[test]
fn a_request_of_a_fleet_is_explained_by_its_steps_and_its_order() {
    let folder = TempDir::new().unwrap();
    run(folder.path());
    let [own, out] = ["own.toml", "out"].map(|name| folder.path().join(name).to_str().unwrap().to_string());
    let greedy = "dispatchers=[{ variant = 'smallest', batch = { rule = 'greedy', max = 4 } }]";
    let cells = ["--set", "loads=[9]", "--set", greedy, "--seeds", "1", "--quiet"];
    text(&[&["run", &own, "--requests", "--layers", "--out", &out], &cells[..]].concat());
    let [requests, answers, steps] =
        ["requests", "answers", "steps"].map(|name| rows(&folder.path().join(format!("out/{name}.csv"))));
    assert_eq!(requests.len(), 40);
    for (request, answer) in requests.iter().zip(&answers) {
        let took = ps(request, "end_us") - ps(request, "arrival_us");
        let shares: u64 =
            ["waiting_us", "running_us", "slowed_us"].iter().map(|part| ps(request, part)).sum();
        assert_eq!(shares, took, "{request:?}");
        let own = || steps.iter().filter(|row| row["request"] == request["request"]);
        let part = |step: &str| -> u64 {
            own().filter(|row| row["step"] == step).map(|row| ps(row, "end_us") - ps(row, "start_us")).sum()
        };
        let parts = ["dispatch_us", "queue_us", "service_us"].map(|part| ps(answer, part));
        assert_eq!(parts, ["dispatch", "queue", "service"].map(part));
        assert_eq!(ps(answer, "network_us"), part("there") + part("back"));
        let words: Vec<&str> = own().map(|row| row["step"].as_str()).collect();
        assert_eq!(words, ["dispatch", "there", "there", "queue", "service", "back", "back"]);
    }
    let shared = steps.iter().find(|row| row["order_requests"] == "4").expect("orders of four are launched");
    let number = shared["request"].as_str();
    let page = text(&["explain", &out, "--request", number]);
    let order = format!("order {} of attic served 4 requests: ", shared["order"]);
    for told in [
        " at its node, until it was sent to attic ",
        " there: South & West to North ",
        " in the queue of attic ",
        " in service at attic ",
        " back: North to South & West ",
        &order,
        "in layers.csv\nwhile it stood in the queue, attic ran: ",
        ", batch 4\n",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&text(&["explain", &out, "--request", number, "--json"])).unwrap();
    let way = &json["way"];
    assert_eq!((&way["order"]["requests"], &way["answer"]["batch"]), (&4.into(), &4.into()));
    let of_order = |row: &&Row| row["order"] == shared["order"];
    let members = steps.iter().filter(of_order).map(|row| row["request"].parse::<u64>().unwrap());
    assert_eq!(way["order"]["measured"], serde_json::json!(members.collect::<Vec<_>>()));
    let us = |value: &serde_json::Value| value.as_f64().unwrap();
    let waiting: f64 = json["waiting"].as_object().unwrap().values().map(us).sum();
    near(waiting, us(&json["waiting_us"]));
    // The second tenant's answers are late from the beginning: its network alone takes longer than it has.
    let listed = text(&["explain", &out, "--worst", "3"]);
    assert!(listed.lines().count() == 5 && listed.contains("missed by"), "{listed}");

    std::fs::remove_file(folder.path().join("out/steps.csv")).unwrap();
    let output = mascot(&["explain", &out, "--request", number]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.code() == Some(2) && error.contains("no steps.csv: run the experiment again"),
        "{error}"
    );
}

#[test]
fn a_capacity_by_quality_meets_it_and_misses_it_above() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().to_str().unwrap();
    let few = ["--seeds", "1", "--quiet", "--tolerance", "0.05", "--highest", "4", "--out", out];
    let set = [
        "--set",
        "requests=200",
        "--set",
        r#"dispatchers=[{ variant = ["best", "fits"], batch = "greedy" }]"#,
    ];
    text(&[&["capacity", "experiments/fang.toml", "--quality", "0.9"], &few[..], &set].concat());
    let found = rows(&folder.path().join("capacity.csv"));
    assert_eq!(found.len(), 2);
    for row in &found {
        assert!(number(row, "quality") >= 0.9 && number(row, "missed_quality") < 0.9, "{row:?}");
        assert!(number(row, "missed_load") - number(row, "sustained_load") <= 0.05);
    }
    assert!(
        number(&found[1], "sustained_load") > number(&found[0], "sustained_load"),
        "smaller variants carry more"
    );
}
