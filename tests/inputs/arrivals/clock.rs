//! What would outlast the 64-bit clock, or fill the memory, is refused before the run.

use std::path::Path;

use mascot::workload::Network;

use super::bench::Bench;
use crate::common::mascot;

fn refused(bench: &Bench, part: &str) {
    let error = bench.error();
    assert!(error.contains(part) && error.lines().count() < 4, "{error}");
}

#[test]
fn loops_that_think_for_years_are_refused() {
    let tenant = "[[tenant]]\nname = 'a'\nnetwork = 'kws_res8'\n";
    let arrivals = "arrivals = { kind = 'closed_loop', in_flight = 1, think_us = 1e9 }\n";
    let bench = Bench::new(&format!("{tenant}{arrivals}"), "requests = 100000\nlate = 'finish'\n");
    refused(&bench, "take 2.1e8 s of simulated time: expected at most 1e6 s");
}

#[test]
fn too_many_requests_are_refused_with_those_of_warm_up() {
    let bench = Bench::new(super::PAIR, "loads = [0.8]\nrequests = 6000000\nlate = 'finish'\n");
    refused(&bench, "sends more than 10000000 requests in a run, with those of warm-up and drain");
}

/// A thousand seconds a layer, by a user's cost table.
#[test]
fn work_that_outlasts_the_clock_is_refused() {
    let tenant = "[[tenant]]\nname = 'a'\nnetwork = 'kws_res8'\n";
    let arrivals = "arrivals = { kind = 'poisson', rate_per_s = 100 }\n";
    let bench = Bench::new(&format!("{tenant}{arrivals}"), "");
    let network = Network::read(Path::new("workloads/networks/kws_res8.toml")).unwrap();
    let rows = |cycles: &str| -> String {
        let row = |layer: &str| format!("kws_res8,{layer},simba_256,{cycles},1,1\n");
        network.layers.iter().map(|layer| row(&layer.name)).collect()
    };
    let header = "network,layer,accelerator,cycles,dram_bytes,energy_pj\n";
    let system = "name = 'slow'\nsource = 'a test'\ndram_bandwidth_gbps = 32\ncost = 'slow.csv'\n\
                  [[accelerator]]\nmodel = 'simba_256'\n";
    bench.write("slow.toml", system);
    let run = |cycles: &str| {
        bench.write("slow.csv", &format!("{header}{}", rows(cycles)));
        let set = format!("systems=[\"{}\"]", bench.path("slow.toml"));
        mascot(&[
            "run",
            &bench.path("run.toml"),
            "--out",
            &bench.path("out"),
            "--dry-run",
            "--set",
            "late=finish",
            "--set",
            &set,
        ])
    };
    let error = String::from_utf8(run("1e12").stderr).unwrap();
    assert!(error.contains("may keep `slow` busy for") && error.contains("1.5e7 s"), "{error}");
    let error = String::from_utf8(run("1e13").stderr).unwrap();
    assert!(error.contains("slow.csv:2: column `cycles`: `1e13` is not allowed"), "{error}");
    assert!(run("1e6").status.success());
}
