//! Does it run: workloads from generated arrivals and recordings to CSV, through the program.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod bench;
mod clock;
mod columns;
mod followers;
mod traces;

use self::bench::Bench;
use crate::common::mascot;

const PAIR: &str = "
[[tenant]]
name = 'a'
networks = [{ name = 'kws_res8' }, { name = 'kws_res8', batch = 4 }]
weight = 3
priorities = [{ level = 1 }, { level = 9 }]
qos_levels = [{ level = 'H' }, { level = 'L' }]
[[tenant]]
name = 'b'
network = 'yolo_lite'
arrivals = { kind = 'mmpp2', rates = [5, 1], dwell = [10, 30] }
";

const FRAMES: &str = "
[[tenant]]
name = 'camera'
network = 'kws_res8'
arrivals = { kind = 'periodic', fps = 1000, jitter_us = 200 }
sla = 'period'
[[tenant]]
name = 'speech'
network = 'yolo_lite'
arrivals = { kind = 'poisson', rate_per_s = 300 }
";

#[test]
fn requests_with_a_pace_of_their_own_run_without_loads() {
    let bench = Bench::new(FRAMES, "requests = 130\nseeds = 2\nqos = ['M', 'L']\n");
    let results = bench.run(&[]);
    // What was asked for is the same in all seeds, what came is not.
    let told = |name| results.numbers("summary.csv", name);
    let (loads, offered) = (told("load"), told("offered_load"));
    assert!(loads.len() == 4 && loads.iter().all(|load| *load == loads[0]), "{loads:?}");
    assert!(offered[0] != offered[1] && offered[..2] == offered[2..], "by seed: {offered:?}");
    // At level M a frame is due with the next one, wherever its jitter puts it; at level L a fifth later.
    let told = |name| results.numbers("requests.csv", name);
    let (arrivals, deadlines) = (told("arrival_us"), told("deadline_us"));
    let rows = results
        .column("requests.csv", "tenant")
        .into_iter()
        .zip(results.column("requests.csv", "request_qos"));
    let mut frames = 0;
    for ((arrival, deadline), (tenant, qos)) in arrivals.into_iter().zip(deadlines).zip(rows) {
        if tenant == "camera" {
            frames += 1;
            let next_frame = (arrival / 1e3).round() * 1e3 + 1e3;
            let scale = if qos == "M" { 1.0 } else { 1.2 };
            let expected = arrival + scale * (next_frame - arrival);
            assert!((deadline - expected).abs() < 1e-3, "{arrival} {deadline} {expected}");
        }
    }
    assert!(frames > 100);
}

#[test]
fn a_batch_is_measured_whole() {
    let batch = "
[[tenant]]
name = 'jobs'
networks = [{ name = 'kws_res8' }, { name = 'yolo_lite' }]
arrivals = { kind = 'batch', requests = 24 }
";
    let bench = Bench::new(batch, "late = 'finish'\n");
    let results = bench.run(&[]);
    assert_eq!(results.column("summary.csv", "requests"), ["24"]);
    assert_eq!(results.column("summary.csv", "finished"), ["24"]);
    // All at once: there is no rate.
    assert_eq!(results.column("summary.csv", "load"), ["inf"]);
    assert_eq!(results.column("summary.csv", "offered_load"), [""]);
}

#[test]
fn a_batch_of_inputs_takes_longer_than_one_and_less_than_as_many() {
    let bench = Bench::new(PAIR, "loads = [0.1]\nrequests = 60\n");
    let results = bench.run(&[]);
    let networks = results.column("requests.csv", "network");
    let told = |name| results.numbers("requests.csv", name);
    let allowed: Vec<f64> = told("deadline_us").iter().zip(told("arrival_us")).map(|(d, a)| d - a).collect();
    // At QoS H, 0.8 x 4 x the isolated latency.
    let tightest = |label: &str| {
        let own = networks.iter().zip(&allowed).filter(|(network, _)| *network == label);
        own.map(|(_, &us)| us).fold(f64::INFINITY, f64::min)
    };
    let (one, four) = (tightest("kws_res8"), tightest("kws_res8@4"));
    assert!(one < four && four < 4.0 * one, "{one} {four}");
}

#[test]
fn loads_and_paces_that_do_not_fit_are_refused() {
    let error = Bench::new(FRAMES, "loads = [0.5]\n").error();
    assert!(error.contains("leave `loads` out") && error.contains("camera"), "{error}");
    let error = Bench::new(PAIR, "").error();
    assert!(error.contains("`loads` is missing") && error.contains("rate_per_s"), "{error}");
    let few = FRAMES
        .replace("periodic', fps = 1000, jitter_us = 200", "batch', requests = 9")
        .replace("sla = 'period'", "");
    let only_batch = few.split("[[tenant]]").take(2).collect::<Vec<_>>().join("[[tenant]]");
    let error = Bench::new(&only_batch, "requests = 10\n").error();
    assert!(error.contains("sends 9 requests in all") && error.contains("leave `requests` out"), "{error}");
    let warm = "loads = [0.001]\ndram_bandwidth_gbps = 0.5\nrequests = 1\nwarmup_requests = 4_000_000\ndrain_requests = 4_000_000\n";
    let error = Bench::new(PAIR, warm).error();
    assert!(error.contains("s of simulated time: expected at most 1e6 s"), "{error}");
    let error = Bench::new(PAIR, "trace = { file = 'none.csv' }\n").error();
    assert!(error.contains("none.csv"), "{error}");
}

#[test]
fn more_than_a_system_can_carry_is_a_warning() {
    let bench = Bench::new(PAIR, "loads = [0.5, 1.25]\n");
    let output = mascot(&["validate", &bench.path("run.toml")]);
    let (told, warned) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{warned}");
    assert!(warned.contains("load of 1.250") && !warned.contains("0.5"), "{warned}");
    // Something binds: at half the load it is half busy.
    assert!(told.contains("lambda* 1/s") && told.contains(" 50") && told.contains(" 125"), "{told}");
    assert!(told.contains("DRAM "), "{told}");

    let bench = Bench::new(&FRAMES.replace("fps = 1000, jitter_us = 200", "fps = 90000"), "requests = 50\n");
    let output = mascot(&["run", &bench.path("run.toml"), "--out", &bench.path("out"), "--quiet"]);
    let warned = String::from_utf8(output.stderr).unwrap();
    assert!(warned.contains("scenario `own` offers `hetero-4`"), "{warned}");
}

/// Known trap: requests that start before they arrive.
#[test]
fn nothing_starts_before_it_arrives_under_any_scheduler() {
    let tenants = "
[[tenant]]
name = 'streams'
networks = [{ name = 'kws_res8', weight = 3 }, { name = 'squeezenet1_0' }]
arrivals = { kind = 'moca_stream', scale = 1.2, jitter_us = 300 }
[[tenant]]
name = 'bursts'
network = 'yolo_lite'
arrivals = { kind = 'azure_code', rate_per_s = 400 }
[[tenant]]
name = 'jobs'
network = 'kws_res8'
arrivals = { kind = 'batch', requests = 10 }
";
    let bench = Bench::new(tenants, "requests = 200\nlate = ['abort', 'finish']\n");
    let names: Vec<String> =
        mascot::scheduler::SCHEDULERS.iter().map(|entry| format!("'{}'", entry.name)).collect();
    let results = bench.run(&["--set", &format!("schedulers=[{}]", names.join(","))]);
    let column = |name| results.column("requests.csv", name);
    let (arrivals, starts) = (column("arrival_us"), column("start_us"));
    assert_eq!(arrivals.len(), 200 * 2 * names.len());
    for (arrival, start) in arrivals.iter().zip(&starts).filter(|(_, start)| !start.is_empty()) {
        assert!(start.parse::<f64>().unwrap() >= arrival.parse::<f64>().unwrap(), "{arrival} {start}");
    }
}

#[test]
fn groups_add_up_to_the_summary_and_have_names() {
    let terms = "target_hit_rate = 0.01\nfirm = { m = 1, k = 100 }\n[[tenant]]\nname = 'b'";
    let bench = Bench::new(&PAIR.replace("[[tenant]]\nname = 'b'", terms), "loads = [0.9]\nrequests = 80\n");
    let results = bench.run(&[]);
    let (by, names) = (results.column("groups.csv", "group"), results.column("groups.csv", "name"));
    let groups: Vec<(&str, &str)> =
        by.iter().map(String::as_str).zip(names.iter().map(String::as_str)).collect();
    assert_eq!(groups[..2], [("tenant", "a"), ("tenant", "b")]);
    assert_eq!(groups[2..5], [("network", "kws_res8"), ("network", "kws_res8@4"), ("network", "yolo_lite")]);
    // Tenant b has the experiment's level M.
    assert_eq!(groups[5..], [("qos", "H"), ("qos", "M"), ("qos", "L"), ("priority", "1"), ("priority", "9")]);
    for column in ["requests", "met", "finished", "dropped"] {
        let total = results.numbers("summary.csv", column)[0];
        let parts = results.numbers("groups.csv", column);
        for group in ["tenant", "network", "qos", "priority"] {
            let own = by.iter().zip(&parts).filter(|(by, _)| *by == group);
            assert_eq!(own.map(|(_, part)| part).sum::<f64>(), total, "{column} by {group}");
        }
    }
    let used = results.numbers("accelerators.csv", "utilization");
    let mean = used.iter().sum::<f64>() / used.len() as f64;
    assert!((mean - results.numbers("summary.csv", "accel_utilization")[0]).abs() < 1e-12, "{used:?}");
    assert_eq!(results.column("groups.csv", "target_reached")[..3], ["1", "", ""]);
    assert_eq!(results.column("groups.csv", "mk_violations")[..3], ["0", "", ""]);
}
