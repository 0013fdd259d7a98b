//! Is a step as frugal as promised: no allocation in the steady state, and a million requests in little memory.

#[path = "../benches/common/mod.rs"]
mod common;

use std::sync::Arc;

use mascot::experiment::Reward;
use mascot::plan::{Case, rules, trace};
use mascot::policy::{Actor, initial};
use mascot::rng::stream;
use mascot::scheduler::SCHEDULERS;
use mascot::sim::{
    Decision, Engine, Memory, Origin, Record, Recorder, Request, Scheduler, Step, Trace, World, resume,
};
use mascot::sweep::{Logs, run_with};
use mascot::train::{Env, Episode, Setup};
use mascot::units::Time;

/// The trace several times, and when the last begins: by then every buffer has the size that it needs.
fn repeated(trace: &Trace, times: u64, period: Time) -> (Trace, Time) {
    let last = trace.requests.iter().map(|request| request.deadline).max().expect("there are requests");
    // A multiple of T_s, so that decisions fall as before.
    let shift = (last.0 / period.0 + 1) * period.0;
    let again = |time: u64| {
        trace.requests.iter().map(move |request| {
            let shift = Time(time * shift);
            Request { arrival: request.arrival + shift, deadline: request.deadline + shift, ..*request }
        })
    };
    let requests: Vec<Request> = (0..times).flat_map(again).collect();
    (Trace { measured: 0..requests.len(), requests, ..Trace::default() }, Time((times - 1) * shift))
}

/// Schedulers see the records, too.
struct Observed<'a>(&'a mut dyn Scheduler);

impl Recorder for Observed<'_> {
    fn record(&mut self, record: &Record, _: Origin) {
        self.0.observe(record);
    }
}

fn run_until(time: Time, engine: &mut Engine, decision: &mut Decision, scheduler: &mut dyn Scheduler) {
    while engine.now() < time && engine.run_to_decision(&mut Observed(scheduler)) == Step::Decide {
        decision.clear();
        scheduler.decide(&engine.view(), decision);
        engine.apply(decision, &mut Observed(scheduler)).expect("registered schedulers are legal");
    }
}

#[test]
fn engine_and_schedulers_do_not_allocate_in_the_steady_state() {
    let case = common::mixed_at_90_percent();
    do_not_allocate(&case, Arc::clone(&case.site.world));
}

/// With 16 KiB on every accelerator, so that tensors come and go.
#[test]
fn tensors_that_come_and_go_do_not_allocate_in_the_steady_state() {
    let case = common::mixed_at_90_percent_with(&[("residency", "all")]);
    let mut world = World::clone(&case.site.world);
    for residency in world.networks.iter_mut().filter_map(|network| network.residency.as_mut()) {
        residency.memories =
            residency.memories.iter().map(|memory| Memory { bytes: 16_384, ..*memory }).collect();
    }
    do_not_allocate(&case, Arc::new(world));
}

fn do_not_allocate(case: &Case, world: Arc<World>) {
    let period = Time::from_us(case.setting.period_us);
    let (trace, last) = repeated(&trace(case, 100, 1), 8, period);
    let trace = Arc::new(trace);
    // `random` and `magma` draw anew, so that their queues may grow beyond those of before.
    for entry in SCHEDULERS.iter().filter(|entry| !["random", "magma"].contains(&entry.name)) {
        let mut scheduler = (entry.build)(&toml::Table::new(), 1).expect("no parameter is mandatory");
        let mut engine = Engine::new(Arc::clone(&world), Arc::clone(&trace), rules(case, 1));
        let (mut decision, scheduler) = (Decision::default(), scheduler.as_mut());
        let first = allocation_counter::measure(|| run_until(last, &mut engine, &mut decision, scheduler));
        assert!(first.count_total > 0, "the counter counts");
        let again = allocation_counter::measure(|| {
            resume(&mut engine, &mut decision, scheduler, &mut ()).expect("registered schedulers end");
        });
        assert_eq!(again.count_total, 0, "{}", entry.name);
    }
}

/// Answered by the policy, in a pool of one thread, so that everything happens on the thread that is measured.
#[test]
fn environment_and_policy_do_not_allocate_in_the_steady_state() {
    let case = common::mixed_at_90_percent();
    let period = Time::from_us(case.setting.period_us);
    let (trace, _) = repeated(&trace(&case, 100, 1), 4, period);
    let setup = Setup {
        world: Arc::clone(&case.site.world),
        trace: Arc::new(trace),
        rules: rules(&case, 1),
        price: 0.0,
    };
    let mut env = Env::new(Box::new(move |_| setup.clone()), Reward::default(), u64::MAX);
    let weights = initial(6, 16, &mut stream(1, "test", "relmas"));
    let mut actor = Actor::new(&weights, 6).expect("hetero-6 has six accelerators");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    pool.install(|| {
        env.reset(&[1, 2]);
        let mut actions = vec![Vec::new(); 2];
        let mut play = |env: &mut Env, most: u64| {
            let mut steps = 0;
            while steps < most && !env.episodes().iter().all(Episode::is_over) {
                for (episode, action) in env.episodes().iter().zip(&mut actions) {
                    actor.act(episode.observation().rows(), action);
                }
                env.step(&actions);
                steps += 1;
            }
            steps
        };
        let steps = play(&mut env, u64::MAX);
        let first = allocation_counter::measure(|| env.reset(&[1, 2]));
        assert!(first.count_total > 0, "the counter counts");
        play(&mut env, steps * 4 / 5);
        let again = allocation_counter::measure(|| assert!(play(&mut env, u64::MAX) >= steps / 5));
        assert_eq!(again.count_total, 0);
    });
}

#[test]
fn a_fork_reuses_the_buffers_of_the_engine_that_it_overwrites() {
    let case = common::mixed_at_90_percent();
    let start = Engine::new(Arc::clone(&case.site.world), Arc::new(trace(&case, 100, 1)), rules(&case, 1));
    let (mut engine, mut decision) = (start.clone(), Decision::default());
    let mut scheduler = (SCHEDULERS[1].build)(&toml::Table::new(), 1).expect("no parameter is mandatory");
    run_until(Time::from_us(20_000.0), &mut engine, &mut decision, scheduler.as_mut());
    assert!(engine.run_to_decision(&mut ()) == Step::Decide && engine.view().jobs().len() > 1);
    let mut fork = engine.view().fork();
    let copy = allocation_counter::measure(|| engine.view().fork_into(&mut fork));
    assert_eq!(copy.count_total, 0);
}

#[test]
#[ignore = "a minute: make test-long"]
fn a_million_requests_stay_under_200_mb() {
    let case = common::mixed_at_90_percent();
    let mut scheduler = (SCHEDULERS[1].build)(&toml::Table::new(), 1).expect("no parameter is mandatory");
    let used = allocation_counter::measure(|| {
        let run = run_with(&case, 1_000_000, 1, scheduler.as_mut(), Logs::default());
        assert_eq!(run.expect("registered schedulers end").metric("requests"), 1e6);
    });
    assert!(used.bytes_max < 200_000_000, "{} bytes at the most", used.bytes_max);
}
