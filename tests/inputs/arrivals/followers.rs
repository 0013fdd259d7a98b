//! Cascades, closed loops and runs that end at a time.

use super::bench::{Bench, Results, succeed};
use crate::common::mascot;

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
    // A loop asks for what it is served at most, and faces are never given up.
    let load = results.numbers("summary.csv", "load")[0];
    assert!(load > 0.0 && load <= 1.0, "{load}");
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
        ("warmup_s = 1\n", "`warmup_s` needs `duration_s`"),
        ("duration_s = 1\nwarmup_s = 1\n", "less than `duration_s`"),
        ("duration_s = 0\n", "expected a number from 1e-6"),
        ("duration_s = 100000\n", "shorten `duration_s`"),
    ] {
        let error = Bench::new(CASCADE, keys).error();
        assert!(error.contains(part), "{error}");
    }
    let alone =
        |arrivals| format!("[[tenant]]\nname = 'a'\nnetwork = 'kws_res8'\narrivals = {{ {arrivals} }}\n");
    let rare = Bench::new(&alone("kind = 'poisson', rate_per_s = 0.01"), "duration_s = 0.001\n").error();
    assert!(rare.contains("sends no request to `hetero-4` within 0.001 s: lengthen `duration_s`"), "{rare}");
    // There is no rate where all come at once.
    let many = Bench::new(&alone("kind = 'batch', requests = 4_000_000_000"), "duration_s = 1\n").error();
    assert!(many.contains("expected at most 10000000, so shorten `duration_s`"), "{many}");
    let bench = Bench::new(CASCADE, "requests = 30\n");
    let output = mascot(&["trace", "gen", &bench.path("own.toml")]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && error.contains("follow others"), "{error}");
    // An override takes the place of what it excludes.
    let results = bench.run(&["--set", "duration_s=0.02"]);
    assert!(results.numbers("summary.csv", "requests")[0] > 20.0);
}
