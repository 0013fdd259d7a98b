//! Does it behave: the physics of contention, load, deadlines and decisions on the shipped networks and systems.

use std::path::Path;

use mascot::cost::Cache;
use mascot::experiment::{DataRoot, Experiment, Silent};
use mascot::plan::Plan;
use mascot::scheduler::{self, SCHEDULERS};
use mascot::sim::{Action, Decision, Record, Scheduler, View};
use mascot::sweep::{self, Logs, run_with};

/// The quick start with some keys replaced: `keys` is TOML.
fn plan(keys: &str) -> Plan {
    let data = DataRoot::find(None).expect("the data is in the source tree");
    let keys: toml::Table = keys.parse().expect("the test's TOML is valid");
    let keys: Vec<_> = keys.into_iter().collect();
    let experiment = Experiment::read(Path::new("experiments/quickstart.toml"), &keys, &data);
    Plan::prepare(experiment.expect("valid keys"), &data, &Cache::from_env(), &Silent)
        .expect("the data is complete")
}

/// The mean of a metric over the seeds, one number per (case, scheduler) in the order of the experiment.
fn means(keys: &str, metric: &str) -> Vec<f64> {
    let plan = plan(keys);
    let mut sums = vec![0.0; plan.cases.len() * plan.experiment.schedulers.len()];
    let seeds = plan.experiment.seeds as usize;
    let mut cell = 0;
    sweep::run(&plan, Logs::default(), &Silent, |_, outcome| {
        sums[cell / seeds] += outcome.metric(metric) / seeds as f64;
        cell += 1;
        Ok(())
    })
    .expect("the registered schedulers run");
    sums
}

#[test]
fn fcfs_meets_nearly_all_at_load_0_3_and_misses_many_at_1_5() {
    let rates = means("schedulers = ['fcfs']\nloads = [0.3, 1.5]\nseeds = 3", "sla_rate");
    for scenario in rates.chunks(2) {
        assert!(
            scenario[0] > 0.95 && scenario[1] < 0.6,
            "light, heavy, mixed at loads 0.3 and 1.5: {rates:?}"
        );
    }
}

#[test]
fn halving_the_bandwidth_lowers_sla_rates_at_the_same_request_rate() {
    // The load is relative to lambda*, which falls with the bandwidth: half the load at twice lambda*.
    let lambda = |gbps| {
        let plan =
            plan(&format!("schedulers = ['fcfs']\nscenarios = ['mixed']\ndram_bandwidth_gbps = {gbps}"));
        plan.cases[0].site.saturation.requests_per_s
    };
    let (full, half) = (lambda(32), lambda(16));
    assert!(half < full, "{half} {full}");
    let rate = |gbps, load: f64| {
        // Deadlines follow the isolated latency, which grows when a layer alone needs more than there is; absolute
        // ones stay.
        let keys = format!(
            "scenarios = ['mixed']\nsla = 'absolute'\nloads = [{load}]\ndram_bandwidth_gbps = {gbps}"
        );
        means(&format!("{keys}\nschedulers = ['fcfs', 'edf', 'prema']\nseeds = 3"), "sla_rate")
    };
    for (slow, fast) in rate(16, 0.8 * full / half).into_iter().zip(rate(32, 0.8)) {
        assert!(slow < fast, "{slow} at 16 GB/s, {fast} at 32 GB/s");
    }
}

#[test]
fn infinite_bandwidth_never_slows_a_layer() {
    let keys = "scenarios = ['mixed']\nschedulers = ['eft']\nloads = [0.9]\nseeds = 1\ndram_bandwidth_gbps = [32, inf]";
    let slowdown = means(keys, "slowdown_mean");
    assert!(slowdown[0] > 1.05, "{slowdown:?}");
    // Ends are rounded up to a picosecond; the shortest layers take microseconds.
    assert!((slowdown[1] - 1.0).abs() < 1e-6, "{slowdown:?}");
}

#[test]
fn the_rules_differ_from_fcfs_and_random_is_the_floor() {
    let keys =
        "scenarios = ['mixed']\nloads = [0.9]\nschedulers = ['random', 'fcfs', 'edf', 'edf_drop', 'prema']";
    let rates = means(keys, "sla_rate");
    assert!(rates[2..].iter().all(|rate| (rate - rates[1]).abs() > 0.02), "{rates:?}");
    assert!(rates[1..].iter().all(|&rate| rate > rates[0] + 0.05), "{rates:?}");
}

#[test]
fn a_decision_latency_of_a_millisecond_costs_sla_rate() {
    let rates = |keys: &str| {
        let fixed =
            "scenarios = ['light']\nloads = [0.6]\nschedulers = ['fcfs', 'edf', 'edf_drop', 'eft', 'prema']";
        means(&format!("{fixed}\nseeds = 3\n{keys}"), "sla_rate")
    };
    let slow = rates("decision_base_us = 1000");
    for (slow, ideal) in slow.into_iter().zip(rates("decision_cost = 'ideal'")) {
        assert!(slow < ideal - 0.02, "{slow} with 1 ms, {ideal} with none");
    }
}

#[test]
fn both_sharing_models_and_split_layers_run_and_differ() {
    let fixed = "scenarios = ['mixed']\nloads = [0.9]\nschedulers = ['edf']\nseeds = 2";
    let sharing = means(&format!("{fixed}\nsharing = ['max_min', 'proportional']"), "sla_rate");
    assert!(sharing[0] != sharing[1], "{sharing:?}");
    let plan = plan(&format!("{fixed}\nmax_sub_job_us = [inf, 200]"));
    let layers: Vec<usize> =
        plan.cases.iter().map(|c| c.site.world.networks.iter().map(|n| n.layers.len()).sum()).collect();
    assert!(layers[1] > layers[0], "{layers:?}");
    let longest = |case: &sweep::Cell| {
        let network = case.case.site.world.networks.iter();
        network.flat_map(|n| n.best_alone.clone()).max().expect("networks have layers")
    };
    let cells = sweep::cells(&plan);
    assert!(longest(cells.last().expect("cells")) < longest(&cells[0]));
}

/// `inner`, but it may only assign sub-jobs that are ready at the tick.
struct ReadyOnly(Box<dyn Scheduler>);

impl Scheduler for ReadyOnly {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        self.0.decide(view, out);
        let ready: Vec<_> = view.sub_jobs().iter().filter(|sub| sub.ready).map(|sub| sub.id).collect();
        out.actions.retain(|action| match action {
            Action::Assign { sub_job, .. } => ready.binary_search(sub_job).is_ok(),
            _ => true,
        });
    }

    fn observe(&mut self, record: &Record) {
        self.0.observe(record);
    }
}

#[test]
fn a_tick_that_may_only_assign_ready_sub_jobs_shows_in_the_numbers() {
    // Sticky layers hide most of it: they go on where they are without being assigned.
    let plan = plan("scenarios = ['mixed']\nloads = [0.9]\nunassigned = 'hold'");
    let build =
        || (scheduler::find("edf_drop").expect("registered").build)(&toml::Table::new(), 1).expect("valid");
    let rate = |case, scheduler: &mut dyn Scheduler| {
        let outcome = run_with(case, 500, 1, scheduler, Logs::default()).expect("legal");
        outcome.metric("sla_rate")
    };
    let free = rate(&plan.cases[0], build().as_mut());
    let tied = rate(&plan.cases[0], &mut ReadyOnly(build()));
    assert!(tied < free - 0.1, "{tied} with ready sub-jobs only, {free} with the next ones, too");
}

#[test]
fn every_scheduler_runs_every_scenario_on_every_system() {
    let data = DataRoot::find(None).expect("the data is in the source tree");
    let mut systems = data.names(mascot::experiment::Kind::System);
    // A table of costs has those of its own networks only.
    systems.retain(|name| data.system(name).expect("it is complete").cost.is_none());
    assert!(
        ["hetero-4", "hetero-6", "hetero-8"].iter().all(|name| systems.iter().any(|s| s == name)),
        "{systems:?}"
    );
    let all: Vec<&str> = SCHEDULERS.iter().map(|entry| entry.name).collect();
    let keys = format!(
        "systems = {systems:?}\nschedulers = {all:?}\nseeds = 1\nrequests = 60\nlate = ['finish', 'abort']\nloads = [0.8]"
    );
    let requests = means(&keys, "requests");
    assert_eq!(requests.len(), systems.len() * 3 * 2 * SCHEDULERS.len());
    assert!(requests.iter().all(|&n| n == 60.0));
}
