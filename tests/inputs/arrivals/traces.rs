//! Traces: generated, run, described, refused.

use super::PAIR;
use super::bench::{Bench, Results, succeed};
use crate::common::mascot;

#[test]
fn what_was_generated_is_run_to_the_same_results() {
    let bench = Bench::new(PAIR, "loads = [0.8]\nrequests = 90\nfirst_seed = 5\n");
    let direct = bench.run(&[]);
    let told: Vec<Vec<String>> = ["tenant", "network", "arrival_us", "deadline_us", "start_us", "finish_us"]
        .map(|name| direct.column("requests.csv", name))
        .to_vec();
    let summary = ["sla_rate", "latency_p99_us", "energy_layers_uj"].map(|n| direct.column("summary.csv", n));

    let (scenario, trace) = (bench.path("own.toml"), bench.path("trace.csv"));
    let how = ["--system", "hetero-4", "--load", "0.8", "--seed", "5", "--requests", "110", "-o", &trace];
    succeed(&[&["trace", "gen", &scenario][..], &how].concat());
    let recorded = bench.run(&["--trace", &trace]);
    for (name, told) in
        ["tenant", "network", "arrival_us", "deadline_us", "start_us", "finish_us"].iter().zip(told)
    {
        assert_eq!(recorded.column("requests.csv", name), told, "{name}");
    }
    for (name, told) in ["sla_rate", "latency_p99_us", "energy_layers_uj"].iter().zip(summary) {
        assert_eq!(recorded.column("summary.csv", name), told, "{name}");
    }
    // Offered: 110 requests of a bursty mix vary around the 0.8 they were drawn from.
    let offered = recorded.numbers("summary.csv", "load")[0];
    assert!(offered != 0.8 && (0.3..2.0).contains(&offered), "{offered}");
    // As a file of the scenario's own.
    let own = PAIR
        .replace("weight = 3", "")
        .replace("arrivals = { kind = 'mmpp2', rates = [5, 1], dwell = [10, 30] }", "");
    let own =
        Bench::new(&format!("arrivals = {{ kind = 'trace', file = '{trace}' }}\n{own}"), "first_seed = 5\n");
    let arrivals = own.run(&[]).column("requests.csv", "arrival_us");
    assert_eq!(arrivals.len(), 110);
    assert_eq!(arrivals[10..100], recorded.column("requests.csv", "arrival_us"));
}

/// Words and numbers of the requests of a run, and their deadlines.
type Requests = ([Vec<String>; 4], Vec<f64>);

fn read_requests(results: &Results) -> Requests {
    let names = ["tenant", "network", "priority", "arrival_us"];
    (names.map(|name| results.column("requests.csv", name)), results.numbers("requests.csv", "deadline_us"))
}

/// Deadlines at QoS level M are scaled to the others after they are read, which may move them by a picosecond.
fn same_requests(results: &Results, expected: &Requests) {
    let read = read_requests(results);
    assert_eq!(read.0, expected.0);
    let is_near = |(a, b): (&f64, &f64)| (a - b).abs() < 1.5e-6;
    assert!(read.1.len() == 90 && read.1.iter().zip(&expected.1).all(is_near), "{read:?} {expected:?}");
}

/// With its priorities and deadlines a recording has all that a run asks of it, so that another system gets the same.
#[test]
fn priorities_and_deadlines_are_written_and_read_back() {
    let bench = Bench::new(PAIR, "loads = [0.8]\nrequests = 90\nfirst_seed = 5\n");
    let direct = read_requests(&bench.run(&[]));
    assert!(direct.0[2].iter().any(|priority| *priority != direct.0[2][0]), "{:?}", direct.0[2]);

    let (scenario, trace) = (bench.path("own.toml"), bench.path("trace.csv"));
    let what = ["--seed", "5", "--requests", "110", "--columns", "priority,deadline_us", "-o", &trace];
    let gen_trace = |how: &[&str]| mascot(&[&["trace", "gen", &scenario], how, &what[..]].concat());
    assert!(gen_trace(&["--system", "hetero-4", "--load", "0.8"]).status.success());
    let header = std::fs::read_to_string(&trace).unwrap();
    assert!(header.starts_with("t_s,tenant,network,priority,deadline_us\n"), "{header}");
    for more in [&[][..], &["--set", "systems=hetero-8"]] {
        let recorded = bench.run(&[&["--trace", &trace], more].concat());
        same_requests(&recorded, &direct);
    }
    // Another column takes the place of the one that is read by default.
    let renamed = header.replace("priority,deadline_us", "priority,slo");
    std::fs::write(&trace, renamed).unwrap();
    let recorded =
        bench.run(&["--trace", &trace, "--deadline-column", "slo", "--priority-column", "priority"]);
    same_requests(&recorded, &direct);
    // At a rate instead of a load, the deadlines are those of the system as well.
    assert!(gen_trace(&["--system", "hetero-4", "--rate", "500"]).status.success());
    let output = gen_trace(&["--rate", "500"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && said.contains("depend on a system: give --system"), "{said}");
}

#[test]
fn sizes_of_requests_stand_for_networks_on_the_command_line() {
    let bench = Bench::new(PAIR, "requests = 3\nwarmup_requests = 0\ndrain_requests = 0\n");
    bench.write("t.csv", "t_s,tokens\n0.001,5\n0.002,50\n0.003,6\n");
    let trace = bench.path("t.csv");
    let by = r#"{ columns = ["tokens"], ranges = [{ up_to = 9, network = "kws_res8" }, { network = "alexnet" }] }"#;
    let told = succeed(&["trace", "stats", &trace, "--by", "network", "--network-by", by, "--json"]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let requests = |network: &str| told["networks"][network]["requests"].as_u64();
    assert_eq!(
        (requests("kws_res8"), requests("alexnet"), &told["tenants"]),
        (Some(2), Some(1), &serde_json::Value::Null)
    );
    for (wrong, says) in [("5", "expected"), ("{ columns = [\"x\"] }", "`ranges`"), ("{ columns = ", "")] {
        let output = mascot(&["trace", "stats", &trace, "--network-by", wrong]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.code() == Some(2) && said.contains("--network-by") && said.contains(says),
            "{said}"
        );
    }
}

#[test]
fn a_trace_is_run_faster_and_under_other_names() {
    let bench = Bench::new(PAIR, "loads = [0.8]\nrequests = 2\nwarmup_requests = 0\ndrain_requests = 0\n");
    bench.write("t.csv", "t_s,tenant,network\n0.001,camera,x\n0.003,camera,x\n");
    let trace = bench.path("t.csv");
    let results =
        bench.run(&["--trace", &trace, "--speedup", "2", "--map", "camera=a", "--map", "x=kws_res8@4"]);
    assert_eq!(results.column("requests.csv", "arrival_us"), ["500.0", "1500.0"]);
    assert_eq!(results.column("requests.csv", "network"), ["kws_res8@4", "kws_res8@4"]);
    let manifest = std::fs::read_to_string(results.0.join("manifest.json")).unwrap();
    assert!(manifest.contains("t.csv") && manifest.contains("\"speedup\": 2.0"), "{manifest}");
}

/// The rest of a recording, which is not read, may have the name; one that is read to its end has to.
#[test]
fn a_renaming_of_what_is_not_read_is_a_warning() {
    let bench = Bench::new(PAIR, "requests = 2\nwarmup_requests = 0\ndrain_requests = 0\n");
    let out = bench.path("out");
    let run = |rows: &str, code: i32| {
        bench.write("t.csv", &format!("t_s,tenant,network\n{rows}"));
        let (experiment, trace) = (bench.path("run.toml"), bench.path("t.csv"));
        let trace = ["--trace", &trace, "--map", "camera=a", "--map", "nope=alexnet", "--overwrite"];
        let output = mascot(&[&["run", &experiment, "--out", &out, "--quiet"], &trace[..]].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{said}");
        said
    };
    let row = |n: usize| format!("{n},camera,kws_res8\n");
    let many: String = (0..20).map(row).collect();
    let said = run(&many, 0);
    assert!(said.contains("warning: `map` names `nope`, which is not in the part of "), "{said}");
    assert!(said.contains("t.csv that is read; it has: camera, kws_res8"), "{said}");
    let said = run(&row(0), 2);
    assert!(
        said.contains("`map` names `nope`, which is not in the file; it has: camera, kws_res8"),
        "{said}"
    );
}

#[test]
fn wrong_traces_are_told_with_file_and_line() {
    let bench = Bench::new(PAIR, "requests = 1\n");
    for (text, part) in [
        ("t_s,tenant\n1,a\n2,z\n", "t.csv:3: scenario `own` has no tenant `z`, only a, b"),
        ("t_s,network\n1,alexnet\n", "t.csv:2: scenario `own` has no network `alexnet`"),
        (
            "t_s,tenant,network\n1,b,kws_res8\n",
            "t.csv:2: tenant `b` of scenario `own` does not run `kws_res8`",
        ),
        ("t_s\n1\nlater\n", "t.csv:3: `later` is not a time"),
    ] {
        bench.write("t.csv", text);
        let output = mascot(&["run", &bench.path("run.toml"), "--trace", &bench.path("t.csv")]);
        assert_eq!(output.status.code(), Some(2));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn offsets_from_utc_are_honoured() {
    for (file, span_s) in [("az_offset_pair.csv", 1.0), ("az_Z.csv", 0.49007)] {
        let told = succeed(&["trace", "stats", &format!("tests/data/traces/{file}"), "--json"]);
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told["all"]["requests"], 2, "{file}");
        assert!((told["all"]["span_s"].as_f64().unwrap() - span_s).abs() < 1e-9, "{told}");
    }
    let bench = Bench::new(PAIR, "");
    bench.write("t.csv", "TIMESTAMP\n2024-05-10 00:00:00\n2024-05-10 00:00:01Z\n");
    let output = mascot(&["trace", "stats", &bench.path("t.csv")]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("t.csv:3: this time has an offset from UTC, those before it have none"),
        "{error}"
    );
}

/// The figures of `mascot trace stats --json`.
fn stats(file: &str) -> serde_json::Value {
    serde_json::from_str(&succeed(&["trace", "stats", file, "--json"])).unwrap()
}

/// Starts are ends - durations: from 5160.142570018768 - 0.134 to 5220.1072909832 - 0.093 s.
#[test]
fn azure_functions_2021_are_read() {
    let told = stats("tests/data/traces/functions_2021.csv");
    assert_eq!(told["all"]["requests"], 6);
    assert!((told["all"]["span_s"].as_f64().unwrap() - 60.005_720_964_432).abs() < 1e-9, "{told}");
    assert_eq!(
        (&told["tenants"]["a1d4"]["requests"], &told["tenants"]["c7f9"]["requests"]),
        (&4.into(), &2.into())
    );

    let bench = Bench::new(PAIR, "loads = [0.8]\nrequests = 6\nwarmup_requests = 0\ndrain_requests = 0\n");
    let names = ["a1d4=a", "c7f9=b", "77be=kws_res8", "90ce=kws_res8@4", "15aa=yolo_lite"];
    let map: Vec<&str> = names.into_iter().flat_map(|renaming| ["--map", renaming]).collect();
    let results = bench.run(&[&["--trace", "tests/data/traces/functions_2021.csv"], &map[..]].concat());
    assert_eq!(results.column("requests.csv", "tenant"), ["a", "b", "a", "b", "a", "a"]);
    let networks = ["kws_res8", "yolo_lite", "kws_res8@4", "yolo_lite", "kws_res8", "kws_res8"];
    assert_eq!(results.column("requests.csv", "network"), networks);
    let arrivals = results.numbers("requests.csv", "arrival_us");
    assert!((arrivals[1] - 1_259_427.019_120).abs() < 0.1 && arrivals[0] == 0.0, "{arrivals:?}");
}

/// 179 and 60 requests of two functions of an application, and one each minute of another.
#[test]
fn azure_functions_2019_are_read_and_can_be_one_tenants() {
    let file = "tests/data/traces/functions_2019.csv";
    let told = stats(file);
    assert_eq!(told["all"]["requests"], 249);
    assert_eq!(
        (&told["tenants"]["a1d4"]["requests"], &told["tenants"]["c7f9"]["requests"]),
        (&239.into(), &10.into())
    );
    let span_s = told["tenants"]["c7f9"]["span_s"].as_f64().unwrap();
    assert!((480.0..600.0).contains(&span_s), "{told}");
    assert_eq!(told, stats(file));

    let file = std::path::absolute(file).unwrap();
    let map = "{ c7f9 = 'a', 15aa = 'kws_res8' }";
    let own = PAIR.replace("weight = 3", "").replace(
        "arrivals = { kind = 'mmpp2', rates = [5, 1], dwell = [10, 30] }",
        "arrivals = { kind = 'poisson', rate_per_s = 0.01 }",
    );
    let trace = format!("arrivals = {{ kind = 'trace', file = '{}', map = {map} }}", file.display());
    let own = own.replacen("[[tenant]]", &format!("[[tenant]]\n{trace}"), 1);
    let bench = Bench::new(&own, "requests = 8\nwarmup_requests = 0\ndrain_requests = 0\n");
    let results = bench.run(&[]);
    let tenants = results.column("requests.csv", "tenant");
    let arrivals = results.numbers("requests.csv", "arrival_us");
    let minutes: Vec<u64> = tenants
        .iter()
        .zip(arrivals)
        .filter(|(tenant, _)| *tenant == "a")
        .map(|(_, us)| (us / 60e6) as u64)
        .collect();
    assert!(minutes.len() >= 3 && minutes.iter().copied().eq(0..minutes.len() as u64), "{minutes:?}");
}

#[test]
fn wrong_counts_are_told_with_file_line_and_column() {
    let bench = Bench::new(PAIR, "");
    bench.write("day.csv", "HashOwner,HashApp,HashFunction,Trigger,1,2\no,a,f,http,1,2\no,a,g,http,1,-2\n");
    let output = mascot(&["trace", "stats", &bench.path("day.csv")]);
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("day.csv:3: column `2`: `-2`: expected a whole number"), "{error}");
}

/// A file above any bound on what is read as a whole: 70 rows of a mebibyte.
#[test]
fn a_trace_may_be_larger_than_what_is_held_of_it() {
    let bench = Bench::new(PAIR, "loads = [0.8]\nrequests = 2\nwarmup_requests = 0\ndrain_requests = 0\n");
    let tokens = "1".repeat(1 << 20);
    let rows: String =
        (0..70).map(|s| format!("2024-05-10 00:01:{s:02}+00:00,{tokens},1\n")).take(60).collect();
    let late: String = (0..10).map(|s| format!("2024-05-10 00:02:{s:02}+00:00,{tokens},1\n")).collect();
    bench.write("t.csv", &format!("TIMESTAMP,ContextTokens,GeneratedTokens\n{rows}{late}"));
    let told = succeed(&["trace", "stats", &bench.path("t.csv"), "--json"]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["all"]["requests"], &told["all"]["span_s"]), (&70.into(), &69.0.into()));
    let arrivals = bench.run(&["--trace", &bench.path("t.csv")]).column("requests.csv", "arrival_us");
    assert_eq!(arrivals, ["0.0", "1000000.0"]);
}

/// A quarter of a gigabyte in a process that may have half of that: minutes in a debug build.
#[test]
#[ignore = "writes 240 MB"]
fn a_long_trace_takes_little_memory() {
    let bench = Bench::new(PAIR, "");
    let mut text = String::from("TIMESTAMP,ContextTokens,GeneratedTokens\n");
    for row in 0..6_000_000 {
        let (day, s) = (10 + row / 1_000_000, row % 86_400);
        let in_day = row % 1_000_000 * 86_400 / 1_000_000;
        text += &format!(
            "2024-05-{day} {:02}:{:02}:{:02}+00:00,{s},1\n",
            in_day / 3600,
            in_day / 60 % 60,
            in_day % 60
        );
    }
    bench.write("t.csv", &text);
    let command = format!(
        "ulimit -v 125000; exec {} trace stats {}",
        env!("CARGO_BIN_EXE_mascot"),
        bench.path("t.csv")
    );
    let output = std::process::Command::new("sh").args(["-c", &command]).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && told.contains(" 6000000 "), "{told}");
}

/// Known trap: seeds taken from the clock.
#[test]
fn two_programs_generate_the_same_trace() {
    let how = ["trace", "gen", "mixed", "--rate", "500", "--requests", "300", "--seed"];
    let once = succeed(&[&how[..], &["7"]].concat());
    assert_eq!(once, succeed(&[&how[..], &["7"]].concat()));
    assert_ne!(once, succeed(&[&how[..], &["8"]].concat()));
    assert_eq!(once.lines().count(), 301);
}

#[test]
fn stats_tell_rate_and_burstiness_of_a_generated_trace() {
    let bench = Bench::new(PAIR, "");
    let trace = bench.path("t.csv");
    succeed(&["trace", "gen", "mixed", "--rate", "200", "--requests", "20000", "-o", &trace]);
    let told: serde_json::Value =
        serde_json::from_str(&succeed(&["trace", "stats", &trace, "--json"])).unwrap();
    let all = &told["all"];
    assert_eq!(all["requests"], 20_000);
    // 100 s of a Poisson process: standard errors of 0.7 % of the rate and the CV, 14 % of the dispersion at 1 s.
    assert!((all["rate_per_s"].as_f64().unwrap() / 200.0 - 1.0).abs() < 0.03, "{all}");
    assert!((all["gap_cv"].as_f64().unwrap() - 1.0).abs() < 0.03, "{all}");
    assert!((all["dispersion_1s"].as_f64().unwrap() - 1.0).abs() < 0.5, "{all}");
    assert!(all["dispersion_60s"].is_null());
    assert_eq!(told["tenants"].as_object().unwrap().len(), 7);
    let table = succeed(&["trace", "stats", &trace, "--speedup", "2", "--map", "kws=keyword"]);
    assert!(table.contains("keyword") && table.contains("I(10 s)"), "{table}");
}
