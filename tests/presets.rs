//! Does it run: every shipped scenario, under every registered scheduler, on relmas-6; and do requests come at the pace
//! that the scenario states. Both go over what is in the folder and in the registry.

use std::fs;

use mascot::cost::Cache;
use mascot::experiment::data::Kind;
use mascot::experiment::sweep::{self, Logs};
use mascot::experiment::{DataRoot, Experiment, Plan, Silent};
use mascot::scheduler::SCHEDULERS;
use mascot::units::Time;

/// Enough that requests meet.
const REQUESTS: usize = 60;

fn data() -> DataRoot {
    DataRoot::find(None).expect("the data is in the source tree")
}

/// A preset on relmas-6 under all schedulers.
fn plan(name: &str, data: &DataRoot) -> Plan {
    let own_pace = data.scenario(name).unwrap_or_else(|error| panic!("{error}")).has_own_pace();
    let schedulers: Vec<&str> = SCHEDULERS.iter().map(|entry| entry.name).collect();
    let keys = format!(
        "systems = ['relmas-6']\nscenarios = ['{name}']\nschedulers = {schedulers:?}\nseeds = 1\nrequests = {REQUESTS}\n{}",
        if own_pace { "" } else { "loads = [0.9]" }
    );
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let path = folder.path().join("smoke.toml");
    fs::write(&path, keys).expect("the folder is ours");
    let experiment = Experiment::read(&path, &[], data).unwrap_or_else(|error| panic!("{error}"));
    Plan::prepare(experiment, data, &Cache::from_env(), &Silent).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_preset_runs_under_every_scheduler() {
    let data = data();
    for name in data.names(Kind::Scenario) {
        let plan = plan(&name, &data);
        let cells = sweep::cells(&plan);
        assert_eq!(cells.len(), SCHEDULERS.len());
        for cell in cells {
            let outcome = sweep::run_cell(&plan.experiment, &cell, Logs::default());
            let outcome = outcome.unwrap_or_else(|error| panic!("{error}"));
            let ended = ["finished", "dropped"].map(|column| outcome.metric(column));
            assert_eq!(ended[0] + ended[1], REQUESTS as f64, "{cell}");
            assert!(ended[0] > 0.0, "nothing was finished: {cell}");
        }
    }
}

#[test]
fn presets_with_a_pace_of_their_own_keep_it_and_leave_relmas_6_room() {
    let data = data();
    for name in data.names(Kind::Scenario) {
        let plan = plan(&name, &data);
        let case = &plan.cases[0];
        if case.load.is_some() {
            continue;
        }
        assert!((0.01..1.0).contains(&case.offered_load()), "{name} offers {}", case.offered_load());
        let requests = sweep::trace(case, 2_000, 1).requests;
        // Those that wait for others have no time yet.
        let came = || requests.iter().filter(|request| request.arrival < Time::MAX);
        let span_s = came().last().expect("requests come").arrival.as_s();
        for (index, tenant) in case.workload.scenario.tenants.iter().enumerate() {
            let Some(rate_per_s) = tenant.arrivals.rate_per_s() else { continue };
            let found = came().filter(|request| request.tenant as usize == index).count() as f64;
            // The first frame comes at once.
            assert!((found - span_s * rate_per_s).abs() <= 1.0, "{name}, {}: {found} in {span_s} s", tenant.name);
        }
    }
}
