//! `[[drift]]` of an experiment: what it says is done, and mistakes are told with their place and what is allowed.

use std::path::Path;

use mascot::cost::Cache;
use mascot::experiment::{DataRoot, Error, Experiment, Silent};
use mascot::plan::{Plan, trace};
use mascot::sim::Drift;
use mascot::units::Time;

const PAIR: &str = r#"
name = "pair"
source = "of a test"
[[node]]
name = "home"
[[node]]
name = "away"
[[site]]
name = "near"
node = "home"
system = "gpu-like-2"
[[site]]
name = "far"
node = "away"
system = "gpu-like-2"
[[link]]
between = ["home", "away"]
gbps = 10
delay_us = 1_000
"#;

const EXPERIMENT: &str = r#"
fleets = ["FLEET"]
scenarios = ["opaque_users"]
dispatchers = [{ variant = "best" }]
loads = [0.5]
duration_s = 2
"#;

/// The plan of an experiment on the pair with these entries.
fn plan(more: &str) -> Result<Plan, Error> {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let fleet = folder.path().join("pair.toml");
    std::fs::write(&fleet, PAIR).expect("the folder is ours");
    let fleet = fleet.to_str().expect("it is text").replace('\\', "/");
    let path = folder.path().join("drifting.toml");
    std::fs::write(&path, EXPERIMENT.replace("FLEET", &fleet) + more).expect("the folder is ours");
    prepare(&path)
}

fn prepare(path: &Path) -> Result<Plan, Error> {
    let data = DataRoot::find(None)?;
    Plan::prepare(Experiment::read(path, &[], &data)?, &data, &Cache::from_env(), &Silent)
}

fn drift(entry: &str) -> String {
    format!("[[drift]]\n{entry}\n")
}

#[test]
fn mistakes_are_told_with_what_is_allowed() {
    for (entry, told) in [
        ("at_s = 1", "nothing changes: expected `speed`, `dram_bandwidth_gbps`, `accelerators_lost`, `link`"),
        ("at_s = 1\nspeed = 0", "`speed` is 0: expected a number from 1e-9 to 1e12"),
        ("at_s = 2\nspeed = 0.5", "`at_s` is 2: expected less than `duration_s` = 2, the end of the run"),
        ("speed = 0.5", "missing field `at_s`"),
        ("at_s = 1\nspeeds = 0.5", "unknown field `speeds`"),
        ("at_s = 1\nlink = [\"home\", \"away\"]", "`link` needs `gbps` or `delay_us`, what it becomes"),
        ("at_s = 1\ngbps = 1", "`gbps` and `delay_us` need `link`, the two nodes at its ends"),
        ("at_s = 1\nlink = [\"home\", \"away\"]\ngbps = inf", "no link or DRAM becomes endless"),
        (
            "at_s = 1\nsite = \"near\"\nrate = 2",
            "`site` needs `speed`, `dram_bandwidth_gbps` or `accelerators_lost`",
        ),
        ("at_s = 1\ntenant = \"steady\"\nspeed = 2", "`tenant` needs `rate`, the factor of its arrivals"),
        (
            "at_s = 1\nsite = \"neer\"\nspeed = 2",
            "no site `neer` (did you mean `near`?): expected one of near, far",
        ),
        (
            "at_s = 1\nlink = [\"home\", \"avay\"]\ngbps = 1",
            "no node `avay` (did you mean `away`?): expected one of home, away",
        ),
        (
            "at_s = 1\nlink = [\"home\", \"home\"]\ngbps = 1",
            "no link between `home` and `home`: expected one of home - away",
        ),
        (
            "at_s = 1\ntenant = \"stedy\"\nrate = 2",
            "no tenant `stedy` (did you mean `steady`?): expected one of steady",
        ),
        (
            "at_s = 1\naccelerators_lost = [\"opaque\"]",
            "`gpu-like-2` has no accelerator `opaque` (did you mean `opaque_device`, `opaque_device.0` or `opaque_device.1`?): expected one of opaque_device, opaque_device.0, opaque_device.1",
        ),
        (
            "at_s = 1\naccelerators_lost = [\"opaque_device\"]",
            "leaves site `near` without an accelerator for its requests: nothing else can run layer",
        ),
    ] {
        let error = plan(&drift(entry)).map(|_| ()).expect_err(entry).to_string();
        assert!(error.contains(told), "{entry}: {error}");
        assert!(error.contains("drifting.toml:"), "{error}");
    }
    let axis = |more: &str| plan(more).map(|_| ()).expect_err(more).to_string();
    // The keys before the first table.
    let unknown = axis("drifts = [\"none\", \"slwo\"]\n[[drift]]\nname = \"slow\"\nat_s = 1\nspeed = 0.5\n");
    assert!(unknown.contains("no [[drift]] has `name = \"slwo\"` (did you mean `slow`?)"), "{unknown}");
    let nameless = axis("drifts = [\"none\"]\n[[drift]]\nat_s = 1\nspeed = 0.5\n");
    assert!(nameless.contains("`drifts` chooses entries by `name`, and this one has none"), "{nameless}");
}

#[test]
fn entries_become_changes_of_sites_and_links() {
    let both = plan(
        &(drift("at_s = 1\nspeed = 0.5")
            + &drift("at_s = 1\nsite = \"far\"\naccelerators_lost = [\"opaque_device.1\"]")
            + &drift("at_s = 0.5\nlink = [\"away\", \"home\"]\ngbps = 5\ndelay_us = 3_000")),
    )
    .expect("it is right");
    let model = &both.cases[0].fleet.as_ref().expect("it is of a fleet").model;
    let [near, far] = [0, 1].map(|site| &model.sites[site].rules.drift);
    assert_eq!((near.len(), near[0].at, near[0].speed), (1, Time::from_s(1.0), Some(0.5)));
    assert!(near[0].loss.is_none());
    assert_eq!((far.len(), far[0].speed), (1, Some(0.5)));
    assert_eq!(far[0].loss.as_ref().map(|loss| loss.accelerators.clone()), Some(vec![1]));
    for wire in 0..2 {
        assert_eq!(model.wire_at(wire, Time::from_s(0.4)), model.wires[wire as usize]);
        let after = model.wire_at(wire, Time::from_s(0.5));
        assert_eq!((after.bytes_per_ps, after.delay), (5e9 / 8.0 / 1e12, Time::from_us(3_000.0)));
    }
}

#[test]
fn the_axis_makes_a_cell_for_each_name_and_a_column() {
    let slow = drift("name = \"slow\"\nat_s = 1\nspeed = 0.5");
    let with = plan(&format!("drifts = [\"none\", \"slow\"]\n{slow}")).expect("it is right");
    let drifts: Vec<String> =
        with.cases.iter().map(|case| case.keys().texts().pop().expect("keys")).collect();
    assert_eq!(drifts, ["none", "slow"]);
    let of = |plan: &Plan, case: usize| {
        plan.cases[case].fleet.as_ref().expect("a fleet").model.sites[0].rules.drift.clone()
    };
    assert_eq!(of(&with, 0), Drift::NONE);
    assert_eq!(of(&with, 1).len(), 1);
    assert!(with.experiment.has_drifts());
    let without = plan(&slow).expect("it is right");
    assert_eq!((without.cases.len(), of(&without, 0).len()), (1, 1));
    assert!(!without.experiment.has_drifts());
    assert!(plan("").expect("it is right").cases[0].keys().texts().pop().expect("keys").is_empty());
}

/// The arrivals up to the change are those without it; afterwards those of the tenant are twice as dense, and the others
/// stay.
#[test]
fn a_rate_changes_only_what_comes_after_it() {
    let times = |more: &str, tenant: u32| -> Vec<Time> {
        let requests = trace(&plan(more).expect("it is right").cases[0], 2_000, 7).requests;
        let own = requests.iter().filter(|request| request.tenant == tenant);
        own.map(|request| request.arrival).collect()
    };
    let twice = drift("at_s = 1\ntenant = \"steady\"\nrate = 2");
    let (plain, dense) = (times("", 0), times(&twice, 0));
    let change = Time::from_s(1.0);
    let expected: Vec<Time> =
        plain
            .iter()
            .map(|&time| {
                if time < change {
                    time
                } else {
                    change + Time(((time - change).as_ps() / 2.0).round() as u64)
                }
            })
            .collect();
    // Both runs are of so many requests: the tenant has more of them where it sends more.
    assert!(plain.len() > 500 && dense.len() > plain.len());
    assert_eq!(dense[..plain.len()], expected);
    let (plain, others) = (times("", 1), times(&twice, 1));
    assert_eq!(plain[..others.len()], others);
    // All of them: the end of the run comes sooner.
    assert!(times(&drift("at_s = 1\nrate = 2"), 1).last() < plain.last());
}
