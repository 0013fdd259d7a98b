//! Is it a bound: no registered scheduler meets more requests than the linear program allows, on the shipped systems,
//! under all rules and on random systems; and is what is kept of it right. `presets.rs` has all scenarios, `optimum.rs`
//! the best schedules of tiny systems.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::sync::Arc;

use mascot::check::{Case, Size};
use mascot::cost::Cache;
use mascot::experiment::{DataRoot, Error, Experiment, Kind, Silent};
use mascot::limits::Relaxation;
use mascot::plan::Plan;
use mascot::scheduler::{SCHEDULERS, SchedulerEntry};
use mascot::sim::{Engine, Origin, Record, RunError, run};
use mascot::sweep::{self, Logs};

/// The quick start with some keys replaced, as TOML, and its bounds found.
fn plan(keys: &str, cache: &Cache) -> Plan {
    let data = DataRoot::find(None).unwrap();
    let keys: toml::Table = keys.parse().unwrap();
    let keys: Vec<_> = keys.into_iter().chain([("bound".to_string(), true.into())]).collect();
    let experiment = Experiment::read(Path::new("experiments/quickstart.toml"), &keys, &data).unwrap();
    let mut plan = Plan::prepare(experiment, &data, &Cache::from_env(), &Silent).unwrap();
    plan.find_bounds(cache, &Silent);
    plan
}

fn list(names: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("'{}'", name.as_ref())).collect();
    format!("[{}]", names.join(", "))
}

/// By row: its scheduler, the SLA rate, the gap.
fn rows(plan: &Plan) -> Vec<(String, f64, f64)> {
    let mut rows = Vec::new();
    sweep::run(plan, Logs::default(), &Silent, |cell, outcome| {
        rows.push((cell.scheduler.label.clone(), outcome.metric("sla_rate"), outcome.gap_to_bound));
        Ok(())
    })
    .unwrap_or_else(|e: Error| panic!("{e}"));
    rows
}

/// The sweep itself asserts that no run meets more than its bound.
fn no_scheduler_exceeds_it(keys: &str) {
    let schedulers = list(SCHEDULERS.iter().map(|entry| entry.name));
    let plan = plan(&format!("schedulers = {schedulers}\nseeds = 1\nrequests = 60\n{keys}"), &Cache::off());
    let rows = rows(&plan);
    assert_eq!(rows.len(), plan.cases.len() * (SCHEDULERS.len() + 1));
    for case in rows.chunks(SCHEDULERS.len() + 1) {
        let (bound, schedulers) = case.split_last().unwrap();
        assert!(bound.0 == "bound" && bound.2.is_nan(), "{bound:?}");
        for (name, rate, gap) in schedulers {
            assert!(*gap >= 0.0 && (bound.1 - rate - gap).abs() < 1e-12, "{name}: {rate} {gap} {bound:?}");
        }
    }
    let below_one = rows.iter().any(|(name, rate, _)| name == "bound" && *rate < 1.0);
    assert!(below_one, "the bound says nothing: {rows:?}");
}

#[test]
fn no_scheduler_exceeds_it_on_any_system() {
    let data = DataRoot::find(None).unwrap();
    let mut systems = data.names(Kind::System);
    // A table of costs has those of its own networks only.
    systems.retain(|name| data.system(name).unwrap().cost.is_none());
    let systems = list(systems);
    no_scheduler_exceeds_it(&format!("systems = {systems}\nloads = 1.5"));
}

#[test]
fn no_scheduler_exceeds_it_under_any_rule() {
    let rules = "scenarios = ['mixed']\nloads = 1.2\nlate = ['abort', 'finish']\ndecision_cost = 'ideal'\n\
                 trigger = ['on_change', 'periodic']\nphases = [false, true]\nmax_sub_job_us = [inf, 500]\n\
                 deadline_factor = [1.05, 2]";
    no_scheduler_exceeds_it(rules);
    let residents = "scenarios = ['light', 'mixed']\nloads = 1.2\nlate = ['abort', 'finish']\nresidency = ['outputs', 'all']\n\
                     deadline_factor = [1.05, 2]";
    no_scheduler_exceeds_it(residents);
    let forwarded = "scenarios = ['light', 'mixed']\nloads = 1.2\nlate = ['abort', 'finish']\nforwarding = true\n\
                     deadline_factor = [1.05, 2]";
    no_scheduler_exceeds_it(forwarded);
}

#[test]
fn no_scheduler_exceeds_it_on_random_systems() {
    let (mut reached, mut sparing) = (0, 0);
    for seed in 0..300 {
        let mut case =
            Case::with_everything(seed, Size { accelerators: 4, networks: 3, layers: 12, requests: 30 });
        let world = Arc::new(case.world());
        for (i, request) in case.trace.requests.iter_mut().enumerate() {
            let isolated = world.networks[request.network as usize].isolated;
            request.deadline = request.arrival.saturating_add(isolated.scale(0.6 + (i % 8) as f64 / 3.0));
        }
        let Some(relaxation) = Relaxation::new(&world, &case.trace) else { continue };
        let bound = relaxation.most_met();
        let measured = case.trace.measured_requests().count();
        let trace = Arc::new(case.trace.clone());
        let met_by = |entry: &SchedulerEntry| {
            let mut scheduler = (entry.build)(&toml::Table::new(), seed).unwrap();
            let engine = Engine::new(Arc::clone(&world), Arc::clone(&trace), case.rules.clone());
            let mut records: Vec<(Record, Origin)> = Vec::new();
            // A rule may leave requests waiting for ever; what it met until then counts.
            let ended = run(engine, scheduler.as_mut(), &mut records);
            assert!(matches!(ended, Ok(()) | Err(RunError::Stalled { .. })), "{}: {ended:?}", entry.name);
            let is_met = |(record, origin): &&(Record, Origin)| origin.measured && record.met() == Some(true);
            records.iter().filter(is_met).count()
        };
        let best = SCHEDULERS.iter().map(met_by).max().unwrap();
        assert!(best <= bound, "seed {seed}: {best} of {} are met, the bound is {bound}: {case}", measured);
        reached += usize::from(best == bound && bound < measured);
        sparing += usize::from(case.forwarding.is_some() || case.residency.is_some());
    }
    assert!(sparing > 25, "{sparing}");
    assert!(reached > 0, "the bound is never reached where it is below all");
}

#[test]
fn a_kept_bound_is_the_same_and_shared_by_cases_with_the_same_requests() {
    let folder = tempfile::TempDir::new().unwrap();
    let cache = Cache::at(folder.path());
    let keys = "scenarios = 'light'\nloads = 1.2\nseeds = 2\nrequests = 50\nlate = ['abort', 'finish']";
    let first = plan(keys, &cache);
    let kept = || {
        let paths = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        paths.map(|path| std::fs::read_to_string(path).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(kept().len(), 2, "one per seed: {:?}", kept());
    let bounds = first.bounds.clone();
    assert_eq!((bounds.len(), bounds[0].len()), (2, 2));
    assert_eq!(bounds[0], bounds[1]);
    assert!(kept().iter().any(|text| text.starts_with(&format!("{} # ", bounds[0][&1]))));
    assert_eq!(plan(keys, &cache).bounds, first.bounds);
    assert_eq!(plan(keys, &Cache::off()).bounds, first.bounds);
}

#[test]
fn requests_that_follow_others_have_no_bound_and_those_that_do_not_have_one_in_time() {
    let folder = tempfile::TempDir::new().unwrap();
    let scenario = |name: &str, arrivals: &str| {
        let path = folder.path().join(format!("{name}.toml"));
        let tenant = format!("[[tenant]]\nname = 'a'\nnetwork = 'kws_res8'\narrivals = {arrivals}\n");
        std::fs::write(&path, format!("name = '{name}'\nsource = 'a test'\n{tenant}")).unwrap();
        path.display().to_string()
    };
    let closed = scenario("closed", "{ kind = 'closed_loop', in_flight = 2, think_us = 100 }");
    let open = scenario("open", "{ kind = 'poisson', rate_per_s = 20000 }");
    let data = DataRoot::find(None).unwrap();
    let keys =
        format!("scenarios = ['{closed}', '{open}']\nschedulers = ['sjf']\nduration_s = 0.02\nbound = true");
    let keys: Vec<_> = keys.parse::<toml::Table>().unwrap().into_iter().collect();
    let experiment = folder.path().join("own.toml");
    std::fs::write(&experiment, "systems = ['hetero-6']\nscenarios = []\nschedulers = []\n").unwrap();
    let experiment = Experiment::read(&experiment, &keys, &data).unwrap();
    let mut plan = Plan::prepare(experiment, &data, &Cache::from_env(), &Silent).unwrap();
    plan.find_bounds(&Cache::off(), &Silent);
    let names: Vec<String> = rows(&plan).into_iter().map(|row| row.0).collect();
    assert_eq!(names, ["sjf", "sjf", "bound"], "{:?}", plan.bounds);
    assert!(plan.bounds[0].is_empty() && plan.bounds[1].len() == 1);
}
