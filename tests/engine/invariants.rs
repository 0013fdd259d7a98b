//! Does every run keep the invariants: random ones by the hundred, and those of the shipped systems and scenarios.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use mascot::check::{Audit, audit, fuzz};
use mascot::cost::Cache;
use mascot::experiment::{DataRoot, Experiment, Silent};
use mascot::plan::{self, Plan};
use mascot::scheduler::SCHEDULERS;
use mascot::sim::{Engine, Origin, Record};

fn pass(seeds: u64) {
    let report = fuzz(1..1 + seeds, &Silent);
    report.verdict().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.passed.values().map(|passed| passed.runs).sum::<u64>(), seeds);
    for name in SCHEDULERS.iter().map(|entry| entry.name).chain(["chaos"]) {
        let passed = report.passed.get(name).unwrap_or_else(|| panic!("no run under {name}"));
        let all = [passed.requests, passed.met, passed.dropped, passed.layers, passed.skipped];
        assert!(all.iter().all(|&count| count > 0), "{name} is hardly tested: {passed:?}");
    }
}

#[test]
fn a_thousand_seeds_pass() {
    pass(1_000);
}

#[test]
#[ignore = "ten times as many: make test-long"]
fn ten_thousand_seeds_pass() {
    pass(10_000);
}

#[test]
fn the_report_does_not_depend_on_the_threads() {
    let report = |jobs: &str| {
        let args = ["fuzz", "--seeds", "100", "--first-seed", "4000", "--jobs", jobs];
        let output = Command::new(env!("CARGO_BIN_EXE_mascot")).args(args).output();
        output.expect("the program was built for this test")
    };
    let one = report("1");
    assert!(one.status.success() && !one.stdout.is_empty());
    assert_eq!(one, report("2"));
    assert_eq!(one, report("8"));
}

/// Real layers on real systems, at a load at which queues grow, under every scheduler and sharing rule.
#[test]
fn the_shipped_systems_pass_the_audit() {
    let sharing =
        "sharing = ['max_min', 'proportional', 'fifo', 'score', 'knee']\nlate = ['abort', 'finish']";
    pass_the_audit(&format!("{sharing}\nmax_sub_job_us = [500, inf]"), 2 * 5 * 2);
}

/// The same on two memories, wherever data are.
#[test]
fn two_memories_pass_the_audit() {
    let keys =
        "systems = ['hetero-6-duo']\nsharing = ['max_min', 'proportional', 'fifo']\nlink_gbps = ['own', 4]";
    pass_the_audit(&format!("{keys}\ndata_placement = ['local', 'home', 'interleaved']"), 3 * 2 * 3);
}

fn pass_the_audit(keys: &str, cases: usize) {
    let data = DataRoot::find(None).expect("the data is in the source tree");
    let keys = format!("schedulers = ['fcfs']\nscenarios = ['mixed']\nloads = [0.9]\nqos = ['M']\n{keys}");
    let keys: toml::Table = keys.parse().expect("the test's TOML is valid");
    let keys: Vec<_> = keys.into_iter().collect();
    let experiment = Experiment::read(Path::new("experiments/quickstart.toml"), &keys, &data);
    let plan = Plan::prepare(experiment.expect("valid keys"), &data, &Cache::from_env(), &Silent)
        .expect("the data is complete");
    let (requests, seed) = (40, 1);
    assert_eq!(plan.cases.len(), cases);
    for case in &plan.cases {
        let (trace, rules) = (Arc::new(plan::trace(case, requests, seed)), plan::rules(case, seed));
        for entry in SCHEDULERS {
            let mut scheduler = (entry.build)(&toml::Table::new(), seed).expect("no parameter is mandatory");
            let audit = Audit::new(&case.site.world, &trace, &rules);
            let engine = Engine::new(Arc::clone(&case.site.world), Arc::clone(&trace), rules.clone());
            let mut outcomes: Vec<(Record, Origin)> = Vec::new();
            let (end, verdict) = audit::run(audit, engine, scheduler.as_mut(), &mut outcomes);
            end.expect("registered schedulers are legal");
            let totals = verdict.unwrap_or_else(|violation| panic!("{}: {violation}", entry.name));
            let is_met = |(record, origin): &&(Record, Origin)| origin.measured && record.met() == Some(true);
            assert_eq!(outcomes.iter().filter(is_met).count() as u64, totals.measured_met);
        }
    }
}
