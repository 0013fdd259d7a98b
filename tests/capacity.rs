//! Does `mascot capacity` find the load of a formula, and do runs on both sides of its answer agree with it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use tempfile::TempDir;

use self::common::mascot;

fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_path(path).unwrap().deserialize().map(Result::unwrap).collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap()
}

/// P(wait <= t jobs) in an M/D/1 queue (Crommelin 1932): (1 - rho) sum over k <= t of (-x)^k / k! e^x, x = rho (t - k).
fn waits_at_most(jobs: u32, rho: f64) -> f64 {
    let term = |k: u32| {
        let x = rho * f64::from(jobs - k);
        let factorial: f64 = (1..=k).map(f64::from).product();
        (-x).powi(k as i32) / factorial * x.exp()
    };
    (1.0 - rho) * (0..=jobs).map(term).sum::<f64>()
}

/// One accelerator, one network, Poisson arrivals, first come first served: a request that is due after four times its
/// isolated latency waits for three jobs at most.
#[test]
fn one_server_sustains_what_the_formula_says() {
    assert!((waits_at_most(0, 0.3) - 0.7).abs() < 1e-12);
    let (mut low, mut high) = (0.0, 1.0);
    while high - low > 1e-9 {
        let middle = 0.5 * (low + high);
        if waits_at_most(3, middle) >= 0.9 { low = middle } else { high = middle }
    }
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
    let scenario = write(
        "single.toml",
        "name = 'single'\nsource = 'a test'\n[[tenant]]\nname = 'a'\nnetwork = 'kws_res8'\n",
    );
    let experiment = write(
        "experiment.toml",
        &format!(
            "systems = ['{system}']\nscenarios = ['{scenario}']\nloads = 0.5\nschedulers = ['fcfs']\nseeds = 8\n\
             requests = 4000\ntrigger = 'on_change'\ndecision_cost = 'ideal'\nlate = 'finish'\ndeadline_factor = 4\n"
        ),
    );
    let out = folder.path().join("out");
    let options = ["--sla", "0.9", "--tolerance", "0.005", "--json", "--out", out.to_str().unwrap()];
    let output = mascot(&[&["capacity", &experiment][..], &options].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let [load, half] = ["load", "load_ci95"].map(|key| told[0][key].as_f64().unwrap());
    // Answers lie up to a tolerance below the crossing.
    assert!(
        half < 0.03 && (load + 0.0025 - low).abs() < 3.0 * half + 0.0025,
        "{load} +- {half}, formula {low}"
    );
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
