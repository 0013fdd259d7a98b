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

const LOOP: &str = "name = 'loop'
source = 'ours'
[[tenant]]
name = 'users'
network = 'resnet18'
arrivals = { kind = 'closed_loop', in_flight = 4, think_us = 5000 }
deadline_factor = 4
[[tenant]]
name = 'frames'
network = 'kws_res8'
arrivals = { kind = 'periodic', fps = 200 }
[[tenant]]
name = 'follow'
network = 'mobilenet_v2'
arrivals = { kind = 'cascade', after = 'frames', probability = 0.5 }
";

/// Closed loops, cascades, and learned schedulers at a site: without links and with slots for all, one site is the plain
/// system, at the level of the program.
#[test]
fn closed_loops_and_cascades_run_on_one_site_as_on_the_system() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let write = |name: &str, text: &str| std::fs::write(path(name), text).unwrap();
    write("loop.toml", LOOP);
    let common = format!(
        "scenarios = ['{}']\nrequests = 300\nseeds = 2\ndecision_cost = 'ideal'\n",
        path("loop.toml")
    );
    for scheduler in ["edf", "learned_gate"] {
        let site = format!(
            "name = 'site'\nsource = 'ours'\n[[node]]\nname = 'here'\n[[site]]\nname = 'here'\nnode = 'here'\n\
             system = 'hetero-6'\nscheduler = '{scheduler}'\nslots = inf\n"
        );
        write("site.toml", &site);
        write("plain.toml", &format!("systems = ['hetero-6']\nschedulers = ['{scheduler}']\n{common}"));
        let fleet = format!("fleets = ['{}']\ndispatchers = [{{ route = 'closest' }}]\n", path("site.toml"));
        write("fleet.toml", &format!("{fleet}{common}"));
        let rows = ["plain", "fleet"].map(|name| {
            let out = path(name);
            let output = mascot(&["run", &path(&format!("{name}.toml")), "--quiet", "--out", &out]);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let mut reader = csv::Reader::from_path(format!("{out}/summary.csv")).unwrap();
            let rows = reader.deserialize().map(Result::<BTreeMap<String, String>, _>::unwrap);
            rows.collect::<Vec<_>>()
        });
        assert_eq!(rows.each_ref().map(Vec::len), [2, 2]);
        for (plain, fleet) in rows[0].iter().zip(&rows[1]) {
            // Loads are relative to lambda*, which is found by another path, up to the last digit.
            let others = plain.iter().filter(|(key, _)| !key.contains("load"));
            for (key, value) in others.filter(|(key, _)| !["system", "scheduler"].contains(&key.as_str())) {
                assert_eq!(value, &fleet[key], "{scheduler}: {key}");
            }
        }
    }
}
