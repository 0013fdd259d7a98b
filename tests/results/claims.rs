//! Does every published rule win in its own regime (`experiments/claims`)? Each claim at a small size, by its direction; the
//! magnitudes are in results/README.md.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::common::mascot;

type Row = BTreeMap<String, String>;

/// The results of a claim's experiment, with some keys set to less.
struct Claim {
    folder: TempDir,
}

impl Claim {
    fn run(name: &str, less: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let file = format!("experiments/claims/{name}.toml");
        let mut args = vec!["run", &file, "--quiet", "--out", folder.path().to_str().unwrap()];
        args.extend(less.iter().flat_map(|key| ["--set", *key]));
        let output = mascot(&args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self { folder }
    }

    fn rows(&self, file: &str) -> Vec<Row> {
        csv::Reader::from_path(self.folder.path().join(file))
            .unwrap()
            .deserialize()
            .map(Result::unwrap)
            .collect()
    }

    /// The mean of a column over the rows with these values.
    fn mean(&self, column: &str, with: &[(&str, &str)]) -> f64 {
        let rows = self.rows("summary.csv");
        let is_meant = |row: &&Row| with.iter().all(|(key, value)| row[*key] == *value);
        let values: Vec<f64> = rows.iter().filter(is_meant).map(|row| row[column].parse().unwrap()).collect();
        assert!(!values.is_empty(), "{with:?}");
        values.iter().sum::<f64>() / values.len() as f64
    }

    fn of(&self, scheduler: &str, column: &str) -> f64 {
        self.mean(column, &[("scheduler", scheduler)])
    }
}

#[test]
fn prema_shortens_turnaround_where_fcfs_blocks() {
    let claim = Claim::run("prema", &["seeds=8"]);
    let of = |scheduler, column, factor| {
        claim.mean(column, &[("scheduler", scheduler), ("deadline_factor", factor)])
    };
    assert!(3.0 * of("prema", "antt", "100") < of("fcfs", "antt", "100"));
    assert!(of("prema", "stp", "100") > 1.2 * of("fcfs", "stp", "100"));
    assert!(of("prema", "sla_rate", "4") > 1.3 * of("fcfs", "sla_rate", "4"));
}

#[test]
fn planaria_meets_more_deadlines_than_prema() {
    let claim = Claim::run("planaria", &["seeds=2", "requests=200", "loads=0.9"]);
    assert!(claim.of("planaria", "sla_rate") > claim.of("prema", "sla_rate"));
    assert!(claim.of("planaria", "stp") > claim.of("prema", "stp"));
}

#[test]
fn moca_gains_by_managing_the_bandwidth() {
    let claim = Claim::run("moca", &["seeds=2", "requests=200", "loads=0.9", "scenarios=[\"mixed\"]"]);
    let of = |sharing, column| claim.mean(column, &[("sharing", sharing)]);
    assert!(of("score", "sla_rate") > of("fifo", "sla_rate"));
    assert!(of("score", "stp") > of("fifo", "stp"));
}

#[test]
fn two_dataflows_finish_a_batch_before_one() {
    let claim = Claim::run("herald", &[]);
    let last = |system| claim.mean("latency_p99_us", &[("system", system), ("scheduler", "eft")]);
    assert!(last("hetero-6") < 0.9 * last("simba-6").min(last("eyeriss-6")));
}

#[test]
fn magma_maps_a_group_of_jobs_best() {
    let magma = r#"{ name = "magma", samples = 2000, population = 100, objective = "makespan" }"#;
    let schedulers = format!(r#"schedulers=["random", "met", "herald", {magma}]"#);
    let claim = Claim::run("magma", &["seeds=2", &schedulers]);
    let makespan = |scheduler| claim.of(scheduler, "latency_p99_us");
    let others = ["random", "met", "herald"].map(makespan).into_iter().fold(f64::INFINITY, f64::min);
    assert!(makespan("magma") < others);
}

#[test]
fn dream_saves_energy_and_misses_no_more() {
    let claim = Claim::run("dream", &["seeds=1", "requests=200", "systems=[\"hetero-6\"]"]);
    assert!(claim.of("dream", "energy_per_request_uj") < claim.of("fcfs", "energy_per_request_uj"));
    assert!(claim.of("dream", "sla_rate") > claim.of("fcfs", "sla_rate") - 0.005);
}

#[test]
fn relief_moves_less_and_meets_more() {
    let claim = Claim::run("relief", &["seeds=2", "requests=200", "loads=0.9"]);
    let bytes = |scheduler: &str| -> f64 {
        let rows = claim.rows("accelerators.csv");
        let of = rows.iter().filter(|row| row["scheduler"] == scheduler);
        of.map(|row| row["dram_bytes"].parse::<f64>().unwrap()).sum()
    };
    for other in ["fcfs", "edf", "llf"] {
        assert!(bytes("relief") < 0.9 * bytes(other), "{other}");
        assert!(claim.of("relief", "energy_per_request_uj") < claim.of(other, "energy_per_request_uj"));
    }
    assert!(claim.of("relief", "sla_rate") > claim.of("llf", "sla_rate").max(claim.of("fcfs", "sla_rate")));
}

#[test]
fn etf_spreads_jobs_where_met_queues_them() {
    let claim = Claim::run("etf", &["seeds=1", "requests=150", "scenarios=[\"light\"]"]);
    let antt = |scheduler, load| claim.mean("antt", &[("scheduler", scheduler), ("load", load)]);
    let gain = |load| antt("met", load) / antt("etf", load);
    assert!(1.0 < gain("0.2") && gain("0.2") < gain("0.5") && gain("0.5") < gain("0.8"));
}

#[test]
fn dysta_shortens_turnaround_and_meets_more_than_prema() {
    let claim = Claim::run("dysta", &["seeds=1", "requests=200", "loads=0.9", "scenarios=[\"dysta_cnn\"]"]);
    for other in ["fcfs", "prema", "planaria", "dream"] {
        assert!(claim.of("dysta", "antt") < claim.of(other, "antt"), "{other}");
    }
    assert!(claim.of("dysta", "sla_rate") > claim.of("prema", "sla_rate"));
}

#[test]
fn terastal_misses_less_than_fcfs_edf_and_dream() {
    let claim = Claim::run("terastal", &["seeds=2", "requests=300"]);
    for other in ["fcfs", "edf", "dream"] {
        assert!(claim.of("terastal", "sla_rate") > claim.of(other, "sla_rate"), "{other}");
    }
}

/// No claim without a test.
#[test]
fn every_claim_has_its_test() {
    let files = std::fs::read_dir("experiments/claims").unwrap().map(|entry| entry.unwrap().path());
    let toml = files.filter(|path: &PathBuf| path.extension().is_some_and(|e| e == "toml"));
    let mut names: Vec<String> = toml.map(|path: PathBuf| stem(&path)).collect();
    names.sort();
    let own = include_str!("claims.rs");
    let untested: Vec<&String> =
        names.iter().filter(|name| !own.contains(&format!("Claim::run(\"{name}\""))).collect();
    assert!(untested.is_empty(), "{untested:?}");
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}
