//! Does it run: every shipped scenario, under every registered scheduler, on hetero-6, and is the bound of its SLA rate one;
//! and do requests come at the pace that the scenario states. Both go over what is in the folder and in the registry.

use std::fs;
use std::sync::LazyLock;

use mascot::cost::Cache;
use mascot::experiment::{DataRoot, Error, Experiment, Kind, Silent};
use mascot::plan::{self, Plan};
use mascot::scheduler::SCHEDULERS;
use mascot::sweep::{self, Logs};
use mascot::units::Time;
use mascot::workload::Late;

/// Enough that requests meet.
const REQUESTS: usize = 60;

/// Every preset on hetero-6 under all schedulers; made once, because mapping its networks takes most of the time.
static PLANS: LazyLock<Vec<Plan>> = LazyLock::new(|| {
    let data = DataRoot::find(None).expect("the data is in the source tree");
    let presets = data.names(Kind::Scenario);
    presets.iter().map(|name| plan(name, &data).unwrap_or_else(|error| panic!("{name}: {error}"))).collect()
});

fn plan(name: &str, data: &DataRoot) -> Result<Plan, Error> {
    let loads = if data.scenario(name)?.has_own_pace() { "" } else { "loads = [0.9]" };
    let schedulers: Vec<&str> = SCHEDULERS.iter().map(|entry| entry.name).collect();
    let keys = format!(
        "systems = ['hetero-6']\nscenarios = ['{name}']\nschedulers = {schedulers:?}\nseeds = 1\n\
         requests = {REQUESTS}\nlate = ['abort', 'finish']\n{loads}"
    );
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let path = folder.path().join("smoke.toml");
    fs::write(&path, keys).expect("the folder is ours");
    let mut plan = Plan::prepare(Experiment::read(&path, &[], data)?, data, &Cache::from_env(), &Silent)?;
    plan.find_bounds(&Cache::off(), &Silent);
    Ok(plan)
}

#[test]
fn every_preset_runs_under_every_scheduler() {
    for plan in PLANS.iter() {
        let (bounds, cells): (Vec<_>, Vec<_>) =
            sweep::cells(plan).into_iter().partition(sweep::Cell::is_bound);
        assert_eq!(cells.len(), 2 * SCHEDULERS.len());
        let follow = plan.cases[0].workload.scenario.has_followers();
        assert_eq!(bounds.len(), if follow { 0 } else { 2 }, "{:?}", plan.experiment.scenarios);
        // A run that meets more than its bound panics.
        for cell in cells {
            let outcome = sweep::run_cell(&plan.experiment, &cell, Logs::default());
            let outcome = outcome.unwrap_or_else(|error| panic!("{error}"));
            let [finished, dropped] = ["finished", "dropped"].map(|column| outcome.metric(column));
            assert_eq!(finished + dropped, REQUESTS as f64, "{cell}");
            // No starvation: a rule that drops nothing finishes everything that may finish late.
            let drops = ["edf_drop", "gated", "lookahead"].contains(&cell.scheduler.entry.name.as_str());
            let ends = drops || cell.case.setting.late == Late::Abort;
            assert!(ends || finished == REQUESTS as f64, "{dropped} requests starve: {cell}");
            // Where late requests are dropped, `random` may finish none.
            assert!(finished > 0.0 || cell.case.setting.late == Late::Abort, "nothing was finished: {cell}");
        }
    }
}

#[test]
fn presets_with_a_pace_of_their_own_keep_it_and_leave_hetero_6_room() {
    let mut rates = 0;
    for case in PLANS.iter().map(|plan| &plan.cases[0]).filter(|case| case.load.is_none()) {
        let scenario = &case.workload.scenario;
        let offered = case.nominal_load();
        assert!((0.0..1.0).contains(&offered), "{} offers hetero-6 {offered}", scenario.name);
        let requests = plan::trace(case, 2_000, 1).requests;
        // Those that wait for others have no time yet.
        let came = || requests.iter().filter(|request| request.arrival < Time::MAX);
        let span_s = came().next_back().expect("requests come").arrival.as_s();
        for (index, tenant) in scenario.tenants.iter().enumerate() {
            let Some(rate_per_s) = tenant.arrivals.rate_per_s() else { continue };
            let found = came().filter(|request| request.tenant as usize == index).count() as f64;
            // Frames from time 0 on: one more than whole periods.
            let expected = span_s * rate_per_s + 0.5;
            assert!(
                (found - expected).abs() < 0.6,
                "{}, {}: {found}, not {expected}",
                scenario.name,
                tenant.name
            );
            rates += 1;
        }
    }
    assert!(rates > 0);
}
