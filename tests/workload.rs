//! Does it run: workloads from generated arrivals and recordings to CSV, through the program.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// `mascot` with its working directory in the source tree.
fn mascot(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mascot"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(args)
        .output()
        .expect("the program was built for this test")
}

fn succeed(args: &[&str]) -> String {
    let output = mascot(args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A folder with a scenario, an experiment on relmas-4 under fcfs, and results.
struct Bench(TempDir);

impl Bench {
    fn new(tenants: &str, experiment: &str) -> Self {
        let bench = Self(TempDir::new().unwrap());
        bench.write("own.toml", &format!("name = 'own'\nsource = 'a test'\n{tenants}"));
        let scenario = bench.path("own.toml");
        let fixed = format!("systems = ['relmas-4']\nscenarios = ['{scenario}']\nschedulers = ['fcfs']\n");
        bench.write("run.toml", &(fixed + experiment));
        bench
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_string()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }

    /// Runs the experiment and gives a column of one of its files.
    fn run(&self, more: &[&str]) -> Results {
        let (file, out) = (self.path("run.toml"), self.path("out"));
        let fixed = ["run", &file, "--out", &out, "--quiet", "--requests"];
        succeed(&[&fixed[..], more].concat());
        Results(std::path::PathBuf::from(out))
    }

    fn error(&self) -> String {
        let output = mascot(&["run", &self.path("run.toml"), "--out", &self.path("out")]);
        assert_eq!(output.status.code(), Some(2));
        assert!(!Path::new(&self.path("out")).exists());
        String::from_utf8(output.stderr).unwrap()
    }
}

struct Results(std::path::PathBuf);

impl Results {
    fn column(&self, file: &str, name: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.0.join(file)).unwrap();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let place = reader.headers().unwrap().iter().position(|h| h == name);
        let place = place.unwrap_or_else(|| panic!("no column {name}"));
        reader.records().map(|row| row.unwrap()[place].to_string()).collect()
    }

    fn numbers(&self, file: &str, name: &str) -> Vec<f64> {
        self.column(file, name).iter().map(|value| value.parse().unwrap()).collect()
    }
}

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

#[test]
fn what_was_generated_is_replayed_to_the_same_results() {
    let bench = Bench::new(PAIR, "loads = [0.8]\nrequests = 90\nfirst_seed = 5\n");
    let direct = bench.run(&[]);
    let told: Vec<Vec<String>> = ["tenant", "network", "arrival_us", "deadline_us", "start_us", "finish_us"]
        .map(|name| direct.column("requests.csv", name))
        .to_vec();
    let summary = ["sla_rate", "latency_p99_us", "energy_layers_uj"].map(|n| direct.column("summary.csv", n));

    let (scenario, trace) = (bench.path("own.toml"), bench.path("trace.csv"));
    let how = ["--system", "relmas-4", "--load", "0.8", "--seed", "5", "--requests", "110", "-o", &trace];
    succeed(&[&["trace", "gen", &scenario][..], &how].concat());
    let replayed = bench.run(&["--trace", &trace]);
    for (name, told) in
        ["tenant", "network", "arrival_us", "deadline_us", "start_us", "finish_us"].iter().zip(told)
    {
        assert_eq!(replayed.column("requests.csv", name), told, "{name}");
    }
    for (name, told) in ["sla_rate", "latency_p99_us", "energy_layers_uj"].iter().zip(summary) {
        assert_eq!(replayed.column("summary.csv", name), told, "{name}");
    }
    // Offered: 110 requests of a bursty mix vary around the 0.8 they were drawn from.
    let offered = replayed.numbers("summary.csv", "load")[0];
    assert!(offered != 0.8 && (0.3..2.0).contains(&offered), "{offered}");
    // As a file of the scenario's own.
    let own = PAIR
        .replace("weight = 3", "")
        .replace("arrivals = { kind = 'mmpp2', rates = [5, 1], dwell = [10, 30] }", "");
    let own =
        Bench::new(&format!("arrivals = {{ kind = 'trace', file = '{trace}' }}\n{own}"), "first_seed = 5\n");
    let arrivals = own.run(&[]).column("requests.csv", "arrival_us");
    assert_eq!(arrivals.len(), 110);
    assert_eq!(arrivals[10..100], replayed.column("requests.csv", "arrival_us"));
}

#[test]
fn a_trace_is_replayed_faster_and_under_other_names() {
    let bench = Bench::new(PAIR, "loads = [0.8]\nrequests = 2\nwarmup_requests = 0\ndrain_requests = 0\n");
    bench.write("t.csv", "t_s,tenant,network\n0.001,camera,x\n0.003,camera,x\n");
    let trace = bench.path("t.csv");
    let results =
        bench.run(&["--trace", &trace, "--speedup", "2", "--map", "camera=a", "--map", "x=kws_res8@4"]);
    assert_eq!(results.column("requests.csv", "arrival_us"), ["500", "1500"]);
    assert_eq!(results.column("requests.csv", "network"), ["kws_res8@4", "kws_res8@4"]);
    let manifest = std::fs::read_to_string(results.0.join("manifest.json")).unwrap();
    assert!(manifest.contains("t.csv") && manifest.contains("\"speedup\": 2.0"), "{manifest}");
}

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
    let loads = results.numbers("summary.csv", "load");
    assert_eq!(loads.len(), 4);
    assert!(loads[0] != loads[1] && loads[..2] == loads[2..], "by seed: {loads:?}");
    // At level M a frame is due with the next one, wherever its jitter puts it; at level L a fifth later.
    let told = |name| results.numbers("requests.csv", name);
    let (arrivals, deadlines) = (told("arrival_us"), told("deadline_us"));
    let rows =
        results.column("requests.csv", "tenant").into_iter().zip(results.column("requests.csv", "qos"));
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

/// Faces in half of the frames, names for all faces, and two users who wait for each answer.
const CASCADE: &str = "
[[tenant]]
name = 'names'
network = 'kws_res8'
arrivals = { kind = 'cascade', after = 'faces' }
[[tenant]]
name = 'camera'
network = 'kws_res8'
arrivals = { kind = 'periodic', fps = 1000, jitter_us = 200 }
sla = 'period'
[[tenant]]
name = 'faces'
network = 'yolo_lite'
arrivals = { kind = 'cascade', after = 'camera', probability = 0.5 }
sla = 'period'
late = 'finish'
[[tenant]]
name = 'users'
network = 'kws_res8'
arrivals = { kind = 'closed_loop', in_flight = 2, think_us = 300, think = 'exponential' }
";

#[test]
fn requests_follow_others_until_the_time_is_over() {
    let bench = Bench::new(CASCADE, "duration_s = 0.1\nwarmup_s = 0\n");
    let results = bench.run(&[]);
    let column = |name| results.column("requests.csv", name);
    let told = |name| column(name).iter().map(|v| v.parse().unwrap_or(f64::NAN)).collect::<Vec<f64>>();
    let (tenants, after) = (column("tenant"), column("after"));
    let [arrivals, finishes, deadlines] = ["arrival_us", "finish_us", "deadline_us"].map(told);
    let mut followers = std::collections::BTreeMap::new();
    for (row, leader) in after.iter().enumerate().filter(|(_, leader)| !leader.is_empty()) {
        let leader: usize = leader.parse().unwrap();
        *followers.entry((tenants[row].as_str(), tenants[leader].as_str())).or_insert(0) += 1;
        // Users think, or come back after a drop; stages come when what they follow is done.
        let gap_us = arrivals[row] - finishes[leader];
        assert!(
            if tenants[row] == "users" { gap_us >= 0.0 || gap_us.is_nan() } else { gap_us == 0.0 },
            "{row}: {gap_us}"
        );
        if tenants[row] == "faces" {
            assert_eq!(deadlines[row], deadlines[leader].max(arrivals[row]));
        }
    }
    let kinds: Vec<(&str, &str)> = followers.keys().copied().collect();
    assert_eq!(kinds, [("faces", "camera"), ("names", "faces"), ("users", "users")]);
    // 100 frames; five standard deviations of a fair coin.
    let frames = tenants.iter().filter(|tenant| *tenant == "camera").count();
    assert!(frames == 100 && (25..=75).contains(&followers[&("faces", "camera")]), "{followers:?}");
    assert!(arrivals.iter().all(|&us| us < 1e5) && finishes.iter().all(|&us| us <= 1e5 || us.is_nan()));
    assert_eq!(results.column("summary.csv", "requests"), [tenants.len().to_string()]);
    // A loop has no load of its own, and faces are never given up.
    assert_eq!(results.column("summary.csv", "load"), [""]);
    let faces = results.column("groups.csv", "name").iter().position(|name| name == "faces").unwrap();
    assert_eq!(results.column("groups.csv", "dropped")[faces], "0");
    let manifest = std::fs::read_to_string(results.0.join("manifest.json")).unwrap();
    assert!(manifest.contains("\"duration_s\": 0.1"), "{manifest}");
}

#[test]
fn followers_are_the_same_for_any_number_of_threads() {
    let bench = Bench::new(CASCADE, "requests = 300\nseeds = 3\nlate = ['abort', 'finish']\n");
    let read = |jobs: &str| {
        let results = bench.run(&["--jobs", jobs]);
        ["summary.csv", "requests.csv"].map(|file| std::fs::read(results.0.join(file)).unwrap())
    };
    let once = read("1");
    assert_eq!(once, read("2"));
    let results = Results(bench.path("out").into());
    assert_eq!(results.column("summary.csv", "requests"), ["300"; 6]);
}

#[test]
fn validate_tells_what_cascades_and_loops_offer() {
    let told = |tenants: &str| {
        let bench = Bench::new(tenants, "requests = 400\n");
        succeed(&["validate", &bench.path("run.toml")])
    };
    let whole = told(CASCADE);
    assert!(whole.contains("<= "), "{whole}");
    // 1,000 frames, 500 faces and 500 names per second.
    let open = told(CASCADE.split("[[tenant]]\nname = 'users'").next().unwrap());
    assert!(
        !open.contains("<=")
            && (open.contains(" 199") || open.contains(" 200"))
            && open.contains("requests/s"),
        "{open}"
    );
}

#[test]
fn runs_of_a_time_and_followers_are_refused_where_they_make_no_sense() {
    for (keys, part) in [
        ("duration_s = 1\nrequests = 5\n", "leave `requests`"),
        ("warmup_s = 1\n", "less than `duration_s`"),
        ("duration_s = 1\nwarmup_s = 1\n", "less than `duration_s`"),
        ("duration_s = 0\n", "expected a number from 1e-6"),
        ("duration_s = 100000\n", "shorten `duration_s`"),
    ] {
        let error = Bench::new(CASCADE, keys).error();
        assert!(error.contains(part), "{error}");
    }
    let bench = Bench::new(CASCADE, "requests = 30\n");
    let output = mascot(&["trace", "gen", &bench.path("own.toml")]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && error.contains("follow others"), "{error}");
    // An override takes the place of what it excludes.
    let results = bench.run(&["--set", "duration_s=0.02"]);
    assert!(results.numbers("summary.csv", "requests")[0] > 20.0);
}

#[test]
fn a_batch_is_counted_whole() {
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
    assert_eq!(results.column("summary.csv", "load"), [""]);
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
    let error = Bench::new(PAIR, "trace = { file = 'none.csv' }\n").error();
    assert!(error.contains("none.csv"), "{error}");
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
        ("t_s\n1\nlater\n", "t.csv:3: `later` is no time"),
    ] {
        bench.write("t.csv", text);
        let output = mascot(&["run", &bench.path("run.toml"), "--trace", &bench.path("t.csv")]);
        assert_eq!(output.status.code(), Some(2));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(part), "{error}");
    }
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
    assert!(warned.contains("scenario `own` offers `relmas-4`"), "{warned}");
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
