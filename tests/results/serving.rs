//! The experiments on fleets (`experiments/{fang,chen,aset,tan}.toml`), each at a small size, by the direction that must
//! hold whatever the seeds; the magnitudes are in results/README.md.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use tempfile::TempDir;

use crate::common::mascot;

/// The mean quality over all cells of an experiment on a load, by fleet and dispatcher.
struct Qualities(BTreeMap<(String, String), f64>);

impl Qualities {
    fn run(name: &str, load: f64, dispatchers: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let file = format!("experiments/{name}.toml");
        let out = folder.path().to_str().unwrap();
        let mut args = vec!["run", &file, "--quiet", "--out", out, "--seeds", "2"];
        let less =
            ["requests=800".to_string(), format!("loads=[{load}]"), format!("dispatchers=[{dispatchers}]")];
        args.extend(less.iter().flat_map(|key| ["--set", key.as_str()]));
        let output = mascot(&args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut reader = csv::Reader::from_path(folder.path().join("serving.csv")).unwrap();
        let rows = reader.deserialize().map(Result::<BTreeMap<String, String>, _>::unwrap);
        let mut sums: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
        for row in rows.filter(|row| row["group"] == "all") {
            let key = (row["system"].clone(), row["scheduler"].clone());
            sums.entry(key).or_default().push(row["quality"].parse().unwrap());
        }
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        Self(sums.into_iter().map(|(key, values)| (key, mean(values))).collect())
    }

    fn of(&self, fleet: &str, dispatcher: &str) -> f64 {
        self.0[&(fleet.to_string(), dispatcher.to_string())]
    }
}

#[test]
fn batches_and_smaller_variants_carry_what_one_by_one_cannot() {
    let dispatchers = r#"{ variant = ["best", "fits"], batch = ["single", "greedy"], route = "closest" }"#;
    let quality = Qualities::run("fang", 1.4, dispatchers);
    let of = |dispatcher| quality.of("gpu-site", dispatcher);
    assert!(of("closest+best+greedy") > of("closest+best+single") + 0.1);
    assert!(of("closest+fits+greedy") > of("closest+best+greedy") + 0.1);
}

#[test]
fn on_arrays_a_smaller_variant_is_worth_more_than_batches() {
    let switch = r#"{ rule = "switch", thresholds = [1] }"#;
    let dispatchers =
        format!(r#"{{ variant = "best", batch = ["single", "greedy"] }}, {{ variant = {switch} }}"#);
    let quality = Qualities::run("chen", 1.3, &dispatchers);
    let of = |dispatcher| quality.of("one-site", dispatcher);
    assert!(of("closest+switch(thresholds=[1])+single") > of("closest+best+greedy") + 0.1);
}

#[test]
fn the_earliest_finish_beats_the_farthest_site() {
    let quality = Qualities::run("aset", 0.3, r#"{ route = ["farthest", "eft_site"] }"#);
    for fleet in ["rediris-4", "dc-cloud"] {
        assert!(quality.of(fleet, "eft_site+best+single") > quality.of(fleet, "farthest+best+single") + 0.05);
    }
}

#[test]
fn old_reports_hurt_whoever_follows_them_and_nobody_else() {
    let dispatchers = r#"{ route = ["round_robin", "shortest_queue"], variant = "fits", batch = "greedy" }"#;
    let quality = Qualities::run("tan", 1.5, dispatchers);
    let [blind, follower] = ["round_robin+fits+greedy", "shortest_queue+fits+greedy"];
    assert!((quality.of("gpu-ring", blind) - quality.of("gpu-ring-fresh", blind)).abs() < 1e-12);
    assert!(quality.of("gpu-ring", follower) < quality.of("gpu-ring-fresh", follower) - 0.1);
    assert!(quality.of("gpu-ring", follower) < quality.of("gpu-ring", blind) - 0.1);
}
