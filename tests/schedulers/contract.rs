//! What every registered scheduler and every shipped policy promises, on the systems and mixes of the paper: it is
//! deterministic, it knows nothing of the future, nothing of which requests are measured and nothing of what tenants are
//! called, and the work of a decision is bounded by what is in flight. That it is legal and ends is in `presets.rs`, over
//! every scenario.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use mascot::cost::Cache;
use mascot::experiment::{DataRoot, Experiment, Silent};
use mascot::plan::{Case, Plan, rules, trace};
use mascot::policy::mlp::{Activation, Mlp, Net};
use mascot::policy::{POLICIES, Parameters, Policy, Tensors, features};
use mascot::scheduler::{self, SCHEDULERS};
use mascot::sim::{Decision, Engine, JobView, Record, Rules, Scheduler, Trace, View, run};
use mascot::units::Time;

const REQUESTS: usize = 40;

fn cases() -> Vec<Case> {
    let data = DataRoot::find(None).expect("the data is in the source tree");
    let product = |keys: &str| {
        let keys: Vec<_> = keys.parse::<toml::Table>().expect("valid TOML").into_iter().collect();
        let experiment = Experiment::read(Path::new("experiments/quickstart.toml"), &keys, &data);
        let plan = Plan::prepare(experiment.expect("valid keys"), &data, &Cache::from_env(), &Silent);
        plan.expect("the shipped data is complete").cases
    };
    let systems = "schedulers = 'fcfs'\nsystems = ['hetero-4', 'hetero-6', 'hetero-8']\nloads = [1.2]\nlate = ['abort', 'finish']";
    let residents = "schedulers = 'fcfs'\nsystems = 'hetero-6'\nscenarios = ['light', 'mixed']\nloads = 1.2\nresidency = 'all'";
    [product(systems), product(residents)].concat()
}

/// A scheduler whose decisions are weighed.
struct Weighed {
    scheduler: Box<dyn Scheduler>,
    allowed: fn(&View) -> f64,
    /// Largest share of what a decision may take.
    most: f64,
}

impl Scheduler for Weighed {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        self.scheduler.decide(view, out);
        let taken = (out.operations.comparisons + out.operations.macs) as f64;
        self.most = self.most.max(taken / (self.allowed)(view));
    }

    fn observe(&mut self, record: &Record) {
        self.scheduler.observe(record);
    }
}

/// A rule: a few comparisons per pair of open sub-jobs and accelerator.
fn rule(view: &View) -> f64 {
    let open = view.sub_jobs().len().max(view.jobs().len()) as f64 + 1.0;
    4.0 * open * open * view.accelerators().len() as f64
}

/// Twenty roll-outs: each has a decision every period until the last deadline, and three records a layer, which are
/// charged like 60 comparisons.
fn roll_outs(view: &View) -> f64 {
    let layers: f64 = view.jobs().iter().map(|job| f64::from(job.layers_left) + 2.0).sum();
    let last =
        view.jobs().iter().map(|job| job.deadline.saturating_sub(view.now())).max().unwrap_or_default();
    let decisions = last.as_us() / 100.0 + 2.0;
    20.0 * (rule(view) * decisions + 60.0 * (3.0 * layers + 2.0 * decisions))
}

/// A policy: some passes of a net of at most 50,000 weights per job and sub-job, beside what a rule takes.
fn nets(view: &View) -> f64 {
    rule(view) + 50_000.0 * (view.sub_jobs().len() + view.jobs().len()) as f64
}

/// Makes a scheduler anew for every run. Nobody but the cheats below looks at the trace.
type Build = Box<dyn Fn(&Trace) -> Box<dyn Scheduler>>;

/// One that promises.
struct Contestant {
    name: String,
    allowed: fn(&View) -> f64,
    build: Build,
}

/// Every rule, and every policy that ships for the system of a case.
fn contestants(case: &Case) -> Vec<Contestant> {
    let rules = SCHEDULERS.iter().map(|entry| Contestant {
        name: entry.name.into(),
        allowed: if ["magma", "lookahead"].contains(&entry.name) { roll_outs } else { rule },
        build: Box::new(|_| (entry.build)(&toml::Table::new(), 1).expect("no parameter is mandatory")),
    });
    let policies = POLICIES.iter().filter_map(|entry| {
        let own = format!("policies/{}-{}.toml", entry.name, case.system);
        let of_all = format!("policies/{}.toml", entry.name);
        let path = [own, of_all].into_iter().find(|path| Path::new(path).exists())?;
        let policy = Policy::read(Path::new(&path), entry);
        let (policy, accelerators) = (policy.expect("it ships"), case.site.world.platform.accelerators.len());
        let build = move |_: &Trace| {
            policy.scheduler(accelerators, &Parameters::default()).expect("it is for this system")
        };
        Some(Contestant { name: entry.name.into(), allowed: nets, build: Box::new(build) })
    });
    rules.chain(policies).chain([exported(case)]).collect()
}

/// A net from elsewhere, whose numbers are arbitrary. It never holds, so that no request waits for ever.
fn exported(case: &Case) -> Contestant {
    let accelerators = case.site.world.platform.accelerators.len();
    let sizes = [features(accelerators), 24, accelerators + 1];
    let mut tensors = Tensors::default();
    for (number, pair) in sizes.windows(2).enumerate() {
        let weights = (0..pair[0] * pair[1]).map(|i| (i * i % 97) as f32 / 97.0 - 0.5);
        tensors.insert(format!("{number}.weight"), &[pair[1], pair[0]], weights.collect());
        let mut bias = vec![0.0; pair[1]];
        bias[pair[1] - 1] = -1e3;
        tensors.insert(format!("{number}.bias"), &[pair[1]], bias);
    }
    let net = Net::new(&tensors, &[Activation::Tanh, Activation::Linear], accelerators);
    let net = net.expect("it is of the right size");
    let build = move |_: &Trace| Box::new(Mlp::new(net.clone())) as Box<dyn Scheduler>;
    Contestant { name: "mlp".into(), allowed: nets, build: Box::new(build) }
}

fn records(case: &Case, trace: &Trace, rules: &Rules, contestant: &Contestant) -> (Vec<Record>, f64) {
    let scheduler = (contestant.build)(trace);
    let mut scheduler = Weighed { scheduler, allowed: contestant.allowed, most: 0.0 };
    let engine = Engine::new(Arc::clone(&case.site.world), Arc::new(trace.clone()), rules.clone());
    let mut records = Vec::new();
    run(engine, &mut scheduler, &mut records).unwrap_or_else(|error| panic!("{}: {error}", contestant.name));
    (records, scheduler.most)
}

#[test]
fn every_scheduler_is_deterministic_and_bounded() {
    let mut seen = BTreeSet::new();
    for case in cases() {
        let (trace, rules) = (trace(&case, REQUESTS, 1), rules(&case, 1));
        for contestant in contestants(&case) {
            let (first, most) = records(&case, &trace, &rules, &contestant);
            let name = contestant.name.clone();
            assert_eq!(first, records(&case, &trace, &rules, &contestant).0, "{name}");
            assert!(most > 0.0 && most < 1.0, "{name} takes {most} of what it may");
            seen.insert(name);
        }
    }
    assert_eq!(seen.len(), SCHEDULERS.len() + POLICIES.len(), "a kind of policy does not ship: {seen:?}");
}

/// The same run but for something that no scheduler may know, and until when nobody can tell them apart.
struct Change {
    what: &'static str,
    trace: Trace,
    rules: Rules,
    until: Time,
}

fn changes(case: &Case, trace: &Trace) -> [Change; 3] {
    let change = trace.requests.len() / 2;
    let mut future = trace.clone();
    for request in &mut future.requests[change..] {
        request.arrival += Time::from_us(500.0);
        request.deadline += Time::from_us(900.0);
        request.priority += 1;
        request.network = (request.network + 1) % case.site.world.networks.len() as u32;
    }
    // The last measured request stays, so that runs end when they did.
    let mut window = trace.clone();
    window.measured.start = change;
    let mut renamed = trace.clone();
    let tenants = case.workload.scenario.tenants.len() as u32;
    renamed.requests.iter_mut().for_each(|request| request.tenant = tenants - 1 - request.tenant);
    let mut of_renamed = rules(case, 1);
    of_renamed.firm.reverse();
    of_renamed.late.own.reverse();
    let (from, rules) = (trace.requests[change].arrival, rules(case, 1));
    [
        Change { what: "the future", trace: future, rules: rules.clone(), until: from },
        Change { what: "which requests are measured", trace: window, rules, until: Time::MAX },
        Change { what: "tenants by their number", trace: renamed, rules: of_renamed, until: Time::MAX },
    ]
}

/// What happened, whoever asked for it.
fn nameless(record: &Record) -> Record {
    let mut record = *record;
    match &mut record {
        Record::Arrival { asked, .. } | Record::Done { asked, .. } | Record::Drop { asked, .. } => {
            asked.tenant = 0;
        }
        _ => {}
    }
    record
}

/// What a contestant knows that it may not.
fn knows(case: &Case, trace: &Trace, contestant: &Contestant) -> Option<&'static str> {
    let plain = records(case, trace, &rules(case, 1), contestant).0;
    let known = |change: &Change| {
        let other = records(case, &change.trace, &change.rules, contestant).0;
        let end = |records: &[Record]| records.last().map_or(Time::ZERO, Record::time);
        let until = change.until.min(end(&plain)).min(end(&other));
        let before = |records: &[Record]| -> Vec<Record> {
            records.iter().filter(|record| record.time() < until).map(nameless).collect()
        };
        let (one, two) = (before(&plain), before(&other));
        assert!(one.len() > 10 * trace.requests.len() / 2, "{} has few records", contestant.name);
        one != two
    };
    changes(case, trace).iter().find(|change| known(change)).map(|change| change.what)
}

#[test]
fn no_scheduler_is_clairvoyant() {
    for case in cases().iter().step_by(2) {
        let trace = trace(case, REQUESTS, 1);
        for contestant in contestants(case) {
            assert_eq!(knows(case, &trace, &contestant), None, "{}", contestant.name);
        }
    }
}

/// `edf` for those that it likes; it gives up all others.
struct Cheat<F> {
    edf: Box<dyn Scheduler>,
    likes: F,
}

impl<F: Fn(&JobView) -> bool + Send> Scheduler for Cheat<F> {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        self.edf.decide(view, out);
        let unloved = view.jobs().iter().filter(|&job| !(self.likes)(job));
        unloved.for_each(|job| out.drop_request(job.request));
    }

    fn observe(&mut self, record: &Record) {
        self.edf.observe(record);
    }
}

fn cheat(likes: impl Fn(&JobView) -> bool + Send + 'static) -> Box<dyn Scheduler> {
    let edf = scheduler::find("edf").expect("it is a rule");
    let edf = (edf.build)(&toml::Table::new(), 1).expect("no parameter is mandatory");
    Box::new(Cheat { edf, likes })
}

/// The test above finds those that know what nobody may: each of these is told by a trace that it is shown before.
#[test]
fn who_knows_more_is_found_out() {
    let cheats: [(_, Build); 4] = [
        (None, Box::new(|_| cheat(|job| job.priority > 1))),
        (
            Some("the future"),
            Box::new(|trace| {
                let last = trace.requests[trace.requests.len() - 1].network;
                cheat(move |job| !(job.request.0 + last).is_multiple_of(3))
            }),
        ),
        (
            Some("which requests are measured"),
            Box::new(|trace| {
                let measured = trace.measured.clone();
                cheat(move |job| measured.contains(&(job.request.0 as usize)))
            }),
        ),
        (Some("tenants by their number"), Box::new(|_| cheat(|job| job.tenant > 0))),
    ];
    let case = &cases()[0];
    let trace = trace(case, REQUESTS, 1);
    for (knowledge, build) in cheats {
        let contestant = Contestant { name: format!("{knowledge:?}"), allowed: rule, build };
        assert_eq!(knows(case, &trace, &contestant), knowledge);
    }
}
