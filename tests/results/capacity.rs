//! Does `mascot capacity` find the load of a formula, and do runs on both sides of its answer agree with it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::Path;

use tempfile::TempDir;

use crate::common::mascot;

fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_path(path).unwrap().deserialize().map(Result::unwrap).collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap()
}

/// Regular arrivals at one accelerator, all due after four times the isolated latency s: nobody waits up to load 1, and
/// beyond it request n waits n s (1 - 1 / load). All of 1,000 are met while the last one waits for 3 s at most.
#[test]
fn one_server_sustains_what_the_formula_says() {
    let expected = 1.0 / (1.0 - 3.0 / 999.0);
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let system = write(
        "one.toml",
        "name = 'one'\nsource = 'a test'\ndram_bandwidth_gbps = 32\nmapping_bandwidth_gbps = 32\n\
         [[accelerator]]\nmodel = 'simba_1024'\ncount = 1\n",
    );
    // Gaps that vary by a hundredth: the last of 1,000 comes 0.3 s off its time, which moves the load by 3e-4.
    let scenario = write(
        "single.toml",
        "name = 'single'\nsource = 'a test'\n[[tenant]]\nname = 'a'\nnetwork = 'kws_res8'\n\
         arrivals = { kind = 'gamma', cv = 0.01 }\n",
    );
    let experiment = write(
        "experiment.toml",
        &format!(
            "systems = ['{system}']\nscenarios = ['{scenario}']\nloads = 0.5\nschedulers = ['fcfs']\nseeds = 3\n\
             requests = 1000\nwarmup_requests = 0\ndrain_requests = 100\ntrigger = 'on_change'\n\
             decision_cost = 'ideal'\nlate = 'finish'\ndeadline_factor = 4\n"
        ),
    );
    let out = folder.path().join("out");
    let search = ["--sla", "1", "--tolerance", "0.001", "--highest", "1.2", "--json"];
    let output =
        mascot(&[&["capacity", &experiment][..], &search, &["--out", out.to_str().unwrap()]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!((told[0]["load"].as_f64().unwrap() - expected).abs() < 1.3e-3, "{told} {expected}");
    for row in rows(&out.join("capacity.csv")) {
        assert!(number(&row, "sustained_load") < expected + 6e-4, "{row:?} {expected}");
        assert!(number(&row, "missed_load") > expected - 6e-4, "{row:?} {expected}");
    }
}

#[test]
fn runs_on_both_sides_agree() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().to_str().unwrap();
    let few =
        ["--set", "requests=60", "--set", "scenarios=mixed", "--set", "schedulers=[\"fcfs\",\"edf_drop\"]"];
    let capacity =
        ["capacity", "experiments/quickstart.toml", "--seeds", "2", "--tolerance", "0.1", "--out", out];
    let output = mascot(&[&capacity[..], &few].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("sustained load"));
    let found = rows(&folder.path().join("capacity.csv"));
    assert_eq!(found.len(), 4);
    for row in &found {
        assert!(number(row, "missed_load") - number(row, "sustained_load") <= 0.1, "{row:?}");
        for (load, rate) in [("sustained_load", "sla_rate"), ("missed_load", "missed_sla_rate")] {
            let own = [
                format!("loads={}", row[load]),
                format!("schedulers=[\"{}\"]", row["scheduler"]),
                format!("first_seed={}", row["seed"]),
            ];
            let sets: Vec<&str> = own.iter().flat_map(|set| ["--set", set.as_str()]).collect();
            let run = ["run", "experiments/quickstart.toml", "--quiet", "--seeds", "1", "--out", out];
            let output = mascot(&[&run[..], &few[..4], &sets].concat());
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let summary = rows(&folder.path().join("summary.csv"));
            assert_eq!(number(&summary[0], "sla_rate"), number(row, rate), "{load}");
            assert_eq!(number(row, rate) >= 0.95, load == "sustained_load");
        }
    }
}

/// As `run` and `validate` do: a slower system is given more time.
#[test]
fn deadlines_that_follow_the_swept_hardware_are_a_warning() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().to_str().unwrap();
    let few = ["--seeds", "1", "--tolerance", "0.4", "--highest", "1", "--set", "requests=60", "--quiet"];
    let swept = ["scenarios=light", "schedulers=fcfs", "dram_bandwidth_gbps=[16,32]"];
    let said = |more: &[&str]| {
        let sets: Vec<&str> = swept.iter().chain(more).flat_map(|set| ["--set", *set]).collect();
        let capacity = ["capacity", "experiments/quickstart.toml", "--overwrite", "--out", out];
        let output = mascot(&[&capacity[..], &few, &sets].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        said
    };
    let warned = said(&[]);
    assert!(warned.contains("warning: deadlines follow the hardware (dram_bandwidth_gbps)"), "{warned}");
    assert_eq!(said(&["sla_reference=own"]), "");
}
